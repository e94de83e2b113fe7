"""The raw tables: made, given what columns they lack, looked at. Nothing is ever dropped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import Connection, errors, sql

from journey.errors import UsageError
from journey.loader.columns import Change, TableColumn
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.errors import one_line
from journey.loader.postgres import DDL_LOCK, LOCK_TIMEOUT
from journey.loader.statuses import ChangeKind

ANALYZE_SHARE = 0.1  # of a table's rows must be new before its statistics are renewed
QUICK_LOOK = "set local lock_timeout to '1s'; set local statement_timeout to '500ms'; set local enable_seqscan to off"


def identifier(source: Source) -> sql.Identifier:
    """A source's raw table, for SQL."""
    return sql.Identifier(source.schema, source.table)


def in_words(source: Source) -> str:
    """A source's raw table, for messages."""
    return f"{source.schema}.{source.table}"


def table_columns(connection: Connection[Any], source: Source) -> list[TableColumn]:
    """The raw table's columns, `_file_id` included; none if there is no such table."""
    return columns_of(connection, identifier(source))


def columns_of(connection: Connection[Any], table: sql.Identifier) -> list[TableColumn]:
    """A table's columns; a domain is its base type, whose values are its own."""
    rows = connection.execute(
        """with recursive based as (
               select attnum, attname, atttypid as type, atttypmod as modifier from pg_attribute
               where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
               union all
               select attnum, attname, typbasetype, typtypmod from based join pg_type on oid = type and typtype = 'd')
           select attname, format_type(type, modifier), type::integer, modifier
           from based join pg_type on oid = type and typtype <> 'd' order by attnum""",
        [table.as_string(connection)],
    )
    return [TableColumn(*row) for row in rows]


def ensure_table(connection: Connection[Any], source: Source) -> list[TableColumn]:
    """The raw table's columns, after making what is declared and missing. Nothing is ever dropped or retyped.

    Raises:
        UsageError: the table can't be the loader's, or has a declared column under another spelling.
    """
    have = table_columns(connection, source)
    names = {column.name for column in have}
    if have:
        _check_spelling(source, names)
    if have and source.columns.keys() <= names and _has_default(connection, source):
        return have
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        connection.execute("select pg_advisory_xact_lock(%s)", [DDL_LOCK])
        if not table_columns(connection, source):
            statement = sql.SQL(
                "create table {table} ({columns}, _file_id integer not null default loader.current_file_id())"
            )
            columns = sql.SQL(", ").join(_column(*column) for column in source.columns.items())
            _make_schema(connection, source.schema)
            connection.execute(statement.format(table=identifier(source), columns=columns))
        add_columns(connection, source, source.columns)
        if not _has_default(connection, source):  # it went with the schema `loader`, or the table isn't of our making
            statement = sql.SQL("alter table {} alter column _file_id set default loader.current_file_id()")
            connection.execute(statement.format(identifier(source)))
    return table_columns(connection, source)


def _make_schema(connection: Connection[Any], schema: str) -> None:
    """Make a schema where it is missing: `if not exists` alone asks for a right that isn't needed then."""
    if connection.execute("select to_regnamespace(quote_ident(%s))", [schema]).fetchone() == (None,):
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))


def _check_spelling(source: Source, names: set[str]) -> None:
    """Refuse what would put an empty column beside a full one.

    Raises:
        UsageError: with the statement that mends it.
    """
    where = f"{source.declared_in}: source {source.name}: "
    if FILE_ID not in names:
        raise UsageError(f"{where}{in_words(source)} has no column {FILE_ID}, so it isn't a table that the loader made")
    for name in source.columns:
        for other in names - source.columns.keys():
            if name not in names and name.lower() == other.lower():
                table, old, new = (sql.Identifier(*parts).as_string(None) for parts in
                                   ((source.schema, source.table), (other,), (name,)))  # fmt: skip
                raise UsageError(
                    f"{where}column {name!r} is declared, and the table has {other!r}: "
                    f"alter table {table} rename column {old} to {new}"
                )


