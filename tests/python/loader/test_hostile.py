"""Files as they come on a bad day. Each has a stated outcome; never a crash, a traceback or a part of a file."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import re
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from loader.support import Landing

GOOD = "id,name\n1,a\n2,b\n"
TWO = [(1, "a"), (2, "b")]
MANY = "".join(f"{i},n\n" for i in range(10, 1000))
ANY: Any = object()  # some rows, which the case doesn't count


@dataclass
class Case:
    """A file and what becomes of it.

    Attributes:
        name: what is wrong with it.
        body: its bytes.
        rows: what the table then holds; None: the file failed, and the table is empty.
        said: part of the failure, or of the first refused row's reason.
        rejected: number of refused rows.
        format: declared format.
        columns: declared columns.
        options: declared options.
    """

    name: str
    body: bytes | str
    rows: Any = None
    said: str = ""
    rejected: int = 0
    format: str = "csv"
    columns: dict[str, str] | None = None
    options: dict[str, Any] | None = None


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


LENIENT = {"max_reject_rate": 0.9}
PARQUET = parquet({"id": [1, 2], "name": ["a", "b"]})
TEXTS = {"id": "text", "name": "text"}

CSV_CASES = [
    Case("empty", b"", rows=[]),
    Case("header only", "id,name\n", rows=[]),
    Case("header without line end", "id,name", rows=[]),
    Case("no line end at the end", "id,name\n1,a\n2,b", rows=TWO),
    Case("byte order mark", b"\xef\xbb\xbf" + GOOD.encode(), rows=TWO),
    Case("byte order mark and quoted header", b"\xef\xbb\xbf\"id\",\"name\"\n1,a\n2,b\n", rows=TWO),
    Case("CRLF", GOOD.replace("\n", "\r\n"), rows=TWO),
    Case("bare CR", GOOD.replace("\n", "\r"), rows=TWO),
    Case("CRLF and LF mixed", "id,name\n1,a\r\n2,b\n", rows=TWO),
    Case("LF in a CRLF file", "id,name\r\n1,a\n2,b\r\n", rows=TWO),
    Case("lone CR in a row", "id,name\n1,a\rb\n2,b\n", rows=[(2, "b")], rejected=1, options=LENIENT,
         said="a carriage return alone"),
    Case("lone LF in a CR file", "id,name\r1,a\n9,z\r2,b\r", rows=[(1, "a"), (9, "z"), (2, "b")]),
    Case("quoted newlines", 'id,name\n1,"a\nb"\n2,"c\r\nd"\n', rows=[(1, "a\nb"), (2, "c\r\nd")]),
    Case("quoted newlines beside a bad row", 'id,name\n1,"a\nb"\nx,"\n"\n2,"c\r\nd"\n', options=LENIENT, rejected=1,
         rows=[(1, "a\nb"), (2, "c\r\nd")], said="`x` is no integer"),
    Case("newline in the header", 'id,"na\nme"\n1,a\n2,b\n', rows=[(1, None), (2, None)]),
    Case("empty string and null", 'id,name\n1,""\n2,\n', rows=[(1, ""), (2, None)]),
    Case("doubled quotes", 'id,name\n1,"say ""a"""\n', rows=[(1, 'say "a"')]),
    Case("quote never closed", f'id,name\n1,a\n2,"b\n{MANY}', rows=ANY, rejected=1, said="never closed (quote: null"),
    Case("quote never closed at the very end", 'id,name\n1,a\n2,"b', rows=[(1, "a")], rejected=1, options=LENIENT,
         said="never closed (quote: null"),
    Case("two stray quotes cost their lines", f'id,name\n1,"a\n{MANY}2,b"x,y\n', rows=ANY, rejected=2,
         said="never closed (quote: null"),
    Case("two stray quotes that make a field", f'id,name\n1,"a\n{MANY}2,b"\n', rows=[(1, f"a\n{MANY}2,b")]),
    Case("text after a closing quote", 'id,name\n1,"a"x\n2,b\n', rows=[(2, "b")], rejected=1, options=LENIENT,
         said="text after the"),
    Case("field too many", "id,name\n1,a\n2,b,c\n", rows=[(1, "a")], rejected=1, options=LENIENT, said="3 fields"),
    Case("field too few", "id,name\n1,a\n2\n", rows=[(1, "a")], rejected=1, options=LENIENT, said="short_rows"),
    Case("empty line", "id,name\n1,a\n\n2,b\n", rows=TWO, rejected=1, options=LENIENT, said="skip_blank_lines"),
    Case("end-of-data marker", "id,name\n1,a\n\\.\n2,b\n", rows=TWO, rejected=1, options=LENIENT),
    Case("number out of range", "id,name\n99999999999,a\n2,b\n", rows=[(2, "b")], rejected=1, options=LENIENT,
         said="out of range for integer"),
    Case("latin-1 in UTF-8", GOOD.encode() + b"3,caf\xe9\n", rows=TWO, rejected=1, options=LENIENT,
         said="not of the declared encoding"),
    Case("byte that windows-1252 lacks", GOOD.encode() + b"3,\x81\n", rows=TWO, rejected=1,
         options={**LENIENT, "encoding": "windows-1252"}, said="not of the declared encoding"),
    Case("NUL byte", GOOD.encode() + b"3,a\x00b\n", rows=TWO, rejected=1, options=LENIENT, said="a NUL"),
    Case("NUL byte in the header", b"id,na\x00me\n1,a\n", said="NUL"),
    Case("UTF-16", GOOD.encode("utf-16"), rows=TWO, options={"encoding": "utf-16"}),
    Case("UTF-16 that is not declared", GOOD.encode("utf-16"), said="declare encoding: utf-16"),
    Case("cp437, which PostgreSQL doesn't know", "id,name\n1,café\n".encode("cp437"), rows=[(1, "café")],
         options={"encoding": "cp437"}),
    Case("ASCII with a byte above", GOOD.encode() + b"3,\xe9\n", rows=TWO, rejected=1,
         options={**LENIENT, "encoding": "ascii"}, said="not of the declared encoding"),
    Case("a line of 10 MB", f"id,name\n1,{'x' * 10_000_000}\n", rows=[(1, "x" * 10_000_000)]),
    Case("a line of 10 MB beside a bad row", f"id,name\n1,{'x' * 10_000_000}\nx,b\n", rejected=1, options=LENIENT,
         rows=[(1, "x" * 10_000_000)]),
    Case("1,700 columns", ",".join(["id", "name", *(f"c{i}" for i in range(1700))]) + "\n",
         said="more than max_columns"),
    Case("duplicate names", "id,name,id\n1,a,2\n", said="two columns are called 'id'"),
    Case("names that differ in case", "ID,Name\n1,a\n", rows=[(1, "a")]),
    Case("column without a name", "id,name,\n1,a,\n", said="column 3 of 3 has no name"),
    Case("no header where one is declared", "1,a\n2,b\n", said="none of the declared columns is there"),
    Case("the loader's own column", "id,name,_file_id\n1,a,7\n", said="_file_id, which is the loader's own"),
    Case("quotes and SQL in a name", 'id,name,"x""; drop table raw_shop.sales; --"\n1,a,z\n', rows=[(1, "a")]),
    Case("reserved and unicode names", "id,select,naïve ☕,name\n1,s,u,a\n", rows=[(1, "a")]),
    Case("a name of 200 bytes", f"id,name,{'é' * 100}\n1,a,z\n", rows=[(1, "a")]),
    Case("percent and braces in a name", "id,name,%s {} %(x)s\n1,a,z\n", rows=[(1, "a")]),
    Case("spaces around names", " id , name \n1,a\n", rows=[(1, "a")]),
    Case("header that doesn't close", '"id,name\n1,a\n', said="header"),
    Case("another delimiter", "id;name\n1;a\n", said="none of the declared columns"),
    Case("backslash escapes", 'id,name\n1,"a\\"b"\n2,"c\\\\"\n', rows=[(1, 'a"b'), (2, "c\\")],
         options={"escape": "\\"}),
    Case("backslash escapes beside a bad row", 'id,name\n1,"a\\"\nb"\nx,"c\\\\"\n', rows=[(1, 'a"\nb')], rejected=1,
         options={"escape": "\\", **LENIENT}),
    Case("every row bad", "id,name\n" + "x,a\n" * 5000, said="5,000 rows refused"),
    Case("bad rows within the limit", f"id,name\n{MANY}x,a\n", rows=ANY, rejected=1, said="`x` is no integer"),
]  # fmt: skip

