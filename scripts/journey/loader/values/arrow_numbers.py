"""Typed numbers of a file as whole, floating point and exact numbers.

All at once with numpy where numpy is exact; one by one where only Python's decimal is.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.values.exact import RANGES, quoted, rounded
from journey.loader.values.kinds import NUMERIC, arrow_type
from journey.loader.values.masks import (
    Converted,
    Mask,
    Numbers,
    Refusals,
    extra_digits,
    made,
    numbers,
    out_of_range,
    refusals,
    valid,
    without,
)
from journey.loader.values.meaning import Column

SAFE_DIGITS = {8: 15, 4: 6}  # two decimals of at most so many digits are never the same float, by its bytes
WIDE = 76  # digits of Arrow's widest decimal


def whole_to_whole(array: pa.Array, column: Column) -> Converted:
    """Whole numbers of any width; what the column can't hold is refused."""
    kind = arrow_type(column)
    if array.type == kind:
        return array, {}
    data, good = numbers(array), valid(array)
    bad = ((data < -RANGES[kind]) | (data >= RANGES[kind])) & good
    if not bad.any():
        return array.cast(kind, safe=False), {}
    return made(kind, data.astype(f"i{kind.bit_width // 8}"), good & ~bad), refusals(array, bad, out_of_range(column))


def floating_to_whole(array: pa.Array, column: Column) -> Converted:
    """Floats, if they are whole and whole_decimals is declared."""
    array, special, refused = specials(array, column, "refuse")
    kind = arrow_type(column)
    data, good = numbers(array), valid(array) & ~special
    if not column.meaning.whole_decimals:
        return pa.nulls(len(array), kind), refused | refusals(array, good, _whole_decimals(column))
    data = np.where(good, data, 0).astype("f8")
    uneven = good & (np.trunc(data) != data)
    large = good & ((data < -float(RANGES[kind])) | (data >= float(RANGES[kind])))
    good &= ~uneven & ~large
    refused |= refusals(array, uneven, lambda shown: f"{shown} is no {column.type}: it isn't whole")
    refused |= refusals(array, large, out_of_range(column))
    return made(kind, np.where(good, data, 0).astype(f"i{kind.bit_width // 8}"), good), refused


def decimal_to_whole(array: pa.Array, column: Column) -> Converted:
    """Decimals without places after the point; those with places, if they are whole and whole_decimals is declared."""
    kind, good = arrow_type(column), valid(array)
    if array.type.scale > 0 and not column.meaning.whole_decimals:
        return pa.nulls(len(array), kind), refusals(array, good, _whole_decimals(column))
    if not _is_usual(array.type):
        return _one_by_one(array, kind, lambda value, text: _whole(value, text, column))
    wide = array.cast(pa.decimal256(WIDE, array.type.scale))
    uneven = _differs(wide, pc.trunc(wide)) & good
    large = good & ~uneven & _outside(wide, Decimal(-RANGES[kind]), Decimal(RANGES[kind] - 1))
    refused = refusals(array, uneven, lambda shown: f"{shown} is no {column.type}: it isn't whole")
    refused |= refusals(array, large, out_of_range(column))
    return without(wide, uneven | large).cast(kind), refused


def _whole(value: Decimal, text: str, column: Column) -> int:
    """One decimal as a whole number."""
    if value != value.to_integral_value():
        raise ValueError(f"{quoted(text)} is no {column.type}: it isn't whole")
    limit = RANGES[arrow_type(column)]
    if not -limit <= value < limit:
        raise ValueError(out_of_range(column)(quoted(text)))
    return int(value)


def _whole_decimals(column: Column) -> Callable[[str], str]:
    return lambda shown: f"{shown} is no {column.type}: whole_decimals reads whole numbers of a type with places"


def number_to_floating(array: pa.Array, column: Column) -> Converted:
    """Any number as the nearest float, as a text would be; what becomes infinity or zero is refused."""
    refused: Refusals = {}
    kind = arrow_type(column)
    if pa.types.is_floating(array.type):
        array, special, refused = specials(array, column, "accept")
        array = without(array, special)
    result = array.cast(kind, safe=False)
    if pa.types.is_floating(array.type) and array.type.bit_width <= kind.bit_width:
        return result, refused
    data = numbers(result)
    given = numbers(array) if pa.types.is_floating(array.type) else numbers(array.cast(pa.float64(), safe=False))
    bad = valid(array) & ((np.isinf(data) & np.isfinite(given)) | ((data == 0) & (given != 0)))
    return without(result, bad), refused | refusals(array, bad, out_of_range(column))


