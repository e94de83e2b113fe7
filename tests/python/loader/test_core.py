"""What `journey load` promises on a good day: every format, exactly once, a changed file in place of its old self."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from journey.loader.report import status_lines
from loader.support import Landing

TYPED = {
    "small": "smallint", "whole": "integer", "big": "bigint", "amount": "numeric(12,2)", "exact": "numeric(10,4)",
    "ratio": "double precision", "float": "real", "flag": "boolean", "day": "date", "moment": "timestamptz",
    "local": "timestamp", "word": "text", "short": "varchar(12)",
}  # fmt: skip
UTC = dt.timezone.utc
TYPED_ROWS: list[dict[str, Any]] = [
    {"small": -32768, "whole": 2**31 - 1, "big": 2**63 - 1, "amount": Decimal("9999999999.99"),
     "exact": Decimal("999999.9999"), "ratio": 0.1, "float": 0.5, "flag": True, "day": dt.date(2017, 12, 31),
     "moment": dt.datetime(2017, 1, 1, 11, 53, 26, 123456, UTC), "local": dt.datetime(1999, 12, 31, 23, 59, 59),
     "word": "a,\"b\"\nc", "short": "é€😀"},
    {"small": 0, "whole": -(2**31), "big": -(2**63), "amount": Decimal("-0.05"), "exact": Decimal("0.0001"),
     "ratio": -1e300, "float": -2.0, "flag": False, "day": dt.date(1, 1, 1),
     "moment": dt.datetime(1970, 1, 1, tzinfo=UTC), "local": dt.datetime(2000, 1, 1), "word": "", "short": "x"},
    {"small": 1, "whole": 1, "big": 1, "amount": Decimal("100.00"), "exact": Decimal("10000.0000"), "ratio": 2.5,
     "float": 1.25, "flag": True, "day": dt.date(2000, 1, 1), "moment": dt.datetime(2000, 1, 1, tzinfo=UTC),
     "local": dt.datetime(1900, 1, 1), "word": "\\N", "short": "NULL"},
    dict.fromkeys(TYPED),
]  # fmt: skip


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Rows as CSV: null is nothing, text is quoted."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)

    lines = [",".join(rows[0]), *(",".join(map(cell, row.values())) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Rows as JSON lines: decimals with every digit, times as text."""
    lines = []
    for row in rows:
        values = {}
        for name, value in row.items():
            is_time = isinstance(value, (dt.date, dt.datetime))
            values[name] = (
                str(value) if isinstance(value, Decimal) else json.dumps(value.isoformat() if is_time else value)
            )
        lines.append("{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in values.items()) + "}\n")
    return "".join(lines).encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    """Rows as Parquet, with types as wide as tools like to write them."""
    types = {
        "small": pa.int64(), "whole": pa.int64(), "big": pa.int64(), "amount": pa.decimal128(12, 2),
        "exact": pa.decimal128(10, 4), "ratio": pa.float64(), "float": pa.float32(), "flag": pa.bool_(),
        "day": pa.date32(), "moment": pa.timestamp("us", "UTC"), "local": pa.timestamp("us"),
        "word": pa.string(), "short": pa.string(),
    }  # fmt: skip
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema([(name, types[name]) for name in rows[0]])), out)
    return out.getvalue()


WRITERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet}


@pytest.mark.parametrize("file_format", WRITERS)
@pytest.mark.parametrize("bad_row", [False, True], ids=["fast", "careful"])
def test_every_type_arrives_as_it_was(landing: Landing, file_format: str, bad_row: bool) -> None:
    rows = TYPED_ROWS * 3
    if bad_row:
        rows = [*rows, {**TYPED_ROWS[0], "small": 99_999}]
    landing.put("in/typed", WRITERS[file_format](rows))
    source = landing.source("in/", file_format, TYPED, max_reject_rate=0.5)
    summary = landing.load(source)
    assert summary.failures == []
    assert summary.tables["shop.sales"].rejected == int(bad_row)
    expected = [tuple(row.values()) for row in TYPED_ROWS] * 3
    assert landing.query(f"select {', '.join(TYPED)} from raw_shop.sales") == expected


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_types_without_a_binary_form_go_as_text(landing: Landing, file_format: str) -> None:
    rows = [
        {"id": 1, "wide": Decimal("1.50"), "uid": "8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11", "word": "é", "gone": None}
    ]
    landing.put("in/x", as_jsonl(rows) if file_format == "jsonl" else _parquet(pa.Table.from_pylist(rows)))
    columns = {"id": "integer", "wide": "numeric", "uid": "uuid", "word": "text", "gone": "text"}
    assert landing.load(landing.source("in/", file_format, columns)).failures == []
    assert landing.query("select id, wide::text, uid::text, word, gone from raw_shop.sales") == [
        (1, "1.50", rows[0]["uid"], "é", None)
    ]