COMPRESSED_CASES = [
    Case("gzip cut short", gzip.compress(GOOD.encode())[:-6], said="the gzip stream is cut short"),
    Case("gzip of two members", gzip.compress(b"id,name\n1,a\n") + gzip.compress(b"2,b\n"), rows=TWO),
    Case("gzip padded with zeros", gzip.compress(GOOD.encode()) + bytes(512), rows=TWO),
    Case("gzip with junk behind", gzip.compress(GOOD.encode()) + b"junk", said="gzip"),
    Case("gzip with a wrong checksum", gzip.compress(GOOD.encode())[:-8] + bytes(8), said="the gzip stream is broken"),
    Case("gzip bomb", gzip.compress(b"id,name\n" + bytes(50_000_000)), said="larger than max_bytes",
         options={"max_bytes": 10_000_000}),
    Case("zstd bomb", zstd.compress(b"id,name\n" + bytes(200_000_000)), said="larger than max_bytes",
         options={"max_bytes": 10_000_000}),
    Case("zstd cut short", zstd.compress(GOOD.encode())[:-3], said="the zstd stream is cut short"),
    Case("zstd of two frames", zstd.compress(b"id,name\n1,a\n") + zstd.compress(b"2,b\n"), rows=TWO),
    Case("bz2 cut short", bz2.compress(GOOD.encode())[:-3], said="the bz2 stream is cut short"),
    Case("a zip archive", b"PK\x03\x04" + bytes(100), said="it is a ZIP archive"),
    Case("xz", b"\xfd7zXZ\x00" + bytes(100), said="it is compressed with xz"),
    Case("Parquet where CSV is declared", PARQUET, said="it is a Parquet file"),
]  # fmt: skip

