"""`journey retype`: a column gets the type that is declared by now, its values read as the declaration says."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa
from psycopg import Connection, errors, sql

from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.encoding import Encoder
from journey.loader.forgotten import Forgotten
from journey.loader.judging import Judge
from journey.loader.repairing import move_rows
from journey.loader.statuses import RunStatus
from journey.loader.tables import columns_of, identifier, in_words, table_columns, type_changes
from journey.loader.values.meaning import Column, Meaning
from journey.loader.values.text import parse
from journey.loader.views import put_back, take_away, views_on

BATCH = 50_000  # different values that are read at a time
SHOWN = 10  # of what doesn't fit
RAW_CHARACTERS = 2**20  # kept of a refused row
TEXTS = ("text", "character varying", "character")


class _Change(NamedTuple):
    """A column that gets another type.

    Attributes:
        column: with its new type, or the one that its domain is based on.
        declared: its new type, as it is declared.
        before: its type in the table.
        read: the temporary table of its different values, each read as the new type, or the reason why it can't be.
    """

    column: Column
    declared: str
    before: str
    read: sql.Identifier


def retype(source: Source, *, yes: bool = False) -> list[str]:
    """Give a table's columns the types that are declared, in one transaction, in which nobody else can use the table.

    Rows with a value that doesn't fit go to the rejected rows. Views on the table are kept. Files of which rows have a
    value in such a column get a new version and a new file_id.

    Args:
        source: whose table.
        yes: do it; else only say it.

    Returns:
        Lines for people.

    Raises:
        UsageError: there is no such table.
        JourneyError: somebody else uses the table, a view can't be kept, or PostgreSQL fails.
    """
    connect = partial(postgres.connect, "journey retype")
    with connect() as connection, postgres.told("columns got their types"):
        ledger.set_up(connection)
        if not table_columns(connection, source):
            raise UsageError(f"{source.name}: there is no table {in_words(source)} yet: `journey load` makes it")
        judge = Judge(connect)
        try:
            return _retype(connection, source, judge) if yes else _show(connection, source, judge)
        except errors.LockNotAvailable as error:
            raise JourneyError(postgres.explain(connection, source.schema, source.table, error)) from error
        finally:
            judge.close()


def _show(connection: Connection[Any], source: Source, judge: Judge) -> list[str]:
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('lock_timeout', %s, true)", [postgres.READ_LOCK_TIMEOUT])
        changes = _read_values(connection, source, judge)
        said = _lines(connection, source, changes)
        views = [f"{view.schema}.{view.name}" for view in views_on(connection, source)]
    if not changes:
        return said
    kept = [f"{source.name}: views are kept: {', '.join(views)}"] if views else []
    return [*said, *kept, "nothing is done yet: add --yes to do it; while it is done, nobody can read the table"]


def _retype(connection: Connection[Any], source: Source, judge: Judge) -> list[str]:
    run_id = ledger.begin_run(connection, f"retype {source.name}", socket.gethostname())
    status = RunStatus.FAILED
    try:
        with connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, true)", [postgres.LOCK_TIMEOUT])
            connection.execute(sql.SQL("lock table {}").format(identifier(source)))
            changes = _read_values(connection, source, judge)
            said = _lines(connection, source, changes)
            if changes:
                _change(connection, source, changes, run_id)
                ledger.record_table(
                    connection, source, type_changes(connection, source, table_columns(connection, source))
                )
        status = RunStatus.LOADED
    finally:
        ledger.end_run(connection, run_id, status)
    return said


def _read_values(connection: Connection[Any], source: Source, judge: Judge) -> list[_Change]:
    """Read each different value of the columns that aren't of their declared type."""
    table = {column.name: column for column in table_columns(connection, source)}
    declared = [column for column in source.columns if column in table]
    wrong = {change.column for change in type_changes(connection, source, [table[name] for name in table])}
    _check_persons(connection, source, {name: table[name].type for name in wrong})
    changes = []
    for position, name in enumerate(name for name in declared if name in wrong):
        read = sql.Identifier(f"retyped_{position}")
        declared_type = sql.SQL(source.columns[name])
        statement = sql.SQL("create temporary table {} (given text, value {}, reason text) on commit drop")
        connection.execute(statement.format(read, declared_type))
        [_, value, _] = columns_of(connection, read)  # of a domain its base type, which takes null for what is refused
        connection.execute(sql.SQL("alter table {} alter value type {}").format(read, sql.SQL(value.type)))
        is_text = table[name].type.startswith(TEXTS)
        meaning = source.own_meanings.get(name, source.meaning) if is_text else Meaning()
        column = Column(name, value.type, meaning, value.oid, value.modifier)
        change = _Change(column, source.columns[name], table[name].type, read)
        _fill(connection, source, change, judge)
        changes.append(change)
    return changes


def _check_persons(connection: Connection[Any], source: Source, before: dict[str, str]) -> None:
    """Refuse what nobody could be known by any more: `0889` and `889` are two ids as texts, and one as numbers.

    Args:
        connection: to the ledger.
        source: whose table.
        before: types of the columns that change, by name.

    Raises:
        JourneyError: ids become numbers, and somebody was forgotten by an id that is a text.
    """
    for name, kind in before.items():
        become_numbers = name in source.persons and kind.startswith(TEXTS) and source.columns[name] != "text"
        if become_numbers and Forgotten.read(connection, source):
            raise JourneyError(
                f"{source.name}: column {name!r} stays {kind}: persons who were forgotten are known by their ids as "
                "texts, and would come back with numbers. Declare it text, and cast it in staging"
            )


