"""COPY, in one go or in batches that find every bad row. PostgreSQL alone decides what a good row is, on both paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection, errors, sql

from journey.loader.errors import BadRowsError
from journey.loader.ledger import Rejected
from journey.loader.records import Record
from journey.loader.sources import Options, Source

BINARY_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
BATCH_BYTES = 2**20
SMALLEST, LARGEST = 16, 8192  # records of a batch
RAW_BYTES = 2**20  # kept of a refused row
AT = re.compile(r"line (\d+)(?:, column (.+?)(?:: |$))?", re.DOTALL)

# Faults of the data; everything else (disk full, connection lost, lock timeout) is not the file's.
DATA_ERRORS = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded)


def copy_fast(
    connection: Connection[Any],
    source: Source,
    targets: Sequence[str],
    chunks: Iterator[bytes | memoryview],
    encoding: str,
) -> int:
    """COPY a whole file.

    Args:
        targets: columns, in the file's order.
        chunks: what goes to the server; the first tells binary from text.
        encoding: PostgreSQL's name of the text's encoding.

    Returns:
        Number of rows.

    Raises:
        BadRowsError: the server refuses the data.
    """
    first = next(chunks, b"")
    binary = bytes(first[:11]) == BINARY_SIGNATURE
    own = source.format == "csv"
    statement = _statement(source, targets, None if binary else encoding, own=own, header=own and source.options.header)
    cursor = connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            copy.write(first)
            for chunk in chunks:
                copy.write(chunk)
    except DATA_ERRORS as error:
        raise BadRowsError(" ".join(str(error).split())) from error
    return cursor.rowcount


class CarefulCopy:
    """COPY in batches, each under a savepoint; a refused batch is cut at the line that PostgreSQL names."""

    def __init__(
        self,
        connection: Connection[Any],
        source: Source,
        targets: Sequence[str],
        encoding: str,
        line_end: bytes,
    ) -> None:
        """Prepare.

        Args:
            targets: columns, in the order of the records' fields.
            encoding: PostgreSQL's name of the text's encoding.
            line_end: what ends a record.
        """
        own = source.format == "csv"
        self._statement = _statement(source, targets, encoding, own=own, header=True)
        self._connection, self._line_end = connection, line_end
        self._codec = source.options.encoding if own and encoding != "UTF8" else "utf-8"
        self.rows = 0

    def copy(self, records: Iterator[Record]) -> Iterator[tuple[Rejected, int]]:
        """Load the good records; yields each bad one with the number of lines that it spans."""
        size, batch, pending = SMALLEST * 4, list[Record](), 0
        for record in records:
            if record.row is None:
                yield self._refused(record, None, record.reason)
                continue
            batch.append(record)
            pending += len(record.row)
            if len(batch) >= size or pending >= BATCH_BYTES:
                before = self.rows
                yield from self._batch(batch)
                size = min(size * 2, LARGEST) if self.rows - before == len(batch) else max(size // 2, SMALLEST)
                batch, pending = [], 0
        yield from self._batch(batch)

    def _batch(self, batch: list[Record]) -> Iterator[tuple[Rejected, int]]:
        parts = [batch]
        while parts:
            part = parts.pop()
            error = self._try(part) if part else None
            if error is None:
                self.rows += len(part)
                continue
            line, column = _where(error)
            if len(part) == 1:
                yield self._refused(part[0], column, _reason(error))
                continue
            at = self._index(part, line)
            if at is None:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                parts += [part[at + 1 :], part[at : at + 1], part[:at]]

    def _try(self, part: list[Record]) -> Exception | None:
        cursor = self._connection.cursor()
        rows = self._line_end.join(record.row or b"" for record in part)
        try:
            with self._connection.transaction():
                with cursor.copy(self._statement) as copy:
                    copy.write(self._line_end + rows + self._line_end)  # an empty header fixes the line end
                if cursor.rowcount != len(part):
                    raise BadRowsError(f"reads as {cursor.rowcount} rows")
        except (*DATA_ERRORS, BadRowsError) as error:
            return error
        return None

    def _index(self, part: list[Record], line: int | None) -> int | None:
        if line is None:
            return None
        end = 1  # the header
        for position, record in enumerate(part):
            end += 1 + (record.row or b"").count(self._line_end)
            if line <= end:
                return position
        return None

    def _refused(self, record: Record, column: str | None, reason: str) -> tuple[Rejected, int]:
        raw = record.raw[:RAW_BYTES].decode(self._codec, "backslashreplace").rstrip("\r\n").replace("\0", "\\x00")
        cut = f"… ({len(record.raw):,} bytes)" if len(record.raw) > RAW_BYTES else ""
        return Rejected(record.line, column, reason, raw + cut), record.lines


def _where(error: Exception) -> tuple[int | None, str | None]:
    """Line within the batch and column, where PostgreSQL names them."""
    context = getattr(getattr(error, "diag", None), "context", None)
    match = AT.search(context or "")
    return (int(match[1]), match[2]) if match else (None, None)


def _reason(error: Exception) -> str:
    diag = getattr(error, "diag", None)
    parts = (diag.message_primary, diag.message_detail) if diag else (str(error),)
    return ": ".join(part for part in parts if part).replace("\0", "\\x00")


def _statement(
    source: Source, targets: Sequence[str], encoding: str | None, *, own: bool, header: bool
) -> sql.Composed:
    """The COPY statement.

    Args:
        encoding: of text; None for binary.
        own: the source's own CSV options hold, else those of the CSV that the loader writes.
        header: the first line is passed over.
    """
    into = sql.SQL("copy {} ({}) from stdin with ").format(
        sql.Identifier(source.schema, source.table), sql.SQL(", ").join(map(sql.Identifier, targets))
    )
    if encoding is None:
        return into + sql.SQL("(format binary)")
    options = source.options if own else Options()
    return into + sql.SQL("(format csv, header {}, delimiter {}, quote {}, escape {}, null {}, encoding {})").format(
        sql.SQL("true" if header else "false"),
        *map(
            sql.Literal,
            (options.delimiter, options.quote, options.escape or options.quote, options.null_string, encoding),
        ),
    )
