"""Nine weeks of the till's files, loaded once; each test gets a copy of the database, and the next day's file."""

from __future__ import annotations

import csv
import gzip
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

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

FEED = "pos/transactions"
NEXT = date(2017, 3, 8)  # a Wednesday: the day whose file each test delivers
MART = ("--exclude-resource-type", "unit_test", "--select", "+sales_performance")

Rows = list[dict[str, str]]


def key_of(day: date) -> str:
    """Of a day's file."""
    return f"{FEED}/transactions_{day}.csv.gz"


KEY = key_of(NEXT)


@dataclass(frozen=True)
class Till:
    """What was loaded before the day that tests deliver.

    Attributes:
        dbt: runs on `database`.
        sources: what the project declares, read from a bucket of its own.
        bucket: its name.
        database: what tests load into.
        template: its untouched copy.
        rows: the real rows of the day that tests deliver.
    """

    dbt: Dbt
    sources: Sequence[Source]
    bucket: str
    database: str
    template: str
    rows: Rows

    def deliver(self, rows: Rows, day: date = NEXT) -> None:
        """A day's file comes, and is loaded."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        settings.s3_client().put_object(
            Bucket=self.bucket, Key=key_of(day), Body=gzip.compress(text.getvalue().encode())
        )
        assert not load(sources=[source for source in self.sources if source.name == "pos.transactions"]).failures

    def watch(self, *tests: str) -> Ran:
        """What the watching tests say."""
        return self.dbt("test", "--select", *(tests or ("watch_pos_transactions",)))


@pytest.fixture(scope="package")
def loaded(embedded: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """Land and load what had come before `NEXT`, and build a mart on it."""
    database, bucket = f"till_{uuid.uuid4().hex[:8]}", f"till-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(embedded, ADMIN).items():
            patch.setenv(name, value)
        recreate(database, "template0")
        patch.setenv("PGDATABASE", database)
        dbt = Dbt(tmp_path_factory.mktemp("till") / "target")
        till = Till(dbt, dbt.sources(bucket), bucket, database, f"{database}_untouched", _land(bucket))
        with psycopg.connect(autocommit=True) as connection:
            set_up(connection)
            for source in till.sources:
                ensure_table(connection, source)
        assert not load(sources=till.sources, threads=2).failures
        assert not dbt("build", *MART).errors
        recreate(till.template, database)
    yield till
    for name in (till.database, till.template):
        administer(f"drop database {name} with (force)")


@pytest.fixture
def till(loaded: Till, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    """The database as it was before the day's file."""
    monkeypatch.setenv("PGDATABASE", loaded.database)
    recreate(loaded.database, loaded.template)
    yield loaded
    for day in (NEXT, NEXT + timedelta(days=1)):
        settings.s3_client().delete_object(Bucket=loaded.bucket, Key=key_of(day))


def _land(bucket: str) -> Rows:
    """Write the files that came before the day; the rows of the day."""
    client = settings.s3_client()
    client.create_bucket(Bucket=bucket)
    feed = next(feed for feed in feeds() if feed.prefix == FEED)
    wanted = frozenset(file.key for file in feed.files if file.key <= KEY)
    bodies = {key: encode() for key, encode in feed.make(wanted)}
    for key, body in bodies.items():
        if key < KEY:
            client.put_object(Bucket=bucket, Key=key, Body=body)
    return list(csv.DictReader(io.StringIO(gzip.decompress(bodies[KEY]).decode())))
