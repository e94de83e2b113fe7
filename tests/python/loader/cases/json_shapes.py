"""J: JSON in the shapes that it comes in, by a declared option; nested values as PostgreSQL's JSON and arrays."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from loader.cases.case import Case, bad, case, needs, stored

TWO = [(1, "a"), (2, "b")]
EVENT = {"event_id": "integer", "kind": "text", "cents": "integer"}
FIREHOSE = '{"event_id": 1, "kind": "view", "cents": 0}{"event_id": 2, "kind": "cart", "cents": 1999}{"event_id": 3, "kind": "pay", "cents": 1999}'
PRETTY = '[\n  {\n    "id": 1,\n    "name": "a"\n  },\n  {\n    "id": 2,\n    "name": "b"\n  },\n  {\n    "id": 3,\n    "name": "c"\n  }\n]'
A, B = '{"id": 1, "name": "a"}', '{"id": 2, "name": "b"}'
JSON = {"format": "jsonl"}

CASES: list[Case] = [
    *needs("J", "objects without line ends (Firehose)",
           {"2024/06/01/12/stream-1-0001": FIREHOSE, "2024/06/01/12/stream-1-0002.gz": stored("firehose.gz")}, EVENT,
           format="jsonl", option={"layout": "concatenated"},
           rows=[(n + i, kind, cents) for n in (0, 10) for i, kind,
           cents in ((1, "view", 0), (2, "cart", 1999), (3, "pay", 1999))],
           without=("layout", "concatenated")),
    *needs("J", "an array over several lines", {"x.json": PRETTY}, option={"layout": "array"}, format="jsonl",
           rows=[(1, "a"), (2, "b"), (3, "c")], without=("array", "layout")),
    case("J", "Parquet's map is an object", stored("map.parquet"), {"id": "integer", "tags": "jsonb"}, format="parquet",
         rows=[(1, {"colour": "red", "size": "M"}), (2, {})]),
    case("J", "arrays for array columns",
         '{"id":1,"tags":["a","b,c"],"nums":[1,2]}\n{"id":2,"tags":[],"nums":null}\n{"id":3,"tags":"{x,y}","nums":"{3}"}\n',
         {"id": "integer", "tags": "text[]", "nums": "integer[]"}, format="jsonl", options={"max_reject_rate": 0.9},
         rows=[(1, ["a", "b,c"], [1, 2]), (2, [], None), (3, ["x", "y"], [3])]),

    *needs("J", "an array on one line", f"[{A},{B}]", format="jsonl", option={"layout": "array"}, rows=TWO,
           without=("array", "layout")),
    *needs("J", "an envelope",
           f'{{"meta": {{"n": [1, 2]}}, "data": {{"items": [{A}, {B}], "next": null}}, "data2": []}}', format="jsonl",
           option={"path": "data.items"}, options={"layout": "array"}, rows=TWO, without="path"),
    case("J", "an envelope whose path isn't there", f'{{"data": [{A}]}}', format="jsonl",
         options={"layout": "array", "path": "data.items"},
         failed=("data.items", "path")),
    case("J", "an empty array", "[]\n", format="jsonl", options={"layout": "array"}, rows=[]),
    case("J", "an array with rows that are none", f'[{A}, 7, null, ["x"], {B}, {{"id": "x", "name": "c"}}]',
         format="jsonl",
         options={"layout": "array"}, rows=TWO, bad=[bad(1, None, "object"), bad(1, None, "object"),
         bad(1, None, "object"), bad(1, "id", "x")]),
    case("J", "an array that is cut short", f"[{A},{B},", format="jsonl", options={"layout": "array"},
         failed="cut short"),
    case("J", "lines where an array is declared", f"{A}\n{B}\n", format="jsonl", options={"layout": "array"},
         failed="layout"),
    *needs("J", "objects over several lines (jq)", '{\n  "id": 1,\n  "name": "a"\n}\n{\n  "id": 2,\n  "name": "b"\n}\n',
           format="jsonl",
           option={"layout": "concatenated"}, rows=TWO, without=("layout",)),
    case("J", "a bad object among concatenated ones costs itself", f'{A}{{"id": "x", "name": "}}{{"}}{B}',
         format="jsonl",
         options={"layout": "concatenated"}, rows=TWO, bad=[bad(1, "id", "x")]),
    case("J", "concatenated with blanks and line ends between", f" {A}\r\n\n{B}\t", format="jsonl",
         options={"layout": "concatenated"}, rows=TWO),
    case("J", "lines with commas behind, as somebody's script writes", f"{A},\n{B}\n", format="jsonl", rows=[(2, "b")],
         bad=[bad(1, None, "not JSON")]),
    case("J", "single quotes and words of Python", "{'id': 1, 'name': None}\n{\"id\": 2, \"name\": True}\n" + A + "\n",
         format="jsonl", rows=[(1, "a")],
         bad=[bad(1, None, "not JSON"), bad(2, None, "not JSON")]),
    case("J", "quoted and empty", '{"id": 1, "name": ""}\n{"id": "", "name": "x"}\n', format="jsonl",
         options={"quoted_nulls": True},
         rows=[(1, None), (None, "x")]),
    case("J", "quoted and empty is no number, and a text", '{"id": 1, "name": ""}\n{"id": "", "name": "x"}\n',
         format="jsonl", rows=[(1, "")],
         bad=[bad(2, "id", "quoted_nulls")]),
    case("J", "words for null", '{"id": "N/A", "name": "N/A"}\n{"id": "n/a", "name": ""}\n', format="jsonl",
         options={"null_values": ["N/A"], "quoted_nulls": True},
         rows=[(None, None)], bad=[bad(2, "id", "n/a")]),
    case("J", "numbers of JavaScript: whole ones with a point",
         '{"id": 1362.0, "name": 1.50}\n{"id": 1e3, "name": "x"}\n{"id": 1.5, "name": "y"}\n',
         format="jsonl", options={"whole_decimals": True}, rows=[(1362, "1.50"), (1000, "x")],
         bad=[bad(3, "id", "1.5")]),
    case("J", "dates of MongoDB are objects",
         '{"id": 1, "at": {"$date": "2024-06-01T00:00:00Z"}}\n{"id": 2, "at": "2024-06-01T00:00:00Z"}\n',
         {"id": "integer", "at": "timestamptz"}, format="jsonl",
         rows=[(2, dt.datetime(2024, 6, 1, tzinfo=dt.timezone.utc))], bad=[bad(1, "at")]),
    case("J", "milliseconds of JavaScript",
         '{"id": 1, "at": 1717236000123}\n{"id": 2, "at": "1717236000123"}\n{"id": 3, "at": 1.5}\n',
         {"id": "integer", "at": "timestamptz"}, format="jsonl", options={"epoch_unit": "ms"},
         bad=[bad(3, "at", "1.5")],
         rows=[(i, dt.datetime(2024, 6, 1, 10, 0, 0, 123000, dt.timezone.utc)) for i in (1, 2)]),
    case("J", "decimals keep every digit",
         '{"id": 1, "v": 0.1000000000000000055, "w": {"x": 1.10, "y": 12345678901234567890}}\n',
         {"id": "integer", "v": "numeric", "w": "text"}, format="jsonl",
         rows=[(1, Decimal("0.1000000000000000055"), '{"x": 1.10, "y": 12345678901234567890}')]),
    case("J", "an array with a bad element, an array in an array, an object",
         '{"id": 1, "v": ["x"]}\n{"id": 2, "v": [[1, 2], [3, 4]]}\n{"id": 3, "v": {"a": 1}}\n',
         {"id": "integer", "v": "integer[]"}, format="jsonl", rows=[(2, [[1, 2], [3, 4]])],
         bad=[bad(1, "v"), bad(3, "v")]),
    case("J", "JSON's own marks in an array of texts", '{"id": 1, "v": ["a\\"b", "{", "NULL", null, "", "c\\\\"]}\n',
         {"id": "integer", "v": "text[]"},
         format="jsonl", rows=[(1, ['a"b', "{", "NULL", None, "", "c\\"])]),
]  # fmt: skip
