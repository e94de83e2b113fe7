"""COPY's binary format from Arrow arrays, by numpy: a matrix of the widest row, and a mask of what each has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from journey.loader.columns import TableColumn

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
MATRIX_BYTES = 2**20
NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
INT64_DIGITS = 18
POSTGRES_EPOCH = {"date": 10_957, "timestamp": 946_684_800_000_000}  # 2000-01-01 in days, microseconds since 1970
# PostgreSQL's types that are one number, with Arrow's type and numpy's.
FIXED = {
    "smallint": (pa.int16(), ">i2"), "integer": (pa.int32(), ">i4"), "bigint": (pa.int64(), ">i8"),
    "real": (pa.float32(), ">f4"), "double precision": (pa.float64(), ">f8"), "boolean": (pa.bool_(), ">u1"),
    "date": (pa.date32(), ">i4"), "timestamp without time zone": (pa.timestamp("us"), ">i8"),
    "timestamp with time zone": (pa.timestamp("us", "UTC"), ">i8"),
}  # fmt: skip
VARIABLE = ("text", "character varying", "bytea")

Bytes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


def has_binary(column: TableColumn) -> bool:
    """Whether a column's values can be encoded here."""
    numeric = NUMERIC.fullmatch(column.type)
    if numeric:
        return int(numeric[1]) + -int(numeric[2]) % 4 <= INT64_DIGITS
    return column.type in FIXED or column.type.split("(")[0] in VARIABLE


def encode(arrays: Sequence[pa.Array], columns: Sequence[TableColumn]) -> Iterator[bytes | memoryview]:
    """Encode rows.

    Args:
        arrays: the columns' values, of the columns' Arrow types.
        columns: where they go; each has a binary form.
    """
    rows = len(arrays[0]) if arrays else 0
    sizes = [_lengths(array) if _is_variable(array) else None for array in arrays]
    widest = 2 + sum(4 + (int(size.max(initial=0)) if size is not None else 8) for size in sizes)
    if rows > 1 and rows * widest > MATRIX_BYTES:  # one long text must not blow up every row
        half = rows // 2
        yield from encode([array.slice(0, half) for array in arrays], columns)
        yield from encode([array.slice(half) for array in arrays], columns)
        return
    fields = [
        _fixed(array, column) if size is None else _variable(array, size)
        for array, column, size in zip(arrays, columns, sizes, strict=True)
    ]
    matrix = np.empty((rows, 2 + sum(4 + data.shape[1] for data in fields)), np.uint8)
    mask = None
    matrix[:, :2] = np.frombuffer(len(fields).to_bytes(2, "big"), np.uint8)
    position = 2
    for array, size, data in zip(arrays, sizes, fields, strict=True):
        begin, end = position + 4, position + 4 + data.shape[1]
        matrix[:, begin:end] = data
        if size is None and not array.null_count:
            matrix[:, position:begin] = np.frombuffer(data.shape[1].to_bytes(4, "big"), np.uint8)
        else:
            length = np.full(rows, data.shape[1], np.int32) if size is None else size
            if array.null_count:
                length = np.where(_valid(array), length, -1)
            matrix[:, position:begin] = _big_endian(length, ">i4")
            if mask is None:
                mask = np.ones(matrix.shape, bool)
            mask[:, begin:end] = np.arange(data.shape[1]) < length[:, None]
        position = end
    yield (matrix.reshape(-1) if mask is None else matrix[mask]).data  # a copy less than bytes


def _fixed(array: pa.Array, column: TableColumn) -> Bytes:
    if pa.types.is_decimal(array.type):
        return _numeric(array)
    kind = FIXED[column.type][1]
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    numbers = array.view(kind_of_view(array)) if pa.types.is_temporal(array.type) else array
    values = (numbers.fill_null(0) if numbers.null_count else numbers).to_numpy()
    if pa.types.is_date(array.type):
        values = values - POSTGRES_EPOCH["date"]
    elif pa.types.is_timestamp(array.type):
        values = values - POSTGRES_EPOCH["timestamp"]
    return _big_endian(values, kind)


def kind_of_view(array: pa.Array) -> pa.DataType:
    """The integers under dates and timestamps."""
    return pa.int32() if pa.types.is_date(array.type) else pa.int64()


def _variable(array: pa.Array, lengths: Any) -> Bytes:
    """Texts side by side in a matrix, each in its row from the left."""
    width = int(lengths.max(initial=0))
    if not width:
        return np.empty((len(array), 0), np.uint8)
    data = np.frombuffer(array.buffers()[2], np.uint8)
    starts = _offsets(array)[:-1]
    if int(lengths.min()) == width:
        texts: Bytes = data[starts[0] : starts[0] + width * len(array)].reshape(len(array), width)
        return texts
    gathered: Bytes = data[np.minimum(starts[:, None] + np.arange(width, dtype=np.int32), len(data) - 1)]
    return gathered


def _numeric(array: pa.Array) -> Bytes:
    """Decimals as PostgreSQL's base 10,000 digits; leading zeros are allowed, so that every value has the same size."""
    words = np.frombuffer(array.buffers()[1], "<i8").reshape(-1, 2)
    values = words[array.offset : array.offset + len(array), 0]
    if array.null_count:
        values = np.where(_valid(array), values, 0)
    scale = array.type.scale
    left = np.abs(values).astype(np.uint64) * np.uint64(10 ** (-scale % 4))
    top, after_point = int(left.max(initial=0)), -(-scale // 4)
    if top < 2**32:
        left = left.astype(np.uint32)
    count = max(after_point, 1)
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
    return data.view(np.uint8)


def _big_endian(values: Any, kind: str) -> Bytes:
    return np.ascontiguousarray(values.astype(kind)).view(np.uint8).reshape(len(values), -1)


def _is_variable(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type) or pa.types.is_binary(array.type))


def _offsets(array: pa.Array) -> Any:
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]


def _lengths(array: pa.Array) -> Any:
    return np.diff(_offsets(array)) if len(array) else np.empty(0, np.int32)


def _valid(array: pa.Array) -> Any:
    return array.is_valid().to_numpy(zero_copy_only=False)
