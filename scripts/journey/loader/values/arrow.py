"""A file's own typed values become a column's, by a written table of which kind may become which.

What the table doesn't have is refused, value by value; so is a value that its column can't hold. Nothing is
reinterpreted: a number is no date and a date no number, unless epoch_unit says what it counts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from journey.loader.values.arrow_numbers import (
    decimal_to_whole,
    floating_to_whole,
    number_to_exact,
    number_to_floating,
    specials,
    whole_to_whole,
)
from journey.loader.values.arrow_times import (
    count_to_time,
    date_to_date,
    date_to_timestamp,
    time_to_count,
    time_to_time,
    timestamp_to_date,
    timestamp_to_timestamp,
)
from journey.loader.values.kinds import arrow_type, is_text
from journey.loader.values.masks import Converted, Refusals, extra_digits, numbers, refusals, valid, without
from journey.loader.values.meaning import Column, Meaning, Undeclared
from journey.loader.values.nested import (
    array_literals,
    is_uuid,
    json_texts,
    plain,
    scalar_texts,
    spans,
    valid_utf8,
)
from journey.loader.values.text import nulled, parse

Rule = Callable[[pa.Array, Column], Converted]

WORDS = {
    "boolean": "true or false", "integer": "a whole number", "float": "a floating point number",
    "decimal": "a decimal number", "date": "a date", "timestamp": "a timestamp",
    "timestamptz": "a timestamp with a zone",
    "time": "a time of day", "duration": "a duration", "interval": "an interval", "bytes": "bytes",
    "fixed": "bytes", "uuid": "a UUID", "list": "a list", "struct": "a struct", "map": "a map", "string": "a text",
}  # fmt: skip
GIVEN = (
    (pa.types.is_boolean, "boolean"), (pa.types.is_integer, "integer"), (pa.types.is_floating, "float"),
    (pa.types.is_decimal, "decimal"), (pa.types.is_date, "date"), (pa.types.is_time, "time"),
    (pa.types.is_duration, "duration"), (pa.types.is_interval, "interval"), (pa.types.is_string, "string"),
    (pa.types.is_binary, "bytes"), (pa.types.is_fixed_size_binary, "fixed"), (pa.types.is_map, "map"),
    (pa.types.is_list, "list"), (pa.types.is_struct, "struct"),
)  # fmt: skip
WANTED = {
    "smallint": "integer", "integer": "integer", "bigint": "integer", "real": "float", "double precision": "float",
    "boolean": "boolean", "date": "date", "bytea": "bytea", "uuid": "uuid", "json": "json", "jsonb": "json",
    "interval": "interval",
}  # fmt: skip


def convert(array: pa.Array, column: Column) -> Converted:
    """A file's own values as values of a column.

    Args:
        array: the values, as the file types them.
        column: says what they are to be.

    Returns:
        An array of the column's arrow_type, null where a value is refused; the reason by position.
    """
    if pa.types.is_dictionary(array.type):
        return _dictionary(array, column)
    array = plain(array)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), arrow_type(column)), {}
    given, wanted = kind_of(array.type), _wanted(column)
    rule = RULES.get(given, {}).get(wanted)
    if rule is None:
        return _no_way(array, column, given)
    return rule(array, column)


def kind_of(kind: pa.DataType) -> str:
    """The name that RULES and WORDS have for an Arrow type as plain() leaves it."""
    if is_uuid(kind):
        return "uuid"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return next((name for is_it, name in GIVEN if is_it(kind)), str(kind))


def _wanted(column: Column) -> str:
    """The name that RULES has for a column's type."""
    if column.type.endswith("[]"):
        return "array"
    if column.type.startswith("numeric"):
        return "numeric"
    if is_text(column):
        return "text"
    kind = arrow_type(column)
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_time(kind) or column.type.startswith("time"):  # with a zone: only texts have one
        return "time" if pa.types.is_time(kind) else "timetz"
    return "interval" if column.type.startswith("interval") else WANTED.get(column.type, "other")


def _no_way(array: pa.Array, column: Column, given: str) -> Converted:
    remedy = "timestamptz" if given == "timestamptz" else "its own type, or text"
    told = f"is {WORDS.get(given, given)} in the file, and {column.type} is declared: declare {remedy}"
    return pa.nulls(len(array), arrow_type(column)), refusals(array, valid(array), lambda shown: f"{shown} {told}")


def _dictionary(array: pa.Array, column: Column) -> Converted:
    """Values that are kept once: so are they read, but for those that no row has."""
    good = valid(array.indices)
    if not good.any():
        return pa.nulls(len(array), arrow_type(column)), {}
    indices = np.where(good, numbers(array.indices), 0)
    count = len(array.dictionary)
    is_used = np.bincount(indices[good], minlength=count) > 0
    values, refused = convert(array.dictionary.filter(pa.array(is_used)), column)
    indices = (np.cumsum(is_used) - 1)[indices]
    result = values.take(pa.array(indices, pa.int64(), mask=None if good.all() else ~good))
    found: Refusals = {}
    for position, reason in refused.items():
        found |= dict.fromkeys(np.flatnonzero((indices == position) & good).tolist(), reason)
    return result, found


def _same(array: pa.Array, column: Column) -> Converted:  # noqa: ARG001
    return array, {}


