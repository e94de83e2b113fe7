"""Bytes of a stream, taken as Avro counts them, and its blocks, decompressed."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from journey.loader.errors import FileRefusedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK_BYTES = 2**26  # of a block, compressed or not; writers make them of 16 KB to some MB
CHECKSUM = 4  # bytes behind a block that snappy made
STREAMS: dict[str, Callable[[], Any]] = {
    "deflate": lambda: zlib.decompressobj(-15), "bzip2": bz2.BZ2Decompressor, "xz": lzma.LZMADecompressor,
    "zstandard": zstd.ZstdDecompressor,
}  # fmt: skip


class Source:
    """A stream that is taken from piece by piece.

    Attributes:
        position: bytes that were taken.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held, self.position = chunks, b"", 0

    def peek(self, size: int) -> bytes:
        """The next bytes, or fewer at the end."""
        while len(self._held) < size and (chunk := next(self._chunks, b"")):
            self._held += chunk
        return self._held[:size]

    def take(self, size: int, limit: int = BLOCK_BYTES) -> bytes:
        """So many bytes.

        Raises:
            EOFError: the stream ends before.
            FileRefusedError: they are more than the limit.
        """
        if size < 0:
            raise ValueError(f"a length of {size}")
        if size > limit:
            raise FileRefusedError(f"a block of {size:,} bytes is larger than {limit:,}: write it with smaller blocks")
        parts, missing = [self._held[:size]], size - len(self._held[:size])
        self._held = self._held[size:]
        while missing:
            chunk = next(self._chunks, b"")
            if not chunk:
                raise EOFError
            parts.append(chunk[:missing])
            self._held = chunk[missing:]
            missing -= len(parts[-1])
        self.position += size
        return b"".join(parts)

    def varint(self) -> int:
        """A number, as Avro writes longs."""
        value = self.unsigned()
        return (value >> 1) ^ -(value & 1)

    def unsigned(self) -> int:
        """A number, as snappy writes a length."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("a number has more than 64 bits")


def decompressed(codec: str, data: bytes, room: int) -> bytes:
    """A block's records.

    Args:
        codec: Avro's name for how it is compressed.
        data: the block.
        room: bytes that it may have.

    Raises:
        FileRefusedError: it has more, or the codec isn't known.
        ValueError: it is broken.
    """
    limit = min(room, BLOCK_BYTES)
    if codec == "null":
        return data
    if codec == "snappy":
        size = Source(iter((data,))).unsigned()
        if size <= limit:
            try:
                plain: bytes = pa.Codec("snappy").decompress(data[:-CHECKSUM], size, asbytes=True)
            except OSError as error:
                raise ValueError(str(error)) from error
            if zlib.crc32(plain) != int.from_bytes(data[-CHECKSUM:], "big"):
                raise ValueError("a block's checksum is another than that of its bytes")
            return plain
    elif codec in STREAMS:
        stream = STREAMS[codec]()
        try:
            found: bytes = stream.decompress(data, int(limit) + 1)
        except (zlib.error, OSError, lzma.LZMAError, zstd.ZstdError) as error:
            raise ValueError(str(error)) from error
        if len(found) <= limit:
            if not stream.eof:
                raise ValueError(f"a block of {codec} doesn't end")
            return found
    else:
        raise FileRefusedError(f"its codec is {codec!r}; there are null, snappy, {', '.join(STREAMS)}")
    what = "max_bytes" if limit == room else "what a block may have"
    raise FileRefusedError(f"a block decompresses to more than {int(limit):,} bytes, {what}")
