"""Parquet: each row is what its types say or is refused by its number, and a bad file costs a message and no memory."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import uuid
from contextlib import suppress
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as keys
import pytest

from journey.loader.errors import FileRefusedError
from journey.loader.formats.parquet import BATCH_ROWS, ParquetReader
from journey.loader.formats.typedoptions import ColumnarOptions
from journey.loader.values.meaning import Column
from loader.typed_files import Memory, Read, column, parquet

STAMP, ZONED = "timestamp without time zone", "timestamp with time zone"


def reader(data: bytes, max_columns: int = 500, **options: Any) -> ParquetReader:
    """A reader of bytes."""
    return ParquetReader(Memory(data), ColumnarOptions(**options), [], max_columns=max_columns)


def read(given: pa.Table | bytes, *columns: Column, **options: Any) -> Read:
    """All that a file of this table has."""
    return Read(reader(given if isinstance(given, bytes) else parquet(given), **options), columns)


def test_int96_reaches_over_all_dates() -> None:
    """Case 01: contracts without an end."""
    moments = [datetime(9999, 12, 31), datetime(1201, 5, 6), datetime(2021, 3, 1), datetime(1, 1, 1), None]
    table = pa.table({"at": pa.array(moments, pa.timestamp("us"))})
    data = parquet(table, use_deprecated_int96_timestamps=True)
    assert pq.ParquetFile(io.BytesIO(data)).schema.column(0).physical_type == "INT96"
    found = read(data, column(STAMP, "at"))
    assert found.columns["at"] == moments
    assert not found.refused


def test_int96_in_a_column_with_zones_and_within_a_list() -> None:
    table = pa.table({"at": pa.array([[datetime(9999, 12, 31)]], pa.list_(pa.timestamp("us")))})
    data = parquet(table, use_deprecated_int96_timestamps=True)
    assert read(data, column("jsonb", "at")).columns["at"] == ['["9999-12-31T00:00:00"]']
    flat = parquet(pa.table({"at": [datetime(2024, 6, 1)]}), use_deprecated_int96_timestamps=True)
    found = read(flat, column(ZONED, "at", time_zone="Europe/Berlin"))
    assert found.columns["at"] == [datetime(2024, 5, 31, 22, tzinfo=timezone.utc)]


@pytest.mark.parametrize("as_extension", [True, False])
def test_uuids_are_loaded_whatever_their_bytes_are(as_extension: bool) -> None:
    """Case 09s: also those that are texts, and the nil one."""
    raw = [uuid.UUID(int=0).bytes, b"0123456789abcdef", *(uuid.UUID(int=5**number).bytes for number in (30, 40, 50))]
    fixed = pa.array(raw, pa.binary(16))
    values = pa.ExtensionArray.from_storage(pa.uuid(), fixed) if as_extension else fixed
    found = read(pa.table({"order_uuid": values, "n": range(5)}), column("uuid", "order_uuid"), column("integer", "n"))
    assert found.columns == {"order_uuid": raw, "n": [0, 1, 2, 3, 4]}
    assert not found.refused


def test_a_map_is_an_object() -> None:
    """Case 35."""
    tags = pa.array([[("colour", "red"), ("size", "M")], [], None, [("a", None)]], pa.map_(pa.string(), pa.string()))
    found = read(pa.table({"tags": tags}), column("jsonb", "tags"))
    assert [value and json.loads(value) for value in found.columns["tags"]] == [
        {"colour": "red", "size": "M"}, {}, None, {"a": None}
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [ZONED, STAMP, "date", "time without time zone"])
def test_an_integer_is_no_time(kind: str) -> None:
    """Case 54c: seconds and milliseconds since 1970."""
    found = read(pa.table({"id": [1, 2], "at": [1717236000, None]}), column("integer", "id"), column(kind, "at"))
    assert found.columns == {"id": [2], "at": [None]}
    refused = found.refused[0]
    assert (refused.line, refused.column, json.loads(refused.raw)) == (1, "at", {"id": 1, "at": 1717236000})
    assert "`1717236000`" in refused.reason
    assert kind.startswith("time without") or "epoch_unit" in refused.reason
    if kind == ZONED:
        found = read(pa.table({"at": [1717236000]}), column(kind, "at", epoch_unit="s"))
        assert found.columns["at"] == [datetime(2024, 6, 1, 10, tzinfo=timezone.utc)]


@pytest.mark.parametrize(
    "value", [date(2024, 6, 1), datetime(2024, 6, 1, 10), datetime(2024, 6, 1, tzinfo=timezone.utc)]
)
@pytest.mark.parametrize("kind", ["integer", "bigint", "numeric(12,2)", "double precision"])
def test_a_time_is_no_number(value: date, kind: str) -> None:
    """Case 54d."""
    found = read(pa.table({"key": [value, None]}), column(kind, "key"))
    assert found.columns["key"] == [None]
    assert [one.line for one in found.refused] == [1]


def test_what_json_has_not_refuses_its_row_and_no_other() -> None:
    """Case 55: NaN within a list, and bytes and decimals within a struct."""
    table = pa.table({
        "id": [1, 2, 3],
        "v": [[1.0, float("nan")], [2.0], None],
        "t": [{"at": datetime(2024, 6, 1, 10), "d": Decimal("1.10"), "b": b"\xff"},
              {"at": None, "d": None, "b": b"ok"}, None],
    })  # fmt: skip
    found = read(table, column("integer", "id"), column("jsonb", "v"), column("text", "t"))
    assert found.columns == {"id": [2, 3], "v": ["[2]", None], "t": ['{"at":null,"d":null,"b":"\\\\x6f6b"}', None]}
    assert [(one.line, one.column) for one in found.refused] == [(1, "v")]
    assert json.loads(found.refused[0].raw) == {
        "id": 1, "v": [1, "NaN"], "t": {"at": "2024-06-01T10:00:00", "d": 1.10, "b": "\\xff"}
    }  # fmt: skip
    accepted = read(table, column("jsonb", "v", special_values="null"), column("text", "t"))
    assert accepted.columns["v"] == ["[1,null]", "[2]", None]
    assert accepted.columns["t"][0] == '{"at":"2024-06-01T10:00:00","d":1.10,"b":"\\\\xff"}'


def test_a_text_that_is_not_utf8_refuses_its_row() -> None:
    broken = pa.array([b"ok", b"\xff", "é".encode()]).view(pa.string())
    found = read(pa.table({"t": broken, "s": pa.StructArray.from_arrays([broken], ["x"])}), column("text", "t"))
    assert found.columns["t"] == ["ok", "é"]
    assert [(one.line, json.loads(one.raw)) for one in found.refused] == [(2, {"t": "\\xff"})]


def test_files_of_a_partition_have_the_columns_that_are_in_them() -> None:
    """Case 23: what the key says is no business of the file's."""
    table = pa.table({"id": pa.array([1, 2], pa.int32()), "name": ["ash", "elm"]})
    assert reader(parquet(table)).names() == ["id", "name"]
    found = read(table, column("integer", "id"), column("text", "name"), column("date", "dt"))
    assert found.columns == {"id": [1, 2], "name": ["ash", "elm"]}


