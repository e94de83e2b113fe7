"""The warehouse and the marts on Spark, in schemas of their own, as many times as a test wants; and how two differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from dbt_runs import Dbt, Ran
from journey.spark.compare import CLOSE, INEXACT
from journey.spark.session import Session, quoted

BUILT = "path:models/warehouse path:models/marts"
FACT = "fct_sales"  # in partitions, beside one of weeks; what it reads, and what reads it
READERS = ("fct_baskets", "sales_performance", "int_store_months_summed", "int_products_described")
PART = " ".join((f"+{FACT},path:models/warehouse", *READERS))
AT_ONCE = 8  # tables that one query compares
ROUGHLY = 6  # places to which a first look rounds what is compared to 1e-9


@dataclass(frozen=True)
class Table:
    """A table that both copies have.

    Attributes:
        name: of the model.
        relation: its schema and name, but for the copy's prefix.
        exact: its columns that are compared as they are.
        inexact: those that are compared as `journey spark compare` does.
    """

    name: str
    relation: tuple[str, str]
    exact: tuple[str, ...]
    inexact: tuple[str, ...]

    def in_copy(self, schema: str) -> str:
        """The table of the copy whose schemas begin so."""
        return quoted(schema + self.relation[0], self.relation[1])


@dataclass
class Copy:
    """A copy of all tables.

    Attributes:
        schema: begins the names of its schemas.
        folder: for what dbt writes.
        dbt: parsed for this copy.
    """

    schema: str
    folder: Path
    dbt: Dbt = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Parse."""
        with self._named():
            self.dbt = Dbt(self.folder, into="spark")

    def run(self, *arguments: str) -> Ran:
        """Run dbt.

        Args:
            arguments: as on dbt's command line.
        """
        with self._named():
            return self.dbt(*arguments)

    def begin(self) -> None:
        """Make what the tables read: seeds, views of staging, snapshots."""
        kinds = [f"--resource-type={kind}" for kind in ("seed", "snapshot", "model")]
        self._run_well("build", *kinds, "--exclude", *BUILT.split())

    def build(self, *arguments: str, select: str = BUILT) -> Ran:
        """Build tables, incrementally unless the arguments say otherwise.

        Args:
            arguments: of `dbt run`.
            select: which.
        """
        return self._run_well("run", "--select", *select.split(), *arguments)

    def _run_well(self, *arguments: str) -> Ran:
        """Run dbt, and say what it could not build."""
        ran = self.run(*arguments)
        assert not ran.errors, "\n".join(ran.errors)
        assert not ran.skipped, ran.skipped
        return ran

    def written(self, table: str) -> set[tuple[Any, ...]]:
        """The files of a table, and when each was written."""
        relation = self.tables()[table].in_copy(self.schema)
        with Session() as session:
            return set(
                session.rows(f"select distinct _metadata.file_path, _metadata.file_modification_time from {relation}")
            )

    def tables(self) -> dict[str, Table]:
        """The tables of warehouse and marts, by name."""
        found = {}
        for node in self.dbt.manifest.nodes.values():
            if node.resource_type == "model" and node.config.materialized == "incremental_table":
                kinds = {name: column.data_type.replace(", ", ",") for name, column in node.columns.items()}
                inexact = tuple(name for name, kind in kinds.items() if INEXACT.fullmatch(kind))
                exact = tuple(name for name in kinds if name not in inexact)
                relation = (node.schema.removeprefix(self.schema), node.alias)
                found[node.name] = Table(node.name, relation, exact, inexact)
        return found

    def drop(self, session: Session) -> None:
        """Drop its schemas."""
        for (name,) in session.rows(f"show schemas like '{self.schema}_*'"):
            session.rows(f"drop schema {quoted(name)} cascade")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Let the profile say where this copy is."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DBT_SCHEMA", self.schema)
            yield


def differences(session: Session, one: Copy, other: Copy, names: Collection[str] = ()) -> dict[str, list[str]]:
    """By table, a few rows that aren't in both copies.

    Args:
        session: to Spark.
        one: of the copies.
        other: of the copies.
        names: of models; all tables if empty.
    """
    tables = [table for table in one.tables().values() if not names or table.name in names]
    return unequal(session, tables, (one.schema, other.schema))


def unequal(session: Session, tables: Sequence[Table], schemas: tuple[str, str]) -> dict[str, list[str]]:
    """By table, a few rows that aren't in both copies.

    Args:
        session: to Spark.
        tables: which.
        schemas: what begins the names of the copies' schemas.
    """
    found = {}
    for table in _marked(session, tables, schemas):
        ours, theirs = (_rows(session, table, schema) for schema in schemas)
        if differing := _unequal(ours, theirs, len(table.exact)):
            found[table.name] = differing[:5]
    return found


def _marked(session: Session, tables: Sequence[Table], schemas: tuple[str, str]) -> Iterator[Table]:
    """Tables that aren't equal at a first look: by the number of their rows and a sum of hashes."""
    for first in range(0, len(tables), AT_ONCE):
        some = tables[first : first + AT_ONCE]
        looks = []
        for table in some:
            exact = [quoted(column) for column in table.exact]
            rounded = [f"round(cast({quoted(column)} as double), {ROUGHLY})" for column in table.inexact]
            row = f"cast(struct({', '.join(exact + rounded)}) as string)"
            mark = f"cast(sum(cast(xxhash64({row}) as decimal(38, 0))) as string)"
            looks += [f"select '{table.name}', count(*), {mark} from {table.in_copy(schema)}" for schema in schemas]
        marks: dict[str, set[tuple[Any, ...]]] = {}
        for name, *mark_of in session.rows(" union all ".join(looks)):
            marks.setdefault(name, set()).add(tuple(mark_of))
        yield from (table for table in some if len(marks[table.name]) > 1)


def _rows(session: Session, table: Table, schema: str) -> list[tuple[Any, ...]]:
    """A table's rows, what is compared exactly first."""
    exact = [quoted(column) for column in table.exact]
    inexact = [f"cast({quoted(column)} as double)" for column in table.inexact]
    rows = session.rows(f"select {', '.join(exact + inexact)} from {table.in_copy(schema)}")
    return sorted(rows, key=lambda row: [(value is None, repr(value)) for value in row[: len(exact)]] + [
        (value is None, value or 0) for value in row[len(exact) :]
    ])  # fmt: skip


def _unequal(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]], exact: int) -> list[str]:
    """Rows that differ, paired in order.

    Args:
        ours: of one copy.
        theirs: of the other.
        exact: so many columns at the beginning are compared as they are.
    """

    def are_equal(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
        if one is None or other is None or one[:exact] != other[:exact]:
            return False
        return all(
            a == b or (None not in (a, b) and abs(a - b) <= CLOSE * max(1, abs(a), abs(b)))
            for a, b in zip(one[exact:], other[exact:], strict=True)
        )

    return [f"{one} / {other}" for one, other in zip_longest(ours, theirs) if not are_equal(one, other)]
