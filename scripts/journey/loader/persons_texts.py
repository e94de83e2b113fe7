"""Texts of the ledger that name a person: refused rows, failures, drift, and why somebody settled a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from journey.loader.declaration.sources import Source
from journey.loader.forgotten import HIDDEN

TEXTS = {
    "rejected_rows": ("raw_text", "reason"),
    "files": ("error", "settled_because"),
    "schema_changes": ("detail",),
}


def naming(connection: Connection[Any], sources: Sequence[Source], table: str, value: str) -> list[int | None]:
    """The rows of one of these tables that name the person: of each the file_id, where it has one.

    Args:
        connection: to the ledger.
        sources: whose raw tables they are about.
        table: one of TEXTS.
        value: the id, as text.
    """
    where, values = _where(sources, table, value)
    file_id = "null" if table == "schema_changes" else "file_id"
    return [row[0] for row in connection.execute(f"select {file_id} {where}", values).fetchall()]


def hide(connection: Connection[Any], sources: Sequence[Source], table: str, value: str) -> None:
    """Take these texts out; of a refused row both, for the one tells what the other hides."""
    where, values = _where(sources, table, value)
    change = ", ".join(f"{one} = case when {one} ~ %(word)s then %(hidden)s else {one} end" for one in TEXTS[table])
    if table == "rejected_rows":
        change = "raw_text = null, reason = %(hidden)s"
    connection.execute(f"update loader.{table} set {change} {where.split(' ', 2)[2]}", values)


def _where(sources: Sequence[Source], table: str, value: str) -> tuple[str, dict[str, Any]]:
    ours = "(schema_name, table_name) in (select * from unnest(%(schemas)s::text[], %(tables)s::text[]))"
    if table == "rejected_rows":
        ours = f"file_id in (select file_id from loader.files where {ours})"
    text = f"concat_ws(E'\\n', {', '.join(TEXTS[table])})"
    return f"from loader.{table} where {ours} and strpos({text}, %(value)s) > 0 and {text} ~ %(word)s", {
        "schemas": [one.schema for one in sources], "tables": [one.table for one in sources], "value": value,
        # as a word of its own; a number with zeros before it is the same number
        "word": rf"(^|[^[:alnum:]_])0*{re.escape(value)}($|[^[:alnum:]_])", "hidden": HIDDEN,
    }  # fmt: skip
