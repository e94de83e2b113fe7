"""JSON lines: parsed by Arrow where every line is one plain object, else line by line, where every doubt is settled."""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json

from journey.loader.arrow import arrow_type, convert, copy_stream
from journey.loader.columns import TableColumn
from journey.loader.errors import BadRowsError, one_line
from journey.loader.records import LineStream, Record, csv_row, lines

NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
INSTANT = arrow_type(TableColumn("", "timestamp with time zone"))
YEAR_1 = {4: -719_162, 8: -719_162 * 86_400_000_000}  # days (4 bytes) and microseconds (8) since 1970
SECOND_VALUE = re.compile(rb"\}[ \t\r]*[^\s,\]}]")


class JsonLines:
    """One JSON-lines file."""

    encoding = "UTF8"
    line_end = b"\n"

    def __init__(self, stream: LineStream) -> None:
        """Remember where the file is; nothing is read yet.

        Args:
            stream: opens its decompressed bytes.
        """
        self._stream = stream
        self._names: list[str] | None = None
        self.missing: list[str] = []  # columns without a value in the file and without a name in its first line

    def names(self, *, scan: bool) -> list[str] | None:
        """Every field name that any line has, in the order of appearance; None without a scan."""
        if scan and self._names is None:
            found: dict[str, None] = {}
            for _, line in self._lines():
                with suppress(ValueError):  # refused later, with its reason
                    found.update(dict.fromkeys(_parse(line)))
            self._names = list(found)
        return self._names

    def fast(self, targets: Sequence[TableColumn]) -> Generator[bytes, None, None]:
        """COPY's bytes, if Arrow reads exactly what the careful path would read.

        Raises:
            BadRowsError: anything else.
        """
        if any(column.type in ("json", "jsonb") for column in targets):
            raise BadRowsError("a JSON column takes any value, and Arrow doesn't")
        return copy_stream(self._batches(targets), targets)

    def records(self, targets: Sequence[TableColumn]) -> Iterator[Record]:
        """Line by line; an empty line is nothing.

        Args:
            targets: a column for each of the names.
        """
        fields = [
            (name, column.type in ("json", "jsonb"))
            for name, column in zip(self.names(scan=True) or (), targets, strict=True)
        ]
        for number, line in self._lines():
            try:
                value = _parse(line)
                yield Record(number, line, csv_row([_text(value.get(name), as_json) for name, as_json in fields]))
            except UnicodeEncodeError:
                yield Record(number, line, None, "half a surrogate pair in a text")
            except ValueError as error:
                yield Record(number, line, None, str(error))

    def count(self) -> int:
        """Number of lines that aren't empty."""
        return sum(1 for _ in self._lines())

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        for number, line in enumerate(lines(self._stream()), 1):
            plain = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if plain.strip():
                yield number, plain

    def _batches(self, targets: Sequence[TableColumn]) -> Iterator[list[pa.Array]]:
        schema = pa.schema([(column.name, _parsed_type(column)) for column in targets])
        parse = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
        filled, first_line = set[str](), b""
        for block, count in self._plain_blocks():
            first_line = first_line or block.partition(b"\n")[0]
            read = pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1)
            try:
                table = pyarrow.json.read_json(pa.BufferReader(block), read_options=read, parse_options=parse)
            except (pa.ArrowException, UnicodeDecodeError) as error:
                raise BadRowsError(one_line(error)) from error
            if table.num_rows != count:
                raise BadRowsError(f"{table.num_rows} objects on {count} lines")
            table = table.combine_chunks()
            arrays = [convert(table.column(i).chunk(0), column) for i, column in enumerate(targets)]
            if any(pa.types.is_temporal(array.type) and _has_year_0(array) for array in arrays):
                raise BadRowsError("a year 0")
            filled.update(c.name for c, array in zip(targets, arrays, strict=True) if array.null_count < count)
            yield arrays
        if first_line and len(filled) < len(targets):
            first = _parse(first_line)
            self.missing = [c.name for c in targets if c.name not in filled and c.name not in first]

    def _plain_blocks(self) -> Iterator[tuple[bytes, int]]:
        """The stream cut at line ends, with the number of lines, as long as every line is one object.

        Raises:
            BadRowsError: one isn't. Arrow would take two objects on a line for two rows, and dies of a line that is
                `null`.
        """
        tail = b""
        for chunk in itertools.chain(self._stream(), (b"",)):
            cut = chunk.rfind(b"\n") + 1
            block, tail = (tail + chunk[:cut], chunk[cut:]) if cut else (b"", tail + chunk)
            if not chunk and tail:
                block = tail + b"\n"
            if block:
                if not (count := _plain_lines(block)):
                    raise BadRowsError("a line isn't one JSON object")
                yield block, count


def _plain_lines(block: bytes) -> int:
    """Number of lines if each begins and ends as an object, with the same line end and nothing after it; else 0."""
    data = np.frombuffer(block, np.uint8)  # ten times as fast as bytes.count()
    ends = np.flatnonzero(data == ord("\n"))
    closing = 2 if block.endswith(b"}\r\n") else 1
    is_plain = (
        block.startswith(b"{")
        and (data[ends - closing] == ord("}")).all()
        and (closing == 1 or (data[ends - 1] == ord("\r")).all())
        and (data[ends[:-1] + 1] == ord("{")).all()
        and (np.count_nonzero(data == ord("}")) == len(ends) or not SECOND_VALUE.search(block))
    )
    return len(ends) if is_plain else 0


def _has_year_0(array: pa.Array) -> bool:
    """Whether a date or time is before the year 1: Arrow reads it from text, and PostgreSQL refuses it."""
    size = array.type.bit_width // 8
    return bool(np.frombuffer(array.buffers()[1], f"<i{size}").min(initial=0) < YEAR_1[size])


class _Number(str):
    """A number as it is written: no digit is lost on the way to PostgreSQL."""

    __slots__ = ()


def _parse(line: bytes) -> dict[str, Any]:
    """One line's object.

    Raises:
        ValueError: it isn't one; the message is the reason for people.
    """
    try:
        text = line.decode()
        value = json.loads(
            text, object_pairs_hook=_unique, parse_int=_Number, parse_float=_Number, parse_constant=_Number
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at character {error.pos + 1}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        kind = "array" if isinstance(value, list) else "null" if value is None else type(value).__name__.strip("_")
        raise ValueError(f"a JSON {kind.lower()} instead of an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} comes twice")
    return value


def _text(value: Any, as_json: bool) -> str | None:
    if value is None or (isinstance(value, str) and not as_json):
        return value
    return _dump(value)


def _dump(value: Any) -> str:
    """JSON text of a parsed value, its numbers as they were written."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _parsed_type(column: TableColumn) -> pa.DataType:
    """What Arrow parses: numbers and instants; the rest as text, whose cast is stricter than the parser."""
    wanted = arrow_type(column)
    return wanted if wanted == INSTANT or any(is_kind(wanted) for is_kind in NUMBERS) else pa.string()
