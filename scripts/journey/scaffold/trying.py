"""A file read by the loader's own reader, all columns as texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from journey.loader.declaration.options import make
from journey.loader.errors import FileRefusedError
from journey.loader.formats import File, options_of, reader
from journey.loader.formats.contract import Refused
from journey.loader.values.meaning import Column, Meaning

MOST_ROWS = 10_000  # of a file
NO_NULLS = Meaning(null_values=())


@dataclass
class Trial:
    """What became of it.

    Attributes:
        options: that it was read with.
        names: of its fields.
        columns: the good rows' values, by field.
        refused: the rows that weren't read.
        error: why it wasn't read at all; "" if it was.
        is_whole: it was read to its end.
    """

    options: dict[str, Any]
    names: list[str] = field(default_factory=list)
    columns: list[list[str | None]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    error: str = ""
    is_whole: bool = True

    @property
    def rows(self) -> int:
        """Good rows."""
        return len(self.columns[0]) if self.columns else 0


def trial(
    file: File,
    file_format: str,
    options: Mapping[str, Any],
    declared: Sequence[str] = (),
    *,
    kind: str = "text",
    most: int = MOST_ROWS,
    nulls: Sequence[str] = ("",),
) -> Trial:
    """Read a file with some options, its columns as texts.

    Args:
        file: what to read.
        file_format: its format.
        options: of the format.
        declared: names of the columns, for files that name none.
        kind: type that values are read as: text, or json, which keeps what JSON has.
        most: rows that are read.
        nulls: texts that are null in delimited files.
    """
    done = Trial(dict(options))
    meaning = Meaning(null_values=tuple(nulls)) if file_format == "csv" else NO_NULLS
    columns = [Column(name, kind, meaning) for name in declared]
    try:
        kept: Any = make(options_of(file_format), options)
        one = reader(file_format)(file, kept, columns, max_columns=2000)
        names = one.names(scan=True)
        done.names = names or []
        done.columns = [[] for _ in done.names]
        if not done.names:
            done.error = "it has no row"
            return done
        for batch in one.read([Column(name or f"column_{i}", kind, meaning) for i, name in enumerate(done.names, 1)]):
            done.refused += batch.refused
            for values, array in zip(done.columns, batch.arrays, strict=False):
                values += array.to_pylist()
            if done.rows + len(done.refused) >= most:
                done.is_whole = False
                break
    except (FileRefusedError, ValueError) as error:
        done.error = str(error)
    return done


def count_of_fields(refused: Refused) -> int:
    """How many fields a row has that was refused for it; 0 if that isn't why."""
    found = re.match(r"(\d+) fields? between", refused.reason)
    return int(found[1]) if found else 0
