"""A warehouse that was built when nothing had arrived yet; each history goes on from a copy of it."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt_runs import Dbt, administer, recreate
from journey import settings
from journey.loader.declaration.sources import Source
from journey.loader.ledger import ensure_table, set_up
from journey.loader.run import load
from journey.services.state import State
from loader.support import empty
from warehouse.histories import Change, Step, content, key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

STATEFUL = " ".join(  # what is built by partitions, one piece of each kind, and what they read
    f"+{what},path:models/warehouse"
    for what in (
        "config.partition_by.granularity:day",
        "config.partition_by.granularity:week",
        "config.partition_by.granularity:month",
        "bridge_coupon_products",
    )
)


@dataclass
class Warehouse:
    """The database, the bucket it is loaded from, and dbt on it.

    Attributes:
        database: its name, always the same, for dbt was parsed with it.
        client: of S3.
        sources: every declared source, in the bucket of these tests; what is withdrawn from it goes.
        dbt: runs on `database`.
        sql: by stateful model, in order, the select of a full refresh.
        counts: what happened, for the report.
    """

    database: str
    client: S3Client
    sources: list[Source]
    dbt: Dbt
    sql: dict[str, str] = field(default_factory=dict, repr=False)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """The untouched copy."""
        return f"{self.database}_empty"

    def build(self, *arguments: str, select: str = STATEFUL) -> list[str]:
        """Build, incrementally unless the arguments say otherwise; returns a line for each model that failed."""
        try:
            ran = self.dbt("run", "--select", *select.split(), *arguments)
        except DbtRuntimeError as error:  # the connection that looks around was cut, not a model's
            return [str(error)]
        return [*ran.errors, *ran.skipped]

    def restart(self) -> None:
        """Nothing has arrived."""
        empty(self.client, self.sources[0].bucket)
        recreate(self.database, self.template)

    def take(self, step: Step) -> None:
        """What arrives in a step is loaded and built as the step says."""
        self.counts[step.build] = self.counts.get(step.build, 0) + 1
        for change in step.changes:
            self._deliver(change)
        if step.build == "raced":
            with beside(self.load):
                self.build()
            return
        self.load()
        if step.build == "killed":
            with beside(self._kill, step.delay):
                if self.build():
                    self.counts["killed at work"] = self.counts.get("killed at work", 0) + 1
        elif step.build == "whole":
            assert self.build() == []

    def load(self) -> None:
        """Load what is in the bucket."""
        assert load(sources=self.sources, threads=2).failures == []

    def differences(self, *schemas: str) -> dict[str, list[Any]]:
        """By table of `kept_<schema>`, rows that aren't in both it and the schema."""
        found = {}
        with psycopg.connect(dbname=self.database) as connection:
            for kept, table in _tables(connection, tuple(f"kept_{schema}" for schema in schemas)):
                schema = kept.removeprefix("kept_")
                rows = connection.execute(
                    f"(select 'kept', * from (table {kept}.{table} except all table {schema}.{table}) x)"
                    f" union all "
                    f"(select 'there', * from (table {schema}.{table} except all table {kept}.{table}) x)"
                ).fetchmany(5)
                if rows:
                    found[f"{schema}.{table}"] = rows
        return found

    def keep_full_refresh(self) -> None:
        """Make in `kept_…` what a full refresh would make of the stateful models now: its SQL without dbt."""
        with psycopg.connect(dbname=self.database, autocommit=True) as connection:
            for schema in ("warehouse", "built"):
                connection.execute(f"drop schema if exists kept_{schema} cascade; create schema kept_{schema}")
            for model, sql in self.sql.items():
                kept = sql.replace('"warehouse".', '"kept_warehouse".').replace('"built".', '"kept_built".')
                is_mart = "marts" in self.dbt.manifest.nodes[f"model.data_journey.{model}"].fqn
                connection.execute(f"create table kept_{'built' if is_mart else 'warehouse'}.{model} as {kept}")

    def keep(self, *schemas: str) -> int:
        """Copy every table of the schemas to `kept_<schema>`; returns the number of rows."""
        rows = 0
        with psycopg.connect(dbname=self.database, autocommit=True) as connection:
            for schema in schemas:
                connection.execute(f"drop schema if exists kept_{schema} cascade; create schema kept_{schema}")
            for schema, table in _tables(connection, schemas):
                rows += connection.execute(f"create table kept_{schema}.{table} as table {schema}.{table}").rowcount
        return rows

    def count(self, table: str) -> int:
        """Rows of a table of the warehouse."""
        with psycopg.connect(dbname=self.database) as connection:
            [(rows,)] = connection.execute(f"select count(*) from warehouse.{table}").fetchall()
        return int(rows)

    def builds(self, model: str) -> dict[date, str]:
        """By the start of a partition, what it holds, or the build that wrote it; of a model without, by day 1."""
        with psycopg.connect(dbname=self.database) as connection:
            partitions = connection.execute(
                "select partition_start, content_id from build_state.partitions where model_name = %s", [model]
            ).fetchall()
            whole = "select date '0001-01-01', content_id from build_state.models where model_name = %s"
            return dict(partitions or connection.execute(whole, [model]).fetchall())

    def rows(self, model: str) -> dict[date, str]:
        """By business date, where a model's rows lie: others, once they were written again."""
        with psycopg.connect(dbname=self.database) as connection:
            return dict(
                connection.execute(
                    f"select business_date, string_agg(xmin::text || ctid::text, ',' order by ctid) "
                    f"from warehouse.{model} group by business_date"
                ).fetchall()
            )

    def remembered(self, model: str) -> tuple[Any, ...]:
        """The hash of what makes a model, and what is known of its content."""
        with psycopg.connect(dbname=self.database) as connection:
            [row] = connection.execute(
                "select inputs_hash, content_id from build_state.models where model_name = %s", [model]
            ).fetchall()
            return row

    def everything(self) -> dict[str, set[str]]:
        """By model, what is remembered of its builds."""
        with psycopg.connect(dbname=self.database) as connection:
            found: dict[str, set[str]] = {}
            for model, text in connection.execute(
                """select model_name, concat_ws(' ', inputs_hash, content_id) from build_state.models
                   union all select model_name, concat_ws(' ', partition_start, inputs_hash, content_id)
                   from build_state.partitions"""
            ).fetchall():
                found.setdefault(model, set()).add(text)
            return found

    def memory(self) -> set[tuple[str, str]]:
        """What `build_state` says that models were built from, but for the builds' numbers.

        Of partitions, those with rows: of one without, nobody who reads the table need hear.
        """
        with psycopg.connect(dbname=self.database) as connection:
            return set(
                connection.execute(
                    """select model_name, partition_start::text from build_state.partitions
                           where content_id <> 'no rows'
                       union all select model_name, concat_ws(' ', dimension_name, member_key, valid_from, valid_to,
                           attribute_hash) from build_state.members
                       union all select model_name, dimension_name from build_state.dimensions"""
                ).fetchall()
            )

    def _deliver(self, change: Change) -> None:
        bucket = self.sources[0].bucket
        if change.seed is None:
            self.client.delete_object(Bucket=bucket, Key=key(change))
        else:
            self.client.put_object(Bucket=bucket, Key=key(change), Body=content(change))

    def _kill(self, delay: float) -> None:
        """Cut dbt's connections, those that are named by their run included."""
        threading.Event().wait(delay)
        with psycopg.connect(dbname=self.database, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and application_name ~ '^dbt'"
            )


