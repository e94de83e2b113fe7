"""`make bench-build`: what a day costs, against a full build, and after ten times the history; dbt against plain psql.

Everything happens in a database and a bucket of its own, in the embedded services, with one dbt thread, so that
statements don't share the processors. SQL time is what PostgreSQL took for dbt's statements, as dbt reports it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from journey import services, settings
from journey.bench.company import company
from journey.embedded import ADMIN, EMBEDDED_DATABASE, use_embedded
from journey.land.bucket import create_if_missing
from journey.land.landing import land
from journey.loader.declaration.sources import load_sources
from journey.loader.ledger import ensure_table, set_up
from journey.loader.run import load
from journey.project import local_dir, project_root
from journey.services import postgres

BUCKET, DATABASE = "bench-build", "bench_build"
EARLIER_YEARS = 9
LAYERS = ("staging", "warehouse", "marts", "other")
UNTESTED = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]  # they read whole facts anyway
NO_MARTS = ["--exclude", "path:models/marts"]
DAYS = 5
GOALS = {"day": 0.06, "history": 1.5, "psql": 1.25, "full": 150.0}
READ = """
    select schemaname || '.' || relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
    from pg_stat_user_tables where schemaname not like 'pg_temp%'
"""


@dataclass
class Build:
    """What a dbt build took.

    Attributes:
        wall: seconds, dbt's start included.
        layers: seconds of SQL by layer.
        statements: every statement in order, but for seeds, whose rows dbt sends apart from the statement.
        models: seconds of SQL by model.
    """

    wall: float = 0.0
    layers: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    statements: list[str] = field(default_factory=list)
    models: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def sql(self) -> float:
        """Seconds of SQL."""
        return sum(self.layers.values())


class Dbt:
    """dbt in this process, on the benchmark's database, parsed once."""

    def __init__(self, folder: Path) -> None:
        root = str(project_root())
        self._folders = ["--project-dir", root, "--profiles-dir", root, "--target-path", str(folder)]
        self._folders += ["--target", "demo"]  # plain schemas, in a database of its own
        self._manifest: Any = None
        self._manifest = self._invoke(["parse", "--no-partial-parse"], []).result

    def build(self, *arguments: str) -> Build:
        """Build what the arguments select.

        Raises:
            SystemExit: a model or a test failed.
        """
        build, begun = Build(), time.perf_counter()

        def listen(event: Any) -> None:
            if event.info.name == "SQLQuery":
                if event.data.node_info.resource_type != "seed":
                    build.statements.append(event.data.sql)
            elif event.info.name == "SQLQueryStatus":
                node = event.data.node_info
                build.layers[_layer(node)] += event.data.elapsed
                build.models[node.node_name] += event.data.elapsed

        result = self._invoke(["build", *arguments, "--threads", "1"], [listen])
        build.wall = time.perf_counter() - begun
        if not result.success:
            failed = [f"{r.node.name}: {r.message}" for r in result.result.results if r.status in ("error", "fail")]
            raise SystemExit("\n".join(failed) or str(result.exception))
        return build

    def _invoke(self, arguments: list[str], callbacks: list[Any]) -> Any:
        from dbt.cli.main import dbtRunner

        quietly = ["--quiet", "--no-use-colors", "--log-level-file", "none", "--no-write-json"]
        return dbtRunner(manifest=self._manifest, callbacks=callbacks).invoke([*quietly, *arguments, *self._folders])


def _layer(node: Any) -> str:
    parts = Path(node.node_path).parts
    return parts[0] if node.resource_type == "model" and parts and parts[0] in LAYERS else "other"


def arrive(until: date) -> None:
    """Land and load what has arrived by the end of a day.

    Raises:
        SystemExit: a file failed.
    """
    land(until=until, bucket=BUCKET)
    sources = [replace(source, bucket=BUCKET) for source in load_sources(project_root())]
    with psycopg.connect(autocommit=True) as connection:
        set_up(connection)
        for source in sources:
            ensure_table(connection, source)
    summary = load(sources=sources)
    if summary.failures:
        raise SystemExit("\n".join(summary.failures))


