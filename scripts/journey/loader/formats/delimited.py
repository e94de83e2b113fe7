"""CSV and its kin: fields between delimiters, records in lines."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import Batch, File, Reader, Refused, Unknown
from journey.loader.formats.dialect import SEPARATOR, CsvOptions, in_utf8, with_separator, without_footer
from journey.loader.formats.header import numbered
from journey.loader.formats.records import RECORD_BYTES, Block, Cutter, Marks
from journey.loader.formats.typed import NotUtf8Error, Parser, Typed
from journey.loader.values.meaning import Column


class CsvReader(Reader):
    """One CSV file."""

    Options = CsvOptions

    def __init__(
        self,
        file: File,
        options: CsvOptions,
        declared: Sequence[Column],
        *,
        max_columns: int = 500,
        unknown: Unknown = "raise",
    ) -> None:
        """Remember the file; nothing is read yet."""
        super().__init__(file, options, declared, max_columns=max_columns, unknown=unknown)
        self._dialect = options
        self._delimiter = options.delimiter.encode()
        self._separator = self._delimiter if len(self._delimiter) == 1 else SEPARATOR
        self._names: list[str] | None = None
        self._rest: Iterator[bytes] = iter(())
        self._line, self._header = 1, b""

    @classmethod
    def of_kept(cls, names: Sequence[str], options: CsvOptions) -> tuple[bytes, CsvOptions]:
        """Kept rows are lines as they were; their header is written anew."""
        quote = options.quote or ""
        shown = [f"{quote}{name.replace(quote, quote * 2)}{quote}" if quote else name for name in names]
        last = options.delimiter if options.trailing_delimiter else ""
        head = (options.delimiter.join(shown) + last + "\n").encode()
        plain = replace(
            options, header=True, encoding="utf-8", skip_rows=0, skip_footer=0, sep_line=False, ctrl_z=False
        )
        return head, replace(plain, comment=None)

    def names(self, *, scan: bool = False) -> list[str] | None:  # noqa: ARG002
        """The header's names, or the declared ones where there is no header; [] for a file without a byte."""
        stream = self._stream()
        head = self._head(stream, self._dialect.skip_rows + self._dialect.sep_line)
        head = self._past_comments(head, stream)
        if not head:
            return []
        if not self._dialect.header:
            self._rest = itertools.chain([head], stream)
            self._names = [column.name for column in self.declared]
            if self._dialect.trailing_delimiter:
                self._names.append("")
            return self._named()
        marks = self._marks(2)
        cutter = Cutter(marks, self._line)
        while not (record := cutter.first(head)) and (chunk := next(stream, b"")):
            head += chunk
            if len(head) > RECORD_BYTES:
                raise FileRefusedError(f"its header doesn't end within {RECORD_BYTES:,} bytes")
        raw = record or head
        self._header = raw.rstrip(b"\r\n")
        names = cutter.fields(self._header)
        if len(self._delimiter) > 1:
            names = [name.replace(SEPARATOR.decode(), self._dialect.delimiter) for name in names]
        self._names = self._checked(names)
        self._line += max(1, raw.count(b"\n"))
        self._rest = itertools.chain([head[len(raw) :]], stream)
        return self._named()

    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The rows, a block at a time."""
        if self._names is None:
            self.names()
        names, self._names = self._names or [], None  # another reading begins anew
        extra: list[Column | None] = [Column("", "text")] if self._dialect.trailing_delimiter else []
        fields = [*targets, *extra]
        if not names or not fields:
            return
        options = self._dialect
        nulls = ("",) if options.escape_unquoted else None
        quote = b'"' if options.escape_unquoted else self._quote()  # what the cutter put around texts
        spelled = options.delimiter if len(self._delimiter) > 1 else None
        parser = Parser(fields, self._separator, quote, null_values=nulls, spelled=spelled)
        cutter = Cutter(self._marks(len(fields), targets), self._line)
        for block in cutter.blocks(self._rest):
            if not block.data:
                yield Batch([], block.refused, _nowhere)
                continue
            try:
                typed = parser.parse(block.data)
            except NotUtf8Error:
                again = cutter.scan_again(block)
                block = Block(again.data, again.line, again.quote, again.runs, [*block.refused, *again.refused])
                if not block.data:
                    yield Batch([], block.refused, _nowhere)
                    continue
                typed = parser.parse(block.data)
            yield from self._batches(block, typed, parser, len(fields))

    def _batches(self, block: Block, typed: Typed, parser: Parser, fields: int) -> Iterator[Batch]:
        short: dict[int, int] = {}
        refused = list(block.refused)
        for record, count in typed.uneven:
            if count < fields and self._dialect.short_rows == "null":
                short[record] = count
            else:
                raw = block.where(record)[1]
                refused.append(self._refusal(block, record, None, self._uneven(count, fields, raw)))
        if short:
            records = block.records()
            more = parser.parse_short([records[record] for record in short], list(short.values()))
            typed = typed.among(more, list(short))
        yield self._good(block, typed, refused)

    def _good(self, block: Block, typed: Typed, refused: list[Refused]) -> Batch:
        """The good rows of a block."""
        arrays, bad = typed.arrays, dict(typed.refused)
        if self._dialect.trailing_delimiter:
            *arrays, last = arrays
            for row, text in enumerate(last.to_pylist() if last.null_count < len(last) else ()):
                if text:
                    bad.setdefault(row, ("", "a field after the last delimiter (trailing_delimiter is declared)"))
        rows = typed.rows
        if bad:
            header = self._as_written(self._header)
            for row, (column, reason) in bad.items():
                one = self._refusal(block, int(rows[row]), column or None, reason)
                if header and one.raw == header:
                    one = one._replace(
                        reason=f"{reason}; it is the header again (repeated_header: skip passes over it)"
                    )
                refused.append(one)
            keep = np.ones(len(rows), bool)
            keep[list(bad)] = False
            arrays, rows = [array.filter(pa.array(keep)) for array in arrays], rows[keep]
        refused.sort(key=lambda one: one.line)

        def origin(row: int) -> tuple[int, bytes]:
            line, raw, _ = block.where(int(rows[row]))
            return line, self._as_written(raw)

        return Batch(arrays, refused, origin)

    def _refusal(self, block: Block, record: int, column: str | None, reason: str) -> Refused:
        line, raw, lines = block.where(record)
        return Refused(line, column, reason, self._as_written(raw), lines)

    def _uneven(self, count: int, fields: int, raw: bytes) -> str:
        """Why a record with so many fields is none; the option is guessed for the message alone."""
        options, mark = self._dialect, next((one for one in ("#", "--", "//") if raw.startswith(one.encode())), None)
        remedy = "short_rows: null fills them" if count < fields else ""
        if raw == b"\x1a":
            remedy = "ctrl_z passes over the end of a DOS file"
        elif mark and not options.comment:
            remedy = f"comment: '{mark}' passes over such lines"
        elif b"\\" in raw and not options.escape_unquoted:
            remedy = "escape_unquoted reads backslashes outside of quotes"
        elif count == fields + 1 and raw.endswith(self._separator):
            remedy = "trailing_delimiter, if each line ends with one"
        said = "1 field" if count == 1 else f"{count} fields"
        return f"{said} between {options.delimiter!r} instead of {fields}{f' ({remedy})' if remedy else ''}"

    def _as_written(self, raw: bytes) -> bytes:
        return raw.replace(SEPARATOR, self._delimiter) if len(self._delimiter) > 1 else raw

    def _named(self) -> list[str]:
        names = list(self._names or [])
        return names[:-1] if self._dialect.trailing_delimiter else names

    def _quote(self) -> bytes | None:
        return self._dialect.quote.encode() if self._dialect.quote else None

    def _comment(self) -> bytes | None:
        """What a comment begins with, once a long delimiter is one byte."""
        comment = self._dialect.comment.encode() if self._dialect.comment else None
        return comment.replace(self._delimiter, self._separator) if comment else None

    def _marks(self, fields: int, targets: Sequence[Column | None] = ()) -> Marks:
        options, nulls = self._dialect, [target.meaning.null_values if target else () for target in targets]
        escape = "\\" if options.escape_unquoted else options.escape if options.escape != options.quote else None
        return Marks(
            self._separator, self._quote(), escape.encode() if escape else None,
            unquoted=options.escape_unquoted, nulls=[frozenset(text.encode() for text in texts) for texts in nulls],
            comment=self._comment(),
            skip=self._header if options.repeated_header == "skip" else None,
            skip_blank=options.skip_blank_lines, fields=fields,
        )  # fmt: skip

    def _stream(self) -> Iterator[bytes]:
        """The file as UTF-8 lines."""
        options = self._dialect
        is_first = not (options.skip_rows or options.sep_line or options.comment)  # else its quotes are anything
        quote = self._quote() if is_first else None
        chunks = in_utf8(self.file.stream(), options.encoding)
        chunks = _with_line_feeds(chunks, self._delimiter, quote)
        if self._dialect.skip_footer or self._dialect.ctrl_z:
            chunks = without_footer(chunks, self._dialect.skip_footer, ctrl_z=self._dialect.ctrl_z)
        if len(self._delimiter) > 1:
            chunks = with_separator(chunks, self._delimiter)
        return chunks

    def _head(self, stream: Iterator[bytes], skipped: int) -> bytes:
        """The stream's beginning, past the lines that are skipped."""
        self._line = 1
        head = next((chunk for chunk in stream if chunk), b"")
        has_bytes = bool(head)
        for _ in range(skipped):
            while (end := head.find(b"\n")) < 0 and (chunk := next(stream, b"")):
                head += chunk
            head = head[end + 1 :] if end >= 0 else b""
            self._line += 1
        head = head or next((chunk for chunk in stream if chunk), b"")
        if has_bytes and skipped and not head and self._dialect.header:
            raise FileRefusedError(f"it ends within its first {skipped} lines, which skip_rows passes over")
        return head

    def _past_comments(self, head: bytes, stream: Iterator[bytes]) -> bytes:
        """Past lines before the header that are comments, or blank where these are passed over."""
        comment = self._comment()
        while self._dialect.header and head:
            is_blank = self._dialect.skip_blank_lines and head.startswith((b"\n", b"\r\n"))
            if not is_blank and not (comment and head.startswith(comment)):
                break
            while (end := head.find(b"\n")) < 0 and (chunk := next(stream, b"")):
                head += chunk
            head, self._line = (head[end + 1 :] if end >= 0 else b""), self._line + 1
            head = head or next((chunk for chunk in stream if chunk), b"")
        return head

    def _checked(self, names: list[str]) -> list[str]:
        """The header's names, numbered where that is declared.

        Raises:
            FileRefusedError: it is no header.
        """
        options = self._dialect
        if len(names) > self.max_columns:
            raise FileRefusedError(f"its header has {len(names):,} names, more than max_columns ({self.max_columns:,})")
        if not options.sep_line and names and names[0].lower().startswith("sep=") and options.skip_rows == 0:
            raise FileRefusedError("its first line is Excel's sep=: declare sep_line: true")
        if options.trailing_delimiter:
            if names[-1].strip():
                raise FileRefusedError(
                    f"its header doesn't end with {options.delimiter!r}, and trailing_delimiter is declared"
                )
            names = names[:-1]
        if options.header_names == "number":
            names = numbered(names)
        for position, name in enumerate(names, 1):
            if not name.strip():
                last = position == len(names)
                raise FileRefusedError(
                    f"column {position} of {len(names)} has no name: header_names: number calls it column_{position}"
                    + (" (or declare trailing_delimiter, if each line ends with a delimiter)" if last else "")
                )
        return [*names, ""] if options.trailing_delimiter else names


