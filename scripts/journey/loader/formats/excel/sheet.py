"""The rows of a worksheet, as they stand in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.parsers import expat

from journey.loader.errors import FileRefusedError
from journey.loader.formats.excel.cells import BOOLEAN, ERROR, ISO, NUMBER, SHARED, TEXT, UNKNOWN, Cell
from journey.loader.formats.excel.parts import Package, local
from journey.loader.formats.excel.strings import unescaped

ROWS, COLUMNS = 2**20, 2**14  # of a sheet, at most
ROW_CHARACTERS = 2**24
KINDS = {"s": SHARED, "str": TEXT, "inlineStr": TEXT, "b": BOOLEAN, "e": ERROR, "d": ISO}


class Row(NamedTuple):
    """A row.

    Attributes:
        number: from 1.
        cells: those that have something in them, by their column, from 0.
        size: how many characters they have.
    """

    number: int
    cells: dict[int, Cell]
    size: int


def column_number(letters: str) -> int:
    """A column's number, from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number: int) -> str:
    """The reverse."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def rows_of(package: Package, part: str, styles: Sequence[int]) -> Iterator[Row]:
    """The rows that a sheet has; empty ones may be left out.

    Args:
        package: the file.
        part: the sheet's.
        styles: what a number is, by the style of its cell.

    Raises:
        FileRefusedError: the sheet is broken.
    """
    parser = expat.ParserCreate()
    rows: list[Row] = []
    _Handlers(part, styles, rows).bind(parser)
    for _ in package.parsed(part, parser):
        yield from rows
        rows.clear()


class _Handlers:
    """What is made of a sheet's elements."""

    def __init__(self, part: str, styles: Sequence[int], rows: list[Row]) -> None:
        self._part, self._styles, self._rows = part, styles, rows
        self._row = self._column = self._size = 0
        self._cells: dict[int, Cell] = {}
        self._columns: dict[str, int] = {}  # by letters: few, and each comes often
        self._kind, self._text = NUMBER, list[str]()
        self._is_text = self._is_aside = self._has_value = self._has_formula = False

    def bind(self, parser: expat.XMLParserType) -> None:
        """Let it be fed."""
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._characters
        parser.EndElementHandler = self._end

    def _start(self, name: str, given: dict[str, str]) -> None:
        name = local(name) if ":" in name else name
        if name == "c":
            self._begin_cell(given)
        elif name == "v" or (name == "t" and not self._is_aside):
            self._is_text = self._has_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._begin_row(given)
        elif name == "rPh":
            self._is_aside = True

    def _characters(self, piece: str) -> None:
        if self._is_text:
            self._text.append(piece)
            self._size += len(piece)
            if self._size > ROW_CHARACTERS:
                raise FileRefusedError(f"row {self._row} has more than {ROW_CHARACTERS:,} characters")

    def _end(self, name: str) -> None:
        name = local(name) if ":" in name else name
        if name in ("v", "t"):
            self._is_text = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._rows.append(Row(self._row, self._cells, self._size))
        elif name == "rPh":
            self._is_aside = False

    def _begin_row(self, given: dict[str, str]) -> None:
        number = int(given["r"]) if given.get("r", "").isdecimal() else self._row + 1
        if not self._row < number <= ROWS:
            raise self._broken(f"row {number} comes after row {self._row}")
        self._row, self._column, self._size, self._cells = number, -1, 0, {}

    def _begin_cell(self, given: dict[str, str]) -> None:
        where = given.get("r")
        column = self._column_of(where) if where else self._column + 1
        if not self._column < column < COLUMNS:
            raise self._broken(f"cell {where} comes after column {column_letters(self._column)}")
        self._column = column
        kind = given.get("t", "n")
        if kind == "n":
            style = given.get("s", "0")
            number = int(style) if style.isdecimal() else -1
            self._kind = self._styles[number] if 0 <= number < len(self._styles) else NUMBER
        elif kind in KINDS:
            self._kind = KINDS[kind]
        else:
            raise self._broken(f"cell {where} is of a kind that no workbook has")
        self._text.clear()
        self._has_value = self._has_formula = self._is_text = False

    def _end_cell(self) -> None:
        text = "".join(self._text)
        if self._has_value and (text or self._kind == TEXT):
            self._cells[self._column] = self._kind, unescaped(text) if self._kind == TEXT else text
        elif self._has_formula:
            self._cells[self._column] = UNKNOWN, ""

    def _column_of(self, where: str) -> int:
        letters = where.rstrip("0123456789")
        if letters not in self._columns:
            if not (letters.isascii() and letters.isalpha() and letters.isupper() and len(letters) <= 3):
                raise self._broken(f"a cell is said to be at {where[:20]!r}")
            self._columns[letters] = column_number(letters)
        return self._columns[letters]

    def _broken(self, why: str) -> FileRefusedError:
        return FileRefusedError(f"the XLSX file is broken: in {self._part}, {why}")
