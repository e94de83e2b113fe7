"""What a load says while it works: a progress bar on a terminal, lines for people, or JSON lines for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from journey.text import shown, shown_json

if TYPE_CHECKING:
    from rich.progress import Progress

    from journey.loader.ledger import TableStatus
    from journey.loader.outcome import Outcome, Summary


class Report(ExitStack):
    """Says nothing. A load enters it while it works."""

    def planned(self, files: int, size: int) -> None:
        """So many files, so many bytes are to be loaded."""

    def progress(self, size: int) -> None:
        """So many more bytes have come; called from several threads."""

    def done(self, outcome: Outcome) -> None:
        """A file is done."""

    def said(self, event: str, message: str, **fields: Any) -> None:
        """Something that a person should know."""


class TextReport(Report):
    """One line for each file that failed, was refused in part or drifted; a bar on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._files, self._done, self._rows = 0, 0, 0
        self._bar: Progress | None = None

    def planned(self, files: int, size: int) -> None:
        self._files = files
        if sys.stderr.isatty():  # elsewhere rich isn't even imported
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
            columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
            self._bar = self.enter_context(Progress(*columns, console=console, transient=True))
            self._task = self._bar.add_task("loading", total=size)

    def progress(self, size: int) -> None:
        if self._bar:
            self._bar.advance(self._task, size)

    def done(self, outcome: Outcome) -> None:
        self._done += 1
        self._rows += outcome.rows
        if self._bar:
            what = f"{self._done:,} of {self._files:,} files, {self._rows:,} rows"
            self._bar.update(self._task, description=what, refresh=False)
        where = f"{outcome.source}: {outcome.key}"
        for change in outcome.changes:
            self.said("", f"{where}: {change.change} column {change.column!r}: {change.detail}")
        if outcome.status == "failed":
            self.said("", f"{where}: failed: {outcome.error}")
        elif outcome.rejected:
            refused = f"{outcome.rejected:,} rows refused (loader.rejected_rows), {outcome.rows:,} loaded"
            self.said("", f"{where}: {refused}")

    def said(self, event: str, message: str, **fields: Any) -> None:  # noqa: ARG002
        print(shown(message), file=sys.stderr)  # above the bar, where there is one: rich redirects standard error


class JsonReport(Report):
    """One JSON object a line: `time`, `event` and the event's own fields, which docs/loader.md lists."""

    def planned(self, files: int, size: int) -> None:
        self._write("planned", files=files, bytes=size)

    def done(self, outcome: Outcome) -> None:
        changes = [change._asdict() for change in outcome.changes]
        self._write("file", **{**asdict(outcome), "changes": changes, "seconds": round(outcome.seconds, 3)})

    def said(self, event: str, message: str, **fields: Any) -> None:
        self._write(event, message=message, **fields)

    def _write(self, event: str, **fields: Any) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        print(_json({"time": now, "event": event, **fields}), file=sys.stderr, flush=True)


def summary_lines(summary: Summary, *, as_json: bool) -> list[str]:
    """What a load did, for standard output.

    Args:
        summary: what `load` returns.
        as_json: one JSON object a line instead of a table.
    """
    if as_json:
        tables = [{"event": "table", **asdict(table)} for table in summary.tables.values()]
        planned = [
            {"event": "plan", "source": source, "key": action.file.key, "action": action.kind, "reason": action.reason}
            for source, action in summary.actions
        ]
        end = {"event": "end", "run_id": summary.run_id, "failures": summary.failures, "seconds": summary.seconds,
               "exit_status": summary.exit_status}  # fmt: skip
        return [_json(item) for item in (*planned, *tables, end)]
    if summary.actions:
        return [
            shown(f"{action.kind:<8} {source:<28} {action.file.key}  ({action.file.size:,} bytes; {action.reason})")
            for source, action in summary.actions
        ]
    busy = [table for table in summary.tables.values() if table.files or table.failed or table.removed]
    rows = [(table.source, table.files, table.rows, table.rejected, table.failed, table.removed) for table in busy]
    lines = _table(("table", "files", "rows", "rejected", "failed", "removed"), rows) if rows else []
    total, skipped = (sum(getattr(t, name) for t in summary.tables.values()) for name in ("rows", "skipped"))
    return [*lines, f"{total:,} rows loaded in {summary.seconds:.1f} s; {skipped:,} files were loaded before"]


def status_lines(tables: Mapping[str, TableStatus]) -> list[str]:
    """How tables stand, for standard output."""
    rows = [
        (name, table.files, table.delivered, table.rows, table.rejected, table.waived, table.withheld,
         len(table.failed), _age(table.lag_seconds), table.newest_key)
        for name, table in tables.items()
    ]  # fmt: skip
    head = ("table", "files", "delivered", "rows", "rejected", "waived", "withheld", "failed", "lag", "newest file")
    lines = _table(head, rows) if rows else ["no feed is declared yet"]
    for name, table in tables.items():
        lines += [shown(f"failed: {name}: {key}: {error}") for key, error in table.failed]
        lines += [shown(f"settled: {name}: {key}: {reason}") for key, reason in table.settled]
        for kind, column, detail, closed_at in sorted(table.changes, key=lambda drift: drift.closed_at is not None):
            state = f"drift, over since {closed_at:%Y-%m-%d %H:%M}Z" if closed_at else "drift"
            lines.append(shown(f"{state}: {name}: {kind} column {column!r}: {detail}"))
    return lines


def _json(item: Mapping[str, Any]) -> str:
    return shown_json(json.dumps(item, ensure_ascii=False))


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    cells = [
        [f"{cell:,}" if isinstance(cell, int) else shown(str(cell or "-")) for cell in row] for row in (head, *rows)
    ]
    numeric = [all(isinstance(cell, int) for cell in column) for column in zip(*rows, strict=True)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = [">" if right else "<" for right in numeric]
    layout = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    return [layout.format(*row).rstrip() for row in cells]


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    days, hours, minutes = int(seconds // 86_400), int(seconds // 3_600 % 24), int(seconds // 60 % 60)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
