"""Files of typed columns, made in memory and read back."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from journey.loader.formats.contract import Batch, Reader
from journey.loader.values.meaning import Column, Meaning


class Memory:
    """A file that lies in memory."""

    def __init__(self, data: bytes) -> None:
        self.data, self.key = data, "a/file"
        self.asked: list[int] = []

    def stream(self) -> Iterator[bytes]:
        """Its bytes, in pieces that end anywhere."""
        yield from (self.data[begin : begin + 1000] for begin in range(0, len(self.data), 1000))

    def seekable(self) -> Any:
        """It, as a file that can seek, which remembers how much was asked for at once."""
        asked = self.asked

        class Seekable(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                data = super().read(size)
                asked.append(len(data))
                return data

        return Seekable(self.data)


def parquet(table: pa.Table, **options: Any) -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def column(kind: str, name: str = "c", **meaning: Any) -> Column:
    """A column of a raw table."""
    return Column(name, kind, Meaning(**meaning))


class Read:
    """What a reader makes of a file: all of its good rows, and all of its refused ones."""

    def __init__(self, reader: Reader, columns: Sequence[Column]) -> None:
        self.names = reader.names() or []
        by_name = {one.name: one for one in columns}
        self.batches: list[Batch] = list(reader.read([by_name.get(name) for name in self.names]))
        targets = [by_name[name] for name in self.names if name in by_name]
        self.refused = [one for batch in self.batches for one in batch.refused]
        self.columns = {
            one.name: [value for batch in self.batches for value in batch.arrays[position].to_pylist()]
            for position, one in enumerate(targets)
        }
