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

from journey.loader.fixedrows import FixedRows, numeric
from journey.loader.values.kinds import NUMERIC, arrow_type, is_text
from journey.loader.values.masks import DAY, numbers, valid, without
from journey.loader.values.meaning import Column

BATCH_ROWS = 2**13

INT64_DIGITS = 18
CYCLE_DAYS = 146_097  # after 400 years the calendar begins anew
FAR_DAY = 2_932_897  # 10000-01-01, from 1970
JSON = ("json", "jsonb")
JSONB_VERSION = "\x01"
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # without flags, and without an extension
TRAILER = b"\xff\xff"


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
        self._fixed = FixedRows()

    def statement(self, schema: str, table: str) -> sql.Composed:
        """The COPY statement."""
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in self._columns)
        form = "format binary" if self.is_binary else "format csv, encoding 'UTF8'"
        return sql.SQL(f"copy {{}} ({{}}) from stdin with ({form})").format(sql.Identifier(schema, table), names)

    def begin(self) -> bytes:
        """What comes before the first row."""
        return SIGNATURE if self.is_binary else b""

    def end(self) -> bytes:
        """What comes after the last row."""
        return TRAILER if self.is_binary else b""

    def rows(self, arrays: Sequence[pa.Array]) -> Iterator[bytes | memoryview]:
        """Some rows; each piece is good until the next one is asked for.

        Args:
            arrays: each of its column's arrow_type, all of one length.
        """
        length = len(arrays[0]) if arrays else 0
        for begin in range(0, length, BATCH_ROWS):
            yield self._some([array.slice(begin, BATCH_ROWS) for array in arrays])

    def _some(self, arrays: list[pa.Array]) -> bytes | memoryview:
        if not self.is_binary:
            return _csv([_plain_text(array, column) for array, column in zip(arrays, self._columns, strict=True)])
        return self._fixed.encode(arrays) or self._any(arrays)

    def _any(self, arrays: list[pa.Array]) -> bytes:
        """Rows with nulls, or with values of any length."""
        ready = [_binary(array, column) for array, column in zip(arrays, self._columns, strict=True)]
        encoder = pgpq.ArrowToPostgresBinaryEncoder(self._schema)
        encoder.write_header()
        data = encoder.write_batch(pa.record_batch(ready, schema=self._schema)) + encoder.finish()
        return bytes(memoryview(data)[: -len(TRAILER)])


def _has_binary(column: Column) -> bool:
    numeric = NUMERIC.fullmatch(column.type)
    if numeric:
        precision, scale = int(numeric[1]), int(numeric[2])
        return pa.types.is_decimal(arrow_type(column)) and precision + -scale % 4 <= INT64_DIGITS
    return arrow_type(column) != pa.string() or is_text(column) or column.type in JSON


def _binary(array: pa.Array, column: Column) -> pa.Array:
    if pa.types.is_decimal(array.type):
        return _binary_numeric(array)
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
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        return _with_years(array)
    return array.cast(pa.string())


def _with_years(array: pa.Array) -> pa.Array:
    """Texts of dates and timestamps, whatever their years; Arrow's have years up to 32767."""
    a_day = 1 if pa.types.is_date(array.type) else DAY * 10**6
    far = (numbers(array) >= FAR_DAY * a_day) & valid(array)
    texts = without(array, far).cast(pa.string())
    if not far.any():
        return texts
    found = []
    for count in numbers(array)[far].tolist():
        cycles = (count - FAR_DAY * a_day) // (CYCLE_DAYS * a_day) + 1
        near = pa.scalar(count - cycles * CYCLE_DAYS * a_day, pa.int64()).cast(pa.int32() if a_day == 1 else pa.int64())
        year, rest = near.cast(array.type).cast(pa.string()).as_py().split("-", 1)
        found.append(f"{int(year) + 400 * cycles}-{rest}")
    return pc.replace_with_mask(texts, pa.array(far), pa.array(found, pa.string()))


def _binary_numeric(array: pa.Array) -> pa.Array:
    """Decimals as the bytes of PostgreSQL's numeric, each of the same size."""
    data = FixedRows().fill(numeric(array), len(array))
    ends = np.arange(len(array) + 1, dtype=np.int32) * np.int32(data.itemsize)
    nulls = pa.py_buffer(np.packbits(valid(array), bitorder="little")) if array.null_count else None
    return pa.Array.from_buffers(pa.binary(), len(array), [nulls, pa.py_buffer(ends), pa.py_buffer(data)])
