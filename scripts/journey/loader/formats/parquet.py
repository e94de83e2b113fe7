"""Parquet, row group by row group, in little memory: a page of each column at a time."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from journey.loader.errors import FileRefusedError, one_line
from journey.loader.formats.columnar import ColumnarReader, foreign, leaves
from journey.loader.formats.contract import NOTHING, Batch
from journey.loader.s3.kinds import HEAD
from journey.loader.values.meaning import Column

MAGIC, ENCRYPTED = b"PAR1", b"PARE"
FOOTER_BYTES = 32 * 2**20  # they take about ten times as much memory
LEAVES = 10_000  # columns as the file keeps them, those within nested ones too
BATCH_ROWS = 2**13
BATCH_BYTES = 16 * 2**20  # decoded, of one batch
BUFFERS, MOST, LEAST = 48 * 2**20, 2**20, 2**14  # bytes read ahead: in all columns; in one, at most and at least
SELDOM, SMALL = 8, 2**19  # rows of each of a dictionary's texts, and bytes of them all: few enough to look at each once
FAULTS = (pa.ArrowException, OSError, ValueError, NotImplementedError, MemoryError, OverflowError, struct.error)


class ParquetReader(ColumnarReader):
    """One Parquet file.

    INT96 is read in microseconds, which reach over all dates (what is finer is dropped: no type of PostgreSQL's has
    it). Strings are texts by the column's `Meaning`; all else is what its type says, by `values.arrow`.
    """

    _metadata: pq.FileMetaData | None = None
    _source: Any = None  # opened once: a small object comes whole
    _size = 0
    _types: Sequence[pa.DataType] = ()

    def names(self, *, scan: bool = False) -> list[str] | None:  # noqa: ARG002
        """The schema's names."""
        self._source = source = self.file.seekable()
        self._size = source.seek(0, io.SEEK_END)
        if not self._size:
            raise FileRefusedError(NOTHING.format("a Parquet file"))
        self._check_ends(source)
        try:
            opened = pq.ParquetFile(source, pre_buffer=False, coerce_int96_timestamp_unit="us")
            self._metadata, schema = opened.metadata, opened.schema_arrow
            names, self._types = schema.names, schema.types
        except FAULTS as error:
            raise self._broken(error) from error
        if sum(leaves(field.type) for field in schema) > LEAVES:
            raise FileRefusedError(f"it has more than {LEAVES:,} columns, with those within others")
        return self._checked(names)

    def types(self) -> list[pa.DataType]:
        """The schema's types."""
        return list(self._types)

    def _check_ends(self, source: Any) -> None:
        """Tell a file of another kind, a part of one, and one whose footer is none."""
        source.seek(max(0, self._size - 8))
        tail = source.read(8)
        if tail[4:] == MAGIC and self._size >= 12:
            length = int.from_bytes(tail[:4], "little")
            if length > self._size - 12:
                raise FileRefusedError("the Parquet file is broken: its footer is longer than the file")
            if length > FOOTER_BYTES:
                raise FileRefusedError(
                    f"its footer has {length:,} bytes, more than {FOOTER_BYTES:,}: use fewer row groups"
                )
            return
        source.seek(0)
        head = source.read(HEAD)
        if tail[4:] == ENCRYPTED:
            raise FileRefusedError("the Parquet file is encrypted: it can't be read without its keys")
        if head.startswith(MAGIC):
            raise FileRefusedError("it isn't a whole Parquet file: its end is missing, as when an upload was cut short")
        raise foreign(head, "a Parquet file")

    def _broken(self, error: BaseException) -> FileRefusedError:
        told = one_line(error)[:300]
        if "crypt" in told:
            return FileRefusedError(f"the Parquet file is encrypted: it can't be read without its keys ({told})")
        return FileRefusedError(f"the Parquet file is broken: {told}")

    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The rows, some thousands at a time."""
        if self._metadata is None:
            self.names()
        columns = [column for column in targets if column is not None]
        metadata = self._metadata
        if metadata is None or not columns:
            return
        line, texts = 1, 0
        try:
            plan = _Plan(metadata, targets)
            self._check_size(max(plan.bytes, metadata.num_rows * len(plan.leaves)), self._size)
            for group, opened, rows in self._groups(plan):
                for batch in opened.reader.iter_batches(
                    rows, row_groups=[group], column_indices=plan.leaves, use_threads=False
                ):
                    texts += sum(field.nbytes for field in batch.columns if not _is_fixed(field.type))
                    self._check_size(texts, self._size)
                    yield self._batch(plan.names, batch.columns, columns, line)
                    line += batch.num_rows
        except FAULTS as error:
            raise self._broken(error) from error
        if line - 1 != metadata.num_rows:
            raise FileRefusedError(f"its footer says {metadata.num_rows:,} rows, and it has {line - 1:,}")

    def _groups(self, plan: _Plan) -> Iterator[tuple[int, pq.ParquetFile, int]]:
        """Each row group, how to read it, and how many rows at a time.

        A text that is kept once, in a column's dictionary, may come in every row: the longest one bounds the rows. And
        where texts are few, they are read as what they are kept as, so that each is looked at once.
        """
        probing = self._open(plan, [path for _, path in plan.texts])
        opened: pq.ParquetFile | None = None
        for group in range(plan.groups):
            rows, count = plan.rows(group), self._metadata.row_group(group).num_rows  # type: ignore[union-attr]
            few = []
            for leaf, path in plan.texts if count else ():
                texts = _dictionary(probing, group, leaf)
                rows = max(1, min(rows, BATCH_BYTES // max(1, pc.max(pc.binary_length(texts)).as_py() or 0)))
                if len(texts) * SELDOM < count and texts.nbytes < SMALL:
                    few.append(path)
            opened = opened or self._open(plan, few)
            yield group, opened, rows

    def _open(self, plan: _Plan, dictionaries: Sequence[str]) -> pq.ParquetFile:
        buffer = max(LEAST, min(MOST, BUFFERS // len(plan.leaves)))
        return pq.ParquetFile(
            self._source, metadata=self._metadata, pre_buffer=False, buffer_size=buffer, read_dictionary=dictionaries,
            coerce_int96_timestamp_unit="us", page_checksum_verification=True,
        )  # fmt: skip


class _Plan:
    """Which columns are read, and how.

    What a footer says of a column's chunks isn't asked for: if it is broken, or encrypted, Arrow aborts the process.

    Attributes:
        leaves: the columns that are read, as the file keeps them.
        names: the fields that they make.
        texts: leaf and path of those that are texts, and not within others.
        groups: how many row groups there are.
        bytes: of them all, decompressed.
    """

    def __init__(self, metadata: pq.FileMetaData, targets: Sequence[Column | None]) -> None:
        schema = metadata.schema.to_arrow_schema()
        self._metadata, self.groups = metadata, metadata.num_row_groups
        self.leaves: list[int] = []
        self.names: list[str] = []
        self.texts: list[tuple[int, str]] = []
        begin = 0
        for field, target in zip(schema, targets, strict=True):
            span = range(begin, begin + leaves(field.type))
            begin = span.stop
            if target is None:
                continue
            self.leaves += span
            self.names.append(field.name)
            if len(span) == 1 and (pa.types.is_string(field.type) or pa.types.is_binary(field.type)):
                self.texts.append((span.start, metadata.schema.column(span.start).path))
        self.bytes = sum(metadata.row_group(group).total_byte_size for group in range(self.groups))

    def rows(self, group: int) -> int:
        """Rows of a batch, by their average size."""
        found = self._metadata.row_group(group)
        size: int = found.total_byte_size // (found.num_rows or 1) + 1
        return max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, size)))


def _dictionary(opened: pq.ParquetFile, group: int, leaf: int) -> pa.Array:
    """The texts that a column keeps once; of one that keeps each where it is, the first."""
    batch = next(opened.reader.iter_batches(1, row_groups=[group], column_indices=[leaf], use_threads=False), None)
    column = batch.column(0) if batch is not None else pa.nulls(0, pa.binary())
    return column.dictionary if pa.types.is_dictionary(column.type) else column


def _is_fixed(kind: pa.DataType) -> bool:
    try:
        return bool(kind.bit_width)
    except ValueError:
        return False


READER = ParquetReader