def _with_line_feeds(chunks: Iterator[bytes], delimiter: bytes, quote: bytes | None) -> Iterator[bytes]:
    """The stream with line feeds, if its first line ends in a carriage return alone, outside of quotes."""
    head, end = b"", -1
    for chunk in chunks:
        head += chunk
        end = _first_end(head, delimiter, quote)
        if 0 <= end < len(head) - 1 or head[end:] == b"\n" or len(head) > RECORD_BYTES:
            break
    alone = end >= 0 and head[end : end + 1] == b"\r" and head[end + 1 : end + 2] != b"\n"
    for chunk in itertools.chain([head] if head else [], chunks):
        yield chunk.replace(b"\r", b"\n") if alone else chunk


def _first_end(head: bytes, delimiter: bytes, quote: bytes | None) -> int:
    """Where the first line ends, outside of quotes; -1: not yet."""
    stop = re.compile(b"[\r\n]|" + re.escape(delimiter))
    at = 0
    while True:
        if quote and head.startswith(quote, at):
            closing = re.compile(re.escape(quote * 2) + b"|" + re.escape(quote))
            at = next((found.end() for found in closing.finditer(head, at + 1) if len(found[0]) == 1), -1)
        found = stop.search(head, at) if at >= 0 else None
        if not found or found[0] in b"\r\n":
            return found.start() if found else -1
        at = found.end()


def _nowhere(row: int) -> Any:
    raise IndexError(row)


READER = CsvReader
