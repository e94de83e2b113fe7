"""Whole lines of CSV: cut as a strict grammar says, each what it is alone, whatever stands beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from journey.loader.values.meaning import Column, Meaning
from loader import oracle
from loader.memory import read
from loader.test_values import STAMP, STAMPTZ, WORDS, columns, plain, texts

TEXT = Meaning(null_values=())
PIECES = ['"', '""', ",", "\n", "\r\n", "a", " ", "é", "x,", '",', ',"', '"\n', '\n"', "'", "|", "1"]


def tokens(text: str, quote: str = '"', delimiter: str = ",") -> tuple[list[list[str]], set[int]]:
    """Records and the first lines of the refused ones, by a grammar of one character at a time.

    A quote is one where a field begins; inside, two are one; behind the closing one comes a delimiter or a line end. A
    record that isn't so is refused with its first line, and the next line begins another one.
    """
    records: list[list[str]] = []
    refused: set[int] = set()
    at, line = 0, 1
    while at < len(text):
        try:
            record, end = _record(text, at, quote, delimiter)
        except SyntaxError:
            refused.add(line)
            end = text.find("\n", at) + 1 or len(text)
        else:
            records.append(record)
        line += text.count("\n", at, end)
        at = end
    return records, refused


def _record(text: str, at: int, quote: str, delimiter: str) -> tuple[list[str], int]:
    fields = []
    while True:
        if text[at : at + 1] == quote:
            field, at = _quoted(text, at + 1, quote)
            if not text.startswith((delimiter, "\n", "\r\n"), at) and at < len(text) and text[at:] != "\r":
                raise SyntaxError
        else:
            field = re.compile(f"[^{delimiter}\n]*").match(text, at)[0]  # type: ignore[index]
            at += len(field)
            if text[at : at + 1] != delimiter:
                field = field.removesuffix("\r")
            if "\r" in field:
                raise SyntaxError
        fields.append(field)
        if text[at : at + 1] != delimiter:
            end = text.find("\n", at) + 1
            return fields, end or len(text)
        at += 1


def _quoted(text: str, at: int, quote: str) -> tuple[str, int]:
    field = ""
    while True:
        end = text.find(quote, at)
        if end < 0:
            raise SyntaxError
        field += text[at:end]
        if text[end + 1 : end + 2] != quote:
            return field, end + 1
        field, at = field + quote, end + 2


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.sampled_from([1, 2, 3, 5, 2**20]), st.integers(1, 3)
)
@example('"a"x\n1\n', 2**20, 1)
@example('1,"\n2\n"', 2**20, 1)
def test_fields_are_cut_by_the_strict_grammar(text: str, chunk: int, width: int) -> None:
    first = re.search(r"\r?\n|\r", text)
    assume(not first or first[0] != "\r")
    declared = [Column(f"c{i}", "text", TEXT) for i in range(width)]
    records, refused = tokens(text)
    empty = sum(record == [""] for record in records) if width > 1 else 0
    good = [tuple(record) for record in records if len(record) == width]
    uneven = sum(len(record) != width for record in records) - empty
    rows, bad = read(text.encode(), declared, chunk=chunk, header=False)
    assert rows == good
    assert refused <= {one.line for one in bad}
    assert len(bad) == len(refused) + uneven + empty


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.text(st.sampled_from('"a,\né'), max_size=6), min_size=2, max_size=2), max_size=20),
    st.booleans(),
)
def test_what_is_written_is_read_again(rows: list[list[str]], crlf: bool) -> None:
    written = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    body = "".join(line + ("\r\n" if crlf else "\n") for line in written)
    assert read(body.encode(), [Column("a", "text", TEXT), Column("b", "text", TEXT)], header=False) == (
        [tuple(row) for row in rows], []
    )  # fmt: skip


WRITTEN: dict[str, tuple[dict[str, Any], Callable[[str], str]]] = {  # how each of these is written as a field, by the options that read it so
    "quotes": ({}, lambda text: '"' + text.replace('"', '""') + '"'),
    "escapes": ({"escape": "\\"}, lambda text: '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'),
    "escapes without quotes": (
        {"escape_unquoted": True, "quote": None}, lambda text: re.sub(r'([\\,\n"])', r"\\\1", text) or "\\N"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.sampled_from('"a,\n\\é1'), min_size=1, max_size=4), min_size=1, max_size=3), max_size=9
    ),
    st.sampled_from([1, 5, 2**20]),
)
@example([["1", "2", "3"], ["4"], ["5", "6", "7"], ["8\n", ","]], 2**20)
def test_short_rows_are_filled_where_they_stand(how: str, rows: list[list[str]], chunk: int) -> None:
    """In the file's order, with null whatever null_values are; their texts are read as those of other rows."""
    options, write = WRITTEN[how]
    body = "".join(",".join(map(write, row)) + "\n" for row in rows)
    columns = [Column(name, "text", Meaning(null_values=("-",))) for name in "abc"]
    assert read(body.encode(), columns, chunk=chunk, header=False, short_rows="null", **options) == (
        [(*row, *[None] * (3 - len(row))) for row in rows], []
    )  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", "||"])
