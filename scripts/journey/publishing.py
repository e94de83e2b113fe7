"""`journey publish`: what readers see of what is built, by the macros in macros/publishing."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from journey.building import target_of, turn
from journey.dbt import folders
from journey.embedded import use_embedded
from journey.errors import JourneyError


def publish(arguments: Sequence[str], *, root: Path, breaking: bool = False) -> int:
    """Let readers see what is built, if it has passed its tests.

    Args:
        arguments: dbt's own, such as `--target`.
        root: the project's folder.
        breaking: though a column that readers have goes or gets another type.

    Returns:
        The exit status.

    Raises:
        JourneyError: a build runs, or it can't be done.
    """
    return _operation("publish_marts", arguments, root, {"breaking": breaking})


def roll_back(arguments: Sequence[str], *, root: Path, to: int | None = None) -> int:
    """Let readers see an earlier publication.

    Args:
        arguments: dbt's own, such as `--target`.
        root: the project's folder.
        to: its number; the one before the current one if None.

    Returns:
        The exit status.

    Raises:
        JourneyError: a build runs, or it can't be done.
    """
    return _operation("roll_back", arguments, root, {"to": to})


def list_publications(arguments: Sequence[str], *, root: Path) -> int:
    """Print the publications that are kept, newest first.

    Args:
        arguments: dbt's own, such as `--target`.
        root: the project's folder.

    Returns:
        The exit status.
    """
    use_embedded()
    return _invoke("list_publications", arguments, root, {})


def _operation(macro: str, arguments: Sequence[str], root: Path, values: dict[str, object]) -> int:
    use_embedded()
    with turn(root, target_of(arguments)):
        return _invoke(macro, arguments, root, values)


def _invoke(macro: str, arguments: Sequence[str], root: Path, values: dict[str, object]) -> int:
    from dbt.cli.main import dbtRunner

    told: list[str] = []

    def listen(event: Any) -> None:
        if event.info.name == "PrintEvent":
            click.echo(event.info.msg)
        elif event.info.name == "RunningOperationCaughtError":
            told.append(str(event.data.exc))

    command = ["--log-level", "none", "run-operation", macro, "--args", json.dumps(values), *folders(root), *arguments]
    result = dbtRunner(callbacks=[listen]).invoke(command)
    if result.exception is not None:
        raise JourneyError(" ".join(str(result.exception).split()))
    if told:  # dbt says what kind of error it is before, and in which macros after
        raise JourneyError(" ".join(re.split(r"\s+> in macro ", told[0])[0].split("\n  ", 1)[-1].split()))
    return 0 if result.success else 1
