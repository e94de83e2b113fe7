"""Raw rows looked up in their files: the loader's own reader reads a file again, for raw tables keep no lines.

A batch of it goes into a temporary table that is shaped as the raw table; the staging view's own query on that table
gives the rows that staging would give of these lines. A raw row is found where its staging row is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.declaration.paths import columns_of_key
from journey.loader.declaration.sources import FILE_ID
from journey.loader.encoding import Encoder
from journey.loader.errors import one_line
from journey.loader.judging import Judge
from journey.loader.reading import Reading
from journey.loader.s3.asking import Retry
from journey.loader.s3.file import S3File
from journey.loader.s3.listing import Listed, look_again
from journey.loader.s3.objects import S3Object
from journey.tracing.finding import RAW, Finding, RawRow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WANTED = "journey_traced_wanted"


class Line(NamedTuple):
    """A row in its file.

    Attributes:
        row: the raw row.
        number: of its first line (formats without lines: its row), from 1.
        raw: the row as the file has it.
    """

    row: RawRow
    number: int
    raw: str


class FoundFile(NamedTuple):
    """A file, and what was found in it.

    Attributes:
        address: s3:// and where.
        etag: of what was loaded.
        wanted: how many rows were looked for.
        lines: those that were found, by number.
        problem: why others weren't; empty if all were.
    """

    address: str
    etag: str
    wanted: int
    lines: Sequence[Line]
    problem: str


def look_up(
    connection: Connection[Any], client: S3Client, finding: Finding, rows: Sequence[RawRow]
) -> Iterator[FoundFile]:
    """Find raw rows in their files, file by file; reading stops when a file's rows are found.

    Args:
        connection: the finding's.
        client: of S3.
        finding: where the rows come from.
        rows: of it.

    Raises:
        JourneyError: PostgreSQL or S3 isn't there.
    """
    by_file: dict[int, dict[int, RawRow]] = {}
    for row in rows:
        by_file.setdefault(row.file_id, {})[row.id] = row
    connection.execute(
        f"create temporary table {WANTED} on commit drop as select _trace_id, _file_id, _row from {RAW}"
        " where _trace_id = any(%s)".encode(),
        [[row.id for row in rows]],
    )
    files = connection.execute(
        "select file_id, bucket, key, etag, size_bytes from loader.files where file_id = any(%s) order by key",
        [list(by_file)],
    ).fetchall()
    look = _Look(connection, client, finding)
    with closing(look.judge):
        for file_id, bucket, key, etag, size in files:
            wanted, found, problem = by_file[file_id], list[Line](), ""
            try:
                found = look.in_file(file_id, bucket, Listed(key, etag, size), wanted)
                if len(found) < len(wanted):
                    problem = "it isn't read as it was loaded, or holds a person who was forgotten: journey verify "
                    problem += finding.source.name
            except JourneyError as error:
                problem = one_line(error)
            lines = sorted(found, key=lambda one: one.number)
            yield FoundFile(f"s3://{bucket}/{key}", etag, len(wanted), lines, problem)


class _Look:
    """Looks into files, one after the other."""

    def __init__(self, connection: Connection[Any], client: S3Client, finding: Finding) -> None:
        """Make the table that batches go into: as the raw table, but `_file_id` is a row's place in its batch."""
        self._connection, self._client, self._source = connection, client, finding.source
        self._query = _staging(connection, finding)
        self.judge = Judge(lambda: postgres.connect("journey why", writes=False))
        schema, table = finding.source.schema, finding.source.table
        connection.execute(f'create temporary table "{table}" (like "{schema}"."{table}") on commit drop'.encode())

    def in_file(self, file_id: int, bucket: str, file: Listed, wanted: Mapping[int, RawRow]) -> list[Line]:
        """The lines of wanted rows.

        Raises:
            JourneyError: the object isn't what was loaded any more, or can't be read.
        """
        source = self._source
        now = look_again(self._client, source, file.key) if bucket == source.bucket else None
        if now is None:
            raise JourneyError("it is no longer in S3, or S3 doesn't give it")
        if now.etag != file.etag:
            raise JourneyError(f"it has changed since it was loaded: its ETag is {now.etag}")
        opened = S3Object(self._client, source, file, Retry(), lambda _: None)
        from_key = columns_of_key(source.options, source.pattern, file.key)
        reading = Reading(source, S3File(source, file.key, opened).members(), from_key)
        return self._lines(reading, file_id, wanted)

    def _lines(self, reading: Reading, file_id: int, wanted: Mapping[int, RawRow]) -> list[Line]:
        """Batch by batch, until all are found."""
        source, found = self._source, list[Line]()
        fitted = reading.fit([source.column(*one) for one in ledger.table_columns(self._connection, source)])
        encoder = Encoder([*fitted.columns, source.column(FILE_ID, "integer", 23)])
        for batch in reading.batches(fitted, self.judge):
            rows = len(batch.arrays[0]) if batch.arrays else 0
            if not rows:
                continue
            self._connection.execute(f'truncate pg_temp."{source.table}"'.encode())
            with self._connection.cursor().copy(encoder.statement("pg_temp", source.table)) as running:
                running.write(encoder.begin())
                for chunk in encoder.rows([*batch.arrays, pa.array(range(rows), pa.int32())]):
                    running.write(chunk)
                running.write(encoder.end())
            for trace_id, row in self._connection.execute(self._query.encode(), {"file": file_id}).fetchall():
                number, raw = batch.origin(row)
                text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
                found.append(Line(wanted[trace_id], number, text.rstrip("\r\n")))
            if len(found) == len(wanted):
                break
        return found


def _staging(connection: Connection[Any], finding: Finding) -> str:
    """Takes out of the wanted rows those that a batch has, and says where they are in it.

    Raises:
        JourneyError: the view doesn't name the raw table as we know it.
    """
    source, staging = finding.source, finding.fact.staging
    relation = finding.mart.relation(staging)
    row = connection.execute(
        "select pg_get_viewdef(%s::regclass), quote_ident(%s) || '.' || quote_ident(%s), quote_ident(%s)",
        [relation, source.schema, source.table, source.table],
    ).fetchone()
    if row is None or row[1] not in row[0]:
        raise JourneyError(f"{relation} doesn't read {source.schema}.{source.table}: build it again")
    definition = row[0].rstrip().rstrip(";").replace(row[1], f"pg_temp.{row[2]}").replace("%", "%%")
    columns = ", ".join(f'read."{name}"' for name in finding.mart.columns(staging) if name != FILE_ID)
    same = "row_number() over (partition by {} order by {}) as place"
    return f"""
        with read as ({definition}),
        texts as (select row({columns})::text as _row, read.{FILE_ID} as position from read),
        lines as (select texts.*, {same.format("_row", "position")} from texts),
        asked as (
            select _trace_id, _row, {same.format("_row", "_trace_id")} from {WANTED} where {FILE_ID} = %(file)s
        ),
        found as (
            select asked._trace_id, lines.position from asked
            inner join lines on asked._row = lines._row and asked.place = lines.place
        ),
        gone as (delete from {WANTED} using found where {WANTED}._trace_id = found._trace_id)
        select _trace_id, position from found"""