def _has_default(connection: Connection[Any], source: Source) -> bool:
    row = connection.execute(
        "select atthasdef from pg_attribute where attrelid = to_regclass(%s) and attname = %s",
        [identifier(source).as_string(connection), FILE_ID],
    ).fetchone()
    return bool(row and row[0])


def add_columns(connection: Connection[Any], source: Source, columns: Mapping[str, str]) -> None:
    """Add those columns that the table hasn't, each of its type."""
    have = {column.name for column in table_columns(connection, source)}
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        for name in [name for name in columns if name not in have]:
            statement = sql.SQL("alter table {} add column if not exists {}")
            connection.execute(statement.format(identifier(source), _column(name, columns[name])))


def type_changes(connection: Connection[Any], source: Source, table: Sequence[TableColumn]) -> list[Change]:
    """The columns whose type in the table isn't the declared one.

    Raises:
        UsageError: PostgreSQL doesn't know a declared type.
    """
    casts = sql.SQL(", ").join(
        sql.SQL("cast(null as {}) as {}").format(sql.SQL(kind), sql.Identifier(name))
        for name, kind in source.columns.items()
    )
    try:
        with connection.transaction():
            result = connection.execute(sql.SQL("select {} limit 0").format(casts)).pgresult
    except (errors.ProgrammingError, errors.DataError) as error:  # a lost connection isn't the declaration's fault
        raise refused_type(connection, source, error) from error
    columns = {column.name: column for column in table}
    changes = []
    for i, (name, kind) in enumerate(source.columns.items()):
        column = columns[name]
        if result and (result.ftype(i), result.fmod(i)) != (column.oid, column.modifier):
            detail = (
                f"declared {kind}, but the table has {column.type}: `journey retype {source.name}` gives it its type"
            )
            changes.append(Change(ChangeKind.TYPE, name, detail))
    return changes


def refused_type(connection: Connection[Any], source: Source, error: psycopg.Error) -> UsageError:
    """What to say of a declaration of which PostgreSQL refuses a type: which column it is."""
    where = f"{source.declared_in}: source {source.name}"
    for name, kind in source.columns.items():
        try:
            with connection.transaction():
                connection.execute(sql.SQL("select cast(null as {})").format(sql.SQL(kind)))
        except (errors.ProgrammingError, errors.DataError) as found:
            return UsageError(f"{where}: column {name!r}: data_type {kind}: {one_line(found)}")
    return UsageError(f"{where}: {one_line(error)}")


def take_types(connection: Connection[Any], source: Source, changes: Sequence[Change]) -> bool:
    """Give a table that has no row the types that are declared by now: there is nothing to read again.

    Args:
        changes: of `type_changes`.

    Returns:
        Whether it did: not if there are rows, if a view reads the table, or somebody else has it in hand.
    """
    if any(change.column in source.persons for change in changes):
        return False  # who was forgotten is known by an id of the type that it had
    filled = sql.SQL("select from {} limit 1").format(identifier(source))
    if not changes or connection.execute(filled).fetchone() is not None:
        return False
    with suppress(errors.LockNotAvailable, errors.FeatureNotSupported), connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        connection.execute(sql.SQL("lock table {}").format(identifier(source)))
        if connection.execute(filled).fetchone() is None:
            typed = sql.SQL("alter column {name} type {kind} using null")
            columns = sql.SQL(", ").join(
                typed.format(name=sql.Identifier(change.column), kind=sql.SQL(source.columns[change.column]))
                for change in changes
            )
            connection.execute(sql.SQL("alter table {} {}").format(identifier(source), columns))
            return True
    return False


