"""Arrow arrays become COPY's bytes: binary where every column has a binary form that we write, else CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
import pgpq
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg import sql

from journey.loader.values.kinds import NUMERIC, arrow_type, is_text
from journey.loader.values.meaning import Column

BATCH_ROWS = 2**13

INT64_DIGITS = 18
JSON = ("json", "jsonb")
JSONB_VERSION = "\x01"


class Encoder:
    """COPY's bytes for the rows of some columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Choose the format.

        Args:
            columns: in the order of the arrays.
        """
        self._columns = columns
        self.is_binary = all(map(_has_binary, columns))
        names = [str(position) for position in range(len(columns))]
        kinds = [pa.binary() if pa.types.is_decimal(arrow_type(c)) else arrow_type(c) for c in columns]
        self._schema = pa.schema(list(zip(names, kinds, strict=True)))
        self._pgpq = pgpq.ArrowToPostgresBinaryEncoder(self._schema) if self.is_binary else None

    def statement(self, schema: str, table: str) -> sql.Composed:
        """The COPY statement."""
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in self._columns)
        form = "format binary" if self.is_binary else "format csv, encoding 'UTF8'"
        return sql.SQL(f"copy {{}} ({{}}) from stdin with ({form})").format(sql.Identifier(schema, table), names)

    def begin(self) -> bytes:
        """What comes before the first row."""
        return bytes(self._pgpq.write_header()) if self._pgpq else b""

    def end(self) -> bytes:
        """What comes after the last row."""
        return bytes(self._pgpq.finish()) if self._pgpq else b""

    def rows(self, arrays: Sequence[pa.Array]) -> Iterator[bytes]:
        """Some rows.

        Args:
            arrays: each of its column's arrow_type, all of one length.
        """
        length = len(arrays[0]) if arrays else 0
        for begin in range(0, length, BATCH_ROWS):
            yield self._some([array.slice(begin, BATCH_ROWS) for array in arrays])

    def _some(self, arrays: list[pa.Array]) -> bytes:
        if self._pgpq is None:
            return _csv([_plain_text(array, column) for array, column in zip(arrays, self._columns, strict=True)])
        ready = [_binary(array, column) for array, column in zip(arrays, self._columns, strict=True)]
        return bytes(self._pgpq.write_batch(pa.record_batch(ready, schema=self._schema)))


def _has_binary(column: Column) -> bool:
    numeric = NUMERIC.fullmatch(column.type)
    if numeric:
        precision, scale = int(numeric[1]), int(numeric[2])
        return pa.types.is_decimal(arrow_type(column)) and precision + -scale % 4 <= INT64_DIGITS
    return arrow_type(column) != pa.string() or is_text(column) or column.type in JSON


def _binary(array: pa.Array, column: Column) -> pa.Array:
    if pa.types.is_decimal(array.type):
        return _numeric(array)
    if column.type == "jsonb":
        return pc.binary_join_element_wise(JSONB_VERSION, array, "")
    return array


def _csv(arrays: list[pa.Array]) -> bytes:
    out = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pyarrow.csv.write_csv(pa.table(arrays, [str(position) for position in range(len(arrays))]), out, options)
    return out.getvalue()


def _plain_text(array: pa.Array, column: Column) -> pa.Array:
    """Texts that PostgreSQL reads as the very values."""
    if column.type == "uuid":
        return pa.array([None if value is None else value.hex() for value in array.to_pylist()], pa.string())
    if pa.types.is_binary(array.type):
        return pa.array([None if value is None else "\\x" + value.hex() for value in array.to_pylist()], pa.string())
    return array.cast(pa.string())


def _numeric(array: pa.Array) -> pa.Array:
    """Decimals as PostgreSQL's base 10,000 digits; leading zeros are allowed, so that every value has the same size."""
    words = np.frombuffer(array.buffers()[1], "<i8").reshape(-1, 2)
    values = words[array.offset : array.offset + len(array), 0]  # whatever they are where they are null
    scale, after_point = array.type.scale, -(-array.type.scale // 4)
    left = np.abs(values).astype(np.uint64) * np.uint64(10 ** (-scale % 4))
    top, count = int(left.max(initial=0)), max(after_point, 1)
    if top < 2**32:
        left = left.astype(np.uint32)
    while 10_000**count <= top:
        count += 1
    data = np.empty((len(array), 4 + count), ">u2")
    data[:, 0] = count
    data[:, 1] = (count - after_point - 1) % 2**16  # weight of the first digit, signed
    data[:, 2] = np.where(values < 0, 0x4000, 0)
    data[:, 3] = scale
    for digit in range(3 + count, 3, -1):
        rest = left // 10_000
        data[:, digit] = left - rest * 10_000
        left = rest
    ends = np.arange(len(array) + 1, dtype=np.int32) * np.int32(data.itemsize * data.shape[1])
    nulls = None
    if array.null_count:
        valid = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")[array.offset :]
        nulls = pa.py_buffer(np.packbits(valid[: len(array)], bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), len(array), [nulls, pa.py_buffer(ends), pa.py_buffer(data)])
