"""The ledger: which file gave which rows, what was refused, how files drifted. All SQL but COPY's is here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection, sql
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from journey.loader.columns import Change, TableColumn
from journey.loader.sources import Source
from journey.loader.storage import Listed

DDL_LOCK = 7_310_001  # advisory locks: (class, …) for tables, runs; one bigint for a file, a content
RUN_LOCK = 7_310_002
ANALYZE_SHARE = 0.1  # of a table's rows must be new before its statistics are renewed
_dumps = partial(json.dumps, default=str)  # times as text
LOCK_TIMEOUT = "10s"  # a queue behind a long reader must not stop every other reader


class Rejected(NamedTuple):
    """A row that PostgreSQL refused.

    Attributes:
        line: line (CSV, JSON lines) or row (Parquet) of the file, from 1.
        column: column of the table, where known.
        reason: what PostgreSQL or the parser said.
        raw: the row as the file has it.
    """

    line: int
    column: str | None
    reason: str
    raw: str


class Known(NamedTuple):
    """What the ledger says of a key.

    Attributes:
        loaded_id: file_id of the version whose rows are in the table; None if none are.
        loaded_etag: its ETag.
        duplicate_etag: version that was passed over for its content, as long as what it repeats is still loaded.
        failed_etag: version that failed and wasn't loaded since.
    """

    loaded_id: int | None = None
    loaded_etag: str | None = None
    duplicate_etag: str | None = None
    failed_etag: str | None = None


def set_up(connection: Connection[Any]) -> None:
    """Create the ledger where it isn't there yet."""
    if connection.execute("select to_regprocedure('loader.take_file(text, text, text, text)')").fetchone() == (None,):
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [DDL_LOCK])
            connection.execute(Path(__file__).with_name("ledger.sql").read_bytes())


def begin_run(connection: Connection[Any], selected: str, host: str) -> int:
    """Open a run; runs that died without closing theirs are marked. The connection holds the run's lock until it ends.

    Returns:
        The run_id.
    """
    connection.execute(
        """update loader.runs set status = 'killed', finished_at = clock_timestamp() where status = 'running'
           and not exists (select from pg_locks where locktype = 'advisory' and classid = %s and objid = run_id
                           and database = (select oid from pg_database where datname = current_database()))""",
        [RUN_LOCK],
    )
    with connection.transaction():
        statement = "insert into loader.runs (selected, host) values (%s, %s) returning run_id"
        [(run_id,)] = connection.execute(statement, [selected, host]).fetchall()
        connection.execute("select pg_try_advisory_lock(%s, %s)", [RUN_LOCK, run_id])
    return int(run_id)


def end_run(connection: Connection[Any], run_id: int, status: str) -> None:
    """Close a run: loaded, failed or interrupted."""
    statement = "update loader.runs set status = %s, finished_at = clock_timestamp() where run_id = %s"
    connection.execute(statement, [status, run_id])


def is_usable(connection: Connection[Any]) -> bool:
    """Whether a connection waits for the next statement: one that broke is not always closed."""
    return not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE


def backend(connection: Connection[Any]) -> tuple[int, datetime]:
    """The server's process for a connection: its number, and when it started."""
    statement = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()"
    [(pid, started)] = connection.execute(statement).fetchall()
    return pid, started


def end_backend(connection: Connection[Any], lost: tuple[int, datetime]) -> None:
    """End the process of a lost connection, which may not have noticed yet and hold a file's lock; wait for its end."""
    statement = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where (pid, backend_start) = (%s, %s)"
    connection.execute(statement, lost)


