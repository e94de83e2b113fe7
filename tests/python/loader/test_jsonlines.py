"""JSON: what values may be, and how records stand in files."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from journey.loader.errors import FileRefusedError
from journey.loader.formats.jsonlines import JsonReader
from journey.loader.formats.jsontext import blocks, buffer
from journey.loader.values.meaning import Column, Meaning
from loader.json_files import Bytes, read


@pytest.mark.parametrize("few", [1, 10**9])
@pytest.mark.parametrize(
    ("kind", "meaning", "raw", "value"),
    [
        ("integer", {}, "1362.0", "whole_decimals"),
        ("integer", {"whole_decimals": True}, "1362.0", 1362),
        ("integer", {}, "true", "a boolean and no integer"),
        ("integer", {}, '""', "quoted_nulls"),
        ("integer", {"quoted_nulls": True}, '""', None),
        ("integer", {"null_values": ("N/A",)}, '"N/A"', None),
        ("integer", {"null_values": ("-999",)}, "-999", None),
        ("integer", {}, '{"a": 1}', "an object and no integer"),
        ("integer", {}, "NaN", "special_values"),
        ("integer", {"special_values": "null"}, "NaN", None),
        ("numeric(4,2)", {}, "NaN", "special_values"),
        ("numeric(4,2)", {}, "1.505", "extra_digits"),
        ("numeric(4,2)", {"extra_digits": "round"}, "1.505", Decimal("1.51")),
        ("numeric(4,2)", {"decimal_mark": ","}, "1.5", Decimal("1.50")),
        ("numeric(4,2)", {"decimal_mark": ","}, '"1,5"', Decimal("1.50")),
        ("numeric(4,2)", {"decimal_mark": ","}, '"1.5"', "decimal_mark"),
        ("numeric", {}, "0.1000000000000000055", "0.1000000000000000055"),
        ("double precision", {}, "-Infinity", float("-inf")),
        ("double precision", {"special_values": "refuse"}, "-Infinity", "special_values"),
        ("date", {}, "20240601", "epoch_unit"),
        ("date", {"date_format": ("%Y%m%d",)}, "20240601", "epoch_unit"),
        ("timestamp with time zone", {}, "1717236000", "epoch_unit"),
        ("timestamp with time zone", {"epoch_unit": "ms"}, "1717236000123",
         datetime(2024, 6, 1, 10, 0, 0, 123000, timezone.utc)),
        ("timestamp(0) without time zone", {"epoch_unit": "ms"}, "1717236000123", "extra_digits"),
        ("timestamp(0) without time zone", {"epoch_unit": "ms", "extra_digits": "round"}, "1717236000500",
         datetime(2024, 6, 1, 10, 0, 1)),
        ("boolean", {}, "1", "a number and no boolean"),
        ("boolean", {"true_values": ("Y",), "false_values": ("N",)}, "true", True),
        ("boolean", {"true_values": ("Y",), "false_values": ("N",)}, '"N"', False),
        ("text", {}, '""', ""),
        ("text", {"quoted_nulls": True}, '""', None),
        ("text", {}, "1.50", "1.50"),
        ("text", {}, "false", "false"),
        ("text", {}, "NaN", "special_values"),
        ("text", {}, '{"x": 1.10, "y": [ ]}', '{"x": 1.10, "y": [ ]}'),
        ("text", {}, r'"a\ud83d\ude00\n\""', 'a\U0001f600\n"'),
        ("text", {}, r'"\ud83d"', "half a surrogate pair"),
        ("text", {}, r'"\u0000"', "NUL"),
        ("text", {}, r'["\u0000"]', "NUL"),
        ("text", {}, '{"a": 1, "a": 2}', "comes twice"),
        ("text", {}, "[NaN]", "no JSON"),
        ("text", {}, "[" * 200 + "]" * 200, "too deeply"),
        ("character varying(3)", {}, '"abcd"', "longer"),
        ("jsonb", {}, '"x"', '"x"'),
        ("jsonb", {}, "1.10", "1.10"),
        ("jsonb", {}, "[1, {}]", "[1, {}]"),
        ("text[]", {}, r'["a\"b", "{", "NULL", null, "", "c\\"]', r'{"a\"b","{","NULL",NULL,"","c\\"}'),
        ("text[]", {}, '[1, true, ["x"]]', '{1,true,{"x"}}'),
        ("text[]", {}, '"{x,y}"', "{x,y}"),
        ("text[]", {}, '[{"a": 1}]', r'{"{\"a\": 1}"}'),
        ("jsonb[]", {}, '["a", [1], {}]', r'{"\"a\"","[1]","{}"}'),
        ("integer[]", {}, '{"a": 1}', "an object and no integer[]"),
        ("inet", {}, '"10.0.0.1"', "10.0.0.1"),
        ("inet", {}, '["10.0.0.1"]', "an array and no inet"),
    ],
)  # fmt: skip
def test_what_a_value_may_be(
    kind: str, meaning: dict[str, Any], raw: str, value: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "FEW", few)
    outcome = read(f'{{"id": 1, "v": {raw}}}\n{{"id": 2, "v": null}}\n', [
        Column("id", "integer"), Column("v", kind, Meaning(**meaning))])  # fmt: skip
    if outcome.refused:
        (bad,) = outcome.refused
        assert bad.line == 1
        assert str(value) in bad.reason
        assert outcome.values == [(2, None)]
    else:
        assert outcome.values == [(1, value), (2, None)]


ID_NAME = [Column("id", "integer"), Column("name", "text")]
TWO = [(1, "a"), (2, "b")]
A, B = '{"id": 1, "name": "a"}', '{"id": 2, "name": "b"}'
PRETTY = json.dumps([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], indent=2)
BEFORE = '{"meta": {"data": {"items": [1]}, "n": ["]", 2]}, "data": {"items": '
ENVELOPE = f'{BEFORE}[{A}, {B}], "next": null}}, "x": []}}\n'


@pytest.mark.parametrize("size", [1, 5, 2**18])
@pytest.mark.parametrize(
    ("data", "form", "options"),
    [
        (f"{A}\n{B}\n", "jsonl", {}),
        (f"\r\n {A} \r\n\n\t\n{B}", "jsonl", {}),
        (f"{A}{B}", "jsonl", {"layout": "concatenated"}),
        (f" {A}\r\n\n{B}\t", "jsonl", {"layout": "concatenated"}),
        (PRETTY[1:-1].replace("},", "}"), "json", {"layout": "concatenated"}),
        (PRETTY, "json", {}),
        (f"[{A},{B}]", "jsonl", {"layout": "array"}),
        (f" [\n{A}\n,{B}\n]\n\n", "json", {}),
        (ENVELOPE, "json", {"path": "data.items"}),
    ],
)
def test_layouts(data: str, form: str, options: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(data, ID_NAME, form=form, size=size, **options).values == TWO
    monkeypatch.setattr(buffer, "BLOCK_BYTES", 8)
    monkeypatch.setattr(blocks, "FEW", 1)
    assert read(data, ID_NAME, form=form, size=size, **options).values == TWO


@pytest.mark.parametrize("data", ["[]", " [ ] ", '{"data": []}'])
def test_an_empty_array_has_no_rows(data: str) -> None:
    options: dict[str, Any] = {"path": "data"} if "data" in data else {}
    assert read(data, ID_NAME, form="json", **options).by_line == {}


def test_a_file_without_a_byte_has_no_names() -> None:
    assert JsonReader(Bytes(b""), JsonReader.Options(), ID_NAME).names() == []
    assert read(b"", ID_NAME).by_line == {}


def test_what_is_no_object_in_an_array_costs_itself() -> None:
    outcome = read(f'[{A}, 7, null,\n["x"], {B}, , {{"id": "x"}}]', ID_NAME, form="json")
    assert outcome.values == TWO
    assert [(one.line, one.column, one.reason) for one in outcome.refused] == [
        (1, None, "a JSON number instead of an object"),
        (1, None, "a JSON null instead of an object"),
        (2, None, "a JSON array instead of an object"),
        (2, None, "not JSON at character 1: an object is expected"),
        (2, "id", "`x` is no integer: declare null_values if it means null"),
    ]
    assert outcome.refused[2].raw == b'["x"]'


def test_a_bad_object_among_concatenated_ones_costs_itself() -> None:
    outcome = read(f'{A}{{"id": "x", "name": "}}{{"}}}} {B}', ID_NAME, layout="concatenated")
    assert outcome.values == TWO
    assert [(one.column, one.raw) for one in outcome.refused] == [("id", b'{"id": "x", "name": "}{"}'), (None, b"}")]


@pytest.mark.parametrize(
    ("data", "form", "options", "said"),
    [
        (PRETTY, "jsonl", {}, "it is one JSON array: declare layout: array"),
        (PRETTY, "jsonl", {"layout": "concatenated"}, "declare layout: array"),
        (f"{A}\n{B}\n", "json", {}, "declare layout: lines or concatenated, or the path"),
        ("id,name\n1,a\n", "json", {}, "no JSON array"),
        ("id,name\n1,a\n", "jsonl", {}, "it is no JSON: none of its records begins with {, the first is 'id,name'"),
        ("id,name\n1,a\n", "jsonl", {"layout": "concatenated"}, "it is no JSON"),
        (f"[{A},{B},", "json", {}, "cut short"),
        (f"[{A},{B}", "json", {}, "cut short"),
        (f"[{A},{B}}}", "json", {}, "closed by a brace"),
        (f"[{A}] x", "json", {}, "something follows"),
        (f'{{"data": [{A}]}}', "json", {"path": "data.items"}, "no array at path data.items"),
        ('{"data": {"items": {}}}', "json", {"path": "data.items"}, "what stands at path data.items is no array"),
        (f"[{A}]", "json", {"path": "data"}, "no JSON object"),
        (f'{{"data": [{A}]', "json", {"path": "data"}, "cut short"),
        (f'{{"data": [{A}]}} {{}}', "json", {"path": "data"}, "something follows"),
        (f'{A}{{"id": 2', "jsonl", {"layout": "concatenated"}, "begins in line 1 doesn't end: the file is cut short"),
        (f'{A}\n\n{{"id": 2, "name": "', "jsonl", {"layout": "concatenated"}, "begins in line 3 doesn't end"),
        ("\ufeff".encode("utf-16") + A.encode("utf-16-le"), "jsonl", {}, "declare encoding: utf-16"),
        (A.encode("utf-16-le"), "jsonl", {}, "declare encoding: utf-16-le"),
        (A.encode("utf-16-be"), "jsonl", {}, "declare encoding: utf-16-be"),
        (b"\xef\xbb\xbf" + A.encode(), "jsonl", {"encoding": "latin-1"}, "declare encoding: utf-8"),
    ],
)
def test_another_file_is_refused_with_the_option(
    data: str | bytes, form: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(FileRefusedError, match=re.escape(said)):
        read(data, ID_NAME, form=form, **options)


def test_a_path_needs_an_array() -> None:
    with pytest.raises(ValueError, match="declare layout: array"):
        read(A, ID_NAME, path="data")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (A + B, "layout: concatenated"),
        ("{", "layout: concatenated"),
        (A + ",", "not JSON at character 23: the object has ended"),
        ("{'id': 1}", "a key in double quotes"),
        ('{"id": None}', "not JSON at character 8: a value is expected"),
        ("[]", "a JSON array instead of an object"),
        ("null", "a JSON null instead of an object"),
        ('{"id": 1, "id": 2}', "the key `id` comes twice"),
        ('{"id": 1, "Id": 2}', "the keys `id` and `Id` are one column"),
        ('{"id": 1, "name": "\x01"}', "a control character"),
        ('{"id": 1, "name": "a}', "a text doesn't end"),
        ('{"id": 1, "\\u0000": 2}', "it can be no column"),
        ('{"id": 1, " ": 2}', "it can be no column"),
        ('{"id": 1, "_file_id": 2}', "the loader's own"),
        ('{"id": 1, "name": "K\\xf6ln"}', "not JSON at character"),
    ],
)
def test_a_bad_line_costs_itself(line: str, said: str) -> None:
    outcome = read("\n".join([A, line, B]), ID_NAME)
    assert outcome.values == TWO
    assert [(one.line, one.raw) for one in outcome.refused] == [(2, line.encode())]
    assert said in outcome.refused[0].reason


def test_a_line_of_another_encoding_costs_itself() -> None:
    lines = [A.encode()] * 50 + ['{"id": 1, "name": "K\u00f6ln"}'.encode("cp1252")] + [B.encode()]
    outcome = read(b"\n".join(lines), ID_NAME)
    assert len(outcome.rows) == 51
    assert [one.line for one in outcome.refused] == [51]
    assert "not UTF-8 at byte 21" in outcome.refused[0].reason
    assert "encoding" in outcome.refused[0].reason
    assert read(b"\n".join(lines), ID_NAME, encoding="windows-1252").values[50] == (1, "K\u00f6ln")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("size", [1, 2**18])
def test_encodings(encoding: str, size: int) -> None:
    data = '{"id": 1, "name": "K\u00f6ln"}\r\n'.encode(encoding)
    assert read(data, ID_NAME, size=size, encoding=encoding).values == [(1, "K\u00f6ln")]


@pytest.mark.parametrize("alien", [b"\x00\xd8", b"x"])
def test_what_is_no_utf_16_costs_its_line(alien: bytes) -> None:
    data = f"{A}\n".encode("utf-16-le") + alien[:2].ljust(2, b"\xd8") + f"{B}\n{B}\n".encode("utf-16-le") + alien[:1]
    outcome = read(data, ID_NAME, encoding="utf-16-le")
    assert outcome.values == TWO
    assert all("not utf-16-le" in one.reason for one in outcome.refused)
    assert [one.line for one in outcome.refused] == [2, 4]


@pytest.mark.parametrize("size", [1, 9, 17, 60, 95, 105, 108, 109, 112, 120, 128, 200])
def test_long_keys(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "FEW", 1)
    columns = [Column("k" * size, "integer"), Column("l" * size, "integer")]
    lines = [f'{{"{"k" * size}":1,  "{"l" * size}":  2}}', f'{{"{"k" * size}":3,  "{"l" * (size - 1)}m":  4}}']
    assert read("\n".join(lines), columns, unknown="ignore").values == [(1, 2), (3, None)]
    assert read("\n".join(reversed(lines)), columns, unknown="ignore").values == [(3, None), (1, 2)]
