"""Arrow arrays of fixed-width values as numpy's, and back; and what is said of the values that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.values.exact import quoted
from journey.loader.values.meaning import UNITS, Column

DAY = 86_400  # seconds
FOUR_DIGITS = -62_135_596_800, 253_402_300_800  # seconds from 1970 at which the years 1 and 10000 begin

Refusals = dict[int, str]
Converted = tuple[pa.Array, Refusals]
Mask = Any  # a numpy array of booleans
Numbers = Any  # a numpy array of numbers


def numbers(array: pa.Array) -> Numbers:
    """An array's fixed-width values without a copy, whatever they are where they are null."""
    kind = array.type
    letter = "f" if pa.types.is_floating(kind) else "u" if pa.types.is_unsigned_integer(kind) else "i"
    size = kind.bit_width // 8
    if not len(array):  # a buffer may be of any size then, or missing
        return np.empty(0, f"{letter}{size}")
    return np.frombuffer(array.buffers()[1], f"{letter}{size}", len(array), array.offset * size)


def valid(array: pa.Array) -> Mask:
    """Where an array isn't null."""
    if not array.null_count:
        return np.ones(len(array), bool)
    return array.is_valid().to_numpy(zero_copy_only=False)


def made(kind: pa.DataType, data: Numbers, good: Mask) -> pa.Array:
    """An array of fixed-width values.

    Args:
        kind: its type.
        data: the values, as wide as the type's.
        good: which aren't null.
    """
    nulls = None if good.all() else pa.py_buffer(np.packbits(good, bitorder="little"))
    return pa.Array.from_buffers(kind, len(good), [nulls, pa.py_buffer(np.ascontiguousarray(data))])


def without(array: pa.Array, bad: Mask) -> pa.Array:
    """An array with nulls where a mask says so."""
    return pc.if_else(pa.array(bad), pa.scalar(None, array.type), array) if bad.any() else array


def positions(mask: pa.Array) -> Mask:
    """Positions where an Arrow mask is true; null isn't."""
    return np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))


def refusals(array: pa.Array, bad: Mask, why: Callable[[str], str]) -> Refusals:
    """A reason for each value that a mask points at.

    Args:
        array: the values as the file has them.
        bad: which are refused.
        why: makes the reason of a value as it is shown.
    """
    if not bad.any():
        return {}
    where = np.flatnonzero(bad)
    nested = pa.types.is_nested(array.type)
    shown = [str(array.type)] * len(where) if nested else written(array.take(pa.array(where)))
    return {position: why(quoted(text)) for position, text in zip(where.tolist(), shown, strict=True)}


def written(array: pa.Array) -> list[str]:
    """Values as people read them; what can't be a text is shown as well as it can be."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return written(array.storage)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        array = array.cast(pa.large_string()).view(pa.large_binary())
        return ["" if value is None else value.decode("utf-8", "backslashreplace") for value in array.to_pylist()]
    if pa.types.is_decimal(kind):
        return ["" if value is None else format(value, "f") for value in array.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return ["" if value is None else "\\x" + value.hex() for value in array.to_pylist()]
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _written_times(array)
    try:
        return ["" if value is None else value for value in array.cast(pa.string()).to_pylist()]
    except pa.ArrowException:
        return [str(kind)] * len(array)


def _written_times(array: pa.Array) -> list[str]:
    """Dates and timestamps; those whose year has no four digits as what the file counts."""
    kind = array.type
    unit = getattr(kind, "unit", "ms" if pa.types.is_date64(kind) else "days")
    second = UNITS.get(unit, 1)
    first, last = (end * second // (1 if unit != "days" else DAY) for end in FOUR_DIGITS)
    counts = numbers(array)
    odd = (counts < first) | (counts >= last)
    if pa.types.is_timestamp(kind) and kind.tz:
        array = array.cast(pa.timestamp(unit, "UTC"))
    texts = without(array, odd).cast(pa.string()).to_pylist()
    return [f"{count} {unit} since 1970" if text is None else text
            for text, count in zip(texts, counts.tolist(), strict=True)]  # fmt: skip


def out_of_range(column: Column) -> Callable[[str], str]:
    """Why a value is refused that its column's type can't hold."""
    return lambda shown: f"{shown} is out of range for {column.type}"


def extra_digits(column: Column) -> Callable[[str], str]:
    """Why a value is refused that is finer than its column's type."""
    return lambda shown: f"{shown} has digits that {column.type} doesn't keep (extra_digits: round)"
