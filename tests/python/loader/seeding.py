"""What a load does to PostgreSQL, without S3: rows of a file and its ledger row, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from journey.loader import ledger, tables
from journey.loader.declaration.options import Options
from journey.loader.declaration.sources import Source
from journey.loader.rejects import Rejected
from journey.loader.s3.listing import Listed
from journey.loader.values.meaning import Meaning

Rows = Sequence[Sequence[object]]


def declared(
    name: str = "shop.sales",
    columns: Mapping[str, str] | None = None,
    pattern: str = "in/",
    bucket: str = "landing",
    meaning: Meaning | None = None,
    **options: Any,
) -> Source:
    """A source as the declaration gives it; by default id integer, name text."""
    source, table = name.split(".")
    columns = columns or {"id": "integer", "name": "text"}
    given = Options(**options)
    yaml = f"models/staging/{source}/_{source}__sources.yml"
    return Source(
        name, f"raw_{source}", table, columns, bucket, pattern, "csv", given, None, meaning or Meaning(), {}, yaml
    )


class Seed:
    """Brings files."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Make the ledger, and open a run."""
        self.connection = connection
        ledger.set_up(connection)
        self.run_id = ledger.begin_run(connection, "everything", "here")

    def bring(
        self, source: Source, key: str, rows: Rows, *, rejected: Sequence[Rejected] = (), etag: str = "e1"
    ) -> int:
        """Load a file, in place of its older version; returns its file_id."""
        connection = self.connection
        tables.ensure_table(connection, source)
        with connection.transaction():
            taken = ledger.take(connection, source, [key])[key]
            columns = sql.SQL(", ").join(map(sql.Identifier, source.columns))
            statement = sql.SQL("copy {} ({}) from stdin").format(tables.identifier(source), columns)
            with connection.cursor().copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
            if taken.loaded_id is not None:
                ledger.remove_rows(connection, source, taken.loaded_id, "replaced")
            ledger.write_rejected(connection, taken.file_id, rejected)
            counts = {"row_count": len(rows), "rejected_count": len(rejected)}
            ledger.write(connection, source, [(Listed(key, etag, 10), {**self.common(taken.file_id), **counts})])
        tables.finish_table(connection, source, len(rows))
        return taken.file_id

    def fail(self, source: Source, key: str, *, etag: str = "bad", **fields: Any) -> int:
        """Enter a failure; returns its file_id."""
        entry = {"run_id": self.run_id, "started_at": "2024-01-01Z", "status": "failed", "error": "no such file"}
        [file_id] = ledger.write(self.connection, source, [(Listed(key, etag, 10), {**entry, **fields})])
        return file_id

    def common(self, file_id: int) -> dict[str, object]:
        """What every ledger row of a loaded file has."""
        return {"file_id": file_id, "run_id": self.run_id, "started_at": "2024-01-01Z", "status": "loaded"}


def query(connection: psycopg.Connection[Any], statement: str) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    return connection.execute(statement).fetchall()
