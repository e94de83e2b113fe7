"""Whole lines of CSV: cut as a strict grammar says, each what it is alone, whatever stands beside it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from journey.loader.errors import FileRefusedError
from journey.loader.formats import reader
from journey.loader.formats import records as cutting
from journey.loader.formats.dialect import CsvOptions
from journey.loader.values.meaning import Column, Meaning
from loader import oracle
from loader.memory import MemoryFile, read
from loader.test_values import STAMP, STAMPTZ, WORDS, columns, plain, texts

TEXT = Meaning(null_values=())
PIECES = ['"', '""', ",", "\n", "\r\n", "a", " ", "é", "x,", '",', ',"', '"\n', '\n"', "'", "|", "1", "\n#", '"x\ny"']
ESCAPES = ["\\", '\\"', "\\\\"]
Fields = list[str | None]


def tokens(
    text: str, quote: str = '"', delimiter: str = ",", comment: str = "\0", escape: str = "\0"
) -> tuple[list[tuple[int, Fields]], set[int]]:
    """Records with their first lines, and the first lines of the refused ones, by a grammar of one character at a time.

    A quote is one where a field begins; inside, two are one; behind the closing one comes a delimiter or a line end. A
    record that isn't so is refused with its first line, and the next line begins another one. A field without a
    character is null, unless it has quotes. A line that begins as a comment does is none, whatever is in it.
    """
    records: list[tuple[int, Fields]] = []
    refused: set[int] = set()
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        if not text.startswith(comment, at):
            try:
                record, end = _record(text, at, quote, delimiter, escape)
            except SyntaxError:
                refused.add(line)
            else:
                records.append((line, record))
        line += text.count("\n", at, end)
        at = end
    return records, refused


def _record(text: str, at: int, quote: str, delimiter: str, escape: str) -> tuple[Fields, int]:
    fields: Fields = []
    while True:
        field: str | None
        if text[at : at + 1] == quote:
            field, at = _quoted(text, at + 1, quote, escape)
            if not text.startswith((delimiter, "\n", "\r\n"), at) and at < len(text) and text[at:] != "\r":
                raise SyntaxError
        else:
            field = re.compile(f"[^{delimiter}\n]*").match(text, at)[0]  # type: ignore[index]
            at += len(field)
            if text[at : at + 1] != delimiter:
                field = field.removesuffix("\r")
            if "\r" in field:
                raise SyntaxError
            field = field or None
        fields.append(field)
        if text[at : at + 1] != delimiter:
            end = text.find("\n", at) + 1
            return fields, end or len(text)
        at += 1


def _quoted(text: str, at: int, quote: str, escape: str) -> tuple[str, int]:
    field = ""
    while at < len(text):
        here, after = text[at], text[at + 1 : at + 2]
        if here == quote and after != quote:
            return field, at + 1
        is_pair = here in (quote, escape)
        if is_pair and not after:
            break
        field, at = field + (after if is_pair else here), at + 1 + is_pair
    raise SyntaxError


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, *ESCAPES]), max_size=30).map("".join),
    st.sampled_from([1, 2, 3, 5, 2**20]),
    st.sampled_from([1, 8, 20, 2**21]),
    st.integers(1, 3),
    st.fixed_dictionaries({}, optional={
        "comment": st.just("#"), "escape": st.just("\\"), "skip_blank_lines": st.just(True),
        "short_rows": st.just("null"),
    }),
)  # fmt: skip
@example('"a"x\n1\n', 2**20, 2**21, 1, {})
@example('1,"\n2\n"', 2**20, 2**21, 1, {})
@example('1,2\n"",', 2**20, 2**21, 2, {})  # a last line without its end
@example('1,2\n"x"y,3\n', 5, 1, 2, {})  # a block ends within what is behind a closed quote
@example('1,a\n#x,"y\n2,b\n3,"\n', 2**20, 2**21, 2, {"comment": "#"})
@example('x"\n1\n2"\n', 2**20, 2**21, 2, {"short_rows": "null"})
@example('"a""b"\n"c\\"\n"', 2**20, 2**21, 1, {"escape": "\\"})
def test_fields_are_cut_by_the_strict_grammar(
    text: str, chunk: int, block: int, width: int, options: dict[str, Any]
) -> None:
    first = re.search(r"\r?\n|\r", text)
    assume(not first or first[0] != "\r")
    declared = [Column(f"c{i}", "text") for i in range(width)]
    records, refused = tokens(text, **{name: options[name] for name in ("comment", "escape") if name in options})
    lines = text.split("\n")
    blank = {line for line, _ in records if not lines[line - 1].removesuffix("\r")} if width > 1 else set()
    if "skip_blank_lines" in options:
        records = [(line, record) for line, record in records if lines[line - 1].removesuffix("\r")]
    short = [width] if "short_rows" not in options else range(1, width + 1)
    good = [(*record, *[None] * (width - len(record))) for line, record in records
            if len(record) in short and line not in blank]  # fmt: skip
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cutting, "BLOCK_BYTES", block)
        rows, bad = read(text.encode(), declared, chunk=chunk, header=False, **options)
    assert rows == good
    assert refused <= {one.line for one in bad}
    assert len(bad) == len(refused) + len(records) - len(good)


ANY: dict[str, Any] = {
    "delimiter": "||", "comment": "#", "escape_unquoted": True, "skip_blank_lines": True, "short_rows": "null",
    "trailing_delimiter": True, "skip_footer": 1, "skip_rows": 1, "ctrl_z": True, "repeated_header": "skip",
    "encoding": "utf-16",
}  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, *ESCAPES, "\\\n", "#", "\x1a", "||", "||\n", "a||b||\n"]), max_size=25).map(
        "".join
    ),
    st.sets(st.sampled_from(list(ANY))),
    st.sampled_from([(1, 1), (3, 8), (7, 20)]),
)
@example("a||b\n1||2\n", {"delimiter"}, (1, 1))
@example('x"a||b"\\\n\\\n\n#z\n', {"escape_unquoted"}, (1, 1))
@example('\n"x\ny"', set(), (1, 1))
def test_where_chunks_and_blocks_end_changes_nothing(text: str, chosen: set[str], sizes: tuple[int, int]) -> None:
    options = {name: ANY[name] for name in chosen}
    last = "||" if "delimiter" in options else ","
    head = ("x\n" if "skip_rows" in options else "") + f"a{last}b{last if 'trailing_delimiter' in options else ''}\n"
    body = (head + text).encode(options.get("encoding", "utf-8"))
    found: list[Any] = []
    for chunk, block in (sizes, (2**20, 2**21)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(cutting, "BLOCK_BYTES", block)
            try:
                found.append(read(body, [Column("a", "text"), Column("b", "text")], chunk=chunk, **options))
            except FileRefusedError as error:
                found.append(([str(error)], []))
    assert found[0] == found[1]


@pytest.mark.parametrize("chunk", [7, 60, 2**20])
@pytest.mark.parametrize(
    "line",
    ["x" * 200 + ",y", "1," + "x" * 200, "#" + "x" * 100 + ",y", '1,"' + "x" * 200 + '"', '"' + "x" * 100 + '"z,y'],
)
def test_a_line_that_is_too_long_is_one_refused_row_at_most(
    line: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of it, once the buffer is full, is no row."""
    monkeypatch.setattr(cutting, "RECORD_BYTES", 50)
    monkeypatch.setattr(cutting, "BLOCK_BYTES", 20)
    rows, refused = read(
        f'1,"a"\n{line}\n2,b\nx"\n'.encode(), [Column("a", "text"), Column("b", "text")], chunk=chunk, header=False,
        comment="#",
    )  # fmt: skip
    assert rows in ([("1", "a"), ("2", "b")], [("1", "a"), tuple(line.replace('"', "").split(",")), ("2", "b")])
    assert [one.line for one in refused] in ([2, 4], [4])


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
def test_a_carriage_return_in_quotes_ends_no_line(chunk: int) -> None:
    columns = [Column("id", "integer"), Column("n", "text")]
    in_a_row = read(b'1,"a\rb"\r\n2,c\r\n', columns, chunk=chunk, header=False)
    assert in_a_row == ([(1, "a\rb"), (2, "c")], [])
    assert read(b'id,"x""\ry"\r\n1,a\r\n', columns, chunk=chunk) == ([(1, "a")], [])
    assert read(b'id,"n,x"\r1,a\r2,"b"\r', columns, chunk=chunk) == ([(1, "a"), (2, "b")], [])
    in_the_footer = read(b'id,n\n1,a\nT,"x\ry"\n', columns, chunk=chunk, skip_footer=1)
    assert in_the_footer == ([(1, "a")], [])
    assert read(b"id,n\r1,a\rT,x\r", columns, chunk=chunk, skip_footer=1) == ([(1, "a")], [])