def _fill(connection: Connection[Any], source: Source, change: _Change, judge: Judge) -> None:
    column, nulls = change.column, set(change.column.meaning.null_values)
    columns = [Column("given", "text"), column._replace(name="value"), Column("reason", "text")]
    statement = sql.SQL("select distinct {column}::text from {table} where {column} is not null")
    with connection.cursor("given_values") as cursor:
        cursor.execute(statement.format(column=sql.Identifier(column.name), table=identifier(source)))
        while rows := cursor.fetchmany(BATCH):
            given = [row[0] for row in rows]
            array, refused = parse(pa.array([None if text in nulls else text for text in given], pa.string()), column)
            reasons = dict(refused) | {row: said for row, (_, said) in judge.refuse([array], [column]).items()}
            if reasons:
                mask = pa.array([row in reasons for row in range(len(given))])
                array = pa.compute.if_else(mask, pa.scalar(None, array.type), array)
            said = pa.array([reasons.get(row) for row in range(len(given))], pa.string())
            _copy(connection, change.read, Encoder(columns), [pa.array(given, pa.string()), array, said])
    connection.execute(sql.SQL("create index on {read} using hash (given); analyze {read}").format(read=change.read))


def _copy(connection: Connection[Any], read: sql.Identifier, encoder: Encoder, arrays: Sequence[pa.Array]) -> None:
    table = read.as_string(connection).strip('"')
    with connection.cursor().copy(encoder.statement("pg_temp", table)) as copy:
        copy.write(encoder.begin())
        for chunk in encoder.rows(arrays):
            copy.write(chunk)
        copy.write(encoder.end())


def _lines(connection: Connection[Any], source: Source, changes: Sequence[_Change]) -> list[str]:
    if not changes:
        return [f"{source.name}: every column of {in_words(source)} has its declared type"]
    said = []
    for change in changes:
        column = change.column
        parts = {"table": identifier(source), "column": sql.Identifier(column.name), "read": change.read}
        [(files, rows)] = connection.execute(
            sql.SQL("select count(distinct _file_id), count(*) from {table} where {column} is not null").format(**parts)
        ).fetchall()
        said.append(
            f"{source.name}: column {column.name!r}: {change.before} becomes {change.declared}: "
            f"{rows:,} values in {files:,} files, which get a new version"
        )
        bad = connection.execute(
            sql.SQL(
                """select key, count(*), min(reason) from {table} as rows join {read} on {column}::text = given
                       left join loader.files on file_id = _file_id
                   where reason is not null group by key order by 2 desc, 1"""
            ).format(**parts)
        ).fetchall()
        said += [f"{source.name}: {key}: {count:,} rows are refused: {reason}" for key, count, reason in bad[:SHOWN]]
        if len(bad) > SHOWN:
            said.append(f"{source.name}: and rows of {len(bad) - SHOWN:,} more files are refused")
    return said


def _change(connection: Connection[Any], source: Source, changes: Sequence[_Change], run_id: int) -> None:
    views = views_on(connection, source)
    take_away(connection, source, views)
    table = identifier(source)
    filled = sql.SQL(" or ").join(sql.SQL("{} is not null").format(sql.Identifier(one.column.name)) for one in changes)
    touched = connection.execute(
        sql.SQL("select distinct _file_id from {} where {} order by 1").format(table, filled)
    ).fetchall()
    lost: dict[int, int] = {}
    refused: list[tuple[int, str, str, str]] = []
    for change in changes:
        bad = connection.execute(
            sql.SQL(
                """delete from {table} as rows using {read} where {column}::text = given and reason is not null
                   returning _file_id, reason, left((to_jsonb(rows) - {file_id})::text, {most})"""
            ).format(
                table=table, read=change.read, column=sql.Identifier(change.column.name), file_id=sql.Literal(FILE_ID),
                most=sql.Literal(RAW_CHARACTERS),
            )
        ).fetchall()  # fmt: skip
        for file_id, reason, raw in bad:
            lost[file_id] = lost.get(file_id, 0) + 1
            refused.append((file_id, change.column.name, reason, raw))
    new_ids = ledger.renew(connection, [file_id for (file_id,) in touched], run_id, lost)
    connection.cursor().executemany(
        """insert into loader.rejected_rows (file_id, line_number, column_name, reason, raw_text)
           values (%s, null, %s, %s, %s)""",
        [(new_ids[file_id], *rest) for file_id, *rest in refused],
    )
    move_rows(connection, source, new_ids)
    _set_values(connection, source, changes)
    put_back(connection, views)


def _set_values(connection: Connection[Any], source: Source, changes: Sequence[_Change]) -> None:
    """Through text, which each type gives back as it was: only so a column keeps its place in the table."""
    table = identifier(source)
    for change in changes:
        names = {"table": table, "column": sql.Identifier(change.column.name), "read": change.read}
        if not change.before.startswith(TEXTS):
            connection.execute(sql.SQL("alter table {table} alter column {column} type text").format(**names))
        connection.execute(
            sql.SQL("update {table} as rows set {column} = value::text from {read} where rows.{column} = given").format(
                **names
            )
        )
        kind = sql.SQL(change.declared)
        connection.execute(
            sql.SQL("alter table {table} alter column {column} type {kind} using {column}::{kind}").format(
                **names, kind=kind
            )
        )
