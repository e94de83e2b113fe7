"""Arrow arrays in the types of a raw table: binary COPY on the fast path, text on the careful one. And Parquet."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import numpy as np
import pgpq
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from journey.loader.columns import TableColumn
from journey.loader.errors import BadRowsError, FileRefusedError, one_line
from journey.loader.records import Record, csv_row

BATCH_ROWS = 2**13
BUFFER_BYTES = 2**20  # read ahead in each column of a Parquet file
INT64_DIGITS = 18
NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
FIXED = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"), "timestamp with time zone": pa.timestamp("us", "UTC"),
}  # fmt: skip
VARIABLE = ("text", "character varying", "bytea")

if "jemalloc" in pa.supported_memory_backends():  # keeps a quarter less memory than the others, and is as fast
    pa.set_memory_pool(pa.jemalloc_memory_pool())


class ParquetFile:
    """One Parquet file."""

    encoding = "UTF8"
    line_end = b"\n"

    def __init__(self, open_file: Callable[[], Any]) -> None:
        """Read the footer.

        Args:
            open_file: opens the object as a file that can seek.

        Raises:
            FileRefusedError: it isn't a Parquet file, or not a whole one.
        """
        try:
            self._file = pq.ParquetFile(open_file(), buffer_size=BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise FileRefusedError(f"it isn't a whole Parquet file: {one_line(error)[:300]}") from error

    def names(self, *, scan: bool) -> list[str] | None:  # noqa: ARG002
        """The schema's names."""
        return list(self._file.schema_arrow.names)

    def fast(self, targets: Sequence[TableColumn]) -> Generator[bytes, None, None]:
        """COPY's bytes."""
        arrays = (list(map(convert, batch.columns, targets)) for batch in self._batches())
        return copy_stream(arrays, targets)

    def records(self, targets: Sequence[TableColumn]) -> Iterator[Record]:
        """Row by row, as text; lines are numbers of rows."""
        line = 1
        for batch in self._batches():
            yield from text_records(batch.columns, targets, line)
            line += batch.num_rows

    def count(self) -> int:
        """Number of rows."""
        return int(self._file.metadata.num_rows)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(BATCH_ROWS, use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise FileRefusedError(f"the Parquet file is broken: {one_line(error)[:300]}") from error


def arrow_type(column: TableColumn) -> pa.DataType:
    """The Arrow type of a column's values; text where there is none, which PostgreSQL then reads."""
    numeric = NUMERIC.fullmatch(column.type)
    if numeric and int(numeric[1]) <= 38:
        return pa.decimal128(int(numeric[1]), int(numeric[2]))
    return FIXED.get(column.type) or (pa.binary() if column.type == "bytea" else pa.string())


def convert(array: pa.Array, column: TableColumn) -> pa.Array:
    """Bring an array to its column's Arrow type, without loss.

    Raises:
        BadRowsError: a value doesn't fit.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    wanted = arrow_type(column)
    if array.type == wanted:
        return array
    try:
        if pa.types.is_nested(array.type):
            array = pa.array([None if value is None else _as_text(value) for value in array.to_pylist()], pa.string())
        elif _through_text(array.type, wanted):
            array = array.cast(pa.string())
        return array.cast(wanted)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadRowsError(f"column {column.name}: {error}") from error


def _through_text(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether the server's own reading of the text says what a value of one kind is in the other."""
    if pa.types.is_decimal(wanted):
        return bool(pa.types.is_integer(given) or pa.types.is_floating(given))
    return bool(pa.types.is_boolean(wanted) != pa.types.is_boolean(given)) and not pa.types.is_string(given)


def copy_stream(batches: Iterator[list[pa.Array]], columns: Sequence[TableColumn]) -> Generator[bytes, None, None]:
    """COPY's bytes for batches of converted arrays: binary if every column has a binary form, else CSV."""
    names = [str(position) for position in range(len(columns))]
    if not all(map(_has_binary, columns)):
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
        for arrays in batches:
            out = io.BytesIO()
            texts = [pa.array(_plain_texts(array), pa.string()) if _is_bytes(array) else array for array in arrays]
            pyarrow.csv.write_csv(pa.table(texts, names), out, options)
            yield out.getvalue()
        return
    types = [pa.binary() if pa.types.is_decimal(arrow_type(column)) else arrow_type(column) for column in columns]
    encoder = pgpq.ArrowToPostgresBinaryEncoder(pa.schema(list(zip(names, types, strict=True))))
    yield encoder.write_header()
    for arrays in batches:
        plain = [_numeric(array) if pa.types.is_decimal(array.type) else array for array in arrays]
        yield encoder.write_batch(pa.record_batch(plain, names))
    yield encoder.finish()


def _has_binary(column: TableColumn) -> bool:
    numeric = NUMERIC.fullmatch(column.type)
    if numeric:
        return int(numeric[1]) + -int(numeric[2]) % 4 <= INT64_DIGITS
    return column.type in FIXED or column.type.split("(")[0] in VARIABLE


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
    if array.null_count:  # is_valid() would import pyarrow.compute
        valid = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")[array.offset :]
        nulls = pa.py_buffer(np.packbits(valid[: len(array)], bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), len(array), [nulls, pa.py_buffer(ends), pa.py_buffer(data)])


def text_records(arrays: Sequence[pa.Array], columns: Sequence[TableColumn], line: int) -> Iterator[Record]:
    """A batch of a file's own arrays, row by row.

    Args:
        arrays: the values as the file has them.
        columns: where they go.
        line: number of the first row.
    """
    for number, values in enumerate(zip(*map(_texts, arrays, columns), strict=True), line):
        named = {column.name: value for column, value in zip(columns, values, strict=True)}
        raw = _as_text(named).encode("utf-8", "backslashreplace")
        try:
            yield Record(number, raw, csv_row(values))
        except UnicodeEncodeError:
            yield Record(number, raw, None, "a text isn't UTF-8")


def _texts(array: pa.Array, column: TableColumn) -> list[str | None]:
    """Texts that PostgreSQL reads as the very values of the fast path; what doesn't convert, as the file has it."""
    try:
        return _plain_texts(convert(array, column))
    except BadRowsError:
        if len(array) > 1:
            half = len(array) // 2
            return _texts(array.slice(0, half), column) + _texts(array.slice(half), column)
        value = array.cast(pa.binary())[0].as_py() if pa.types.is_string(array.type) else array[0].as_py()
        return [None if value is None else _as_text(value)]


def _plain_texts(array: pa.Array) -> list[str | None]:
    if _is_bytes(array):
        return [None if value is None else "\\x" + value.hex() for value in array.to_pylist()]
    try:
        texts: list[str | None] = array.cast(pa.string()).to_pylist()
    except UnicodeDecodeError as error:  # Parquet's word is all there is for a text being UTF-8
        raise BadRowsError(str(error)) from error
    return texts


def _is_bytes(array: pa.Array) -> bool:
    return bool(pa.types.is_binary(array.type))


def _as_text(value: Any) -> str:
    """A value as PostgreSQL reads it; nested ones as JSON."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return json.dumps(value, ensure_ascii=False, default=_as_text) if isinstance(value, (dict, list)) else str(value)
