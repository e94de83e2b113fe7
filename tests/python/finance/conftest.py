"""A quarter of the books, landed, loaded and built once; each test that corrupts something gets a copy."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.cli.main import dbtRunner

from journey import settings
from journey.land.plan import feeds
from journey.loader import load
from journey.loader.ledger import ensure_table, set_up
from journey.loader.sources import load_sources
from journey.project import project_root
from journey.services.state import State

ROOT = project_root(Path(__file__).parent)
UNTIL = date(2017, 4, 5)  # January and February are closed, March is open; the late entry of February has arrived
NOT_NEEDED = "pos/promotions"  # the big one: finance reads none of it
MODELS = "+path:models/marts/finance,resource_type:model"
LEDGER = ("stg_erp__journal_lines+", "stg_erp__chart_of_accounts+")
TESTS = ("path:tests/finance", "--indirect-selection", "empty")
QUIETLY = ("--quiet", "--no-use-colors", "--no-write-json", "--log-level-file", "none", "--cache-selected-only")
REBUILD = ("build", "--select", *(f"{model},resource_type:model" for model in LEDGER), *TESTS)


@dataclass
class Ran:
    """What a dbt run did.

    Attributes:
        failed: names of the tests that failed.
        errors: messages of nodes that broke.
        skipped: names of what was not built, because a test before it failed.
        said: lines printed at the end of the run.
    """

    failed: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def about(self, test: str) -> str:
        """What a failed test said of the rows it found."""
        return "\n".join(line for line in self.said if line.startswith(f"{test}: "))


class Dbt:
    """dbt in this process, parsed once; the database is always the one of that name."""

    def __init__(self, target: Path) -> None:
        self.folders = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--target-path", str(target)]
        parsed: Any = dbtRunner().invoke(["--quiet", "parse", "--no-partial-parse", *self.folders])
        self.manifest = parsed.result

    def __call__(self, *arguments: str) -> Ran:
        ran = Ran()

        def listen(event: Any) -> None:
            if event.info.name == "PrintEvent":
                ran.said.append(event.info.msg)

        result: Any = dbtRunner(manifest=self.manifest, callbacks=[listen]).invoke(
            [*QUIETLY, *arguments, "--threads", "2", *self.folders]
        )
        if result.exception is not None:
            raise result.exception
        for one in result.result.results:
            if one.status == "fail":
                ran.failed.add(one.node.name)
            elif one.status in ("error", "runtime error"):
                ran.errors.append(f"{one.node.name}: {one.message}")
            elif one.status == "skipped":
                ran.skipped.add(one.node.name)
        return ran


@dataclass(frozen=True)
class Books:
    """The built quarter.

    Attributes:
        folder: the landed files.
        database: what tests read, and corrupt.
        template: its untouched copy.
        dbt: runs on `database`.
    """

    folder: Path
    database: str
    template: str
    dbt: Dbt

    def rows(self, query: str, database: str | None = None) -> list[dict[str, Any]]:
        """The answer of a database; of the untouched one if None."""
        with psycopg.connect(dbname=database or self.template, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def books(embedded: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Land, load and build the finance mart from the files that had arrived by `UNTIL`."""
    folder = tmp_path_factory.mktemp("books")
    database = f"books_{uuid.uuid4().hex[:8]}"
    template = f"{database}_untouched"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.environment(embedded).items():
            patch.setenv(name, value)
        _recreate(database, "template0")
        patch.setenv("PGDATABASE", database)
        _land_and_load(folder, f"books-{uuid.uuid4().hex[:8]}")
        dbt = Dbt(folder / "target")
        for arguments in (["seed"], ["run", "--select", MODELS]):
            assert not dbt(*arguments).errors
        _recreate(template, database)
        yield Books(folder, database, template, dbt)
        for name in (database, template):
            _administer(f"drop database {name} with (force)")


@pytest.fixture
def corrupted(books: Books, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Break a copy of the database with some SQL, and rebuild and test the finance mart."""

    def corrupt(*statements: str, arguments: Sequence[str] = REBUILD) -> Ran:
        monkeypatch.setenv("PGDATABASE", books.database)
        _recreate(books.database, books.template)
        with psycopg.connect() as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, f"changed nothing: {statement}"
        return books.dbt(*arguments)

    return corrupt


def _land_and_load(folder: Path, bucket: str) -> None:
    client = settings.s3_client()
    client.create_bucket(Bucket=bucket)
    for feed in feeds():
        if feed.prefix != NOT_NEEDED:
            for key, encode in feed.make(frozenset(file.key for file in feed.arrived(UNTIL))):
                data = encode()
                client.put_object(Bucket=bucket, Key=key, Body=data)
                (folder / key).parent.mkdir(parents=True, exist_ok=True)
                (folder / key).write_bytes(data)
    sources = [replace(source, bucket=bucket) for source in load_sources(ROOT)]
    with psycopg.connect(autocommit=True) as connection:
        set_up(connection)
        for source in sources:
            ensure_table(connection, source)
    summary = load(sources=[source for source in sources if source.name != NOT_NEEDED.replace("/", ".")], threads=2)
    assert not summary.failures


def _recreate(database: str, template: str) -> None:
    _administer(f"drop database if exists {database} with (force)", f"create database {database} template {template}")


def _administer(*statements: str) -> None:
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
