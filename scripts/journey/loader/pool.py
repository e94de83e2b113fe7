"""Threads that take files from one list, each over its own connection, and tell what became of them."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, Queue
from typing import Any, TypeAlias

import psycopg
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import Source
from journey.loader.outcome import Outcome, Summary
from journey.loader.plan import Action
from journey.loader.report import Report
from journey.loader.s3.asking import Retry
from journey.loader.statuses import Did
from journey.loader.together import load_all
from journey.loader.worker import Clients, Worker

Todo: TypeAlias = "deque[tuple[Source, list[Action]]]"
LARGE_AT_ONCE = 2  # files that are read at a time
LOOK_SECONDS = 0.2  # between two looks at a file in another run's hands


class _Stopped(BaseException):
    """Another thread failed for good, or the user wants to stop."""


class Pool:
    """The threads of one load."""

    def __init__(
        self,
        connect: Callable[[], Connection[Any]],
        clients: Clients,
        todo: Iterable[tuple[Source, list[Action]]],
        summary: Summary,
        retry: Retry,
        report: Report,
    ) -> None:
        """Prepare.

        Args:
            connect: opens an autocommit connection.
            clients: of S3.
            todo: files that a thread takes at a time.
            summary: gets what became of them.
            retry: how patient to be.
            report: told of everything.
        """
        self._connect, self._clients = connect, clients
        self._todo: Todo = deque(todo)
        self._summary, self._retry, self._report = summary, retry, report
        self._left = Counter(source.name for source, actions in self._todo for _ in actions)
        self._stop, self._arrow = threading.Event(), threading.Semaphore(LARGE_AT_ONCE)
        self._busy: dict[tuple[str, str], float] = {}
        self._connections: list[Connection[Any]] = []
        self._said: Queue[tuple[Source, Outcome] | BaseException | None] = Queue()

    def run(self, connection: Connection[Any], threads: int) -> None:
        """Work until nothing is left.

        Args:
            connection: for the tables' statistics.
            threads: how many, at most.

        Raises:
            JourneyError: PostgreSQL went away for good, or the user interrupted.
        """
        running = min(threads, len(self._todo))
        for number in range(running):
            threading.Thread(target=self._run, daemon=True, name=f"load {number + 1}").start()
        failure: BaseException | None = None
        try:
            while running:
                said = self._said.get()
                if said is None:
                    running -= 1
                elif isinstance(said, BaseException):
                    failure = failure or said
                    self._stop.set()
                else:
                    self._count(connection, *said)
        except KeyboardInterrupt:
            self._interrupt(running)
            raise JourneyError("interrupted: what was committed stays, the next load brings the rest") from None
        if failure:
            raise failure

    def _interrupt(self, running: int) -> None:
        """Stop the threads, and wait a little until they have tidied up."""
        self._stop.set()
        for connection in self._connections:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=2)
        with suppress(Empty):
            while running:
                running -= self._said.get(timeout=5) is None

    def _run(self) -> None:
        worker: Worker | None = None
        try:
            run_id = self._summary.run_id or 0
            worker = Worker(self._connected, self._clients, run_id, self._retry, self._progress, self._arrow)
            while not self._stop.is_set():
                source, actions = self._todo.popleft()
                for action, outcome in zip(actions, load_all(worker, source, actions), strict=True):
                    if not self._is_for_later(source, action, outcome):
                        self._said.put((source, outcome))
        except (_Stopped, IndexError):
            pass  # nothing is left
        except BaseException as error:
            self._said.put(error)
        finally:
            if worker:
                worker.close()
            self._said.put(None)

    def _is_for_later(self, source: Source, action: Action, outcome: Outcome) -> bool:
        """Whether a file is in another run's hands, and may still come out of them."""
        if outcome.status is not Did.BUSY:
            return False
        since = self._busy.setdefault((source.name, action.file.key), time.monotonic())
        if time.monotonic() - since > self._retry.busy_seconds:
            return False
        self._todo.append((source, [action]))
        time.sleep(LOOK_SECONDS)
        return True

    def _connected(self) -> Connection[Any]:
        connection = self._connect()
        self._connections.append(connection)
        return connection

    def _progress(self, size: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._report.progress(size)

    def _count(self, connection: Connection[Any], source: Source, outcome: Outcome) -> None:
        table = self._summary.tables[source.name]
        table.add(outcome)
        if outcome.status is Did.FAILED:
            self._summary.failures.append(f"{source.name}: {outcome.key}: {outcome.error}")
        elif outcome.status is Did.BUSY:
            waited = f"another run has it in hand, for longer than {self._retry.busy_seconds:g} s: run again"
            with suppress(psycopg.Error):
                if holder := postgres.file_holder(connection, source.schema, source.table, source.bucket, outcome.key):
                    waited += f" ({holder})"
            self._summary.failures.append(f"{source.name}: {outcome.key}: {waited}")
        self._report.done(outcome)
        self._left[source.name] -= 1
        if not self._left[source.name] and table.files + table.removed:
            with suppress(psycopg.Error):  # the next load, or autovacuum, does it
                ledger.close_changes(connection, source, self._summary.run_id or 0)
                ledger.finish_table(connection, source, table.rows)
