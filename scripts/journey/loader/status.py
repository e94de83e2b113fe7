"""How each raw table stands, as the ledger knows it: files, rows, rejects, the newest file, its age, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from journey import settings
from journey.loader import ledger
from journey.loader.manifest import load_sources, select
from journey.loader.sources import Source
from journey.project import project_root


@dataclass(frozen=True)
class TableStatus:
    """One raw table.

    Attributes:
        source: `source.table`.
        files: files whose rows are in it.
        rows: their rows.
        rejected: rows of theirs that were refused.
        newest_key: the file that came last.
        newest_at: when; None if none came.
        lag_seconds: since then.
        failed: key and error of each file that failed and wasn't loaded since.
        changes: drift: kind, column and detail.
    """

    source: str
    files: int
    rows: int
    rejected: int
    newest_key: str | None
    newest_at: datetime | None
    lag_seconds: float | None
    failed: Sequence[tuple[str, str]]
    changes: Sequence[tuple[str, str, str]]


def status(
    selected: Sequence[str] = (), *, root: Path | None = None, sources: Sequence[Source] | None = None
) -> list[TableStatus]:
    """How the tables stand.

    Args:
        selected: `source` or `source.table`; everything if empty.
        root: the dbt project; found from the current folder if None.
        sources: in place of what the project declares.

    Raises:
        UsageError: the declaration or the surroundings are wrong.
    """
    chosen = select(load_sources(root or project_root()) if sources is None else sources, selected)
    with settings.connect(application="journey status", autocommit=True) as connection:
        ledger.set_up(connection)
        found = []
        for source in chosen:
            name = [source.schema, source.table]
            [(files, rows, rejected, key, at, lag)] = connection.execute(
                """select count(*), coalesce(sum(row_count), 0)::bigint, coalesce(sum(rejected_count), 0)::bigint,
                       (array_agg(key order by finished_at desc))[1], max(finished_at),
                       extract(epoch from clock_timestamp() - max(finished_at))::float8
                   from loader.files where schema_name = %s and table_name = %s and status = 'loaded'""",
                name,
            ).fetchall()
            failed = connection.execute(
                """select key, coalesce(error, '') from loader.files
                   where schema_name = %s and table_name = %s and status = 'failed' order by key""",
                name,
            ).fetchall()
            changes = connection.execute(
                """select change, column_name, detail from loader.schema_changes
                   where schema_name = %s and table_name = %s order by first_seen_at, column_name""",
                name,
            ).fetchall()
            found.append(TableStatus(source.name, files, rows, rejected, key, at, lag, failed, changes))
    return found
