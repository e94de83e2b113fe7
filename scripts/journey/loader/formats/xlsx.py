"""Excel workbooks (XLSX): one sheet of one, or a range of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.declaration.options import flag, one_of, option, whole
from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import NOTHING, RAW_BYTES, Batch, Reader, Refused
from journey.loader.formats.excel.area import Area, Blank, area, from_row, inside, without_footer
from journey.loader.formats.excel.cells import SHARED, TEXT, Book, values
from journey.loader.formats.excel.parts import Package, Sheet
from journey.loader.formats.excel.sheet import Row, column_letters, rows_of
from journey.loader.formats.excel.strings import shared_strings
from journey.loader.formats.excel.styles import kinds_of
from journey.loader.formats.header import numbered
from journey.loader.s3.decompress import Limit
from journey.loader.values.meaning import Column

BATCH_CELLS, BATCH_CHARACTERS = 2**17, 2**22
NAME = Column("", "text")


def _is_range(value: Any) -> bool:
    try:
        area(value)
    except (ValueError, TypeError):
        return False
    return True


def _is_sheet(value: Any) -> bool:
    return (isinstance(value, str) and bool(value)) or (type(value) is int and value >= 1)


@dataclass(frozen=True)
class XlsxOptions:
    """Where the rows are in a workbook.

    Attributes:
        sheet: its name, or its number from 1; nothing: the workbook has only one.
        range: like `B3:F100`, `B3:F` or `B3:`; what is outside isn't read. Without a last column, the header's last
            name ends it.
        header: its first row names the columns; else fields are the declared columns, in order.
        skip_rows: rows of the range before the header.
        skip_footer: rows at the end that are none, counted from the last that has something in it.
        skip_blank_rows: empty rows between others are passed over. Those at the end are never rows.
        header_names: `strict`, or `number` names that are missing (column_1) or come twice (name_2).
        max_bytes: as every feed has it; of all parts of the workbook.
        max_ratio: the same.
    """

    without: ClassVar[frozenset[str]] = frozenset({"quoted_nulls"})

    sheet: str | int | None = option(None, "a sheet's name, or its number from 1 on", _is_sheet)
    range: str | None = option(None, "a range like B3:F100, B3:F or B3:", _is_range)
    header: bool = flag(default=True)
    skip_rows: int = whole(0, least=0)
    skip_footer: int = whole(0, least=0)
    skip_blank_rows: bool = flag(default=False)
    header_names: str = one_of("strict", "number")
    max_bytes: int = option(2**40, "a whole number from 1 on", lambda value: type(value) in (int, float) and value >= 1)
    max_ratio: int = whole(1000, least=1)


class XlsxReader(Reader):
    """One workbook.

    A cell is what the file says it is: a text, a number, a date by its format, true or false. Texts are read as any
    text is, by the column's `Meaning`; numbers are exact by their shortest text.
    """

    Options = XlsxOptions
    options: XlsxOptions

    _package: Package | None = None
    _names: list[str]
    _book: Book
    _area: Area
    _sheet: Sheet
    _first: int  # row of the header, then of the first row below
    _blanks: set[int]  # shared texts that are empty
    _styles: list[int]

    @classmethod
    def check(cls, options: XlsxOptions, columns: Sequence[Column]) -> None:  # noqa: ARG003
        """Refuse options that don't go together."""
        if not options.header and options.header_names == "number":
            raise ValueError("external.options: header_names is for files with a header")

    def names(self, *, scan: bool = False) -> list[str] | None:  # noqa: ARG002
        """The header's names, or the declared ones where there is no header."""
        source = self.file.seekable()
        if not source.seek(0, 2):
            raise FileRefusedError(NOTHING.format("a workbook"))
        source.seek(0)
        self._package = Package(source, Limit(self.options.max_bytes, self.options.max_ratio))
        self._sheet = self._chosen(self._package.sheets)
        self._styles = kinds_of(self._package)
        self._book = Book(shared_strings(self._package), self._package.since_1904)
        self._blanks = _blank(self._book.strings)
        self._area = area(self.options.range)
        self._first = self._area.top + self.options.skip_rows
        if self.options.header:
            self._names = self._header(self._package)
            self._first += 1
        else:
            self._names = [column.name for column in self.declared]
        return list(self._names)

    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The rows, some thousands at a time."""
        if self._package is None:
            self.names()
        if self._package is None:
            return
        fields = [(self._area.left + i, column) for i, column in enumerate(targets) if column is not None]
        held: list[Row] = []
        refused: list[Refused] = []
        size = 0
        rows = from_row(self._rows(self._package), self._first, self._is_blank)
        for row in without_footer(rows, self.options.skip_footer):
            if isinstance(row, Blank):
                if not self.options.skip_blank_rows:
                    what = "an empty row" if row.rows == 1 else f"{row.rows:,} empty rows"
                    reason = f"{what} (skip_blank_rows passes over them)"
                    refused.append(Refused(row.number, None, reason, "", row.rows))
                continue
            held.append(row)
            size += row.size
            if len(held) * len(fields) >= BATCH_CELLS or size >= BATCH_CHARACTERS:
                yield self._batch(held, fields, refused)
                held, refused, size = [], [], 0
        if held or refused:
            yield self._batch(held, fields, refused)

    def _batch(self, rows: list[Row], fields: Sequence[tuple[int, Column]], refused: list[Refused]) -> Batch:
        """Rows as columns: good ones, and refused ones with the first column that is to blame."""
        bad: dict[int, tuple[str | None, str]] = {}
        end = self._area.left + len(self._names)
        for position, row in enumerate(rows):
            if row.cells and max(row.cells) >= end and (beyond := self._beyond(row, end)):
                bad[position] = (None, beyond)
        arrays = []
        for place, column in fields:
            array, more = values([row.cells.get(place) for row in rows], column, self._book)
            arrays.append(array)
            for position, reason in more.items():
                bad.setdefault(position, (column.name, reason))
        if bad:
            raws = self._raws([rows[row] for row in bad])
            refused = [
                *refused,
                *(Refused(rows[row].number, *why, raw) for (row, why), raw in zip(bad.items(), raws, strict=True)),
            ]
            refused.sort(key=lambda one: one.line)
            mask = pa.array([position not in bad for position in range(len(rows))], pa.bool_())
            arrays = [array.filter(mask) for array in arrays]
            rows = [row for position, row in enumerate(rows) if position not in bad]
        return Batch(arrays, refused, lambda row: (rows[row].number, self._raws([rows[row]])[0]))

    def _beyond(self, row: Row, end: int) -> str | None:
        """Why a row is refused that has something beyond the last column."""
        for place in sorted(place for place in row.cells if place >= end):
            if not self._is_blank(row.cells[place]):
                last = f"the last column is {column_letters(end - 1)}"
                return f"something stands in column {column_letters(place)}, and {last} (range says which are read)"
        return None

    def _raws(self, rows: Sequence[Row]) -> list[str]:
        """Rows as JSON objects: of their cells as texts, those that are empty left out."""
        found: list[dict[str, str]] = [{} for _ in rows]
        for place in sorted({place for row in rows for place in row.cells}):
            cells = [row.cells.get(place) for row in rows]
            texts, refused = values(cells, NAME, self._book)
            position = place - self._area.left
            name = self._names[position] if 0 <= position < len(self._names) else column_letters(place)
            for row, (cell, text) in enumerate(zip(cells, texts.to_pylist(), strict=True)):
                if cell:
                    found[row][name] = cell[1] if row in refused else text
        return [json.dumps(one, ensure_ascii=False)[:RAW_BYTES] for one in found]

    def _chosen(self, sheets: Sequence[Sheet]) -> Sheet:
        """The sheet that is declared, or the only one.

        Raises:
            FileRefusedError: there is no such sheet, or nobody said which.
        """
        wanted = self.options.sheet
        told = ", ".join(f"{sheet.name!r}{' (hidden)' if sheet.is_hidden else ''}" for sheet in sheets[:20])
        told += f" and {len(sheets) - 20} more" if len(sheets) > 20 else ""
        if not sheets:
            raise FileRefusedError("the workbook has no worksheet")
        if wanted is None:
            if len(sheets) > 1:
                raise FileRefusedError(f"the workbook has {len(sheets)} sheets: {told}; the option sheet says which")
            return sheets[0]
        found = (
            sheets[wanted - 1 : wanted] if isinstance(wanted, int)
            else [sheet for sheet in sheets if sheet.name == wanted]
        )  # fmt: skip
        if not found:
            raise FileRefusedError(f"the workbook has no sheet {wanted!r}, but {told}")
        return found[0]

    def _header(self, package: Package) -> list[str]:
        """The names in the header's row.

        Raises:
            FileRefusedError: it is no header.
        """
        row = next((row for row in self._rows(package) if row.number >= self._first), None)
        if row is None or row.number > self._first or all(map(self._is_blank, row.cells.values())):
            raise FileRefusedError(
                f"row {self._first} of the sheet {self._sheet.name!r}, where its header should be, is empty: "
                "skip_rows and range say where it begins"
            )
        there = [place for place, cell in row.cells.items() if not self._is_blank(cell)]
        right = max(there) if self._area.right is None else self._area.right
        texts, refused = values([row.cells.get(place) for place in range(self._area.left, right + 1)], NAME, self._book)
        if refused:
            raise FileRefusedError(f"its header can't be read: {next(iter(refused.values()))}")
        names = [name or "" for name in texts.to_pylist()]
        if len(names) > self.max_columns:
            raise FileRefusedError(f"its header has {len(names):,} names, more than max_columns ({self.max_columns:,})")
        if self.options.header_names == "number":
            names = numbered(names)
        for position, name in enumerate(names):
            if not name.strip():
                where = column_letters(self._area.left + position)
                raise FileRefusedError(
                    f"column {where} has no name in row {self._first}: header_names: number calls it "
                    f"column_{position + 1}, and range says which columns are read"
                )
        return names

    def _rows(self, package: Package) -> Iterator[Row]:
        return inside(rows_of(package, self._sheet.part, self._styles), self._area)

    def _is_blank(self, cell: tuple[int, str]) -> bool:
        kind, text = cell
        if kind == SHARED:
            return bool(self._blanks) and text.isdecimal() and int(text) in self._blanks
        return kind == TEXT and not text.strip()


def _blank(texts: pa.Array) -> set[int]:
    """Positions of texts that are empty, or only blanks."""
    is_blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0)
    return set(np.flatnonzero(is_blank.to_numpy(zero_copy_only=False)).tolist())


READER = XlsxReader
