"""One file as its table's rows: its format's reader, matched with the table, and the columns that its key fills.

An archive's members are read one after the other, each by a reader of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from journey.loader.columns import Change, Matched, check_missing, match_columns
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.errors import FileRefusedError
from journey.loader.formats import Batch, File, Reader, Refused, Unknown, reader
from journey.loader.judging import Judge
from journey.loader.statuses import ChangeKind
from journey.loader.values.kinds import arrow_type
from journey.loader.values.meaning import Column
from journey.loader.values.text import nulled, parse

UNKNOWN: dict[str, Unknown] = {"add": "raise", "ignore": "ignore", "refuse": "refuse"}


@dataclass(frozen=True)
class Fitted:
    """What a file brings to its table.

    Attributes:
        targets: for each member, a column, or None, for each of the reader's fields.
        columns: the columns of the batches, in order; those that the key fills come last.
        constants: the value of each of these last, as an array of one.
        new: columns that the table must get first.
        changes: how the file differs from what is declared.
        is_empty: it hasn't a byte.
    """

    targets: list[list[Column | None]]
    columns: list[Column]
    constants: list[pa.Array]
    new: list[str]
    changes: list[Change]
    is_empty: bool = False


class Reading:
    """A file that is being read. It may be read several times."""

    def __init__(
        self, source: Source, members: Sequence[File], from_key: Mapping[str, str | None], options: Any = None
    ) -> None:
        """Open it.

        Args:
            source: what is declared.
            members: the object; of an archive, its members.
            from_key: texts that its key says, by column.
            options: of the format, in place of the declared ones.

        Raises:
            FileRefusedError: it isn't of its format.
        """
        self._source, self._from_key, self._members = source, from_key, members
        self.names: list[str] | None = None  # of the fields, if it is one file that says them
        declared = [source.column(name, kind) for name, kind in source.columns.items() if name not in from_key]
        unknown = UNKNOWN[source.options.new_columns]
        kind = reader(source.format)
        self._readers: list[Reader] = [
            kind(
                file,
                options or source.format_options,
                declared,
                max_columns=source.options.max_columns,
                unknown=unknown,
            )
            for file in members
        ]

    def fit(self, table: Sequence[Column], *, scan: bool = False) -> Fitted:
        """Match the file with its table.

        Args:
            table: the columns that it has; new ones are taken for text.
            scan: let the readers read whole files for their names.

        Raises:
            FileRefusedError: it doesn't fit.
        """
        by_name = {column.name: column for column in table if column.name != FILE_ID}
        constants = {name: self._constant(name, text, by_name) for name, text in self._from_key.items()}
        targets: list[list[Column | None]] = []
        new, changes = dict[str, None](), dict[Change, None]()
        for one in self._readers:
            found, matched = self._fit_one(one, by_name, constants, scan=scan)
            targets.append(found)
            new.update(dict.fromkeys(matched.new))
            changes.update(dict.fromkeys(matched.changes))
        columns = dict.fromkeys(column for found in targets for column in found if column is not None)
        keyed = [by_name[name] for name in constants]
        return Fitted(
            targets, [*columns, *keyed], list(constants.values()), list(new), list(changes), is_empty=not columns
        )

    def missing(self) -> list[Change]:
        """What readers that don't know their names beforehand know afterwards: columns that never came.

        Raises:
            FileRefusedError: one of them must be there.
        """
        never = [set(one.missing) for one in self._readers]
        missing = [name for name in self._source.columns if all(name in names for names in never)]
        check_missing(self._source, missing)
        return [Change(ChangeKind.MISSING, name, "loaded as null") for name in missing]

    def batches(self, fitted: Fitted, judge: Judge) -> Iterator[Batch]:
        """The file's rows; those that PostgreSQL would refuse are refused already."""
        plain = fitted.columns[: len(fitted.columns) - len(fitted.constants)]
        for one, file, targets in zip(self._readers, self._members, fitted.targets, strict=True):
            here = [column for column in targets if column is not None]
            for batch in one.read(targets) if here else ():
                rows = len(batch.arrays[0]) if batch.arrays else 0
                if rows:
                    arrays = _in_order(batch.arrays, here, plain, rows)
                    batch = replace(batch, arrays=arrays + [_repeated(value, rows) for value in fitted.constants])
                    batch = without(batch, judge.refuse(batch.arrays, fitted.columns))
                yield _of_member(batch, getattr(file, "member", None))

    def _fit_one(
        self, one: Reader, by_name: Mapping[str, Column], constants: Mapping[str, pa.Array], *, scan: bool
    ) -> tuple[list[Column | None], Matched]:
        names = one.names(scan=scan)
        self.names = names if len(self._readers) == 1 else None
        if names == []:
            return [], Matched([], [], [])
        if names is None:
            known = by_name if self._source.options.new_columns == "add" else self._source.columns
            return [by_name[name] for name in known if name not in constants], Matched([], [], [])
        matched = match_columns(self._source, list(by_name), names, constants)
        columns = {**by_name, **{name: self._source.column(name, "text") for name in matched.new}}
        return [None if name is None else columns[name] for name in matched.targets], matched

    def _constant(self, name: str, text: str | None, by_name: Mapping[str, Column]) -> pa.Array:
        column = by_name.get(name)
        if column is None:
            raise FileRefusedError(f"its key says {name}, which is not a declared column")
        value, refused = parse(nulled(pa.array([text], pa.string()), column.meaning), column)
        if refused:
            raise FileRefusedError(f"column {name} of its key: {refused[0]}")
        return value


def without(batch: Batch, refused: Mapping[int, tuple[str | None, str]]) -> Batch:
    """A batch without some of its rows, which are refused.

    Args:
        batch: the rows.
        refused: column and reason, by row.
    """
    if not refused:
        return batch
    keep = np.ones(len(batch.arrays[0]), bool)
    keep[list(refused)] = False
    rows = np.flatnonzero(keep)
    more = [
        Refused(line, column, reason, raw)
        for (line, raw), (column, reason) in ((batch.origin(row), why) for row, why in sorted(refused.items()))
    ]
    origin: Callable[[int], tuple[int, bytes | str]] = lambda row: batch.origin(int(rows[row]))  # noqa: E731
    arrays = [array.filter(pa.array(keep)) for array in batch.arrays]
    return Batch(arrays, [*batch.refused, *more], origin)


def _in_order(arrays: list[pa.Array], here: list[Column], wanted: list[Column], rows: int) -> list[pa.Array]:
    """A member's arrays as all members' columns; nulls for those that it lacks."""
    if here == wanted:
        return arrays
    by_column = dict(zip(here, arrays, strict=True))
    return [by_column[column] if column in by_column else pa.nulls(rows, arrow_type(column)) for column in wanted]


def _repeated(value: pa.Array, rows: int) -> pa.Array:
    return pa.repeat(value[0], rows) if value[0].is_valid else pa.nulls(rows, value.type)


def _of_member(batch: Batch, member: str | None) -> Batch:
    """A batch whose refusals say of which member of an archive they are."""
    if member is None or not batch.refused:
        return batch
    return replace(batch, refused=[one._replace(reason=f"{member}: {one.reason}") for one in batch.refused])
