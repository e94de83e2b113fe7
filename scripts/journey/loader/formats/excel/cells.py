"""Cells become values of a column's type: what they are in the file says which rule reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.values.arrow import convert
from journey.loader.values.exact import quoted
from journey.loader.values.kinds import arrow_type
from journey.loader.values.masks import DAY, Converted, Mask, Numbers, Refusals, made, valid, without
from journey.loader.values.meaning import Column
from journey.loader.values.text import nulled, parse

TEXT, SHARED, NUMBER, BOOLEAN, DATE, MOMENT, TIME, SPAN, ISO, ERROR, UNKNOWN = range(11)
Cell = tuple[int, str]  # which of these it is, and its text in the file

NUMBERS = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?$"
EXACT = float(2**53)  # beyond, a float is no longer each whole number
EXACT_NUMBERS = "^-?[0-9]{1,38}$"
SPAN_MOST = 10**6 * 366  # days
FIRST_1900, LEAP_1900, LAST_1900 = 1, 60, 2_958_465  # 1900-01-01, 1900-02-29 that never was, 9999-12-31
BASE_1900, BASE_1904, LAST_1904 = -25_569, -24_107, 2_957_003  # 1899-12-30 and 1904-01-01, from 1970
MILLIS = DAY * 1000
STAMP = Column("", "timestamp without time zone")


class Book(NamedTuple):
    """What cells refer to.

    Attributes:
        strings: the texts that they share.
        since_1904: whether dates count from 1904.
    """

    strings: pa.Array
    since_1904: bool


def values(cells: Sequence[Cell | None], column: Column, book: Book) -> Converted:
    """Cells of one column.

    Args:
        cells: of each row; None: nothing stands there.
        column: says what they are to be.
        book: what they refer to.

    Returns:
        An array of the column's arrow_type, null where a cell is refused; the reason by position.
    """
    found: list[pa.Array] = []
    refused: Refusals = {}
    for kind in sorted({cell[0] for cell in cells if cell}):
        texts = pa.array([cell[1] if cell and cell[0] == kind else None for cell in cells], pa.string())
        for array, bad in RULES[kind](texts, column, book):
            found.append(array)
            refused |= bad
    if not found:
        return pa.nulls(len(cells), arrow_type(column)), {}
    return found[0] if len(found) == 1 else pc.coalesce(*found), refused


def _text(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    return [parse(nulled(texts, column.meaning), column)]


def _shared(numbers: pa.Array, column: Column, book: Book) -> list[Converted]:
    known = pc.match_substring_regex(numbers, "^[0-9]{1,9}$")
    places = pc.if_else(known, numbers, pa.scalar(None, pa.string())).cast(pa.int64())
    known = pc.and_(known, pc.less(places, len(book.strings)).fill_null(False))
    bad = (pc.invert(known).fill_null(False)).to_numpy(zero_copy_only=False)
    texts = book.strings.take(pc.if_else(known, places, pa.scalar(None, pa.int64())))
    why = "is the number of a text that the file doesn't have"
    refused = _refusals(numbers, bad, lambda shown: f"{shown} {why}")
    return [(pa.nulls(len(texts), arrow_type(column)), refused), *_text(texts, column, book)]


def _number(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    """Numbers by their shortest text; those without a fraction are whole ones: Excel has no others."""
    column = column._replace(meaning=replace(column.meaning, whole_decimals=True))
    data, good, refused = _floats(texts, column)
    whole = good & (np.trunc(data) == data) & (np.abs(data) < EXACT)
    answer = [(pa.nulls(len(texts), arrow_type(column)), refused)]
    exact = good & (np.abs(data) >= EXACT) & _true(pc.match_substring_regex(texts, EXACT_NUMBERS))
    if exact.any():  # other programs than Excel write all digits: a float would lose some
        answer.append(convert(without(texts, ~exact).cast(pa.decimal128(38, 0)), column))
        good &= ~exact
    if whole.any():
        answer.append(convert(made(pa.int64(), np.where(whole, data, 0).astype("i8"), whole), column))
    if (good & ~whole).any():
        answer.append(convert(made(pa.float64(), data, good & ~whole), column))
    return answer


def _boolean(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    true = pc.is_in(texts, pa.array(["1", "true"]))
    return [convert(pc.if_else(texts.is_valid(), true, pa.scalar(None, pa.bool_())), column)]


def _date(texts: pa.Array, column: Column, book: Book) -> list[Converted]:
    """Dates; those with a time of day are moments."""
    days, millis, good, refused = _times(texts, column, book)
    plain = good & (millis == 0)
    answer = [(pa.nulls(len(texts), arrow_type(column)), refused)]
    if plain.any():
        answer.append(convert(made(pa.date32(), days.astype("i4"), plain), column))
    if (good & ~plain).any():
        answer.append(_stamps(days, millis, good & ~plain, column))
    return answer


def _moment(texts: pa.Array, column: Column, book: Book) -> list[Converted]:
    days, millis, good, refused = _times(texts, column, book)
    return [(pa.nulls(len(texts), arrow_type(column)), refused), _stamps(days, millis, good, column)]


def _time(texts: pa.Array, column: Column, book: Book) -> list[Converted]:
    """Times of day; what has a day as well is a moment of which Excel shows the time."""
    data, good, refused = _floats(texts, column)
    of_day = good & (data >= 0) & (data < 1)
    answer = [(pa.nulls(len(texts), arrow_type(column)), refused)]
    if of_day.any():
        millis = np.rint(np.where(of_day, data, 0) * MILLIS).astype("i8")
        answer.append(convert(made(pa.time64("us"), millis * 1000, of_day), column))
    if (good & ~of_day).any():
        answer += _moment(pc.if_else(pa.array(good & ~of_day), texts, pa.scalar(None, pa.string())), column, book)
    return answer


def _span(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    data, good, refused = _floats(texts, column)
    far = good & (np.abs(data) > SPAN_MOST)
    refused |= _refusals(texts, far, lambda shown: f"{shown} days are no duration that Excel shows")
    good &= ~far
    micros = np.rint(np.where(good, data, 0) * MILLIS).astype("i8") * 1000
    return [(pa.nulls(len(texts), arrow_type(column)), refused), convert(made(pa.duration("us"), micros, good), column)]


def _iso(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    """Dates that stand as texts in cells that are said to be dates."""
    stamps, refused = parse(texts, STAMP)
    return [(pa.nulls(len(texts), arrow_type(column)), refused), convert(stamps, column)]


def _error(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    errors = nulled(texts, column.meaning)
    why = "is an error of Excel's, and no value (null_values: it means null)"
    refused = _refusals(errors, valid(errors), lambda shown: f"{shown} {why}")
    return [(pa.nulls(len(texts), arrow_type(column)), refused)]


def _unknown(texts: pa.Array, column: Column, book: Book) -> list[Converted]:  # noqa: ARG001
    why = "a formula without a value: the program that wrote the file didn't calculate; open it in Excel and save it"
    return [(pa.nulls(len(texts), arrow_type(column)), _refusals(texts, valid(texts), lambda _: why))]


def _stamps(days: Numbers, millis: Numbers, good: Mask, column: Column) -> Converted:
    return convert(made(pa.timestamp("us"), (days * MILLIS + millis) * 1000, good), column)


def _times(texts: pa.Array, column: Column, book: Book) -> tuple[Numbers, Numbers, Mask, Refusals]:
    """Days since 1970 and milliseconds of the day, of numbers that are dates by their format.

    Excel's days are floats: to a millisecond they are exact, and Excel shows no more.
    """
    data, good, refused = _floats(texts, column)
    first, last = (0, LAST_1904) if book.since_1904 else (FIRST_1900, LAST_1900)
    near = good & (np.abs(data) <= last + 1)
    data = np.where(near, data, first)
    days = np.floor(data).astype("i8")
    millis = np.rint((data - days) * MILLIS).astype("i8")
    days, millis = days + millis // MILLIS, millis % MILLIS
    never = good & (~near | (days < first) | (days > last))
    if not book.since_1904:
        never |= good & (days == LEAP_1900)
    begin = "1904-01-01" if book.since_1904 else "1900-01-01, has a 1900-02-29 that never was,"
    why = f"is formatted as a date, and is none: Excel's calendar begins with {begin} and ends with 9999-12-31"
    refused |= _refusals(texts, never, lambda shown: f"{shown} {why}")
    days = days + BASE_1904 if book.since_1904 else days + BASE_1900 + (days < LEAP_1900)
    return days, millis, good & ~never, refused


def _floats(texts: pa.Array, column: Column) -> tuple[Numbers, Mask, Refusals]:
    """Numbers, and which of them are some."""
    matched = pc.match_substring_regex(texts, NUMBERS).fill_null(False)
    good = matched.to_numpy(zero_copy_only=False)
    data = pc.if_else(matched, texts, "0").cast(pa.float64()).to_numpy(zero_copy_only=False)
    bad = valid(texts) & ~(good & np.isfinite(data))
    refused = _refusals(texts, bad, lambda shown: f"{shown} is no {column.type}: nor is it a number, as its cell says")
    return np.where(bad, 0, data), good & ~bad, refused


def _true(mask: pa.Array) -> Mask:
    return mask.fill_null(False).to_numpy(zero_copy_only=False)


def _refusals(texts: pa.Array, bad: Mask, why: Callable[[str], str]) -> Refusals:
    return {position: why(quoted(texts[position].as_py())) for position in np.flatnonzero(bad).tolist()}


Rule = Callable[[pa.Array, Column, Book], list[Converted]]
RULES: dict[int, Rule] = {
    TEXT: _text, SHARED: _shared, NUMBER: _number, BOOLEAN: _boolean, DATE: _date, MOMENT: _moment, TIME: _time,
    SPAN: _span, ISO: _iso, ERROR: _error, UNKNOWN: _unknown,
}  # fmt: skip
