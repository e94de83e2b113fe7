"""Parquet: read by row group and column, whole or by ranges, and handed to COPY in its binary format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from journey.loader.arrow import BATCH_ROWS, convert, copy_stream, text_records
from journey.loader.columns import TableColumn
from journey.loader.errors import FileRefusedError
from journey.loader.records import Record

BUFFER_BYTES = 2**20  # read ahead in each column


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
            file: BinaryIO = open_file()
            self._file = pq.ParquetFile(file, buffer_size=BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise FileRefusedError(f"it isn't a whole Parquet file: {_short(error)}") from error

    def names(self, *, scan: bool) -> list[str] | None:  # noqa: ARG002
        """The schema's names."""
        return list(self._file.schema_arrow.names)

    def fast(self, targets: Sequence[TableColumn]) -> Iterator[bytes | memoryview]:
        """COPY's bytes."""
        converted = (
            [convert(array, column) for array, column in zip(batch.columns, targets, strict=True)]
            for batch in self._batches()
        )
        return copy_stream(converted, targets)

    def records(self, targets: Sequence[TableColumn]) -> Iterator[Record]:
        """Row by row, as text."""
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
            raise FileRefusedError(f"the Parquet file is broken: {_short(error)}") from error


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
