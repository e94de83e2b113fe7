"""One file after the other over one connection; faults that may pass are tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from threading import Semaphore
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.declaration.paths import how_to_leave_out
from journey.loader.declaration.sources import Source
from journey.loader.errors import ObjectChangedError, one_line
from journey.loader.forgotten import Forgotten
from journey.loader.judging import Judge
from journey.loader.onefile import Attempt
from journey.loader.outcome import Outcome
from journey.loader.plan import Action
from journey.loader.rejects import TooManyRejectsError
from journey.loader.s3.asking import Retry
from journey.loader.s3.listing import look_again
from journey.loader.s3.objects import S3Object
from journey.loader.statuses import Did, FileStatus
from journey.loader.values.meaning import Column

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Clients: TypeAlias = "Mapping[bool, S3Client]"  # that don't sign their requests (true), and that do


class Worker:
    """Does what was decided, for one file at a time.

    Attributes:
        connection: autocommit, to PostgreSQL.
        judge: asks PostgreSQL what it thinks of a value.
        run_id: of the ledger's run.
        arrow: lets so many large files at a time be read, which takes memory and, in Python, no more than two cores.
    """

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
            arrow: see above.
        """
        self.run_id, self.arrow = run_id, arrow
        self._clients, self._retry, self._progress = clients, retry, progress
        self._tables: dict[str, list[Column]] = {}
        self._forgotten: dict[str, tuple[int, Forgotten | None]] = {}
        self._connect, self.connection = connect, connect()
        self.judge = Judge(connect)
        self._backend = ledger.backend(self.connection)

    def do(self, source: Source, action: Action) -> Outcome:
        """Load, replace or remove a file, or settle its failure; try again where that may help.

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
                if again := look_again(self._clients[source.options.anonymous], source, action.file.key):
                    action = action._replace(file=again)
            except psycopg.Error as error:  # connection lost, restart, disk full, lock timeout, deadlock
                failure, again = error, postgres.may_pass(error)
            except Exception as error:  # whatever it is, the other files are loaded
                failure = error
            attempt += 1
            if isinstance(failure, psycopg.errors.LockNotAvailable) or not again or attempt >= self._retry.attempts:
                return self._failed(source, action, begun, failure)
            self._retry.pause(attempt)
            self._reconnect()

    def columns(self, source: Source) -> list[Column]:
        """The columns of a source's table, after creating what is missing."""
        if source.name not in self._tables:
            table = ledger.ensure_table(self.connection, source)
            self._tables[source.name] = [source.column(*column) for column in table]
        return self._tables[source.name]

    def forgotten(self, source: Source, count: int) -> Forgotten | None:
        """Persons without whom a source's files are read; looked up anew when more were forgotten.

        Args:
            source: the feed.
            count: how many were ever forgotten, as `take` says it.
        """
        if not count or not source.persons:
            return None
        known = self._forgotten.get(source.name)
        if known is None or known[0] != count:
            known = self._forgotten[source.name] = count, Forgotten.read(self.connection, source)
        return known[1]

    def add_columns(self, source: Source, names: list[str]) -> None:
        """Give a source's table more columns, of type text."""
        ledger.add_columns(self.connection, source, dict.fromkeys(names, "text"))
        self._tables.pop(source.name, None)

    def object(self, source: Source, action: Action) -> S3Object:
        """The object of a file."""
        return S3Object(self._clients[source.options.anonymous], source, action.file, self._retry, self._progress)

    def close(self) -> None:
        """Disconnect."""
        self.judge.close()
        self.connection.close()

    def _reconnect(self) -> None:
        """A new connection, unless the old one still works.

        Raises:
            JourneyError: PostgreSQL doesn't come back.
        """
        if ledger.is_usable(self.connection):
            return
        self.connection.close()
        for attempt in range(1, self._retry.attempts + 4):
            try:
                self.connection = self._connect()
                ledger.end_backend(self.connection, self._backend)
                self._backend = ledger.backend(self.connection)
                return
            except (JourneyError, psycopg.OperationalError) as error:
                gone = error
                self._retry.pause(attempt)
        raise JourneyError(f"the load stops: {one_line(gone)}")

    def _failed(self, source: Source, action: Action, begun: datetime, error: Exception) -> Outcome:
        """Enter the failure in the ledger."""
        self._reconnect()
        if isinstance(error, psycopg.Error):
            said = postgres.explain(self.connection, source.schema, source.table, error)
        else:
            said = one_line(error) if isinstance(error, JourneyError) else repr(error)
            said += how_to_leave_out(source.format, source.bucket, source.pattern, action.file.key)
        fields: dict[str, Any] = {"run_id": self.run_id, "started_at": begun, "status": FileStatus.FAILED}
        too_many = error if isinstance(error, TooManyRejectsError) else None
        if too_many:
            fields |= {"rejected_count": too_many.count, "delivered_count": too_many.delivered}
        with self.connection.transaction():
            forgotten = Forgotten.read_still(self.connection, source)
            if forgotten:
                said = forgotten.hidden(said)
                too_many = too_many and forgotten.of_failure(too_many)
            [file_id] = ledger.write(self.connection, source, [(action.file, {**fields, "error": said})])
            if too_many:
                ledger.write_rejected(self.connection, file_id, too_many.kept)
                ledger.record_changes(self.connection, source, action.file.key, too_many.changes)
        return Outcome(
            source.name, action.file.key, Did.FAILED, rejected=too_many.count if too_many else 0,
            bytes=action.file.size, seconds=(datetime.now(timezone.utc) - begun).total_seconds(),
            error=said, changes=tuple(too_many.changes) if too_many else (),
        )  # fmt: skip
