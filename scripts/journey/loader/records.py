"""Rows on the careful path, and the lines that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

RECORD_LIMIT = 64 * 2**20  # bytes of one record
LineStream = Callable[[], Iterator[bytes]]


class Record(NamedTuple):
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


def lines(chunks: Iterator[bytes], end: bytes = b"\n") -> Iterator[bytes]:
    """The lines of a stream, each with its line end.

    Args:
        chunks: the stream.
        end: one byte that ends a line.
    """
    parts: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(end)
        parts.append(first)
        for line in others:
            yield b"".join((*parts, end))
            parts = [line]
    if last := b"".join(parts):
        yield last


def csv_row(values: Sequence[str | None]) -> bytes:
    """A row as COPY's CSV: null is an unquoted nothing."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values).encode()