JSON_CASES = [
    Case("plain", '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n', rows=TWO),
    Case("empty", "", rows=[]),
    Case("empty lines and spaces", '\n{"id":1,"name":"a"}\n \n  {"id":2,"name":"b"}  \n', rows=TWO),
    Case("byte order mark", '\ufeff{"id":1,"name":"a"}\n', rows=[(1, "a")]),
    Case("CRLF", '{"id":1,"name":"a"}\r\n{"id":2,"name":"b"}\r\n', rows=TWO),
    Case("an array instead of lines", '[{"id":1,"name":"a"},{"id":2,"name":"b"}]', said="declare layout: array"),
    Case("a document over several lines", '{\n "id": 1,\n "name": "a"\n}\n', said="not JSON"),
    Case("a line that is null", 'null\n{"id":1,"name":"a"}\n', rows=[(1, "a")], rejected=1, options=LENIENT,
         said="a JSON null instead of an object"),
    Case("null behind an object", '{"id":1,"name":"a"} null\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="not JSON at character 21"),
    Case("two objects on a line", '{"id":1,"name":"a"}{"id":2,"name":"b"}\n{"id":3,"name":"c"}\n', rows=[(3, "c")],
         rejected=1, options=LENIENT, said="not JSON at character 20"),
    Case("malformed", '{"id":1,"name":"a"}\n{"id":2,"name":\n', rows=[(1, "a")], rejected=1, options=LENIENT,
         said="not JSON"),
    Case("cut short", '{"id":1,"name":"a"}\n{"id":2,"na', rows=[(1, "a")], rejected=1, options=LENIENT),
    Case("duplicate keys", '{"id":1,"id":7,"name":"a"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="the key `id` comes twice"),
    Case("duplicate keys within", '{"id":1,"name":{"x":1,"x":2}}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="the key `x` comes twice"),
    Case("deep nesting", '{"id":1,"name":' + "[" * 100_000 + "]" * 100_000 + '}\n{"id":2,"name":"b"}\n',
         rows=[(2, "b")], rejected=1, options=LENIENT, said="nested too deeply"),
    Case("big integers", '{"id":9223372036854775807,"name":"a"}\n{"id":9223372036854775808,"name":"b"}\n',
         rows=[(2**63 - 1, "a")], rejected=1, options=LENIENT, columns={"id": "bigint", "name": "text"},
         said="out of range"),
    Case("a number of 40 digits", '{"id":1234567890123456789012345678901234567890,"name":0.10000000000000000001}\n',
         columns={"id": "numeric", "name": "numeric"},
         rows=[(Decimal("1234567890123456789012345678901234567890"), Decimal("0.10000000000000000001"))]),
    Case("NaN", '{"id":NaN,"name":"a"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1, options=LENIENT,
         said="`NaN` is no JSON, and no integer"),
    Case("float in an integer", '{"id":1.5,"name":"a"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="`1.5` is no integer"),
    Case("integer in quotes", '{"id":"1","name":"a"}\n', rows=[(1, "a")]),
    Case("boolean for an integer", '{"id":true,"name":"a"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="is a boolean and no integer"),
    Case("numbers, booleans and objects for text",
         '{"id":1,"name":1.50}\n{"id":2,"name":true}\n{"id":3,"name":{"b":[1.10,null],"a":"é"}}\n{"id":4,"name":null}\n',
         rows=[(1, "1.50"), (2, "true"), (3, '{"b":[1.10,null],"a":"é"}'), (4, None)]),
    Case("half a surrogate pair", '{"id":1,"name":"\\ud800"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="half a surrogate pair"),
    Case("an escaped NUL", '{"id":1,"name":"a\\u0000"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="a NUL"),
    Case("invalid UTF-8", b'{"id":1,"name":"\xff"}\n{"id":2,"name":"b"}\n', rows=[(2, "b")], rejected=1,
         options=LENIENT, said="not UTF-8 at byte 17"),
    Case("JSON columns", '{"id":1,"name":"a"}\n{"id":2,"name":{"x":1e400}}\n{"id":3,"name":null}\n',
         columns={"id": "integer", "name": "json"}, rows=ANY),
    Case("instants, however they are written",
         "".join(f'{{"id":"{text}","name":"a"}}\n' for text in (
             "2017-03-01T00:01:30.5+05:30", "2017-03-01 00:01", "2017-03-01", "2017-03-01T00:01:30.123456Z")),
         columns={"id": "timestamptz", "name": "text"},
         rows=[(dt.datetime.fromisoformat(text + "+00:00"), "a") for text in (
             "2017-02-28T18:31:30.500000", "2017-03-01T00:01", "2017-03-01T00:00", "2017-03-01T00:01:30.123456")]),
    Case("a zone for a time without one", '{"id":"2017-03-01T00:01:30+05:30","name":"a"}\n',
         columns={"id": "timestamp", "name": "text"}, options={"max_reject_rate": 1}, rows=[], rejected=1,
         said="has a zone"),
    Case("a date of the year 0", '{"id":"0000-12-31","name":"a"}\n{"id":"0001-01-01","name":"b"}\n',
         columns={"id": "date", "name": "text"}, options=LENIENT, rejected=1, said="out of range",
         rows=[(dt.date(1, 1, 1), "b")]),
    Case("the year 0", '{"id":"0000-01-01T00:00Z","name":"0000-01-01"}\n{"id":"2017-03-01T00:00Z","name":"2017-03-01"}',
         columns={"id": "timestamptz", "name": "date"}, options=LENIENT, rejected=1, said="out of range",
         rows=[(dt.datetime(2017, 3, 1, tzinfo=dt.timezone.utc), dt.date(2017, 3, 1))]),
    Case("braces in a text", '{"id":1,"name":"} x {"}\n{"id":2,"name":"}"}\n', rows=[(1, "} x {"), (2, "}")]),
    Case("keys in another case", '{"ID":1,"Name":"a"}\n', rows=[(1, "a")]),
    Case("a line of 10 MB", f'{{"id":1,"name":"{"x" * 10_000_000}"}}\n', rows=[(1, "x" * 10_000_000)]),
    Case("not text at all", bytes(range(256)) * 10, said="it is no JSON"),
]  # fmt: skip

PARQUET_CASES = [
    Case("plain", PARQUET, rows=TWO),
    Case("cut short", PARQUET[:-20], said="it isn't a whole Parquet file"),
    Case("not Parquet", GOOD, said="it isn't a Parquet file"),
    Case("empty", b"", said="hasn't a byte"),
    Case("no rows", parquet({"id": pa.array([], pa.int32()), "name": pa.array([], pa.string())}), rows=[]),
    Case("broken inside", PARQUET[:4] + bytes(60) + PARQUET[64:], said="Parquet"),
    Case("no columns that are declared", parquet({"x": [1]}), said="none of the declared columns"),
    Case("integer out of range", parquet({"id": [1, 2**40], "name": ["a", "b"]}), rows=[(1, "a")], rejected=1,
         options=LENIENT, said="out of range"),
    Case("unsigned", parquet({"id": pa.array([1, 2**31], pa.uint32()), "name": ["a", "b"]}), rows=[(1, "a")],
         rejected=1, options=LENIENT),
    Case("whole floats for an integer", parquet({"id": [1.0, None, 2.5], "name": ["a", "n", "b"]}), rejected=1,
         options={**LENIENT, "whole_decimals": True}, rows=[(1, "a"), (None, "n")]),
    Case("decimals of a finer scale", parquet({"id": [Decimal("1.005"), Decimal("2.000")], "name": ["a", "b"]}),
         columns={"id": "numeric(5,2)", "name": "text"}, options={"extra_digits": "round"},
         rows=[(Decimal("1.01"), "a"), (Decimal("2.00"), "b")]),
    Case("floats for a numeric", parquet({"id": [0.1, 2.5], "name": ["a", "b"]}),
         columns={"id": "numeric(5,2)", "name": "text"}, rows=[(Decimal("0.10"), "a"), (Decimal("2.50"), "b")]),
    Case("a decimal of 38 digits", parquet({"id": pa.array([Decimal(10**37)], pa.decimal128(38, 0)), "name": ["a"]}),
         columns={"id": "numeric(38,0)", "name": "text"}, rows=[(Decimal(10**37), "a")]),
    Case("timestamps in nanoseconds",
         parquet({"id": pa.array([1_000_000_001, 1_000_000_600], pa.timestamp("ns")), "name": ["a", "b"]}),
         columns={"id": "timestamp", "name": "text"}, options={"extra_digits": "round"},
         rows=[(dt.datetime(1970, 1, 1, 0, 0, 1), "a"), (dt.datetime(1970, 1, 1, 0, 0, 1, 1), "b")]),
    Case("times with a zone", parquet({"id": pa.array([0], pa.timestamp("s", "Asia/Tokyo")), "name": ["a"]}),
         columns={"id": "timestamptz", "name": "text"}, rows=[(dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc), "a")]),
    Case("nested types", parquet({"id": [1], "name": [{"x": [1, 2], "y": None}]}),
         rows=[(1, '{"x":[1,2],"y":null}')]),
    Case("dictionary", parquet({"id": [1, 2], "name": pa.array(["a", "b"]).dictionary_encode()}), rows=TWO),
    Case("large strings", parquet({"id": [1, 2], "name": pa.array(["a", "b"], pa.large_string())}), rows=TWO),
    Case("bytes for text", parquet({"id": [1, 2], "name": [b"a", b"\xff"]}), rows=[(1, "a")], rejected=1,
         options=LENIENT, said="aren't UTF-8"),
    Case("bytes", parquet({"id": [1], "name": [b"\x00\xff"]}), columns={"id": "integer", "name": "bytea"},
         rows=[(1, b"\x00\xff")]),
    Case("NUL in a text", parquet({"id": [1, 2], "name": ["a\0", "b"]}), rows=[(2, "b")], rejected=1, options=LENIENT),
    Case("numbers for text", parquet({"id": [1], "name": [7]}), rows=[(1, "7")]),
    Case("text for an integer", parquet({"id": ["1", "x"], "name": ["a", "b"]}), rows=[(1, "a")], rejected=1,
         options=LENIENT, said="`x` is no integer"),
    Case("one long text among short ones", parquet({"id": [1, 2], "name": ["x" * 5_000_000, "b"]}),
         rows=[(1, "x" * 5_000_000), (2, "b")]),
    Case("brotli within", parquet({"id": [1, 2], "name": pa.array(["a", "b"])}, compression="brotli"), rows=TWO),
]  # fmt: skip


def _cases() -> list[Any]:
    groups = {"csv": [*CSV_CASES, *COMPRESSED_CASES], "jsonl": JSON_CASES, "parquet": PARQUET_CASES}
    found = []
    for file_format, cases in groups.items():
        for case in cases:
            case.format = file_format
            found.append(pytest.param(case, id=f"{file_format}: {case.name}"))
    return found


@pytest.mark.parametrize("case", _cases())
def test_outcome(landing: Landing, case: Case) -> None:
    landing.put("in/file", case.body)
    source = landing.source("in/", case.format, case.columns, **(case.options or {}))
    summary = landing.load(source)
    rejects = landing.query("select reason from loader.rejected_rows order by line_number")
    if case.rows is None:
        assert summary.exit_status == 1
        [failure] = summary.failures
        assert case.said in failure
        assert "\n" not in failure
        assert not re.search(r"\w+Error\b|Traceback", failure)
        assert landing.rows() == []
        assert landing.statuses() == [("in/file", "failed")]
        return
    assert summary.failures == []
    assert landing.agree()
    if case.rows is not ANY:
        assert landing.query("select id, name from raw_shop.sales") == case.rows
    assert summary.tables["shop.sales"].rejected == case.rejected == len(rejects)
    if case.rejected:
        assert case.said in rejects[0][0]
    assert landing.load(source).tables["shop.sales"].skipped == 1


def test_the_corpus_is_large() -> None:
    assert len(_cases()) >= 100
