"""A copy of what the demo built, for tests that change what the sources say."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from conftest import Demo
from dbt_runs import Dbt, administer, recreate
from journey.embedded import ADMIN, environment
from journey.services.state import State


@dataclass(frozen=True)
class Warehouse:
    """The built slice, without the promotions themselves.

    Attributes:
        database: what a test reads and changes; a new copy for each.
        dbt: runs on `database`.
    """

    database: str
    dbt: Dbt

    def change(self, *statements: str) -> None:
        """Run SQL; each statement must change something."""
        with psycopg.connect(dbname=self.database) as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, f"changed nothing: {statement}"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer of a query."""
        with psycopg.connect(dbname=self.database) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def built(demo: Demo, embedded: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A copy of the demo's database, and dbt."""
    template = f"snapshots_{uuid.uuid4().hex[:8]}"
    recreate(template, "journey")
    with psycopg.connect(dbname=template) as connection:  # the big ones: nothing here builds them, and copies are small
        connection.execute("truncate raw_pos.promotions, warehouse.fct_promotions")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(embedded, ADMIN).items():
            patch.setenv(name, value)
        patch.setenv("PGDATABASE", f"{template}_copy")
        dbt = Dbt(tmp_path_factory.mktemp("snapshots") / "target", by_hand=True)
    yield Warehouse(template, dbt)
    administer(f"drop database {template} with (force)")


@pytest.fixture
def warehouse(built: Warehouse, embedded: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """A copy of its own for a test."""
    database = f"{built.database}_copy"
    for name, value in environment(embedded, ADMIN).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGDATABASE", database)
    recreate(database, built.database)
    yield Warehouse(database, built.dbt)
    administer(f"drop database {database} with (force)")
