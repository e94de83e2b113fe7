"""`journey publish`: what readers see of what is built, by the macros in macros/publishing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from journey.building import target_of, turn
from journey.dbt import operation
from journey.embedded import use_embedded


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
    return 0 if operation(macro, values, arguments, root=root, say=click.echo) else 1
