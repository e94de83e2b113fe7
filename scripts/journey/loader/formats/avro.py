"""Avro's object container files: block by block, each decompressed here so that none is larger than it may be."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

from journey.loader.errors import FileRefusedError, one_line
from journey.loader.formats.avrotypes import Types, built, physical
from journey.loader.formats.blocks import Source, decompressed
from journey.loader.formats.columnar import ColumnarReader, foreign
from journey.loader.formats.contract import NOTHING, Batch
from journey.loader.s3.kinds import HEAD
from journey.loader.values.meaning import Column

MAGIC = b"Obj\x01"
SYNC = 16  # bytes
HEADER_BYTES = 2**24
BATCH_ROWS = 2**13
FAULTS = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, SchemaParseException,
          UnknownType, RecursionError)  # fmt: skip


class AvroReader(ColumnarReader):
    """One Avro file.

    Logical types are read as what they are: dates, times, timestamps (with a zone, unless they are local), decimals,
    UUIDs. Enums are texts. A field that may be of several types, other than null and one more, is refused.
    """

    _source: Source | None = None
    _schema: Any = None

    def names(self, *, scan: bool = False) -> list[str] | None:  # noqa: ARG002
        """The names of the record's fields."""
        self._source = source = Source(self.file.stream())
        head = source.peek(HEAD)
        if not head:
            raise FileRefusedError(NOTHING.format("an Avro file"))
        if not head.startswith(MAGIC):
            raise foreign(head, "an Avro file")
        try:
            self._read_header(source)
        except FAULTS as error:
            raise _broken(error) from error
        return self._checked(self._types.names)

    def types(self) -> list[pa.DataType]:
        """The types of the record's fields."""
        return [kind for _, kind, _ in self._types.fields]

    def _read_header(self, source: Source) -> None:
        source.take(len(MAGIC))
        header: dict[str, bytes] = {}
        while count := source.varint():
            if count < 0:
                source.varint()  # its size
            for _ in range(abs(count)):
                key = source.take(source.varint(), HEADER_BYTES).decode()
                header[key] = source.take(source.varint(), HEADER_BYTES)
        self._sync = source.take(SYNC)
        self._codec = header.get("avro.codec", b"null").decode()
        schema = json.loads(header["avro.schema"])
        self._types = Types(schema)
        self._schema = parse_schema(physical(schema))

    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The rows, some thousands at a time."""
        if self._source is None:
            self.names()
        source, self._source = self._source, None  # another reading begins anew
        columns = [column for column in targets if column is not None]
        if source is None or not columns or self._schema is None:
            return
        places = {place: target.name for place, target in enumerate(targets) if target is not None}
        line = 1
        for records in self._records(source):
            fields, broken = [], dict[int, tuple[str | None, str]]()
            for place, column in places.items():
                name, kind, decode = self._types.fields[place]
                values, refused = built([record[name] for record in records], kind, decode)
                fields.append(values)
                for row, reason in refused.items():
                    broken.setdefault(row, (column, reason))
            yield self._batch([self._types.names[place] for place in places], fields, columns, line, broken)
            line += len(records)

    def _records(self, source: Source) -> Iterator[list[dict[str, Any]]]:
        size = rows = 0
        try:
            while source.peek(1):
                count = source.varint()
                room = self.options.max_bytes - size
                data = decompressed(self._codec, source.take(source.varint()), room)
                size, rows = size + len(data), rows + count
                self._check_size(max(size, rows * len(self._types.names)), source.position)
                if source.take(SYNC) != self._sync:
                    raise ValueError("a block doesn't end where it says")
                yield from self._block(data, count)
        except FAULTS as error:
            raise _broken(error) from error

    def _block(self, data: bytes, count: int) -> Iterator[list[dict[str, Any]]]:
        block = io.BytesIO(data)
        for begin in range(0, count, BATCH_ROWS):
            yield [self._record(block) for _ in range(min(BATCH_ROWS, count - begin))]
        if block.tell() != len(data):
            raise ValueError("a block has more than its records")

    def _record(self, block: io.BytesIO) -> Any:
        return schemaless_reader(block, self._schema, None, handle_unicode_errors="surrogateescape")


def _broken(error: BaseException) -> FileRefusedError:
    if isinstance(error, EOFError):
        return FileRefusedError("the Avro file is cut short")
    return FileRefusedError(f"the Avro file is broken: {one_line(error)[:300] or type(error).__name__}")


READER = AvroReader
