"""The part of a stream that is looked at."""

from __future__ import annotations

from collections.abc import Iterator

BLOCK_BYTES = 2**20  # read at once
RECORD_BYTES = 16 * 2**20  # that one record may have
KEPT = 2**24  # bytes that may be freed without going back to the system
BLANKS = b" \t\r\n"
MARGIN = 128  # bytes around a block, so that no look at eight or more of them reaches beyond


class Buffer:
    """A stream of which a reader takes what it has understood, and reads on.

    Attributes:
        data: what was read and not taken yet.
        line: the line in which it begins, from 1.
        is_last: nothing follows.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        """Nothing is read yet.

        Args:
            chunks: the stream.
        """
        self.data, self.line, self.is_last = b"", 1, False
        self._pieces = _pieces(chunks)
        bytes(KEPT)  # untouched, and freed: from now on glibc keeps as much, and blocks have no page faults

    def more(self) -> bool:
        """Read another block, and at least as much again as there is. False: there is nothing any more."""
        parts, size = [self.data], 0
        while size < max(BLOCK_BYTES, len(self.data)):
            piece = next(self._pieces, b"")
            if not piece:
                self.is_last = True
                break
            parts.append(piece)
            size += len(piece)
        self.data = b"".join(parts)
        return bool(self.data)

    def drop(self, size: int, lines: int | None = None) -> None:
        """Take bytes from the beginning.

        Args:
            size: how many.
            lines: how many lines end in them, where that is known.
        """
        self.line = self.line_of(size) if lines is None else self.line + lines
        self.data = self.data[size:]

    def drop_line(self) -> int:
        """Take everything up to the next line end, without keeping it; returns how many bytes."""
        size = 0
        while (end := self.data.find(b"\n")) < 0:
            size += len(self.data)
            self.data = b""
            if not self.more():
                return size
        self.drop(end + 1)
        return size + end

    def line_of(self, at: int) -> int:
        """The line of a place in data."""
        return self.line + self.data.count(b"\n", 0, at)


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The stream in pieces that are not empty and not larger than a block."""
    for chunk in chunks:
        for begin in range(0, len(chunk), BLOCK_BYTES):
            yield chunk[begin : begin + BLOCK_BYTES]
