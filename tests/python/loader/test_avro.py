"""Avro: logical types are what they are, one bad value refuses one row, and blocks are bounded."""

from __future__ import annotations

import io
import json
import zlib
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pytest

from journey.loader.errors import FileRefusedError
from journey.loader.formats.avro import AvroReader
from journey.loader.formats.blocks import decompressed
from journey.loader.formats.typedoptions import ColumnarOptions
from journey.loader.values.meaning import Column
from loader.typed_files import Memory, Read, column

CODECS = ["null", "deflate", "bzip2", "xz", "zstandard"]
STAMP, ZONED = "timestamp without time zone", "timestamp with time zone"


def logical(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": name, **more}


def avro(fields: dict[str, Any], rows: list[dict[str, Any]], codec: str = "null", **options: Any) -> bytes:
    """An Avro file."""
    out = io.BytesIO()
    schema = {
        "type": "record",
        "name": "row",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }
    fastavro.writer(out, fastavro.parse_schema(schema), rows, codec=codec, **options)
    return out.getvalue()


def reader(data: bytes, **options: Any) -> AvroReader:
    return AvroReader(Memory(data), ColumnarOptions(**options), [])


def read(data: bytes, *columns: Column, **options: Any) -> Read:
    return Read(reader(data, **options), columns)


@pytest.mark.parametrize("codec", CODECS)
def test_every_type_is_what_it_is(codec: str) -> None:
    fields = {
        "i": "int", "l": ["null", "long"], "b": "boolean", "d": "double", "s": ["null", "string"], "y": "bytes",
        "on": logical("int", "date"), "at": logical("long", "timestamp-micros"),
        "local": logical("long", "local-timestamp-millis"), "t": logical("int", "time-millis"),
        "n": logical("bytes", "decimal", precision=10, scale=2), "u": logical("string", "uuid"),
        "e": {"type": "enum", "name": "e", "symbols": ["RED", "BLUE"]}, "f": {"type": "fixed", "name": "f", "size": 2},
        "a": {"type": "array", "items": "int"}, "m": {"type": "map", "values": ["null", "double"]},
        "r": {"type": "record", "name": "r", "fields": [
            {"name": "n", "type": ["null", logical("bytes", "decimal", precision=5, scale=1)]}]},
    }  # fmt: skip
    row = {
        "i": 1, "l": None, "b": True, "d": 0.1, "s": "x", "y": b"\xff", "on": date(9999, 12, 31),
        "at": datetime(2024, 6, 1, 10, tzinfo=timezone.utc), "local": datetime(2024, 6, 1, 10), "t": time(10, 30),
        "n": Decimal("1.10"), "u": "65132700-269e-4d37-b2a7-4de452e6b438", "e": "RED", "f": b"\0\1", "a": [1, 2],
        "m": {"k": 1.5, "z": None}, "r": {"n": Decimal("-2.5")},
    }  # fmt: skip
    kinds = {
        "i": "integer", "l": "bigint", "b": "boolean", "d": "numeric(12,2)", "s": "text", "y": "bytea", "on": "date",
        "at": ZONED, "local": STAMP, "t": "time without time zone", "n": "numeric(12,2)", "u": "uuid", "e": "text",
        "f": "bytea", "a": "integer[]", "m": "jsonb", "r": "jsonb",
    }  # fmt: skip
    found = read(avro(fields, [row, row], codec), *(column(kind, name) for name, kind in kinds.items()))
    assert not found.refused
    assert {name: values[1] for name, values in found.columns.items()} == {
        **row, "u": bytes.fromhex("65132700269e4d37b2a74de452e6b438"), "d": Decimal("0.10"), "a": '{"1","2"}',
        "m": '{"k":1.5,"z":null}', "r": '{"n":-2.5}'
    }  # fmt: skip


def test_no_number_is_a_time_and_one_bad_value_refuses_one_row() -> None:
    data = avro({"id": "int", "at": ["null", "long"]}, [{"id": 1, "at": 1717236000}, {"id": 2, "at": None}])
    found = read(data, column("integer", "id"), column(ZONED, "at"))
    assert found.columns == {"id": [2], "at": [None]}
    assert (found.refused[0].line, found.refused[0].column) == (1, "at")
    assert "epoch_unit" in found.refused[0].reason
    assert json.loads(found.refused[0].raw) == {"id": 1, "at": 1717236000}


def test_dates_beyond_pythons_and_texts_that_are_none_refuse_their_rows() -> None:
    rows = [{"on": 0, "s": b"ok"}, {"on": -(10**6), "s": b"ok"}, {"on": 5, "s": b"\xff"}]
    days = avro({"on": "int", "s": "bytes"}, rows)
    fields = [{"name": "on", "type": logical("int", "date")}, {"name": "s", "type": "string"}]
    schema = {"type": "record", "name": "row", "fields": fields}
    found = read(_with_schema(days, schema), column("date", "on"), column("text", "s"))
    assert found.columns == {"on": [date(1970, 1, 1)], "s": ["ok"]}
    assert [(one.line, one.column) for one in found.refused] == [(2, "on"), (3, "s")]
    assert json.loads(found.refused[1].raw)["s"] == "\\xff"


def _long(value: int) -> bytes:
    value, out = (value << 1) ^ (value >> 63), bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _with_schema(data: bytes, schema: Any) -> bytes:
    """A file with another schema before the same blocks."""
    sync = data[-16:]
    blocks = data[data.index(sync) + 16 :]
    text = json.dumps(schema).encode()
    entries = _long(1) + _long(11) + b"avro.schema" + _long(len(text)) + text + _long(0)
    return b"Obj\x01" + entries + sync + blocks


ROWS = [{"a": row, "t": f"x{row}"} for row in range(20_000)]
PLAIN = avro({"a": "long", "t": "string"}, ROWS, "deflate")


def test_rows_keep_their_numbers_over_blocks() -> None:
    found = read(avro({"a": "long"}, [{"a": 2**40 if row % 1000 == 999 else row} for row in range(20_000)]),
                 column("integer", "a"))  # fmt: skip
    assert [one.line for one in found.refused] == list(range(1000, 20_001, 1000))
    last = found.batches[-1]
    assert json.loads(last.origin(len(last.arrays[0]) - 1)[1]) == {"a": 19_998}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PLAIN[:-30], "cut short"), (PLAIN[:20], "cut short"), (PLAIN[:-1] + b"x", "broken"),
        (b"a,b\n", "isn't an Avro"),
        (b"Obj\x01\x00" + bytes(16), "broken"), (b"PAR1" + bytes(100), "Parquet"),
        (_with_schema(PLAIN, "string"), "records"), (_with_schema(PLAIN, {"type": "what"}), "records"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(FileRefusedError, match=words):
        read(data, column("bigint", "a"), column("text", "t"))


def test_no_changed_byte_ends_in_anything_but_a_refusal() -> None:
    random = np.random.default_rng(7)
    for data in (PLAIN, avro({"a": "long", "t": "string"}, ROWS[:300])):
        for at in sorted({*random.integers(0, len(data), 60).tolist(), *range(160)}):
            changed = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
            try:
                read(changed, *(column("text", name) for name in ("a", "t")))
            except FileRefusedError:
                continue


@pytest.mark.parametrize("kind", [["int", "string"], {"type": "array", "items": ["int", "double"]}])
def test_a_field_of_several_types_is_refused(kind: Any) -> None:
    rows: list[dict[str, Any]] = [{"x": [] if isinstance(kind, dict) else 1}]
    with pytest.raises(FileRefusedError, match="several types"):
        reader(avro({"x": kind}, rows)).names()


def test_a_type_within_itself_is_refused() -> None:
    node = {"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}]}
    with pytest.raises(FileRefusedError, match="within itself"):
        reader(avro({"x": node}, [{"x": {"next": None}}])).names()


@pytest.mark.parametrize("codec", ["deflate", "zstandard"])
def test_a_block_is_decompressed_no_further_than_it_may(codec: str) -> None:
    bomb = avro({"t": "string"}, [{"t": "x" * 2**27}], codec, sync_interval=2**28)
    assert len(bomb) < 2**18
    with pytest.raises(FileRefusedError, match="decompresses to more than"):
        read(bomb, column("text", "t"))
    many = avro({"t": "string"}, [{"t": "x" * 2**20}] * 40, codec)
    with pytest.raises(FileRefusedError, match="max_bytes"):
        read(many, column("text", "t"), max_bytes=2**22)
    with pytest.raises(FileRefusedError, match="max_ratio"):
        read(many, column("text", "t"), max_ratio=10)


def test_snappy_is_read_and_its_checksum_checked() -> None:
    plain = b"records" * 1000
    block = pa.Codec("snappy").compress(plain, asbytes=True) + zlib.crc32(plain).to_bytes(4, "big")
    assert decompressed("snappy", block, 10**6) == plain
    for broken in (block[:-1] + b"x", block[:50], block[:10] + b"\xff\xff" + block[12:]):
        with pytest.raises(ValueError, match=r"nappy|checksum"):
            decompressed("snappy", broken, 10**6)
    with pytest.raises(FileRefusedError, match="max_bytes"):
        decompressed("snappy", block, 6999)
    with pytest.raises(FileRefusedError, match="its codec is"):
        decompressed("lz4", block, 10**6)


def test_records_without_a_byte_are_counted_too() -> None:
    empty = avro({"x": "null"}, [{"x": None}])
    block = empty.rindex(_long(1) + _long(0))
    claims = empty[:block] + _long(2**40) + empty[block + 1 :]
    with pytest.raises(FileRefusedError, match="max_ratio"):
        read(claims, column("text", "x"))


def test_files_without_rows_and_without_a_byte() -> None:
    with pytest.raises(FileRefusedError, match="hasn't a byte"):
        reader(b"").names()
    empty = reader(avro({"a": "int"}, []))
    assert empty.names() == ["a"]
    assert list(empty.read([column("integer", "a")])) == []
