"""The values of a block's records, column by column, whichever way they were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.formats.jsontext.arrays import bits, booleans, indices
from journey.loader.formats.jsontext.cells import cell, convert, is_json
from journey.loader.formats.jsontext.digits import Reading, Window, in_range, reading, whole
from journey.loader.formats.jsontext.objects import (
    ARRAY,
    BOOLEAN,
    DEPTH,
    NULL,
    NUMBER,
    NUMBER_FORM,
    OBJECT,
    STRING,
    Member,
    value,
)
from journey.loader.formats.jsontext.shapes import Fitting, Shape, Structure
from journey.loader.values.kinds import arrow_type
from journey.loader.values.meaning import Column

FALSE = int.from_bytes(b"false", "little")
FIRST, FIRST_4, FIRST_5 = np.uint64(2**8 - 1), np.uint64(2**32 - 1), np.uint64(2**40 - 1)
MASKS = np.array([2 ** (8 * size) - 1 for size in range(9)], np.uint64)
INLINE = 12  # bytes of a text that stand in an Arrow view
IGNORED = Column("", "text")


class Pieces:
    """A column's values: ready ones, and such as `cells.convert` is to read."""

    def __init__(self, column: Column) -> None:
        """Nothing yet."""
        self.column = column
        self.ready: list[tuple[np.ndarray, pa.Array]] = []
        self.rows: list[np.ndarray] = []
        self.kinds: list[np.ndarray] = []
        self.texts: list[pa.Array] = []

    def add(self, rows: np.ndarray, kinds: np.ndarray, texts: pa.Array) -> None:
        """Values to be read."""
        self.rows.append(rows)
        self.kinds.append(kinds)
        self.texts.append(texts)

    def read(self) -> dict[int, str]:
        """Read them all; returns the reasons of refused ones by row."""
        if not self.rows:
            return {}
        rows = np.concatenate(self.rows)
        array, refused = convert(np.concatenate(self.kinds), _joined(self.texts), self.column)
        self.ready.append((rows, array))
        return {int(rows[position]): reason for position, reason in refused.items()}

    def array(self, count: int, alive: np.ndarray | None) -> pa.Array:
        """The values in order of rows, null where there is none.

        Args:
            count: how many rows there are.
            alive: the rows that are wanted; None: all.
        """
        if not self.ready:
            return pa.nulls(count if alive is None else len(alive), arrow_type(self.column))
        first, array = self.ready[0]
        if alive is None and len(first) == count and len(self.ready) == 1 and (first[:-1] < first[1:]).all():
            return array
        index, begin = np.full(count, -1, np.int64), 0
        for rows, array in self.ready:
            index[rows] = np.arange(begin, begin + len(array))
            begin += len(array)
        index = index if alive is None else index[alive]
        return _joined([array for _, array in self.ready]).take(indices(index))


class Places:
    """Where the values of records of one shape are.

    Attributes:
        structure: of the block.
        fitting: the records and their values.
        is_string: for each key, whether each value begins and ends with a quote.
    """

    def __init__(self, structure: Structure, fitting: Fitting) -> None:
        """Look for strings."""
        self.structure, self.fitting = structure, fitting
        self.is_string = (fitting.eight & np.uint64(0xFF)) == 34
        for key in np.flatnonzero(self.is_string.any(axis=1)).tolist():
            begin, end = fitting.begin[key], fitting.end[key]
            self.is_string[key] &= (structure.window.one[end - 1] == 34) & (end - begin >= 2)


