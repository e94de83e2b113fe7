"""Who may do what in the database: groups without login, made and given their rights by one SQL file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, errors

from journey.errors import JourneyError, UsageError
from journey.roles.names import GROUPS, Names, names_of

__all__ = ["GROUPS", "Names", "apply", "names_of", "statements"]

HELP = (
    "run `journey roles` as a superuser, or as a login with CREATEROLE that owns the database and what is in it "
    "(RDS's master user, say), or give a DBA the SQL that `journey roles --sql` prints"
)


def statements(names: Names) -> str:
    """The SQL that makes the groups, and gives each what it owns and what it may read.

    Args:
        names: of groups and schemas.
    """
    text = Path(__file__).with_name("roles.sql").read_text()
    for group in GROUPS:
        text = text.replace(f"{{{group}}}", names.prefix + group)
    return text.replace("{published}", _array(names.published)).replace("{built}", _array(names.built))


def apply(connection: Connection[Any], names: Names) -> None:
    """Make the groups, hand over what is there, and see to it that grants survive what will be built.

    Args:
        connection: an autocommit connection of a login that may do that; nothing is done if it may not.
        names: of groups and schemas.

    Raises:
        UsageError: the login may not, or a group's name is another role's.
        JourneyError: somebody uses what has to change its owner.
    """
    [(user, may)] = connection.execute(
        "select rolname, rolsuper or rolcreaterole from pg_roles where rolname = current_user"
    ).fetchall()
    if not may:
        raise UsageError(f"{user} may not create roles: {HELP}")
    try:
        connection.execute(statements(names).encode())
    except errors.InsufficientPrivilege as error:
        raise UsageError(f"{user} may not do all that is needed ({_first_line(error)}): {HELP}") from error
    except errors.DuplicateObject as error:
        raise UsageError(_first_line(error)) from error
    except errors.LockNotAvailable as error:
        raise JourneyError(
            f"somebody uses what has to change its owner ({_first_line(error)}): run it again"
        ) from error
    finally:
        if not connection.closed:
            connection.execute("rollback")


def _array(names: Sequence[str]) -> str:
    """Names as SQL's array; a folder's name is checked by nobody before."""
    texts = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
    return f"array[{texts}]::text[]"


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).splitlines()[0]
