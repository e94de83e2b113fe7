"""Workbooks for tests, as Excel writes them, and by hand where Excel doesn't."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

PLAIN = "General"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class Styled:
    """A number with a format.

    Attributes:
        number: what is in the cell.
        code: its format, like `yyyy-mm-dd`.
    """

    def __init__(self, number: float, code: str) -> None:
        self.number, self.code = number, code


class Formula:
    """A formula, with the value that Excel calculated."""

    def __init__(self, formula: str, value: Any) -> None:
        self.formula, self.value = formula, value


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]], *, since_1904: bool = False) -> bytes:
    """A workbook.

    Args:
        sheets: the rows of each, by name; cells are texts, numbers, booleans, dates and times, Styled or Formula; None
            is an empty cell.
        since_1904: whether dates count from there.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "date_1904": since_1904, "remove_timezone": True})
    formats: dict[str, Any] = {}

    def style(code: str) -> Any:
        if code not in formats:
            formats[code] = book.add_format({"num_format": code})
        return formats[code]

    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, Styled):
                    sheet.write_number(row, column, cell.number, style(cell.code))
                elif isinstance(cell, Formula):
                    sheet.write_formula(row, column, cell.formula, None, cell.value)
                elif isinstance(cell, str):
                    sheet.write_string(row, column, cell)
                elif isinstance(cell, bool):
                    sheet.write_boolean(row, column, cell)
                elif isinstance(cell, (int, float)):
                    sheet.write_number(row, column, cell)
                elif cell is not None:
                    code = {"date": "dd.mm.yyyy", "datetime": "yyyy-mm-dd hh:mm:ss", "time": "hh:mm:ss"}
                    sheet.write_datetime(row, column, cell, style(code.get(type(cell).__name__, "[h]:mm:ss")))
    book.close()
    return out.getvalue()


def replaced(book: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """A workbook with other parts, or without some."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, data in parts.items():
            if data is not None:
                new.writestr(name, data)
    return out.getvalue()


def part(book: bytes, name: str) -> bytes:
    """One part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        return opened.read(name)


def with_rows(rows: str, *, prefix: str = "") -> bytes:
    """A workbook whose only sheet has these rows, in XML."""
    name = f"{prefix}:" if prefix else ""
    names = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    declared = f'xmlns:{prefix}="{names}"' if prefix else f'xmlns="{names}"'
    sheet = f"<{name}worksheet {declared}><{name}sheetData>{rows}</{name}sheetData></{name}worksheet>"
    return replaced(workbook({"Sheet1": [["x"]]}), {"xl/worksheets/sheet1.xml": sheet.encode()})
