"""Which field of a file goes into which column of its raw table, and how the file differs from what is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from journey.loader.errors import FileRefusedError
from journey.loader.sources import FILE_ID, IDENTIFIER_BYTES, Source


@dataclass(frozen=True)
class TableColumn:
    """A column of a raw table, as PostgreSQL has it: its name, its type in words, by oid, and the type's modifier."""

    name: str
    type: str
    oid: int = 25
    modifier: int = -1


@dataclass(frozen=True)
class Change:
    """One way in which a file or a table differs from what is declared.

    Attributes:
        kind: new, missing, renamed, reordered or type.
        column: the column.
        detail: what a person should know.
    """

    kind: str
    column: str
    detail: str


@dataclass(frozen=True)
class Match:
    """How a file's fields meet the table's columns.

    Attributes:
        targets: column of the table for each field, in the file's order.
        new: those of them that the table doesn't have yet; they come as text.
        changes: what to record.
    """

    targets: tuple[str, ...]
    new: tuple[str, ...]
    changes: tuple[Change, ...]


def match_columns(source: Source, table: Sequence[str], names: Sequence[str]) -> Match:
    """Match a file's field names with a table's columns: by name, whatever the order, whatever the case.

    Args:
        source: what is declared.
        table: columns that the table has.
        names: the file's field names, in its order.

    Raises:
        FileRefusedError: a name is empty, comes twice or is the loader's own; a key column is missing; nothing matches.
    """
    known = [name for name in table if name != FILE_ID]
    targets: list[str] = []
    for position, name in enumerate((name.strip() for name in names), 1):
        target = _target(name, known)
        if not target:
            raise FileRefusedError(f"column {position} of {len(names)} has no name")
        if "\0" in target:
            raise FileRefusedError(f"the name of column {position} of {len(names)} has a NUL byte")
        if target == FILE_ID:
            raise FileRefusedError(f"a column is called {FILE_ID}, which is the loader's own")
        if target in targets:
            raise FileRefusedError(f"two columns are called {target!r}")
        targets.append(target)
    missing = [name for name in source.columns if name not in targets]
    keys = [name for name in source.options.key_columns if name in missing]
    if keys:
        raise FileRefusedError(f"key column {keys[0]!r} is missing")
    if len(missing) == len(source.columns):
        raise FileRefusedError(f"none of the declared columns is there, but {', '.join(map(repr, targets[:5]))}")
    new = [name for name in targets if name not in known]
    return Match(tuple(targets), tuple(new), tuple(_changes(source, targets, new, missing)))


def _target(name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    same = [column for column in known if column.lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    return name.encode(errors="replace")[:IDENTIFIER_BYTES].decode(errors="ignore")


def _changes(source: Source, targets: list[str], new: list[str], missing: list[str]) -> list[Change]:
    declared = list(source.columns)
    changes = [Change("new", name, "added to the table as text; declare it to give it its type") for name in new]
    for name in missing:
        changes.append(Change("missing", name, "loaded as null"))
        position = declared.index(name)
        if position < len(targets) and targets[position] in new:
            changes.append(Change("renamed", name, f"perhaps to {targets[position]!r}, which is in its place"))
    present = [name for name in targets if name in source.columns]
    in_order = [name for name in declared if name in targets]
    if source.format == "csv" and present != in_order:
        first = next(found for found, expected in zip(present, in_order, strict=True) if found != expected)
        changes.append(Change("reordered", first, f"order in the file: {', '.join(targets)}"))
    return changes
