"""Loaded files read once more, as they are declared now, and compared with the rows that the raw table has of them.

That is how one knows, after a new version of the loader or another declaration, which feeds would be read otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from threading import Semaphore
from typing import Any, NamedTuple

from psycopg import Connection, sql

from journey import settings
from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.copying import copy
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.errors import one_line
from journey.loader.forgotten import Forgotten
from journey.loader.onefile import Attempt
from journey.loader.plan import Action
from journey.loader.rejects import Rejected, Rejects
from journey.loader.s3.asking import Retry
from journey.loader.s3.listing import Listed, look_again
from journey.loader.tables import identifier
from journey.loader.worker import Worker

EXAMPLES = 3
COMPARED = "journey_verified"


class Loaded(NamedTuple):
    """A loaded file."""

    file_id: int
    file: Listed
    rejected: int


class Verified(NamedTuple):
    """How a file would be read now.

    Attributes:
        key: of the file.
        missing: rows of the table that the file would not give now.
        added: rows that it would give, and that the table doesn't have.
        refused: rows that would be refused now.
        rejected: rows that were refused when it was loaded.
        examples: the first refusals.
        error: why it can't be read.
    """

    key: str
    missing: int = 0
    added: int = 0
    refused: int = 0
    rejected: int = 0
    examples: Sequence[Rejected] = ()
    error: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether it would be read as it was."""
        return self.error is None and not self.missing and not self.added and self.refused == self.rejected


def verify(source: Source, *, files: int | None = 3, retry: Retry | None = None) -> Iterator[Verified]:
    """Read loaded files of a source again.

    Args:
        source: as it is declared now.
        files: so many of the newest, and of the oldest; None: all.
        retry: how patient to be.

    Raises:
        JourneyError: PostgreSQL isn't there.
    """
    retry = retry or Retry()
    clients = {source.options.anonymous: settings.s3_client(anonymous=source.options.anonymous)}
    worker = Worker(lambda: postgres.connect("journey verify"), clients, 0, retry, lambda _: None, Semaphore(1))
    with closing(worker), postgres.told("files were compared"):
        ledger.set_up(worker.connection)
        for loaded in _loaded(worker.connection, source, files):
            now = look_again(clients[source.options.anonymous], source, loaded.file.key)
            if now is None or now.etag != loaded.file.etag:
                yield Verified(loaded.file.key, error="it is no longer in S3 as it was loaded")
                continue
            try:
                yield _verify(worker, source, loaded)
            except JourneyError as error:
                yield Verified(loaded.file.key, rejected=loaded.rejected, error=one_line(error))


def lines(source: Source, found: Sequence[Verified]) -> list[str]:
    """What was found, for people.

    Args:
        source: whose files.
        found: one for each file.
    """
    other = [one for one in found if not one.agrees]
    said = [f"{source.name}: {len(found) - len(other):,} of {len(found):,} files would be read as they were"]
    for one in other:
        if one.error:
            said.append(f"{source.name}: {one.key}: {one.error}")
            continue
        said.append(
            f"{source.name}: {one.key}: {one.missing:,} rows of the table would not come again, {one.added:,} would "
            f"come otherwise; {one.refused:,} would be refused ({one.rejected:,} were)"
        )
        for bad in one.examples:
            where = f"line {bad.line}" + (f", column {bad.column}" if bad.column else "")
            said.append(f"{source.name}: {one.key}: {where}: {bad.reason}")
    return said


def _verify(worker: Worker, source: Source, loaded: Loaded) -> Verified:
    attempt = Attempt(worker, source, Action("load", loaded.file, "verify"))
    reading = attempt.reading()
    fitted = reading.fit(worker.columns(source))
    if fitted.new:
        raise JourneyError(f"it has columns that the table hasn't: {', '.join(fitted.new)}")
    connection = worker.connection
    with closing(Rejects(1)) as rejects, connection.transaction(force_rollback=True):
        connection.execute(
            sql.SQL("create temporary table {} (like {}) on commit drop").format(
                sql.Identifier(COMPARED), identifier(source)
            )
        )
        connection.execute(
            sql.SQL("alter table {} alter column {} drop not null").format(
                sql.Identifier(COMPARED), sql.Identifier(FILE_ID)
            )
        )
        if not fitted.is_empty:
            table, forgotten = ("pg_temp", COMPARED), Forgotten.read(connection, source)
            copy(connection, table, reading, fitted, worker.judge, rejects, {}, ahead=True, forgotten=forgotten)
        names = [column.name for column in worker.columns(source) if column.name != FILE_ID]
        missing, added = _difference(connection, source, names, loaded.file_id)
        examples = [bad for bad, _ in zip(rejects.rows(), range(EXAMPLES), strict=False)]
        return Verified(loaded.file.key, missing, added, rejects.count, loaded.rejected, examples)


def _difference(connection: Connection[Any], source: Source, names: Sequence[str], file_id: int) -> tuple[int, int]:
    """Rows that only the table has, and rows that only the file has; as texts, which every type has."""
    row = sql.SQL("row({})::text").format(sql.SQL(", ").join(map(sql.Identifier, names)))
    there = sql.SQL("select {} from {} where {} = {}").format(
        row, identifier(source), sql.Identifier(FILE_ID), sql.Literal(file_id)
    )
    here = sql.SQL("select {} from pg_temp.{}").format(row, sql.Identifier(COMPARED))
    statement = sql.SQL(
        """select (select count(*) from ({there} except all {here}) as missing),
               (select count(*) from ({here} except all {there}) as added)"""
    )
    [(missing, added)] = connection.execute(statement.format(there=there, here=here)).fetchall()
    return int(missing), int(added)


def _loaded(connection: Connection[Any], source: Source, files: int | None) -> list[Loaded]:
    rows = connection.execute(
        """select file_id, key, etag, size_bytes, rejected_count + waived_count from (
               select *, row_number() over (order by file_id) as first,
                   row_number() over (order by file_id desc) as last
               from loader.files where schema_name = %(schema)s and table_name = %(table)s and bucket = %(bucket)s
                 and status = 'loaded') as files
           where %(files)s::integer is null or first <= %(files)s or last <= %(files)s order by file_id""",
        {**source.ids, "files": files},
    )
    return [Loaded(file_id, Listed(key, etag, size), rejected) for file_id, key, etag, size, rejected in rows]


def all_lines(sources: Sequence[Source], *, files: int | None) -> tuple[list[str], bool]:
    """What was found of several sources, and whether all of it agrees."""
    found: Mapping[str, list[Verified]] = {source.name: list(verify(source, files=files)) for source in sources}
    said = [line for source in sources for line in lines(source, found[source.name])]
    return said, all(one.agrees for ones in found.values() for one in ones)
