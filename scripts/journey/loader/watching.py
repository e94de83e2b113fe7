"""Connections that don't wait blindly: they say who has a lock, and give up a server that no longer hears them.

TCP's own timeouts end a connection whose other end has vanished. They don't see a proxy, a firewall or a load balancer
that answers for it, nor a lock. So a connection that has waited for a while asks PostgreSQL, over another one, what its
session does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import Connection

from journey import settings
from journey.errors import JourneyError

FIRST_LOOK, NEXT_LOOK = 5.0, 10.0  # seconds of waiting after which the session is looked at
ANSWER_SECONDS = 20.0  # within which a look is answered, or nobody is there
SILENT_LOOKS = 2  # looks in a row that must find the same, before a connection is given up

SESSION = """
    select wait_event_type = 'Lock', wait_event = 'ClientRead',
        (select min(relation::regclass::text) from pg_locks
         where pg_locks.pid = activity.pid and not granted and relation is not null),
        (select string_agg(format('pid %%s (%%s, %%s, %%s)', other.pid, other.usename,
                                  coalesce(nullif(other.application_name, ''), 'no name'), other.state), '; ')
         from pg_stat_activity as other where other.pid = any(pg_blocking_pids(activity.pid)))
    from pg_stat_activity as activity where pid = %s"""

T = TypeVar("T")
Say = Callable[[str], object]


class NoAnswerError(psycopg.OperationalError):
    """The server no longer hears a connection, which is closed."""


class Watched(Connection[Any]):
    """A connection that looks at itself from outside when a statement takes long."""

    session: tuple[int, datetime] | None = None  # the server's process: its number, and when it started
    say: Say | None = None  # told of locks that are waited for; it doesn't look without it

    def wait(self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer, as psycopg does."""
        watched = gen if self.say is None else _ticking(gen, _Looks(self).at)
        return super().wait(watched, interval, timeout)


class _Looks:
    """The looks at a session during one wait."""

    def __init__(self, connection: Watched) -> None:
        self._connection, self._next, self._silent, self._has_said = connection, FIRST_LOOK, 0, False

    def at(self, seconds: float) -> None:
        """Look, if it is time to.

        Args:
            seconds: since the wait began.

        Raises:
            NoAnswerError: the server waits for us, has no such session any more, or isn't there.
        """
        if seconds < self._next:
            return
        found = _look(self._connection.pgconn.backend_pid)
        self._next = seconds + NEXT_LOOK
        if found is None:
            return
        is_silent, said = found
        self._silent = self._silent + 1 if is_silent else 0
        if said and not is_silent and not self._has_said and self._connection.say:
            self._has_said = True
            self._connection.say(said)
        if self._silent >= SILENT_LOOKS:
            self._connection.pgconn.finish()
            raise NoAnswerError(f"{said}; nothing was heard for {seconds:.0f} s")


def _look(pid: int) -> tuple[bool, str] | None:
    """What a session does that is waited for: whether it won't answer, and what to say; None: it works."""
    try:
        with settings.connect(
            application="journey watch", autocommit=True, patience=0, kind=_Impatient, as_login=True
        ) as connection:
            row = connection.execute(SESSION, [pid]).fetchone()
    except NoAnswerError:
        return True, "PostgreSQL doesn't answer"
    except (JourneyError, psycopg.Error) as error:
        if isinstance(error.__cause__, psycopg.errors.ConnectionTimeout):
            return True, "PostgreSQL doesn't answer"
        return None  # no connection is free, or we may not look: that isn't silence
    if row is None:
        return True, "PostgreSQL no longer has this session"
    waits_for_lock, waits_for_us, relation, blockers = row
    if waits_for_lock:
        return False, f"waiting for a lock on {relation or 'a row'}: {blockers or 'whoever has it has just gone'}"
    return (True, "PostgreSQL waits for us, and doesn't hear us") if waits_for_us else None


class _Impatient(Connection[Any]):
    """A connection that is answered soon, or not at all."""

    def wait(self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer.

        Raises:
            NoAnswerError: none came in time.
        """

        def give_up(seconds: float) -> None:
            if seconds > ANSWER_SECONDS:
                self.pgconn.finish()
                raise NoAnswerError("no answer")

        return super().wait(_ticking(gen, give_up), interval, timeout)


def _ticking(gen: Generator[Any, Any, T], tick: Callable[[float], None]) -> Generator[Any, Any, T]:
    """What psycopg waits by, with a tick whenever nothing has come for a moment."""
    begun, ready = time.monotonic(), None
    while True:
        try:
            wanted = next(gen) if ready is None else gen.send(ready)
        except StopIteration as end:
            value: T = end.value
            return value
        ready = yield wanted
        if not ready:
            tick(time.monotonic() - begun)
