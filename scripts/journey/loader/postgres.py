"""Connections of the loader: made, watched over, made again; what PostgreSQL's troubles mean, in one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast

import psycopg
from psycopg import Connection, errors, sql
from psycopg.pq import TransactionStatus

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.loader.errors import one_line
from journey.loader.watching import Say, Watched

# Advisory locks: (class, …) for tables, runs; one bigint for a file (7310003), a content (…4); and one (…5) for all
# files together, which their transactions share, and which whoever forgets a person has alone.
DDL_LOCK = 7_310_001
RUN_LOCK = 7_310_002
FILE_LOCK = 7_310_003
FORGET_LOCK = 7_310_005
LOCK_TIMEOUT = "10s"  # of what locks a table for all: a queue behind a long reader must not stop every other reader
GREETINGS = 3  # tries, of a connection that breaks as soon as it is made
READ_LOCK_TIMEOUT = "10s"  # of a look into a raw table, which waits only for somebody who locked it for all
UPGRADE_SECONDS = 60.0  # of the ledger's upgrade, in turns of LOCK_TIMEOUT
ENDED = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,
)
T = TypeVar("T")


def connect(application: str, *, writes: bool = True, say: Say = lambda _: None) -> Connection[Any]:
    """An autocommit connection whose session looks the same whatever the server's defaults, pooler or none.

    Args:
        application: how it's called in `pg_stat_activity`.
        writes: it is refused where nothing can be written.
        say: told of locks that are waited for.

    Raises:
        UsageError: PostgreSQL isn't there, doesn't let us in, or lets us only read.
    """
    for attempt in range(1, GREETINGS + 1):
        connection = cast(Watched, settings.connect(application=application, autocommit=True, kind=Watched))
        try:
            # PgBouncer gives each of its clients its own time zone and date style, so these may be the session's.
            connection.execute("set timezone to 'UTC'; set datestyle to 'ISO, MDY'")
            with connection.transaction():
                connection.execute("set local role none")  # else a login that acts as its group isn't told
                [(pid, started, standby, read_only)] = connection.execute(
                    """select pid, backend_start, pg_is_in_recovery(),
                           current_setting('default_transaction_read_only') = 'on'
                       from pg_stat_activity where pid = pg_backend_pid()"""
                ).fetchall()
            break
        except psycopg.Error as error:
            connection.close()
            if not is_lost(error) or attempt == GREETINGS:
                raise lost(error, "it was greeted") from error
    if writes and (standby or read_only):
        connection.close()
        raise UsageError(f"PostgreSQL at {address()} is read-only: {_why_read_only(standby=standby)}")
    if pid == connection.info.backend_pid:
        connection.session, connection.say = (pid, started), say
    else:  # a pooler answers, and lends each transaction any session
        connection.prepare_threshold = None
    return connection


def _why_read_only(*, standby: bool) -> str:
    if standby:
        return "it is a standby; set PGHOST to the primary (or PGTARGETSESSIONATTRS=read-write with several hosts)"
    return "default_transaction_read_only is on for this user or database; alter it, or load as another user"


def address() -> str:
    """Where PostgreSQL is, for messages."""
    return f"{os.environ.get('PGHOST', '?')}:{os.environ.get('PGPORT', '5432')}"


def is_pooled(connection: Connection[Any]) -> bool:
    """Whether a pooler stands between, so that nothing of a session may be relied upon."""
    return connection.prepare_threshold is None


def is_usable(connection: Connection[Any]) -> bool:
    """Whether a connection waits for the next statement: one that broke is not always closed."""
    return not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE


def backend(connection: Connection[Any]) -> tuple[int, datetime] | None:
    """The server's process for a connection: its number, and when it started; None if a pooler lends it to others."""
    return connection.session if isinstance(connection, Watched) else None


def end_backend(connection: Connection[Any], of_lost: tuple[int, datetime] | None) -> None:
    """End the process of a lost connection, which may not have noticed yet and hold a file's lock; wait for its end."""
    if of_lost:
        statement = (
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where (pid, backend_start) = (%s, %s)"
        )
        with connection.transaction():
            connection.execute("set local role none")  # a login ends its own sessions, its group may not
            connection.execute(statement, of_lost)


def is_lost(error: BaseException) -> bool:
    """Whether the server, the network or a pooler ended a connection, or the server may no longer be written."""
    if isinstance(error, ENDED):
        return True
    has_code = isinstance(error, psycopg.Error) and error.sqlstate is not None
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) and not has_code


def may_pass(error: BaseException) -> bool:
    """Whether another try may end better: the connection, a lock, a deadlock, a full disk; not the data."""
    is_ours = isinstance(error, errors.ProgramLimitExceeded)
    return is_lost(error) or (isinstance(error, psycopg.OperationalError) and not is_ours)


def lost(error: psycopg.Error, when: str) -> JourneyError:
    """What is told of a connection that broke where no file is to blame.

    Args:
        error: what psycopg raised.
        when: ends "the connection was lost while …".
    """
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return JourneyError(f"PostgreSQL at {address()} can only be read by now (a failover?), while {when}; run again")
    if is_lost(error):
        said = one_line(error)
        return JourneyError(f"the connection to PostgreSQL at {address()} was lost while {when}: {said}; run again")
    return JourneyError(f"PostgreSQL at {address()} refused, while {when}: {one_line(error)}")