def specials(array: pa.Array, column: Column, default: str) -> tuple[pa.Array, Mask, Refusals]:
    """NaN and infinity, by special_values.

    Args:
        array: floats.
        column: says what becomes of them.
        default: what does where nothing is declared.

    Returns:
        The array, with nulls where they mean null; where they are refused; and why.
    """
    special = ~np.isfinite(numbers(array)) & valid(array)
    policy = column.meaning.special_values or default
    if policy == "accept" or not special.any():
        return array, np.zeros(len(array), bool), {}
    if policy == "null":
        return without(array, special), np.zeros(len(array), bool), {}
    why = "special_values are refused here"
    return array, special, refusals(array, special, lambda shown: f"{shown} is no {column.type}: {why}")


def number_to_exact(array: pa.Array, column: Column) -> Converted:
    """Any number as numeric.

    A float is its shortest decimal text, so that 0.1 is 0.1. What Arrow's decimals don't hold becomes a text.
    """
    bounds = NUMERIC.fullmatch(column.type)
    precision, scale = (int(bounds[1]), int(bounds[2])) if bounds else (0, 0)
    if not bounds or not 0 <= scale <= precision <= 38:
        return _exact_texts(array, column, precision, scale)
    kind = pa.decimal128(precision, scale)
    if pa.types.is_floating(array.type):
        result, refused = _floating_to_decimal(array, column, kind)
    else:
        if pa.types.is_integer(array.type):
            array = array.cast(pa.decimal128(20, 0))
        result, refused = _decimal_to_decimal(array, column, kind)
    if arrow_type(column) == kind:
        return result, refused
    texts = decimal_texts(result)  # special_values: accept; and then a float may be NaN
    return (_with_specials(texts, array) if pa.types.is_floating(array.type) else texts), refused


def _decimal_to_decimal(array: pa.Array, column: Column, kind: pa.DataType) -> Converted:
    try:
        return array.cast(kind), {}
    except pa.ArrowInvalid:
        good = valid(array)
    if not _is_usual(array.type):
        return _one_by_one(
            array, kind, lambda value, text: Decimal(rounded(value, kind.precision, kind.scale, column, text))
        )  # fmt: skip
    wide = array.cast(pa.decimal256(WIDE, max(array.type.scale, kind.scale)))
    kept = pc.round(wide, ndigits=kind.scale, round_mode="half_towards_infinity")
    fine = _differs(wide, kept) & good if column.meaning.extra_digits != "round" else np.zeros(len(array), bool)
    most = Decimal(10**kind.precision - 1).scaleb(-kind.scale, Context(prec=WIDE))
    large = good & ~fine & _outside(kept, most.copy_negate(), most)
    refused = refusals(array, fine, extra_digits(column)) | refusals(array, large, out_of_range(column))
    return without(kept, fine | large).cast(kind), refused


def _is_usual(kind: pa.DataType) -> bool:
    """Whether Arrow's widest decimal has room for whatever is calculated with these."""
    return bool(not pa.types.is_decimal256(kind) and 0 <= kind.scale <= 38)


def _one_by_one(array: pa.Array, kind: pa.DataType, read: Callable[[Decimal, str], Any]) -> Converted:
    """Decimals that Arrow can't calculate with, by Python."""
    found: list[Any] = array.to_pylist()
    refused: Refusals = {}
    for position, value in enumerate(found):
        if value is not None:
            try:
                found[position] = read(value, format(value, "f"))
            except ValueError as error:
                found[position], refused[position] = None, str(error)
    return pa.array(found, kind), refused


def _outside(array: pa.Array, least: Decimal, most: Decimal) -> Mask:
    low, high = (pa.scalar(bound, array.type) for bound in (least, most))
    return _true(pc.or_(pc.less(array, low), pc.greater(array, high)))


