"""The ledger's numbered migrations: a database of any earlier version is brought to this one, in one transaction."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.errors import LockNotAvailable

from journey.errors import JourneyError, UsageError
from journey.loader import postgres
from journey.loader.tables import lift_sequence

FOLDER = Path(__file__).with_name("migrations")
FIRST = 1  # made the ledgers that have no table of migrations


class Migration(NamedTuple):
    """One step: its number, its name, and what it does. A step may be run again."""

    number: int
    name: str
    sql: bytes


@cache
def migrations() -> Sequence[Migration]:
    """Every step that this program knows, in order."""
    found = (re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name) for file in sorted(FOLDER.iterdir()))
    return [Migration(int(match[1]), match[2], (FOLDER / match[0]).read_bytes()) for match in found if match]


def set_up(connection: Connection[Any]) -> None:
    """Make the ledger what this program needs: new, or by the steps that it lacks. One look if it is.

    Raises:
        UsageError: the ledger is newer than the program.
        JourneyError: it can't be upgraded now, because somebody uses it.
    """
    latest, end = migrations()[-1].number, time.monotonic() + postgres.UPGRADE_SECONDS
    while version(connection) != latest:
        try:
            _upgrade(connection, latest)
        except LockNotAvailable as error:
            if time.monotonic() > end:
                who = postgres.explain(connection, "loader", "files", error)
                raise JourneyError(f"the ledger has to be upgraded, for which nobody may use it: {who}") from error


def version(connection: Connection[Any]) -> int:
    """Number of the last step that was applied; 0 if there is no ledger.

    Raises:
        UsageError: this program doesn't know it.
    """
    [(has_table, has_ledger)] = connection.execute(
        """select to_regclass('loader.migrations') is not null,
               to_regprocedure('loader.take_file(text, text, text, text)') is not null
               and to_regclass('loader.files') is not null"""
    ).fetchall()
    if not has_ledger:
        return 0
    if not has_table:
        return FIRST
    [(found,)] = connection.execute("select coalesce(max(number), %s) from loader.migrations", [FIRST]).fetchall()
    latest = migrations()[-1].number
    if found > latest:
        raise UsageError(
            f"the ledger is of a newer version ({found}) than this journey knows ({latest}): upgrade journey"
        )
    return int(found)


def _upgrade(connection: Connection[Any], latest: int) -> None:
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [postgres.LOCK_TIMEOUT])
        connection.execute("set local client_min_messages to warning")
        connection.execute("select pg_advisory_xact_lock(%s)", [postgres.DDL_LOCK])
        found = version(connection)  # others may have done it meanwhile
        for step in migrations():
            if step.number > found:
                connection.execute(step.sql)
        if found < latest:
            connection.cursor().executemany(
                "insert into loader.migrations (number, name) values (%s, %s) on conflict do nothing",
                [(step.number, step.name) for step in migrations()],
            )
        if found == 0:
            lift_sequence(connection)
