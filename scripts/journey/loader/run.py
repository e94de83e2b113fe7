"""A load from end to end: what to load, several files side by side, and what came of it."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from queue import Empty, Queue
from typing import Any, TypeAlias

import psycopg
from psycopg import Connection

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.loader import ledger
from journey.loader.errors import one_line
from journey.loader.ledger import TableStatus
from journey.loader.onefile import Clients, Outcome, Worker
from journey.loader.plan import Action, batches, plan_source
from journey.loader.report import Report
from journey.loader.sources import Source, load_sources, select
from journey.loader.storage import Retry
from journey.loader.together import load_all
from journey.project import project_root

Todo: TypeAlias = "deque[tuple[Source, list[Action]]]"


@dataclass
class TableSummary:
    """What a load did for one table.

    Attributes:
        source: `source.table`.
        files: files whose rows came in, new or in place of an older version.
        rows: their rows.
        rejected: rows that were refused, in loaded and failed files.
        skipped: files that were passed over: loaded before, same content, or in another run's hands.
        failed: files that were refused.
        removed: files whose rows were taken out.
        bytes: size of the loaded objects.
        seconds: time spent on its files, over all threads.
    """

    source: str
    files: int = 0
    rows: int = 0
    rejected: int = 0
    skipped: int = 0
    failed: int = 0
    removed: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count a file."""
        came = outcome.status in ("loaded", "replaced")
        self.files += came
        self.failed += outcome.status == "failed"
        self.removed += outcome.status == "removed"
        self.skipped += outcome.status in ("skipped", "duplicate")
        self.rows += outcome.rows
        self.rejected += outcome.rejected
        self.bytes += outcome.bytes if came else 0
        self.seconds += outcome.seconds