def test_rows_keep_their_numbers_over_batches_and_row_groups() -> None:
    count = 3 * BATCH_ROWS + 5
    values = pa.array([None if row % 7 == 6 else row for row in range(count)], pa.int64())
    texts = pa.array(["x" if row % 1000 == 999 else str(row) for row in range(count)])
    data = parquet(pa.table({"a": values, "b": texts, "c": texts}), row_group_size=BATCH_ROWS + 100)
    found = read(data, column("bigint", "a"), column("integer", "b"))
    assert [one.line for one in found.refused] == list(range(1000, count, 1000))
    assert found.columns["b"] == [row for row in range(count) if row % 1000 != 999]
    assert found.columns["a"] == [None if row % 7 == 6 else row for row in range(count) if row % 1000 != 999]
    last = found.batches[-1]
    line, raw = last.origin(len(last.arrays[0]) - 1)
    assert (line, json.loads(raw)) == (count, {"a": values[-1].as_py(), "b": str(count - 1)})


def test_a_good_row_is_what_it_is_alone() -> None:
    values = [0.1, 1e300, 12.345, 2.5, float("nan"), None, -0.01]
    table = pa.table({"v": values})
    together = read(table, column("numeric(12,2)", "v"))
    alone = [
        value
        for row in range(len(values))
        for value in read(table.slice(row, 1), column("numeric(12,2)", "v")).columns["v"]
    ]
    assert together.columns["v"] == alone == [Decimal("0.10"), Decimal("2.50"), None, Decimal("-0.01")]


