"""Typed dates, times and timestamps of a file as PostgreSQL's, and numbers as times where epoch_unit is declared.

Years run from 1 to the last that PostgreSQL has; a file that means year 0 means nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.values.arrow_numbers import number_to_exact, whole_to_whole
from journey.loader.values.exact import in_zone, quoted
from journey.loader.values.kinds import arrow_type, digits
from journey.loader.values.masks import (
    DAY,
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
    written,
)
from journey.loader.values.meaning import UNITS, Column

FIRST_DAY, LAST_DAY = -719_162, 2_145_042_905  # 0001-01-01 and 5874897-12-31, from 1970
FIRST, LAST = FIRST_DAY * DAY * 10**6, 2**63 - 2**40  # microseconds; Arrow's end comes before PostgreSQL's
ARROWS = -2_145_916_800 * 10**6, 2_145_916_800 * 10**6  # 1902 to 2037: beyond, Arrow knows no daylight saving
YEAR_10000 = 253_402_300_800 * 10**6
EPOCH = datetime(1970, 1, 1)
MICROS = 10**6


def date_to_date(array: pa.Array, column: Column) -> Converted:
    """Dates."""
    if pa.types.is_date64(array.type):
        return timestamp_to_date(array.cast(pa.timestamp("ms")), column)
    data = numbers(array)
    bad = ((data < FIRST_DAY) | (data > LAST_DAY)) & valid(array)
    return without(array, bad), refusals(array, bad, out_of_range(column))


def timestamp_to_date(array: pa.Array, column: Column) -> Converted:
    """Timestamps without a zone, at midnight; a date has no room for a time of day."""
    data, good, per_day = numbers(array), valid(array), DAY * UNITS[array.type.unit]
    uneven = good & (data % per_day != 0)
    days = data // per_day
    far = good & ~uneven & ((days < FIRST_DAY) | (days > LAST_DAY))
    refused = refusals(array, uneven, lambda shown: f"{shown} is no date: it has a time of day")
    refused |= refusals(array, far, out_of_range(column))
    good &= ~uneven & ~far
    return made(pa.date32(), np.where(good, days, 0).astype("i4"), good), refused


def date_to_timestamp(array: pa.Array, column: Column) -> Converted:
    """Dates as their midnight: in time_zone, if the column has zones."""
    if pa.types.is_date64(array.type):
        return timestamp_to_timestamp(array.cast(pa.timestamp("ms")), column)
    micros, far, _ = _micros(numbers(array).astype("i8") * DAY, 1, 6)
    return _stamps(array, column, micros, far & valid(array), None)


def timestamp_to_timestamp(array: pa.Array, column: Column) -> Converted:
    """Timestamps of either kind; those without a zone are in time_zone, if the column has zones."""
    kind = arrow_type(column)
    if array.type == kind and digits(column) == 6 and (array.type.tz or column.meaning.time_zone == "UTC"):
        low, high = _ends(array)
        if low >= FIRST and high <= LAST:
            return array, {}
    micros, far, fine = _micros(numbers(array), UNITS[array.type.unit], digits(column))
    good = valid(array)
    return _stamps(array, column, micros, far & good, fine & good & ~far)


def _ends(array: pa.Array) -> tuple[int, int]:
    found = pc.min_max(array.view(pa.int64()))
    return found["min"].as_py() or 0, found["max"].as_py() or 0


def _micros(data: Numbers, unit: int, kept: int) -> tuple[Numbers, Mask, Mask]:
    """Counts since 1970 in microseconds.

    Args:
        data: the counts.
        unit: how many of them make a second.
        kept: digits of a second that are kept; half a digit is rounded up.

    Returns:
        Microseconds; which are out of range; which have had more digits.
    """
    coarse = max(1, MICROS // unit)
    far = (data < FIRST // coarse) | (data > LAST // coarse) if unit <= MICROS else data < FIRST * (unit // MICROS)
    step = max(1, unit // 10**kept)  # of the file's units in the last digit that is kept
    whole = data
    rest = np.zeros(len(data), bool)
    if step > 1:
        kept_units = data // step
        left = data - kept_units * step
        rest = left != 0
        whole = kept_units + (2 * left >= step)
        unit = unit // step
    return np.where(far, 0, whole) * (MICROS // unit), far, rest


def _stamps(array: pa.Array, column: Column, micros: Numbers, far: Mask, fine: Mask | None) -> Converted:
    """Microseconds as the column's timestamps, without those that are out of range or too fine."""
    refused = refusals(array, far, out_of_range(column))
    bad = far
    if fine is not None and column.meaning.extra_digits != "round":
        refused |= refusals(array, fine, extra_digits(column))
        bad = far | fine
    good, kind = valid(array) & ~bad, arrow_type(column)
    if kind.tz and not getattr(array.type, "tz", None) and column.meaning.time_zone != "UTC":
        return _in_zone(array, column, np.where(good, micros, 0), good, refused)
    return made(kind, micros, good), refused