def _floating_to_decimal(array: pa.Array, column: Column, kind: pa.DataType) -> Converted:
    default = "refuse" if arrow_type(column) == kind else "accept"
    given, (array, special, refused) = array, specials(array, column, default)
    data = numbers(array)
    good = valid(array) & ~special & np.isfinite(data)
    wide = np.where(good, data, 0).astype("f8")
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = wide * 10.0**kind.scale
        candidate = np.rint(scaled)
        # The nearest float of a decimal with so few digits is that of no other: it is the float's shortest text.
        least = 10.0 ** min(SAFE_DIGITS[data.itemsize], kind.precision)
        small = np.abs(candidate) < least if kind.scale <= 22 else np.zeros(len(data), bool)
        exact = small & ((candidate / 10.0**kind.scale).astype(data.dtype) == np.where(good, data, 0))
        fine = good & small & ~exact  # a decimal of the column's would have been found
        if column.meaning.extra_digits == "round":
            sure = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) > 1e-3  # no half, however it is looked at
            exact |= fine & sure & (np.abs(scaled) < 1e12) & (data.itemsize == 8)
            fine[:] = False
    refused |= refusals(array, fine, extra_digits(column))
    good &= ~fine
    units = np.where(exact, candidate, 0).astype("i8")
    words = np.stack((units, units >> 63), axis=1)
    for position in np.flatnonzero(good & ~exact).tolist():
        try:
            value = _one_float(data[position], column, kind)
        except ValueError as error:
            refused[position] = str(error)
            good[position] = False
            continue
        words[position] = (value + 2**63) % 2**64 - 2**63, value >> 64
    return made(kind, words, good & valid(given)), refused


def _one_float(value: Numbers, column: Column, kind: pa.DataType) -> int:
    """One float in units of the column's last digit."""
    text = str(value)
    kept = Decimal(rounded(Decimal(text), kind.precision, kind.scale, column, text)).as_tuple()
    units = int("".join(map(str, kept.digits)))  # rounded() left `scale` places
    return -units if kept.sign else units


def _exact_texts(array: pa.Array, column: Column, precision: int, scale: int) -> Converted:
    """Numbers of a column without bounds, or with bounds that Arrow's decimals don't know."""
    refused: Refusals = {}
    given = array
    if pa.types.is_floating(array.type):
        array, special, refused = specials(array, column, "refuse")
        array = without(array, special)
    texts = number_texts(array)
    if not precision:
        return _with_specials(texts, array) if pa.types.is_floating(given.type) else texts, refused
    found: list[str | None] = texts.to_pylist()
    for position, text in enumerate(found):
        if text is None or not np.isfinite(float(text)):
            continue
        try:
            found[position] = str(rounded(Decimal(text), precision, scale, column, text))
        except ValueError as error:
            found[position], refused[position] = None, str(error)
    return pa.array(found, pa.string()), refused


def number_texts(array: pa.Array) -> pa.Array:
    """Numbers as decimal texts: whole ones plainly, decimals with their places, floats as short as they can be."""
    if pa.types.is_decimal(array.type):
        return decimal_texts(array)
    if pa.types.is_floating(array.type):
        return _with_specials(array.cast(pa.string()), array)
    return array.cast(pa.string())


def decimal_texts(array: pa.Array) -> pa.Array:
    """Decimals with all their places and no exponent."""
    texts = array.cast(pa.string())
    if array.type.scale >= 0 and array.type.scale <= 6:  # Arrow writes no exponent then
        return texts
    return pa.array([None if value is None else format(value, "f") for value in array.to_pylist()], pa.string())


def _with_specials(texts: pa.Array, array: pa.Array) -> pa.Array:
    """Texts of floats with NaN and infinity as PostgreSQL writes them."""
    data = numbers(array)
    if np.isfinite(data).all():
        return texts
    for mask, word in ((np.isnan(data), "NaN"), (data == np.inf, "Infinity"), (data == -np.inf, "-Infinity")):
        found = pa.array(mask & valid(array))
        texts = pc.if_else(found, pa.scalar(word), texts)
    return texts


def _differs(one: pa.Array, other: pa.Array) -> Mask:
    return _true(pc.not_equal(one, other))


def _true(mask: pa.Array) -> Mask:
    return mask.fill_null(False).to_numpy(zero_copy_only=False)