def known(connection: Connection[Any], source: Source, keys: Sequence[str]) -> dict[str, Known]:
    """What the ledger says of these keys; nothing of a key means that it's new."""
    rows = connection.execute(
        """select key, max(file_id) filter (where status = 'loaded'), max(etag) filter (where status = 'loaded'),
               max(etag) filter (where status = 'duplicate' and exists (
                   select from loader.files as original
                   where original.file_id = files.duplicate_of and original.status = 'loaded')),
               max(etag) filter (where status = 'failed')
           from loader.files
           where table_name = %(table)s and schema_name = %(schema)s and bucket = %(bucket)s and key = any(%(keys)s)
             and status in ('loaded', 'failed', 'duplicate')
           group by key""",
        {**source.ids, "keys": list(keys)},
    )
    return {key: Known(*rest) for key, *rest in rows}


def loaded_files(connection: Connection[Any], source: Source) -> Iterable[Listed]:
    """Every file whose rows are in the source's table."""
    rows = connection.execute(
        """select key, etag, size_bytes from loader.files where table_name = %(table)s and schema_name = %(schema)s
             and bucket = %(bucket)s and status = 'loaded'""",
        source.ids,
    )
    return [Listed(*row) for row in rows]


def overlap_key(connection: Connection[Any], source: Source) -> str | None:
    """The last loaded key but `list_overlap`: listing starts after it."""
    row = connection.execute(
        """select key from loader.files where table_name = %(table)s and schema_name = %(schema)s
             and bucket = %(bucket)s and status = 'loaded' and starts_with(key, %(prefix)s)
           order by key desc offset %(overlap)s limit 1""",
        {**source.ids, "prefix": source.prefix, "overlap": source.options.list_overlap},
    ).fetchone()
    return row[0] if row else None


def loaded_by(connection: Connection[Any], file_id: int | None, run_id: int) -> tuple[int, int] | None:
    """Rows and rejects of a file, if this run has loaded it."""
    statement = "select row_count, rejected_count from loader.files where file_id = %s and run_id = %s"
    return connection.execute(statement, [file_id, run_id]).fetchone()


def ensure_table(connection: Connection[Any], source: Source) -> list[TableColumn]:
    """The raw table's columns, after creating what is declared and missing. Nothing is ever dropped or retyped."""
    have = table_columns(connection, source)
    if have and source.columns.keys() <= {column.name for column in have}:
        return have
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [DDL_LOCK])
        if not table_columns(connection, source):
            # The index is tiny: with it, replacing a file and dbt's "what is new" need no full scan.
            statement = sql.SQL(
                """create schema if not exists {schema};
                   create table {table} ({columns}, _file_id integer not null default loader.current_file_id());
                   create index on {table} using brin (_file_id)"""
            )
            columns = sql.SQL(", ").join(_column(*column) for column in source.columns.items())
            names = {"schema": sql.Identifier(source.schema), "table": _table(source), "columns": columns}
            connection.execute(statement.format(**names))
        add_columns(connection, source, source.columns)
    return table_columns(connection, source)


def add_columns(connection: Connection[Any], source: Source, columns: Mapping[str, str]) -> None:
    """Add those columns that the table hasn't, each of its type."""
    have = {column.name for column in table_columns(connection, source)}
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        for name in [name for name in columns if name not in have]:
            statement = sql.SQL("alter table {} add column if not exists {}")
            connection.execute(statement.format(_table(source), _column(name, columns[name])))


def table_columns(connection: Connection[Any], source: Source) -> list[TableColumn]:
    """The raw table's columns, `_file_id` included; none if there is no such table."""
    rows = connection.execute(
        """select attname, format_type(atttypid, atttypmod), atttypid::integer, atttypmod from pg_attribute
           where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum""",
        [_table(source).as_string(connection)],
    )
    return [TableColumn(*row) for row in rows]


def type_changes(connection: Connection[Any], source: Source, table: Sequence[TableColumn]) -> list[Change]:
    """The columns whose type in the table isn't the declared one.

    Raises:
        psycopg.Error: PostgreSQL doesn't know a declared type.
    """
    casts = sql.SQL(", ").join(
        sql.SQL("cast(null as {}) as {}").format(sql.SQL(kind), sql.Identifier(name))
        for name, kind in source.columns.items()
    )
    result = connection.execute(sql.SQL("select {} limit 0").format(casts)).pgresult
    columns = {column.name: column for column in table}
    changes = []
    for i, (name, kind) in enumerate(source.columns.items()):
        column = columns[name]
        if result and (result.ftype(i), result.fmod(i)) != (column.oid, column.modifier):
            detail = f"declared {kind}, but the table has {column.type}, which is kept: alter it by hand"
            changes.append(Change("type", name, detail))
    return changes


