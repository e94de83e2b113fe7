"""JSON: names of fields, limits, and which way records take."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from typing import Any

import pytest

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import UnknownFieldError
from journey.loader.formats.jsonlines import JsonReader
from journey.loader.formats.jsontext import blocks, buffer, layouts, objects
from journey.loader.values.meaning import Column
from loader.json_files import COLUMNS, Bytes, read

ID_NAME = [Column("id", "integer"), Column("name", "text")]
TWO = [(1, "a"), (2, "b")]
A, B = '{"id": 1, "name": "a"}', '{"id": 2, "name": "b"}'


def test_one_key_in_two_cases_costs_one_row() -> None:
    lines = [f'{{"id": {i}, "name": "u{i}"}}' for i in range(1, 300)] + ['{"id": 300, "Id": "a-300", "name": "u300"}']
    for scan in (False, True):
        outcome = read("\n".join(lines), ID_NAME, scan=scan)
        assert len(outcome.rows) == 299
        assert [(one.line, one.reason) for one in outcome.refused] == [(300, "the keys `id` and `Id` are one column")]


DYNAMIC = "".join(f'{{"id": {i}, "name": "n", "prop_{i:04}": {i}}}\n' for i in range(1, 201))


def test_keys_that_nobody_declared() -> None:
    with pytest.raises(UnknownFieldError, match="prop_0001"):
        read(DYNAMIC, ID_NAME)
    ignoring = read(DYNAMIC, ID_NAME, unknown="ignore")
    assert ignoring.values == [(i, "n") for i in range(1, 201)]
    assert list(ignoring.reader.ignored) == [f"prop_{i:04}" for i in range(1, 201)]
    refusing = read(DYNAMIC + A, ID_NAME, unknown="refuse")
    assert refusing.values == [(1, "a")]
    assert "`prop_0200` is not declared (new_columns: refuse)" in refusing.refused[-1].reason
    opened = JsonReader(Bytes(DYNAMIC.encode()), JsonReader.Options(), ID_NAME)
    names = opened.names(scan=True)
    assert names == ["id", "name", *(f"prop_{i:04}" for i in range(1, 201))]
    columns = [*ID_NAME, None, *(Column(name, "text") for name in names[3:])]
    (batch,) = opened.read(columns)
    assert len(batch.arrays) == 201
    assert batch.arrays[2].to_pylist()[:3] == [None, "2", None]


def test_a_scan_tells_every_key_of_good_records() -> None:
    lines = [A, '{"b": null, "Name": 1}', '{"bad": 1, "x": }', '{"x": 1, "x": 2}', '{"": 1}', r'{"\u0063": {"d": 1}}']
    data = "\n".join(lines + [A] * 99)
    opened = JsonReader(Bytes(data.encode()), JsonReader.Options(), ID_NAME)
    assert opened.names(scan=True) == ["id", "name", "b", "c"]


@pytest.mark.parametrize("odd", ['{"id": 1,"x" :2, "name": "b"}', '{"id": {"y": 1},"x" :2, "name": "b"}'])
def test_a_scan_tells_keys_of_records_that_look_like_others(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "BLOCK_BYTES", 2**11)
    alien = b'{"id": {"z": "\xff"}, "name": "\xff"}\n'
    data = f"{A}\n".encode() * 500 + alien + f"{odd}\n".encode() + f"{A}\n".encode() * 50
    opened = JsonReader(Bytes(data, size=2**10), JsonReader.Options(), ID_NAME)
    assert opened.names(scan=True) == ["id", "name", "x"]


def test_columns_that_never_came_are_missing() -> None:
    columns = [*ID_NAME, Column("later", "date"), Column("null", "date")]
    outcome = read('{"id": 1, "NULL": null}\n' * 100 + '{"id": 2}\n', columns)
    assert list(outcome.reader.missing) == ["name", "later"]
    assert outcome.values[-1] == (2, None, None, None)


@pytest.mark.parametrize("unknown", ["raise", "ignore"])
def test_junk_keys_are_not_taken(unknown: str) -> None:
    junk = json.dumps({"id": 1, **{f"k{i}": i for i in range(1500)}})
    outcome = read(f"{A}\n{junk}\n{B}", ID_NAME, unknown=unknown)
    assert outcome.values == TWO
    assert "more than 500 keys (max_columns)" in outcome.refused[0].reason
    each = "".join(f'{{"k{i}": {i}}}\n' for i in range(1500))
    with pytest.raises(FileRefusedError, match="max_columns"):
        JsonReader(Bytes(each.encode()), JsonReader.Options(), ID_NAME).names(scan=True)


def test_small_junk_is_looked_at_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MOST", 100)
    for layout, junk in (("concatenated", "}"), ("lines", "}\n")):
        outcome = read(f"{A}\n{junk * 1000}{B}", ID_NAME, layout=layout)
        assert outcome.values == TWO
        assert len(outcome.refused) == 1000
        assert [line for line, _ in outcome.rows] == [1, 2 if layout == "concatenated" else 1002]


def test_what_is_kept_of_a_record_stands_in_a_line() -> None:
    outcome = read('[{\n "id": "x",\r\n"name": "a\n"}, {"id": "x",\n"name": "a"}]', ID_NAME, form="json")
    assert [one.raw for one in outcome.refused] == [b'{  "id": "x",\r "name": "a\n"}', b'{"id": "x", "name": "a"}']
    options = JsonReader.Options(layout="concatenated", encoding="utf-16")
    head, kept = JsonReader.of_kept(["id", "name"], options)
    assert (head, kept) == (b"", JsonReader.Options())


@pytest.mark.parametrize("size", [10, 2**18])
def test_a_huge_line_costs_itself(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (layouts, buffer):
        monkeypatch.setattr(module, "RECORD_BYTES", 1000)
    monkeypatch.setattr(layouts, "RAW_BYTES", 50)
    long = f'{{"id": 3, "name": "{"x" * 2000}"}}'
    outcome = read("\n".join([A, long, B, long]), ID_NAME, size=size)
    assert outcome.values == TWO
    assert [one.line for one in outcome.refused] == [2, 4]
    assert f"a line of {len(long):,} bytes: more than 1,000" in outcome.refused[0].reason
    assert outcome.refused[0].raw == long[:50].encode()
    for layout in ("array", "concatenated"):
        with pytest.raises(FileRefusedError, match="more than 1,000 bytes"):
            read(f"[{A},{long}]"[layout != "array" :], ID_NAME, size=size, layout=layout)


class Zeros(Bytes):
    """A long line, made as it is read."""

    def stream(self) -> Iterator[bytes]:
        """128 MiB in a line."""
        yield from [b'{"id": 1, "name": "', *[bytes(2**20).replace(b"\0", b"x")] * 128, b'"}\n' + B.encode()]


def test_a_poisonous_line_ends_quickly_in_little_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    opened = JsonReader(Zeros(b""), JsonReader.Options(), ID_NAME)
    found = list(opened.read(ID_NAME))
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert [len(batch.refused) for batch in found] == [1, 0]
    assert found[1].arrays[0].to_pylist() == [2]
    assert after.ru_utime - before.ru_utime < 5
    assert after.ru_maxrss - before.ru_maxrss < 150_000  # KiB


# --- which way records take ---


def test_records_of_one_shape_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read_exactly = []

    def members(text: str, most: int) -> Any:
        read_exactly.append(text)
        return objects_members(text, most)

    objects_members = objects.members
    monkeypatch.setattr(blocks, "members", members)
    line = (
        '{"i": %d, "n": %s, "t": "%s", "j": %s, "a": [%d, null], "d": "2024-06-01", "z": "2024-06-01T10:00:00Z", '
        '"o": true, "f": 1e2}'
    )
    texts = ["plain", "\\u00e9", 'a\\"b', "K\u00f6ln", ""]
    within = ['{"k": "\\\\", "l": [{}]}', "[]", "1.50", '"{"', "null"]
    lines = [
        line % (i, "null" if i % 7 == 0 else f"{i % 100}.25", texts[i % 5], within[i % 3 + i % 2], i)
        for i in range(1000)
    ]
    optional = [
        "{" + ",".join(f'"{key}":{i}' for bit, key in enumerate("ibt") if i >> bit & 1) + "}" for i in range(1, 8)
    ]
    outcome = read("\n".join(lines + optional * 100), COLUMNS)
    assert len(outcome.rows) == 1700
    assert len(read_exactly) <= 32
    assert outcome.values[2][4] == 'a"b'
    assert [outcome.values[i][-2:] for i in (0, 3)] == [('{"k": "\\\\", "l": [{}]}', "{0,NULL}"), ("[]", "{3,NULL}")]
