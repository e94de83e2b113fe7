"""The rows that were refused, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from psycopg import Connection

from journey.loader.declaration.sources import Source
from journey.loader.rejects import Rejected
from journey.loader.s3.listing import Listed


def write_rejected(connection: Connection[Any], file_id: int, rejected: Iterable[Rejected]) -> None:
    """Keep refused rows."""
    rows = iter(rejected)
    first = next(rows, None)
    if first is None:
        return
    statement = "copy loader.rejected_rows (file_id, line_number, column_name, reason, raw_text) from stdin"
    with connection.cursor().copy(statement) as copy:
        for bad in chain([first], rows):
            copy.write_row((file_id, *bad))


def with_rejects(connection: Connection[Any], source: Source) -> list[Listed]:
    """The loaded files of a source of which refused rows are open: what a replay reads again."""
    rows = connection.execute(
        """select key, etag, size_bytes from loader.files where table_name = %(table)s and schema_name = %(schema)s
             and bucket = %(bucket)s and status = 'loaded' and rejected_count > 0 order by key""",
        source.ids,
    )
    return [Listed(*row) for row in rows]


class Kept(NamedTuple):
    """What is kept of a file's refused rows.

    Attributes:
        field_names: of the file's fields, in its order; None if it names none.
        rows: the line of the file where each began, and its text.
    """

    field_names: list[str] | None
    rows: list[tuple[int, str]]


def kept(connection: Connection[Any], file_id: int) -> Kept:
    """The refused rows of a file that are open and have their text, in the file's order."""
    rows = connection.execute(
        """select line_number, raw_text from loader.rejected_rows
           where file_id = %s and waived_at is null and line_number is not null and raw_text is not null
           order by line_number""",
        [file_id],
    ).fetchall()
    [(names,)] = connection.execute("select field_names from loader.files where file_id = %s", [file_id]).fetchall()
    return Kept(names, rows)


def redeem(connection: Connection[Any], file_id: int, lines: Sequence[int], withheld: int = 0) -> None:
    """Count rows that were refused and are loaded now; they are no longer kept.

    Args:
        file_id: of the file that they belong to.
        lines: where each began in the file.
        withheld: so many of them are not loaded, but of persons who were forgotten.
    """
    done = connection.execute(
        "delete from loader.rejected_rows where file_id = %s and waived_at is null and line_number = any(%s)",
        [file_id, list(lines)],
    )
    connection.execute(
        """update loader.files set row_count = row_count + %(rows)s - %(withheld)s,
               withheld_count = withheld_count + %(withheld)s, rejected_count = rejected_count - %(rows)s
           where file_id = %(id)s""",
        {"rows": done.rowcount, "withheld": withheld, "id": file_id},
    )


def waive(connection: Connection[Any], file_id: int, by: str, because: str) -> int:
    """Let a loaded file's refused rows go: they stay where they are kept, and are no longer open.

    Returns:
        How many.
    """
    with connection.transaction():
        row = connection.execute(
            """update loader.files set waived_count = waived_count + rejected_count, rejected_count = 0,
                   settled_at = clock_timestamp(), settled_by = %(by)s,
                   settled_because = concat_ws('; ', settled_because, %(because)s::text)
               from (select file_id, rejected_count as refused from loader.files
                     where file_id = %(id)s and status = 'loaded' and rejected_count > 0 for update) as before
               where files.file_id = before.file_id
               returning refused""",
            {"id": file_id, "by": by, "because": because},
        ).fetchone()
        connection.execute(
            "update loader.rejected_rows set waived_at = clock_timestamp() where file_id = %s and waived_at is null",
            [file_id],
        )
    return int(row[0]) if row else 0
