"""Records of one shape read all at once: the same keys in the same order, as programs write them.

A shape is what stands between the values. Where it fits, byte by byte, and where each value is JSON, a record is what
`objects` would read. Every other record is left to `objects`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from journey.loader.formats.jsontext.buffer import MARGIN
from journey.loader.formats.jsontext.digits import Window
from journey.loader.formats.jsontext.layouts import Block
from journey.loader.formats.jsontext.objects import brackets, without_escapes

LITERAL = re.compile(rb'[ \t\r\n]*[{,][ \t\r\n]*("(?:[^"\\\x00-\x1f]|\\.)*"):([ \t\r\n]*)')
VALUE = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\.)*"|[-+.0-9A-Za-z]+')
LONGEST = MARGIN - 16  # bytes of a literal that may be compared without reaching beyond the margin
EVERY = np.uint64(2**64 - 1)
TAIL = re.compile(rb"[ \t\r\n]*\}")


@dataclass(frozen=True)
class Shape:
    """What records have in common.

    Attributes:
        literals: what stands before each value, and behind the last.
        keys: the keys, unescaped.
        blanks: behind each colon.
    """

    literals: tuple[bytes, ...]
    keys: tuple[str, ...]
    blanks: tuple[int, ...]

    @cached_property
    def words(self) -> list[list[tuple[np.uint64, np.uint64]]]:
        """The literals in words of eight bytes up to their ends: masks and bytes."""
        return [
            [_word(literal[max(0, end - 8) : end]) for end in range((len(literal) - 1) % 8 + 1, len(literal) + 1, 8)]
            for literal in self.literals
        ]

    @cached_property
    def controls(self) -> int:
        """Control characters in the literals: line ends, if records have several lines."""
        return sum(one < 32 for literal in self.literals for one in literal)


def shape_of(record: bytes) -> Shape | None:
    """The shape of a record; None: it has none."""
    literals: list[bytes] = []
    keys: list[str] = []
    blanks, at = [], 0
    nested = brackets(np.frombuffer(without_escapes(record), np.uint8))
    while found := LITERAL.match(record, at):
        value = VALUE.match(record, found.end())
        end = value.end() if value else _nested_end(*nested, found.end())
        if not end or found[0].lstrip()[:1] != (b"," if keys else b"{"):
            return None
        literals.append(found[0])
        blanks.append(len(found[2]))
        try:
            keys.append(str(json.loads(found[1])))
        except ValueError:
            return None
        at = end
    tail = TAIL.fullmatch(record, at)
    if not tail or len(set(keys)) < len(keys) or not keys or max(map(len, (*literals, tail[0]))) > LONGEST:
        return None
    if any(literal != without_escapes(literal) for literal in literals):
        return None
    return Shape((*literals, tail[0]), tuple(keys), tuple(blanks))


def _nested_end(found: np.ndarray, levels: np.ndarray, at: int) -> int:
    """Where the object or array that begins there ends; 0 if none begins, or it doesn't end."""
    first = int(np.searchsorted(found, at))
    if first == len(found) or found[first] != at:
        return 0
    closed = np.flatnonzero(levels[first:] < levels[first])
    return int(found[first + closed[0]]) + 1 if len(closed) else 0


def _word(part: bytes) -> tuple[np.uint64, np.uint64]:
    """Eight bytes that end with this part, as a number: which of them count, and what they are to be."""
    shift = 8 * (8 - len(part))
    return np.uint64(2**64 - 1 >> shift << shift), np.uint64(int.from_bytes(part, "little") << shift)


class Fitting(NamedTuple):
    """Records that a shape fits.

    Attributes:
        rows: which they are, in order.
        begin: for each key, where each record's value begins.
        end: where it ends; not behind its begin, if there is none.
        eight: its first eight bytes.
    """

    rows: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    eight: np.ndarray


def _are(found: np.ndarray, wanted: list[tuple[np.uint64, np.uint64]]) -> np.ndarray:
    """In which rows words are those of a literal."""
    are = np.ones(len(found), bool)
    for number, (mask, word) in enumerate(wanted):
        are &= (found[:, number] if mask == EVERY else found[:, number] & mask) == word
    return are


