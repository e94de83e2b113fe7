"""Small CSV files, many in one COPY: what a file costs beside its rows is shared. Their rows bring their `_file_id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from journey.errors import JourneyError
from journey.loader import ledger
from journey.loader.copying import copy_fast
from journey.loader.csvfile import CsvFile
from journey.loader.errors import BadRowsError
from journey.loader.onefile import Attempt, Outcome, Worker
from journey.loader.plan import Action
from journey.loader.sources import FILE_ID, Source
from journey.loader.storage import Listed

LIMIT = 2**23  # bytes of a file, decompressed


def load_all(worker: Worker, source: Source, actions: Sequence[Action]) -> Iterator[Outcome]:
    """Do what was decided for a batch of files.

    Args:
        worker: does it.
        source: of all of them.
        actions: several only if all may share a COPY.

    Raises:
        JourneyError: PostgreSQL is gone for good.
    """
    loaded: dict[str, Outcome] = {}
    if len(actions) > 1:
        with suppress(Exception):  # whatever it is: one by one, each file says what is wrong with it
            loaded = _load_together(worker, source, actions)
    for action in actions:
        yield loaded.get(action.file.key) or worker.do(source, action)


def _load_together(worker: Worker, source: Source, actions: Sequence[Action]) -> dict[str, Outcome]:
    """Load those files that nobody has, whose columns are the declared ones and whose every line is a row.

    Raises:
        psycopg.Error: one of them has a bad row, or PostgreSQL has a trouble. Nothing is loaded.
        BadRowsError: the same.
    """
    connection, columns = worker.connection, {column.name: column for column in worker.columns(source)}
    targets = [columns[name] for name in (*source.columns, FILE_ID)]
    limited = replace(source, options=replace(source.options, max_bytes=min(source.options.max_bytes, LIMIT)))
    outcomes: dict[str, Outcome] = {}
    entries: list[tuple[Listed, dict[str, Any]]] = []
    with connection.transaction():
        taken = ledger.take(connection, source, [action.file.key for action in actions])

        def chunks() -> Iterator[bytes]:
            for action in actions:
                mine, attempt = taken[action.file.key], Attempt(worker, limited, action)
                tagged = _tagged(attempt, mine.file_id) if mine.is_ours and mine.loaded_id is None else None
                if tagged:
                    data, rows = tagged
                    yield data
                    entries.append(attempt.entry(mine, status="loaded", row_count=rows))
                    outcomes[action.file.key] = attempt.outcome("loaded", rows=rows)

        rows = copy_fast(connection, source, targets, CsvFile(source, lambda: iter(())), chunks(), header=False)
        if rows != sum(outcome.rows for outcome in outcomes.values()):
            raise BadRowsError("a line is not a row")
        ledger.write(connection, source, entries)
    return outcomes


def _tagged(attempt: Attempt, file_id: int) -> tuple[bytes, int] | None:
    """A file's rows and their number; None if it must go by itself."""
    with suppress(JourneyError):
        opened = attempt.open()
        if isinstance(opened, CsvFile) and opened.names(scan=False) == list(attempt.source.columns):
            return opened.tagged(str(file_id))
    return None
