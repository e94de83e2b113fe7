"""PostgreSQL that waits, vanishes, starts up, may only be read or is shared by a pooler: told in one line, in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import psycopg
import pytest

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres, reconcile, tables, watching
from journey.loader.watching import NoAnswerError
from journey.services.state import State
from loader.pg_proxy import Between, BlackHole, Pooler, Starting
from loader.proxy import Fault, Proxy
from loader.seeding import Seed, declared, query
from loader.support import Landing

B = TypeVar("B", bound=Between)
Behind = Callable[[type[B]], B]


@pytest.fixture
def behind(embedded: State, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind[Any]]:
    """Puts something between the loader and PostgreSQL; tests that connect before reach it directly."""
    made: list[Between] = []

    def put(kind: type[Between]) -> Between:
        between = kind(embedded.ports["postgres"])
        made.append(between)
        monkeypatch.setenv("PGPORT", str(between.port))
        monkeypatch.setenv("PGSSLMODE", "disable")
        return between

    yield put
    for between in made:
        between.close()


@pytest.fixture
def direct(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection with nothing between."""
    with psycopg.connect(autocommit=True) as connection:
        yield connection


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections look soon."""
    monkeypatch.setattr(watching, "FIRST_LOOK", 0.3)
    monkeypatch.setattr(watching, "NEXT_LOOK", 0.3)
    monkeypatch.setattr(watching, "ANSWER_SECONDS", 1.0)
    monkeypatch.setitem(settings.NETWORK, "connect_timeout", 2)


def watched(said: list[str] | None = None) -> psycopg.Connection[Any]:
    """A connection as the loader has it."""
    return postgres.connect("journey load", say=(said if said is not None else []).append)


def test_a_vanished_network_ends_a_connection_after_a_minute(direct: psycopg.Connection[Any]) -> None:
    with watched() as connection:
        given = connection.info.get_parameters()
    assert {name: given[name] for name in ("tcp_user_timeout", "keepalives_idle", "keepalives_interval")} == {
        "tcp_user_timeout": "60000",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
    }


def test_a_statement_that_the_server_never_hears_is_given_up(
    direct: psycopg.Connection[Any], behind: Behind[BlackHole], soon: None
) -> None:
    hole = behind(BlackHole)
    connection = watched()
    hole.swallow()
    begun = time.monotonic()
    with pytest.raises(NoAnswerError, match="PostgreSQL waits for us, and doesn't hear us") as caught:
        connection.execute("select 1")
    assert time.monotonic() - begun < 10
    assert postgres.is_lost(caught.value)
    assert connection.closed


def test_a_copy_that_nobody_hears_is_given_up_and_its_session_ended(
    direct: psycopg.Connection[Any], behind: Behind[BlackHole], soon: None
) -> None:
    hole = behind(BlackHole)
    direct.execute("create schema raw_shop; create table raw_shop.sales (name text)")
    connection = watched()
    backend = postgres.backend(connection)

    def copy_much() -> None:
        with connection.cursor().copy("copy raw_shop.sales from stdin") as copy:
            copy.write(b"a" * 100_000 + b"\n")
            hole.swallow()
            for _ in range(1000):
                copy.write(b"b" * 100_000 + b"\n")

    with pytest.raises(NoAnswerError):
        copy_much()
    again = watched()
    postgres.end_backend(again, backend)
    assert query(direct, "select count(*) from pg_stat_activity where query like 'copy raw_shop%'") == [(0,)]
    assert query(direct, "select count(*) from raw_shop.sales") == [(0,)]


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "unanswered"])
def test_a_commit_without_an_answer_is_given_up(
    direct: psycopg.Connection[Any], behind: Behind[BlackHole], soon: None, heard: bool
) -> None:
    hole = behind(BlackHole)
    direct.execute("create schema raw_shop; create table raw_shop.sales (name text)")
    connection = watched()
    hole.swallow_after = b"C\x00\x00\x00\x0bCOMMIT" if heard else b"COMMIT"  # the answer to it, or the statement
    with pytest.raises(NoAnswerError), connection.transaction():
        connection.execute("insert into raw_shop.sales values ('a')")
    assert query(direct, "select count(*) from raw_shop.sales") == [(int(heard),)]


def test_a_server_that_nobody_can_reach_any_more_is_given_up(
    direct: psycopg.Connection[Any], behind: Behind[BlackHole], soon: None
) -> None:
    hole = behind(BlackHole)
    connection = watched()
    hole.swallow(new=True)
    with pytest.raises(NoAnswerError, match="PostgreSQL doesn't answer"):
        connection.execute("select 1")


def test_a_long_statement_is_waited_for(direct: psycopg.Connection[Any], soon: None) -> None:
    said: list[str] = []
    with watched(said) as connection:
        assert connection.execute("select pg_sleep(2)").fetchall() == [("",)]
    assert said == []


def test_a_wait_for_a_lock_says_who_has_it_and_ends(direct: psycopg.Connection[Any], soon: None) -> None:
    seed, source, said = Seed(direct), declared(), list[str]()
    seed.bring(source, "in/a.csv", [(1, "a")])
    with psycopg.connect(application_name="a notebook") as analyst, watched(said) as connection:
        analyst.execute("lock table raw_shop.sales")
        pid = analyst.info.backend_pid

        def load() -> None:
            with connection.transaction():
                ledger.take(connection, source, ["in/b.csv"])
                assert query(connection, "show lock_timeout") == [("1min",)]
                connection.execute("set local lock_timeout to '2s'")
                connection.execute("insert into raw_shop.sales values (2, 'b')")

        with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
            load()
        assert said == [f"waiting for a lock on raw_shop.sales: pid {pid} (journey, a notebook, idle in transaction)"]
        told = postgres.explain(connection, "raw_shop", "sales", caught.value)
    assert told.startswith(
        f"raw_shop.sales is locked: pid {pid} (journey, a notebook, idle in transaction) has it since"
    )
    assert query(direct, "show lock_timeout") == [("0",)]


def test_a_file_in_other_hands_says_whose(direct: psycopg.Connection[Any]) -> None:
    Seed(direct)
    source = declared()
    with psycopg.connect(application_name="journey load") as other:
        ledger.take(other, source, ["in/a.csv"])
        assert query(other, "show idle_in_transaction_session_timeout") == [("5min",)]
        with direct.transaction():
            assert not ledger.take(direct, source, ["in/a.csv"])["in/a.csv"].is_ours
        holder = postgres.file_holder(direct, source.schema, source.table, source.bucket, "in/a.csv")
        assert holder is not None
        assert (holder.pid, holder.application) == (other.info.backend_pid, "journey load")
        assert postgres.file_holder(direct, source.schema, source.table, source.bucket, "in/b.csv") is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        ("alter database {} set default_transaction_read_only to on", "default_transaction_read_only is on"),
        (
            """create function public.pg_is_in_recovery() returns boolean language sql as 'select true';
               alter database {} set search_path to public, pg_catalog""",
            "it is a standby; set PGHOST to the primary",
        ),
    ],
)
def test_a_server_that_may_only_be_read_is_refused_in_one_line(
    direct: psycopg.Connection[Any], database: str, make: str, words: str
) -> None:
    direct.execute(make.format(database))
    try:
        with pytest.raises(UsageError, match=r"PostgreSQL at \S+ is read-only") as caught:
            watched()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        postgres.connect("journey status", writes=False).close()
    finally:
        direct.execute(
            f"""set default_transaction_read_only to off; alter database {database} reset all;
                drop function if exists public.pg_is_in_recovery()"""
        )


def test_a_server_that_starts_up_is_waited_for(direct: psycopg.Connection[Any], behind: Behind[Starting]) -> None:
    starting = behind(Starting)
    with watched() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert starting.connections == Starting.refusals + 1
    starting.refusals = 100
    with pytest.raises(UsageError, match="the database system is starting up"):
        settings.connect(patience=0.7)


def terminate(direct: psycopg.Connection[Any]) -> None:
    """End every session of the loader."""
    direct.execute(
        """select pg_terminate_backend(pid, 5000) from pg_stat_activity
           where application_name = 'journey load' and datname = current_database()"""
    )


def test_work_whose_connection_breaks_is_done_again(direct: psycopg.Connection[Any]) -> None:
    keeper, tries = postgres.Keeper(watched, 3, lambda _: None), list[int]()

    def work(connection: psycopg.Connection[Any]) -> int:
        tries.append(1)
        if len(tries) == 1:
            terminate(direct)
        return int(query(connection, "select 42")[0][0])

    assert keeper.do(work, "the load was planned") == 42
    assert len(tries) == 2
    keeper.close()


def test_work_whose_connection_keeps_breaking_is_one_line(direct: psycopg.Connection[Any]) -> None:
    keeper = postgres.Keeper(watched, 3, lambda _: None)

    def work(connection: psycopg.Connection[Any]) -> None:
        terminate(direct)
        connection.execute("select 1")

    with pytest.raises(JourneyError, match=r"was lost while the load was planned: .*; run again") as caught:
        keeper.do(work, "the load was planned")
    assert "\n" not in str(caught.value)
    keeper.close()


def test_a_lost_connection_is_not_the_declarations_fault(direct: psycopg.Connection[Any]) -> None:
    Seed(direct)
    source = declared()
    table = tables.ensure_table(direct, source)
    connection = watched()
    terminate(direct)
    with pytest.raises(psycopg.OperationalError):
        tables.type_changes(connection, source, table)
    with pytest.raises(UsageError, match=r'models/staging/shop/_shop__sources\.yml: .*type "wrong" does not exist'):
        tables.type_changes(direct, declared(columns={"id": "wrong", "name": "text"}), table)


def test_what_may_pass_and_what_is_lost() -> None:
    assert postgres.is_lost(psycopg.errors.AdminShutdown())
    assert postgres.is_lost(psycopg.errors.ReadOnlySqlTransaction())
    assert postgres.is_lost(psycopg.OperationalError("server closed the connection unexpectedly"))
    assert postgres.is_lost(psycopg.InterfaceError("the connection is closed"))
    assert not postgres.is_lost(psycopg.errors.LockNotAvailable())
    assert postgres.may_pass(psycopg.errors.LockNotAvailable())
    assert postgres.may_pass(psycopg.errors.DiskFull())
    assert not postgres.may_pass(psycopg.errors.ProgramLimitExceeded())
    assert not postgres.may_pass(psycopg.errors.UndefinedColumn())
    said = str(postgres.lost(psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "a file was loaded"))
    assert "can only be read by now (a failover?), while a file was loaded; run again" in said


def test_a_pooler_in_transaction_mode_is_worked_through(
    direct: psycopg.Connection[Any], behind: Behind[Pooler]
) -> None:
    pooler = behind(Pooler)
    connection = watched()
    assert postgres.is_pooled(connection)
    assert postgres.backend(connection) is None  # nobody else's session is ever ended
    assert len({query(connection, "select pg_backend_pid()")[0][0] for _ in range(8)}) > 1
    seed, source = Seed(connection), declared()
    for number in range(30):  # more than psycopg needs to prepare a statement
        seed.bring(source, f"in/{number}.csv", [(number, "a")])
    reconcile.check(connection, source)
    tables.finish_table(connection, source, 30)
    ledger.end_run(connection, seed.run_id, "loaded")
    assert query(direct, "select count(*), count(distinct _file_id) from raw_shop.sales") == [(30, 30)]
    assert query(direct, "select status, has_lock from loader.runs") == [("loaded", False)]
    locks = f"select count(*) from pg_locks where locktype = 'advisory' and pid in {tuple(pooler.pids)}"
    assert query(direct, locks) == [(0,)]
    names = ("lock_timeout", "enable_seqscan", "default_statistics_target", "idle_in_transaction_session_timeout")
    left = f"select pg_backend_pid(), {', '.join(f'current_setting($${name}$$)' for name in names)}"
    rows = [query(connection, left)[0] for _ in range(2 * len(pooler.pids))]
    assert {row[0] for row in rows} == set(pooler.pids)
    assert {row[1:] for row in rows} == {("0", "on", "100", "0")}


def test_a_run_through_a_pooler_is_not_taken_for_killed(
    direct: psycopg.Connection[Any], behind: Behind[Pooler]
) -> None:
    seed = Seed(direct)  # a run that holds its lock
    behind(Pooler)
    with watched() as connection:
        Seed(connection)
    ledger.begin_run(direct, "everything", "here")
    assert query(direct, "select run_id, status from loader.runs order by 1") == [
        (seed.run_id, "running"),
        (2, "running"),
        (3, "running"),
    ]
    direct.execute("update loader.runs set started_at = now() - interval '2 days' where run_id = 2")
    ledger.begin_run(direct, "everything", "here")
    assert query(direct, "select status from loader.runs where run_id = 2") == [("killed",)]


def test_end_to_end_a_load_through_a_pooler(landing: Landing, behind: Behind[Pooler]) -> None:
    behind(Pooler)
    for number in range(12):
        landing.put(f"in/{number:02}.csv", f"id,name\n{number},a\nx,b\n")
    summary = landing.load(landing.source(max_reject_rate=0.5))
    assert summary.failures == []
    assert landing.query("select count(*) from raw_shop.sales") == [(12,)]
    assert landing.agree()
    assert landing.query("select status from loader.runs") == [("loaded",)]


def test_end_to_end_a_connection_that_goes_silent_mid_copy(
    landing: Landing, behind: Behind[BlackHole], soon: None
) -> None:
    hole = behind(BlackHole)
    landing.put("in/a.csv", "id,name\n" + "".join(f"{i},{'x' * 90}\n" for i in range(300_000)))
    source = landing.source()
    threading.Timer(1.0, hole.swallow).start()
    assert landing.load(source).failures == []
    assert landing.query("select count(*) from raw_shop.sales") == [(300_000,)]
    assert landing.agree()


def test_end_to_end_a_locked_table_fails_in_time_and_names_who(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/b.csv", "id,name\n2,b\n")
    monkeypatch.setattr("journey.loader.postgres.READ_LOCK_TIMEOUT", "200ms")
    with psycopg.connect(application_name="a notebook") as analyst:
        analyst.execute("lock table raw_shop.sales")
        [failure] = landing.load(landing.source()).failures
    assert "raw_shop.sales is locked: pid" in failure
    assert "a notebook" in failure
    assert landing.load(landing.source()).exit_status == 0


@pytest.mark.parametrize("connection", [0, 1, 2], ids=["main", "worker", "second"])
def test_end_to_end_a_connection_that_is_cut_anywhere_is_made_again_or_one_line(
    landing: Landing, embedded: State, monkeypatch: pytest.MonkeyPatch, connection: int
) -> None:
    """From the first greeting over planning and early commits to the last statement."""
    for number in range(3):
        landing.put(f"in/{number}.csv", f"id,name\n{number},a\nx,b\n")
    source = landing.source(max_reject_rate=0.5, deduplicate="content")
    monkeypatch.setenv("PGSSLMODE", "disable")
    for after in (0, 300, 500, 700, 1000, 1500, 2500, 4500):  # bytes of its answers
        proxy = Proxy(embedded.ports["postgres"], every_connection=True)
        proxy.faults = [Fault("cut", 10**9)] * connection + [Fault("reset" if after % 1000 else "cut", after)]
        monkeypatch.setenv("PGPORT", str(proxy.port))
        try:
            summary = landing.load(source)
            said = " ".join(summary.failures)
        except JourneyError as error:
            said = str(error)
        finally:
            proxy.close()
        assert "\n" not in said
        assert "models/staging" not in said
        monkeypatch.setenv("PGPORT", str(embedded.ports["postgres"]))
        assert landing.load(source).failures == []
        assert landing.query("select count(*), count(distinct id) from raw_shop.sales") == [(3, 3)]
        assert landing.agree()
        landing.connection.execute("drop schema raw_shop cascade; drop schema loader cascade")
