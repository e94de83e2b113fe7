"""What Parquet and Avro have in common: typed values under names, which become rows and refused rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import Batch, Reader, Refused
from journey.loader.formats.typedoptions import ColumnarOptions
from journey.loader.s3.kinds import kind_of
from journey.loader.values.arrow import convert
from journey.loader.values.meaning import Column
from journey.loader.values.nested import json_texts, plain

RAW_BYTES = 2**16  # kept of a refused row
FLOOR = 16 * 2**20  # bytes; a smaller file is no bomb, whatever its ratio
DEPTH = 32  # of nested types


class ColumnarReader(Reader):
    """A file of typed columns."""

    Options = ColumnarOptions
    options: ColumnarOptions

    @abstractmethod
    def types(self) -> list[pa.DataType]:
        """After names(): the types that the file says its fields have."""

    def _checked(self, names: Sequence[str]) -> list[str]:
        """A file's names, numbered where that is declared.

        Raises:
            FileRefusedError: there are too many, or one is missing or comes twice.
        """
        if len(names) > self.max_columns:
            raise FileRefusedError(f"it has {len(names):,} fields, more than max_columns ({self.max_columns:,})")
        seen: dict[str, int] = {}
        found = []
        for position, name in enumerate(names, 1):
            base = name.strip() or f"column_{position}"
            seen[base] = seen.get(base, 0) + 1
            if self.options.header_names == "refuse" and (not name.strip() or seen[base] > 1):
                what = f"two fields are called {base!r}" if name.strip() else f"field {position} has no name"
                raise FileRefusedError(f"{what}: header_names: number calls them by number")
            found.append(base if seen[base] == 1 else f"{base}_{seen[base]}")
        return found

    def _check_size(self, size: int, stored: int) -> None:
        """Refuse what is too large.

        Args:
            size: bytes of the values, or more than that many.
            stored: bytes of the file.

        Raises:
            FileRefusedError: it is beyond max_bytes or max_ratio.
        """
        if size > self.options.max_bytes:
            raise FileRefusedError(f"it is larger than max_bytes ({self.options.max_bytes:,} bytes, decompressed)")
        if size > FLOOR and size > stored * self.options.max_ratio:
            told = f"{stored:,} bytes of it decompress to more than {size:,}, beyond max_ratio"
            raise FileRefusedError(f"{told} ({self.options.max_ratio:,}): raise max_ratio if it is no zip bomb")

    @staticmethod
    def _batch(
        names: Sequence[str],
        fields: Sequence[pa.Array],
        columns: Sequence[Column],
        line: int,
        broken: Mapping[int, tuple[str | None, str]] | None = None,
    ) -> Batch:
        """Values as rows: good ones, and refused ones with the first column that is to blame.

        Args:
            names: of the fields that are read.
            fields: their values, as the file types them.
            columns: where they go.
            line: number of the first row.
            broken: column and reason of rows that are refused already.
        """
        arrays, bad = [], dict(broken or {})
        for field, column in zip(fields, columns, strict=True):
            array, refused = convert(field, column)
            arrays.append(array)
            for row, reason in refused.items():
                bad.setdefault(row, (column.name, reason))
        rows = np.arange(len(fields[0]))
        if not bad:
            return Batch(arrays, (), lambda row: (line + row, raw_rows(names, fields, [row])[0]))
        keep = np.ones(len(rows), bool)
        keep[list(bad)] = False
        where = sorted(bad)
        raws = raw_rows(names, fields, where)
        lines = [Refused(line + row, *bad[row], raw) for row, raw in zip(where, raws, strict=True)]
        rows, mask = rows[keep], pa.array(keep)

        def origin(row: int) -> tuple[int, str]:
            return line + int(rows[row]), raw_rows(names, fields, [int(rows[row])])[0]

        return Batch([array.filter(mask) for array in arrays], lines, origin)


def raw_rows(names: Sequence[str], fields: Sequence[pa.Array], rows: Sequence[int]) -> list[str]:
    """Rows as the file has them: JSON objects of the fields that are read."""
    taken = [_taken(plain(field), rows) for field in fields]
    texts, _ = json_texts(pa.StructArray.from_arrays(taken, names=list(names)), "show")
    return [text[:RAW_BYTES] for text in texts.fill_null("").to_pylist()]


def _taken(array: pa.Array, rows: Sequence[int]) -> pa.Array:
    try:
        return array.take(pa.array(rows, pa.int64()))
    except pa.ArrowNotImplementedError:  # of views inside of lists
        return pa.concat_arrays([array.slice(row, 1) for row in rows])


def leaves(kind: pa.DataType, depth: int = 0) -> int:
    """How many columns a file keeps a type in.

    Raises:
        FileRefusedError: it is nested too deeply.
    """
    if depth > DEPTH:
        raise FileRefusedError(f"its types are nested more than {DEPTH} deep")
    if isinstance(kind, pa.BaseExtensionType):
        return leaves(kind.storage_type, depth)
    if pa.types.is_dictionary(kind):
        return leaves(kind.value_type, depth)
    return sum(leaves(kind.field(child).type, depth + 1) for child in range(kind.num_fields)) if kind.num_fields else 1


def foreign(head: bytes, wanted: str) -> FileRefusedError:
    """Why a file of another kind is refused.

    Args:
        head: its first bytes.
        wanted: what it should be, with its article.
    """
    kind = kind_of(head)
    if kind and kind.name.startswith("compressed"):
        return FileRefusedError(f"it isn't {wanted} but compressed as a whole: decompress it, {wanted} is so within")
    return FileRefusedError(f"it isn't {wanted} but {kind.name}: {kind.remedy}" if kind else f"it isn't {wanted}")
