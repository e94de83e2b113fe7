"""COPY: a file's rows into its table, in one statement."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import Any

from psycopg import Connection, errors

from journey.loader.encoding import Encoder
from journey.loader.errors import FileRefusedError, one_line
from journey.loader.forgotten import Forgotten
from journey.loader.formats import Batch
from journey.loader.judging import Judge
from journey.loader.reading import Fitted, Reading, without
from journey.loader.rejects import Rejects
from journey.loader.s3.ahead import read_ahead

AT = re.compile(r"COPY .*, line (\d+)(?:, column (.+?)(?:: |$))?", re.DOTALL)
BLAMED = 100  # rows that the server may refuse, one a try, before the file is given up

# Faults of the data; everything else (disk full, connection lost, lock timeout) is not the file's.
DATA_ERRORS = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded)


class BlamedRowError(Exception):
    """The server refused a row that we took for good: a constraint that somebody put on the raw table.

    Attributes:
        row: its position among the good rows.
        column: where the server names one.
        reason: what the server said.
    """

    def __init__(self, row: int, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.row, self.column, self.reason = row, column, reason


Blamed = Mapping[int, "tuple[str | None, str]"]


def good_rows(batches: Iterator[Batch], rejects: Rejects, blamed: Blamed) -> Generator[Batch, None, None]:
    """The batches without blamed rows; what is refused is collected.

    Args:
        blamed: column and reason of rows that the server refused before, by position among the good rows.
    """
    position = 0
    for batch in batches:
        rows = len(batch.arrays[0]) if batch.arrays else 0
        here = {row - position: why for row, why in blamed.items() if position <= row < position + rows}
        position += rows
        kept = without(batch, here)
        rejects.add(kept.refused, good=rows - len(here))
        yield kept


def copy(
    connection: Connection[Any],
    table: tuple[str, str],
    reading: Reading,
    fitted: Fitted,
    judge: Judge,
    rejects: Rejects,
    blamed: Blamed,
    *,
    ahead: bool,
    forgotten: Forgotten | None = None,
) -> int:
    """COPY a file.

    Args:
        table: schema and name.
        fitted: how the file fits it.
        rejects: takes what is refused.
        blamed: rows that the server refused before.
        ahead: read in a thread of its own; this one encodes, and waits for the server.
        forgotten: persons without whom it is loaded.

    Returns:
        Number of rows.

    Raises:
        BlamedRowError: the server refuses a row.
        FileRefusedError: the server refuses the data and doesn't say where.
    """
    encoder = Encoder(fitted.columns)

    cursor = connection.cursor()
    read = reading.batches(fitted, judge)
    if forgotten:
        rejects.redact = forgotten.of_rejected
        read = forgotten.without(read, fitted.columns, rejects)
    batches = good_rows(read, rejects, blamed)
    batches = read_ahead(batches) if ahead else batches
    try:
        with closing(batches), cursor.copy(encoder.statement(*table)) as running:
            running.write(encoder.begin())
            for batch in batches:
                for chunk in encoder.rows(batch.arrays):
                    running.write(chunk)
            running.write(encoder.end())
    except DATA_ERRORS as error:
        found = AT.search(error.diag.context or "")
        if found is None or not encoder.is_binary or len(blamed) >= BLAMED:
            raise FileRefusedError(f"PostgreSQL refuses its rows: {one_line(error)}") from error
        row = int(found[1]) - 1
        for before in sorted(blamed):
            row += before <= row
        raise BlamedRowError(row, found[2] or error.diag.column_name, one_line(error)) from error
    return cursor.rowcount