def record_changes(connection: Connection[Any], source: Source, key: str, changes: Iterable[Change]) -> None:
    """Record drift: once for each column and kind, with the first and the last file that showed it."""
    with connection.transaction():
        connection.cursor().executemany(
            """insert into loader.schema_changes
                   (schema_name, table_name, first_key, last_key, change, column_name, detail)
               values (%s, %s, %s, %s, %s, %s, %s)
               on conflict (schema_name, table_name, change, column_name) do update
               set detail = excluded.detail, last_key = excluded.last_key, last_seen_at = clock_timestamp()""",
            [(source.schema, source.table, key, key, *change) for change in changes],
        )


class Taken(NamedTuple):
    """A file that a transaction wants to load.

    Attributes:
        is_ours: whether we have its lock until the transaction ends, or else another run.
        file_id: a new one, which COPY gives to every row from here to the end of the transaction.
        loaded_id: file_id of the version that is loaded, if any is.
        loaded_etag: its ETag.
    """

    is_ours: bool
    file_id: int
    loaded_id: int | None
    loaded_etag: str | None


def take(connection: Connection[Any], source: Source, keys: Sequence[str]) -> dict[str, Taken]:
    """Lock files, and then look what is loaded of them."""
    rows = connection.execute(
        """select key, taken.* from unnest(%(keys)s::text[]) as key,
               loader.take_file(%(schema)s, %(table)s, %(bucket)s, key) as taken""",
        {**source.ids, "keys": list(keys)},
    )
    return {key: Taken(*rest) for key, *rest in rows}


def same_content(connection: Connection[Any], source: Source, content_hash: str | None, key: str) -> int | None:
    """The loaded file of the table that has the same content under another key, if any.

    Waits for the content's lock, which goes with the transaction: the same bytes under two keys are looked at one after
    the other.
    """
    if content_hash is None:
        return None
    names = {**source.ids, "key": key, "hash": content_hash}
    connection.execute(
        """select pg_advisory_xact_lock(hashtextextended(
               concat_ws(' ', %(schema)s::text, %(table)s::text, %(hash)s::text), 7310004))""",
        names,
    )
    row = connection.execute(
        """select file_id from loader.files where content_hash = %(hash)s and schema_name = %(schema)s
             and table_name = %(table)s and key <> %(key)s and status = 'loaded' limit 1""",
        names,
    ).fetchone()
    return int(row[0]) if row else None


def remove_rows(connection: Connection[Any], source: Source, file_id: int, status: str) -> None:
    """Take a file's rows out of its table; its ledger row stays, as `replaced` or `removed`."""
    connection.execute(sql.SQL("delete from {} where _file_id = %s").format(_table(source)), [file_id])
    connection.execute("update loader.files set status = %s where file_id = %s", [status, file_id])


def write(connection: Connection[Any], source: Source, files: Sequence[tuple[Listed, Mapping[str, Any]]]) -> list[int]:
    """Write files' ledger rows; earlier failures of the same keys are settled by it.

    Args:
        files: each with the other columns of loader.files; without a file_id it gets one.

    Returns:
        Their file_ids.
    """
    rows = [
        {"key": file.key, "etag": file.etag, "size_bytes": file.size, "row_count": 0, "rejected_count": 0, **columns}
        for file, columns in files
    ]
    written = connection.execute(
        """with written as (
               select * from jsonb_populate_recordset(null::loader.files, %(rows)s)),
           settled as (
               update loader.files set status = 'retried'
               where table_name = %(table)s and schema_name = %(schema)s and bucket = %(bucket)s
                 and key = any(%(keys)s) and status in ('failed', 'duplicate'))
           insert into loader.files
               (file_id, schema_name, table_name, bucket, key, etag, version_id, content_hash, duplicate_of, size_bytes,
                row_count, rejected_count, run_id, started_at, status, error)
           select coalesce(file_id, nextval('loader.files_file_id_seq')), %(schema)s, %(table)s, %(bucket)s, key, etag,
               version_id, content_hash, duplicate_of, size_bytes, row_count, rejected_count, run_id, started_at,
               status, error
           from written
           returning file_id""",
        {**source.ids, "keys": [file.key for file, _ in files], "rows": Jsonb(rows, dumps=_dumps)},
    )
    return [file_id for (file_id,) in written]


