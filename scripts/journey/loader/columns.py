"""Which field of a file goes into which column of its raw table, and how the file differs from what is declared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

from journey.loader.declaration.sources import FILE_ID, IDENTIFIER_BYTES, Source
from journey.loader.errors import FileRefusedError

INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"), None) | {0xA0: " "}

CONTROLS = re.compile("[\x80-\x9f]")  # of ISO 8859, which no text has; Windows has signs and quotes in their place
HEADERS = {  # what finds another header
    "csv": "header, skip_rows, delimiter and encoding",
    "xlsx": "sheet, skip_rows and range",
}


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


class Matched(NamedTuple):
    """How a file's fields go into a table.

    Attributes:
        targets: the table's column for each field; None for a field that is ignored.
        new: columns that the table must get first.
        changes: how the file differs from what is declared.
    """

    targets: list[str | None]
    new: list[str]
    changes: list[Change]


def match_columns(
    source: Source, table: Sequence[str], names: Sequence[str], from_key: Collection[str] = ()
) -> Matched:
    """Match a file's field names with a table's columns: by name, whatever the order, whatever the case.

    Blanks around a name, invisible characters in it, and how its accents are composed make no difference.

    Args:
        source: what is declared.
        table: columns that the table has.
        names: the file's field names, in its order.
        from_key: columns that the object's key fills.

    Raises:
        FileRefusedError: a name is empty, comes twice, is the loader's own or the key's; a policy refuses what is new
            or missing; a key column is missing; nothing matches.
    """
    known = [name for name in table if name != FILE_ID]
    found: list[str] = []
    for position, name in enumerate(names, 1):
        target = _target(name, known)
        if not target or "\0" in target:
            raise FileRefusedError(f"column {position} of {len(names)} has {'a NUL in its' if target else 'no'} name")
        if target == FILE_ID:
            raise FileRefusedError(f"a column is called {FILE_ID}, which is the loader's own")
        if target in found:
            raise FileRefusedError(f"two columns are called {target!r} (CSV: header_names: number tells them apart)")
        if target in from_key:
            raise FileRefusedError(f"column {target!r} is in the file, and its key fills it")
        found.append(target)
    missing = [name for name in source.columns if name not in found and name not in from_key]
    if len(missing) == len([name for name in source.columns if name not in from_key]):
        said = ", ".join(map(repr, found[:5]))
        remedy = f"; if that isn't its header, see {HEADERS[source.format]}" if source.format in HEADERS else ""
        if source.format == "csv" and found[0].startswith(("{", "[{")):
            remedy = ": it looks like JSON, which file_format: jsonl reads"
        raise FileRefusedError(f"none of the declared columns is there, but {said}{remedy}")
    check_missing(source, missing)
    new = [name for name in found if name not in known]
    unknown = [name for name in found if name not in source.columns] if source.options.new_columns != "add" else []
    if unknown and source.options.new_columns == "refuse":
        raise FileRefusedError(f"column {unknown[0]!r} isn't declared, and new_columns is refuse")
    ignored = unknown if source.options.new_columns == "ignore" else []
    targets = [None if name in ignored else name for name in found]
    added = [name for name in new if name not in ignored]
    return Matched(targets, added, _changes(source, found, added, missing))


def check_missing(source: Source, missing: Sequence[str]) -> None:
    """Refuse a file that lacks a column that it must have.

    Raises:
        FileRefusedError: it does.
    """
    for name in source.options.key_columns:
        if name in missing:
            raise FileRefusedError(f"key column {name!r} is missing")
    if missing and source.options.missing_columns == "refuse":
        raise FileRefusedError(f"column {missing[0]!r} is missing, and missing_columns is refuse")


def same_name(name: str) -> str:
    """A field's name as it is compared, but for its case."""
    return unicodedata.normalize("NFC", name.translate(INVISIBLE)).strip()


def _target(name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    plain = same_name(name)
    same = [column for column in known if same_name(column).lower() == plain.lower()]
    if plain in known or len(same) != 1:
        return plain.encode(errors="replace")[:IDENTIFIER_BYTES].decode(errors="ignore")
    return same[0]


def _what_to_do(name: str) -> str:
    """What to do about a field that nobody declared."""
    meant = CONTROLS.sub(lambda sign: sign[0].encode("latin-1").decode("windows-1252", "replace"), name)
    if meant != name:
        return f"in windows-1252 it is {meant!r} (encoding): then reload the files"
    return "declare it to give it its type"


def _changes(source: Source, found: list[str], new: list[str], missing: list[str]) -> list[Change]:
    declared = list(source.columns)
    changes = [Change("new", name, f"added to the table as text; {_what_to_do(name)}") for name in new]
    for name in missing:
        changes.append(Change("missing", name, "loaded as null"))
        position = declared.index(name)
        if position < len(found) and found[position] in new:
            changes.append(Change("renamed", name, f"perhaps to {found[position]!r}, which is in its place"))
    present = [name for name in found if name in source.columns]
    moved = [name for name, usual in zip(present, (n for n in declared if n in found), strict=True) if name != usual]
    if source.format in HEADERS and moved:
        changes.append(Change("reordered", moved[0], f"order in the file: {', '.join(found)}"))
    return changes
