"""A load from end to end: what to load, several files side by side, and what came of it."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.loader import ledger
from journey.loader.columns import Change
from journey.loader.listing import plan_source
from journey.loader.manifest import load_sources, select
from journey.loader.onefile import Outcome, Session
from journey.loader.plan import Action
from journey.loader.report import Report
from journey.loader.sources import Source
from journey.loader.streams import Retry
from journey.loader.worker import Worker
from journey.project import project_root


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
    begun, report = time.monotonic(), report or Report()
    if threads < 1 or (max_files is not None and max_files < 0):
        raise UsageError("--threads must be at least 1 and --max-files at least 0")
    chosen = select(load_sources(root or project_root()) if sources is None else sources, selected)
    if not chosen:
        raise UsageError("no source has an external: block: declare one in models/staging/<source>/")
    summary = Summary({source.name: TableSummary(source.name) for source in chosen})
    with _connect() as connection, report:
        ledger.set_up(connection)
        todo = _plan(connection, chosen, reload, summary, report)[:max_files]
        report.planned(len(todo), sum(action.file.size for _, action in todo if action.kind != "remove"))
        if dry_run:
            summary.actions = [(source.name, action) for source, action in todo]
        else:
            for source in chosen:  # staging views need every table, with or without files
                _prepare(connection, source, report)
        if todo and not dry_run:
            summary.run_id = ledger.begin_run(connection, " ".join(selected) or "everything", socket.gethostname())
            status = "interrupted"
            try:
                _Pool(todo, summary, min(threads, len(todo)), retry or Retry(), report).run()
                status = "failed" if summary.failures else "loaded"
            finally:
                _close(connection, summary.run_id, status)
    summary.seconds = time.monotonic() - begun
    return summary


def _connect() -> Connection[Any]:
    connection = settings.connect(application="journey load", autocommit=True)
    connection.execute("set timezone to 'UTC'; set datestyle to 'ISO, MDY'; set client_min_messages to warning")
    return connection


def _plan(
    connection: Connection[Any], sources: Sequence[Source], reload: Sequence[str], summary: Summary, report: Report
) -> list[tuple[Source, Action]]:
    """What to do, source by source; a source that can't be listed doesn't stop the others.

    Raises:
        UsageError: none can be listed, or a key to reload isn't there.
    """
    client = settings.s3_client()
    plan: list[tuple[Source, Action]] = []
    found: set[str] = set()
    unlisted: dict[str, UsageError] = {}
    for source in sources:
        keys = {key.removeprefix(f"s3://{source.bucket}/") for key in reload}
        try:
            for action in plan_source(client, connection, source, keys):
                if action.file.key in keys:
                    found |= {action.file.key, f"s3://{source.bucket}/{action.file.key}"}
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
    lost = [key for key in reload if key not in found]
    if lost:
        raise UsageError(f"--reload {lost[0]}: no selected source has such a file in S3")
    return plan


def _prepare(connection: Connection[Any], source: Source, report: Report) -> None:
    """Make the table, and see whether its types are what is declared.

    Raises:
        UsageError: a declared type isn't one, or the table can't be made.
    """
    try:
        types = ledger.declared_types(connection, source)
        columns = {column.name: column.type for column in ledger.ensure_table(connection, source)}
    except psycopg.errors.LockNotAvailable:
        return  # each file tries again
    except psycopg.Error as error:
        raise UsageError(f"{source.declared_in}: source {source.name}: {' '.join(str(error).split())}") from error
    for name, wanted in types.items():
        if columns[name] != wanted:
            detail = f"declared {wanted}, but the table has {columns[name]}, which is kept: alter it by hand"
            ledger.record_changes(connection, source, "", [Change("type", name, detail)])
            report.said("drift", f"{source.name}: column {name!r}: {detail}", source=source.name, column=name)


def _close(connection: Connection[Any], run_id: int, status: str) -> None:
    """Close the run in the ledger, by a new connection if the old one broke."""
    with suppress(psycopg.Error, JourneyError):
        if not ledger.is_usable(connection):
            connection = _connect()
        try:
            ledger.end_run(connection, run_id, status)
        except psycopg.OperationalError:
            ledger.end_run(_connect(), run_id, status)


class _Stopped(BaseException):
    """Another thread failed for good, or the user wants to stop."""


class _Pool:
    """Threads that take files from one list, each over its own connection."""

    def __init__(
        self, todo: list[tuple[Source, Action]], summary: Summary, threads: int, retry: Retry, report: Report
    ) -> None:
        self._todo: deque[tuple[Source, Action]] = deque(todo)
        self._left = Counter(source.name for source, _ in todo)
        self._summary, self._retry, self._report = summary, retry, report
        # The streams have their own patience, and know what they have read: boto3 doesn't try again beneath them.
        self._client = settings.s3_client(connections=3 * threads, attempts=1, read_seconds=retry.stall_seconds)
        self._lock, self._stop, self._arrow = threading.Lock(), threading.Event(), threading.Semaphore(2)
        self._connections: list[Connection[Any]] = []
        self._error: BaseException | None = None
        self._threads = [threading.Thread(target=self._run, name=f"load {i + 1}", daemon=True) for i in range(threads)]

    def run(self) -> None:
        """Work until nothing is left.

        Raises:
            JourneyError: PostgreSQL went away for good, or the user interrupted.
        """
        try:
            for thread in self._threads:
                thread.start()
            for thread in self._threads:
                thread.join()
        except KeyboardInterrupt:
            self._stop.set()
            for connection in self._connections:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=2)
            for thread in self._threads:
                thread.join(5)
            raise JourneyError("interrupted: what was committed stays, the next load brings the rest") from None
        if self._error:
            raise self._error

    def _run(self) -> None:
        worker: Worker | None = None
        try:
            run_id = self._summary.run_id or 0
            session = Session(self._client, self._connected(), run_id, self._retry, self._progress, self._arrow)
            worker = Worker(session, self._connected)
            while not self._stop.is_set():
                try:
                    source, action = self._todo.popleft()
                except IndexError:
                    return
                self._done(worker, source, worker.do(source, action))
        except _Stopped:
            pass
        except BaseException as error:
            self._error = self._error or error
            self._stop.set()
        finally:
            if worker:
                worker.close()

    def _connected(self) -> Connection[Any]:
        connection = _connect()
        self._connections.append(connection)
        return connection

    def _progress(self, size: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._report.progress(size)

    def _done(self, worker: Worker, source: Source, outcome: Outcome) -> None:
        with self._lock:
            table = self._summary.tables[source.name]
            table.seconds += outcome.seconds
            table.rejected += outcome.rejected
            if outcome.status in ("loaded", "replaced"):
                table.files += 1
                table.rows += outcome.rows
                table.bytes += outcome.size
            elif outcome.status == "failed":
                table.failed += 1
                self._summary.failures.append(f"{source.name}: {outcome.key}: {outcome.error}")
            elif outcome.status == "removed":
                table.removed += 1
            else:
                table.skipped += 1
            self._left[source.name] -= 1
            last = not self._left[source.name]
        self._report.done(outcome)
        if last and table.files + table.removed:
            worker.finish_table(source, table.rows)
