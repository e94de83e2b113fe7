"""Excel workbooks: each cell is what the file says, and what that means is declared."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest

from journey.loader.declaration.options import make
from journey.loader.errors import FileRefusedError
from journey.loader.formats import reader
from journey.loader.formats.excel.cells import DATE, MOMENT, NUMBER, SPAN, TIME
from journey.loader.formats.excel.styles import kind_of_code
from journey.loader.values.meaning import Column, Meaning
from loader.memory import MemoryFile, read
from loader.support import Landing
from loader.workbooks import Formula, Styled, part, replaced, with_rows, workbook

DATE_TYPE, STAMP, STAMPTZ = "date", "timestamp without time zone", "timestamp with time zone"
NULL = ": declare null_values if it means null"
Rows = tuple[list[tuple[Any, ...]], list[tuple[int, str | None, str]]]


def columns(*kinds: str, **meaning: Any) -> list[Column]:
    """Columns a, b, c … of these types."""
    return [Column("abcdefgh"[position], kind, Meaning(**meaning)) for position, kind in enumerate(kinds)]


def rows(book: bytes, targets: list[Column], **options: Any) -> Rows:
    """Good rows; line, column and reason of the others."""
    good, refused = read(book, targets, "xlsx", **options)
    return good, [(one.line, one.column, one.reason) for one in refused]


def one(cell: Any, kind: str, *, since_1904: bool = False, **meaning: Any) -> Any:
    """What one cell is as a value of a type; the reason if it is refused."""
    book = workbook({"S": [["a"], [cell]]}, since_1904=since_1904)
    good, refused = rows(book, columns(kind, **meaning))
    return good[0][0] if good else refused[0][2]


def names(book: bytes, **options: Any) -> list[str] | None:
    """The names that a reader finds."""
    kind = reader("xlsx")
    return kind(MemoryFile(book), make(kind.Options, options), columns("text", "text")).names()


def why(book: bytes, **options: Any) -> str:
    """Why a file is refused."""
    with pytest.raises(FileRefusedError) as caught:
        rows(book, columns("text"), **options)
    return str(caught.value)


NUMBERS: list[tuple[Any, str, Any]] = [
    (1362.0, "integer", 1362),
    (1362.0, "smallint", 1362),
    (-7, "bigint", -7),
    (2**53 - 1, "bigint", 2**53 - 1),
    (1.1, "numeric(12,2)", Decimal("1.10")),
    (0.1, "numeric", "0.1"),
    (1e-7, "double precision", 1e-7),
    (4006381333931, "text", "4006381333931"),
    (1.5, "text", "1.5"),
    (True, "boolean", True),
    (False, "text", "false"),
    (Formula("=1+1", 2), "integer", 2),
    (Formula('="a"&"b"', "ab"), "text", "ab"),
    (Formula("=1=1", True), "boolean", True),
    ("0012", "text", "0012"),
    ("0x12", "integer", "`0x12` is no integer"),
    (1.5, "integer", "`1.5` is no integer: it isn't whole"),
    (40000, "smallint", "`40000` is out of range for smallint"),
    (1.005, "numeric(12,2)", "`1.005` has digits that numeric(12,2) doesn't keep (extra_digits: round)"),
    (1, "boolean", "`1` is a whole number in the file, and boolean is declared: declare its own type, or text"),
    (True, "integer", "`true` is true or false in the file, and integer is declared: declare its own type, or text"),
    (45000, "date", "`45000` is a number, and date is declared: declare epoch_unit"),
]


@pytest.mark.parametrize(("cell", "kind", "expected"), NUMBERS)
def test_a_cell_is_its_exact_value_or_refused(cell: Any, kind: str, expected: Any) -> None:
    assert one(cell, kind) == expected


@pytest.mark.parametrize(
    ("digits", "kind", "expected"),
    [
        ("9007199254740993", "bigint", 2**53 + 1),
        ("-9223372036854775808", "bigint", -(2**63)),
        ("9223372036854775808", "bigint", "`9223372036854775808` is out of range for bigint"),
        ("12345678901234567890", "text", "12345678901234567890"),
        ("12345678901234567890", "numeric(38,0)", Decimal("12345678901234567890")),
        ("9007199254740993", "double precision", 2.0**53),
        ("1E+18", "bigint", 10**18),
        ("1" + "0" * 40, "double precision", 1e40),
    ],
)
def test_digits_that_excel_would_not_keep_are_kept(digits: str, kind: str, expected: Any) -> None:
    """Other programs write whole numbers of any size; Excel itself writes fifteen digits."""
    header = '<row><c t="inlineStr"><is><t>a</t></is></c></row>'
    good, refused = rows(with_rows(f"{header}<row><c><v>{digits}</v></c></row>"), columns(kind))
    assert (good[0][0] if good else refused[0][2]) == expected


def test_text_cells_are_read_as_any_text() -> None:
    assert one("1.234,56", "numeric(12,2)", decimal_mark=",", thousands_mark=".") == Decimal("1234.56")
    assert one("03/02/1897", "date", date_format=("%d/%m/%Y",)) == dt.date(1897, 2, 3)  # before Excel's calendar
    assert one("03/02/1897", "date") == "`03/02/1897` is no date: YYYY-MM-DD is declared (date_format)"
    assert one("n/a", "integer", null_values=("", "n/a")) is None
    assert one(" x ", "text", trim=True) == "x"
    assert one(19723, "date", epoch_unit="days") == dt.date(2024, 1, 1)


def test_a_mark_of_texts_changes_no_number() -> None:
    assert one(1234.56, "numeric(12,2)", decimal_mark=",", thousands_mark=".") == Decimal("1234.56")


DATES: list[tuple[Any, str, Any]] = [
    (dt.date(2024, 6, 1), "date", dt.date(2024, 6, 1)),
    (dt.date(2024, 6, 1), "text", "2024-06-01"),
    (dt.date(2024, 6, 1), STAMP, dt.datetime(2024, 6, 1)),
    (dt.datetime(2024, 6, 1, 12, 30, 15, 123000), STAMP, dt.datetime(2024, 6, 1, 12, 30, 15, 123000)),
    (dt.datetime(2024, 6, 1, 12, 30, 15), "text", "2024-06-01T12:30:15"),
    (dt.datetime(2024, 6, 1), "date", dt.date(2024, 6, 1)),
    (dt.datetime(2024, 6, 1, 12), "date", "`2024-06-01 12:00:00.000000` is no date: it has a time of day"),
    (dt.time(23, 59, 59), "time without time zone", dt.time(23, 59, 59)),
    (dt.timedelta(hours=30), "interval", "PT108000S"),
    (dt.date(2024, 6, 1), "integer", "`2024-06-01` is a date or time, and integer is declared: declare epoch_unit"),
    (Styled(1, "yyyy-mm-dd"), "date", dt.date(1900, 1, 1)),
    (Styled(59, "yyyy-mm-dd"), "date", dt.date(1900, 2, 28)),
    (Styled(61, "yyyy-mm-dd"), "date", dt.date(1900, 3, 1)),
    (Styled(2958465, "d/m/yy"), "date", dt.date(9999, 12, 31)),
    (Styled(45000.99999999999, "yyyy-mm-dd hh:mm"), STAMP, dt.datetime(2023, 3, 16)),
    (Styled(45000.5, "hh:mm"), STAMP, dt.datetime(2023, 3, 15, 12)),
    (Styled(0.5, "hh:mm"), "time without time zone", dt.time(12)),
    (Styled(45000, '0 "days"'), "integer", 45000),
]


@pytest.mark.parametrize(("cell", "kind", "expected"), DATES)
def test_a_date_is_one_by_the_format_of_its_cell(cell: Any, kind: str, expected: Any) -> None:
    assert one(cell, kind) == expected


@pytest.mark.parametrize("number", [60, 60.5, 0, 0.5, -1, 2958466, 1e20])
def test_what_excels_calendar_has_not_is_no_date(number: float) -> None:
    for kind in ("date", STAMP, "text"):
        assert "is formatted as a date, and is none" in one(Styled(number, "yyyy-mm-dd"), kind)


def test_dates_since_1904() -> None:
    for day in (dt.date(1904, 1, 1), dt.date(1904, 2, 29), dt.date(2024, 6, 1)):
        assert one(day, "date", since_1904=True) == day
    assert one(Styled(60, "yyyy-mm-dd"), "date", since_1904=True) == dt.date(1904, 3, 1)
    assert "begins with 1904-01-01" in one(Styled(-1, "yyyy-mm-dd"), "date", since_1904=True)


def test_times_are_in_the_declared_zone() -> None:
    found = one(dt.datetime(2024, 6, 1, 12), STAMPTZ, time_zone="Europe/Berlin")
    assert found == dt.datetime(2024, 6, 1, 10, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("General", NUMBER), ("0.00", NUMBER), ('#,##0.00 "USD"', NUMBER), ("[Red]-0.00", NUMBER), ("0.00E+00", NUMBER),
     ("@", NUMBER), ('"day" 0', NUMBER), (r"0\d", NUMBER), ("_-* #,##0.00 [$€-407]_-", NUMBER),
     ("yyyy-mm-dd", DATE), ("DD.MM.YYYY", DATE), ("[$-407]d. mmmm yyyy;@", DATE), ("mmm-yy", DATE), ("mmmm", DATE),
     ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", DATE), ("yyyy-mm-dd hh:mm", MOMENT), ("m/d/yy h:mm AM/PM", MOMENT),
     ("hh:mm:ss", TIME), ("h:mm AM/PM", TIME), ("mm:ss.0", TIME), ("[h]:mm:ss", SPAN), ("[mm]:ss", SPAN)],
)  # fmt: skip
def test_which_formats_are_dates(code: str, kind: int) -> None:
    assert kind_of_code(code) == kind


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!"])
def test_an_error_is_no_value(error: str) -> None:
    for kind in ("text", "integer", "date"):
        assert one(Formula("=x", error), kind) == (
            f"`{error}` is an error of Excel's, and no value (null_values: it means null)"
        )
    assert one(Formula("=x", error), "integer", null_values=("", error)) is None


def test_a_formula_without_a_value_is_refused() -> None:
    head = '<row r="1"><c t="inlineStr"><is><t>a</t></is></c><c t="str"><v>b</v></c></row>'
    book = with_rows(head + '<row><c><f>1+1</f><v/></c></row><row><c t="str"><f>""</f><v></v></c><c><v>1</v></c></row>')
    assert rows(book, columns("text", "integer"))[0] == [(None, 1)]
    [(line, column, reason)] = rows(book, columns("text", "integer"))[1]
    assert (line, column) == (2, "a")
    assert reason.startswith("a formula without a value")


def test_a_bad_row_costs_no_good_one() -> None:
    book = workbook({"S": [["a", "b"], [1, "x"], ["two", "y"], [3, "z"], [4.5, None], [5, "v"]]})
    good, refused = rows(book, columns("integer", "text"))
    assert good == [(1, "x"), (3, "z"), (5, "v")]
    assert refused == [(3, "a", f"`two` is no integer{NULL}"), (5, "a", "`4.5` is no integer: it isn't whole")]
    _, bad = read(book, columns("integer", "text"), "xlsx")
    assert [one.raw for one in bad] == ['{"a": "two", "b": "y"}', '{"a": "4.5"}']


def test_preamble_header_in_row_four_and_a_totals_row() -> None:
    """As SAP exports a list: title, date, an empty row, header, rows, total."""
    book = workbook({"Export": [
        ["Umsatzliste"], ["Stand:", dt.date(2024, 6, 1)], [], ["a", "b"], ["100", "1.234,50"], ["200", "-7,00"],
        ["Summe", "1.227,50"], [None, None],
    ]})  # fmt: skip
    german = columns("integer", "numeric(12,2)", decimal_mark=",", thousands_mark=".")
    good, refused = rows(book, german, skip_rows=3, skip_footer=1)
    assert (good, refused) == ([(100, Decimal("1234.50")), (200, Decimal("-7.00"))], [])
    assert "where its header should be, is empty" in why(book, skip_rows=2)
    [(line, column, reason)] = rows(book, german, skip_rows=3)[1]
    assert (line, column, reason) == (7, "a", f"`Summe` is no integer{NULL}")


def test_empty_rows() -> None:
    book = workbook({"S": [["a"], [1], [], [""], [2], ["  "], [], [3], ["x"], [], [4], [], [" "], []]})
    good, refused = rows(book, columns("integer"))
    assert good == [(1,), (2,), (3,), (4,)]
    reason = "2 empty rows (skip_blank_rows passes over them)"
    bad = (9, "a", f"`x` is no integer{NULL}")
    one_row = (10, None, "an empty row (skip_blank_rows passes over them)")
    assert refused == [(3, None, reason), (6, None, reason), bad, one_row]
    assert [one.lines for one in read(book, columns("integer"), "xlsx")[1]] == [2, 2, 1, 1]
    assert rows(book, columns("integer"), skip_blank_rows=True) == (good, [bad])


@pytest.mark.parametrize(
    ("footer", "expected"), [(0, [1, 2, 3]), (1, [1, 2]), (2, [1, 2]), (3, [1, 2]), (4, [1]), (9, [])]
)
def test_a_footer_is_counted_from_the_last_row_with_something_in_it(footer: int, expected: list[int]) -> None:
    book = workbook({"S": [["a"], [1], [2], [], [], [3], []]})
    good, refused = rows(book, columns("integer"), skip_footer=footer)
    assert [value for (value,) in good] == expected
    assert sum(one.lines for one in read(book, columns("integer"), "xlsx", skip_footer=footer)[1]) == max(
        0, 2 - max(0, footer - 1)
    ), refused


def test_a_row_far_below_is_no_million_of_rows() -> None:
    book = with_rows(
        '<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
        '<row r="1048576"><c r="A1048576"><v>2</v></c></row>'
    )
    good, refused = rows(book, columns("integer"))
    assert (good, refused) == ([(1,), (2,)], [(3, None, "1,048,573 empty rows (skip_blank_rows passes over them)")])


def test_which_sheet() -> None:
    book = workbook({"Lookup": [["x"], ["0"]], "Daten 2024": [["a"], ["1"]]})
    assert why(book) == "the workbook has 2 sheets: 'Lookup', 'Daten 2024'; the option sheet says which"
    assert rows(book, columns("text"), sheet="Daten 2024")[0] == [("1",)]
    assert rows(book, columns("text"), sheet=1)[0] == [("0",)]
    assert why(book, sheet="daten 2024") == "the workbook has no sheet 'daten 2024', but 'Lookup', 'Daten 2024'"
    assert why(book, sheet=3) == "the workbook has no sheet 3, but 'Lookup', 'Daten 2024'"


def test_a_range() -> None:
    book = workbook(
        {"S": [["note"], [], [None, "a", "b", "c"], [None, 1, "x", "?"], [None, 2, "y"], [None, 3, "z"], ["end"]]}
    )
    wanted = columns("integer", "text")
    assert rows(book, wanted, range="B3:C5") == ([(1, "x"), (2, "y")], [])
    assert rows(book, wanted, range="B3:C") == ([(1, "x"), (2, "y"), (3, "z")], [])
    assert names(book, range="B3:") == ["a", "b", "c"]
    assert rows(book, wanted, range="B4:C6", header=False) == ([(1, "x"), (2, "y"), (3, "z")], [])
    assert rows(book, wanted, range="B:C", skip_rows=2)[0] == [(1, "x"), (2, "y"), (3, "z")]


@pytest.mark.parametrize(
    "text", ["", "3:5", "B3", "C3:B9", "B9:C3", "b3:c4", "B3:C9999999", "XFE1:", "A0:B2", "A1:ZZZ"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="range must be a range like B3:F100"):
        make(reader("xlsx").Options, {"range": text})


def test_a_value_beyond_the_header_refuses_its_row() -> None:
    book = workbook({"S": [["a", "b"], [1, "x"], [2, "y", None, "look!"], [3, "z", ""]]})
    good, refused = rows(book, columns("integer", "text"))
    assert good == [(1, "x"), (3, "z")]
    reason = "something stands in column D, and the last column is B (range says which are read)"
    assert refused == [(3, None, reason)]
    assert rows(book, columns("integer", "text"), range="A1:B") == ([(1, "x"), (2, "y"), (3, "z")], [])
    assert rows(book, columns("integer", "text"), header=False, skip_rows=1)[1] == [(3, None, reason)]


def test_a_header_is_texts() -> None:
    book = workbook({"S": [["a", 2024, dt.date(2024, 6, 1), "", "a"], [1, 2, 3, 4, 5]]})
    assert why(book) == (
        "column D has no name in row 1: header_names: number calls it column_4, and range says which columns are read"
    )
    assert names(book, header_names="number") == ["a", "2024", "2024-06-01", "column_4", "a_2"]
    assert "can't be read: `#REF!`" in why(workbook({"S": [["a", Formula("=x", "#REF!")], [1, 2]]}))
    assert "is empty: skip_rows and range say where it begins" in why(workbook({"S": []}))


def test_rich_texts_escapes_and_how_a_word_is_pronounced() -> None:
    shared = """<?xml version="1.0" encoding="UTF-8"?>
        <sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si>
        <si><r><rPr><b/></rPr><t>Bo</t></r><r><t xml:space="preserve">ld </t></r></si>
        <si><t>課</t><rPh sb="0" eb="1"><t>カ</t></rPh></si><si><t>one_x000D_two_x005F_x</t></si><si><t/></si></sst>"""
    cells = "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in (0, 1, 2, 3, 4, 5))
    book = replaced(with_rows(cells), {"xl/sharedStrings.xml": shared.encode()})
    good, refused = rows(book, columns("text"), skip_blank_rows=True)
    assert good == [("Bold ",), ("課",), ("one\rtwo_x",)]
    assert refused == [(6, "a", "`5` is the number of a text that the file doesn't have")]


def test_other_writers_xml() -> None:
    """Prefixes, cells without addresses, dates as texts, rows left out."""
    book = with_rows(
        '<x:row><x:c t="inlineStr"><x:is><x:t>a</x:t><x:rPh><x:t>A</x:t></x:rPh></x:is></x:c>'
        '<x:c t="str"><x:v>b</x:v></x:c></x:row>'
        '<x:row r="3"><x:c r="B3" t="d"><x:v>2024-06-01T00:00:00</x:v></x:c></x:row>'
        '<x:row><x:c><x:v>x1</x:v></x:c></x:row>',
        prefix="x",
    )  # fmt: skip
    good, refused = rows(book, columns("integer", "date"), skip_blank_rows=True)
    assert good == [(None, dt.date(2024, 6, 1))]
    assert refused == [(4, "a", "`x1` is no integer: nor is it a number, as its cell says")]


BROKEN = [
    ("<row r='2'/><row r='1'/>", "row 1 comes after row 2"),
    ("<row r='1048577'/>", "row 1048577 comes after row 0"),
    ("<row><c r='B1'><v>1</v></c><c r='A1'><v>1</v></c></row>", "cell A1 comes after column B"),
    ("<row><c r='XFE1'><v>1</v></c></row>", "cell XFE1 comes after column"),
    ("<row><c r='1A'><v>1</v></c></row>", "a cell is said to be at '1A'"),
    ("<row><c t='q'><v>1</v></c></row>", "is of a kind that no workbook has"),
    ("<row><c>", "is no XML"),
    (f"<row><c r='{'A' * 2**22}'/></row>", "has a tag of more than 1,048,576 bytes"),
    (f"<row><c t='str'><v>{'a' * (2**24 + 1)}</v></c></row>", "row 1 has more than 16,777,216 characters"),
]


@pytest.mark.parametrize(("xml", "told"), BROKEN, ids=[told for _, told in BROKEN])
def test_a_broken_sheet_refuses_the_file(xml: str, told: str) -> None:
    assert told in why(with_rows(xml), max_ratio=10**6)


def test_entities_are_refused() -> None:
    bomb = b"""<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>"""
    assert "document type" in why(replaced(workbook({"S": [["a"]]}), {"xl/worksheets/sheet1.xml": bomb}))


def test_a_bomb_is_refused_before_it_is_opened() -> None:
    book = replaced(workbook({"S": [["a"], ["1"]]}), {"xl/media/image1.png": bytes(2**26)})
    assert "beyond max_ratio (100)" in why(book, max_ratio=100)
    assert "larger than max_bytes (1,000 bytes, decompressed)" in why(book, max_bytes=1000)
    assert rows(book, columns("integer"))[0] == [(1,)]


def test_files_of_another_kind_are_told_by_name() -> None:
    book = workbook({"S": [["a"]]})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as other:
        other.writestr("a.csv", "a\n1\n")
    relations = part(book, "_rels/.rels").replace(b"xl/workbook.xml", b"xl/workbook.bin")
    assert why(b"a,b\n1,2\n") == "it is no XLSX file"
    assert "old Excel file (XLS), or has a password" in why(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    assert "no workbook in it" in why(out.getvalue())
    assert "binary workbook (XLSB)" in why(replaced(book, {"_rels/.rels": relations}))
    assert "ZIP archive is broken" in why(book[: len(book) // 2])
    assert "sheet1.xml is missing" in why(replaced(book, {"xl/worksheets/sheet1.xml": None}))
    assert "hasn't a byte" in why(b"")


def test_damage_is_seen() -> None:
    book = bytearray(workbook({"S": [["a"], *([str(number)] for number in range(5000))]}))
    at = book.index(b"xl/worksheets/sheet1.xml") + 2000
    book[at] ^= 0xFF
    assert "broken" in why(bytes(book))


def test_however_many_rows_a_batch_has_they_are_the_same() -> None:
    many = [[number, f"w{number}", number % 2 == 0] for number in range(30_000)]
    many[20_000][0] = "bad"
    good, refused = rows(workbook({"S": [["a", "b", "c"], *many]}), columns("integer", "text", "boolean"))
    assert good == [tuple(row) for row in many if row[0] != "bad"]
    assert refused == [(20_002, "a", f"`bad` is no integer{NULL}")]


def test_a_workbook_is_loaded(landing: Landing) -> None:
    """From S3 into PostgreSQL, with a refused row, a new column and one that is missing."""
    day = dt.date(2024, 6, 1)
    book = workbook({"Sales": [
        ["Sales of June"], [], ["ID", "Amount ", "day", "at", "who"], [1, 12.5, day, dt.datetime(2024, 6, 1, 8), "Ann"],
        [2, Formula("=1/0", "#DIV/0!"), day, None, "Bob"], [3, 0.1, day, None, "Eve"], ["Total", 12.6],
    ]})  # fmt: skip
    landing.put("in/june.xlsx", book)
    declared = {"id": "integer", "amount": "numeric(12,2)", "day": "date", "at": "timestamptz", "shop": "text"}
    source = landing.source(
        "in/", "xlsx", declared, skip_rows=2, skip_footer=1, max_reject_rate=0.5, time_zone="Europe/Berlin"
    )
    assert landing.load(source).failures == []
    at = dt.datetime(2024, 6, 1, 6, tzinfo=dt.timezone.utc)
    assert landing.rows(columns="id, amount, day, at, shop, who") == [
        (1, Decimal("12.50"), day, at, None, "Ann"), (3, Decimal("0.10"), day, None, None, "Eve"),
    ]  # fmt: skip
    assert landing.query("select line_number, column_name, reason from loader.rejected_rows") == [
        (5, "amount", "`#DIV/0!` is an error of Excel's, and no value (null_values: it means null)")
    ]
    assert landing.load(source).tables["shop.sales"].files == 0


def test_a_large_workbook_and_one_in_an_archive_are_loaded(landing: Landing) -> None:
    """One is read by ranges, since it has more than 8 MB, the other from a copy."""
    book = workbook({"S": [["id", "name"], [1, "a"]]})
    noise = hashlib.shake_256(b"noise").digest(9 * 2**20)  # doesn't shrink
    landing.put("in/large.xlsx", replaced(book, {"xl/media/image1.png": noise}))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("two.xlsx", workbook({"S": [["name", "id"], ["b", 2]]}))
        opened.writestr("readme.txt", "hello")
    landing.put("zipped/two.zip", archive.getvalue())
    assert landing.load(landing.source("in/", "xlsx")).failures == []
    assert landing.load(landing.source("zipped/", "xlsx", zip_members="*.xlsx")).failures == []
    assert landing.rows() == [(1, "a"), (2, "b")]