def _within(places: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How many of some places are between others."""
    found: np.ndarray = np.searchsorted(places, end) - np.searchsorted(places, begin)
    return found


class Structure:
    """Where colons, quotes, backslashes and control characters are.

    Attributes:
        written: the block.
        window: the block without escapes, as `objects.without_escapes` makes it.
    """

    def __init__(self, block: Block) -> None:
        """Look at a block once.

        Args:
            block: in UTF-8 as far as anybody cares: what isn't goes to `objects`.
        """
        self.written = self.window = Window(block.data)
        self.has_escapes = b"\\" in block.data
        if self.has_escapes:
            self.window = Window(without_escapes(block.data))
        self.starts, self.ends = block.starts, block.ends
        self._is_quote = self.window.one == 34
        self.colons = np.flatnonzero(self._is_quote[:-1] & (self.window.one[1:] == 58))

    def fit(self, shape: Shape, rows: np.ndarray) -> Fitting:
        """The rows that a shape fits.

        Args:
            shape: what is to stand between the values.
            rows: the rows to look at, in order.
        """
        count = len(shape.keys)
        if len(rows) == len(self.starts) and len(self.colons) == count * len(rows):
            found = self._fit(shape, rows, np.ascontiguousarray(self.colons.reshape(-1, count).T))
            if len(found.rows) == len(rows):
                return found
        colons, firsts, counts = self._outer
        rows = rows[counts[rows] == count]
        return self._fit(shape, rows, colons[firsts[rows] + np.arange(count)[:, None]])

    def _fit(self, shape: Shape, rows: np.ndarray, colons: np.ndarray) -> Fitting:
        """The rows that a shape fits, whose keys end before these colons."""
        begin = colons + np.array(shape.blanks)[:, None] + 2
        end, eight, fits = np.empty_like(begin), np.empty(begin.shape, np.uint64), np.ones(len(rows), bool)
        for key, wanted in enumerate(shape.words[:-1]):
            words = self.window.words(begin[key] - 8 * len(wanted), len(wanted) + 1)
            eight[key] = words[:, -1]
            fits &= _are(words, wanted)
            if not fits.any():
                break
        last = shape.words[-1]
        fits &= _are(self.window.words(self.ends[rows] - 8 * len(last), len(last)), last)
        fits &= begin[0] - len(shape.literals[0]) == self.starts[rows]
        for key, literal in enumerate(shape.literals[1:-1]):
            np.subtract(begin[key + 1], len(literal), out=end[key])
        np.subtract(self.ends[rows], len(shape.literals[-1]), out=end[-1])
        if fits.all():
            return Fitting(rows, begin, end, eight)
        return Fitting(rows[fits], begin[:, fits], end[:, fits], eight[:, fits])

    def quotes(self, rows: np.ndarray, keys: int, strings: np.ndarray, nested: Sequence[np.ndarray]) -> np.ndarray:
        """Which rows have no more quotes than their keys and strings have around them, and nested values within.

        Args:
            rows: which are asked for.
            keys: how many a row has.
            strings: for each key, whether each row's value is a string.
            nested: quotes within nested values, by row.
        """
        if len(rows) == len(self.starts) and not nested:
            expected = 2 * (keys * len(rows) + np.count_nonzero(strings))
            if np.count_nonzero(self._is_quote) == expected:  # none has fewer
                return np.ones(len(rows), bool)
        wanted = 2 * (keys + np.count_nonzero(strings, axis=0)) + sum(nested)
        found: np.ndarray = self.quotes_within(self.starts[rows], self.ends[rows]) == wanted
        return found

    def quotes_within(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """How many quotes stand there."""
        return _within(self._quotes, begin, end)

    def controls(self, rows: np.ndarray, expected: int) -> np.ndarray:
        """Which rows have as many control characters as expected."""
        if not expected and self._has_clean_records:
            return np.ones(len(rows), bool)
        found: np.ndarray = _within(self._controls, self.starts[rows], self.ends[rows]) == expected
        return found

    def are_escaped(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Which values have a backslash."""
        return _within(self._backslashes, begin, end) > 0

    @cached_property
    def _outer(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The colons of the records' own keys; for each record its first one, and how many it has."""
        colons, lower = self.colons, self.window.one | 32  # as in `objects.brackets`
        found = np.flatnonzero((lower == 123) | (lower == 125))
        if len(found) > 2 * len(self.starts):
            record = np.searchsorted(self.starts, found, "right") - 1
            outside = (record >= 0) & (_within(self._quotes, self.starts[record], found) % 2 == 0)
            found, steps = found[outside], np.where(lower[found[outside]] == 123, 1, -1)
            levels = np.append(0, np.cumsum(steps))
            own = np.searchsorted(self.starts, colons, "right") - 1
            inner = levels[np.searchsorted(found, colons)] - levels[np.searchsorted(found, self.starts)][own]
            colons = colons[inner == 1]
        firsts = np.searchsorted(colons, self.starts)
        return colons, firsts, np.searchsorted(colons, self.ends) - firsts

    @cached_property
    def _quotes(self) -> np.ndarray:
        return np.flatnonzero(self._is_quote)

    @cached_property
    def _controls(self) -> np.ndarray:
        return np.flatnonzero(self.written.one < 32)

    @cached_property
    def _backslashes(self) -> np.ndarray:
        return np.flatnonzero(self.written.one == 92)

    @cached_property
    def _has_clean_records(self) -> bool:
        """Whether the block has no control characters but those right behind records."""
        behind = self.written.one[self.ends[:-1]] < 32
        inner = self.written.one[MARGIN : int(self.ends[-1])]
        return bool(np.count_nonzero(inner < 32) == np.count_nonzero(behind))