@contextmanager
def told(when: str) -> Iterator[None]:
    """Whatever PostgreSQL's trouble is in here, it is one line.

    Args:
        when: ends "the connection was lost while …".

    Raises:
        JourneyError: PostgreSQL had one.
    """
    try:
        yield
    except psycopg.Error as error:
        raise lost(error, when) from error


class Keeper:
    """A connection that is made again when it breaks, for work that may be done again."""

    def __init__(self, make: Callable[[], Connection[Any]], attempts: int, pause: Callable[[int], object]) -> None:
        """Connect.

        Args:
            make: makes a connection.
            attempts: how often work is tried.
            pause: waits before the next try, of which it gets the number.
        """
        self._make, self._attempts, self._pause = make, attempts, pause
        self.connection = make()

    def do(self, work: Callable[[Connection[Any]], T], when: str) -> T:
        """Do some work, again from its beginning if the connection breaks.

        Args:
            work: may be repeated: what it has read or committed is read or committed again.
            when: ends "the connection was lost while …".

        Raises:
            JourneyError: PostgreSQL stays away, or refuses.
        """
        for attempt in range(1, self._attempts + 1):
            try:
                if not is_usable(self.connection):
                    self.connection.close()
                    self.connection = self._make()
                return work(self.connection)
            except psycopg.Error as error:
                if not is_lost(error) or attempt == self._attempts:
                    raise lost(error, when) from error
                self._pause(attempt)
        raise AssertionError

    def close(self) -> None:
        """Close the connection."""
        with suppress(psycopg.Error):
            self.connection.close()


class Holder(NamedTuple):
    """Somebody who has a lock that is waited for.

    Attributes:
        pid: of the server's process.
        user: who it is.
        application: with what.
        state: what the session does, as `pg_stat_activity` says it.
        seconds: since its transaction began.
    """

    pid: int
    user: str
    application: str
    state: str
    seconds: float

    def __str__(self) -> str:
        since = f"{self.seconds / 60:.0f} min" if self.seconds >= 120 else f"{self.seconds:.0f} s"
        return f"pid {self.pid} ({self.user}, {self.application or 'no name'}, {self.state}) has it since {since}"


def blockers(connection: Connection[Any], pid: int) -> list[Holder]:
    """Who stands in the way of a session that waits for a lock.

    Args:
        connection: another one.
        pid: of the waiting session's process.
    """
    return _holders(connection, "pid = any(pg_blocking_pids(%(pid)s))", {"pid": pid})


def holders(connection: Connection[Any], schema: str, table: str) -> list[Holder]:
    """Who has, or waits for, a lock on a table that others may have to wait for; the oldest first."""
    name = sql.Identifier(schema, table).as_string(connection)
    locks = "pid in (select pid from pg_locks where relation = to_regclass(%(name)s) and pid <> pg_backend_pid()"
    strong = " and (mode ~ 'Exclusive' and mode <> 'RowExclusiveLock' or mode = 'ShareLock'))"
    return _holders(connection, locks + strong, {"name": name}) or _holders(connection, locks + ")", {"name": name})


def file_holder(connection: Connection[Any], schema: str, table: str, bucket: str, key: str) -> Holder | None:
    """Which session has a file in its hands, that `take` didn't give to us."""
    condition = """pid in (
        select pid from pg_locks,
            lateral (select hashtextextended(concat_ws(E'\\n', %(schema)s::text, %(table)s::text, %(bucket)s::text,
                                                       %(key)s::text), %(lock)s) as number) as file
        where locktype = 'advisory' and objsubid = 1 and granted
          and (classid::bigint << 32) | objid::bigint = number
          and database = (select oid from pg_database where datname = current_database()))"""
    names = {"schema": schema, "table": table, "bucket": bucket, "key": key, "lock": FILE_LOCK}
    found = _holders(connection, condition, names)
    return found[0] if found else None


def _holders(connection: Connection[Any], condition: str, parameters: Mapping[str, object]) -> list[Holder]:
    rows = connection.execute(
        f"""select pid, coalesce(usename, '?'), coalesce(application_name, ''), coalesce(state, '?'),
                coalesce(extract(epoch from clock_timestamp() - coalesce(xact_start, state_change)), 0)::float8
            from pg_stat_activity where {condition} order by xact_start""",
        parameters,
    )
    return [Holder(*row) for row in rows]


def explain(connection: Connection[Any], schema: str, table: str, error: BaseException) -> str:
    """An error in one line; of a lock that wasn't given in time, who has it.

    Args:
        connection: one that works.
        schema: of the raw table.
        table: that was waited for.
        error: what psycopg raised.
    """
    said = one_line(error)
    if not isinstance(error, errors.LockNotAvailable):
        return said
    with suppress(psycopg.Error):
        found = holders(connection, schema, table)
        who = "; ".join(map(str, found[:3])) or "whoever had it has gone meanwhile"
        return f"{schema}.{table} is locked: {who} ({said}); the next load tries again"
    return said