def _string(array: pa.Array, column: Column) -> Converted:
    """Texts, by the rules for any text. An empty one stays one in a text column: a file with nulls needs no other,
    unless null_values are declared."""
    texts, refused = valid_utf8(array)
    if not (is_text(column) and isinstance(column.meaning.null_values, Undeclared)):
        texts = nulled(texts, column.meaning)
    result, more = parse(texts, column)
    return result, more | refused


def _text(array: pa.Array, column: Column) -> Converted:
    """A value's text. NaN is as good a text as any, unless special_values says otherwise."""
    refused: Refusals = {}
    if pa.types.is_floating(array.type):
        array, special, refused = specials(array, column, "accept")
        array = without(array, special)
    texts, more = scalar_texts(array)
    return _fitting((texts, refused | more), column)


def _decoded(array: pa.Array, column: Column) -> Converted:
    """Bytes as the text that they are, if they are UTF-8."""
    texts, refused = valid_utf8(array.cast(pa.binary()).view(pa.string()))
    return _fitting((texts, dict.fromkeys(refused, f"its bytes aren't UTF-8, and {column.type} is declared")), column)


def _json(array: pa.Array, column: Column) -> Converted:
    """A value as JSON."""
    return _fitting(json_texts(array, column.meaning.special_values or "refuse"), column)


def _fitting(found: Converted, column: Column) -> Converted:
    """Texts that the column has room for."""
    result, refused = parse(found[0], column._replace(meaning=Meaning()))
    return result, refused | found[1]


def _span(array: pa.Array, column: Column) -> Converted:
    """Durations and intervals as PostgreSQL's, which have microseconds."""
    counts = array.to_pylist() if pa.types.is_interval(array.type) else array.view(pa.int64()).to_pylist()
    if pa.types.is_interval(array.type):
        counts = [None if one is None else one.nanoseconds for one in counts]
    in_nanoseconds = pa.types.is_interval(array.type) or array.type.unit == "ns"
    fine = np.array([in_nanoseconds and bool(one) and one % 1000 != 0 for one in counts], bool)
    if column.meaning.extra_digits == "round":
        return spans(array), {}  # PostgreSQL rounds
    return without(spans(array), fine), refusals(array, fine, extra_digits(column))


def _uuid(array: pa.Array, column: Column) -> Converted:
    """The 16 bytes of a UUID."""
    storage = array.storage if is_uuid(array.type) else array
    if storage.type == arrow_type(column):
        return storage, {}
    return _no_way(array, column, "fixed")


def _bytes(array: pa.Array, column: Column) -> Converted:  # noqa: ARG001
    return (array.storage if is_uuid(array.type) else array).cast(pa.binary()), {}


def _floating_to_time(array: pa.Array, column: Column) -> Converted:
    return _counted(array, column, floating_to_whole)


def _decimal_to_time(array: pa.Array, column: Column) -> Converted:
    return _counted(array, column, decimal_to_whole)


def _counted(array: pa.Array, column: Column, to_whole: Rule) -> Converted:
    """Numbers that are whole, as counts of epoch_unit."""
    if column.meaning.epoch_unit is None:
        return count_to_time(array, column)
    counts, refused = to_whole(array, column._replace(type="bigint"))
    result, more = count_to_time(counts, column)
    return result, refused | more


def _list(array: pa.Array, column: Column) -> Converted:
    return array_literals(array, column, convert)


TEXTS: dict[str, Rule] = {"text": _text, "json": _json, "other": _text}
NUMBERS: dict[str, Rule] = {"float": number_to_floating, "numeric": number_to_exact, **TEXTS}
STAMPS: dict[str, Rule] = {"timestamp": timestamp_to_timestamp, "timestamptz": timestamp_to_timestamp}
COUNTS: dict[str, Rule] = {"integer": time_to_count, "numeric": time_to_count}
RULES: dict[str, dict[str, Rule]] = {  # what may become what, and how
    "boolean": {"boolean": _same, **TEXTS},
    "integer": {"integer": whole_to_whole, **NUMBERS, **dict.fromkeys(("date", *STAMPS), count_to_time)},
    "float": {"integer": floating_to_whole, **NUMBERS, **dict.fromkeys(("date", *STAMPS), _floating_to_time)},
    "decimal": {"integer": decimal_to_whole, **NUMBERS, **dict.fromkeys(("date", *STAMPS), _decimal_to_time)},
    "date": {"date": date_to_date, **dict.fromkeys(STAMPS, date_to_timestamp), **COUNTS, **TEXTS},
    "timestamp": {"date": timestamp_to_date, **STAMPS, **COUNTS, **TEXTS},
    "timestamptz": {"timestamptz": timestamp_to_timestamp, **COUNTS, **TEXTS},
    "time": {"time": time_to_time, **TEXTS},
    "duration": {"interval": _span, **TEXTS},
    "interval": {"interval": _span, **TEXTS},
    "bytes": {"bytea": _bytes, "text": _decoded, "json": _decoded, "other": _decoded},
    "fixed": {"bytea": _bytes, "uuid": _uuid, "text": _decoded, "json": _decoded, "other": _decoded},
    "uuid": {"uuid": _uuid, "bytea": _bytes, **TEXTS},
    "list": {"array": _list, "text": _json, "json": _json},
    "struct": {"text": _json, "json": _json},
    "map": {"text": _json, "json": _json},
    "string": dict.fromkeys(("array", "timetz", "numeric", "text", "timestamp", "timestamptz", "time", "other",
                             *WANTED.values()), _string),
}  # fmt: skip
