"""`journey load --engine spark`: what is in S3 and not yet in Spark's raw tables, each file exactly once.

The loader's own code lists the bucket, decides what is new, and reads headers and footers. Spark reads the rows.
"""

from __future__ import annotations

import fcntl
import re
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.loader.adopting import Place, looks_moved, pairs
from journey.loader.columns import Change
from journey.loader.declaration.paths import refuse_persons
from journey.loader.declaration.sources import Source, key_pattern, load_sources, select
from journey.loader.errors import FileRefusedError, ObjectChangedError, TableStoppedError
from journey.loader.ledger import Known
from journey.loader.outcome import Outcome, Summary, TableSummary
from journey.loader.plan import Action, Plan, decide, is_folder, nothing_found, removals
from journey.loader.report import Report
from journey.loader.s3.asking import Retry
from journey.loader.s3.listing import Listed, list_objects
from journey.loader.statuses import Did, FileStatus, RunStatus
from journey.project import local_dir, program_version, project_root
from journey.spark import tables
from journey.spark.formats import Fitting, check_feed, fit
from journey.spark.ledger import Entry, Ledger
from journey.spark.session import GoneError, Session

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

AT_ONCE = 500  # files that become visible together
NAMED = re.compile(r"[A-Za-z0-9/_.=+,@~-]+")  # of other keys, Spark and S3 could mean two things


def load(
    selected: Sequence[str] = (),
    *,
    root: Path | None = None,
    sources: Sequence[Source] | None = None,
    threads: int = 4,
    dry_run: bool = False,
    reload: Sequence[str] = (),
    as_new: bool = False,
    max_files: int | None = None,
    retry: Retry | None = None,
    report: Report | None = None,
) -> Summary:
    """Load what is in S3 and not yet in Spark's raw tables.

    Args:
        selected: `source` or `source.table`; everything if empty.
        root: the dbt project; found from the current folder if None.
        sources: what to load, in place of what the project declares.
        threads: headers and footers that are read side by side.
        dry_run: only say what would be done.
        reload: keys, or s3:// addresses, to load again though they are loaded.
        as_new: files that seem to have been moved are loaded beside the old ones.
        max_files: load at most so many files.
        retry: how patient to be with S3.
        report: told of everything.

    Raises:
        UsageError: the declaration, the configuration or the surroundings are wrong; nothing was loaded.
        JourneyError: Spark went away; what was loaded stays.
    """
    begun, report, retry = time.monotonic(), report or Report(), retry or Retry()
    declared = load_sources(root or project_root()) if sources is None else sources
    chosen = select(declared, selected)
    for source in chosen:
        try:
            check_feed(source)
        except ValueError as error:
            raise UsageError(f"{source.declared_in}: source {source.name}: {error}") from error
    summary = Summary({source.name: TableSummary(source.name) for source in chosen})
    client = settings.s3_client(connections=3 * threads)
    with report, _alone(), Session() as session:
        ledger = Ledger(session)
        summary.run_id = ledger.run_id
        left = max_files
        for source in chosen:
            if not dry_run:
                tables.make(session, source)
            feed = _Feed(client, session, ledger, source, summary, report, retry, threads)
            try:
                plan = feed.plan({key.removeprefix(f"s3://{source.bucket}/") for key in reload}, as_new=as_new)
            except (TableStoppedError, UsageError) as error:
                feed.fail(str(error))
                continue
            actions = plan.actions[:left]
            left = None if left is None else left - len(actions)
            if dry_run:
                summary.actions += [(source.name, action) for action in actions]
            else:
                feed.work(actions)
        if not dry_run:
            tables.show_refused(session, declared)
            if any(table.files or table.removed or table.failed for table in summary.tables.values()):
                status = RunStatus.FAILED if summary.failures else RunStatus.LOADED
                ledger.end_run(status, " ".join(selected) or "everything", socket.gethostname(), program_version())
    summary.seconds = time.monotonic() - begun
    return summary