@pytest.mark.parametrize(
    ("kind", "meaning", "expected"),
    [
        ("text", {}, "a||b"),
        ("character varying(4)", {}, "a||b"),
        ("character varying(3)", {}, "`a||b` is longer than character varying(3) allows"),
        ("text", {"null_values": ("a||b",), "quoted_nulls": True}, None),
        ("date", {"date_format": ("%Y||%m||%d",)}, dt.date(2024, 1, 2)),
        ("integer", {}, "`a||b` is no integer: declare null_values if it means null"),
    ],
)
def test_a_long_delimiter_in_quotes_is_what_it_is(kind: str, meaning: dict[str, Any], expected: Any) -> None:
    field = "2024||01||02" if kind == "date" else "a||b"
    rows, refused = read(f'id||n\n1||"{field}"\n'.encode(), [Column("id", "integer"), Column("n", kind, Meaning(**meaning))],
                         delimiter="||")  # fmt: skip
    assert [one.reason for one in refused] or rows == [(1, expected)]
    assert rows or [one.reason for one in refused] == [expected]


def test_a_long_delimiter_in_a_name_is_what_it_is() -> None:
    opened = reader("csv")(MemoryFile(b'id||"x||y"\n'), CsvOptions(delimiter="||"), [Column("id", "integer")])
    assert opened.names() == ["id", "x||y"]


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
