"""How files and tables differ from what is declared; what is over is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection

from journey.loader.columns import Change, TableColumn
from journey.loader.declaration.sources import Source
from journey.loader.statuses import ChangeKind


def record_changes(connection: Connection[Any], source: Source, key: str, changes: Iterable[Change]) -> None:
    """Record drift: once for each column and kind, with the first and the last file that showed it. It is open again.

    Args:
        key: of the file that shows it; nothing for the table.
    """
    with connection.transaction():
        connection.cursor().executemany(
            """insert into loader.schema_changes
                   (schema_name, table_name, first_key, last_key, change, column_name, detail)
               values (%s, %s, %s, %s, %s, %s, %s)
               on conflict (schema_name, table_name, change, column_name) do update
               set detail = excluded.detail, last_key = excluded.last_key, last_seen_at = clock_timestamp(),
                   closed_at = null""",
            [(source.schema, source.table, key, key, *change) for change in changes],
        )


def record_table(connection: Connection[Any], source: Source, changes: Sequence[Change]) -> None:
    """Record how the table's types differ from the declared ones, and close what the declaration has made right.

    Closed are differences of types that are gone, new columns that are declared by now and of their type, and what
    is said of columns that are declared no more.

    Args:
        changes: of `tables.type_changes`: all that there are now.
    """
    record_changes(connection, source, "", changes)
    connection.execute(
        """update loader.schema_changes set closed_at = clock_timestamp()
           where schema_name = %(schema)s and table_name = %(table)s and closed_at is null
             and case
                 when change = 'type' and last_key = '' then column_name <> all(%(now)s)
                 when change = 'new' then column_name = any(%(declared)s) and column_name <> all(%(now)s)
                 else column_name <> all(%(declared)s) end""",
        {**source.ids, "now": [change.column for change in changes], "declared": list(source.columns)},
    )


def record_declared_since(connection: Connection[Any], source: Source, before: Sequence[TableColumn]) -> list[Change]:
    """Record the declared columns that a table lacked while files were loaded into it: their rows have null there.

    Args:
        before: the table's columns before it got those that are declared.

    Returns:
        What was recorded.
    """
    names = {column.name for column in before}
    added = [name for name in source.columns if name not in names] if before else []
    [(files, newest)] = connection.execute(
        """select count(*), (array_agg(key order by file_id desc))[1] from loader.files
           where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded' and row_count > 0""",
        source.ids,
    ).fetchall()
    detail = (
        f"null in all rows of {files} files, which were loaded before it was declared: "
        f"`journey reload {source.name}` fills it if they have it; if not, see how it is spelled"
    )
    changes = [Change(ChangeKind.MISSING, name, detail) for name in added if files]
    record_changes(connection, source, newest, changes)
    return changes


def close_changes(connection: Connection[Any], source: Source, run_id: int) -> None:
    """After a table's files were loaded: close what none of them showed, if any was loaded."""
    connection.execute(
        """update loader.schema_changes set closed_at = clock_timestamp()
           from loader.runs
           where run_id = %(run)s and schema_name = %(schema)s and table_name = %(table)s and closed_at is null
             and last_seen_at < runs.started_at and last_key <> ''
             and exists (select from loader.files
                         where files.schema_name = %(schema)s and files.table_name = %(table)s
                           and files.status = 'loaded' and files.finished_at >= runs.started_at
                           and files.run_id = runs.run_id)""",
        {**source.ids, "run": run_id},
    )