@dataclass
class _Feed:
    """The load of one feed."""

    client: S3Client
    session: Session
    ledger: Ledger
    source: Source
    summary: Summary
    report: Report
    retry: Retry
    threads: int

    def plan(self, reload: set[str], *, as_new: bool) -> Plan:
        """What to do with each file.

        Raises:
            UsageError: S3 can't be listed.
            TableStoppedError: files seem to have been moved, or their keys name persons.
        """
        known, plan = self.ledger.known(self.source), Plan()
        files = self._listed(plan)
        refuse_persons(self.source, files)
        decided = [decide(file, known.get(file.key, Known()), file.key in reload) for file in files.values()]
        plan.actions = [action for action in decided if action.kind != "skip"]
        plan.skipped = self.summary.tables[self.source.name].skipped = len(decided) - len(plan.actions)
        loaded = [
            Place(file_id, self.source.bucket, key, etag, size)
            for file_id, key, etag, size in self.ledger.loaded(self.source)
        ]
        gone = [place for place in loaded if place.key not in files]
        if not as_new:
            self._refuse_moved([file for file in files.values() if file.key not in known], gone, len(loaded))
        if self.source.options.on_delete == "remove" and gone:
            ids = {place.key: place.file_id for place in loaded}
            again = self._listed(Plan()).keys()
            there = [Listed(place.key, place.etag, place.size) for place in loaded]
            removed, refusal = removals(there, files.keys(), again, self.source.options.max_remove_rate)
            why = "it is no longer in S3, and on_delete is remove"
            plan.actions += [Action("remove", file, why, ids[file.key]) for file in removed]
            plan.failures += [refusal] if refusal else []
        for said in plan.failures:
            self.fail(said)
        empty = nothing_found(self.source, plan)
        if empty and self.source.options.required:
            self.fail(f"{empty} (required: true)")
        elif empty:
            self.report.said("empty", f"{self.source.name}: {empty}", source=self.source.name)
        return plan

    def work(self, actions: Sequence[Action]) -> None:
        """Load files, and take out those that are gone.

        Raises:
            JourneyError: Spark went away.
        """
        if not actions:
            return
        tables.clean(self.session, self.source, self.ledger.ids(self.source))
        gone = [action for action in actions if action.kind == "remove"]
        if gone:
            self.ledger.write([], {action.loaded_id or 0: FileStatus.REMOVED for action in gone})
        for action in gone:
            self._done(Outcome(self.source.name, action.file.key, Did.REMOVED))
        came = [action for action in actions if action.kind != "remove"]
        for first in range(0, len(came), AT_ONCE):
            self._load(came[first : first + AT_ONCE])

    def fail(self, said: str) -> None:
        """Note that something couldn't be done."""
        line = said if said.startswith(f"{self.source.name}: ") else f"{self.source.name}: {said}"
        self.summary.failures.append(line)
        self.report.said("unloaded", line, source=self.source.name)

    def _listed(self, plan: Plan) -> dict[str, Listed]:
        """The feed's files, by key."""
        is_file, found = key_pattern(self.source.pattern), dict[str, Listed]()
        for page in list_objects(self.client, self.source, None, self.retry):
            files = [file for file in page.files if is_file.fullmatch(file.key) and not is_folder(file)]
            refused = [(key, reason) for key, reason in page.refused if is_file.fullmatch(key)]
            plan.listed += len(page.files) + len(page.refused)
            plan.matched += len(files) + len(refused)
            plan.failures += [f"{key}: {reason}" for key, reason in refused]
            found.update({file.key: file for file in files})
        return found

    def _refuse_moved(self, new: Sequence[Listed], gone: Sequence[Place], loaded: int) -> None:
        moves = pairs(new, gone) if new and gone else []
        if moves and looks_moved(self.source, new, moves, loaded):
            old, file = moves[0]
            raise TableStoppedError(
                f"{self.source.name}: {len(moves):,} of {len(new):,} new files have the content of loaded files that "
                f"are no longer where they were ({old.key} is now {file.key}): put them back, or load them beside the "
                f"old ones: journey load --engine spark --select {self.source.name} --as-new"
            )

    def _load(self, actions: Sequence[Action]) -> None:
        """Load some files: all that can be become visible in one step."""
        began = datetime.now(timezone.utc).replace(tzinfo=None)
        ids = self.ledger.next_ids(len(actions))
        with ThreadPoolExecutor(self.threads, "fit") as pool:
            fitted = list(pool.map(self._fitted, actions))
        errors = {one: str(found) for one, found in zip(ids, fitted, strict=True) if isinstance(found, JourneyError)}
        to_read = [
            tables.ToRead(one, f"s3a://{self.source.bucket}/{action.file.key}", found)
            for one, action, found in zip(ids, actions, fitted, strict=True)
            if isinstance(found, Fitting)
        ]
        errors |= self._read([one for one in to_read if one.fitting.layout is not None])
        counts = tables.counts(self.session, self.source, ids[0], ids[-1])
        now = self._listed(Plan())
        changes: dict[tuple[str, str, str], list[str]] = {}
        entries: list[Entry] = []
        statuses: dict[int, str] = {}
        for one, action, found in zip(ids, actions, fitted, strict=True):
            count, file = counts.get(one, tables.Count()), action.file
            error = errors.get(one) or self._too_many(count)
            if error is None and now.get(file.key, file._replace(etag="")).etag != file.etag:
                error = "it was overwritten or removed while it was read: the next load takes it as it is then"
            if isinstance(found, Fitting):
                for change in found.changes:
                    changes.setdefault(change, []).append(file.key)
            status = FileStatus.LOADED if error is None else FileStatus.FAILED
            if error is None and action.loaded_id is not None:
                statuses[action.loaded_id] = FileStatus.REPLACED
            entries.append(
                Entry(
                    one, self.source.schema, self.source.table, self.source.bucket, file.key, file.etag, file.size,
                    self.ledger.run_id, began, datetime.now(timezone.utc).replace(tzinfo=None), str(status),
                    delivered_count=count.good + count.refused,
                    row_count=count.good if error is None else 0,
                    rejected_count=count.refused,
                    replaces=action.loaded_id if error is None else None,
                    error=error,
                )
            )  # fmt: skip
        statuses |= self._retried([entry.key for entry in entries])
        self.ledger.write(entries, statuses)
        self.ledger.note_changes(self.source, changes)
        for entry, found in zip(entries, fitted, strict=True):
            did = Did.FAILED if entry.error else Did.REPLACED if entry.replaces else Did.LOADED
            drift = tuple(Change(*change) for change in found.changes) if isinstance(found, Fitting) else ()
            self._done(
                Outcome(
                    self.source.name, entry.key, did, rows=entry.row_count, rejected=entry.rejected_count,
                    bytes=entry.size_bytes, error=entry.error, changes=drift,
                )
            )  # fmt: skip

    def _fitted(self, action: Action) -> Fitting | JourneyError:
        if not NAMED.fullmatch(action.file.key):
            return FileRefusedError("its key has a character that Spark says otherwise than S3: rename the object")
        try:
            return fit(self.client, self.source, action.file, self.retry)
        except (FileRefusedError, ObjectChangedError) as error:
            return error

    def _read(self, files: Sequence[tables.ToRead]) -> dict[int, str]:
        """Let Spark read files; if it can't, in halves, until it is known which of them it can't read.

        Returns:
            Errors, by file_id.
        """
        if not files:
            return {}
        try:
            tables.read(self.session, self.source, files)
        except GoneError:
            raise
        except JourneyError as error:
            if len(files) == 1:
                return {files[0].file_id: str(error)}
            half = len(files) // 2
            return self._read(files[:half]) | self._read(files[half:])
        return {}

    def _too_many(self, count: tables.Count) -> str | None:
        rate, total = self.source.options.max_reject_rate, count.good + count.refused
        if count.refused <= rate * total or count.first is None:
            return None
        column, reason = count.first
        return (
            f"{count.refused:,} of {total:,} rows refused, more than max_reject_rate {rate:.2%} allows; "
            f"one of them: {f'column {column}: ' if column else ''}{reason}"
        )

    def _retried(self, keys: Sequence[str]) -> dict[int, str]:
        """Failures of files that were tried again."""
        tried = set(keys)
        return {one: FileStatus.RETRIED for one, key in self.ledger.failed(self.source) if key in tried}

    def _done(self, outcome: Outcome) -> None:
        self.summary.tables[self.source.name].add(outcome)
        if outcome.status == Did.FAILED:
            self.summary.failures.append(f"{self.source.name}: {outcome.key}: {outcome.error}")
        self.report.done(outcome)


@contextmanager
def _alone() -> Iterator[None]:
    """One load at a time on this machine; Spark itself knows no lock.

    Raises:
        UsageError: another one runs.
    """
    folder = local_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "spark-load.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError("another `journey load --engine spark` runs: wait for its end") from error
        yield
