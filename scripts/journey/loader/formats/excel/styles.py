"""What a number in a cell is, which only the cell's format says: a number, or a date, a time, a duration."""

from __future__ import annotations

import re

from journey.loader.formats.excel.cells import DATE, MOMENT, NUMBER, SPAN, TIME
from journey.loader.formats.excel.parts import Package

BUILT_IN = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58), DATE), 22: MOMENT, 46: SPAN,
    **dict.fromkeys((18, 19, 20, 21, 45, 47, 32, 33, 34, 35, 55, 56), TIME),
}  # fmt: skip  # formats that no file writes down; those from 27 on are East Asia's
NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|am/pm|a/p|general', re.IGNORECASE | re.DOTALL)
MOST = 2**20  # styles; Excel has room for 65,490


def kinds_of(package: Package) -> list[int]:
    """The kind of a number in a cell, by the number of the cell's style."""
    kinds: list[int] = []
    if not package.styles:
        return kinds
    codes: dict[str, str] = {}
    inside = ""
    for name, given in package.elements(package.kept(package.styles)):
        if name == "numFmt" and inside == "":
            codes[given.get("numFmtId", "")] = given.get("formatCode", "")
        elif name in ("cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
            inside = name
        elif name == "xf" and inside == "cellXfs" and len(kinds) < MOST:
            number = given.get("numFmtId", "0")
            built_in = BUILT_IN.get(int(number), NUMBER) if number.isdecimal() else NUMBER
            kinds.append(kind_of_code(codes[number]) if number in codes else built_in)
    return kinds


def kind_of_code(code: str) -> int:
    """What a number is that has this format.

    Args:
        code: like `dd/mm/yyyy;@` or `[$-407]#,##0.00`.
    """
    letters = NO_CODE.sub("", code).lower()
    if "[" in letters:
        return SPAN
    has_clock = "h" in letters or "s" in letters
    if "y" in letters or "d" in letters or ("m" in letters and not has_clock):
        return MOMENT if has_clock else DATE
    return TIME if has_clock else NUMBER
