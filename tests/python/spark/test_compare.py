"""`journey spark compare` sees what differs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from journey.project import local_dir
from journey.spark.compare import Difference, compare_table
from journey.spark.session import Session

COLUMNS = {
    "id": ("integer", "int"),
    "name": ("text", "string"),
    "amount": ("numeric(12,2)", "decimal(12,2)"),
    "rate": ("numeric", "decimal(38,18)"),
    "day": ("date", "date"),
    "at": ("timestamptz", "timestamp"),
    "flag": ("boolean", "boolean"),
}
ROW = ["1", "'x'", "1.50", "0.333333333333333333", "date '2024-06-01'", "timestamp '2024-06-01 10:00:00.5'", "true"]


def compared(database: str, session: Session, feed: str, ours: list[list[str]], theirs: list[list[str]]) -> Difference:
    """Compare two tables of these rows."""

    def values(rows: list[list[str]], side: int) -> str:
        typed = ", ".join(f'cast({name} as {kinds[side]}) as "{name}"' for name, kinds in COLUMNS.items())
        given = ", ".join(f"({', '.join(row)})" for row in rows)
        return f"select {typed} from (values {given}) as given ({', '.join(COLUMNS)})"

    session.rows(f"create schema if not exists raw_{feed}")
    session.rows(f"create or replace view raw_{feed}.t as {values(theirs, 1)}")
    with psycopg.connect() as connection:
        connection.execute("set time zone 'UTC'")
        connection.execute(f"create table t as {values(ours, 0)}")
        folder = local_dir() / "spark" / "rows"
        return compare_table(connection, session, "t", ("public", "t"), (f"raw_{feed}", "t"), Path(folder))


def test_equal_rows_are_equal_whatever_their_order(database: str, session: Session, feed: str) -> None:
    null = ["null"] * len(ROW)
    other = ["2", "''", *ROW[2:]]
    close = [*ROW[:3], "0.3333333333", *ROW[4:]]
    assert compared(database, session, feed, [ROW, null, other, ROW], [close, other, ROW, null]).is_equal


@pytest.mark.parametrize(
    ("column", "value"),
    [("name", "'y'"), ("name", "''"), ("name", "null"), ("amount", "1.51"), ("rate", "0.33333333"), ("rate", "null"),
     ("day", "date '2024-06-02'"), ("at", "timestamp '2024-06-01 10:00:00.6'"), ("flag", "null")],
)  # fmt: skip
def test_each_value_counts(database: str, session: Session, feed: str, column: str, value: str) -> None:
    other = [value if name == column else cell for name, cell in zip(COLUMNS, ROW, strict=True)]
    found = compared(database, session, feed, [ROW], [other])
    assert (found.rows, found.only_postgres, found.only_spark) == (1, 1, 1)
    assert "PostgreSQL" in found.example


def test_a_row_that_comes_twice_is_two(database: str, session: Session, feed: str) -> None:
    found = compared(database, session, feed, [ROW, ROW], [ROW])
    assert (found.rows, found.only_postgres, found.only_spark) == (2, 1, 0)