@pytest.fixture(scope="session")
def prepared(embedded: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Raw tables without a row, and everything built on them."""
    client, name = settings.s3_client(), f"prove_{uuid.uuid4().hex[:8]}"
    bucket = name.replace("_", "-")
    client.create_bucket(Bucket=bucket)
    recreate(name, "template0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", name)
        dbt = Dbt(tmp_path_factory.mktemp("prove"), comments="HISTORIES" in os.environ)  # a kill may meet them
        sources = [
            replace(source, options=replace(source.options, on_delete="remove", max_remove_rate=1))
            for source in dbt.sources(bucket)
        ]
        with psycopg.connect(autocommit=True) as connection:
            set_up(connection)
            for source in sources:
                ensure_table(connection, source)
        made = Warehouse(name, client, sources, dbt)
        built = made.dbt("build", "--resource-type", "seed", "--resource-type", "snapshot", "--resource-type", "model")
        assert built.errors == []
        made.sql = made.dbt("run", "--full-refresh", "--select", *STATEFUL.split()).sql
    recreate(made.template, name)
    yield made
    for database in (made.database, made.template):
        administer(f"drop database if exists {database} with (force)")
    empty(client, bucket)
    client.delete_bucket(Bucket=bucket)
    if os.environ.get("HISTORIES"):
        print(f"\nbuilds: {made.counts}")


@pytest.fixture
def warehouse(prepared: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """That, with PGDATABASE naming it for the test."""
    monkeypatch.setenv("PGDATABASE", prepared.database)
    return prepared


def _tables(connection: psycopg.Connection[Any], schemas: tuple[str, ...]) -> list[tuple[str, str]]:
    """What is in them, but for the tables below a mart's newest rows, and what says which are published."""
    return connection.execute(
        """select table_schema, table_name from information_schema.tables
           where table_schema = any(%s) and table_name !~ '__[0-9]+$' and not starts_with(table_name, 'publi')
           order by 1, 2""",
        [list(schemas)],
    ).fetchall()


@contextmanager
def beside(do: Any, *arguments: Any) -> Iterator[None]:
    """Do something while the block runs; what goes wrong in it is raised."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            do(*arguments)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]
