"""Numbers and times read where they stand in a block, eight bytes of all rows at once.

Each function reads the plain forms and says which values have one; `values.text` reads the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from journey.loader.values.kinds import arrow_type, digits
from journey.loader.values.meaning import UNITS, Column

MOST = 18  # digits that an int64 always has room for
POWERS = 10 ** np.arange(MOST + 1, dtype=np.int64)
MONTHS = np.arange("1000-01", "3000-02", dtype="M8[M]").astype("M8[D]").astype(np.int64)  # first days, since 1970
LENGTHS = np.diff(MONTHS)
DAY = 86_400_000_000  # microseconds
EPOCH_DIGITS = {"s": 10, "ms": 13, "us": 16}  # to the year 2286

ONES, HIGH = (np.uint64(0x0101010101010101 * times) for times in (1, 0x80))
ZEROS, POINTS, BEYOND = (np.uint64(0x0101010101010101 * times) for times in (48, 46 ^ 48, 0x80 - 10))
MINUS = 45 ^ 48

Values = tuple[np.ndarray, np.ndarray]  # values, and which are plain


class Window:
    """A block's bytes, some at a time."""

    def __init__(self, data: bytes) -> None:
        """Look at a block with its margins."""
        self.bytes = data
        self.one = np.frombuffer(data, np.uint8)
        self.eight = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))

    def words(self, places: np.ndarray, count: int) -> np.ndarray:
        """At each place so many words of eight bytes: a row each. That takes no longer than one byte at a time."""
        item = f"V{8 * count}"
        found: np.ndarray = np.ndarray((len(self.bytes) - 8 * count + 1,), item, self.bytes, strides=(1,))[places]
        return found.view("<u8").reshape(len(places), count)


class Reading(NamedTuple):
    """How plain values of a column are read.

    Attributes:
        read: gives values and which are plain, of places in a window and the first eight bytes there: numbers in units
            of their last digit, dates in days, times in microseconds.
        details: what else it needs.
        strings: strings are read.
        numbers: numbers are read.
    """

    read: Callable[..., Values]
    details: tuple[Any, ...]
    strings: bool
    numbers: bool


@lru_cache(512)
def reading(column: Column) -> Reading | None:
    """How plain values of a column are read; None: there are none."""
    kind, meaning = arrow_type(column), column.meaning
    if meaning.trim or any(meaning.null_values):
        return None
    strings = meaning.decimal_mark == "." and meaning.thousands_mark is None
    if pa.types.is_integer(kind):
        return Reading(whole, (), strings, True)
    if pa.types.is_decimal(kind) and kind.precision <= MOST and kind.scale <= 8:
        return Reading(decimal, (kind.precision, kind.scale), strings, True)
    if (
        pa.types.is_timestamp(kind)
        and meaning.epoch_unit in EPOCH_DIGITS
        and UNITS[meaning.epoch_unit] <= 10 ** digits(column)
    ):
        return Reading(counted, (meaning.epoch_unit,), False, True)
    if meaning.epoch_unit:
        return None
    if pa.types.is_date(kind) and meaning.date_format[0] == "iso":
        return Reading(date, (), True, False)
    if pa.types.is_timestamp(kind) and meaning.timestamp_format[0] == "iso":
        zones = "none" if kind.tz is None else "utc" if meaning.time_zone == "UTC" else "needed"
        return Reading(moment, (digits(column), zones), True, False)
    return None


def in_range(values: np.ndarray, column: Column) -> np.ndarray:
    """Which whole numbers a column has room for."""
    limit = 2 ** (arrow_type(column).bit_width - 1)
    found: np.ndarray = (values >= -limit) & (values < limit)
    return found


