"""Clean delimited text becomes typed arrays: by Arrow's parser where it reads a type as we do, else through texts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from journey.loader.values.kinds import arrow_type, digits, is_text, length
from journey.loader.values.meaning import Column, Meaning
from journey.loader.values.text import nulled, parse

BAD_COLUMN = re.compile(r"In CSV column #(\d+)")
TRUE, FALSE = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
DAY = {4: 1, 8: 86_400_000_000}  # by the bytes of a value: in days, in microseconds
YEAR_1, YEAR_10000 = -719_162, 2_932_897  # days since 1970
BLANK = np.zeros(256, bool)
BLANK[[9, 32]] = True  # what Arrow takes off around numbers


class NotUtf8Error(Exception):
    """A text isn't UTF-8."""


class Typed(NamedTuple):
    """What became of a block.

    Attributes:
        arrays: for each target that is a column, the values of the rows that have the right number of fields.
        rows: the position in the block of each of these rows.
        refused: column and reason, by position in arrays.
        uneven: position in the block and number of fields of the other rows.
    """

    arrays: list[pa.Array]
    rows: np.ndarray
    refused: dict[int, tuple[str, str]]
    uneven: list[tuple[int, int]]

    def among(self, more: Typed, records: Sequence[int]) -> Typed:
        """Together with more rows, in the block's order.

        Args:
            more: the other rows.
            records: the position in the block of each of them.
        """
        rows = np.concatenate([self.rows, np.array(records, self.rows.dtype)])
        order = np.argsort(rows)
        place = np.argsort(order)
        arrays = [
            pa.concat_arrays([one, other]).take(pa.array(order))
            for one, other in zip(self.arrays, more.arrays, strict=True)
        ]
        refused = self.refused | {len(self.rows) + row: why for row, why in more.refused.items()}
        return Typed(arrays, rows[order], {int(place[row]): why for row, why in refused.items()}, [])


