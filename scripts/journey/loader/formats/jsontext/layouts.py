"""How records stand in a JSON file: a stream of UTF-8 is cut into blocks of whole records. What they say isn't read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import RAW_BYTES, Refused
from journey.loader.formats.jsontext.buffer import BLANKS, MARGIN, RECORD_BYTES, Buffer
from journey.loader.formats.jsontext.envelope import after_array, find_array
from journey.loader.formats.jsontext.objects import brackets, inside, without_escapes

IS_BLANK = np.zeros(256, bool)
IS_BLANK[list(BLANKS)] = True
MOST = 2**16  # records that are looked at together
STEPS = 16  # blanks around a record that are passed over in all records at once


@dataclass
class Block:
    """Whole records.

    Attributes:
        data: the bytes where they stand, between margins of zeros.
        starts: where each begins.
        ends: where it ends.
        lines: the line in which it begins, from 1.
        refused: what is no record, and cost nothing else.
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    refused: list[Refused] = field(default_factory=list)

    def raw(self, row: int) -> bytes:
        """A record as it stands in the file."""
        return self.data[self.starts[row] : self.ends[row]]

    def kept(self, row: int) -> bytes:
        """A record in one line, as far as it may be, cut to RAW_BYTES."""
        raw = self.raw(row)
        if b"\n" in raw:
            data = np.frombuffer(raw, np.uint8)
            breaks = (data == 10) & ~inside(np.frombuffer(without_escapes(raw), np.uint8))
            raw = np.where(breaks, np.uint8(32), data).tobytes()
        return raw[:RAW_BYTES]

    def parts(self) -> Iterator[Block]:
        """The block, or pieces of it of at most MOST records: junk is small, and many."""
        if len(self.starts) <= MOST:
            yield self
            return
        for begin in range(0, len(self.starts), MOST):
            part = slice(begin, begin + MOST)
            first, last = int(self.starts[begin]), int(self.ends[part][-1])
            starts, ends = self.starts[part] - first + MARGIN, self.ends[part] - first + MARGIN
            data = between_margins(self.data[first:last])
            yield Block(data, starts, ends, self.lines[part], [] if begin else self.refused)


def between_margins(data: bytes | memoryview) -> bytes:
    """What a block of these bytes has as data."""
    return b"".join((bytes(MARGIN), data, bytes(MARGIN)))


def in_lines(chunks: Iterator[bytes]) -> Iterator[Block]:
    """A record a line; lines of nothing but blanks aren't records."""
    buffer = Buffer(chunks)
    while buffer.more():
        cut = len(buffer.data) if buffer.is_last else buffer.data.rfind(b"\n") + 1
        if cut:
            block, lines = _lines(between_margins(memoryview(buffer.data)[:cut]), buffer.line)
            yield block
            buffer.drop(cut, lines)
        if len(buffer.data) > RECORD_BYTES:
            line, head = buffer.line, buffer.data[:RAW_BYTES]
            yield Block(b"", *(np.zeros(0, np.int64),) * 3, [_too_long(line, buffer.drop_line(), head)])


def concatenated(chunks: Iterator[bytes]) -> Iterator[Block]:
    """Objects one after the other, whatever blanks are between.

    Raises:
        FileRefusedError: the last one doesn't end, or one is too long.
    """
    buffer = Buffer(chunks)
    while buffer.more():
        data = np.frombuffer(without_escapes(buffer.data), np.uint8)
        within = inside(data)
        found, levels = brackets(data, within)
        if len(levels):  # a closing brace too many is a record, and its own mistake
            levels = levels - np.minimum(np.minimum.accumulate(levels), 0)
        ends = found[levels == 0] + 1
        begin = int(ends[-1]) if len(ends) else 0
        if buffer.is_last and buffer.data[begin:].strip(BLANKS):
            if (len(levels) and levels[-1] > 0) or within[-1]:
                raise _cut_short(buffer, begin, "object")
            ends = np.append(ends, len(data))
        starts = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
        yield _spans(buffer, starts, ends, keep_empty=False)
        buffer.drop(len(data) if buffer.is_last else begin)


def in_array(chunks: Iterator[bytes], path: str | None) -> Iterator[Block]:
    """The elements of one array.

    Args:
        chunks: the file.
        path: the keys that lead to the array, with dots between; None: the file is the array.

    Raises:
        FileRefusedError: there is no such array, or it doesn't end, or an element is too long.
    """
    buffer = Buffer(chunks)
    levels, is_first = find_array(buffer, path), True
    while buffer.data or buffer.more():
        data = np.frombuffer(without_escapes(buffer.data), np.uint8)
        within = inside(data)
        found, depths = brackets(data, within)
        closing = found[depths < 0]
        end = int(closing[0]) if len(closing) else None
        commas = np.flatnonzero((data[:end] == 44) & ~within[:end])
        cuts = commas[np.concatenate([[0], depths])[np.searchsorted(found, commas)] == 0]
        if end is not None:
            cuts = np.append(cuts, end)
        starts = np.concatenate([np.zeros(1, np.int64), cuts + 1])[:-1]
        is_only = is_first and end is not None and len(cuts) == 1
        yield _spans(buffer, starts, cuts, keep_empty=not is_only)
        if end is not None:
            if buffer.data[end : end + 1] != b"]":
                raise FileRefusedError(f"the array is closed by a brace in line {buffer.line_of(end)}: not JSON")
            buffer.drop(end + 1)
            after_array(buffer, levels)
            return
        if buffer.is_last:
            break
        if len(cuts):
            is_first = False
            buffer.drop(int(cuts[-1]) + 1)
        buffer.more()
    raise _cut_short(buffer, 0, "array, in whose element the file ends,")