def test_files_without_rows() -> None:
    empty = reader(parquet(pa.table({"a": pa.array([], pa.int64())})))
    assert empty.names() == ["a"]
    assert list(empty.read([column("integer", "a")])) == []
    assert list(reader(parquet(pa.table({"a": [1]}))).read([None])) == []


def test_names_as_they_come() -> None:
    array = pa.array([1, 2])
    table = pa.Table.from_arrays([array, array, array], ["a.b", "a", "größe"])
    found = read(table, column("integer", "a.b"), column("integer", "größe"))
    assert found.columns == {"a.b": [1, 2], "größe": [1, 2]}
    nested = pa.table({"a": [{"b": 1}], "a.b": [5], "c": [[{"d": [7]}]], "e": [9]})
    found = read(nested, column("integer", "a.b"), column("jsonb", "c"), column("integer", "e"))
    assert found.columns == {"a.b": [5], "c": ['[{"d":[7]}]'], "e": [9]}


@pytest.mark.parametrize("names", [["a", "a"], ["a", ""], ["", ""]])
def test_names_that_say_nothing_are_numbered_if_that_is_declared(names: list[str]) -> None:
    data = parquet(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names))
    with pytest.raises(FileRefusedError, match="header_names: number"):
        reader(data).names()
    numbered = reader(data, header_names="number")
    found = numbered.names()
    assert found is not None
    assert len(set(found)) == 2
    assert "" not in found
    batch = next(numbered.read([column("integer", name) for name in found]))
    assert [array.to_pylist() for array in batch.arrays] == [[1], [2]]


def test_too_many_columns_are_refused() -> None:
    data = parquet(pa.table({f"c{number}": [1] for number in range(501)}))
    with pytest.raises(FileRefusedError, match="max_columns"):
        reader(data).names()
    assert len(reader(data, max_columns=501).names() or ()) == 501
    wide = pa.table({"s": pa.array([None], pa.struct([(f"f{number}", pa.int8()) for number in range(10_001)]))})
    with pytest.raises(FileRefusedError, match=r"10,000 columns"):
        reader(parquet(wide)).names()
    deep: Any = pa.int8()
    for _ in range(40):
        deep = pa.struct([("x", deep)])
    with pytest.raises(FileRefusedError, match="deep"):
        reader(parquet(pa.table({"s": pa.array([None], deep)}))).names()