@dataclass
class Summary:
    """What a load did.

    Attributes:
        tables: by source, in order.
        actions: with dry_run, what would be done: source and action.
        failures: one line for each file that failed and each source that couldn't be listed.
        run_id: of the ledger's run; None for a dry run.
        seconds: wall time.
    """

    tables: dict[str, TableSummary] = field(default_factory=dict)
    actions: list[tuple[str, Action]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    run_id: int | None = None
    seconds: float = 0.0

    @property
    def exit_status(self) -> int:
        """0 if all is loaded, else 1."""
        return 1 if self.failures else 0


def load(
    selected: Sequence[str] = (),
    *,
    root: Path | None = None,
    sources: Sequence[Source] | None = None,
    threads: int = 4,
    dry_run: bool = False,
    reload: Sequence[str] = (),
    max_files: int | None = None,
    retry: Retry | None = None,
    report: Report | None = None,
) -> Summary:
    """Load what is in S3 and not yet in PostgreSQL.

    Args:
        selected: `source` or `source.table`; everything if empty.
        root: the dbt project; found from the current folder if None.
        sources: what to load, in place of what the project declares.
        threads: files loaded side by side.
        dry_run: only say what would be done.
        reload: keys, or s3:// addresses, to load again though they are loaded.
        max_files: load at most so many files.
        retry: how patient to be with S3 and PostgreSQL.
        report: told of everything.

    Raises:
        UsageError: the declaration, the configuration or the surroundings are wrong; nothing was loaded.
        JourneyError: PostgreSQL went away for good; what was committed stays.
    """
    begun, report, retry = time.monotonic(), report or Report(), retry or Retry()
    chosen = select(load_sources(root or project_root()) if sources is None else sources, selected)
    if not chosen:
        raise UsageError("no source has an external: block: declare one in models/staging/<source>/")
    if any(source.format != "csv" for source in chosen):  # while we wait for PostgreSQL and S3
        threading.Thread(target=import_module, args=("journey.loader.jsonl",), daemon=True).start()
    summary = Summary({source.name: TableSummary(source.name) for source in chosen})
    with _connect() as connection, report:
        ledger.set_up(connection)
        # Listing and streams have their own patience, and know what they have read: botocore tries once.
        patience: Any = {"connections": 3 * threads, "attempts": 1, "read_seconds": retry.stall_seconds}
        kinds = {source.options.anonymous for source in chosen}
        clients = {anonymous: settings.s3_client(anonymous=anonymous, **patience) for anonymous in kinds}
        todo = _plan(clients, connection, chosen, reload, summary, retry, report)[:max_files]
        if dry_run:
            summary.actions = [(source.name, action) for source, action in todo]
            return summary
        report.planned(len(todo), sum(action.file.size for _, action in todo if action.kind != "remove"))
        for source in chosen:  # staging views need every table, with or without files
            _prepare(connection, source, report)
        if todo:
            summary.run_id = ledger.begin_run(connection, " ".join(selected) or "everything", socket.gethostname())
            status = "interrupted"
            try:
                _Pool(clients, deque(batches(todo, threads)), summary, retry, report).run(connection, threads)
                status = "failed" if summary.failures else "loaded"
            finally:
                _close(connection, summary.run_id, status)
    summary.seconds = time.monotonic() - begun
    return summary


def status(
    selected: Sequence[str] = (), *, root: Path | None = None, sources: Sequence[Source] | None = None
) -> dict[str, TableStatus]:
    """How the raw tables stand, by source.

    Args:
        selected: `source` or `source.table`; everything if empty.
        root: the dbt project; found from the current folder if None.
        sources: in place of what the project declares.

    Raises:
        UsageError: the declaration or the surroundings are wrong.
    """
    chosen = select(load_sources(root or project_root()) if sources is None else sources, selected)
    with settings.connect(application="journey status", autocommit=True) as connection:
        ledger.set_up(connection)
        return {source.name: ledger.table_status(connection, source) for source in chosen}


def _connect() -> Connection[Any]:
    connection = settings.connect(application="journey load", autocommit=True)
    connection.execute("set timezone to 'UTC'; set datestyle to 'ISO, MDY'; set client_min_messages to warning")
    return connection


def _plan(
    clients: Clients,
    connection: Connection[Any],
    sources: Sequence[Source],
    reload: Sequence[str],
    summary: Summary,
    retry: Retry,
    report: Report,
) -> list[tuple[Source, Action]]:
    """What to do, source by source; a source that can't be listed doesn't stop the others.

    Raises:
        UsageError: none can be listed, or a key to reload isn't there.
    """
    plan: list[tuple[Source, Action]] = []
    found: set[str] = set()
    unlisted: dict[str, UsageError] = {}
    for source in sources:
        address = f"s3://{source.bucket}/"
        keys = {key.removeprefix(address) for key in reload}
        try:
            for action in plan_source(clients[source.options.anonymous], connection, source, keys, retry):
                found |= {action.file.key, address + action.file.key} if action.file.key in keys else set()
                if action.kind == "skip":
                    summary.tables[source.name].skipped += 1
                else:
                    plan.append((source, action))
        except UsageError as error:
            unlisted[source.name] = error
    if len(unlisted) == len(sources):
        raise next(iter(unlisted.values()))  # one cause, one line
    for name, reason in unlisted.items():
        summary.failures.append(f"{name}: {reason}")
        report.said("unlisted", summary.failures[-1], source=name)
    for key in reload:
        if key not in found:
            raise UsageError(f"--reload {key}: no selected source has such a file in S3")
    return plan


def _prepare(connection: Connection[Any], source: Source, report: Report) -> None:
    """Make the table, and see whether its types are what is declared.

    Raises:
        UsageError: a declared type isn't one, or the table can't be made.
    """
    try:
        changes = ledger.type_changes(connection, source, ledger.ensure_table(connection, source))
    except psycopg.errors.LockNotAvailable:
        return  # each file tries again
    except psycopg.Error as error:
        raise UsageError(f"{source.declared_in}: source {source.name}: {one_line(error)}") from error
    if changes:
        ledger.record_changes(connection, source, "", changes)
    for change in changes:
        said = f"{source.name}: column {change.column!r}: {change.detail}"
        report.said("drift", said, source=source.name, column=change.column)


def _close(connection: Connection[Any], run_id: int, status: str) -> None:
    """Close the run in the ledger, by a new connection if the old one broke."""
    with suppress(psycopg.Error, JourneyError):
        try:
            ledger.end_run(connection, run_id, status)
        except psycopg.OperationalError:
            ledger.end_run(_connect(), run_id, status)


class _Stopped(BaseException):
    """Another thread failed for good, or the user wants to stop."""


class _Pool:
    """Threads that take files from one list, each over its own connection, and tell what became of them."""

    def __init__(self, clients: Clients, todo: Todo, summary: Summary, retry: Retry, report: Report) -> None:
        self._clients = clients
        self._todo, self._summary, self._retry, self._report = todo, summary, retry, report
        self._left = Counter(source.name for source, actions in todo for _ in actions)
        self._stop, self._arrow = threading.Event(), threading.Semaphore(2)
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
                for outcome in load_all(worker, source, actions):
                    self._said.put((source, outcome))
        except (_Stopped, IndexError):
            pass  # nothing is left
        except BaseException as error:
            self._said.put(error)
        finally:
            if worker:
                worker.connection.close()
            self._said.put(None)

    def _connected(self) -> Connection[Any]:
        connection = _connect()
        self._connections.append(connection)
        return connection

    def _progress(self, size: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._report.progress(size)

    def _count(self, connection: Connection[Any], source: Source, outcome: Outcome) -> None:
        table = self._summary.tables[source.name]
        table.add(outcome)
        if outcome.status == "failed":
            self._summary.failures.append(f"{source.name}: {outcome.key}: {outcome.error}")
        self._report.done(outcome)
        self._left[source.name] -= 1
        if not self._left[source.name] and table.files + table.removed:
            with suppress(psycopg.Error):  # the next load, or autovacuum, does it
                ledger.finish_table(connection, source, table.rows)
