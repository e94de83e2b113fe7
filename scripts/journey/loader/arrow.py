"""Arrow arrays in the types of a raw table: cast without loss on the fast path, as text on the careful one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv

from journey.loader import binary
from journey.loader.columns import TableColumn
from journey.loader.errors import BadRowsError
from journey.loader.records import Record, csv_row

BATCH_ROWS = 2**14
if "jemalloc" in pa.supported_memory_backends():  # keeps a quarter less memory than the others, and is as fast
    pa.set_memory_pool(pa.jemalloc_memory_pool())


def arrow_type(column: TableColumn) -> pa.DataType:
    """The Arrow type of a column's values; text where there is none, which PostgreSQL then reads."""
    if column.type in binary.FIXED:
        return binary.FIXED[column.type][0]
    numeric = binary.NUMERIC.fullmatch(column.type)
    if numeric and int(numeric[1]) <= 38:
        return pa.decimal128(int(numeric[1]), int(numeric[2]))
    return pa.binary() if column.type == "bytea" else pa.string()


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
            array = pa.array([None if value is None else to_json(value) for value in array.to_pylist()], pa.string())
        elif _through_text(array.type, wanted):
            array = array.cast(pa.string())
        return array.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as error:
        raise BadRowsError(f"column {column.name}: {error}") from error


def _through_text(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether the server's own reading of the text says what a value of one kind is in the other."""
    number = pa.types.is_integer(given) or pa.types.is_floating(given)
    if pa.types.is_decimal(wanted):
        return bool(number)
    return bool(pa.types.is_boolean(wanted) != pa.types.is_boolean(given)) and not pa.types.is_string(given)


def copy_stream(batches: Iterator[list[pa.Array]], columns: Sequence[TableColumn]) -> Iterator[bytes | memoryview]:
    """COPY's bytes for batches of converted arrays: binary if every column has a binary form, else CSV."""
    if all(binary.has_binary(column) for column in columns):
        yield binary.HEADER
        for arrays in batches:
            yield from binary.encode(arrays, columns)
        yield binary.TRAILER
        return
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    for arrays in batches:
        out = io.BytesIO()
        texts = [pa.array(_plain_texts(array), pa.string()) if _is_bytes(array) else array for array in arrays]
        pyarrow.csv.write_csv(pa.table(texts, [str(position) for position in range(len(texts))]), out, options)
        yield out.getvalue()


def text_records(arrays: Sequence[pa.Array], columns: Sequence[TableColumn], line: int) -> Iterator[Record]:
    """A batch of a file's own arrays, row by row.

    Args:
        arrays: the values as the file has them.
        columns: where they go.
        line: number of the first row.
    """
    texts = [_texts(array, column) for array, column in zip(arrays, columns, strict=True)]
    for offset, values in enumerate(zip(*texts, strict=True)):
        raw = to_json({column.name: value for column, value in zip(columns, values, strict=True)})
        raw_bytes = raw.encode("utf-8", "backslashreplace")
        try:
            yield Record(line + offset, raw_bytes, csv_row(values))
        except UnicodeEncodeError:
            yield Record(line + offset, raw_bytes, None, "a text isn't UTF-8")


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
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return to_json(value) if isinstance(value, (dict, list)) else str(value)


def to_json(value: Any) -> str:
    """A nested value as JSON text."""
    return json.dumps(value, ensure_ascii=False, default=_as_text)