class Values:
    """One key's values in all records of a shape.

    Attributes:
        bad: records to be left to `objects` for this value; None: there are none.
        quotes: how many stand in each record's value, if it is an object or an array; None: none is.
    """

    def __init__(self, places: Places, key: int, column: Column | None) -> None:
        """Look at the values.

        Args:
            places: of all values of the records.
            key: which of them.
            column: where they go; None: nowhere, but they are to be JSON.
        """
        self.column, self._is_ignored = column or IGNORED, column is None
        self._rows, self._structure = places.fitting.rows, places.structure
        self._begin, self._end, self._is_string = (
            places.fitting.begin[key],
            places.fitting.end[key],
            places.is_string[key],
        )
        self.bad: np.ndarray | None = None
        self.quotes: np.ndarray | None = None
        self._values, self._good, self._rest = np.zeros(0, np.int64), np.zeros(0, bool), np.arange(len(self._rows))
        if column and (how := reading(column)):
            self._read(how, places.fitting.eight[key])
        self._kinds = np.zeros(0, np.uint8)
        self._texts = pa.nulls(0, pa.string())
        if len(self._rest):
            self._classify()

    def _read(self, how: Reading, eight: np.ndarray) -> None:
        """Read plain values where they stand."""
        window, begin, end, strings = self._structure.window, self._begin, self._end, self._is_string
        if how.strings and strings.any():
            begin, end = begin + strings, end - strings
            eight = window.eight[begin] if how.numbers else eight
        self._values, good = how.read(window, eight, begin, end, *how.details)
        if not (how.strings and how.numbers):
            good &= strings if how.strings else ~strings
        if how.read is whole:
            good &= in_range(self._values, self.column)
        self._good, self._rest = good, np.flatnonzero(~good)

    def into(self, pieces: Pieces, good: np.ndarray | None) -> None:
        """Hand the values on.

        Args:
            pieces: the column's.
            good: which records are good in all their values; None: all are.
        """
        if len(self._good):
            kept = self._good if good is None else self._good & good
            if kept.all():
                pieces.ready.append((self._rows, _typed(self._values, self.column)))
            elif kept.any():
                pieces.ready.append((self._rows[kept], _typed(self._values[kept], self.column)))
        if not len(self._rest):
            return
        if good is None:
            pieces.add(self._rows[self._rest], self._kinds, self._texts)
        elif (wanted := good[self._rest]).any():
            pieces.add(self._rows[self._rest][wanted], self._kinds[wanted], self._texts.filter(booleans(wanted)))

    def _classify(self) -> None:
        """Kinds and texts of the other values."""
        is_there = self._begin[self._rest] < self._end[self._rest]
        if not is_there.all():
            self._leave(self._rest[~is_there])
            self._rest = self._rest[is_there]
        structure, rest = self._structure, self._rest
        begin, end, strings = self._begin[rest], self._end[rest], self._is_string[rest]
        kinds = np.where(strings, STRING, NUMBER).astype(np.uint8)
        if not strings.all():
            size, eight = end - begin, structure.window.eight[begin]
            kinds[(size == 4) & ((eight & FIRST_4) == int.from_bytes(b"null", "little"))] = NULL
            kinds[(size == 4) & ((eight & FIRST_4) == int.from_bytes(b"true", "little"))] = BOOLEAN
            kinds[(size == 5) & ((eight & FIRST_5) == FALSE)] = BOOLEAN
            kinds[(eight & FIRST) == 123] = OBJECT
            kinds[(eight & FIRST) == 91] = ARRAY
        nested = (kinds == OBJECT) | (kinds == ARRAY)
        if nested.any():
            self.quotes = np.zeros(len(self._rows), np.int64)
            self.quotes[rest[nested]] = structure.quotes_within(begin[nested], end[nested])
        if structure.has_escapes:
            nested |= structure.are_escaped(begin, end)
        if not is_json(self.column):
            begin, end = begin + strings, end - strings
        texts = texts_of(structure.written, begin, end, kinds == NULL)
        numbers = kinds == NUMBER
        if numbers.any():
            are = pc.match_substring_regex(texts.filter(booleans(numbers)), f"^{NUMBER_FORM}$")
            self._leave(rest[numbers][~are.to_numpy(zero_copy_only=False)])
        if nested.any():
            texts = self._exactly(texts, kinds, np.flatnonzero(nested))
        self._kinds, self._texts = kinds, texts

    def _leave(self, rows: np.ndarray | int) -> None:
        if self.bad is None:
            self.bad = np.zeros(len(self._rows), bool)
        self.bad[rows] = True

    def _exactly(self, texts: pa.Array, kinds: np.ndarray, positions: np.ndarray) -> pa.Array:
        """Read nested values, and such as have escapes, one by one."""
        mask, found = np.zeros(len(texts), bool), []
        for position in positions.tolist():
            row, kind = self._rest[position], int(kinds[position])
            try:
                raw = self._structure.written.bytes[self._begin[row] : self._end[row]].decode()
                text = _content(raw)
                found.append(text if self._is_ignored else cell(Member("", kind, text, raw), self.column)[1])
                found[-1].encode()
                mask[position] = True
            except ValueError:  # `objects` will say what is wrong
                del found[np.count_nonzero(mask) :]
                self._leave(row)
        return pc.replace_with_mask(texts, booleans(mask), pa.array(found, pa.string())) if found else texts


def judged(
    structure: Structure, shape: Shape, fitting: Fitting, columns: Sequence[Column | None]
) -> tuple[list[Values], np.ndarray]:
    """The values of records that a shape fits, and in which of them all is JSON.

    Args:
        structure: of the block.
        shape: what fits.
        fitting: where.
        columns: one for each key; None: its values are ignored.
    """
    places = Places(structure, fitting)
    found = [Values(places, key, column) for key, column in enumerate(columns)]
    nested = [values.quotes for values in found if values.quotes is not None]
    good = structure.quotes(fitting.rows, len(found), places.is_string, nested)
    good &= structure.controls(fitting.rows, shape.controls)
    for values in found:
        if values.bad is not None:
            good &= ~values.bad
    return found, good


def _content(raw: str) -> str:
    """What a value says.

    Raises:
        ValueError: something follows, or it may be nested too deeply.
    """
    if raw[0] != '"' and raw.count("{") + raw.count("[") >= DEPTH:
        raise ValueError
    _, text, end = value(raw, 0)
    if end != len(raw):
        raise ValueError
    return text


def texts_of(window: Window, begin: np.ndarray, end: np.ndarray, null: np.ndarray) -> pa.Array:
    """Texts, as an array of strings.

    Args:
        window: where they stand, in UTF-8.
        begin: where each begins.
        end: where it ends.
        null: which are null.
    """
    size = np.where(null, 0, end - begin)
    views = np.empty((len(size), 2), np.uint64)
    views[:, 0] = size.astype(np.uint64) | (window.eight[begin] & MASKS[np.minimum(size, 4)]) << np.uint64(32)
    after = window.eight[begin + 4] & MASKS[np.clip(size - 4, 0, 8)]
    views[:, 1] = np.where(size <= INLINE, after, begin.astype(np.uint64) << np.uint64(32))
    valid = bits(~null) if null.any() else None
    buffers = [valid, pa.py_buffer(views), pa.py_buffer(window.bytes)]
    return pa.Array.from_buffers(pa.string_view(), len(size), buffers).cast(pa.string())


def _typed(values: np.ndarray, column: Column) -> pa.Array:
    """What `digits.plain` read, as the column's Arrow type."""
    kind = arrow_type(column)
    if pa.types.is_decimal(kind):
        data = np.empty((len(values), 2), np.int64)
        data[:, 0], data[:, 1] = values, values >> 63
    else:
        data = values.astype(f"<i{kind.bit_width // 8}")
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(data)])


def _joined(arrays: Sequence[pa.Array]) -> pa.Array:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)
