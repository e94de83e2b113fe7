"""JSON values become values of a column's type: what each kind of value may be in each kind of column."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.formats.jsontext.arrays import booleans
from journey.loader.formats.jsontext.objects import (
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    SPECIAL,
    STRING,
    Member,
    array_literal,
    check_characters,
)  # fmt: skip
from journey.loader.values.exact import quoted
from journey.loader.values.kinds import arrow_type, is_servers, is_text
from journey.loader.values.meaning import Column
from journey.loader.values.text import nulled, parse

KINDS = {NUMBER: "a number", BOOLEAN: "a boolean", OBJECT: "an object", ARRAY: "an array", SPECIAL: "no JSON"}


def is_json(column: Column) -> bool:
    """Whether values go into a column as JSON, strings in their quotes."""
    return column.type in ("json", "jsonb")


def cell(member: Member, column: Column) -> tuple[int, str]:
    """Kind and text of a value on its way to `convert`.

    Raises:
        ValueError: no column takes it; the message is the reason.
    """
    if "\\u" in member.raw:
        check_characters(member.raw)
    if is_json(column):
        return member.kind, member.raw
    if member.kind == ARRAY and column.type.endswith("[]"):
        return member.kind, array_literal(member.raw, of_json=column.type.startswith("json"))
    return member.kind, member.text


def convert(kinds: np.ndarray, texts: pa.Array, column: Column) -> tuple[pa.Array, dict[int, str]]:
    """Values of one column.

    Args:
        kinds: of each value.
        texts: of each value, from `cell`; null where it is null.
        column: says what they mean.

    Returns:
        As `values.text.parse`: an array of the column's arrow_type, null where refused; the reason by position.
    """
    texts, refused = _allowed(kinds, texts, column)
    as_numbers = (kinds == NUMBER) | (kinds == SPECIAL)
    if is_json(column):
        array, bad = parse(texts, column)
    elif is_text(column) or is_servers(column):
        array, bad = parse(_nulled(texts, kinds, column), column)
    elif column.type == "boolean" and (kinds == BOOLEAN).any():
        strings, bad = parse(_nulled(_only(texts, kinds == STRING), kinds, column), column)
        array = pc.coalesce(strings, pc.equal(_only(texts, kinds == BOOLEAN), "true"))
    else:
        array, bad = parse(_nulled(_only(texts, ~as_numbers), kinds, column), column)
        if as_numbers.any():
            numbers, worse = parse(_nulled(_only(texts, as_numbers), kinds, column), _of_numbers(column))
            array, bad = pc.coalesce(array, numbers), {**bad, **worse}
    return array, {**bad, **refused}


def takes(kind: int, column: Column) -> bool:
    """Whether a column takes values of a kind (of `objects`), as far as their text allows."""
    if kind == SPECIAL:
        policy = column.meaning.special_values
        has_them = is_number(column) and not pa.types.is_integer(arrow_type(column))
        return policy == "null" or has_them or (policy == "accept" and is_text(column))
    if kind in (NULL, STRING) or is_json(column) or is_text(column):
        return True
    if kind == NUMBER:
        return is_number(column) or is_servers(column) or bool(is_time(column) and column.meaning.epoch_unit)
    if kind == ARRAY and column.type.endswith("[]"):
        return True
    return kind == BOOLEAN and (column.type == "boolean" or is_servers(column))


def _allowed(kinds: np.ndarray, texts: pa.Array, column: Column) -> tuple[pa.Array, dict[int, str]]:
    """The texts of values whose kind the column takes; reasons for the others."""
    refused: dict[int, str] = {}
    gone = kinds == NULL
    for kind in KINDS:
        if not (kinds == kind).any():
            continue
        if not takes(kind, column):
            gone = gone | (kinds == kind)
            for position in np.flatnonzero(kinds == kind).tolist():
                refused[position] = _reason(texts[position].as_py(), kind, column)
        elif kind == SPECIAL and column.meaning.special_values == "null":
            gone = gone | (kinds == kind)
    return _only(texts, ~gone), refused


def _reason(text: str, kind: int, column: Column) -> str:
    if kind == SPECIAL:
        return f"{quoted(text)} is no JSON, and no {column.type} (special_values: null reads it as null)"
    remedy = ": declare epoch_unit" if kind == NUMBER and is_time(column) else ""
    return f"{quoted(text)} is {KINDS[kind]} and no {column.type}{remedy}"


def _nulled(texts: pa.Array, kinds: np.ndarray, column: Column) -> pa.Array:
    """With null where a text is declared to mean it: the empty text is declared by `quoted_nulls`, as in CSV."""
    values = column.meaning.null_values
    if not column.meaning.quoted_nulls:
        values = tuple(value for value in values if value)
    if not values or not ((kinds == STRING) | (kinds == NUMBER)).any():
        return texts
    plain = nulled(texts, replace(column.meaning, null_values=values))
    if plain is texts or ((kinds == STRING) | (kinds == NUMBER)).all():
        return plain
    return pc.if_else(booleans((kinds == STRING) | (kinds == NUMBER)), plain, texts)


def _only(texts: pa.Array, mask: np.ndarray) -> pa.Array:
    return texts if mask.all() else pc.if_else(booleans(mask), texts, pa.scalar(None, pa.string()))


def is_number(column: Column) -> bool:
    """Whether numbers go into a column."""
    kind = arrow_type(column)
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or column.type.startswith("numeric"))


def is_time(column: Column) -> bool:
    """Whether dates or times go into a column."""
    return column.type == "date" or column.type.startswith(("timestamp", "time"))


@lru_cache(512)
def _of_numbers(column: Column) -> Column:
    """The column for numbers, which look the same in every JSON file."""
    return column._replace(meaning=replace(column.meaning, decimal_mark=".", thousands_mark=None, trim=False))