def _lines(data: bytes, line: int) -> tuple[Block, int]:
    """The records of lines, and how many lines there are."""
    found = np.frombuffer(data, np.uint8)
    ends = places(found == 10)
    if found[-MARGIN - 1] != 10:
        ends = np.append(ends, len(data) - MARGIN)
    starts = np.concatenate([[MARGIN], ends + 1])[:-1]
    lines, count = np.arange(line, line + len(ends)), len(ends)
    refused = []
    if len(data) - 2 * MARGIN > RECORD_BYTES and (long := ends - starts > RECORD_BYTES).any():
        for row in np.flatnonzero(long).tolist():
            size, head = int(ends[row] - starts[row]), data[starts[row] : starts[row] + RAW_BYTES]
            refused.append(_too_long(int(lines[row]), size, head))
        starts, ends, lines = starts[~long], ends[~long], lines[~long]
    starts, ends = _stripped(data, found, starts, ends)
    if not (kept := starts < ends).all():
        starts, ends, lines = starts[kept], ends[kept], lines[kept]
    return Block(data, starts, ends, lines, refused), count


def _spans(buffer: Buffer, starts: np.ndarray, ends: np.ndarray, *, keep_empty: bool) -> Block:
    data = np.frombuffer(buffer.data, np.uint8)
    if len(starts) < 1:
        return _checked(buffer, Block(between_margins(b""), starts, ends, starts))
    starts, ends = _stripped(buffer.data, data, starts, ends)
    if not keep_empty:
        kept = starts < ends
        starts, ends = starts[kept], ends[kept]
    lines = np.searchsorted(np.flatnonzero(data[: int(ends[-1]) if len(ends) else 0] == 10), starts) + buffer.line
    return _checked(buffer, Block(between_margins(buffer.data), starts + MARGIN, ends + MARGIN, lines))


def _checked(buffer: Buffer, block: Block) -> Block:
    """The block, if no record is too long, and none that has just begun."""
    rest = len(buffer.data) - (int(block.ends[-1]) - MARGIN if len(block.ends) else 0)
    longest = max(int((block.ends - block.starts).max(initial=0)), rest)
    if longest > RECORD_BYTES:
        raise FileRefusedError(f"one record has more than {RECORD_BYTES:,} bytes, behind line {buffer.line}")
    return block


def _stripped(data: bytes, found: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without the blanks around each record."""
    for _ in range(STEPS):
        blank = IS_BLANK[found[np.minimum(starts, len(found) - 1)]] & (starts < ends)
        if not blank.any():
            break
        starts = starts + blank
    for _ in range(STEPS):
        blank = IS_BLANK[found[ends - 1]] & (starts < ends)
        if not blank.any():
            return starts, ends
        ends = ends - blank
    starts, ends = starts.copy(), ends.copy()
    for row in np.flatnonzero(starts < ends).tolist():
        record = data[starts[row] : ends[row]]
        starts[row] = ends[row] - len(record.lstrip(BLANKS))
        ends[row] = starts[row] + len(record.strip(BLANKS))
    return starts, ends


def places(mask: np.ndarray) -> np.ndarray:
    """Where a mask is true, as flatnonzero says it, faster where that is seldom."""
    words = np.append(mask, np.zeros(-len(mask) % 8, bool)).view("<u8")
    at = np.flatnonzero(words != 0)
    words = words[at]
    if (words & words - np.uint64(1)).any():  # two in a word
        return np.flatnonzero(mask)
    found: np.ndarray = 8 * at + (np.bitwise_count(words - np.uint64(1)) >> 3)
    return found


def _too_long(line: int, size: int, head: bytes) -> Refused:
    reason = f"a line of {size:,} bytes: more than {RECORD_BYTES:,} are too many for one record"
    return Refused(line, None, reason, head)


def _cut_short(buffer: Buffer, begin: int, what: str) -> FileRefusedError:
    left = buffer.data[begin:]
    line = buffer.line_of(begin + len(left) - len(left.lstrip(BLANKS)))
    return FileRefusedError(f"the {what} that begins in line {line} doesn't end: the file is cut short")