class Parser:
    """Parses the blocks of one file. A column that Arrow stumbles over is read as text from then on.

    Attributes:
        quote: one byte; None: there are no quotes.
    """

    def __init__(
        self,
        targets: Sequence[Column | None],
        delimiter: bytes,
        quote: bytes | None,
        *,
        null_values: Sequence[str] | None = None,
        spelled: str | None = None,
    ) -> None:
        """Prepare.

        Args:
            targets: a column for each field; None: the field is passed over.
            delimiter: one byte.
            quote: one byte; None: there are no quotes.
            null_values: texts without quotes that are null, in place of what columns declare.
            spelled: what the delimiter stands for, which texts in quotes may have.
        """
        self._targets, self._null_values = list(targets), null_values
        self._names = [str(position) for position in range(len(targets))]
        self._delimiter, self.quote, self._spelled = delimiter, quote, spelled
        self._as_text = {i for i, column in enumerate(targets) if column and not _is_arrows(column)}
        self._groups: dict[tuple[Sequence[str], bool], list[int]] = {}
        for i, column in enumerate(targets):
            if column:
                meaning = column.meaning
                key = (null_values or meaning.null_values, meaning.quoted_nulls and null_values is None)
                self._groups.setdefault(key, []).append(i)

    def parse(self, data: bytes) -> Typed:
        """Parse whole, well-formed records.

        Args:
            data: each record ends with a line end, the last one perhaps not.

        Raises:
            NotUtf8Error: a text isn't UTF-8; the block's records must be looked at one by one.
        """
        doubtful = self._doubtful(data)
        columns: dict[int, pa.Array] = {}
        uneven: dict[int, int] = {}
        total = 0
        for (nulls, quoted), positions in self._groups.items():
            total, found = self._read(data, positions, nulls, quoted, doubtful, uneven)
            columns.update(found)
        refused: dict[int, tuple[str, str]] = {}
        for i, column in enumerate(self._targets):
            if column and (columns[i].type != arrow_type(column) or not _is_plain_text(columns[i].type, column)):
                columns[i], bad = parse(columns[i], column)
                for position, reason in bad.items():
                    refused.setdefault(position, (column.name, reason))
        rows = np.arange(total + len(uneven))
        if uneven:
            rows = np.delete(rows, list(uneven))
        return Typed([columns[i] for i in sorted(columns)], rows, refused, sorted(uneven.items()))

    def parse_short(self, records: Sequence[bytes], counts: Sequence[int]) -> Typed:
        """Parse well-formed records that have too few fields: what they lack is null.

        Args:
            records: without line ends.
            counts: how many fields each has.

        Raises:
            NotUtf8Error: a text isn't UTF-8.
        """
        lacking = (self._delimiter * (len(self._targets) - count) + b"\n" for count in counts)
        typed = self.parse(b"".join(itertools.chain.from_iterable(zip(records, lacking, strict=True))))
        has = np.array(counts)
        columns = [(i, column.name) for i, column in enumerate(self._targets) if column]
        arrays = [
            pc.if_else(pa.array(has > i), array, pa.scalar(None, array.type))
            for (i, _), array in zip(columns, typed.arrays, strict=True)
        ]
        position = {name: i for i, name in columns}
        refused = {row: why for row, why in typed.refused.items() if position[why[0]] < has[row]}  # first come first
        return typed._replace(arrays=arrays, refused=refused)

    def _read(
        self,
        data: bytes,
        positions: list[int],
        nulls: Sequence[str],
        quoted: bool,
        doubtful: set[int],
        uneven: dict[int, int],
    ) -> tuple[int, dict[int, pa.Array]]:
        """Columns that have the same nulls, and the number of rows; texts where Arrow doesn't read the type."""
        once = set(doubtful)
        if self._spelled:
            nulls = [text.replace(self._spelled, self._delimiter.decode()) for text in nulls]
        while True:
            types = {self._names[i]: self._type(i, once) for i in positions}
            uneven.clear()
            try:
                table = pyarrow.csv.read_csv(
                    pa.BufferReader(data),
                    pyarrow.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=self._names),
                    self._options(data, uneven),
                    pyarrow.csv.ConvertOptions(
                        column_types=types, include_columns=list(types), null_values=list(nulls),
                        strings_can_be_null=True, quoted_strings_can_be_null=quoted,
                        true_values=TRUE, false_values=FALSE,
                    ),
                )  # fmt: skip
            except pa.ArrowInvalid as error:
                found = BAD_COLUMN.search(str(error))
                if not found or types[self._names[int(found[1])]] == pa.string():
                    raise NotUtf8Error(str(error)) from error
                self._as_text.add(int(found[1]))
                continue
            arrays = {i: _whole(table.column(self._names[i])) for i in positions}
            again = {i for i in positions if self._is_doubtful(arrays[i], i)}
            if not again:
                return table.num_rows, {i: self._nulled(self._as_spelled(arrays[i]), i) for i in positions}
            once |= again

    def _options(self, data: bytes, uneven: dict[int, int]) -> pyarrow.csv.ParseOptions:
        def skip(row: pyarrow.csv.InvalidRow) -> str:
            uneven[row.number - 1] = row.actual_columns
            return "skip"

        quote = self.quote.decode() if self.quote else False
        return pyarrow.csv.ParseOptions(
            delimiter=self._delimiter.decode(), quote_char=quote, double_quote=bool(quote), escape_char=False,
            newlines_in_values=bool(self.quote and self.quote in data), ignore_empty_lines=False,
            invalid_row_handler=skip,
        )  # fmt: skip

    def _type(self, i: int, once: set[int]) -> pa.DataType:
        column = self._targets[i]
        return pa.string() if column is None or i in once or i in self._as_text else arrow_type(column)

    def _as_spelled(self, array: pa.Array) -> pa.Array:
        if not self._spelled or not self.quote or not pa.types.is_string(array.type):
            return array
        return pc.replace_substring(array, self._delimiter.decode(), self._spelled)

    def _nulled(self, array: pa.Array, i: int) -> pa.Array:
        column = self._targets[i]
        if not column or not column.meaning.trim or not pa.types.is_string(array.type):
            return array
        without = nulled(array, column.meaning)  # blanks around it hid what means null
        if without.null_count == array.null_count:
            return array
        hidden = pc.not_equal(pc.utf8_trim_whitespace(array), array)  # what had none would be null, but for its quotes
        return pc.if_else(hidden, without, array)

    def _doubtful(self, data: bytes) -> set[int]:
        """Columns that Arrow would read more laxly than we do, in these data: 0x10 as a number, blanks around one."""
        doubtful: set[int] = set()
        kinds = {i: arrow_type(column) for i, column in enumerate(self._targets) if column and i not in self._as_text}
        if (b"x" in data and b"0x" in data) or (b"X" in data and b"0X" in data):
            doubtful |= {i for i, kind in kinds.items() if pa.types.is_integer(kind)}
        if (b" " in data or b"\t" in data) and self._has_blank_sides(data):
            doubtful |= {i for i, kind in kinds.items() if kind != pa.string()}
        return doubtful

    def _has_blank_sides(self, data: bytes) -> bool:
        """Whether a blank stands where a field begins or ends."""
        found = np.frombuffer(data, np.uint8)
        delimiter = self._delimiter[0]
        blanks = np.flatnonzero(BLANK[found] & (found != delimiter))
        ends = np.zeros(256, bool)
        ends[[delimiter, 10, 13, *(self.quote or b"")]] = True
        before = np.where(blanks > 0, found[blanks - 1], 10)
        after = np.where(blanks + 1 < len(found), found[np.minimum(blanks + 1, len(found) - 1)], 10)
        return bool((ends[before] | ends[after]).any())

    def _is_doubtful(self, array: pa.Array, i: int) -> bool:
        """Whether Arrow may have read a value that we would not: a year 0 or 10000, no finite one, a digit too many."""
        column, kind = self._targets[i], array.type
        if column is None or not len(array):
            return False
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            size = kind.bit_width // 8
            values = np.frombuffer(array.buffers()[1], f"<i{size}")[array.offset : array.offset + len(array)]
            return bool(values.min() < YEAR_1 * DAY[size] or values.max() >= YEAR_10000 * DAY[size])
        if pa.types.is_floating(kind):
            values = np.frombuffer(array.buffers()[1], f"<f{kind.bit_width // 8}")[: len(array)]
            return not bool(np.isfinite(values).all())
        if pa.types.is_decimal(kind):  # Arrow counts a text's digits, and then adds those of the scale
            return _has_more_digits(array, kind.precision, kind.scale)
        return False