def counted(window: Window, eight: np.ndarray, start: np.ndarray, end: np.ndarray, unit: str) -> Values:
    """Microseconds since 1970 from counts of a unit."""
    values, good = whole(window, eight, start, end)
    return values * (10**6 // UNITS[unit]), good & (np.abs(values) < POWERS[EPOCH_DIGITS[unit]])


def whole(window: Window, eight: np.ndarray, start: np.ndarray, end: np.ndarray) -> Values:
    """Whole numbers of at most MOST digits, as JSON writes them: no plus, no zeros before."""
    eight, start, minus = _unsigned(window, eight, start)
    size = end - start
    values, good = _digits(window, eight, start, size)
    good &= (size >= 1) & (size <= MOST) & ((_byte(eight, 0) != 0) | (size == 1))
    return values if minus is None else np.where(minus, -values, values), good


def decimal(
    window: Window, eight: np.ndarray, start: np.ndarray, end: np.ndarray, precision: int, scale: int
) -> Values:
    """Decimals with at most so many digits before and after the point, in units of the last."""
    eight, start, minus = _unsigned(window, eight, start)
    size = end - start
    points = eight ^ POINTS
    points = (points - ONES) & ~points & HIGH  # the lowest bit is right: a carry comes from a point below
    points &= ~(points - np.uint64(1))
    before = (points >> np.uint64(7)) - np.uint64(1)  # all bits, if there is no point
    place = np.bitwise_count(before) >> 3
    has_point = place < size
    digits = size - has_point
    after = np.maximum(digits - place, 0)
    values, good = _eight_digits(eight & before | eight >> np.uint64(8) & ~before, digits)
    values = values * POWERS[np.maximum(scale - after, 0)]
    good &= (size <= 8) & (digits >= 1) & (place >= 1) & (after <= scale) & (has_point == (after > 0))
    good &= (_byte(eight, 0) != 0) | (place == 1) | (size == 1)
    good &= values < POWERS[precision]
    if (longer := size > 8).any():
        some = start[longer], end[longer]
        values[longer], good[longer] = _long_decimal(window, eight[longer], *some, precision, scale)
    return values if minus is None else np.where(minus, -values, values), good


def _long_decimal(
    window: Window, eight: np.ndarray, start: np.ndarray, end: np.ndarray, precision: int, scale: int
) -> Values:
    """Decimals of any length, without a sign."""
    after = np.zeros(start.shape, np.int64)
    for places in range(1, scale + 1):
        np.putmask(after, window.one[end - 1 - places] == 46, places)
    size = end - start - after - (after > 0)
    good = (size >= 1) & (size <= max(precision - scale, 1)) & ((_byte(eight, 0) != 0) | (size == 1))
    before, are_digits = _digits(window, eight, start, size)
    if precision == scale:
        good &= before == 0
    fraction, are_too = _digits(window, window.eight[end - after] ^ ZEROS, end - after, after)
    return before * POWERS[scale] + fraction * POWERS[scale - after], good & are_digits & are_too


def date(window: Window, eight: np.ndarray, start: np.ndarray, end: np.ndarray) -> Values:  # noqa: ARG001
    """Days since 1970: YYYY-MM-DD."""
    first, second = window.words(start, 2).T
    days, good = _day(first, second, b"00??????")
    return days, good & (end - start == 10)


def _day(first: np.ndarray, second: np.ndarray, form: bytes) -> Values:
    """Days since 1970 of dates in two words: YYYY-MM-, and DD with what follows; in the years 1000 to 2999."""
    good = _looks(first, b"0000-00-") & _looks(second, form)
    pairs = _pairs(first)
    year, month, number = _byte(pairs, 0) * 100 + _byte(pairs, 2), _byte(pairs, 5), _byte(_pairs(second), 0)
    good &= (year >= 1000) & (year < 3000) & (month >= 1) & (month <= 12)
    index = np.where(good, (year - 1000) * 12 + month - 1, 0)
    good &= (number >= 1) & (number <= LENGTHS[index])
    return MONTHS[index] + number - 1, good


def moment(
    window: Window,
    eight: np.ndarray,  # noqa: ARG001
    start: np.ndarray,
    end: np.ndarray,
    kept: int,
    zones: str,
) -> Values:
    """Microseconds since 1970: YYYY-MM-DDTHH:MM:SS, perhaps with a fraction, and Z or nothing behind it.

    Args:
        window: the block.
        eight: what isn't needed here.
        start: where each begins.
        end: where it ends.
        kept: digits of a fraction that the column keeps.
        zones: a Z is `needed`; nothing means `utc`, too; or there is to be `none`.
    """
    first, second, third = window.words(start, 3).T
    days, good = _day(first, second, b"00?00:00")
    between, pairs = _byte(second, 2), _pairs(second)
    good &= ((between == 84) | (between == 32)) & (end - start >= 19) & _looks(third, b":00?????")
    hour, minute, second = _byte(pairs, 3), _byte(pairs, 6), _byte(_pairs(third), 1)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    zulu = window.one[end - 1] == 90
    if zones != "utc":
        good &= zulu if zones == "needed" else ~zulu
    values = days * DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000
    begin, close = start + 20, end - zulu
    places = close - begin  # -1: there is no fraction
    if (places != -1).any():
        good &= (places == -1) | ((places >= 1) & (places <= min(kept, 6)) & (_byte(third, 3) == 46))
        safe = np.where(good, np.maximum(places, 0), 0)
        fraction, are_digits = _eight_digits(window.eight[begin] ^ ZEROS, safe)
        values += fraction * POWERS[6 - safe]
        good &= are_digits
    return values, good


def _unsigned(window: Window, eight: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Numbers without a minus: their first bytes, each digit as its value; where they begin; which had one, if any."""
    eight = eight ^ ZEROS
    minus = _byte(eight, 0) == MINUS
    if not minus.any():
        return eight, start, None
    start = start + minus
    return window.eight[start] ^ ZEROS, start, minus


def _digits(window: Window, eight: np.ndarray, start: np.ndarray, size: np.ndarray) -> Values:
    """The numbers whose digits stand there, at most MOST; of no digit, 0. The first eight are given by their values."""
    values, good = _eight_digits(eight, size)
    more = np.flatnonzero(size > 8)
    if len(more):
        start, rest = start[more] + 8, np.minimum(size[more], MOST) - 8
        lower, are_digits = _digits(window, window.eight[start] ^ ZEROS, start, rest)
        values[more] = values[more] * POWERS[rest] + lower
        good[more] &= are_digits
    return values, good


def _eight_digits(eight: np.ndarray, size: np.ndarray) -> Values:
    """The numbers of the first digits, at most eight; of no digit, 0. Each digit is given by its value."""
    eight = eight << np.maximum(64 - 8 * size, 0).view(np.uint64)  # by 64: nothing is left
    good = ((eight + BEYOND | eight) & HIGH) == 0
    eight = eight * np.uint64(2561) >> np.uint64(8)
    eight = (eight & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601) >> np.uint64(16)
    eight = (eight & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001) >> np.uint64(32)
    return eight.view(np.int64), good


def _looks(eight: np.ndarray, form: bytes) -> np.ndarray:
    """Which eight bytes are digits where the form has 0, anything where it has ?, and what it has elsewhere."""
    mask, wanted, six, high = _masks(form)
    # a carry from below needs a byte above 0xF9, and that is no digit
    found: np.ndarray = ((eight & mask) == wanted) & (((eight + six) & high) == (wanted & high))
    return found


@lru_cache(16)
def _masks(form: bytes) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    parts = (
        (0xF0, 0x30, 0x06, 0xF0) if one == 0x30 else (0, 0, 0, 0) if one == 0x3F else (0xFF, one, 0, 0) for one in form
    )
    mask, wanted, six, high = (np.uint64(int.from_bytes(bytes(part), "little")) for part in zip(*parts, strict=True))
    return mask, wanted, six, high


def _pairs(eight: np.ndarray) -> np.ndarray:
    """At each byte, the number of that digit and the next."""
    values = eight & np.uint64(0x0F0F0F0F0F0F0F0F)
    found: np.ndarray = values * np.uint64(10) + (values >> np.uint64(8))
    return found


def _byte(eight: np.ndarray, at: int) -> np.ndarray:
    found: np.ndarray = (eight >> np.uint64(8 * at) & np.uint64(0xFF)).astype(np.int64)
    return found
