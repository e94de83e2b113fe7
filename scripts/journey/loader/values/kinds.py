"""PostgreSQL's types and the Arrow types whose values are theirs."""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa

from journey.loader.values.meaning import Column

NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
STAMP = re.compile(r"(timestamp|time)(?:\((\d)\))? (with|without) time zone")
TEXT = re.compile(r"(text|character varying|character|json|jsonb|bpchar)(?:\((\d+)\))?")
FIXED = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "bytea": pa.binary(),
    "uuid": pa.binary(16),
}  # fmt: skip
STAMPS = {
    ("timestamp", "without"): pa.timestamp("us"), ("timestamp", "with"): pa.timestamp("us", "UTC"),
    ("time", "without"): pa.time64("us"),
}  # fmt: skip


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column's values.

    It is text for PostgreSQL's text types and for those that Arrow doesn't have, of which `is_servers` tells.
    """
    return _arrow_type(column.type, column.meaning.special_values == "accept")


@lru_cache(1024)  # it is asked some forty times a file
def _arrow_type(kind: str, has_special: bool) -> pa.DataType:
    if numeric := NUMERIC.fullmatch(kind):
        precision, scale = int(numeric[1]), int(numeric[2])
        is_arrows = 0 <= scale <= precision <= 38 and not has_special  # Arrow's has no NaN
        return pa.decimal128(precision, scale) if is_arrows else pa.string()
    if stamp := STAMP.fullmatch(kind):
        return STAMPS.get((stamp[1], stamp[3]), pa.string())
    return FIXED.get(kind, pa.string())


def is_text(column: Column) -> bool:
    """Whether any text is a value: text, and char and varchar of any length. (json and jsonb aren't.)"""
    found = TEXT.fullmatch(column.type)
    return bool(found) and not column.type.startswith("json")


def length(column: Column) -> int | None:
    """Most characters of a text, if its type has a limit."""
    found = TEXT.fullmatch(column.type)
    return int(found[2]) if found and found[2] else None


def digits(column: Column) -> int:
    """Digits that a column keeps of a second's, or after a decimal, point."""
    if numeric := NUMERIC.fullmatch(column.type):
        return int(numeric[2])
    stamp = STAMP.fullmatch(column.type)
    return int(stamp[2]) if stamp and stamp[2] else 6


def is_servers(column: Column) -> bool:
    """Whether only PostgreSQL can say what a value of the type is: intervals, addresses, arrays, enums, JSON …

    A numeric without bounds, or beyond Arrow's, is text here and a number by our own rules.
    """
    return arrow_type(column) == pa.string() and not is_text(column) and not column.type.startswith("numeric")
