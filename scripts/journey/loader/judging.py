"""Types that only PostgreSQL can read: their texts are put to it before they are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from psycopg import Connection

from journey.loader.values.exact import quoted
from journey.loader.values.kinds import is_servers
from journey.loader.values.meaning import Column

STATEMENT = """
    select position - 1, coalesce(found.message, '') || coalesce(': ' || found.detail, '')
    from unnest(%s::text[]) with ordinality as given (value, position),
        pg_input_error_info(value, %s) as found
    where value is not null and found.message is not null"""


class Judge:
    """Asks over a connection of its own: the one that copies is busy."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        """Connect when there is something to ask."""
        self._connect = connect
        self._connection: Connection[Any] | None = None

    def refuse(self, arrays: Sequence[pa.Array], columns: Sequence[Column]) -> dict[int, tuple[str, str]]:
        """Which rows PostgreSQL would refuse.

        Returns:
            Column and reason, by row.

        Raises:
            psycopg.Error: it can't be asked.
        """
        refused: dict[int, tuple[str, str]] = {}
        for array, column in zip(arrays, columns, strict=True):
            if not is_servers(column) or array.null_count == len(array):
                continue
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            texts = array.to_pylist()
            for row, message in self._connection.execute(STATEMENT, [texts, column.type]):
                refused.setdefault(int(row), (column.name, f"{quoted(texts[row])} is no {column.type}: {message}"))
        return refused

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()
