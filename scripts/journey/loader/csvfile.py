"""CSV: the header is read here, the bytes pass to COPY untouched, and only a refused file is cut into records."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Generator, Iterator, Sequence

from journey.loader.columns import TableColumn
from journey.loader.errors import BadRowsError, FileRefusedError
from journey.loader.records import RECORD_LIMIT, LineStream, Record, lines
from journey.loader.sources import Source
from journey.loader.storage import CHUNK

# Encodings that PostgreSQL converts itself, by Python's name of the codec; others are made UTF-8 on the way.
SERVER_ENCODINGS = {
    "utf-8": "UTF8", "iso8859-1": "LATIN1", "iso8859-2": "LATIN2", "iso8859-9": "LATIN5",
    "iso8859-15": "LATIN9", "cp1250": "WIN1250", "cp1251": "WIN1251", "cp1252": "WIN1252", "cp1253": "WIN1253",
    "cp1254": "WIN1254", "cp1257": "WIN1257", "koi8-r": "KOI8R", "euc_jp": "EUC_JP", "euc_kr": "EUC_KR",
}  # fmt: skip

codecs.register_error("journey.invalid", lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


class CsvFile:
    """One CSV file."""

    def __init__(self, source: Source, stream: LineStream, *, end_marker: bool = False) -> None:
        """Remember where the file is; nothing is read yet.

        Args:
            source: its declaration.
            stream: opens its decompressed bytes.
            end_marker: the server takes a line `\\.` for the end of the data (before PostgreSQL 18).
        """
        self._source, self._stream, self._end_marker = source, stream, end_marker
        codec = codecs.lookup(source.options.encoding).name
        self._codec = None if codec in SERVER_ENCODINGS else codec
        self.encoding = SERVER_ENCODINGS.get(codec, "UTF8")
        self.line_end = b"\n"
        self._open: Iterator[bytes] | None = None  # what comes after the header
        self._header_lines = 0

    def names(self, *, scan: bool) -> list[str] | None:  # noqa: ARG002
        """The header's names, or the declared ones where there is no header; [] for a file without a byte."""
        chunks = self._chunks()
        head, found = b"", None
        while not found and (chunk := next(chunks, b"")):
            head += chunk
            found = self._first_record(head)
            if len(head) > RECORD_LIMIT:
                raise FileRefusedError(f"its first record doesn't end within {RECORD_LIMIT:,} bytes")
        if not head:
            return []
        record, self.line_end = found or (head, b"\n")
        if not self._source.options.header:
            self._open = itertools.chain([head], chunks)
            return list(self._source.columns)
        rest = head[len(record) + len(self.line_end) :]
        self._header_lines = record.count(self.line_end[-1:]) + 1
        self._open = itertools.chain([self.line_end, rest], chunks)  # an empty line in the header's place
        return self._parse_header(record)

    def fast(self, targets: Sequence[TableColumn]) -> Generator[bytes, None, None]:  # noqa: ARG002
        """The bytes as they are."""
        opened, self._open = self._open, None
        tail = b""
        for chunk in opened or ():
            if self._end_marker and b"\n\\." in tail + chunk:
                raise BadRowsError("a line begins with \\., which this server takes for the end of the data")
            tail = chunk[-2:]
            yield chunk

    def tagged(self, tag: str) -> tuple[bytes, int] | None:
        """All rows, each with this as one more field, and their number; None if a line end need not end a row."""
        options = self._source.options
        data = b"".join(self.fast(()))[1 if options.header else 0 :]
        if self.line_end != b"\n" or options.quote.encode() in data:
            return None
        if data and not data.endswith(b"\n"):
            data += b"\n"
        return data.replace(b"\n", f"{options.delimiter}{tag}\n".encode()), data.count(b"\n")

    def records(self, targets: Sequence[TableColumn]) -> Iterator[Record]:  # noqa: ARG002
        """The file cut where PostgreSQL cuts it: at line ends outside quotes.

        A quote that never closes would swallow the rest: its first line is refused, and the next begins a record.
        """
        separator, number = self.line_end[-1:], 1 + self._header_lines
        source = itertools.islice(lines(self._chunks(), separator), self._header_lines, None)
        waiting: list[bytes] = []  # lines of a quoted field that isn't closed
        again: list[bytes] = []  # lines to be taken again, last first
        size, quoted = 0, False
        while True:
            line = again.pop() if again else next(source, None)
            if line is not None:
                waiting.append(line)
                size += len(line)
                quoted = self._in_quotes(line, quoted)
                if quoted and size <= RECORD_LIMIT:
                    continue
            elif not waiting:
                return
            if quoted:
                yield Record(number, waiting[0], None, "unterminated quoted field")
                number += 1
                again.extend(reversed(waiting[1:]))
            else:
                raw = b"".join(waiting)
                row = raw.removesuffix(separator)
                yield Record(number, raw, row.removesuffix(b"\r") if separator == b"\n" else row, lines=len(waiting))
                number += len(waiting)
            waiting, size, quoted = [], 0, False

    def count(self) -> int:
        """Number of records."""
        return sum(1 for _ in self.records(()))

    def _chunks(self) -> Iterator[bytes]:
        """The stream in an encoding that the server knows, without byte order mark."""
        chunks = self._stream()
        if self._codec:
            texts = codecs.iterdecode(chunks, self._codec, "journey.invalid")
            chunks = (text.encode("utf-8", "surrogatepass") for text in texts)
        head = b""
        while len(head) < 3 and (chunk := next(chunks, b"")):
            head += chunk
        if self.encoding == "UTF8":
            head = head.removeprefix(codecs.BOM_UTF8)
        if head:
            yield head
        yield from chunks

    def _first_record(self, head: bytes) -> tuple[bytes, bytes] | None:
        """The first record and its line end, if both are whole."""
        quoted, begin = False, 0
        for match in re.finditer(rb"\r\n|\r|\n", head):
            quoted = self._in_quotes(head[begin : match.end()], quoted)
            begin = match.end()
            if not quoted:
                if match[0] == b"\r" and match.end() == len(head) <= CHUNK:
                    return None  # perhaps a line feed follows
                return head[: match.start()], match[0]
        return None

    def _in_quotes(self, line: bytes, quoted: bool) -> bool:
        """Whether a quoted field is open after a line, as PostgreSQL counts: any quote opens or closes."""
        options = self._source.options
        quote, escape = options.quote.encode(), (options.escape or options.quote).encode()
        if quote == escape:
            return quoted ^ (line.count(quote) % 2 == 1)
        pair, quote = re.escape(escape), re.escape(quote)
        for found in re.finditer(pair + pair + b"|(" + pair + b")?" + quote, line):
            if found[0].endswith(options.quote.encode()) and not (quoted and found[1]):
                quoted = not quoted
        return quoted

    def _parse_header(self, record: bytes) -> list[str]:
        options = self._source.options
        try:
            text = record.decode("utf-8" if self._codec else options.encoding)
        except UnicodeDecodeError as error:
            raise FileRefusedError(
                f"its header isn't {options.encoding}: {error.reason} at byte {error.start + 1}"
            ) from error
        try:
            rows = list(csv.reader(
                [text], delimiter=options.delimiter, quotechar=options.quote, strict=True,
                doublequote=not options.escape, escapechar=options.escape,
            ))  # fmt: skip
        except csv.Error as error:
            raise FileRefusedError(f"its header can't be read: {error}") from error
        return rows[0] if rows else [""]