@contextmanager
def database() -> Iterator[None]:
    """A new database, which PGDATABASE names, and an empty bucket; dropped at the end."""
    client = settings.s3_client()
    create_if_missing(client, BUCKET)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", []):
            client.delete_object(Bucket=BUCKET, Key=found["Key"])
    with psycopg.connect(dbname=EMBEDDED_DATABASE, autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")
        connection.execute(f"create database {DATABASE}")
        try:
            yield
        finally:
            connection.execute(f"drop database if exists {DATABASE} with (force)")


def through_psql(build: Build, folder: Path) -> float:
    """Seconds that psql takes for the same statements, from the same start.

    Raises:
        SystemExit: one of them failed.
    """
    script = folder / "build.sql"
    with script.open("w") as out:
        out.write("\\set ON_ERROR_STOP on\n\\o /dev/null\nset client_min_messages to error;\nbegin;\n")
        for statement in build.statements:
            out.write(statement.strip().rstrip(";") + ";\n")
            if statement.strip().lower() == "commit":
                out.write("begin;\n")
        out.write("commit;\n")
    begun = time.perf_counter()
    done = subprocess.run(
        [str(postgres.bin_dir() / "psql"), "-qX", "-d", DATABASE, "-f", str(script)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"psql: {done.stderr[-2000:]}")
    return time.perf_counter() - begun


def forget_state() -> None:
    """Drop the tables of state that a build of the seeds left: the statements of the full build make them."""
    with psycopg.connect(autocommit=True) as connection:
        for (table,) in connection.execute(
            "select tablename from pg_tables where schemaname = 'build_state'"
        ).fetchall():
            connection.execute(sql.SQL("drop table build_state.{}").format(sql.Identifier(table)))


def measured(dbt: Dbt, title: str, *arguments: str) -> Build:
    """Build what has arrived, and print a line of the table."""
    build = dbt.build(*UNTESTED, *arguments)
    values = "".join(f"{build.layers[layer]:>11.2f}" for layer in LAYERS)
    print(f"{title:<34}{values}{build.sql:>9.2f}{build.wall:>9.2f}", flush=True)
    return build


def next_days(dbt: Dbt, last: date, *arguments: str) -> list[Build]:
    """Five days arrive and are built one by one."""
    builds = []
    for day in range(1, DAYS + 1):
        arrive(last + timedelta(day))
        builds.append(measured(dbt, f"one more day, {last + timedelta(day)}", *arguments))
    return builds


def median_sql(days: list[Build], layer: str | None = None) -> float:
    """Median seconds of SQL, of a layer or of everything."""
    return statistics.median(day.layers[layer] if layer else day.sql for day in days)


def rows_read() -> dict[str, int]:
    """By table, the rows that scans have read so far."""
    with psycopg.connect(autocommit=True) as connection:
        return dict(connection.execute(READ.encode()).fetchall())


def largest_reads(before: dict[str, int], after: dict[str, int], days: int) -> str:
    """The tables of which most rows were read in between, for each day."""
    read = {table: (count - before.get(table, 0)) // days for table, count in after.items()}
    largest = sorted(read.items(), key=lambda one: -one[1])[:12]
    return ", ".join(f"{table} {count:,}" for table, count in largest if count)


def growth(now: list[Build], then: list[Build]) -> str:
    """The models whose median seconds differ most between days."""

    def median(days: list[Build], model: str) -> float:
        return statistics.median(day.models.get(model, 0.0) for day in days)

    medians = [(model, median(now, model), median(then, model)) for model in now[-1].models]
    largest = sorted(medians, key=lambda one: one[1] - one[2])[:8]
    return ", ".join(f"{model} {first:.2f} → {second:.2f} s" for model, first, second in largest)


def main() -> None:
    """Measure, print the table; exit status 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench-build", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--no-psql", action="store_true", help="leave out the full build through psql")
    parser.add_argument("--no-marts", action="store_true", help="the warehouse alone")
    options = parser.parse_args()
    marts = NO_MARTS if options.no_marts else []
    services.up()
    use_embedded(ADMIN)
    os.environ["PGDATABASE"] = DATABASE
    year = company().full
    week = year + timedelta(7)  # the file with a week's promotions comes on the Monday between
    print(
        f"{'seconds of SQL':<34}" + "".join(f"{layer:>11}" for layer in LAYERS) + f"{'all':>9}{'wall':>9}", flush=True
    )
    with tempfile.TemporaryDirectory(dir=local_dir()) as name:
        folder = Path(name)
        with database():
            dbt = Dbt(folder)
            arrive(year)
            full = measured(dbt, "full build, one year", *marts)
            begun = rows_read()
            days = next_days(dbt, year, *marts)
            early_reads = largest_reads(begun, rows_read(), DAYS)
            arrive(week)
            measured(dbt, "two more days, with promotions", *marts)
            with psycopg.connect(autocommit=True) as connection:
                company().earlier_years(connection, EARLIER_YEARS)
            measured(dbt, "full build, ten years", "--full-refresh", *marts)
            begun = rows_read()
            late_days = next_days(dbt, week, *marts)
            late_reads = largest_reads(begun, rows_read(), DAYS)
        for what, build in (("the full build", full), ("one more day", days[0])):
            slowest = sorted(build.models.items(), key=lambda item: -item[1])[:8]
            print(f"slowest in {what}: " + ", ".join(f"{model} {seconds:.1f} s" for model, seconds in slowest))
        print(f"what grew from one year to ten: {growth(days, late_days)}")
        print(f"rows that a day reads, after one year: {early_reads}")
        print(f"rows that a day reads, after ten: {late_reads}")
        print(
            "the nine earlier years are copies of the sales, and of the promotions of one product in ten; medians of "
            "days"
        )
    all_of_it = "without marts" if options.no_marts else "everything"
    ratios = [
        (f"{all_of_it}: one more day / full build", median_sql(days) / full.sql, GOALS["day"]),
        (
            f"{all_of_it}: one more day after ten years / one",
            median_sql(late_days) / median_sql(days),
            GOALS["history"],
        ),
        (
            "warehouse: one more day / full build",
            median_sql(days, "warehouse") / full.layers["warehouse"],
            GOALS["day"],
        ),
        (
            "warehouse: one more day after ten years / one",
            median_sql(late_days, "warehouse") / median_sql(days, "warehouse"),
            GOALS["history"],
        ),
        ("full build: seconds of SQL", full.sql, GOALS["full"]),
    ]
    missed = [say(*one) for one in ratios]
    if not options.no_psql:  # last: what was found until then is said
        with tempfile.TemporaryDirectory(dir=local_dir()) as name, database():
            arrive(year)
            Dbt(Path(name)).build("--resource-type", "seed")
            forget_state()
            psql = through_psql(full, Path(name))
        missed.append(say("full build: dbt's wall time / psql's", full.wall / psql, GOALS["psql"]))
    sys.exit(any(missed))


def say(title: str, value: float, goal: float) -> bool:
    """Print a ratio beside its goal; whether it is above it."""
    print(f"{title:<50}{value:>8.3f}  at most {goal}" + ("  missed" if value > goal else ""), flush=True)
    return value > goal


if __name__ == "__main__":
    main()