@pytest.mark.parametrize("as_text", [False, True])
def test_years_beyond_9999_arrive_whichever_way_they_go(landing: Landing, as_text: bool) -> None:
    days = [0, 2_932_896, 2_932_897, 12_000_000, 2_145_042_905, None]
    micros = [0, 253_402_300_800_000_001, 2_000_000_000_000_000_000, 2**63 - 2**41, None, None]
    table = {"day": pa.array(days, pa.int32()).cast(pa.date32()), "at": pa.array(micros, pa.timestamp("us"))}
    landing.put("in/x", _parquet(pa.table({**table, "span": pa.array([None] * 6, pa.string())})))
    columns = {"day": "date", "at": "timestamp without time zone", "span": "interval" if as_text else "text"}
    assert landing.load(landing.source("in/", "parquet", columns)).failures == []
    found = landing.query("""select day - date '1970-01-01',
        (extract(epoch from at)::numeric * 1000000)::numeric(30,0)::text from raw_shop.sales""")
    assert found == [(day, None if at is None else str(at)) for day, at in zip(days, micros, strict=True)]


def _parquet(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bz2.compress, bytes])
def test_compression_is_told_by_content(landing: Landing, compress: Callable[[bytes], bytes]) -> None:
    landing.put("in/no_extension", compress(b"id,name\n1,a\n2,b\n"))
    landing.load(landing.source())
    assert landing.rows() == [(1, "a"), (2, "b")]


def test_csv_options(landing: Landing) -> None:
    landing.put("in/a.csv", "1;'Café; d''Or';NULL\r\n2;;x\r\n".encode("cp1252"))
    columns = {"id": "integer", "name": "text", "note": "text"}
    options: dict[str, Any] = {
        "header": False,
        "delimiter": ";",
        "quote": "'",
        "encoding": "windows-1252",
        "null_values": "NULL",
    }
    landing.load(landing.source(columns=columns, **options))
    assert landing.rows(columns="id, name, note") == [(1, "Café; d'Or", None), (2, "", "x")]


def test_a_second_load_does_nothing(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    source = landing.source()
    assert landing.load(source).tables["shop.sales"].files == 1
    again = landing.load(source)
    assert (again.tables["shop.sales"].files, again.tables["shop.sales"].skipped, again.run_id) == (0, 1, None)
    assert landing.rows() == [(1, "a")]
    assert landing.agree()


def test_a_changed_file_replaces_its_own_rows(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n2,b\n")
    landing.put("in/b.csv", "id,name\n3,c\n")
    landing.load(landing.source())
    landing.put("in/a.csv", "id,name\n9,z\n")
    landing.load(landing.source())
    assert landing.rows() == [(3, "c"), (9, "z")]
    assert sorted(landing.statuses()) == [("in/a.csv", "loaded"), ("in/a.csv", "replaced"), ("in/b.csv", "loaded")]
    assert landing.agree()


def test_a_failed_new_version_leaves_the_old_one(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/a.csv", "id,name\nx,a\n")
    summary = landing.load(landing.source())
    assert summary.exit_status == 1
    assert "line 2, column id: `x` is no integer" in summary.failures[0]
    assert landing.rows() == [(1, "a")]
    assert landing.statuses() == [("in/a.csv", "loaded"), ("in/a.csv", "failed")]
    landing.put("in/a.csv", "id,name\n2,b\n")
    landing.load(landing.source())
    assert landing.rows() == [(2, "b")]
    assert [status for _, status in landing.statuses()] == ["replaced", "retried", "loaded"]


def test_a_bad_file_does_not_stop_the_others(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\nx,b\n")
    landing.put("in/c.csv", "id,name\n3,c\n")
    summary = landing.load(landing.source())
    assert (summary.exit_status, summary.tables["shop.sales"].failed) == (1, 1)
    assert landing.rows() == [(1, "a"), (3, "c")]


def test_a_view_survives_and_a_table_is_never_dropped(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.connection.execute("create view seen as select * from raw_shop.sales")
    landing.put("in/a.csv", "name,id,extra\nb,2,x\n")
    landing.load(landing.source())
    assert landing.rows("seen") == [(2, "b")]


def test_the_loader_owns_the_last_column(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    columns = landing.query(
        """select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute
           where attrelid = 'raw_shop.sales'::regclass and attnum > 0 order by attnum"""
    )
    assert columns == [("id", "integer", False), ("name", "text", False), ("_file_id", "integer", True)]


def test_a_large_load_is_analyzed(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n" + "1,a\n" * 5000)
    landing.load(landing.source())
    assert landing.query("select reltuples from pg_class where oid = 'raw_shop.sales'::regclass") == [(5000,)]


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        ("in/", {"in/a.csv", "in/b.txt", "in/deep/c.csv"}),
        ("in/a.csv", {"in/a.csv"}),
        ("in/*.csv", {"in/a.csv"}),
        ("in/**/*.csv", {"in/a.csv", "in/deep/c.csv"}),
        ("in/?.txt", {"in/b.txt"}),
        ("i", set()),
    ],
)
def test_what_a_location_means(landing: Landing, pattern: str, keys: set[str]) -> None:
    for key in ("in/a.csv", "in/b.txt", "in/deep/c.csv", "in/_SUCCESS", "in/.part", "inside/d.csv"):
        landing.put(key, "id,name\n1,a\n")
    landing.load(landing.source(pattern))
    found = landing.query("select key from loader.files") if keys else []
    assert {key for (key,) in found} == keys


def test_a_project_without_a_feed_gets_a_ledger_and_loads_nothing(landing: Landing) -> None:
    """So that dbt builds before the first feed is declared."""
    assert landing.load().exit_status == 0
    assert landing.query("select count(*) from loader.files") == [(0,)]
    assert status_lines({}) == ["no feed is declared yet"]
