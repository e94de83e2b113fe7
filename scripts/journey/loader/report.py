"""What a load says while it works: a progress bar on a terminal, lines for people, or JSON lines for machines."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journey.loader.onefile import Outcome
    from journey.loader.run import Summary
    from journey.loader.status import TableStatus


class Report:
    """Says nothing."""

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to tidy up."""

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

    def __init__(self, stream: IO[str] | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=stream or sys.stderr, soft_wrap=True, highlight=False, markup=False)
        self._console, self._lock = console, threading.Lock()
        self._files, self._done, self._rows = 0, 0, 0
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("loading", total=None)

    def __enter__(self) -> TextReport:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def planned(self, files: int, size: int) -> None:
        self._files = files
        self._bar.update(self._task, total=size)

    def progress(self, size: int) -> None:
        self._bar.advance(self._task, size)

    def done(self, outcome: Outcome) -> None:
        with self._lock:
            self._done += 1
            self._rows += outcome.rows
        self._bar.update(
            self._task, description=f"{self._done:,} of {self._files:,} files, {self._rows:,} rows", refresh=False
        )
        for line in lines_for(outcome):
            self._console.print(line)

    def said(self, event: str, message: str, **fields: Any) -> None:  # noqa: ARG002
        self._console.print(message)


class JsonReport(Report):
    """One JSON object a line: `time`, `event` and the event's own fields, which docs/loader.md lists."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream, self._lock = stream or sys.stderr, threading.Lock()

    def planned(self, files: int, size: int) -> None:
        self._write("planned", files=files, bytes=size)

    def done(self, outcome: Outcome) -> None:
        self._write(
            "file", source=outcome.source, key=outcome.key, status=outcome.status, rows=outcome.rows,
            rejected=outcome.rejected, bytes=outcome.size, seconds=round(outcome.seconds, 3), careful=outcome.careful,
            resumed=outcome.resumed, error=outcome.error,
            changes=[{"change": c.kind, "column": c.column, "detail": c.detail} for c in outcome.changes],
        )  # fmt: skip

    def said(self, event: str, message: str, **fields: Any) -> None:
        self._write(event, message=message, **fields)

    def _write(self, event: str, **fields: Any) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


def lines_for(outcome: Outcome) -> Sequence[str]:
    """What a person should know about a file; nothing if all is well."""
    where = f"{outcome.source}: {outcome.key}"
    found = [f"{where}: {change.kind} column {change.column!r}: {change.detail}" for change in outcome.changes]
    if outcome.status == "failed":
        found.append(f"{where}: failed: {outcome.error}")
    elif outcome.rejected:
        found.append(f"{where}: {outcome.rejected:,} rows refused (loader.rejected_rows), {outcome.rows:,} loaded")
    return found


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
        return [json.dumps(item, ensure_ascii=False) for item in (*planned, *tables, end)]
    if summary.actions:
        return [
            f"{action.kind:<8} {source:<28} {action.file.key}  ({action.file.size:,} bytes; {action.reason})"
            for source, action in summary.actions
        ]
    busy = [table for table in summary.tables.values() if table.files or table.failed or table.removed]
    skipped = sum(table.skipped for table in summary.tables.values())
    rows = [(table.source, table.files, table.rows, table.rejected, table.failed, table.removed) for table in busy]
    lines = _table(("table", "files", "rows", "rejected", "failed", "removed"), rows) if rows else []
    total = sum(table.rows for table in busy)
    return [*lines, f"{total:,} rows loaded in {summary.seconds:.1f} s; {skipped:,} files were loaded before"]


def status_lines(tables: Sequence[TableStatus]) -> list[str]:
    """How tables stand, for standard output."""
    rows = [
        (t.source, t.files, t.rows, t.rejected, len(t.failed), _age(t.lag_seconds), t.newest_key or "-") for t in tables
    ]
    lines = _table(("table", "files", "rows", "rejected", "failed", "lag", "newest file"), rows)
    for table in tables:
        lines += [f"failed: {table.source}: {key}: {error}" for key, error in table.failed]
        lines += [f"drift: {table.source}: {kind} column {name!r}: {detail}" for kind, name, detail in table.changes]
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    numeric = [all(isinstance(row[column], int) for row in rows) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    ]


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    days, hours, minutes = int(seconds // 86_400), int(seconds // 3_600 % 24), int(seconds // 60 % 60)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
