"""Small files, many in one COPY: what a file costs beside its rows is shared. Their rows bring their `_file_id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa

from journey.errors import JourneyError
from journey.loader import ledger
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.encoding import Encoder
from journey.loader.errors import BadRowsError
from journey.loader.forgotten import Forgotten
from journey.loader.formats import UnknownFieldError
from journey.loader.onefile import Attempt
from journey.loader.outcome import Outcome
from journey.loader.plan import Action
from journey.loader.s3.listing import Listed
from journey.loader.statuses import Did, FileStatus
from journey.loader.values.meaning import Column
from journey.loader.worker import Worker

LIMIT = 2**23  # bytes of a file's rows, encoded


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
    """Load those files that nobody has and that are just as declared, without a bad row.

    Raises:
        psycopg.Error: the server refuses a row, or has a trouble. Nothing is loaded.
        BadRowsError: the server has other rows than we sent.
    """
    connection, table = worker.connection, worker.columns(source)
    file_id = next(column for column in table if column.name == FILE_ID)
    outcomes: dict[str, Outcome] = {}
    entries: list[tuple[Listed, dict[str, Any]]] = []
    with connection.transaction():
        taken = ledger.take(connection, source, [action.file.key for action in actions])
        columns = [column for column in table if column.name in source.columns]
        encoder = Encoder([*columns, file_id])
        forgotten = worker.forgotten(source, max(mine.forgotten for mine in taken.values()))

        def chunks() -> Iterator[bytes | memoryview]:
            for action in actions:
                mine, attempt = taken[action.file.key], Attempt(worker, source, action)
                is_new = mine.is_ours and mine.loaded_id is None
                plain = _plain(attempt, worker, table, forgotten) if is_new else None
                if plain is None or [column.name for column in plain[0]] != [column.name for column in columns]:
                    continue
                rows = sum(len(arrays[0]) for arrays in plain[1])
                for arrays in plain[1]:
                    tag = pa.array(np.full(len(arrays[0]), mine.file_id, np.int32))
                    yield from encoder.rows([*arrays, tag])
                entries.append(attempt.entry(mine, status=FileStatus.LOADED, row_count=rows, delivered_count=rows))
                outcomes[action.file.key] = attempt.outcome(Did.LOADED, rows=rows)

        cursor = connection.cursor()
        with cursor.copy(encoder.statement(source.schema, source.table)) as running:
            running.write(encoder.begin())
            for chunk in chunks():
                running.write(chunk)
            running.write(encoder.end())
        if cursor.rowcount != sum(outcome.rows for outcome in outcomes.values()):
            raise BadRowsError("the server has other rows than we sent")
        ledger.write(connection, source, entries)
    return outcomes


def _plain(
    attempt: Attempt, worker: Worker, table: Sequence[Column], forgotten: Forgotten | None
) -> tuple[list[Column], list[list[pa.Array]]] | None:
    """A file's columns and batches; None if it must go by itself."""
    with suppress(JourneyError, UnknownFieldError):
        reading = attempt.reading()
        fitted = reading.fit(table)
        if fitted.is_empty or fitted.new or fitted.changes or None in fitted.targets[0] or len(fitted.targets) > 1:
            return None
        found: list[list[pa.Array]] = []
        size = 0
        for batch in reading.batches(fitted, worker.judge):
            size += sum(array.nbytes for array in batch.arrays)
            if batch.refused or size > LIMIT or (forgotten and forgotten.find(batch.arrays, fitted.columns)):
                return None
            found += [batch.arrays] if batch.arrays else []
        return None if reading.missing() else (fitted.columns, found)
    return None
