"""One file: read, checked against its table, copied and entered in the ledger, all in one transaction."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from journey.loader import ledger
from journey.loader.columns import Change, TableColumn, match_columns
from journey.loader.copying import CarefulCopy, copy_fast
from journey.loader.csvfile import CsvFile
from journey.loader.errors import BadRowsError, FileRefusedError, TooManyRejectsError
from journey.loader.ledger import Rejected
from journey.loader.plan import Listed
from journey.loader.records import Format
from journey.loader.sources import FILE_ID, Source
from journey.loader.streams import RangeReader, ReadAhead, Retry, S3Object, decompress

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEPT_REJECTS = 100  # of a file that is refused as a whole
FLUSHED_REJECTS = 1000  # held in memory until then


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        source: `source.table`.
        key: of the object.
        status: loaded, replaced, failed, skipped, duplicate or removed.
        rows: number of rows that its table now has of it.
        rejected: number of refused rows.
        size: of the object, bytes.
        seconds: how long it took.
        careful: whether the careful path was taken.
        resumed: how often its stream broke and went on.
        error: why it failed or was skipped.
        changes: drift that it showed.
    """

    source: str
    key: str
    status: str
    rows: int = 0
    rejected: int = 0
    size: int = 0
    seconds: float = 0.0
    careful: bool = False
    resumed: int = 0
    error: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass
class Session:
    """What the files of one thread share.

    Attributes:
        client: of S3.
        connection: autocommit, to PostgreSQL.
        run_id: of the ledger's run.
        retry: how patient to be with S3.
        progress: takes numbers of bytes; raises to stop.
        arrow: lets so many files at a time into Arrow, which takes memory and, in Python, no more than two cores.
        tables: columns of the tables seen so far, by source.
    """

    client: S3Client
    connection: Connection[Any]
    run_id: int
    retry: Retry
    progress: Callable[[int], None]
    arrow: Semaphore = field(default_factory=lambda: Semaphore(1))
    tables: dict[str, list[TableColumn]] = field(default_factory=dict)


class Attempt:
    """One try at one file, whose lock is held."""

    def __init__(self, session: Session, source: Source, file: Listed, replaces: int | None) -> None:
        """Prepare.

        Args:
            replaces: file_id of the version whose rows go when the new ones come.
        """
        self._session, self._connection = session, session.connection
        self._source, self._file, self._replaces = source, file, replaces
        self._begun = time.time()
        self._changes: list[Change] = []
        self._object = S3Object(
            session.client,
            source.bucket,
            file,
            payer=source.options.request_payer,
            retry=session.retry,
            progress=session.progress,
        )
        self._streams = ExitStack()

    def run(self) -> Outcome:
        """Load the file, by the fast path or else by the careful one.

        Raises:
            JourneyError: it can't be loaded. Nothing of it is.
            psycopg.Error: PostgreSQL has a trouble that isn't the file's.
        """
        with self._streams:
            digest = self._digest() if self._source.options.deduplicate == "content" else None
            twin = self._twin(digest)
            if twin is not None:
                return self._outcome("duplicate", error=f"same content as file_id {twin}")
            if self._source.format != "csv":
                self._streams.enter_context(self._session.arrow)
            opened = self._open()
            try:
                rows = self._fast(opened, digest)
                return self._outcome("replaced" if self._replaces else "loaded", rows=rows)
            except BadRowsError:
                rows, rejected = self._careful(opened, digest)
            return self._outcome("replaced" if self._replaces else "loaded", rows=rows, rejected=rejected, careful=True)

    def _outcome(self, status: str, **more: Any) -> Outcome:
        return Outcome(
            self._source.name,
            self._file.key,
            status,
            size=self._file.size,
            seconds=time.time() - self._begun,
            resumed=self._object.resumed,
            changes=tuple(self._changes),
            **more,
        )

    def _open(self) -> Format:
        """The file in its format; Parquet is imported only where there is some."""
        if self._source.format == "parquet":
            from journey.loader.parquet import ParquetFile

            return ParquetFile(lambda: RangeReader(self._object))
        if self._source.format == "jsonl":
            from journey.loader.jsonl import JsonLines

            return JsonLines(self._stream)
        return CsvFile(self._source, self._stream, end_marker=self._connection.info.server_version < 180_000)

    def _stream(self) -> Iterator[bytes]:
        ahead = ReadAhead(decompress(self._object.chunks(), self._source.options.max_bytes))
        self._streams.enter_context(closing(ahead))
        return iter(ahead)

    def _fast(self, opened: Format, digest: str | None) -> int:
        targets = self._targets(opened, scan=False)
        with self._connection.transaction():
            file_id = ledger.new_file(self._connection)
            rows = 0
            if targets:
                chunks = opened.fast(targets)
                names = [column.name for column in targets]
                rows = copy_fast(self._connection, self._source, names, chunks, opened.encoding)
                self._note_missing(opened)
            self._enter(file_id, digest, rows=rows)
        return rows

    def _careful(self, opened: Format, digest: str | None) -> tuple[int, int]:
        targets = self._targets(opened, scan=True)
        with self._connection.transaction():
            file_id = ledger.new_file(self._connection)
            names, line_end = [column.name for column in targets], opened.line_end[-1:]
            copy = CarefulCopy(self._connection, self._source, names, opened.encoding, line_end)
            rejects = _Rejects(self._connection, file_id, self._source, opened)
            try:
                for bad, lines in copy.copy(opened.records(targets)):
                    rejects.add(bad, lines, copy.rows)
                rejects.finish(copy.rows)
            except TooManyRejectsError as error:
                error.changes = _type_drift(error, targets)
                raise
            self._enter(file_id, digest, rows=copy.rows, rejected=rejects.count)
        return copy.rows, rejects.count

    def _targets(self, opened: Format, *, scan: bool) -> list[TableColumn]:
        """The table's column for each of the file's fields, after adding those that the table doesn't have."""
        names = opened.names(scan=scan)
        table = self._table()
        if names is None:
            return [column for column in table if column.name != FILE_ID]
        if not names and self._source.format != "parquet":
            return []  # not a byte
        match = match_columns(self._source, [column.name for column in table], names)
        if match.new:
            ledger.add_columns(self._connection, self._source, match.new)
            self._session.tables.pop(self._source.name)
            table = self._table()
        self._note([change for change in match.changes if change not in self._changes])
        by_name = {column.name: column for column in table}
        return [by_name[name] for name in match.targets]

    def _table(self) -> list[TableColumn]:
        tables, source = self._session.tables, self._source
        if source.name not in tables:
            tables[source.name] = ledger.ensure_table(self._connection, source)
        return tables[source.name]

    def _note(self, changes: list[Change]) -> None:
        """Record drift; it stays recorded if the file then fails."""
        if changes:
            self._changes += changes
            ledger.record_changes(self._connection, self._source, self._file.key, changes)

    def _note_missing(self, opened: Format) -> None:
        """JSON lines only show at the end that a field never came."""
        missing = [name for name in getattr(opened, "missing", ()) if name in self._source.columns]
        keys = [name for name in missing if name in self._source.options.key_columns]
        if keys:
            raise FileRefusedError(f"key column {keys[0]!r} is missing")
        self._note([Change("missing", name, "loaded as null") for name in missing])

    def _enter(self, file_id: int, digest: str | None, *, rows: int, rejected: int = 0) -> None:
        """Take the old version's rows out and write the ledger row."""
        if self._replaces is not None:
            ledger.remove_rows(self._connection, self._source, self._replaces, "replaced")
        ledger.write(
            self._connection,
            self._source,
            self._file,
            run_id=self._session.run_id,
            started=self._begun,
            status="loaded",
            file_id=file_id,
            rows=rows,
            rejected_count=rejected,
            version_id=self._object.version_id,
            content_hash=digest,
        )

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for chunk in self._object.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def _twin(self, digest: str | None) -> int | None:
        """The loaded file with the same content, after noting in the ledger that this one repeats it."""
        if digest is None:
            return None
        self._streams.enter_context(ledger.hold_content(self._connection, self._source, digest))
        twin = ledger.same_content(self._connection, self._source, digest, self._file.key)
        if twin is not None:
            with self._connection.transaction():
                if self._replaces is not None:
                    ledger.remove_rows(self._connection, self._source, self._replaces, "replaced")
                ledger.write(
                    self._connection,
                    self._source,
                    self._file,
                    run_id=self._session.run_id,
                    started=self._begun,
                    status="duplicate",
                    content_hash=digest,
                    duplicate_of=twin,
                )
        return twin


