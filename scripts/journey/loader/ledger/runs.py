"""The ledger of runs: who loaded when, and how it ended."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from journey.loader.postgres import RUN_LOCK, is_pooled
from journey.loader.tables import lift_sequence
from journey.project import program_version


def begin_run(connection: Connection[Any], selected: str, host: str) -> int:
    """Open a run; runs that died without closing theirs are marked. The connection holds the run's lock until it ends.

    Whatever the run does, its new file_ids are beyond those that any raw table has, though the ledger be from a backup.
    Through a pooler there is no session to hold it: such a run counts as killed when a day has passed.

    Returns:
        The run_id.
    """
    connection.execute(
        """update loader.runs set status = 'killed', finished_at = clock_timestamp() where status = 'running'
           and case when has_lock
               then not exists (select from pg_locks where locktype = 'advisory' and classid = %s and objid = run_id
                                and database = (select oid from pg_database where datname = current_database()))
               else started_at < clock_timestamp() - interval '1 day' end""",
        [RUN_LOCK],
    )
    lift_sequence(connection, quickly=True)
    has_lock = not is_pooled(connection)
    with connection.transaction():
        [(run_id,)] = connection.execute(
            """insert into loader.runs (selected, host, has_lock, program_version) values (%s, %s, %s, %s)
               returning run_id""",
            [selected, host, has_lock, program_version()],
        ).fetchall()
        if has_lock:
            connection.execute("select pg_try_advisory_lock(%s, %s)", [RUN_LOCK, run_id])
    return int(run_id)


def end_run(connection: Connection[Any], run_id: int, status: str) -> None:
    """Close a run: loaded, failed or interrupted."""
    statement = "update loader.runs set status = %s, finished_at = clock_timestamp() where run_id = %s"
    connection.execute(statement, [status, run_id])
