"""Fixed-width files: each field at its declared place, a line a row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from journey.loader.declaration.options import make
from journey.loader.errors import FileRefusedError
from journey.loader.formats import reader
from journey.loader.formats.lines import blocks
from journey.loader.values.meaning import Column, Meaning
from loader.memory import MemoryFile, read
from loader.support import Landing

PLACES = {"id": [1, 4], "name": [5, 10], "amount": [11, 18]}
COLUMNS = [Column("id", "integer"), Column("name", "text"), Column("amount", "numeric(12,2)")]
Rows = tuple[list[tuple[Any, ...]], list[tuple[int, str | None, str]]]


def rows(body: str | bytes, columns: list[Column] = COLUMNS, *, chunk: int = 2**20, **options: Any) -> Rows:
    """Good rows; line, column and reason of the others."""
    given: dict[str, Any] = {"fields": PLACES, **options}
    body = body.encode() if isinstance(body, str) else body
    good, refused = read(body, columns, "fixed", chunk=chunk, **given)
    return good, [(one.line, one.column, one.reason) for one in refused]


def declared(columns: list[Column] = COLUMNS, **options: Any) -> None:
    """Check a declaration."""
    kind = reader("fixed")
    kind.check(make(kind.Options, options), columns)


def test_fields_stand_at_their_places() -> None:
    body = "   1Ann      12.50\n   2Bob   -0000.05\n   3  \t          1\n"
    assert rows(body)[0] == [(1, "Ann", Decimal("12.50")), (2, "Bob", Decimal("-0.05")), (3, "\t", Decimal(1))]
    some = {"amount": [11, 18], "id": [1, 4]}  # in any order, with gaps
    assert rows(body, COLUMNS[::2], fields=some)[0] == [(1, Decimal("12.50")), (2, Decimal("-0.05")), (3, Decimal(1))]


def test_blanks_around_a_value_are_padding() -> None:
    body = "   1 A  B        1\n      x          2\n"
    assert rows(body) == ([(1, "A  B", Decimal(1)), (None, "x", Decimal(2))], [])
    text = [COLUMNS[1]]
    kept = rows("ab  \n    \n", text, fields={"name": [1, 4]}, padding="keep")
    assert kept == ([("ab  ",)], [(2, None, "an empty line (skip_blank_lines passes over them)")])
    reason = "`   1` is no integer: blanks stand around it (trim)"
    assert rows("   1Ann          1\n", padding="keep")[1][0] == (1, "id", reason)


def test_a_bad_row_costs_no_good_one() -> None:
    body = "   1Ann      12.50\n  x2Bob          1\n   3Eve        1,5\n   4Zoe          4\n"
    good, refused = rows(body)
    assert good == [(1, "Ann", Decimal("12.50")), (4, "Zoe", Decimal(4))]
    remedy = "decimal_mark and thousands_mark say how numbers are written"
    assert refused == [
        (2, "id", "`x2` is no integer: declare null_values if it means null"),
        (3, "amount", f"`1,5` is no numeric(12,2): {remedy}"),
    ]
    assert [one.raw for one in read(body.encode(), COLUMNS, "fixed", fields=PLACES)[1]] == body.splitlines()[1:3]


def test_a_line_of_another_length_is_refused() -> None:
    body = "   1Ann          1\n   2Bob\n   3Eve          3 \n   4Zoe          4\n"
    good, refused = rows(body)
    assert good == [(1, "Ann", Decimal(1)), (4, "Zoe", Decimal(4))]
    assert refused == [
        (2, None, "7 characters instead of 18 (short_rows: null reads what is missing as blank)"),
        (3, None, "19 characters instead of 18 (long_rows: ignore passes over the rest)"),
    ]
    good, refused = rows(body, short_rows="null", long_rows="ignore")
    assert (good, refused) == (
        [(1, "Ann", Decimal(1)), (2, "Bob", None), (3, "Eve", Decimal(3)), (4, "Zoe", Decimal(4))], []
    )  # fmt: skip


def test_line_ends() -> None:
    line = "   1Ann          1"
    for body in (line, line + "\n", line + "\r\n", line + "\r"):
        assert rows(body) == ([(1, "Ann", Decimal(1))], [])
    assert rows(f"{line}\n\n{line}\r\n\r\n")[1] == [
        (2, None, "an empty line (skip_blank_lines passes over them)"),
        (4, None, "an empty line (skip_blank_lines passes over them)"),
    ]
    assert rows(f"{line}\n\n  \n{line}\n", skip_blank_lines=True) == ([(1, "Ann", Decimal(1))] * 2, [])
    assert rows(line.replace("Ann", "A\rn"))[1] == [(1, None, "a carriage return alone inside a line")]
    assert rows(line.replace("Ann", "A\0n"))[1] == [(1, None, "a NUL stands in it, and PostgreSQL has none")]
    assert rows("") == ([], [])


def test_lines_that_are_no_rows() -> None:
    body = "REPORT\n=====\n   1Ann          1\n* page 2\n   2Bob          2\nTOTAL  3\n"
    wanted = [(1, "Ann", Decimal(1)), (2, "Bob", Decimal(2))]
    assert rows(body, skip_rows=2, skip_footer=1, comment="*") == (wanted, [])
    assert rows(body + "\x1a", skip_rows=2, skip_footer=1, comment="*", ctrl_z=True) == (wanted, [])
    assert [line for line, *_ in rows(body, skip_rows=1, comment="*")[1]] == [2, 6]


def test_positions_count_characters_or_bytes() -> None:
    body = "   1Zoë       9.00\n   2Björk     1.00\n"
    wanted = [(1, "Zoë", Decimal(9)), (2, "Björk", Decimal(1))]
    assert rows(body) == (wanted, [])
    assert rows(body.encode("cp1252"), encoding="cp1252") == (wanted, [])
    assert rows(body.encode("cp1252"), encoding="cp1252", positions="bytes") == (wanted, [])
    assert rows(body.encode("utf-16"), encoding="utf-16") == (wanted, [])
    assert rows(b"\xef\xbb\xbf" + body.encode()) == (wanted, [])
    of_bytes = "   1Zoë      9.00\n   2Björk    1.00\n"
    assert rows(of_bytes, positions="bytes") == (wanted, [])
    assert rows(of_bytes)[1][0][2].startswith("17 characters instead of 18")
    cut = rows(b"   1abcde\xc3\xab   9.00\n", positions="bytes")
    assert cut[1] == [(1, "name", "a field's edge cuts a character in two (positions)")]


def test_a_line_that_is_not_of_the_encoding_is_refused() -> None:
    body = b"   1Ann          1\n   2B\xf6b          2\n   3Eve          3\n"
    good, refused = rows(body)
    assert good == [(1, "Ann", Decimal(1)), (3, "Eve", Decimal(3))]
    assert refused == [(2, None, "byte 6 is not of the declared encoding (encoding)")]
    assert rows(body, encoding="cp1252")[1] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00001250", "12.50"), ("-0000005", "-0.05"), ("+    125", None), ("+0000125", "1.25"), ("       5", "0.05"),
     ("       0", "0.00"), ("12345678", "123456.78"), ("   12.50", None), ("00001250-", None), ("0000125{", None)],
)  # fmt: skip
def test_implied_decimals(text: str, expected: str | None) -> None:
    column = [Column("amount", "numeric(12,2)", Meaning(decimal_mark=","))]
    options: dict[str, Any] = {"fields": {"amount": [1, len(text)]}, "implied_decimals": {"amount": 2}}
    good, refused = rows(text + "\n", column, **options)
    if expected is None:
        told = f"`{text.strip()}` is no whole number, and implied_decimals: 2 is declared"
        assert refused == [(1, "amount", told)]
    else:
        assert (good, refused) == ([(Decimal(expected),)], [])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "fields is missing"),
    ({"fields": {"id": [0, 4]}}, "must be a mapping of columns"),
    ({"fields": {"id": [4, 1]}}, "must be a mapping of columns"),
    ({"fields": {"id": 4}}, "must be a mapping of columns"),
    ({"fields": {"nobody": [1, 4]}}, "'nobody', which is not a declared column"),
    ({"fields": {"id": [1, 4], "name": [4, 5]}}, "'id' and 'name' both have position 4"),
    ({"fields": {"id": [1, 4]}, "implied_decimals": {"amount": 2}}, "which fields doesn't have"),
    ({"fields": {"id": [1, 4]}, "implied_decimals": {"id": "2"}}, "must be a mapping of columns to numbers"),
    ({"fields": {"id": [1, 4]}, "positions": "bytes", "encoding": "utf-16"}, "bytes doesn't go with utf-16"),
]


@pytest.mark.parametrize(("options", "told"), WRONG)
def test_what_is_no_declaration(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"external\.options") as caught:
        declared(**options)
    assert told in str(caught.value)


def test_every_declared_column_has_a_place() -> None:
    with pytest.raises(FileRefusedError, match="fields doesn't say where column 'amount' stands"):
        rows("   1Ann\n", fields={"id": [1, 4], "name": [5, 7]})


def test_a_line_without_an_end_is_refused_in_little_memory() -> None:
    line = b"   1Ann          1\n"
    body = line + b"x" * (2**24 + 2**20) + b"\n" + line + b"z" + line
    good, refused = rows(body)
    assert good == [(1, "Ann", Decimal(1))] * 2
    assert refused[0] == (2, None, "a line of more than 16,777,216 bytes")
    assert [line for line, *_ in refused] == [2, 4]


@pytest.mark.parametrize("options", [{}, {"positions": "bytes"}, {"positions": "bytes", "encoding": "cp1252"}])
def test_kept_rows_are_read_again(options: dict[str, Any]) -> None:
    body = "head\n   xZoë       9.00\nfoot\n".encode(options.get("encoding", "utf-8"))
    if options == {"positions": "bytes"}:
        body = body.replace(b"       9", b"      9")
    given = {"fields": PLACES, "skip_rows": 1, "skip_footer": 1, **options}
    [bad] = read(body, COLUMNS, "fixed", **given)[1]
    kind = reader("fixed")
    head, plain = kind.of_kept(list(PLACES), make(kind.Options, given))
    text = [Column("id", "text"), *COLUMNS[1:]]
    opened = kind(MemoryFile(head + str(bad.raw).encode() + b"\n"), plain, text)
    [batch] = list(opened.read(text)) if opened.names() else []
    assert [array.to_pylist() for array in batch.arrays] == [["x"], ["Zoë"], [Decimal(9)]]


LINES = st.lists(st.text(st.sampled_from("ab \r\xe9"), max_size=4), max_size=6)


@settings(max_examples=200, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.integers(1, 7))
@example(["a\r", ""], "\n", 1)
def test_lines_are_cut_as_they_are_whatever_the_chunks(lines: list[str], end: str, chunk: int) -> None:
    body = (end.join(lines)).encode()
    found = [text for block in blocks(MemoryFile(body, chunk).stream()) for text in block.texts.to_pylist()]
    expected = body.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert found == [line.removesuffix(b"\r") for line in expected]


WORDS = st.text(st.characters(exclude_characters="\n\r\0 ", exclude_categories=["Cs"]), max_size=6)
WRITTEN = st.lists(st.tuples(st.integers(0, 9999), WORDS, st.decimals(-999, 9999, places=2)), max_size=20)


@settings(max_examples=100, deadline=None)
@given(WRITTEN, st.integers(1, 50))
def test_what_was_written_is_what_is_read(written: list[tuple[int, str, Decimal]], chunk: int) -> None:
    body = "".join(f"{number:>4}{word:<6}{amount:>8}\n" for number, word, amount in written)
    good, refused = rows(body, chunk=chunk)
    assert (good, refused) == ([(number, word or None, amount) for number, word, amount in written], [])


def test_many_blocks_are_one_file() -> None:
    body = "".join(f"{number % 10_000:>4}{'w':<6}{number:>8}\n" for number in range(600_000)).encode()
    body = body.replace(b"  499999\n", b"  4999x9\n")
    good, refused = rows(body)
    assert [amount for _, _, amount in good] == [number for number in range(600_000) if number != 499_999]
    assert refused == [(500_000, "amount", "`4999x9` is no numeric(12,2)")]


def test_a_banks_statement_is_loaded(landing: Landing) -> None:
    """From S3 into PostgreSQL: header and trailer, digits with implied decimals, dates without marks, a bad row."""
    fields = {"account": [2, 11], "day": [12, 19], "kind": [20, 20], "amount": [21, 32], "purpose": [33, 52]}
    lines = [
        "0MUSTERBANK AG          20240630" + " " * 20,
        "5000123456720240603C000000012550Miete Juni          ",
        "5000123456720240631D000000000999Gibt es nicht       ",
        "50001234567        D000000000999Gebühr für Konto    ",
        "9000000003" + " " * 42,
    ]
    landing.put("in/statement.txt", ("\r\n".join(lines) + "\r\n\x1a").encode("cp850"))
    columns = {"account": "text", "day": "date", "kind": "char(1)", "amount": "numeric(12,2)", "purpose": "text"}
    source = landing.source(
        "in/", "fixed", columns, fields=fields, encoding="cp850", skip_rows=1, skip_footer=1, ctrl_z=True,
        implied_decimals={"amount": 2}, date_format="%Y%m%d", max_reject_rate=0.5,
    )  # fmt: skip
    assert landing.load(source).failures == []
    assert landing.rows(columns="account, day, kind, amount, purpose") == [
        ("0001234567", dt.date(2024, 6, 3), "C", Decimal("125.50"), "Miete Juni"),
        ("0001234567", None, "D", Decimal("9.99"), "Gebühr für Konto"),
    ]
    [(line, column, reason, raw)] = landing.query(
        "select line_number, column_name, reason, raw_text from loader.rejected_rows"
    )
    assert (line, column, raw) == (3, "day", lines[2])
    assert reason == "`20240631` is no date: day is out of range for month"
