"""`journey build`: dbt, one build at a time of a target's schemas, which ends at once when it is told to.

Two things keep builds apart. Among `journey build`s it is an advisory lock on a connection of its own, which the server
gives back when this process is gone, however it ends. A plain `dbt build` has no such connection: dbt itself refuses to
begin beside another run (macros/incremental_table/turn.sql), and to it, this connection is one of the run's.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable

from journey import settings
from journey.dbt import folders
from journey.embedded import TRANSFORMER, use_embedded
from journey.errors import JourneyError, UsageError
from journey.loader.settling import me

PLAIN = ("prod", "demo")  # targets that write the plain schemas, as macros/generate_schema_name.sql has it
SELECTING = ("-s", "-m", "--select", "--models", "--exclude", "--selector")
DAILY = ("--exclude-resource-type", "unit_test")  # they belong to a change of code
LOCK = "hashtextextended('journey build ' || %s, 0)"
HOLDER = f"""
    select activity.application_name, to_char(activity.query_start, 'HH24:MI:SS TZ')
    from pg_locks as locks
    inner join pg_stat_activity as activity on locks.pid = activity.pid and locks.database = activity.datid
    where locks.locktype = 'advisory' and locks.granted and activity.datname = current_database()
        and (cast(locks.classid as bigint) << 32 | cast(locks.objid as bigint)) = {LOCK}
"""
MISSING = re.compile(r'relation "[^"]*\.([^".]+)" does not exist')
END = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and starts_with(query, %s)"


def build(arguments: Sequence[str], *, root: Path, everything: bool = False, wait: int = 0) -> int:
    """Run `dbt build`, by default of what a day needs.

    Args:
        arguments: dbt's own.
        root: the project's folder.
        everything: unit tests, too; so it is if the arguments select.
        wait: how long another build may still take, seconds.

    Returns:
        The exit status that dbt would have.

    Raises:
        JourneyError: another build runs.
    """
    selects = any(argument.split("=")[0] in SELECTING for argument in arguments)
    daily = () if everything or selects else DAILY
    use_embedded()
    with turn(root, target_of(arguments), wait) as ours:
        from dbt.cli.main import dbtRunner

        result = dbtRunner(callbacks=[ours.listen]).invoke(["build", *folders(root), *daily, *arguments])
    for feed in _never_loaded(getattr(result.result, "results", None) or []):
        print(f"journey: {feed} was never loaded into this database: journey load --select {feed}", file=sys.stderr)
    return 0 if result.success else 1 if result.exception is None else 2


def _never_loaded(results: Sequence[Any]) -> list[str]:
    """Feeds whose raw table a node didn't find."""
    found = set()
    for entry in results:
        table = MISSING.search(str(entry.message))
        depends = getattr(entry.node, "depends_on", None) if table else None
        for parent in getattr(depends, "nodes", ()):
            kind, _, *name = parent.split(".")
            if table and kind == "source" and name[-1] == table[1]:
                found.add(".".join(name))
    return sorted(found)


def build_as_builder(target: str, *, root: Path) -> int:
    """Run `journey build` after a command that another login serves.

    Args:
        target: of dbt's.
        root: the project's folder.

    Returns:
        The exit status that dbt would have.

    Raises:
        JourneyError: another build runs, or the login that the environment names is none that builds.
    """
    use_embedded(TRANSFORMER)
    with settings.connect() as connection:
        row = connection.execute(
            "select current_user, pg_has_role(nspowner, 'usage') from pg_namespace where nspname = 'build_state'"
        ).fetchone()
    if target in PLAIN and row and not row[1]:
        raise JourneyError(f"{row[0]} doesn't build: journey build --target {target}, with the login that does")
    return build(["--target", target], root=root)


def target_of(arguments: Sequence[str]) -> str | None:
    """The target that dbt's arguments or the environment name."""
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        name, _, value = argument.partition("=")
        if name in ("-t", "--target"):
            return value or following
    return os.environ.get("DBT_TARGET")


class Turn:
    """This process's turn to build a target's schemas.

    Args:
        connection: holds the lock.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection, self._run = connection, ""

    def listen(self, event: Any) -> None:
        """A callback of dbt's: from its first event on, this connection is one of the run's."""
        if event.info.invocation_id != self._run:
            self._run = event.info.invocation_id
            self._connection.execute(f"/* {self._mark} */ select 1".encode())

    def end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """A signal's handler: end what the server does for this build, and this process; each table is whole."""
        if self._run:
            with suppress(Exception), settings.connect(autocommit=True, patience=0, as_login=True) as connection:
                connection.execute(END, [f"/* {self._mark}"])
        with suppress(Exception):
            show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""  # a progress bar hid it
            sys.stdout.flush()
            print(f"{show_cursor}journey: the build was ended; the next one goes on from here", file=sys.stderr)
        os._exit(128 + number)

    @property
    def _mark(self) -> str:
        return f"dbt {self._run}"


@contextmanager
def turn(root: Path, target: str | None, wait: int = 0) -> Iterator[Turn]:
    """Nobody else builds a target's schemas by `journey` meanwhile; SIGINT and SIGTERM end this process at once.

    Args:
        root: the project's folder.
        target: of the profile; its default if None.
        wait: how long another build may still take, seconds.

    Raises:
        JourneyError: it took longer.
        UsageError: the profile can't be read.
    """
    schema = _schema(root, target)
    with settings.connect(application=me()[:63], autocommit=True, as_login=True) as connection:
        try:
            connection.execute(f"set lock_timeout = {max(1, wait * 1000)}".encode())
            connection.execute(f"select pg_advisory_lock({LOCK})".encode(), [schema])
        except LockNotAvailable:
            found = connection.execute(HOLDER.encode(), [schema]).fetchone() or ("another", None)
            since = f" since {found[1]}" if found[1] else ""  # of another role's sessions one isn't told
            raise JourneyError(
                f"{found[0]} builds {schema}{since}: wait for its end (--wait SECONDS), or build into a schema of your "
                "own (DBT_SCHEMA)"
            ) from None
        ours = Turn(connection)
        with _handled(ours):
            yield ours


@contextmanager
def _handled(ours: Turn) -> Iterator[None]:
    """Signals end the build, while it runs; only a main thread can say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ours.end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def layer_schema(root: Path, target: str | None, layer: str) -> str:
    """The schema of a layer of a target, as macros/generate_schema_name.sql has it.

    Args:
        root: the project's folder.
        target: of the profile; its default if None.
        layer: such as `publications`.

    Raises:
        UsageError: the profile can't be read.
    """
    if target in PLAIN:
        return layer
    profile = _profile(root, target)
    return layer if profile.target_name in PLAIN else f"{profile.credentials.schema}_{layer}"


def _schema(root: Path, target: str | None) -> str:
    """Where a target writes, in words."""
    profile = _profile(root, target)
    return "the plain schemas" if profile.target_name in PLAIN else str(profile.credentials.schema)


def _profile(root: Path, target: str | None) -> Any:
    """dbt's profile."""
    from dbt.config.runtime import load_profile
    from dbt.exceptions import DbtProfileError
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)
    set_from_args(Namespace(profiles_dir=os.environ.get("DBT_PROFILES_DIR", str(root))), {})
    try:
        return load_profile(str(root), {}, target_override=target)
    except DbtProfileError as error:
        raise UsageError(" ".join(str(error).split())) from error
