"""One try at one file: its rows and its ledger row, in one transaction."""

from __future__ import annotations

import hashlib
from contextlib import closing, nullcontext
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from journey.loader import ledger
from journey.loader.columns import Change
from journey.loader.copying import BlamedRowError, copy, good_rows
from journey.loader.declaration.paths import columns_of_key
from journey.loader.declaration.sources import Source
from journey.loader.forgotten import Forgotten
from journey.loader.formats import UnknownFieldError
from journey.loader.outcome import Outcome
from journey.loader.plan import Action
from journey.loader.reading import Fitted, Reading
from journey.loader.rejects import Rejects
from journey.loader.s3.file import S3File
from journey.loader.s3.listing import Listed
from journey.loader.s3.objects import CHUNK
from journey.loader.statuses import ChangeKind, Did, FileStatus

if TYPE_CHECKING:
    from journey.loader.ledger import Taken
    from journey.loader.worker import Worker


class Attempt:
    """One try at one file."""

    def __init__(self, worker: Worker, source: Source, action: Action) -> None:
        """Prepare."""
        self._worker, self._connection = worker, worker.connection
        self.source, self._action, self._file = source, action, action.file
        self._begun = datetime.now(timezone.utc)
        self._changes: list[Change] = []
        self._object = worker.object(source, action)
        self._digest: str | None = None
        self._blamed: dict[int, tuple[str | None, str]] = {}

    def run(self) -> Outcome:
        """Load the file; or take it out of its table, or settle its failure.

        Raises:
            JourneyError: it can't be loaded. Nothing of it is.
            psycopg.Error: PostgreSQL has a trouble that isn't the file's.
        """
        if self._action.kind == "remove":
            return self._remove()
        if self._action.kind == "settle":
            ledger.settle(self._connection, {self._action.loaded_id or 0: self._action.reason})
            return self.outcome(Did.SETTLED, error=self._action.reason)
        with self._worker.arrow if self._file.size > CHUNK else nullcontext():
            if self.source.options.deduplicate == "content":
                self._digest = self._hashed()
            scan = False
            while True:
                try:
                    return self._load(scan=scan)
                except UnknownFieldError:
                    scan = True
                except BlamedRowError as error:
                    self._blamed[error.row] = (error.column, error.reason)

    def reading(self) -> Reading:
        """The file, opened.

        Raises:
            FileRefusedError: it isn't of its format, or its key isn't what is declared.
        """
        key = self._file.key
        from_key = columns_of_key(self.source.options, self.source.pattern, key)
        return Reading(self.source, S3File(self.source, key, self._object).members(), from_key)

    def entry(self, taken: Taken, **fields: Any) -> tuple[Listed, dict[str, Any]]:
        """The file's ledger row."""
        fields |= {"file_id": taken.file_id, "run_id": self._worker.run_id, "started_at": self._begun}
        return self._file, {"version_id": self._object.version_id, **fields}

    def outcome(self, status: Did, **more: Any) -> Outcome:
        """What became of the file."""
        seconds = (datetime.now(timezone.utc) - self._begun).total_seconds()
        return Outcome(
            self.source.name, self._file.key, status, bytes=self._file.size, seconds=seconds,
            resumed=self._object.resumed, changes=tuple(self._changes), **more,
        )  # fmt: skip

    def _load(self, *, scan: bool) -> Outcome:
        reading = self.reading()
        fitted = self._fitted(reading, scan=scan)
        with closing(Rejects(self.source.options.max_reject_rate)) as rejects, self._connection.transaction():
            taken = self._take()
            if passed := self._passed_over(taken):
                return passed
            rows = self._copy(reading, fitted, rejects, self._worker.forgotten(self.source, taken.forgotten))
            rejects.check(rows, fitted.columns)
            ledger.write_rejected(self._connection, taken.file_id, rejects.rows())
            self._note(reading.missing())
            names = reading.names if rejects.count else None
            counts = {"row_count": rows, "rejected_count": rejects.count, "withheld_count": rejects.withheld}
            counts["delivered_count"] = rejects.delivered
            self._enter(taken, status=FileStatus.LOADED, field_names=names, **counts)
            status = Did.REPLACED if taken.loaded_id else Did.LOADED
            return self.outcome(status, rows=rows, rejected=rejects.count)

    def _copy(self, reading: Reading, fitted: Fitted, rejects: Rejects, forgotten: Forgotten | None) -> int:
        if fitted.is_empty:
            return 0
        ahead = self._file.size > CHUNK  # small files are many: other threads are busy meanwhile
        table = self.source.schema, self.source.table
        return copy(
            self._connection, table, reading, fitted, self._worker.judge, rejects, self._blamed, ahead=ahead,
            forgotten=forgotten,
        )  # fmt: skip

    def _fitted(self, reading: Reading, *, scan: bool) -> Fitted:
        """How the file fits its table, after adding columns that the table doesn't have.

        A file that would be refused adds none: it is read once before. The table isn't locked meanwhile.
        """
        fitted = reading.fit(self._worker.columns(self.source), scan=scan)
        if fitted.new:
            with closing(Rejects(self.source.options.max_reject_rate)) as rejects:
                rows = 0
                for batch in good_rows(reading.batches(fitted, self._worker.judge), rejects, self._blamed):
                    rows += len(batch.arrays[0]) if batch.arrays else 0
                rejects.check(rows, fitted.columns)
            self._worker.add_columns(self.source, fitted.new)
            self._note([change for change in fitted.changes if change.change in (ChangeKind.NEW, ChangeKind.RENAMED)])
            fitted = reading.fit(self._worker.columns(self.source), scan=scan)
        self._note(fitted.changes)
        return fitted

    def _note(self, changes: list[Change]) -> None:
        """Record drift; it stays recorded if the file then fails."""
        new = [change for change in changes if change not in self._changes]
        if new:
            self._changes += new
            ledger.record_changes(self._connection, self.source, self._file.key, new)

    def _passed_over(self, taken: Taken) -> Outcome | None:
        """Why the file isn't loaded now, if so."""
        if not taken.is_ours:
            return self.outcome(Did.BUSY, error="another run is loading it")
        if taken.loaded_id != self._action.loaded_id and taken.loaded_etag == self._file.etag:
            # If it was us: the connection broke while it told us that our transaction was committed.
            if ours := ledger.loaded_by(self._connection, taken.loaded_id, self._worker.run_id):
                return self.outcome(Did.LOADED, rows=ours[0], rejected=ours[1])
            return self.outcome(Did.SKIPPED, error="another run has loaded it")
        twin = ledger.same_content(self._connection, self.source, self._digest, self._file.key)
        if twin is None:
            return None
        self._enter(taken, status=FileStatus.DUPLICATE, duplicate_of=twin)
        return self.outcome(Did.DUPLICATE, error=f"same content as file_id {twin}")

    def _remove(self) -> Outcome:
        with self._connection.transaction():
            taken = self._take()
            if not taken.is_ours:
                return self.outcome(Did.BUSY, error="another run is loading it")
            if taken.loaded_id is not None:
                ledger.remove_rows(self._connection, self.source, taken.loaded_id, FileStatus.REMOVED)
        return self.outcome(Did.REMOVED)

    def _enter(self, taken: Taken, **fields: Any) -> None:
        """Take the old version's rows out and write the ledger row."""
        if taken.loaded_id is not None:
            ledger.remove_rows(self._connection, self.source, taken.loaded_id, FileStatus.REPLACED)
        ledger.write(self._connection, self.source, [self.entry(taken, content_hash=self._digest, **fields)])

    def _take(self) -> Taken:
        return ledger.take(self._connection, self.source, [self._file.key])[self._file.key]

    def _hashed(self) -> str:
        digest = hashlib.sha256()
        for chunk in self._object.chunks():
            digest.update(chunk)
        return digest.hexdigest()
