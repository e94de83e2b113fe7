"""A stream of delimited text cut into blocks of whole records, each well formed; what isn't is refused here.

A quote is one where a field begins, and nowhere else. Most blocks are found well formed by looking at all their quotes
at once; one that isn't is cut record by record.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import Refused
from journey.loader.formats.dialect import is_utf8

RECORD_BYTES = 2**24  # of one record
BLOCK_BYTES = 2**21
RAW_BYTES = 2**16  # kept of a refused row


ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"0": b"\0", b"Z": b"\x1a"}


@dataclass(frozen=True)
class Marks:
    """What structures a record.

    Attributes:
        delimiter: one byte.
        quote: one byte; None: quoting is off.
        escape: before a quote inside quotes; None: the quote itself.
        unquoted: escapes stand outside quotes, too, and mean what they mean to MySQL and to COPY's text format.
        nulls: with unquoted, the texts that are null, by field.
        comment: what a line begins with that is no record.
        skip: a record that is passed over where it comes again.
        skip_blank: empty lines are passed over.
        fields: of a record; one, and an empty line is a record.
    """

    delimiter: bytes
    quote: bytes | None
    escape: bytes | None = None
    unquoted: bool = False
    nulls: Sequence[frozenset[bytes]] = ()
    comment: bytes | None = None
    skip: bytes | None = None
    skip_blank: bool = False
    fields: int = 2


class Run(NamedTuple):
    """Records that were looked at one by one, or lines without quotes that are one record each.

    Attributes:
        first: position of its first record in the block.
        line: of the file.
        raw: the records as the file has them.
        records: how many there are.
        end: where they end in the block's data.
    """

    first: int
    line: int
    raw: bytes
    records: int
    end: int


@dataclass
class Block:
    """Whole records.

    Attributes:
        data: the records, each with its line end.
        line: of the first.
        quote: one byte; None: quoting is off.
        runs: where records stand in the file, if that doesn't follow from data.
        refused: rows between them that are none.
    """

    data: bytes
    line: int
    quote: bytes | None
    runs: list[Run] | None = None
    refused: list[Refused] = field(default_factory=list)
    _ends: tuple[np.ndarray, np.ndarray] | None = None
    _split: dict[int, list[bytes]] = field(default_factory=dict)

    def where(self, record: int) -> tuple[int, bytes, int]:
        """First line, text and number of lines of a record."""
        if self.runs is not None:
            run = self.runs[bisect_right(self.runs, record, key=lambda run: run.first) - 1]
            if run.records > 1:
                if run.first not in self._split:
                    self._split[run.first] = run.raw.split(b"\n")
                return run.line + record - run.first, self._split[run.first][record - run.first].rstrip(b"\r"), 1
            return run.line, run.raw.rstrip(b"\r\n"), run.raw.removesuffix(b"\n").count(b"\n") + 1
        if self._ends is None:
            line_ends, inside = line_ends_of(self.data, self.quote)
            self._ends = line_ends[~inside], np.flatnonzero(~inside)
        ends, lines = self._ends
        begin, first = (int(ends[record - 1]) + 1, int(lines[record - 1]) + 1) if record else (0, 0)
        if record < len(ends):
            end, last = int(ends[record]), int(lines[record])
        else:  # the last one, without a line end
            end, last = len(self.data), first + self.data.count(b"\n", begin)
        return self.line + first, self.data[begin:end].rstrip(b"\r\n"), last - first + 1

    def records(self) -> list[bytes]:
        """The records as they stand in data, without their line ends."""
        if self.runs is None:
            line_ends, inside = line_ends_of(self.data, self.quote)
            found = _pieces(self.data, [*(line_ends[~inside] + 1).tolist(), len(self.data)])
            return [record.removesuffix(b"\n").removesuffix(b"\r") for record in found]
        found = []
        for run, data in zip(self.runs, _pieces(self.data, [run.end for run in self.runs]), strict=True):
            found += data.split(b"\n")[:-1] if run.records > 1 else [data.removesuffix(b"\n")]
        return [record.removesuffix(b"\r") for record in found]


def _pieces(data: bytes, ends: Sequence[int]) -> list[bytes]:
    return [data[begin:end] for begin, end in itertools.pairwise([0, *ends])]


def line_ends_of(data: bytes, quote: bytes | None) -> tuple[np.ndarray, np.ndarray]:
    """Where lines end, and whether that is inside quotes, in well-formed data."""
    found = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(found == 10)
    if quote is None or quote not in data:
        return ends, np.zeros(len(ends), bool)
    quotes = np.flatnonzero(found == quote[0])
    return ends, np.searchsorted(quotes, ends) % 2 == 1


def is_well_formed(data: bytes, delimiter: bytes, quote: bytes) -> bool:
    """Whether each quote begins a field, ends one or is doubled inside one.

    By parity the first, third … quote of data opens. If each of them stands where a field begins and each other one
    where a field ends (or beside the next, as a doubled quote), then parity is right: the first that isn't would be
    where it shouldn't.
    """
    found = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(found == quote[0])
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, found[opening - 1], 10)
    after = found[np.minimum(closing + 1, len(data) - 1)]
    after = np.where(closing + 1 < len(data), after, 10)
    doubled = closing[:-1] + 1 == opening[1:]
    opens = (before == delimiter[0]) | (before == 10)
    opens[1:] |= doubled
    closes = (after == delimiter[0]) | (after == 10) | (after == 13)
    closes[:-1] |= doubled
    return bool(opens.all() and closes.all())


def _has_blank_lines(data: bytes) -> bool:
    ends = _line_feeds(data)  # many times as fast as to look for two line feeds
    return bool((ends[1:] & ends[:-1]).any())


def _lines(data: bytes) -> int:
    return int(np.count_nonzero(_line_feeds(data)))  # twenty times as fast as bytes.count


def _line_feeds(data: bytes) -> np.ndarray:
    found: np.ndarray = np.frombuffer(data, np.uint8) == 10
    return found


def _has_odd_returns(data: bytes) -> bool:
    """Whether a carriage return stands alone, or in a line of its own."""
    if b"\n\r\n" in data or data.endswith(b"\n\r"):
        return True
    return data.count(b"\r") != data.count(b"\r\n") + data.endswith(b"\r")


class Cutter:
    """Cuts one file's stream."""

    def __init__(self, marks: Marks, line: int) -> None:
        """Begin.

        Args:
            marks: what structures a record.
            line: of the stream's first record.
        """
        self._marks, self._line = marks, line
        self._is_too_long = False
        self._record, self._open, self._field = _patterns(marks)

    def blocks(self, chunks: Iterator[bytes]) -> Iterator[Block]:
        """The stream's records, in blocks."""
        tail: list[bytes] = []
        size = 0
        for chunk in chunks:
            tail.append(chunk)
            size += len(chunk)
            if size < BLOCK_BYTES:
                continue
            data = b"".join(tail)
            block, rest = self.cut(data, final=False)
            tail, size = [rest], 0 if len(rest) < RECORD_BYTES else len(rest)
            if block:
                yield block
        data = b"".join(tail)
        while data:
            block, data = self.cut(data, final=True)
            if block:
                yield block

    def cut(self, data: bytes, *, final: bool) -> tuple[Block | None, bytes]:
        """As many whole records of data as there are, and the rest."""
        if self._is_too_long:  # pass over what is left of a line that was refused
            end = data.find(b"\n") + 1
            if not end:
                return None, b""
            data, self._is_too_long = data[end:], False
        if not self._needs_scan(data):
            quote = self._marks.quote
            if quote is None or quote not in data:
                end = len(data) if final else data.rfind(b"\n") + 1
                if end:
                    return self._block(data[:end]), data[end:]
            elif (end := self._even_end(data, final=final)) and is_well_formed(
                data[:end], self._marks.delimiter, quote
            ):
                return self._block(data[:end]), data[end:]
        return self._scan(data, final=final)

    def first(self, head: bytes) -> bytes | None:
        """The first record, with its line end; None if it isn't whole."""
        found = self._record.match(head)
        return found[0] if found and found[0].endswith(b"\n") else None

    def fields(self, record: bytes) -> list[str]:
        """The texts of a record's fields.

        Raises:
            FileRefusedError: they can't be read.
        """
        if not self._record.fullmatch(record):
            raise FileRefusedError(f"its header can't be read: {self._broken(record)}")
        quote = self._marks.quote or (b'"' if self._marks.unquoted else None)
        texts = []
        for text in self._fields(record):
            if quote and text.startswith(quote):
                text = text[1:-1].replace(quote + quote, quote)
            try:
                texts.append(text.decode())
            except UnicodeDecodeError as error:
                raise FileRefusedError("its header isn't of the declared encoding (encoding)") from error
        return texts

    def scan_again(self, block: Block) -> Block:
        """A block in which something is wrong that only its records tell: bytes that are no UTF-8."""
        line, self._line = self._line, block.line
        scanned, _ = self._scan(block.data, final=True)
        self._line = line
        return scanned or Block(b"", block.line, self._marks.quote, [])

    def _needs_scan(self, data: bytes) -> bool:
        """Whether data has what must be looked for record by record, quotes apart."""
        marks = self._marks
        return (
            marks.unquoted
            or b"\0" in data
            or data[:1] in (b"\n", b"\r")
            or _has_blank_lines(data)
            or (b"\r" in data and _has_odd_returns(data))
            or (marks.escape is not None and marks.escape in data)
            or (marks.comment is not None and marks.comment in data)
            or (marks.skip is not None and marks.skip in data)
        )

    def _even_end(self, data: bytes, *, final: bool) -> int:
        """Where the last record ends that is whole, by the parity of quotes."""
        ends, inside = line_ends_of(data, self._marks.quote)
        if final:
            return len(data)
        outside = ends[~inside]
        return int(outside[-1]) + 1 if len(outside) else 0

    def _block(self, data: bytes) -> Block:
        if not data.endswith(b"\n"):
            data += b"\n"  # without it, Arrow takes an empty field behind a quoted one for a quoted one, too
        block = Block(data, self._line, self._marks.quote)
        self._line += _lines(data)
        return block

    def _scan(self, data: bytes, *, final: bool) -> tuple[Block | None, bytes]:
        """Record by record; the rest is what may be the beginning of one more."""
        marks = self._marks
        good: list[bytes] = []
        runs: list[Run] = []
        refused: list[Refused] = []
        position = count = size = 0
        only_quotes = not self._needs_scan(data) and is_utf8(data)
        while position < len(data):
            if only_quotes and (end := self._end_of_plain_lines(data, position)) > position:
                raw = data[position:end]
                lines, size = _lines(raw), size + len(raw)
                runs.append(Run(count, self._line, raw, lines, size))
                good.append(raw)
                self._line, count, position = self._line + lines, count + lines, end
                continue
            is_comment = marks.comment is not None and data.startswith(marks.comment, position)
            found = None if is_comment else self._record.match(data, position)
            if not found or found.end() == len(data):
                end = data.find(b"\n", position) + 1
                is_cut = not end and not final  # perhaps it goes on
                is_open = is_cut or (not final and not is_comment and (found or self._open.match(data, position)))
                if is_open and len(data) - position < RECORD_BYTES:
                    break
                if not found:
                    self._is_too_long, end = is_cut, end or len(data)
                    if not is_comment:
                        refused.append(self._refusal(data[position:end], self._broken(data[position:end])))
                    self._line, position = self._line + 1, end
                    continue
            raw = found[0]
            clean = self._clean(raw)
            reason = None if only_quotes and len(raw) <= RECORD_BYTES else self._wrong(raw, clean)
            self._is_too_long = not final and not raw.endswith(b"\n")
            if reason is None:
                good.append(clean if clean.endswith(b"\n") else clean + b"\n")
                size += len(good[-1])
                runs.append(Run(count, self._line, raw, 1, size))
                count += 1
            elif reason:
                refused.append(self._refusal(raw, reason))
            self._line += max(1, raw.count(b"\n"))
            position = found.end()
        if not position:
            return None, data
        line = runs[0].line if runs else self._line
        return Block(b"".join(good), line, self._marks.quote, runs, refused), data[position:]

    def _end_of_plain_lines(self, data: bytes, position: int) -> int:
        """Where the lines end that have no quote, from the beginning of a record on: each is a record."""
        quote = self._marks.quote
        found = -1 if quote is None else data.find(quote, position)
        return data.rfind(b"\n", position, len(data) if found < 0 else found) + 1

    def _clean(self, raw: bytes) -> bytes:
        """A record as Arrow reads it: escapes made doubled quotes."""
        return self._marks.delimiter.join(self._fields(raw)) if self._has_escapes(raw) else raw

    def _has_escapes(self, raw: bytes) -> bool:
        escape = self._marks.escape
        return escape is not None and (escape in raw or self._marks.unquoted)

    def _fields(self, raw: bytes) -> list[bytes]:
        """A record's fields as Arrow reads them; those with escapes stand in quotes, whatever the dialect's are."""
        if not self._has_escapes(raw):
            return [found[1] for found in self._field.finditer(raw)]
        escape = self._marks.escape or b""
        plain = _without(_without(raw, b"\n", escape), b"\r", escape)
        return [self._field_made_clean(found[1], i) for i, found in enumerate(self._field.finditer(plain))]

    def _field_made_clean(self, text: bytes, position: int) -> bytes:
        marks = self._marks
        quote, escape = marks.quote or b'"', re.escape(marks.escape or b"")
        is_quoted = marks.quote is not None and text.startswith(marks.quote)
        if not is_quoted and not marks.unquoted:
            return text
        nulls = marks.nulls[position] if position < len(marks.nulls) else ()
        if not is_quoted and (text in nulls or text == b"\\N"):
            return b""
        inner = text[1:-1] if is_quoted else text
        meant = ESCAPES if marks.unquoted else {}
        pairs = escape + rb"([\s\S])" + (b"|" + re.escape(quote + quote) if is_quoted else b"")
        inner = re.sub(pairs, lambda found: meant.get(found[1], found[1]) if found[1] else quote, inner)
        return quote + inner.replace(quote, quote + quote) + quote

    def _wrong(self, raw: bytes, clean: bytes) -> str | None:
        """Why a whole record is none; "" if it is passed over; None if it is one."""
        marks, plain = self._marks, raw.rstrip(b"\r\n")
        if not plain:
            if marks.skip_blank:
                return ""
            return None if marks.fields == 1 else "an empty line (skip_blank_lines passes over them)"
        if marks.skip is not None and plain == marks.skip:
            return ""
        if b"\0" in clean:
            return "a NUL stands in it, and PostgreSQL has none"
        if len(raw) > RECORD_BYTES:
            return f"longer than {RECORD_BYTES:,} bytes"
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            return f"byte {error.start + 1} is not of the declared encoding (encoding)"
        return None

    def _broken(self, line: bytes) -> str:
        """Why no record begins with this line."""
        quote = (self._marks.quote or b'"').decode()
        if self._marks.unquoted and _without(line, b"\\", b"\\") == line.removesuffix(b"\\") != line:
            return "a backslash before the end of the file (escape_unquoted)"
        if self._open.match(line):
            return f"a quoted field that is never closed (quote: null reads {quote} as any character)"
        if b"\r" in line.rstrip(b"\r\n"):
            return "a carriage return alone inside a line"
        remedy = (
            f"escape: '\\' reads \\{quote}"
            if f"\\{quote}".encode() in line
            else f"quote: null reads {quote} as any character"
        )
        return f"text after the {quote} that closes a field ({remedy})"

    def _refusal(self, raw: bytes, reason: str) -> Refused:
        return Refused(self._line, None, reason, raw.rstrip(b"\r\n")[:RAW_BYTES], max(1, raw.count(b"\n")))