def broken(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


PLAIN = parquet(pa.table({"a": range(20_000), "t": [f"x{row}" for row in range(20_000)]}), write_page_checksum=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PLAIN[:-1000], "whole Parquet file"), (PLAIN[:4], "whole Parquet file"), (PLAIN[:11], "whole Parquet file"),
        (b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1", "footer"), (b"a,b\n1,2\n", "isn't a Parquet file"),
        (b"P", "isn't a Parquet file"),
        (b"Obj\x01" + bytes(100), "an Avro file"), (b"\x1f\x8b\x08" + bytes(100), "compress"),
        (broken(PLAIN, len(PLAIN) - 50), "broken"), (broken(PLAIN, len(PLAIN) // 2), "checksum"),
        (broken(PLAIN, 100), "broken"), (PLAIN[:-4] + b"PARE", "encrypted"),
    ],
)  # fmt: skip
def test_a_file_that_is_broken_is_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(FileRefusedError, match=words):
        read(data, column("integer", "a"), column("text", "t"))


def test_no_changed_byte_ends_in_anything_but_a_refusal() -> None:
    random = np.random.default_rng(11)
    for at in sorted({*random.integers(0, len(PLAIN), 60).tolist(), *range(len(PLAIN) - 400, len(PLAIN), 7)}):
        try:
            found = read(broken(PLAIN, at), *(column("text", name) for name in ("a", "t")))
        except FileRefusedError:
            continue
        assert all(len(values) + len(found.refused) == 20_000 for values in found.columns.values())


def test_no_changed_byte_of_a_footer_ends_the_process() -> None:
    """Arrow aborts it if it is asked what some broken footers say of a column's chunks."""
    table = pa.table({"l": [[1, None], []], "m": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
                      "t": ["x", None]})  # fmt: skip
    data = parquet(table, store_schema=False)
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for at, change in product(range(footer, len(data)), (0x01, 0xFF)):
        changed = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
        with suppress(FileRefusedError):
            read(changed, column("jsonb", "l"), column("jsonb", "m"), column("text", "t"))


class _Keys(keys.KmsClient):  # type: ignore[misc]
    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:  # noqa: ARG002
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:  # noqa: ARG002
        return base64.b64decode(wrapped_key)


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_an_encrypted_file_is_told(tmp_path: Path, plaintext_footer: bool) -> None:
    table = pa.table({"a": [1, 2]})
    wanted = keys.EncryptionConfiguration(footer_key="f", column_keys={"k": ["a"]}, plaintext_footer=plaintext_footer)
    properties = keys.CryptoFactory(lambda _: _Keys()).file_encryption_properties(keys.KmsConnectionConfig(), wanted)
    with pq.ParquetWriter(tmp_path / "x", table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    with pytest.raises(FileRefusedError, match="encrypted"):
        read((tmp_path / "x").read_bytes(), column("integer", "a"))


def test_a_file_is_bounded_by_what_its_footer_says() -> None:
    data = parquet(pa.table({"a": pa.array(np.zeros(3_000_000, "i8"))}))
    assert len(data) < 2**20
    target = [column("integer", "a")]
    with pytest.raises(FileRefusedError, match="max_bytes"):
        next(reader(data, max_bytes=2**20).read(target))
    assert sum(len(batch.arrays[0]) for batch in reader(data).read(target)) == 3_000_000
    bomb = parquet(pa.table({"a": pa.array(np.zeros(20_000_000, "i1"))}))
    with pytest.raises(FileRefusedError, match="max_ratio"):
        next(reader(bomb, max_ratio=100).read(target))
    assert next(reader(bomb).read(target)).arrays


def test_a_long_text_that_is_repeated_is_read_in_little_memory() -> None:
    """A dictionary has one text of a megabyte, and 20,000 rows of it would take 20 GB."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, "i4")), pa.array(["x" * 2**20, "y"]))
    data = parquet(pa.table({"t": texts}), dictionary_pagesize_limit=2**22, store_schema=False)
    batches = reader(data, max_ratio=10**9).read([column("text", "t")])
    for _ in range(20):
        assert sum(array.nbytes for array in next(batches).arrays) <= 2**25
    with pytest.raises(FileRefusedError, match="max_ratio"):
        list(reader(data, max_ratio=100).read([column("text", "t")]))


def test_a_file_is_asked_for_piece_by_piece() -> None:
    random = np.random.default_rng(3)
    data = parquet(pa.table({"a": random.integers(0, 2**60, 1_000_000), "b": random.random(1_000_000)}))
    file = Memory(data)
    rows = sum(len(batch.arrays[0]) for batch in ParquetReader(file, ColumnarOptions(), []).read(
        [column("bigint", "a"), column("double precision", "b")]))  # fmt: skip
    assert rows == 1_000_000
    assert max(file.asked) <= 2 * 2**20


MEMORY = """
import resource, sys
import journey.loader
from journey.loader.formats.typedoptions import ColumnarOptions
from journey.loader.formats.parquet import ParquetReader
from loader.typed_files import column
class File:
    key = "x"
    def seekable(self): return open(sys.argv[1], "rb", buffering=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kinds = {"id": "bigint", "amount": "numeric(12,2)", "share": "double precision", "name": "text"}
reader = ParquetReader(File(), ColumnarOptions(), [])
rows = sum(len(b.arrays[0]) for b in reader.read([column(kind, name) for name, kind in kinds.items()]))
print(rows, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_row_groups_of_128_mb_take_little_memory(tmp_path: Path) -> None:
    random, rows = np.random.default_rng(5), 2_800_000
    table = pa.table({
        "id": random.integers(0, 2**60, rows), "amount": np.round(random.random(rows) * 100, 2),
        "share": random.random(rows), "name": pa.array([f"some name {row * 7919}" for row in range(rows)]),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "x", row_group_size=rows, use_dictionary=False)
    group = pq.ParquetFile(tmp_path / "x").metadata.row_group(0)
    assert group.total_byte_size >= 2**27 * 0.9
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x")]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found, before, after = map(int, out.stdout.split())
    assert found == rows
    assert (after - before) / 1024 < 80, "MB on top of what the program takes"


def test_a_file_without_a_byte_is_no_parquet_file() -> None:
    """It is what is left of an upload that was cut."""
    with pytest.raises(FileRefusedError, match="hasn't a byte"):
        reader(b"").names()
