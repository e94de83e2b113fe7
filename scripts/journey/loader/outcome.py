"""What a load did: with a file, with a table, and all in all."""

from __future__ import annotations

from dataclasses import dataclass, field

from journey.loader.columns import Change
from journey.loader.plan import Action
from journey.loader.statuses import Did


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        source: `source.table`.
        key: of the object.
        status: what was done.
        rows: number of rows that its table now has of it.
        rejected: number of refused rows.
        bytes: size of the object.
        seconds: how long it took.
        resumed: how often its stream broke and went on.
        error: why it failed or was passed over.
        changes: drift that it showed.
    """

    source: str
    key: str
    status: Did
    rows: int = 0
    rejected: int = 0
    bytes: int = 0
    seconds: float = 0.0
    resumed: int = 0
    error: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass
class TableSummary:
    """What a load did for one table.

    Attributes:
        source: `source.table`.
        files: files whose rows came in, new or in place of an older version.
        rows: their rows.
        rejected: rows that were refused, in loaded and failed files.
        skipped: files that were passed over: loaded before, or the same content.
        busy: files that were in another run's hands.
        failed: files that were refused.
        removed: files whose rows were taken out.
        settled: failures that were over.
        bytes: size of the loaded objects.
        seconds: time spent on its files, over all threads.
    """

    source: str
    files: int = 0
    rows: int = 0
    rejected: int = 0
    skipped: int = 0
    busy: int = 0
    failed: int = 0
    removed: int = 0
    settled: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count a file."""
        came = outcome.status in (Did.LOADED, Did.REPLACED)
        self.files += came
        self.failed += outcome.status == Did.FAILED
        self.removed += outcome.status == Did.REMOVED
        self.settled += outcome.status == Did.SETTLED
        self.busy += outcome.status == Did.BUSY
        self.skipped += outcome.status in (Did.SKIPPED, Did.DUPLICATE)
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
        failures: one line for each file that failed and each source that couldn't be loaded.
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
