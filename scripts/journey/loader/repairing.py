"""`journey repair`: brings a raw table and the ledger together again, file by file; says first what it would do."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from psycopg import Connection, errors, sql

from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.reconcile import Difference, Kind, differences
from journey.loader.s3.asking import Retry
from journey.loader.s3.listing import list_objects
from journey.loader.settling import me
from journey.loader.statuses import FileStatus, RunStatus
from journey.loader.tables import ensure_table, identifier, in_words, lift_sequence

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHOWN = 50  # files of a kind
BECAUSE = "rows were gone from the table, and the file is no longer in S3"


@dataclass(frozen=True)
class Repair:
    """What there is to do for a raw table.

    Attributes:
        unknown: rows that the ledger knows no loaded file for: they go into a table of their own.
        again: files whose rows are taken out, so that the next load brings them anew.
        kept: files that are no longer in S3: what is there of them stays, and what is gone is waived.
        by_hand: files that are no longer in S3, and of which there is more than they brought: nobody knows which rows.
    """

    unknown: Sequence[Difference] = ()
    again: Sequence[Difference] = ()
    kept: Sequence[Difference] = ()
    by_hand: Sequence[Difference] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether table and ledger agree."""
        return not (self.unknown or self.again or self.kept or self.by_hand)


def decide(found: Sequence[Difference], in_s3: Collection[str]) -> Repair:
    """What to do about differences.

    Args:
        found: all of a table.
        in_s3: keys that S3 has.
    """
    known = [one for one in found if one.kind != Kind.UNKNOWN]
    gone = [one for one in known if one.key not in in_s3]
    return Repair(
        unknown=[one for one in found if one.kind == Kind.UNKNOWN],
        again=[one for one in known if one.key in in_s3],
        kept=[one for one in gone if one.kind != Kind.SURPLUS],
        by_hand=[one for one in gone if one.kind == Kind.SURPLUS],
    )


def repair(client: S3Client, source: Source, *, yes: bool = False) -> list[str]:
    """Bring a table and the ledger together.

    Args:
        client: of S3, which is asked what can be loaded again.
        source: whose table.
        yes: do it; else only say it.

    Returns:
        Lines for people.

    Raises:
        JourneyError: somebody else uses the table, or PostgreSQL or S3 fails.
    """
    in_s3 = {file.key for page in list_objects(client, source, None, Retry()) for file in page.files}
    with postgres.connect("journey repair") as connection, postgres.told("a table was repaired"):
        ledger.set_up(connection)
        try:
            if not yes:
                todo = decide(differences(connection, source), in_s3)
                return lines(source, todo) + ([] if todo.is_empty else ["nothing is done yet: add --yes"])
            ensure_table(connection, source)
            return _repair(connection, source, in_s3)
        except errors.LockNotAvailable as error:
            raise JourneyError(postgres.explain(connection, source.schema, source.table, error)) from error


def _repair(connection: Connection[Any], source: Source, in_s3: Collection[str]) -> list[str]:
    run_id = ledger.begin_run(connection, f"repair {source.name}", socket.gethostname())
    status = RunStatus.FAILED
    try:
        lift_sequence(connection)
        with connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, true)", [postgres.LOCK_TIMEOUT])
            # loads wait meanwhile, readers don't
            connection.execute(sql.SQL("lock table {} in share row exclusive mode").format(identifier(source)))
            todo = decide(differences(connection, source), in_s3)
            said = lines(source, todo)
            if todo.unknown:
                aside = _set_aside(connection, source, todo.unknown)
                said.append(f"their rows are in {aside}: drop it when you have seen them")
            _load_again(connection, source, todo.again)
            _keep(connection, source, todo.kept, run_id)
        status = RunStatus.LOADED
    finally:
        ledger.end_run(connection, run_id, status)
    return said


def _set_aside(connection: Connection[Any], source: Source, unknown: Sequence[Difference]) -> str:
    name = f"{source.table[:40]}_unknown_{datetime.now(timezone.utc):%Y%m%d%H%M%S}"
    ids = [one.file_id for one in unknown]
    aside = sql.Identifier(source.schema, name)
    statement = sql.SQL("create table {} as select * from {} where _file_id = any({})")
    connection.execute(statement.format(aside, identifier(source), sql.Literal(ids)))
    # it isn't a raw table: nothing there is of a file that the ledger will ever know
    rename = sql.SQL("alter table {} rename column {} to unknown_file_id")
    connection.execute(rename.format(aside, sql.Identifier(FILE_ID)))
    connection.execute(sql.SQL("delete from {} where _file_id = any(%s)").format(identifier(source)), [ids])
    return f"{source.schema}.{name}"


def _load_again(connection: Connection[Any], source: Source, again: Sequence[Difference]) -> None:
    ids = [one.file_id for one in again]
    connection.execute(sql.SQL("delete from {} where _file_id = any(%s)").format(identifier(source)), [ids])
    connection.execute("update loader.files set status = %s where file_id = any(%s)", [FileStatus.LOST, ids])


def _keep(connection: Connection[Any], source: Source, kept: Sequence[Difference], run_id: int) -> None:
    lost = {one.file_id: one.in_ledger - one.in_table for one in kept}
    new_ids = ledger.renew(connection, list(lost), run_id, lost, "waived")
    connection.execute(
        """update loader.files set settled_at = clock_timestamp(), settled_by = %s,
               settled_because = concat_ws('; ', settled_because, %s::text) where file_id = any(%s)""",
        [me(), BECAUSE, list(new_ids.values())],
    )
    move_rows(connection, source, new_ids)


def move_rows(connection: Connection[Any], source: Source, new_ids: dict[int, int]) -> None:
    """Give rows their files' new file_ids."""
    statement = sql.SQL(
        """update {} as rows set _file_id = new_id
           from unnest(%s::integer[], %s::integer[]) as ids (old_id, new_id) where rows._file_id = old_id"""
    ).format(identifier(source))
    connection.execute(statement, [list(new_ids), list(new_ids.values())])


def lines(source: Source, todo: Repair) -> list[str]:
    """What there is to do, for people."""
    if todo.is_empty:
        return [f"{source.name}: {in_words(source)} and the ledger agree in every file"]
    unknown = sum(one.in_table for one in todo.unknown)
    said = []
    if todo.unknown:
        said.append(
            f"{source.name}: {unknown:,} rows of {len(todo.unknown):,} versions that the ledger doesn't know as "
            "loaded: into a table of their own, because their files may be gone for good"
        )
    for kind, found in (
        ("take out the rest, the next load brings the file anew", todo.again),
        ("the file is no longer in S3: what is there stays, what is gone is waived", todo.kept),
        ("the file is no longer in S3; nobody knows which rows are too many: see to it by hand", todo.by_hand),
    ):
        said += [
            f"{source.name}: {one.key}: {one.in_table:,} of {one.in_ledger:,} rows are there: {kind}"
            for one in found[:SHOWN]
        ]
        if len(found) > SHOWN:
            said.append(f"{source.name}: and {len(found) - SHOWN:,} more files: {kind}")
    return said
