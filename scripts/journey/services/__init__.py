"""The embedded services: a real PostgreSQL and a real S3 server, from wheels, under one private folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from journey import roles
from journey.embedded import EMBEDDED_DATABASE
from journey.errors import UsageError
from journey.project import local_dir, project_root
from journey.roles.names import Names, names_of
from journey.services import postgres, s3
from journey.services.state import LOGINS, OWN, State


@dataclass(frozen=True)
class Status:
    """One service, as a person asks for it.

    Attributes:
        name: "PostgreSQL 18" or "S3".
        address: where it listens.
        running: whether it answers.
        detail: where its data and its log are.
    """

    name: str
    address: str
    running: bool
    detail: str


def up() -> list[Status]:
    """Start what isn't running; what runs is left as it is.

    Raises:
        JourneyError: a port is taken by another program, or a service doesn't start.
    """
    folder = local_dir()
    with _locked(folder):
        state = State.read_or_create(folder)
        postgres.start(folder, state)
        _let_in(state)
        s3.start(folder, state)
    return status()


def down() -> list[Status]:
    """Stop what runs; the data stays."""
    folder = local_dir()
    state = State.read(folder)
    if state is not None:
        with _locked(folder):
            s3.stop(folder, state)
            postgres.stop(folder)
    return status()


def status() -> list[Status]:
    """Both services, running or not; none if they were never started here."""
    folder = local_dir()
    state = State.read(folder)
    if state is None:
        return []
    return [
        Status(
            "PostgreSQL 18",
            f"127.0.0.1:{state.ports['postgres']}",
            postgres.is_running(folder),
            f"data {folder / postgres.DATA}, log {folder / postgres.LOG}",
        ),
        Status(
            "S3",
            f"http://127.0.0.1:{state.ports['s3']}",
            s3.answers(state),
            f"data {folder / s3.DATA}, log {folder / s3.LOG}",
        ),
    ]


def _let_in(state: State) -> None:
    """Make the groups and the logins in them, and the ledger, if they're missing: by them everything but this is done.

    What a superuser built before goes over to them. With a ledger, dbt builds before anything was loaded, too.
    """
    with postgres.connect(state, EMBEDDED_DATABASE) as connection:
        found = connection.execute("select rolname from pg_roles where rolname = any(%s)", [list(LOGINS)])
        there = {name for (name,) in found}
        if there == LOGINS.keys():
            return
        names = Names("", (), ())
        with suppress(UsageError):  # services outside a project have no marts yet
            names = names_of(project_root())
        roles.apply(connection, names)
        for login, groups in LOGINS.items():
            members = [sql.Identifier(names.prefix + group) for group in groups]
            secret = connection.pgconn.encrypt_password(state.logins[login].encode(), login.encode()).decode()
            statement = sql.SQL(
                "{make} role {login} login password {secret}; grant {groups} to {login}; {acts}"
            ).format(
                make=sql.SQL("alter" if login in there else "create"),
                login=sql.Identifier(login),
                secret=secret,
                groups=sql.SQL(", ").join(members),
                acts=sql.SQL("" if login == OWN else "alter role {} set role = {}").format(
                    sql.Identifier(login), members[0]
                ),  # what it makes is the group's
            )
            connection.execute(statement)
        from journey.loader import ledger  # what is there already needs none of the loader

        connection.execute(sql.SQL("set role {}").format(sql.Identifier(names.prefix + "loader")))
        ledger.set_up(connection)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one start or stop at a time touch the folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _close(folder: Path) -> None:
    """Let nobody else into the folder: rows of data are in the servers' files and logs.

    A folder that somebody named, and in which other things are, stays as it is.
    """
    if (folder / "services.json").exists() or not any(folder.iterdir()):
        folder.chmod(0o700)
        postgres.own(folder)