def write_rejected(connection: Connection[Any], file_id: int, rejected: Sequence[Rejected]) -> None:
    """Keep refused rows."""
    if rejected:
        statement = "copy loader.rejected_rows (file_id, line_number, column_name, reason, raw_text) from stdin"
        with connection.cursor().copy(statement) as copy:
            for bad in rejected:
                copy.write_row((file_id, *bad))


def finish_table(connection: Connection[Any], source: Source, new_rows: int) -> None:
    """After a load: statistics for the planner if many rows are new, else the index on `_file_id` takes in the few.

    Autovacuum does the index after a large load, for which it would have to read all of it again.
    """
    name = _table(source).as_string(connection)
    [(rows,)] = connection.execute("select reltuples from pg_class where oid = to_regclass(%s)", [name]).fetchall()
    if new_rows >= max(rows, 0) * ANALYZE_SHARE:
        # Raw tables are read whole, so 9,000 sampled rows tell enough.
        connection.execute(sql.SQL("set default_statistics_target to 30; analyze {}").format(_table(source)))
    else:
        connection.execute(
            """select brin_summarize_new_values(indexrelid) from pg_index join pg_class on pg_class.oid = indexrelid
               where indrelid = to_regclass(%s) and relam = (select oid from pg_am where amname = 'brin')""",
            [name],
        )


class TableStatus(NamedTuple):
    """How a raw table stands.

    Attributes:
        files: files whose rows are in it.
        rows: their rows.
        rejected: rows of theirs that were refused.
        newest_key: the file that came last.
        lag_seconds: since it came; None if none came.
        failed: key and error of each file that failed and wasn't loaded since.
        changes: drift: kind, column and detail.
    """

    files: int
    rows: int
    rejected: int
    newest_key: str | None
    lag_seconds: float | None
    failed: Sequence[tuple[str, str]]
    changes: Sequence[tuple[str, str, str]]


def table_status(connection: Connection[Any], source: Source) -> TableStatus:
    """How a table stands."""
    [(files, rows, rejected, key, lag)] = connection.execute(
        """select count(*), coalesce(sum(row_count), 0)::bigint, coalesce(sum(rejected_count), 0)::bigint,
               (array_agg(key order by finished_at desc))[1],
               extract(epoch from clock_timestamp() - max(finished_at))::float8
           from loader.files where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded'""",
        source.ids,
    ).fetchall()
    failed = connection.execute(
        """select key, coalesce(error, '') from loader.files
           where schema_name = %(schema)s and table_name = %(table)s and status = 'failed' order by key""",
        source.ids,
    ).fetchall()
    changes = connection.execute(
        """select change, column_name, detail from loader.schema_changes
           where schema_name = %(schema)s and table_name = %(table)s order by first_seen_at, column_name""",
        source.ids,
    ).fetchall()
    return TableStatus(files, rows, rejected, key, lag, failed, changes)


def _table(source: Source) -> sql.Identifier:
    return sql.Identifier(source.schema, source.table)


def _column(name: str, data_type: str) -> sql.Composed:
    kind = sql.SQL(data_type)  # checked against sources.DATA_TYPE
    return sql.SQL("{} {}").format(sql.Identifier(name), kind)
