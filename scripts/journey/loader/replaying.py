"""`journey replay`: rows that were refused are read again, once the declaration is right, each exactly once.

A file that is still in S3 as it was is read again whole and replaces itself. Of one that isn't, the kept rows are read;
what is good now joins the rows that it gave before. Either way the file gets a new version.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from psycopg import Connection

from journey import settings
from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.copying import copy
from journey.loader.declaration.paths import columns_of_key
from journey.loader.declaration.sources import Source
from journey.loader.errors import FileRefusedError, one_line
from journey.loader.forgotten import Forgotten
from journey.loader.formats import reader
from journey.loader.judging import Judge
from journey.loader.outcome import Summary
from journey.loader.reading import Reading
from journey.loader.rejects import Rejects
from journey.loader.repairing import move_rows
from journey.loader.report import Report
from journey.loader.run import load
from journey.loader.s3.asking import Retry
from journey.loader.s3.listing import Listed, look_again
from journey.loader.statuses import RunStatus
from journey.loader.tables import table_columns


class KeptRow(NamedTuple):
    """A refused row as it is kept: the line of the file where it began, and its text."""

    line: int
    raw: str


class KeptFile:
    """Kept rows as a file; `formats.contract.File`."""

    def __init__(self, key: str, head: bytes, rows: Sequence[KeptRow]) -> None:
        self.key, self._head, self._rows = key, head, rows

    def stream(self) -> Iterator[bytes]:
        """What the format puts before the rows, and the rows."""
        if self._head:
            yield self._head
        for row in self._rows:
            yield row.raw.encode() + b"\n"

    def seekable(self) -> Any:
        """Kept rows are lines."""
        raise FileRefusedError("rows of this format are read from the file alone: put it back into S3")


def replay(
    sources: Sequence[Source], *, retry: Retry | None = None, report: Report | None = None
) -> tuple[Summary, list[str]]:
    """Read again what was refused.

    Args:
        sources: whose rows.
        retry: how patient to be.
        report: told of every file that is read from S3.

    Returns:
        What the load of the files in S3 did; a line for each file that is no longer there.

    Raises:
        JourneyError: PostgreSQL isn't there, or refuses.
    """
    retry, said, failures = retry or Retry(), list[str](), list[str]()
    again: dict[str, list[str]] = {}
    with postgres.connect("journey replay") as connection, postgres.told("refused rows were read again"):
        ledger.set_up(connection)
        for source in sources:
            client = settings.s3_client(anonymous=source.options.anonymous)
            for file in ledger.with_rejects(connection, source):
                now = look_again(client, source, file.key)
                if now is not None and now.etag == file.etag:
                    again.setdefault(source.name, []).append(file.key)
                    continue
                try:
                    said.append(f"{source.name}: {file.key}: {_replay_kept(connection, source, file)}")
                except JourneyError as error:
                    failures.append(f"{source.name}: {file.key}: {one_line(error)}")
    summary = Summary()
    chosen = [source for source in sources if source.name in again]
    if chosen:
        keys = {key for keys in again.values() for key in keys}
        summary = load(sources=chosen, reload=sorted(keys), only=keys, retry=retry, report=report)
    summary.failures += failures
    return summary, said


def _replay_kept(connection: Connection[Any], source: Source, file: Listed) -> str:
    """Read the kept rows of a loaded file again, and say what came of it.

    Raises:
        JourneyError: they can't be read without the file.
    """
    run_id = ledger.begin_run(connection, f"replay {source.name}", socket.gethostname())
    status = RunStatus.FAILED
    try:
        with connection.transaction():
            taken = ledger.take(connection, source, [file.key])[file.key]
            if not taken.is_ours or taken.loaded_id is None or taken.loaded_etag != file.etag:
                raise JourneyError("another run has it in hand: run again")
            refused = ledger.kept(connection, taken.loaded_id)
            rows = [KeptRow(*row) for row in refused.rows]
            new_id = ledger.renew(connection, [taken.loaded_id], run_id, {})[taken.loaded_id]
            move_rows(connection, source, {taken.loaded_id: new_id})
            connection.execute("select set_config('journey.file_id', %s, true)", [str(new_id)])
            good, withheld = _copied(connection, source, file.key, refused.field_names, rows)
            ledger.redeem(connection, new_id, [row.line for row in good], withheld)
        status = RunStatus.LOADED
    finally:
        ledger.end_run(connection, run_id, status)
    return f"it isn't in S3 as it was loaded; {len(good):,} of {len(rows):,} kept rows are loaded now"


def _copied(
    connection: Connection[Any], source: Source, key: str, names: Sequence[str] | None, rows: Sequence[KeptRow]
) -> tuple[list[KeptRow], int]:
    """COPY those kept rows that are good now.

    Returns:
        These rows, and how many of them are of persons who were forgotten, and not loaded.
    """
    head, options = reader(source.format).of_kept(names or [], source.format_options)
    from_key = columns_of_key(source.options, source.pattern, key)
    reading = Reading(source, [KeptFile(key, head, rows)], from_key, options)
    table = [source.column(*column) for column in table_columns(connection, source)]
    fitted = reading.fit(table)
    if fitted.new:
        raise JourneyError(f"its column {fitted.new[0]!r} is not in the table")
    judge = Judge(lambda: postgres.connect("journey replay"))
    with closing(judge), closing(Rejects(1)) as rejects:
        place, forgotten = (source.schema, source.table), Forgotten.read(connection, source)
        loaded = copy(connection, place, reading, fitted, judge, rejects, {}, ahead=False, forgotten=forgotten)
        bad = {refused.line for refused in rejects.rows()}
    line, good = 1 + head.count(b"\n"), list[KeptRow]()
    for row in rows:
        if line not in bad:
            good.append(row)
        line += row.raw.count("\n") + 1
    if len(good) != loaded + rejects.withheld:
        raise JourneyError("the kept rows can't be told apart: put the file back into S3")
    return good, rejects.withheld
