"""`journey settle`: a person ends a failure, or lets refused rows go, and says why."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from journey.errors import UsageError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import Source
from journey.loader.forgotten import Forgotten


def me() -> str:
    """Who is at work here, for the ledger."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # a container's user without a name
        return f"somebody@{socket.gethostname()}"


def settle(sources: Sequence[Source], key: str, because: str, by: str | None = None) -> list[str]:
    """Settle a failed file, or else waive the refused rows of a loaded one.

    What is settled isn't tried again, unless it changes or is asked for by `--reload`.

    Args:
        sources: where to look for it.
        key: of the file, or its s3:// address.
        because: the reason, for whoever asks later.
        by: who says so; by default, the user of this process.

    Returns:
        What was done, a line for each raw table.

    Raises:
        UsageError: nothing of this file is open, or no reason is given.
    """
    if not because.strip():
        raise UsageError("--because must say why: whoever asks later finds nothing else")
    with postgres.connect("journey settle") as connection, postgres.told("a file was settled"):
        ledger.set_up(connection)
        done: list[str] = []
        for source in sources:
            with connection.transaction():
                forgotten = Forgotten.read_still(connection, source)
                reason = forgotten.hidden(because.strip()) if forgotten else because.strip()
                done += _settle(connection, source, key, reason, by or me())
    if not done:
        names = ", ".join(source.name for source in sources)
        raise UsageError(f"{key}: no failed file and no loaded file with refused rows has this key in {names}")
    return done


def _settle(connection: Connection[Any], source: Source, key: str, because: str, by: str) -> list[str]:
    done = list[str]()
    failures = [one for one in ledger.failed(connection, source) if key in (one.key, f"s3://{one.bucket}/{one.key}")]
    for one in failures:
        if ledger.settle(connection, {one.file_id: because}, by):
            done.append(f"{source.name}: {one.key}: the failure is settled; this version isn't tried again")
    if done:
        return done
    rows = connection.execute(
        """select file_id, key from loader.files where schema_name = %(schema)s and table_name = %(table)s
             and status = 'loaded' and rejected_count > 0 and %(key)s in (key, 's3://' || bucket || '/' || key)""",
        {**source.ids, "key": key},
    ).fetchall()
    for file_id, name in rows:
        if count := ledger.waive(connection, file_id, by, because):
            done.append(f"{source.name}: {name}: {count:,} refused rows are waived; they stay in loader.rejected_rows")
    return done