def _type_drift(error: TooManyRejectsError, targets: Sequence[TableColumn]) -> list[Change]:
    """Most refusals in one column: its type doesn't fit any more."""
    column, count = Counter(bad.column for bad in error.kept).most_common(1)[0]
    if not column or count * 2 <= len(error.kept):
        return []
    types = {target.name: target.type for target in targets}
    example = next(bad.reason for bad in error.kept if bad.column == column)
    return [Change("type", column, f"{types.get(column)} no longer fits: {example}")]


class _Rejects:
    """The refused rows of a file on their way to the ledger, and the limit to their number."""

    def __init__(self, connection: Connection[Any], file_id: int, source: Source, opened: Format) -> None:
        self._connection, self._file_id, self._opened = connection, file_id, opened
        self._rate = source.options.max_reject_rate
        self._kept: list[Rejected] = []
        self._waiting: list[Rejected] = []
        self._lines = 0  # a refused record weighs its lines: a stray quote may have swallowed good rows
        self._total: int | None = None
        self.count = 0

    def add(self, bad: Rejected, lines: int, loaded: int) -> None:
        """Take a refused row.

        Args:
            lines: how many lines it spans.
            loaded: how many rows are loaded by now.

        Raises:
            TooManyRejectsError: whatever still comes, the limit is passed.
        """
        self.count += 1
        self._lines += lines
        self._waiting.append(bad)
        if len(self._kept) < KEPT_REJECTS:
            self._kept.append(bad)
        if len(self._waiting) >= FLUSHED_REJECTS:
            self._flush()
        if self._total is None and self.count >= KEPT_REJECTS and self._is_past(loaded):
            self._total = self._opened.count()  # worth a second look at the file: the rest may be as bad
        if self._total is not None and self._is_past(self._total - self.count):
            raise self._too_many(self._total)

    def finish(self, loaded: int) -> None:
        """The file is read to its end.

        Raises:
            TooManyRejectsError: too many of its rows were refused.
        """
        if self._is_past(loaded):
            raise self._too_many(loaded + self._lines)
        self._flush()

    def _is_past(self, good: int) -> bool:
        return self._lines > self._rate * (good + self._lines)

    def _too_many(self, total: int) -> TooManyRejectsError:
        first = self._kept[0]
        column = f", column {first.column}" if first.column else ""
        return TooManyRejectsError(
            f"{self.count:,} of {total:,} rows refused, more than max_reject_rate {self._rate:.2%} allows; "
            f"the first: line {first.line}{column}: {first.reason}",
            self._kept,
            self.count,
        )

    def _flush(self) -> None:
        ledger.write_rejected(self._connection, self._file_id, self._waiting)
        self._waiting = []
