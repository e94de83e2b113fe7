"""One file after the other over one connection: each is one transaction, and faults that may pass are tried again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from threading import Semaphore
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger
from journey.loader.columns import Change, TableColumn, check_keys, match_columns
from journey.loader.copying import CarefulCopy, TooManyRejectsError, copy_fast
from journey.loader.csvfile import CsvFile
from journey.loader.errors import BadRowsError, ObjectChangedError, one_line
from journey.loader.plan import Action
from journey.loader.sources import FILE_ID, Source
from journey.loader.storage import CHUNK, Listed, RangeReader, Retry, S3Object, decompress, look_again, read_ahead

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from journey.loader.copying import Format
    from journey.loader.ledger import Taken

Clients: TypeAlias = "Mapping[bool, S3Client]"  # that don't sign their requests (true), and that do


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        source: `source.table`.
        key: of the object.
        status: loaded, replaced, failed, skipped, duplicate or removed.
        rows: number of rows that its table now has of it.
        rejected: number of refused rows.
        bytes: size of the object.
        seconds: how long it took.
        careful: whether the careful path was taken.
        resumed: how often its stream broke and went on.
        error: why it failed or was passed over.
        changes: drift that it showed.
    """

    source: str
    key: str
    status: str
    rows: int = 0
    rejected: int = 0
    bytes: int = 0
    seconds: float = 0.0
    careful: bool = False
    resumed: int = 0
    error: str | None = None
    changes: tuple[Change, ...] = ()


class Worker:
    """Does what was decided, for one file at a time."""

    def __init__(
        self,
        connect: Callable[[], Connection[Any]],
        clients: Clients,
        run_id: int,
        retry: Retry,
        progress: Callable[[int], None],
        arrow: Semaphore,
    ) -> None:
        """Connect.

        Args:
            connect: opens an autocommit connection to PostgreSQL.
            clients: of S3.
            run_id: of the ledger's run.
            retry: how patient to be.
            progress: takes numbers of bytes; raises to stop.
            arrow: lets so many files at a time into Arrow, which takes memory and, in Python, no more than two cores.
        """
        self.clients, self.run_id, self.retry, self.progress, self.arrow = clients, run_id, retry, progress, arrow
        self.tables: dict[str, list[TableColumn]] = {}
        self._connect, self.connection = connect, connect()
        self._backend = ledger.backend(self.connection)

    def do(self, source: Source, action: Action) -> Outcome:
        """Load, replace or remove a file; try again where that may help.

        Raises:
            JourneyError: PostgreSQL is gone for good.
        """
        begun, attempt = datetime.now(timezone.utc), 0
        while True:
            again: object = None
            try:
                return Attempt(self, source, action).run()
            except ObjectChangedError as error:
                failure: Exception = error
                if again := look_again(self.clients[source.options.anonymous], source, action.file.key):
                    action = action._replace(file=again)
            except psycopg.OperationalError as error:  # connection lost, restart, disk full, lock timeout, deadlock
                failure, again = error, not isinstance(error, psycopg.errors.ProgramLimitExceeded)
            except Exception as error:  # whatever it is, the other files are loaded
                failure = error
            attempt += 1
            if not again or attempt >= self.retry.attempts:
                return self._failed(source, action, begun, failure)
            self.retry.pause(attempt)
            self._reconnect()

    def columns(self, source: Source) -> list[TableColumn]:
        """The columns of a source's table, after creating what is missing."""
        if source.name not in self.tables:
            self.tables[source.name] = ledger.ensure_table(self.connection, source)
        return self.tables[source.name]

    def _reconnect(self) -> None:
        """A new connection, unless the old one still works.

        Raises:
            JourneyError: PostgreSQL doesn't come back.
        """
        if ledger.is_usable(self.connection):
            return
        self.connection.close()
        for attempt in range(1, self.retry.attempts + 4):
            try:
                self.connection = self._connect()
                ledger.end_backend(self.connection, self._backend)
                self._backend = ledger.backend(self.connection)
                return
            except (JourneyError, psycopg.OperationalError) as error:
                gone = error
                self.retry.pause(attempt)
        raise JourneyError(f"the load stops: {one_line(gone)}")

    def _failed(self, source: Source, action: Action, begun: datetime, error: Exception) -> Outcome:
        """Enter the failure in the ledger."""
        said = one_line(error) if isinstance(error, (JourneyError, psycopg.Error)) else f"{error!r}"
        kept, count, changes = (
            (error.kept, error.count, error.changes) if isinstance(error, TooManyRejectsError) else ((), 0, ())
        )
        self._reconnect()
        connection, fields = self.connection, {"run_id": self.run_id, "started_at": begun, "rejected_count": count}
        with connection.transaction():
            [file_id] = ledger.write(connection, source, [(action.file, {"status": "failed", "error": said, **fields})])
            ledger.write_rejected(connection, file_id, kept)
            ledger.record_changes(connection, source, action.file.key, changes)
        seconds = (datetime.now(timezone.utc) - begun).total_seconds()
        return Outcome(
            source.name, action.file.key, "failed", rejected=count, bytes=action.file.size, seconds=seconds,
            error=said, changes=tuple(changes),
        )  # fmt: skip