def _without(record: bytes, end: bytes, escape: bytes) -> bytes:
    """A record without this end, unless it is escaped and belongs to the last field."""
    plain = record.removesuffix(end)
    return record if (len(plain) - len(plain.rstrip(escape))) % 2 else plain


def _patterns(marks: Marks) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """A whole record, the beginning of one that ends inside quotes or an escape, and one of its fields."""
    d = re.escape(marks.delimiter)
    q = re.escape(marks.quote) if marks.quote else b""
    e = re.escape(marks.escape) if marks.escape and marks.escape != marks.quote else b""
    pairs = (e + rb"[\s\S]|") if e else b""
    if marks.unquoted:
        plain = rb"(?:" + pairs + rb"[^" + d + q + e + rb"\r\n])(?:" + pairs + rb"[^" + d + e + rb"\r\n])*"
    else:
        plain = rb"[^" + d + q + rb"\r\n][^" + d + rb"\r\n]*"
    doubled = q + q
    stops = b"[^" + q + e + b"]*"
    steps = b"|".join(filter(None, (e and e + rb"[\s\S]", doubled)))
    inside = stops + rb"(?:(?:" + steps + rb")" + stops + rb")*" if steps else stops
    one = (rb"(?:" + q + inside + q + rb"|" + plain + rb")?") if q else rb"(?:" + plain + rb")?"
    record = one + rb"(?:" + d + one + rb")*(?:\r?\n|\r?\Z)"
    ways = [q + inside + (e and e + b"?")] if q else []
    ways += [rb"(?:" + plain + rb")?" + e] if marks.unquoted else []
    opened = rb"(?:" + one + d + rb")*(?:" + b"|".join(ways) + rb")\Z" if ways else rb"(?!)"
    return re.compile(record), re.compile(opened), re.compile(rb"(?:\A|" + d + rb")(" + one + rb")")
