"""COPY, in one go or in batches that find every bad row. PostgreSQL alone decides what a good row is, on both paths."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from psycopg import Connection, errors, sql

from journey.loader import ledger
from journey.loader.columns import Change, TableColumn
from journey.loader.csvfile import CsvFile
from journey.loader.errors import BadRowsError, FileRefusedError, one_line
from journey.loader.ledger import Rejected
from journey.loader.records import Record
from journey.loader.sources import Options, Source

if TYPE_CHECKING:
    from journey.loader.arrow import ParquetFile
    from journey.loader.jsonl import JsonLines

    Format: TypeAlias = CsvFile | JsonLines | ParquetFile

BINARY_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
BATCH_BYTES = 2**20
SMALLEST, LARGEST = 16, 8192  # records of a batch
RAW_BYTES = 2**20  # kept of a refused row
KEPT = 100  # refused rows of a file that is refused as a whole
HELD = 1000  # refused rows in memory
AT = re.compile(r"line (\d+)(?:, column (.+?)(?:: |$))?", re.DOTALL)

# Faults of the data; everything else (disk full, connection lost, lock timeout) is not the file's.
DATA_ERRORS = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded)


class TooManyRejectsError(FileRefusedError):
    """More rows were refused than the source allows.

    Attributes:
        kept: some of the refused rows.
        count: how many were refused up to here.
        changes: drift that explains them.
    """

    def __init__(self, message: str, kept: Sequence[Rejected], count: int, changes: Sequence[Change]) -> None:
        super().__init__(message)
        self.kept, self.count, self.changes = kept, count, changes


def copy_fast(
    connection: Connection[Any],
    source: Source,
    targets: Sequence[TableColumn],
    opened: Format,
    chunks: Iterator[bytes],
    *,
    header: bool | None = None,
) -> int:
    """COPY a whole file.

    Args:
        targets: columns, in the file's order.
        opened: the file.
        chunks: COPY's bytes for it.
        header: the first line is passed over; None: if the source says so.

    Returns:
        Number of rows.

    Raises:
        BadRowsError: the server refuses the data.
    """
    first = next(chunks, b"")
    cursor, binary = connection.cursor(), first.startswith(BINARY_SIGNATURE)
    try:
        with cursor.copy(_statement(source, targets, opened, binary=binary, header=header)) as copy:
            copy.write(first)
            for chunk in chunks:
                copy.write(chunk)
    except DATA_ERRORS as error:
        raise BadRowsError(one_line(error)) from error
    return cursor.rowcount


class CarefulCopy:
    """COPY in batches, each under a savepoint; a refused batch is cut at the line that PostgreSQL names."""

    def __init__(
        self, connection: Connection[Any], source: Source, targets: Sequence[TableColumn], opened: Format, file_id: int
    ) -> None:
        """Prepare.

        Args:
            targets: columns, in the order of the records' fields.
            opened: the file.
            file_id: of the refused rows.
        """
        self._connection, self._source, self._targets, self._opened = connection, source, targets, opened
        self._statement = _statement(source, targets, opened, header=True)
        self._line_end, self._file_id = opened.line_end[-1:], file_id
        self._codec = "utf-8" if opened.encoding == "UTF8" else source.options.encoding
        self._kept: list[Rejected] = []
        self._held: list[Rejected] = []
        self._refused_lines = 0  # a refused record weighs its lines: a stray quote may have swallowed good rows
        self._total: int | None = None
        self.rows = self.rejected = 0

    def run(self) -> None:
        """Load the good records, and keep the bad ones.

        Raises:
            TooManyRejectsError: more are bad than the source allows.
        """
        size, batch, pending = SMALLEST * 4, list[Record](), 0
        for record in self._opened.records(self._targets):
            if record.row is None:
                self._refuse(record, None, record.reason)
                continue
            batch.append(record)
            pending += len(record.row)
            if len(batch) >= size or pending >= BATCH_BYTES:
                before = self.rows
                self._load(batch)
                size = min(size * 2, LARGEST) if self.rows - before == len(batch) else max(size // 2, SMALLEST)
                batch, pending = [], 0
        self._load(batch)
        if self._is_past(self.rows):
            raise self._too_many(self.rows + self._refused_lines)
        ledger.write_rejected(self._connection, self._file_id, self._held)

    def _load(self, batch: list[Record]) -> None:
        parts = [batch]
        while parts:
            part = parts.pop()
            error = self._try(part) if part else None
            if error is None:
                self.rows += len(part)
                continue
            diag = getattr(error, "diag", None)
            line, column = match.groups() if diag and (match := AT.search(diag.context or "")) else (None, None)
            if len(part) == 1:
                self._refuse(part[0], column, one_line(error).replace("\0", "\\x00"))
            elif (at := self._index(part, int(line or 0))) is not None:
                parts += [part[at + 1 :], part[at : at + 1], part[:at]]
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]

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

    def _index(self, part: list[Record], line: int) -> int | None:
        """Which record is on the line that PostgreSQL counted."""
        end = 1  # the header
        for position, record in enumerate(part):
            end += 1 + (record.row or b"").count(self._line_end)
            if 1 < line <= end:
                return position
        return None

    def _refuse(self, record: Record, column: str | None, reason: str) -> None:
        raw = record.raw[:RAW_BYTES].decode(self._codec, "backslashreplace").rstrip("\r\n").replace("\0", "\\x00")
        cut = f"… ({len(record.raw):,} bytes)" if len(record.raw) > RAW_BYTES else ""
        bad = Rejected(record.line, column, reason, raw + cut)
        self.rejected += 1
        self._refused_lines += record.lines
        self._held.append(bad)
        if len(self._kept) < KEPT:
            self._kept.append(bad)
        if len(self._held) >= HELD:
            ledger.write_rejected(self._connection, self._file_id, self._held)
            self._held = []
        if self._total is None and self.rejected >= KEPT and self._is_past(self.rows):
            self._total = self._opened.count()  # worth a second look at the file: the rest may be as bad
        if self._total is not None and self._is_past(self._total - self.rejected):
            raise self._too_many(self._total)

    def _is_past(self, good: int) -> bool:
        return self._refused_lines > self._source.options.max_reject_rate * (good + self._refused_lines)

    def _too_many(self, total: int) -> TooManyRejectsError:
        first = self._kept[0]
        message = (
            f"{self.rejected:,} of {total:,} rows refused, more than max_reject_rate "
            f"{self._source.options.max_reject_rate:.2%} allows; the first: line {first.line}"
            f"{f', column {first.column}' if first.column else ''}: {first.reason}"
        )
        return TooManyRejectsError(message, self._kept, self.rejected, self._type_drift())

    def _type_drift(self) -> list[Change]:
        """Most refusals in one column: its type doesn't fit any more."""
        column, count = Counter(bad.column for bad in self._kept).most_common(1)[0]
        if not column or count * 2 <= len(self._kept):
            return []
        kind = next((target.type for target in self._targets if target.name == column), "")
        example = next(bad.reason for bad in self._kept if bad.column == column)
        return [Change("type", column, f"{kind} no longer fits: {example}")]


def _statement(
    source: Source, targets: Sequence[TableColumn], opened: Format, *, binary: bool = False, header: bool | None = None
) -> bytes:
    """The COPY statement.

    Args:
        binary: COPY's binary format, else the source's own CSV, or the CSV that the loader writes.
        header: the first line is passed over; None: if the source says so.
    """
    options = source.options if source.format == "csv" else Options(header=False)
    names = tuple(target.name for target in targets)
    header = options.header if header is None else header
    return _composed((source.schema, source.table), names, options, opened.encoding, binary=binary, header=header)


@lru_cache  # files of a source are alike
def _composed(
    table: tuple[str, str], names: tuple[str, ...], options: Options, encoding: str, *, binary: bool, header: bool
) -> bytes:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    into = sql.SQL("copy {} ({}) from stdin with ").format(sql.Identifier(*table), columns)
    if binary:
        return (into + sql.SQL("(format binary)")).as_bytes(None)
    given = (header, options.delimiter, options.quote, options.escape or options.quote, options.null_string, encoding)
    form = "(format csv, header {}, delimiter {}, quote {}, escape {}, null {}, encoding {})"
    return (into + sql.SQL(form).format(*map(sql.Literal, given))).as_bytes(None)
