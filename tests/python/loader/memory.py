"""A file that lies in memory, and what its format's reader makes of it: no S3, no PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from journey.loader.declaration.options import make
from journey.loader.formats import Refused, reader
from journey.loader.values.meaning import Column


@dataclass(frozen=True)
class MemoryFile:
    """Bytes, in chunks of a size.

    Attributes:
        body: the bytes.
        chunk: bytes of a chunk.
        key: what it is called.
    """

    body: bytes
    chunk: int = 2**20
    key: str = "file"

    def stream(self) -> Iterator[bytes]:
        """Its chunks."""
        for begin in range(0, len(self.body), self.chunk):
            yield self.body[begin : begin + self.chunk]

    def seekable(self) -> IO[bytes]:
        """Itself."""
        return io.BytesIO(self.body)


def read(
    body: bytes, columns: Sequence[Column], file_format: str = "csv", *, chunk: int = 2**20, **options: Any
) -> tuple[list[tuple[Any, ...]], list[Refused]]:
    """Good rows and refused ones, in order; fields are the columns, in order.

    Args:
        body: the file.
        columns: of the file.
        file_format: of the file.
        chunk: how many bytes come at a time.
        options: of the format.
    """
    kind = reader(file_format)
    given: Mapping[str, Any] = options
    opened = kind(MemoryFile(body, chunk), make(kind.Options, given), columns)
    rows: list[tuple[Any, ...]] = []
    refused: list[Refused] = []
    if opened.names() == []:
        return rows, refused
    for batch in opened.read(list(columns)):
        refused += batch.refused
        if batch.arrays:
            rows += zip(*(array.to_pylist() for array in batch.arrays), strict=True)
    return rows, refused
