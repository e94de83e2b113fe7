"""The comparison of two copies sees what differs, and nothing else."""

from __future__ import annotations

import pytest

from journey.spark.session import Session
from spark.copies import Table, unequal

ROWS = "(1, 'x', 0.5d), (2, null, null), (2, null, null), (3, '', 1e9d)"


def found(session: Session, feed: str, ours: str, theirs: str) -> dict[str, list[str]]:
    """Compare two tables of these rows."""
    schemas = (f"raw_{feed}", f"raw_{feed}_other")
    table = Table("t", ("", "t"), ("id", "name"), ("rate",))
    try:
        for schema, rows in zip(schemas, (ours, theirs), strict=True):
            session.rows(f"create schema if not exists {schema}")
            session.rows(
                f"create table {schema}.t using parquet as select * from (values {rows}) as r (id, name, rate)"
            )
        return unequal(session, [table], schemas)
    finally:
        session.rows(f"drop schema if exists {schemas[1]} cascade")


@pytest.mark.parametrize("other", [ROWS, ROWS.replace("0.5d", "0.50000000001d"), ROWS.replace("1e9d", "1000000000.5d")])
def test_equal_rows_are_equal(session: Session, feed: str, other: str) -> None:
    assert found(session, feed, ROWS, other) == {}


@pytest.mark.parametrize(
    ("was", "now"),
    [("'x'", "'y'"), ("'x'", "null"), ("''", "null"), ("0.5d", "0.5001d"), ("0.5d", "null"), (", (2, null, null)", ""),
     ("(3, '', 1e9d)", "(3, '', 1e9d), (4, 'new', 1d)")],
)  # fmt: skip
def test_each_difference_is_seen(session: Session, feed: str, was: str, now: str) -> None:
    assert list(found(session, feed, ROWS, ROWS.replace(was, now, 1))) == ["t"]
