"""Decompression. The content decides, not the name; what is of another kind is refused by its name."""

from __future__ import annotations

import bz2
import itertools
import re
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

from isal import igzip_lib

from journey.loader.errors import FileRefusedError
from journey.loader.s3.kinds import HEAD, kind_of
from journey.loader.s3.objects import CHUNK

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FLOOR = 2**24  # bytes, decompressed, that no ratio is held against: small files shrink much, and harm nobody
MADE: tuple[tuple[re.Pattern[bytes], str, Callable[[], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), "gzip", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zstd", zstd.ZstdDecompressor),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90|$)"), "bz2", bz2.BZ2Decompressor),
)
BROKEN: tuple[type[Exception], ...] = (igzip_lib.IsalError, zstd.ZstdError, OSError, EOFError)  # type: ignore[assignment]


class Limit:
    """How much may come out of an object, or of all members of one.

    Attributes:
        max_bytes: so many bytes, decompressed.
        max_ratio: so many times the bytes that went in, from FLOOR bytes on.
    """

    def __init__(self, max_bytes: int, max_ratio: int = 1000) -> None:
        """Nothing has come out yet."""
        self.max_bytes, self.max_ratio = max_bytes, max_ratio

    def check(self, went_in: int, came_out: int) -> None:
        """Refuse too much.

        Args:
            went_in: bytes.
            came_out: bytes.

        Raises:
            FileRefusedError: it is too much; the message names the option.
        """
        if came_out > self.max_bytes:
            raise FileRefusedError(f"it is larger than max_bytes ({self.max_bytes:,} bytes, decompressed)")
        if came_out > FLOOR and came_out > went_in * self.max_ratio:
            raise FileRefusedError(
                f"{went_in:,} bytes of it decompress to more than {came_out:,}, beyond max_ratio ({self.max_ratio:,}): "
                "raise max_ratio if it is no zip bomb"
            )


def decompress(chunks: Iterator[bytes], limit: Limit, file_format: str = "") -> Generator[bytes, None, None]:
    """Decompress what gzip, zstd or bz2 made, several members too; pass on the rest.

    Args:
        chunks: the object's bytes.
        limit: how much may come of it.
        file_format: what is declared; other kinds are refused.

    Raises:
        FileRefusedError: broken, cut short, too large, or of a kind that isn't read.
    """
    went_in = came_out = 0

    def counted() -> Iterator[bytes]:
        nonlocal went_in
        for data in chunks:
            went_in += len(data)
            yield data

    head, plain = _head(counted(), 10)
    made = ""
    for pattern, name, make in MADE:
        if pattern.match(head):
            made, plain = name, _members(name, make, plain)
            break
    head, plain = _head(plain, HEAD)
    kind = kind_of(head)
    if kind and kind.format != (file_format or None):
        raise FileRefusedError(f"it is {kind.name}{f' inside {made}' if made else ''}: {kind.remedy}")
    for data in plain:
        came_out += len(data)
        limit.check(went_in, came_out)
        yield data


def _head(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """At least the first `size` bytes, if there are so many; and all chunks, these included."""
    head = b""
    while len(head) < size and (more := next(chunks, b"")):
        head += more
    return head[:HEAD], itertools.chain((head,) if head else (), chunks)


def _members(kind: str, make: Callable[[], Any], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The members of a compressed stream, one after the other; each call of `make` begins one."""
    decompressor, data = make(), next(chunks)
    try:
        while True:
            if plain := decompressor.decompress(data, CHUNK):
                yield plain
            data = b""
            if decompressor.eof:
                data = decompressor.unused_data.lstrip(b"\0")  # some tools pad with zeros
                while not data and (more := next(chunks, b"")):
                    data = more.lstrip(b"\0")
                if not data:
                    return
                decompressor = make()
            elif decompressor.needs_input and not (data := next(chunks, b"")):
                raise FileRefusedError(f"the {kind} stream is cut short: deliver the file again")
    except BROKEN as error:
        raise FileRefusedError(f"the {kind} stream is broken ({error}): deliver the file again") from error
