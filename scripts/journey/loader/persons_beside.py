"""Tables beside the raw ones that keep persons: snapshots, and what `journey repair` set aside. A person's rows go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection, sql

from journey.errors import JourneyError
from journey.loader.declaration.sources import Source

Snapshot = tuple[str, str, str]  # schema as configured, table, column with the id


class Beside(NamedTuple):
    """A table beside the raw ones with rows of persons.

    Attributes:
        schema: where it is.
        table: its name.
        column: with the id.
        owner: whose it is.
        is_ours: whether this login may act as the owner.
        is_plain: everybody's figures are built from it.
    """

    schema: str
    table: str
    column: str
    owner: str
    is_ours: bool
    is_plain: bool

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


def besides(
    connection: Connection[Any], columns: Sequence[tuple[Source, str]], snapshots: Sequence[Snapshot]
) -> list[Beside]:
    """The tables that there are; a snapshot's copies of developers, too.

    Args:
        connection: to the database.
        columns: of raw tables, that hold the persons' ids.
        snapshots: those that keep persons of the kind.

    Raises:
        JourneyError: this login may not change one that everybody's figures are built from.
    """
    wanted = [(f"(.*_)?{re.escape(schema)}", re.escape(table), column) for schema, table, column in snapshots]
    wanted += [  # as `journey repair` calls them
        (re.escape(source.schema), rf"{re.escape(source.table[:40])}_unknown_[0-9]{{14}}", column)
        for source, column in columns
    ]
    rows = connection.execute(
        """select distinct nspname, relname, attname, relowner::regrole::text,
               pg_has_role(session_user, relowner, 'set'), nspname = any(%s)
           from unnest(%s::text[], %s::text[], %s::text[]) as wanted (in_schema, called, named)
               join pg_namespace on nspname ~ ('^' || in_schema || '$')
               join pg_class on relnamespace = pg_namespace.oid and relname ~ ('^' || called || '$')
               join pg_attribute on attrelid = pg_class.oid and attname = named and not attisdropped
           where relkind = 'r' order by 1, 2, 3""",
        [[schema for schema, _, _ in snapshots], *([one[part] for one in wanted] for part in range(3))],
    ).fetchall()
    found = [Beside(*row) for row in rows]
    for one in found:
        if not one.is_ours and one.is_plain:
            raise JourneyError(
                f"{one} keeps persons and is {one.owner}'s: forget with a login that is a member of both groups, as "
                "journey retype (docs/roles.md)"
            )
    return found


def rows_of(connection: Connection[Any], one: Beside, value: str, *, go: bool = False) -> int:
    """How many rows of a table are the person's, as its owner sees them.

    Args:
        connection: in a transaction.
        one: the table.
        value: the id, as text.
        go: take them out, and let nobody read the table until the transaction ends. A build that has read persons in
            order to write them into a snapshot is waited for, as far as `lock_timeout` allows.
    """
    connection.execute(sql.SQL("set local role {}").format(sql.SQL(one.owner)))  # as the catalogue quotes it
    table, column = sql.Identifier(one.schema, one.table), sql.Identifier(one.column)
    if go:
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(table))
    change = sql.SQL("delete from {} where {}::text = %s" if go else "select from {} where {}::text = %s")
    rows = connection.execute(change.format(table, column), [value]).rowcount
    connection.execute("reset role")
    return rows