def _in_zone(array: pa.Array, column: Column, micros: Numbers, good: Mask, refused: Refusals) -> Converted:
    """Local times as moments: what comes once by Arrow; what comes twice, or never, by the exact rule."""
    meaning, kind = column.meaning, arrow_type(column)
    if meaning.time_zone == "refuse":
        refused |= refusals(array, good, lambda shown: f"{shown} has no zone: declare time_zone")
        return pa.nulls(len(array), kind), refused
    far = good & (micros >= YEAR_10000)
    refused |= refusals(array, far, out_of_range(column))
    good = good & ~far
    local = made(pa.timestamp("us"), micros, good)
    try:
        first, second = (
            numbers(pc.assume_timezone(local, meaning.time_zone, ambiguous=one, nonexistent=one))
            for one in ("earliest", "latest")
        )
        doubtful = good & ((first != second) | (micros < ARROWS[0]) | (micros >= ARROWS[1]))
        moments = first.copy()
    except pa.ArrowInvalid:  # Arrow finds no time zones on this system; Python brings its own
        doubtful, moments = good.copy(), np.zeros(len(array), "i8")
    where = np.flatnonzero(doubtful)
    for position, shown in zip(where.tolist(), written(array.take(pa.array(where))), strict=True):
        try:
            value = in_zone(EPOCH + timedelta(microseconds=int(micros[position])), None, shown, meaning)
            moments[position] = (value - EPOCH.replace(tzinfo=timezone.utc)) // timedelta(microseconds=1)
        except ValueError as error:
            refused[position], good[position] = str(error), False
        except OverflowError:
            refused[position], good[position] = out_of_range(column)(quoted(shown)), False
    return made(kind, moments, good), refused


def time_to_time(array: pa.Array, column: Column) -> Converted:
    """Times of day, below 24:00."""
    data, good, unit = numbers(array).astype("i8"), valid(array), UNITS[array.type.unit]
    micros, _, fine = _micros(data, unit, digits(column))
    far = good & ((data < 0) | (data >= DAY * unit) | (micros >= DAY * MICROS))
    fine = good & fine & ~far if column.meaning.extra_digits != "round" else np.zeros(len(array), bool)
    refused = refusals(array, far, out_of_range(column)) | refusals(array, fine, extra_digits(column))
    return made(pa.time64("us"), micros, good & ~far & ~fine), refused


def count_to_time(array: pa.Array, column: Column) -> Converted:
    """Whole numbers as dates or moments that many epoch_units after 1970 began in UTC."""
    unit = column.meaning.epoch_unit
    if unit is None:
        return _no_count(array, column, f"is a number, and {column.type} is declared: declare epoch_unit")
    counts, refused = whole_to_whole(array, column._replace(type="bigint"))
    data, good = numbers(counts), valid(counts)
    if unit == "days":
        far = good & ((data < FIRST_DAY) | (data > LAST_DAY))
        refused |= refusals(array, far, out_of_range(column))
        counted = made(pa.date32(), np.where(good & ~far, data, 0).astype("i4"), good & ~far)
        answer: Converted = counted, {}
        if not pa.types.is_date(arrow_type(column)):
            in_utc = replace(column.meaning, time_zone="UTC")
            answer = date_to_timestamp(counted, column._replace(meaning=in_utc))
    else:
        moments = made(pa.timestamp(unit, "UTC"), data, good)
        to_date = pa.types.is_date(arrow_type(column))
        answer = timestamp_to_date(moments, column) if to_date else timestamp_to_timestamp(moments, column)
    return answer[0], refused | _told(array, answer[1], column)


def time_to_count(array: pa.Array, column: Column) -> Converted:
    """Dates and timestamps as numbers of epoch_units since 1970, exactly."""
    unit = column.meaning.epoch_unit
    if unit is None:
        return _no_count(array, column, f"is a date or time, and {column.type} is declared: declare epoch_unit")
    if pa.types.is_date64(array.type):
        array = array.cast(pa.timestamp("ms"))
    data, good = numbers(array).astype("i8"), valid(array)
    given = 1 if pa.types.is_date(array.type) else DAY * UNITS[array.type.unit]  # to a day
    wanted = 1 if unit == "days" else DAY * UNITS[unit]
    if wanted >= given:
        times = wanted // given
        far = good & ((data > (2**63 - 1) // times) | (data < -(2**63) // times))
        uneven, counts = np.zeros(len(data), bool), np.where(far, 0, data) * times
    else:
        step = given // wanted
        counts, far = data // step, np.zeros(len(data), bool)
        uneven = good & (counts * step != data)
    refused = refusals(array, far, out_of_range(column))
    refused |= refusals(array, uneven, lambda shown: f"{shown} is no whole number of epoch_unit {unit}")
    counted = made(pa.int64(), counts, good & ~far & ~uneven)
    convert = whole_to_whole if pa.types.is_integer(arrow_type(column)) else number_to_exact
    answer, more = convert(counted, column)
    return answer, refused | _told(array, more, column)


def _no_count(array: pa.Array, column: Column, why: str) -> Converted:
    return pa.nulls(len(array), arrow_type(column)), refusals(array, valid(array), lambda shown: f"{shown} {why}")


def _told(array: pa.Array, refused: Refusals, column: Column) -> Refusals:
    """Reasons with the file's own values before what was made of them."""
    where = pa.array(list(refused), pa.int64())
    shown = written(array.take(where))
    unit = column.meaning.epoch_unit
    return {
        position: f"{quoted(text)} in epoch_unit {unit}: {reason}"
        for text, (position, reason) in zip(shown, refused.items(), strict=True)
    }
