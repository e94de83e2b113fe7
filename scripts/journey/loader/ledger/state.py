"""How a raw table stands, as the ledger has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from journey.loader.declaration.sources import Source


class Drift(NamedTuple):
    """One way in which files, or the table, differ from what is declared.

    Attributes:
        change: its kind.
        column: the column.
        detail: what a person should know.
        closed_at: when it was over; None while it isn't.
    """

    change: str
    column: str
    detail: str
    closed_at: datetime | None


class TableStatus(NamedTuple):
    """How a raw table stands. Of the files that are loaded, delivered = rows + rejected + waived + withheld.

    Attributes:
        files: files whose rows are in it.
        delivered: rows that they brought.
        rows: those that are in the table.
        rejected: those that were refused and are open.
        waived: those that were let go.
        withheld: those of persons who were forgotten.
        newest_key: the file that came last.
        lag_seconds: since it came; None if none came.
        failed: key and error of each file that failed and wasn't loaded since.
        settled: key and reason of the last ten failures that ended without being loaded.
        changes: drift, open and over.
    """

    files: int
    delivered: int
    rows: int
    rejected: int
    waived: int
    withheld: int
    newest_key: str | None
    lag_seconds: float | None
    failed: Sequence[tuple[str, str]]
    settled: Sequence[tuple[str, str]]
    changes: Sequence[Drift]


def table_status(connection: Connection[Any], source: Source) -> TableStatus:
    """How a table stands."""
    [(files, delivered, rows, rejected, waived, withheld, key, lag)] = connection.execute(
        """select count(*), coalesce(sum(delivered_count), 0)::bigint, coalesce(sum(row_count), 0)::bigint,
               coalesce(sum(rejected_count), 0)::bigint, coalesce(sum(waived_count), 0)::bigint,
               coalesce(sum(withheld_count), 0)::bigint,
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
    settled = connection.execute(
        """select key, settled_because || ' (' || settled_by || ')' from loader.files
           where schema_name = %(schema)s and table_name = %(table)s and status = 'settled'
           order by settled_at desc limit 10""",
        source.ids,
    ).fetchall()
    changes = connection.execute(
        """select change, column_name, detail, closed_at from loader.schema_changes
           where schema_name = %(schema)s and table_name = %(table)s order by first_seen_at, column_name""",
        source.ids,
    ).fetchall()
    drift = [Drift(*change) for change in changes]
    return TableStatus(files, delivered, rows, rejected, waived, withheld, key, lag, failed, settled, drift)
