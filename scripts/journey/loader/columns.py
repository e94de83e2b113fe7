"""Which field of a file goes into which column of its raw table, and how the file differs from what is declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from journey.loader.errors import FileRefusedError
from journey.loader.sources import FILE_ID, IDENTIFIER_BYTES, Source


class TableColumn(NamedTuple):
    """A column of a raw table as PostgreSQL has it: its name, its type in words, by oid, and the type's modifier."""

    name: str
    type: str
    oid: int = 25
    modifier: int = -1


class Change(NamedTuple):
    """One way in which a file or a table differs from what is declared.

    Attributes:
        change: new, missing, renamed, reordered or type.
        column: the column.
        detail: what a person should know.
    """

    change: str
    column: str
    detail: str


def match_columns(source: Source, table: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[Change]]:
    """Match a file's field names with a table's columns: by name, whatever the order, whatever the case.

    Args:
        source: what is declared.
        table: columns that the table has.
        names: the file's field names, in its order.

    Returns:
        The table's column for each field; how they differ. Columns that a change calls new aren't in the table yet.

    Raises:
        FileRefusedError: a name is empty, comes twice or is the loader's own; a key column is missing; nothing matches.
    """
    known = [name for name in table if name != FILE_ID]
    targets: list[str] = []
    for position, name in enumerate(names, 1):
        target = _target(name.strip(), known)
        if not target or "\0" in target:
            raise FileRefusedError(f"column {position} of {len(names)} has {'a NUL in its' if target else 'no'} name")
        if target == FILE_ID:
            raise FileRefusedError(f"a column is called {FILE_ID}, which is the loader's own")
        if target in targets:
            raise FileRefusedError(f"two columns are called {target!r}")
        targets.append(target)
    missing = [name for name in source.columns if name not in targets]
    check_keys(source, missing)
    if len(missing) == len(source.columns):
        raise FileRefusedError(f"none of the declared columns is there, but {', '.join(map(repr, targets[:5]))}")
    return targets, _changes(source, targets, [name for name in targets if name not in known], missing)


def check_keys(source: Source, missing: Sequence[str]) -> None:
    """Refuse a file that lacks a key column.

    Raises:
        FileRefusedError: it does.
    """
    for name in source.options.key_columns:
        if name in missing:
            raise FileRefusedError(f"key column {name!r} is missing")


def _target(name: str, known: Sequence[str]) -> str:
    same = [column for column in known if column.lower() == name.lower()]
    if name in known or len(same) != 1:
        return name.encode(errors="replace")[:IDENTIFIER_BYTES].decode(errors="ignore")
    return same[0]


def _changes(source: Source, targets: list[str], new: list[str], missing: list[str]) -> list[Change]:
    declared = list(source.columns)
    changes = [Change("new", name, "added to the table as text; declare it to give it its type") for name in new]
    for name in missing:
        changes.append(Change("missing", name, "loaded as null"))
        position = declared.index(name)
        if position < len(targets) and targets[position] in new:
            changes.append(Change("renamed", name, f"perhaps to {targets[position]!r}, which is in its place"))
    present = [name for name in targets if name in source.columns]
    moved = [name for name, usual in zip(present, (n for n in declared if n in targets), strict=True) if name != usual]
    if source.format == "csv" and moved:
        changes.append(Change("reordered", moved[0], f"order in the file: {', '.join(targets)}"))
    return changes
