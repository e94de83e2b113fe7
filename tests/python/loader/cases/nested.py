"""D: whatever a nested or large value is, it costs its row at most."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from loader.cases.case import Case, bad, case, parquet, stored

ID_V = {"id": "integer", "v": "jsonb"}
FAR = pa.array([[0, 2**62], [0], None], pa.list_(pa.timestamp("us")))
DEEP = "[" * 20_000 + "]" * 20_000


def nested(
    name: str,
    values: pa.Array,
    rows: list[tuple[object, ...]],
    *refused: int,
    kind: str = "jsonb",
    words: tuple[str, ...] = (),
) -> Case:
    """A column of nested values, for a column of JSON."""
    return case("D", name, parquet({"id": range(1, len(values) + 1), "v": values}), {"id": "integer", "v": kind},
    format="parquet",
                rows=rows, bad=[bad(row, "v", *words) for row in refused])  # fmt: skip


CASES: list[Case] = [
    case("D", "NaN in a list, bytes in a struct", stored("nested-nan.parquet"),
         {"id": "integer", "v": "jsonb", "t": "text"},
         format="parquet", options={"max_reject_rate": 0.9}, rows=[(2, [2])], select="id, v", bad=[bad(1, "v", "NaN")]),
    nested("infinity in a struct", pa.array([{"x": float("-inf")}, {"x": 1.5}]), [(2, {"x": 1.5})], 1),
    nested("a time of the year 148,000 in a list", FAR, [(2, ["1970-01-01T00:00:00"]), (3, None)], 1),
    nested("a day before the year 1 in a struct", pa.array([{"d": -10**6}, {"d": 0}], pa.struct([("d", pa.date32())])),
           [(2, {"d": "1970-01-01"})], 1),
    nested("decimals are numbers, with every digit", pa.array([{"d": Decimal("1.10")},
           {"d": Decimal("12345678901234567890.1234567890")}]),
           [(1, '{"d":1.1000000000}'), (2, '{"d":12345678901234567890.1234567890}')], kind="text"),
    nested("a NUL in a text", pa.array([["a\0b"], ["ok"]]), [(2, ["ok"])], 1),
    nested("a map with whole numbers as keys", pa.array([[(1, "a"), (2, None)]], pa.map_(pa.int64(), pa.string())),
           [(1, {"1": "a", "2": None})]),
    nested("a map with a key twice", pa.array([[("a", 1), ("a", 2)], [("a", 1)]], pa.map_(pa.string(), pa.int64())),
           [(2, {"a": 1})], 1),
    nested("lists in maps in structs", pa.array([{"m": [("k", [1, None])]}],
           pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.int64())))])),
           [(1, {"m": {"k": [1, None]}})]),
    nested("a dictionary-encoded text in a list",
           pa.array([["a", "b"], None], pa.list_(pa.string())), [(1, ["a", "b"]), (2, None)]),
    nested("lists for an array column", pa.array([[1, 2, None], [], None]), [(1, [1, 2, None]), (2, []), (3, None)],
           kind="integer[]"),
    nested("a list with a number out of range for an array column", pa.array([[1], [2**40]]), [(1, [1])], 2,
           kind="integer[]"),
    nested("texts with quotes, braces and NULL for an array column", pa.array([['a"b', "{", "NULL", None, "", "\\"]]),
           [(1, ['a"b', "{", "NULL", None, "", "\\"])], kind="text[]"),
    nested("a time with 24 hours and more", pa.array([[10**15]], pa.list_(pa.time64("us"))), [], 1),
    case("D", "JSON: a number of 5,000 digits",
         f'{{"id": 1, "v": {"9" * 5000}}}\n{{"id": {"9" * 5000}, "v": 1}}\n{{"id": 3, "v": 1}}\n',
         {"id": "integer", "v": "text"}, format="jsonl", rows=[(1, "9" * 5000), (3, "1")],
         bad=[bad(2, "id", "integer")]),
    case("D", "JSON: nested 20,000 deep", f'{{"id": 1, "v": {DEEP}}}\n{{"id": 2, "v": [[]]}}\n', ID_V, format="jsonl",
         rows=[(2, [[]])], bad=[bad(1, None, "deep")]),
    case("D", "JSON: a NUL in a key", '{"id": 1, "v": {"a\\u0000": 1}}\n{"id": 2, "v": {"a": 1}}\n', ID_V,
         format="jsonl",
         rows=[(2, {"a": 1})], bad=[bad(1, None)]),
    case("D", "JSON: half a surrogate pair, nested",
         '{"id": 1, "v": ["\\ud83d"]}\n{"id": 2, "v": ["\\ud83d\\ude00"]}\n', ID_V, format="jsonl",
         rows=[(2, ["😀"])], bad=[bad(1, None)]),
    case("D", "JSON: 1e400 is a number, in JSON and in a numeric",
         '{"id": 1, "v": {"x": 1e400}, "n": 1e400, "f": 1}\n{"id": 2, "v": {}, "n": 1, "f": 1e400}\n',
         {"id": "integer", "v": "jsonb", "n": "numeric", "f": "double precision"}, format="jsonl",
         select="id, v::text <> '', n",
         rows=[(1, True, Decimal(10) ** 400)], bad=[bad(2, "f", "1e400")]),
    case("D", "JSON: NaN within a nested value",
         '{"id": 1, "v": [NaN]}\n{"id": 2, "v": [-Infinity]}\n{"id": 3, "v": []}\n', ID_V, format="jsonl",
         rows=[(3, [])], bad=[bad(1, None), bad(2, None)]),
    case("D", "JSON: a date in a nested value stays what it is", '{"id": 1, "v": {"on": "today", "n": 1.10}}\n',
         {"id": "integer", "v": "text"},
         format="jsonl", rows=[(1, '{"on": "today", "n": 1.10}')]),
    case("D", "Parquet: a day before the year 1", parquet({"id": [1, 2], "v": pa.array([-10**6, 0], pa.date32())}),
         {"id": "integer", "v": "date"},
         format="parquet", rows=[(2, dt.date(1970, 1, 1))], bad=[bad(1, "v")]),
]  # fmt: skip
