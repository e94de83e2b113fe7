"""dbt in this process: one start-up for several steps, a progress bar, and failures that say which node and why."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from journey.embedded import use_embedded
from journey.errors import JourneyError

BUILT = ("model", "seed", "snapshot")
TESTED = ("test", "unit_test")
COUNTED = (*BUILT, "test")  # by dbt, when it says how much there is to do: no unit tests, and no hooks


@dataclass(frozen=True)
class Outcome:
    """What a dbt command did.

    Attributes:
        built: models, seeds and snapshots that were built.
        tested: data and unit tests that passed.
        warned: tests that warned.
        seconds: wall time.
    """

    built: int
    tested: int
    warned: int
    seconds: float


def run(
    arguments: Sequence[str], *, root: Path, title: str = "", listener: Callable[[Any], None] | None = None
) -> Outcome:
    """Run a dbt command in this process.

    Args:
        arguments: as on dbt's command line.
        root: the project's folder.
        title: what a progress bar on a terminal says; no bar if empty.
        listener: is told of dbt's events, too.

    Raises:
        JourneyError: dbt failed; the message has a line for each node that did.
    """
    from dbt.cli.main import dbtRunner  # two seconds, so only where dbt is needed

    use_embedded()
    os.environ.setdefault("DO_NOT_TRACK", "1")
    begun = time.monotonic()
    console = Console(stderr=True)
    columns = (
        TextColumn(title),
        BarColumn(bar_width=20),  # of 60 columns, the name keeps a part
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with Progress(
        *columns, console=console, expand=True, disable=not title or not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("", total=None)

        def listen(event: Any) -> None:
            data = event.data
            if event.info.name == "NodeFinished" and data.node_info.resource_type in COUNTED:
                bar.update(task, advance=1, description=data.node_info.node_name)
            elif event.info.name == "ConcurrencyLine":
                bar.update(task, total=data.node_count)

        callbacks = [listen, *([listener] if listener else [])]
        result = dbtRunner(callbacks=callbacks).invoke(["--quiet", "--no-use-colors", *arguments, *folders(root)])
    results = getattr(result.result, "results", None) or []
    if not result.success:
        raise JourneyError(_failures(arguments[0], result.exception, results))
    done = Counter(
        (entry.node.resource_type.value, str(entry.status)) for entry in results if hasattr(entry.node, "resource_type")
    )
    return Outcome(
        built=sum(count for (kind, status), count in done.items() if kind in BUILT and status == "success"),
        tested=sum(count for (kind, status), count in done.items() if kind in TESTED and status == "pass"),
        warned=sum(count for (kind, status), count in done.items() if kind in TESTED and status == "warn"),
        seconds=time.monotonic() - begun,
    )


def operation(
    macro: str, values: Mapping[str, object], arguments: Sequence[str] = (), *, root: Path, say: Callable[[str], object]
) -> bool:
    """Run a macro as a dbt operation.

    Args:
        macro: its name.
        values: its arguments.
        arguments: dbt's own, such as `--target`.
        root: the project's folder.
        say: is told each line that it prints.

    Returns:
        Whether dbt calls it a success.

    Raises:
        JourneyError: it can't be done; the message is the macro's, or the database's.
    """
    from dbt.cli.main import dbtRunner

    told: list[str] = []

    def listen(event: Any) -> None:
        if event.info.name == "PrintEvent":
            say(event.info.msg)
        elif event.info.name == "RunningOperationCaughtError":
            told.append(str(event.data.exc))

    command = ["--log-level", "none", "run-operation", macro, "--args", json.dumps(values), *folders(root), *arguments]
    result = dbtRunner(callbacks=[listen]).invoke(command)
    if result.exception is not None:
        raise JourneyError(" ".join(str(result.exception).split()))
    if told:  # dbt says what kind of error it is before, and in which macros after
        raise JourneyError(" ".join(re.split(r"\s+> in macro ", told[0])[0].split("\n  ", 1)[-1].split()))
    return bool(result.success)


def folders(root: Path) -> list[str]:
    """Where dbt finds the project and its profile, as it is told."""
    return ["--project-dir", str(root), "--profiles-dir", os.environ.get("DBT_PROFILES_DIR", str(root))]


def _failures(command: str, exception: BaseException | None, results: Sequence[Any]) -> str:
    """One line for each node that failed; what was skipped because of it is only counted."""
    if exception is not None:
        return f"dbt {command} failed: {' '.join(str(exception).split())}"
    failed = [entry for entry in results if str(entry.status) in ("error", "fail", "runtime error")]
    skipped = sum(str(entry.status) == "skipped" for entry in results)
    lines = [f"dbt {command} failed: {len(failed)} of {len(results)} nodes, {skipped} skipped because of them"]
    for entry in failed:
        said = " ".join(str(entry.message or "").split())[:400]
        lines.append(f"  {entry.node.resource_type.value} {entry.node.name} ({entry.node.original_file_path}): {said}")
    return "\n".join(lines)