class Attempt:
    """One try at one file."""

    def __init__(self, worker: Worker, source: Source, action: Action) -> None:
        """Prepare."""
        self._worker, self._connection = worker, worker.connection
        self.source, self._action, self._file = source, action, action.file
        self._begun = datetime.now(timezone.utc)
        self._changes: list[Change] = []
        self._object = S3Object(
            worker.clients[source.options.anonymous], source, action.file, worker.retry, worker.progress
        )
        self._digest: str | None = None

    def run(self) -> Outcome:
        """Load the file, by the fast path or else by the careful one; or take it out of its table.

        Raises:
            JourneyError: it can't be loaded. Nothing of it is.
            psycopg.Error: PostgreSQL has a trouble that isn't the file's.
        """
        if self._action.kind == "remove":
            return self._remove()
        with nullcontext() if self.source.format == "csv" else self._worker.arrow:
            if self.source.options.deduplicate == "content":
                self._digest = self._hashed()
            opened = self.open()
            try:
                return self._load(opened, careful=False)
            except BadRowsError:
                return self._load(opened, careful=True)

    def _load(self, opened: Format, *, careful: bool) -> Outcome:
        targets = self._targets(opened, scan=careful)  # may alter the table, for which others don't wait until the end
        with self._connection.transaction():
            taken = self._take()
            if passed := self._passed_over(taken):
                return passed
            if careful:
                copy = CarefulCopy(self._connection, self.source, targets, opened, taken.file_id)
                copy.run()
                rows, rejected = copy.rows, copy.rejected
            else:
                rows, rejected = self._copy(opened, targets), 0
            self._enter(taken, status="loaded", row_count=rows, rejected_count=rejected)
        status = "replaced" if taken.loaded_id else "loaded"
        return self.outcome(status, rows=rows, rejected=rejected, careful=careful)

    def _passed_over(self, taken: Taken) -> Outcome | None:
        """Why the file isn't loaded now, if so."""
        if not taken.is_ours:
            return self.outcome("skipped", error="another run is loading it")
        if taken.loaded_id != self._action.loaded_id and taken.loaded_etag == self._file.etag:
            # If it was us: the connection broke while it told us that our transaction was committed.
            if ours := ledger.loaded_by(self._connection, taken.loaded_id, self._worker.run_id):
                return self.outcome("loaded", rows=ours[0], rejected=ours[1])
            return self.outcome("skipped", error="another run has loaded it")
        twin = ledger.same_content(self._connection, self.source, self._digest, self._file.key)
        if twin is None:
            return None
        self._enter(taken, status="duplicate", duplicate_of=twin)
        return self.outcome("duplicate", error=f"same content as file_id {twin}")

    def _remove(self) -> Outcome:
        with self._connection.transaction():
            taken = self._take()
            if not taken.is_ours:
                return self.outcome("skipped", error="another run is loading it")
            if taken.loaded_id is not None:
                ledger.remove_rows(self._connection, self.source, taken.loaded_id, "removed")
        return self.outcome("removed")

    def outcome(self, status: str, **more: Any) -> Outcome:
        seconds = (datetime.now(timezone.utc) - self._begun).total_seconds()
        return Outcome(
            self.source.name, self._file.key, status, bytes=self._file.size, seconds=seconds,
            resumed=self._object.resumed, changes=tuple(self._changes), **more,
        )  # fmt: skip

    def open(self) -> Format:
        """The file in its format; Arrow is imported only where there is something for it."""
        if self.source.format == "parquet":
            from journey.loader.arrow import ParquetFile

            return ParquetFile(lambda: RangeReader(self._object))
        if self.source.format == "jsonl":
            from journey.loader.jsonl import JsonLines

            return JsonLines(self._stream)
        return CsvFile(self.source, self._stream, end_marker=self._connection.info.server_version < 180_000)

    def _stream(self) -> Iterator[bytes]:
        return decompress(self._object.chunks(), self.source.options.max_bytes)

    def _copy(self, opened: Format, targets: Sequence[TableColumn]) -> int:
        if not targets:
            return 0
        chunks = opened.fast(targets)
        if self._file.size > CHUNK:  # small files are many: other threads are busy meanwhile
            chunks = read_ahead(chunks)
        with closing(chunks):
            rows = copy_fast(self._connection, self.source, targets, opened, chunks)
        self._note_missing(opened)
        return rows

    def _targets(self, opened: Format, *, scan: bool) -> list[TableColumn]:
        """The table's column for each of the file's fields, after adding those that the table doesn't have."""
        names = opened.names(scan=scan)
        table = self._worker.columns(self.source)
        if names is None:
            return [column for column in table if column.name != FILE_ID]
        if not names and self.source.format != "parquet":
            return []  # not a byte
        targets, changes = match_columns(self.source, [column.name for column in table], names)
        new = {change.column: "text" for change in changes if change.change == "new"}
        if new:
            ledger.add_columns(self._connection, self.source, new)
            self._worker.tables.pop(self.source.name)
        self._note([change for change in changes if change not in self._changes])
        by_name = {column.name: column for column in self._worker.columns(self.source)}
        return [by_name[name] for name in targets]

    def _note(self, changes: list[Change]) -> None:
        """Record drift; it stays recorded if the file then fails."""
        if changes:
            self._changes += changes
            ledger.record_changes(self._connection, self.source, self._file.key, changes)

    def _note_missing(self, opened: Format) -> None:
        """JSON lines only show at the end that a field never came."""
        missing = [name for name in getattr(opened, "missing", ()) if name in self.source.columns]
        check_keys(self.source, missing)
        self._note([Change("missing", name, "loaded as null") for name in missing])

    def _enter(self, taken: Taken, **fields: Any) -> None:
        """Take the old version's rows out and write the ledger row."""
        if taken.loaded_id is not None:
            ledger.remove_rows(self._connection, self.source, taken.loaded_id, "replaced")
        ledger.write(self._connection, self.source, [self.entry(taken, content_hash=self._digest, **fields)])

    def entry(self, taken: Taken, **fields: Any) -> tuple[Listed, dict[str, Any]]:
        """The file's ledger row."""
        fields |= {"file_id": taken.file_id, "run_id": self._worker.run_id, "started_at": self._begun}
        return self._file, {"version_id": self._object.version_id, **fields}

    def _take(self) -> Taken:
        return ledger.take(self._connection, self.source, [self._file.key])[self._file.key]

    def _hashed(self) -> str:
        digest = hashlib.sha256()
        for chunk in self._object.chunks():
            digest.update(chunk)
        return digest.hexdigest()
