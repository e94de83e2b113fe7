"""A part of a sheet, and the rows in it: below its header, without empty ones at the end, and without a footer."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from journey.loader.formats.excel.cells import Cell
from journey.loader.formats.excel.sheet import COLUMNS, ROWS, Row, column_number

RANGE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})?:(?:([A-Z]{1,3})([1-9][0-9]{0,6})?)?")


class Area(NamedTuple):
    """A part of a sheet: first and last row, from 1, and column, from 0; without a last column, the header ends it."""

    top: int = 1
    left: int = 0
    bottom: int = ROWS
    right: int | None = None


class Blank(NamedTuple):
    """Empty rows between others: the first, and how many."""

    number: int
    rows: int


def area(text: str | None) -> Area:
    """What a range means: `B3:F100`, `B3:F` and `B3:` without an end, `B:F`.

    Raises:
        ValueError: it is none.
    """
    if text is None:
        return Area()
    found = RANGE.fullmatch(text)
    if not found:
        raise ValueError(text)
    right = column_number(found[3]) if found[3] else None
    here = Area(int(found[2] or 1), column_number(found[1]), int(found[4] or ROWS), right)
    if here.bottom < here.top or here.bottom > ROWS or not here.left <= (COLUMNS - 1 if right is None else right):
        raise ValueError(text)
    if (right or here.left) >= COLUMNS:
        raise ValueError(text)
    return here


def inside(rows: Iterator[Row], here: Area) -> Iterator[Row]:
    """The rows of an area, with its cells only."""
    right = COLUMNS if here.right is None else here.right
    for row in rows:
        if not here.top <= row.number <= here.bottom:
            continue  # and read on: the part's checksum is compared at its end
        if here.left or here.right is not None:
            cells = {place: cell for place, cell in row.cells.items() if here.left <= place <= right}
            yield row._replace(cells=cells)
        else:
            yield row


def from_row(rows: Iterator[Row], first: int, is_blank: Callable[[Cell], bool]) -> Iterator[Row | Blank]:
    """The rows from a number on. Empty ones at the end don't come."""
    expected = first
    for row in rows:
        if row.number < expected or all(map(is_blank, row.cells.values())):
            continue
        if row.number > expected:
            yield Blank(expected, row.number - expected)
        yield row
        expected = row.number + 1


def without_footer(rows: Iterator[Row | Blank], footer: int) -> Iterator[Row | Blank]:
    """Rows without the last ones, which are none."""
    held: deque[Row | Blank] = deque()
    for row in rows:
        held.append(row)
        if isinstance(row, Row):
            while held and _end(held[0]) <= row.number - footer:
                yield held.popleft()
    last = _end(held[-1]) - footer if held else 0
    if held and isinstance(held[0], Blank) and held[0].number <= last:
        yield Blank(held[0].number, last - held[0].number + 1)


def _end(row: Row | Blank) -> int:
    return row.number + row.rows - 1 if isinstance(row, Blank) else row.number
