"""JSON files of some bytes, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from journey.loader.declaration.options import make
from journey.loader.formats import reader
from journey.loader.formats.contract import Reader, Refused
from journey.loader.values.meaning import Column

DECLARED = {
    "i": "integer", "b": "bigint", "n": "numeric(6,2)", "m": "numeric(2,2)", "t": "text", "v": "character varying(3)",
    "o": "boolean", "d": "date", "z": "timestamp with time zone", "p": "timestamp(3) without time zone",
    "f": "double precision", "j": "jsonb", "a": "integer[]",
}  # fmt: skip
COLUMNS = [Column(name, kind) for name, kind in DECLARED.items()]


@dataclass
class Bytes:
    """A file of some bytes, which come in chunks."""

    data: bytes
    size: int = 2**18
    key: str = "x.json"

    def stream(self) -> Iterator[bytes]:
        """Chunks of `size` bytes."""
        return (self.data[at : at + self.size] for at in range(0, len(self.data), self.size))

    def seekable(self) -> Any:
        """Nobody needs it."""
        raise NotImplementedError


@dataclass
class Outcome:
    """What became of a file: rows with their lines, and refusals."""

    rows: list[tuple[int, tuple[Any, ...]]]
    refused: list[Refused]
    reader: Reader

    @property
    def values(self) -> list[tuple[Any, ...]]:
        """The rows alone."""
        return [values for _, values in self.rows]

    @property
    def by_line(self) -> dict[int, Any]:
        """Each line's values, or column and reason."""
        found = {**dict(self.rows), **{one.line: (one.column, one.reason) for one in self.refused}}
        return dict(sorted(found.items()))


def read(
    data: bytes | str,
    columns: Sequence[Column | None] = COLUMNS,
    *,
    size: int = 2**18,
    form: str = "jsonl",
    unknown: Any = "raise",
    most: int = 500,
    scan: bool = False,
    **options: Any,
) -> Outcome:
    """Read a file as it would be loaded."""
    data = data.encode() if isinstance(data, str) else data
    kind = reader(form)
    made: Any = make(kind.Options, options)
    opened: Any = kind(Bytes(data, size), made, [one for one in columns if one], max_columns=most, unknown=unknown)
    kind.check(made, opened.declared)
    names = opened.names(scan=scan)
    assert scan or names == ([] if not data else None)
    rows: list[tuple[int, tuple[Any, ...]]] = []
    refused: list[Refused] = []
    for batch in opened.read(columns):
        for array in batch.arrays:
            array.validate(full=True)
        made_rows = zip(*(array.to_pylist() for array in batch.arrays), strict=True)
        rows += [(batch.origin(row)[0], values) for row, values in enumerate(made_rows)]
        refused += batch.refused
    return Outcome(rows, refused, opened)
