"""Files one after the other, over one connection: faults that may pass are tried again, the others are recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger
from journey.loader.errors import FileRefusedError, ObjectChangedError, StorageError, TooManyRejectsError
from journey.loader.onefile import Attempt, Outcome, Session
from journey.loader.plan import Action, Listed
from journey.loader.sources import Source

if TYPE_CHECKING:
    pass


class Worker:
    """Does what was decided, for one file at a time."""

    def __init__(self, session: Session, connect: Callable[[], Connection[Any]]) -> None:
        """Prepare.

        Args:
            session: what all files share; its connection is replaced when it is lost.
            connect: opens an autocommit connection to PostgreSQL.
        """
        self._session, self._connect = session, connect
        self._backend = ledger.backend(session.connection)

    def close(self) -> None:
        """Close the connection."""
        self._session.connection.close()

    def do(self, source: Source, action: Action) -> Outcome:
        """Load, replace or remove a file; try again where that may help.

        Raises:
            JourneyError: PostgreSQL is gone for good.
        """
        begun, attempt, retry = time.time(), 0, self._session.retry
        while True:
            try:
                return self._once(source, action)
            except (FileRefusedError, StorageError) as error:
                return self._failed(source, action, begun, error)
            except ObjectChangedError as error:
                attempt += 1
                file = self._look_again(source, action.file.key)
                if file is None or attempt >= retry.attempts:
                    return self._failed(source, action, begun, error)
                action = replace(action, file=file)
            except psycopg.OperationalError as error:  # connection lost, restart, disk full, lock timeout, deadlock
                attempt += 1
                if attempt >= retry.attempts or isinstance(error, psycopg.errors.ProgramLimitExceeded):
                    return self._failed(source, action, begun, FileRefusedError(_one_line(error)))
                time.sleep(retry.pause(attempt))
                self._reconnect()
            except Exception as error:  # whatever it is, the other files are loaded
                return self._failed(
                    source, action, begun, FileRefusedError(f"{type(error).__name__}: {_one_line(error)}")
                )

    def finish_table(self, source: Source, new_rows: int) -> None:
        """Statistics and index after a load."""
        with suppress(psycopg.Error):  # the next load, or autovacuum, does it
            ledger.finish_table(self._session.connection, source, new_rows)

    def _once(self, source: Source, action: Action) -> Outcome:
        connection, file = self._session.connection, action.file
        with ledger.take(connection, source, file.key) as (held, loaded_id, loaded_etag):
            if not held:
                return Outcome(source.name, file.key, "skipped", error="another run is loading it")
            if action.kind == "remove":
                if loaded_id is not None:
                    with connection.transaction():
                        ledger.remove_rows(connection, source, loaded_id, "removed")
                return Outcome(source.name, file.key, "removed", size=file.size)
            if loaded_id != action.loaded_id and loaded_etag == file.etag:
                rows, rejected = ledger.loaded_by(connection, loaded_id, self._session.run_id)
                if rows is None:
                    return Outcome(source.name, file.key, "skipped", error="another run has loaded it")
                # The connection broke while it told us that our transaction was committed.
                return Outcome(source.name, file.key, "loaded", rows=rows, rejected=rejected, size=file.size)
            return Attempt(self._session, source, file, loaded_id).run()

    def _reconnect(self) -> None:
        """A new connection, unless the old one still works.

        Raises:
            JourneyError: PostgreSQL doesn't come back.
        """
        if ledger.is_usable(self._session.connection):
            return
        self._session.connection.close()
        for attempt in range(1, self._session.retry.attempts + 4):
            try:
                self._session.connection = self._connect()
                ledger.end_backend(self._session.connection, self._backend)
                self._backend = ledger.backend(self._session.connection)
                return
            except JourneyError as error:
                gone = error
                time.sleep(self._session.retry.pause(attempt))
        raise JourneyError(f"the load stops: {gone}")

    def _look_again(self, source: Source, key: str) -> Listed | None:
        """The object as it is now."""
        try:
            head = self._session.client.head_object(Bucket=source.bucket, Key=key)
        except (BotoCoreError, ClientError):
            return None
        return Listed(key, head["ETag"].strip('"'), head["ContentLength"])

    def _failed(self, source: Source, action: Action, begun: float, error: JourneyError) -> Outcome:
        """Enter the failure in the ledger."""
        rejected = error if isinstance(error, TooManyRejectsError) else None
        self._reconnect()
        with self._session.connection.transaction():
            ledger.write(
                self._session.connection,
                source,
                action.file,
                run_id=self._session.run_id,
                started=begun,
                status="failed",
                rejected=rejected.kept if rejected else (),
                rejected_count=rejected.count if rejected else 0,
                error=str(error),
            )
        if rejected and rejected.changes:
            ledger.record_changes(self._session.connection, source, action.file.key, rejected.changes)
        return Outcome(
            source.name,
            action.file.key,
            "failed",
            rejected=rejected.count if rejected else 0,
            size=action.file.size,
            seconds=time.time() - begun,
            error=str(error),
            changes=tuple(rejected.changes) if rejected else (),
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