def test_a_header_that_comes_again_is_told(delimiter: str) -> None:
    columns = [Column("id", "integer", TEXT), Column("n", "integer", TEXT)]
    body = "id,n\n1,2\nid,n\nid,m\n".replace(",", delimiter)
    _, refused = read(body.encode(), columns, delimiter=delimiter)
    assert [(one.line, "repeated_header: skip" in one.reason, one.raw) for one in refused] == [
        (3, True, f"id{delimiter}n".encode()), (4, False, f"id{delimiter}m".encode()),
    ]  # fmt: skip


def test_a_short_row_is_refused_for_what_it_has() -> None:
    columns = [
        Column("id", "integer", Meaning(null_values=("-",))),
        Column("n", "integer", Meaning(null_values=("-",))),
    ]
    rows, refused = read(b"1,2\n3\nx\n4,y\n5,6\n", columns, header=False, short_rows="null")
    assert rows == [(1, 2), (3, None), (5, 6)]
    assert [(one.line, one.column) for one in refused] == [(3, "id"), (4, "n")]


def expected(text: str, column: Column, *, quoted: bool) -> tuple[bool, Any]:
    """Whether a field is a value, and which."""
    meaning = column.meaning
    shown = text.strip() if meaning.trim else text
    if shown in meaning.null_values and (not quoted or meaning.quoted_nulls or shown != text):  # blanks hide the quotes
        return True, None
    try:
        return True, oracle.value(text, column.type, meaning)
    except oracle.NoValueError:
        return False, None


def line(position: int, text: str, *, quoted: bool) -> str:
    """A row of a number and a field."""
    return f'{position};"{text}"\n' if quoted else f"{position};{text}\n"


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(st.tuples(texts(), st.booleans()), min_size=1, max_size=6),
    columns(),
    st.sampled_from([(), ("",), ("NULL", "")]),
    st.booleans(),
)
@example([("2024-06-01 10:00:00.123456", False)], Column("v", "timestamp(3) without time zone", Meaning()), (), False)
@example([("", True), ("", False), (" ", False)], Column("v", "text", Meaning(trim=True)), ("",), False)
@example([("9999-12-31 23:59:59-05", False)], Column("v", STAMPTZ, Meaning()), (), False)
def test_fields_are_what_their_texts_are(
    fields: list[tuple[str, bool]], column: Column, nulls: tuple[str, ...], quoted_nulls: bool
) -> None:
    column = column._replace(
        meaning=Meaning(**{**vars(column.meaning), "null_values": nulls, "quoted_nulls": quoted_nulls})
    )
    check([(re.sub(r'[";\r\n\0]', "", text), quoted) for text, quoted in fields], column)


def check(fields: list[tuple[str, bool]], column: Column) -> None:
    """Each field is what the oracle says of its text alone."""
    declared = [Column("n", "integer"), column]
    body = "".join(line(i, text, quoted=quoted) for i, (text, quoted) in enumerate(fields, 1))
    rows, refused = read(body.encode(), declared, header=False, delimiter=";")
    good = dict(rows)
    bad = {one.line for one in refused}
    for i, (text, quoted) in enumerate(fields, 1):
        accepted, right = expected(text, column, quoted=quoted)
        told = f"{text!r} as {column.type} by {column.meaning}: "
        assert (i in good, i in bad) == (accepted, not accepted), told + (
            f"read as {good.get(i)!r}, should be {right!r}"
        )
        if accepted:
            assert plain(good[i], column) == plain(right, column), told + f"{good[i]!r}, and should be {right!r}"


@pytest.mark.parametrize("kind", ["smallint", "integer", "bigint", "numeric(10,2)", "numeric", "real",
"double precision", "date", STAMP, STAMPTZ,
                                  "timestamp(3) without time zone", "boolean", "time without time zone",
                                  "uuid"])  # fmt: skip
def test_each_word_alone_in_a_file(kind: str) -> None:
    """With nothing declared: what Arrow's parser reads by itself is what we read."""
    for text in WORDS:
        if not set(text) & set('";\n\r\0'):
            check([(text, False)], Column("v", kind))


@settings(max_examples=200, deadline=None)
@given(texts(), columns(), st.lists(texts(), max_size=5))
def test_a_row_is_the_same_alone_among_good_and_among_bad_rows(text: str, column: Column, others: list[str]) -> None:
    text, *others = (re.sub(r'[";\r\n\0]', "", one) for one in (text, *others))
    declared = [Column("n", "integer"), column]
    results = []
    for beside in ([], others, ["x\tbad"] * 3, ["1", "2024-06-01", ""], ['"a"b', "extra;field"]):
        body = "".join(f"{i};{one}\n" for i, one in enumerate([*beside, text, *beside], 100)).replace(
            f"{100 + len(beside)};", "7;"
        )
        rows, refused = read(body.encode(), declared, header=False, delimiter=";")
        mine = [plain(value, column) for number, value in rows if number == 7]
        results.append((mine, [one.reason for one in refused if one.line == len(beside) + 1]))
    assert all(result == results[0] for result in results), results
