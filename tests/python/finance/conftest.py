"""A quarter of the books, landed, loaded and built once; each test that corrupts something gets a copy."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbt_runs import Dbt, Ran, administer, recreate
from deliveries.plan import feeds
from journey import settings
from journey.embedded import ADMIN, environment
from journey.loader.declaration.sources import Source
from journey.loader.ledger import ensure_table, set_up
from journey.loader.run import load
from journey.services.state import State

UNTIL = date(2017, 4, 5)  # January and February are closed, March is open; the late entry of February has arrived
NOT_NEEDED = "pos/promotions"  # the big one: finance reads none of it
MODELS = ("--resource-type", "model", "--resource-type", "snapshot", "--select", "+path:models/marts/finance")
FINANCE = "+path:models/marts/finance,resource_type:model"  # campaigns' margins hang on the ledger, too
LEDGER = (f"stg_erp__journal_lines+,{FINANCE}", f"stg_erp__chart_of_accounts+,{FINANCE}")
TESTS = ("path:tests/finance", "--indirect-selection", "empty")
REBUILD = ("build", "--select", *LEDGER, *TESTS)


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
        for name, value in environment(embedded, ADMIN).items():
            patch.setenv(name, value)
        recreate(database, "template0")
        patch.setenv("PGDATABASE", database)
        dbt = Dbt(folder / "target", by_hand=True)
        bucket = f"books-{uuid.uuid4().hex[:8]}"
        _land_and_load(folder, bucket, dbt.sources(bucket))
        for arguments in (["seed"], ["build", *MODELS]):
            assert not dbt(*arguments).errors
        recreate(template, database)
    yield Books(folder, database, template, dbt)  # outside: other packages' tests have their own database
    for name in (database, template):
        administer(f"drop database {name} with (force)")


@pytest.fixture
def corrupted(books: Books, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Break a copy of the database with some SQL, and rebuild and test the finance mart."""

    def corrupt(*statements: str, arguments: Sequence[str] = REBUILD) -> Ran:
        monkeypatch.setenv("PGDATABASE", books.database)
        recreate(books.database, books.template)
        with psycopg.connect() as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, f"changed nothing: {statement}"
        return books.dbt(*arguments)

    return corrupt


def _land_and_load(folder: Path, bucket: str, sources: Sequence[Source]) -> None:
    client = settings.s3_client()
    client.create_bucket(Bucket=bucket)
    for feed in feeds():
        if feed.prefix != NOT_NEEDED:
            for key, encode in feed.make(frozenset(file.key for file in feed.arrived(UNTIL))):
                data = encode()
                client.put_object(Bucket=bucket, Key=key, Body=data)
                (folder / key).parent.mkdir(parents=True, exist_ok=True)
                (folder / key).write_bytes(data)
    with psycopg.connect(autocommit=True) as connection:
        set_up(connection)
        for source in sources:
            ensure_table(connection, source)
    summary = load(sources=[source for source in sources if source.name != NOT_NEEDED.replace("/", ".")], threads=2)
    assert not summary.failures
