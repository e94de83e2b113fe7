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

MARGIN = 128  # bytes around a block, so that no window reaches beyond
MOST = 18  # digits that an int64 always has room for
EMPTY = (8 * (8 - np.arange(9))).astype(np.uint64)  # bits of a window before so many bytes
FILLED = np.array([int.from_bytes(b"0" * size, "little") for size in range(9)], np.uint64)
POWERS = 10 ** np.arange(MOST + 1, dtype=np.int64)
MONTHS = np.arange("1000-01", "3000-02", dtype="M8[M]").astype("M8[D]").astype(np.int64)  # first days, since 1970
LENGTHS = np.diff(MONTHS)
DAY = 86_400_000_000  # microseconds
EPOCH_DIGITS = {"s": 10, "ms": 13, "us": 16}  # to the year 2286

Values = tuple[np.ndarray, np.ndarray]  # values, and which are plain


class Window:
    """A block's bytes, one, eight and sixteen at a time. Positions count from MARGIN bytes before the block."""

    def __init__(self, data: bytes) -> None:
        """Copy the block between margins."""
        self.bytes = b"".join((bytes(MARGIN), data, bytes(MARGIN)))
        self.one = np.frombuffer(self.bytes, np.uint8)
        self.eight = np.ndarray((len(self.bytes) - 7,), "<u8", self.bytes, strides=(1,))
        self.sixteen = np.ndarray((len(self.bytes) - 15,), "c16", self.bytes, strides=(1,))


class Reading(NamedTuple):
    """How plain values of a column are read; columns that have the same are read together.

    Attributes:
        read: gives values and which are plain, of places in a window: numbers in units of their last digit, dates in
            days, times in microseconds.
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
    if pa.types.is_timestamp(kind) and meaning.epoch_unit in EPOCH_DIGITS:
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


def counted(window: Window, start: np.ndarray, end: np.ndarray, unit: str) -> Values:
    """Microseconds since 1970 from counts of a unit."""
    values, good = whole(window, start, end)
    return values * (10**6 // UNITS[unit]), good & (np.abs(values) < POWERS[EPOCH_DIGITS[unit]])


def whole(window: Window, start: np.ndarray, end: np.ndarray) -> Values:
    """Whole numbers of at most MOST digits, as JSON writes them: no plus, no zeros before."""
    first = window.one[start]
    minus = first == 45
    begin = start + minus
    size = end - begin
    good = (size >= 1) & (size <= MOST) & ((window.one[begin] != 48) | (size == 1))
    values, are_digits = _digits(window, begin, end)
    return np.where(minus, -values, values), good & are_digits


def decimal(window: Window, start: np.ndarray, end: np.ndarray, precision: int, scale: int) -> Values:
    """Decimals with at most so many digits before and after the point, in units of the last."""
    after = np.zeros(start.shape, np.int64)
    for places in range(1, scale + 1):
        np.putmask(after, window.one[end - 1 - places] == 46, places)
    point = end - after - (after > 0)
    minus = window.one[start] == 45
    begin = start + minus
    size = point - begin
    good = (size >= 1) & (size <= max(precision - scale, 1)) & ((window.one[begin] != 48) | (size == 1))
    before, are_digits = _digits(window, begin, point)
    if precision == scale:
        good &= before == 0
    fraction, are_too = _digits(window, end - after, end)
    values = before * POWERS[scale] + fraction * POWERS[scale - after]
    return np.where(minus, -values, values), good & are_digits & are_too


def date(window: Window, start: np.ndarray, end: np.ndarray) -> Values:
    """Days since 1970: YYYY-MM-DD."""
    days, good = day(window, start)
    return days, good & (end - start == 10)


def day(window: Window, start: np.ndarray) -> Values:
    """Days since 1970 of the dates that begin there: YYYY-MM-DD, in the years 1000 to 2999."""
    head, tail = window.eight[start], window.eight[start + 2]
    good = _looks(head, b"0000-00-") & _looks(tail, b"00-00-00")
    pairs, more = _pairs(head), _pairs(tail)
    year = _byte(pairs, 0) * 100 + _byte(pairs, 2)
    month, number = _byte(more, 3), _byte(more, 6)
    good &= (year >= 1000) & (year < 3000) & (month >= 1) & (month <= 12)
    index = np.where(good, (year - 1000) * 12 + month - 1, 0)
    good &= (number >= 1) & (number <= LENGTHS[index])
    return MONTHS[index] + number - 1, good


def moment(window: Window, start: np.ndarray, end: np.ndarray, kept: int, zones: str) -> Values:
    """Microseconds since 1970: YYYY-MM-DDTHH:MM:SS, perhaps with a fraction, and Z or nothing behind it.

    Args:
        window: the block.
        start: where each begins.
        end: where it ends.
        kept: digits of a fraction that the column keeps.
        zones: a Z is `needed`; nothing means `utc`, too; or there is to be `none`.
    """
    days, good = day(window, start)
    between = window.one[start + 10]
    good &= ((between == 84) | (between == 32)) & (end - start >= 19)
    time = window.eight[start + 11]
    good &= _looks(time, b"00:00:00")
    pairs = _pairs(time)
    hour, minute, second = _byte(pairs, 0), _byte(pairs, 3), _byte(pairs, 6)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    zulu = window.one[end - 1] == 90
    if zones != "utc":
        good &= zulu if zones == "needed" else ~zulu
    values = days * DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000
    begin, close = start + 20, end - zulu
    places = close - begin  # -1: there is no fraction
    if (places != -1).any():
        good &= (places == -1) | ((places >= 1) & (places <= min(kept, 6)) & (window.one[start + 19] == 46))
        safe = np.where(good, np.maximum(places, 0), 0)
        fraction, are_digits = _digits(window, close - safe, close)
        values += fraction * POWERS[6 - safe]
        good &= are_digits
    return values, good


def _digits(window: Window, start: np.ndarray, end: np.ndarray) -> Values:
    """The numbers whose digits stand there, at most MOST; of no digit, 0."""
    size = np.maximum(end - start, 0)
    values, good = _eight_digits(window, end, size)
    for done in (8, 16):
        if not (more := size > done).any():
            break
        higher, are_digits = _eight_digits(window, end[more] - done, size[more] - done)
        values[more] += higher * POWERS[done]
        good[more] &= are_digits
    return values, good


def _eight_digits(window: Window, end: np.ndarray, size: np.ndarray) -> Values:
    """The numbers of the last digits, at most eight; of no digit, 0."""
    empty = EMPTY[np.minimum(size, 8)]
    eight = window.eight[end - 8] >> empty << empty | FILLED[empty >> np.uint64(3)]
    good = _looks(eight, b"00000000")
    eight = (eight & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561) >> np.uint64(8)
    eight = (eight & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601) >> np.uint64(16)
    eight = (eight & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001) >> np.uint64(32)
    return eight.view(np.int64), good


def _looks(eight: np.ndarray, form: bytes) -> np.ndarray:
    """Which eight bytes are digits where the form has 0, and what the form has elsewhere."""
    mask, wanted, six, high = _masks(form)
    # a carry from below needs a byte above 0xF9, and that is no digit
    found: np.ndarray = ((eight & mask) == wanted) & (((eight + six) & high) == (wanted & high))
    return found


@lru_cache(16)
def _masks(form: bytes) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    parts = ((0xF0, 0x30, 0x06, 0xF0) if one == 0x30 else (0xFF, one, 0, 0) for one in form)
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
