"""A stream cut into blocks of whole lines, as Arrow has texts, with their numbers in the file."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from journey.loader.formats.contract import RAW_BYTES, Refused

BLOCK_BYTES = 2**22
LINE_BYTES = 2**24  # of one line


class Lines(NamedTuple):
    """Some lines.

    Attributes:
        texts: their bytes, without line ends.
        number: of the first, from 1.
        refused: a line before them that is too long to be one.
    """

    texts: pa.Array
    number: int
    refused: list[Refused]


def blocks(chunks: Iterator[bytes]) -> Iterator[Lines]:
    """Cut a stream.

    Args:
        chunks: bytes whose lines end with a line feed, with or without a carriage return.
    """
    tail: list[bytes] = []
    size, number = 0, 1
    for chunk in chunks:
        tail.append(chunk)
        size += len(chunk)
        if size < BLOCK_BYTES:
            continue
        if b"\n" not in chunk and size < LINE_BYTES:
            continue
        data = b"".join(tail)
        end = data.rfind(b"\n") + 1
        if end:
            yield Lines(_cut(data[:end]), number, [])
            number += data.count(b"\n", 0, end)
            tail, size = [data[end:]], len(data) - end
        else:
            begin = yield from _too_long(data, number, chunks)
            number += 1
            tail, size = [begin], len(begin)
    if data := b"".join(tail):
        yield Lines(_cut(data), number, [])


def _too_long(data: bytes, number: int, chunks: Iterator[bytes]) -> Generator[Lines, None, bytes]:
    """Refuse a line, and pass over the rest of it; returns what comes behind it."""
    reason = f"a line of more than {LINE_BYTES:,} bytes"
    yield Lines(pa.array([], pa.binary()), number, [Refused(number, None, reason, data[:RAW_BYTES])])
    rest = next((chunk for chunk in chunks if b"\n" in chunk), b"")
    return rest[rest.find(b"\n") + 1 :]


def _cut(data: bytes) -> pa.Array:
    """Lines, without a copy of what is in them but for their ends."""
    found = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(found == 10)
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    begins = np.concatenate(([0], ends[:-1] + 1))
    stops = ends - ((ends > begins) & (found[np.maximum(ends - 1, 0)] == 13))
    spans = stops - begins
    offsets = np.concatenate(([0], np.cumsum(spans))).astype("i4")
    keep = np.ones(len(found), bool)
    keep[ends[ends < len(found)]] = False
    keep[stops[stops < ends]] = False
    return pa.Array.from_buffers(
        pa.binary(), len(spans), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(found[keep]))]
    )
