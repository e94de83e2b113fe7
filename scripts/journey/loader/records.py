"""What the formats hand to COPY: bytes on the fast path, records on the careful one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from journey.loader.columns import TableColumn

RECORD_LIMIT = 64 * 2**20  # bytes of one record
LineStream = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Record:
    """One row of a file on the careful path.

    Attributes:
        line: its first line (Parquet: row) in the file, from 1.
        raw: the row as the file has it.
        row: the row as CSV for COPY, without line end; None if it can't be one.
        reason: why not.
        lines: how many lines it spans.
    """

    line: int
    raw: bytes
    row: bytes | None
    reason: str = ""
    lines: int = 1


class Format(Protocol):
    """A file of some format, opened. Each iteration reads it anew."""

    encoding: str  # PostgreSQL's name
    line_end: bytes  # of the careful path's rows

    def names(self, *, scan: bool) -> list[str] | None:
        """The file's field names in order, [] for an empty file; None if only a full scan can tell and scan is off."""

    def fast(self, targets: Sequence[TableColumn]) -> Iterator[bytes | memoryview]:
        """The file for one COPY; its first chunk tells binary from text. Raises BadRowsError where it can't be."""

    def records(self, targets: Sequence[TableColumn]) -> Iterator[Record]:
        """The file row by row, whatever is in it."""

    def count(self) -> int:
        """Number of records."""


def lines(chunks: Iterator[bytes], end: bytes = b"\n") -> Iterator[bytes]:
    """The lines of a stream, each with its line end.

    Args:
        chunks: the stream.
        end: one byte that ends a line.
    """
    parts: list[bytes] = []
    for chunk in chunks:
        found = chunk.split(end)
        if len(found) == 1:
            parts.append(chunk)
            continue
        yield b"".join((*parts, found[0], end))
        for line in found[1:-1]:
            yield line + end
        parts = [found[-1]] if found[-1] else []
    if last := b"".join(parts):
        yield last


def csv_row(values: Sequence[str | None]) -> bytes:
    """A row as COPY's CSV: null is an unquoted nothing."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values).encode()