def finish_table(connection: Connection[Any], source: Source, new_rows: int) -> None:
    """After a load: statistics for the planner if many rows are new, else the index on `_file_id` takes in the few.

    Autovacuum does the index after a large load, for which it would have to read all of it again. The first load makes
    it: kept up row by row, it is an eighth of the server's work.
    """
    name = identifier(source).as_string(connection)
    _ensure_index(connection, source)
    [(rows,)] = connection.execute("select reltuples from pg_class where oid = to_regclass(%s)", [name]).fetchall()
    if new_rows >= max(rows, 0) * ANALYZE_SHARE:
        with connection.transaction():
            # Raw tables are read whole, so 9,000 sampled rows tell enough.
            connection.execute("set local default_statistics_target to 30")
            connection.execute(sql.SQL("analyze {}").format(identifier(source)))
    else:
        connection.execute(
            """select brin_summarize_new_values(indexrelid) from pg_index join pg_class on pg_class.oid = indexrelid
               where indrelid = to_regclass(%s) and relam = (select oid from pg_am where amname = 'brin')""",
            [name],
        )


def _ensure_index(connection: Connection[Any], source: Source) -> None:
    """Index the table by `_file_id`: replacing a file and dbt's "what is new" need no full scan then.

    Files are loaded side by side, so blocks hold rows of several, whose ids may lie far apart. The index therefore
    keeps up to 32 values of a range of blocks, and not its least and its greatest, as that of earlier versions did.
    """
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        connection.execute("select pg_advisory_xact_lock(%s)", [DDL_LOCK])
        found = connection.execute(
            """select indexrelid::regclass::text, opcname = 'int4_minmax_ops' from pg_index
                   join pg_attribute on attrelid = indrelid and attnum = indkey[0]
                   join pg_opclass on pg_opclass.oid = indclass[0]
               where indrelid = to_regclass(%s) and attname = %s""",
            [identifier(source).as_string(connection), FILE_ID],
        ).fetchall()
        if all(is_former for _, is_former in found):
            statement = "create index on {} using brin (_file_id int4_minmax_multi_ops)"
            connection.execute(sql.SQL(statement).format(identifier(source)))
    for name in [name for name, is_former in found if is_former]:
        with connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            connection.execute(f"drop index if exists {name}".encode())


def lift_sequence(connection: Connection[Any], *, quickly: bool = False) -> None:
    """Let no new file get a file_id that rows of any raw table have already: a ledger may be younger than its rows.

    Args:
        quickly: look only where an index on `_file_id` tells, and not for long: a table that is locked, or of which
            much is new, is passed over. Else a locked table raises LockNotAvailable.
    """
    tables = connection.execute(
        """select nspname, relname from pg_attribute
               join pg_class on pg_class.oid = attrelid join pg_namespace on pg_namespace.oid = relnamespace
           where attname = %s and relkind in ('r', 'p') and atttypid = 'integer'::regtype and nspname <> 'loader'
             and has_table_privilege(attrelid, 'select') and has_schema_privilege(relnamespace, 'usage')
             and (not %s or exists (
                 select from pg_index join pg_class as index on index.oid = indexrelid
                 where indrelid = attrelid and indkey[0] = attnum
                   and index.relam = (select oid from pg_am where amname = 'brin')))""",
        [FILE_ID, quickly],
    ).fetchall()
    statement = sql.SQL(
        """select setval('loader.files_file_id_seq', highest)
           from (select max(_file_id) as highest from {}
                 where _file_id > (select last_value from loader.files_file_id_seq)) as rows
           where highest is not null"""
    )
    limits = QUICK_LOOK if quickly else f"set local lock_timeout to '{LOCK_TIMEOUT}'"
    for table in tables:
        with suppress(*([errors.LockNotAvailable, errors.QueryCanceled] if quickly else [])), connection.transaction():
            connection.execute(limits)
            connection.execute(statement.format(sql.Identifier(*table)))


def _column(name: str, data_type: str) -> sql.Composed:
    kind = sql.SQL(data_type)  # checked against sources.DATA_TYPE
    return sql.SQL("{} {}").format(sql.Identifier(name), kind)