def _has_more_digits(array: pa.Array, precision: int, scale: int) -> bool:
    """Whether a number of a decimal array has more digits than its type; scale more than that, it has at most."""
    words = np.frombuffer(array.buffers()[1], "<i8")[2 * array.offset : 2 * (array.offset + len(array))]
    low, high = words[0::2], words[1::2]
    if precision + scale <= 18 or (precision <= 18 and bool((high == low >> 63).all())):  # each fits into 8 bytes
        limit = 10**precision
        return bool(low.max() >= limit or low.min() <= -limit)
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return True
    return False


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.nulls(0, column.type)])


def _is_plain_text(kind: pa.DataType, column: Column) -> bool:
    """Whether an array needs no more looking at: it is typed, or any text is a value."""
    return kind != pa.string() or (is_text(column) and length(column) is None and not column.meaning.trim)


def _is_arrows(column: Column) -> bool:
    """Whether what Arrow's parser reads of a type is, but for what Parser looks after, what we read."""
    kind, meaning = arrow_type(column), column.meaning
    if meaning.trim:
        return False
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return meaning.decimal_mark == "." and not meaning.thousands_mark
    if pa.types.is_boolean(kind):
        return (meaning.true_values, meaning.false_values) == (Meaning().true_values, Meaning().false_values)
    if pa.types.is_date(kind):
        return meaning.date_format[0] == "iso"
    if pa.types.is_timestamp(kind):
        return meaning.timestamp_format[0] == "iso" and digits(column) == 6
    return is_text(column)
