"""Records of one shape read all at once: the same keys in the same order, no value nested, as programs write them.

A shape is what stands between the values. Where it fits, byte by byte, and where each value is a JSON scalar, a record
is what `objects` would read. Every other record is left to `objects`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from journey.loader.formats.jsontext.digits import MARGIN, Window
from journey.loader.formats.jsontext.layouts import Block
from journey.loader.formats.jsontext.objects import without_escapes

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
    def windows(self) -> list[tuple[int, int, list[tuple[np.uint64, np.uint64]]]]:
        """The literals, 16 or 8 bytes at a time from their ends: number, how far before its end, masks and bytes."""
        found = []
        for number, literal in enumerate(self.literals):
            for end in range(len(literal), 0, -16):
                words = [_word(literal[max(0, begin) : begin + 8]) for begin in (end - 16, end - 8) if begin > -8]
                found.append((number, len(literal) - end + 8 * len(words), words))
        return found

    @cached_property
    def controls(self) -> int:
        """Control characters in the literals: line ends, if records have several lines."""
        return sum(one < 32 for literal in self.literals for one in literal)


def shape_of(record: bytes) -> Shape | None:
    """The shape of a record; None: it has none."""
    literals: list[bytes] = []
    keys: list[str] = []
    blanks, at = [], 0
    while found := LITERAL.match(record, at):
        value = VALUE.match(record, found.end())
        if not value or found[0].lstrip()[:1] != (b"," if keys else b"{"):
            return None
        literals.append(found[0])
        blanks.append(len(found[2]))
        try:
            keys.append(str(json.loads(found[1])))
        except ValueError:
            return None
        at = value.end()
    tail = TAIL.fullmatch(record, at)
    if not tail or len(set(keys)) < len(keys) or not keys or max(map(len, (*literals, tail[0]))) > LONGEST:
        return None
    if any(literal != without_escapes(literal) for literal in literals):
        return None
    return Shape((*literals, tail[0]), tuple(keys), tuple(blanks))


def _word(part: bytes) -> tuple[np.uint64, np.uint64]:
    """Eight bytes that end with this part, as a number: which of them count, and what they are to be."""
    shift = 8 * (8 - len(part))
    return np.uint64(2**64 - 1 >> shift << shift), np.uint64(int.from_bytes(part, "little") << shift)


class Structure:
    """Where colons, quotes, backslashes and control characters are. Positions are a window's; the colons', the block's.

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
        self.starts, self.ends = block.starts + MARGIN, block.ends + MARGIN
        self._is_quote = self.window.one == 34
        inner = slice(MARGIN, -MARGIN)
        self.colons = np.flatnonzero(self._is_quote[inner] & (self.window.one[MARGIN + 1 : 1 - MARGIN] == 58))

    def fit(self, shape: Shape, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows that a shape fits.

        Args:
            shape: what is to stand between the values.
            rows: the rows to look at, in order.

        Returns:
            Those rows; and for each key where each row's value begins, and where it ends.
        """
        count = len(shape.keys)
        if len(rows) == len(self.starts) and len(self.colons) == count * len(rows):
            colons = np.ascontiguousarray(self.colons.reshape(-1, count).T)
        else:
            rows = rows[self._counts[rows] == count]
            colons = self.colons[self._firsts[rows] + np.arange(count)[:, None]]
        ends, fits = self.ends[rows] - MARGIN, np.ones(len(rows), bool)
        for number, before, words in shape.windows:
            places, after = (colons[number], shape.blanks[number] + 2) if number < count else (ends, 0)
            fits &= self._stand(places, MARGIN + after - before, words)
        begin = colons + np.array(shape.blanks)[:, None] + (MARGIN + 2)
        end = np.empty_like(begin)
        lengths = np.array([len(literal) for literal in shape.literals], np.int64)[:, None]
        np.subtract(begin[1:], lengths[1:-1], out=end[:-1])
        end[-1] = self.ends[rows] - len(shape.literals[-1])
        fits &= (begin[0] - len(shape.literals[0]) == self.starts[rows]) & (begin < end).all(axis=0)
        return (rows, begin, end) if fits.all() else (rows[fits], begin[:, fits], end[:, fits])

    def _stand(self, places: np.ndarray, offset: int, words: list[tuple[np.uint64, np.uint64]]) -> np.ndarray:
        """Where words of eight bytes stand, so far from each place in the block."""
        if len(words) == 1:
            found = [self.window.eight[offset:][places]]
        else:  # two are fetched as fast as one
            found = list(self.window.sixteen[offset:][places].view("<u8").reshape(-1, 2).T)
        stands = np.ones(len(places), bool)
        for eight, (mask, wanted) in zip(found, words, strict=True):
            stands &= (eight if mask == EVERY else eight & mask) == wanted
        return stands

    def quotes(self, rows: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Which rows have no more quotes than expected."""
        if len(rows) == len(self.starts) and np.count_nonzero(self._is_quote) == expected.sum():
            return np.ones(len(rows), bool)
        found: np.ndarray = self._within(self._quotes, rows) == expected
        return found

    def controls(self, rows: np.ndarray, expected: int) -> np.ndarray:
        """Which rows have as many control characters as expected."""
        if not expected and self._has_clean_records:
            return np.ones(len(rows), bool)
        found: np.ndarray = self._within(self._controls, rows) == expected
        return found

    def escaped(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Positions of the values that have a backslash."""
        return np.flatnonzero(np.searchsorted(self._backslashes, begin) < np.searchsorted(self._backslashes, end))

    def _within(self, places: np.ndarray, rows: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.searchsorted(places, self.ends[rows]) - np.searchsorted(places, self.starts[rows])
        return found

    @cached_property
    def _firsts(self) -> np.ndarray:
        return np.searchsorted(self.colons, self.starts - MARGIN)

    @cached_property
    def _counts(self) -> np.ndarray:
        found: np.ndarray = np.searchsorted(self.colons, self.ends - MARGIN) - self._firsts
        return found

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
