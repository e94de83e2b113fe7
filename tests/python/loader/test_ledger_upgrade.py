"""A ledger of any earlier version is brought to today's, whole or not at all; a newer one is refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest

from journey.errors import JourneyError, UsageError
from journey.loader import ledger
from journey.project import program_version
from loader.seeding import Seed, declared, query
from loader.support import Landing

FIRST = "df8e2bae"  # of SHA-256: what a released version made is never edited


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    """To an empty database."""
    with psycopg.connect(autocommit=True) as connection:
        yield connection


def old_ledger(
    connection: psycopg.Connection[Any], bucket: str = "landing", etags: Sequence[str] = ("e1", "e2")
) -> None:
    """A database as the first version left it: two loaded files, one replaced, one failed, a reject, some drift."""
    connection.execute(ledger.migrations()[0].sql)
    connection.execute(
        f"""create schema raw_shop;
            create table raw_shop.sales (
                id integer, name text, _file_id integer not null default loader.current_file_id());
            create index on raw_shop.sales using brin (_file_id);
            insert into loader.runs (selected, host) values ('everything', 'here');
            insert into loader.files (schema_name, table_name, bucket, key, etag, size_bytes, row_count,
                                      rejected_count, run_id, started_at, status, error)
            values ('raw_shop', 'sales', '{bucket}', 'in/a.csv', 'e0', 9, 5, 0, 1, now(), 'replaced', null),
                   ('raw_shop', 'sales', '{bucket}', 'in/a.csv', '{etags[0]}', 12, 1, 0, 1, now(), 'loaded', null),
                   ('raw_shop', 'sales', '{bucket}', 'in/b.csv', '{etags[1]}', 9, 1, 1, 1, now(), 'loaded', null),
                   ('raw_shop', 'sales', '{bucket}', 'in/c.csv', 'e3', 9, 0, 7, 1, now(), 'failed', 'too bad');
            insert into raw_shop.sales values (1, 'a', 2), (2, 'b', 3);
            insert into loader.rejected_rows values (3, 2, 'id', 'no number', 'x,y');
            insert into loader.schema_changes
                (schema_name, table_name, column_name, change, detail, first_key, last_key)
            values ('raw_shop', 'sales', 'extra', 'new', 'added', 'in/a.csv', 'in/a.csv')"""
    )


def test_a_released_step_is_never_edited() -> None:
    assert hashlib.sha256(ledger.migrations()[0].sql).hexdigest().startswith(FIRST)
    assert [step.number for step in ledger.migrations()] == list(range(1, len(ledger.migrations()) + 1))


def test_a_database_of_the_first_version_is_upgraded_and_keeps_what_it_knows(
    connection: psycopg.Connection[Any],
) -> None:
    old_ledger(connection)
    ledger.set_up(connection)
    assert ledger.version(connection) == ledger.migrations()[-1].number
    assert query(connection, "select number, name from loader.migrations order by 1") == [
        (step.number, step.name) for step in ledger.migrations()
    ]
    assert query(
        connection,
        "select key, status, row_count, rejected_count, waived_count, delivered_count from loader.files order by 1, 2",
    ) == [
        ("in/a.csv", "loaded", 1, 0, 0, 1),
        ("in/a.csv", "replaced", 5, 0, 0, 5),
        ("in/b.csv", "loaded", 1, 1, 0, 2),
        ("in/c.csv", "failed", 0, 7, 0, None),
    ]  # fmt: skip
    known = ledger.known(connection, declared(), ["in/a.csv", "in/c.csv", "in/d.csv"])
    assert known["in/a.csv"].loaded_etag == "e1"
    assert known["in/c.csv"].failed_etag == "e3"
    assert "in/d.csv" not in known


def test_what_the_old_ledger_knew_is_not_loaded_again(landing: Landing) -> None:
    etags = landing.put("in/a.csv", "id,name\n1,a\n"), landing.put("in/b.csv", "id,name\n2,b\nx,y\n")
    old_ledger(landing.connection, landing.bucket, etags)
    landing.put("in/d.csv", "id,name\n4,d\n")
    summary = landing.load(landing.source(max_reject_rate=0.5))
    assert summary.failures == []
    assert summary.tables["shop.sales"].files == 1
    assert landing.rows() == [(1, "a"), (2, "b"), (4, "d")]
    assert ("in/c.csv", "settled") in landing.statuses()  # it is gone from S3
    assert landing.agree()


def test_a_new_database_gets_todays_ledger(connection: psycopg.Connection[Any]) -> None:
    assert ledger.version(connection) == 0
    ledger.set_up(connection)
    made = _columns(connection)
    connection.execute("drop schema loader cascade")
    old_ledger(connection)
    ledger.set_up(connection)
    assert _columns(connection) == made


def _columns(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return query(
        connection,
        """select table_name::text, column_name::text, data_type::text, is_nullable::text, column_default::text
           from information_schema.columns where table_schema = 'loader' order by 1, 2""",
    )


def test_a_run_tells_the_programs_version_and_an_earlier_run_none(connection: psycopg.Connection[Any]) -> None:
    before = ledger.migrations()[:4]
    for step in before:
        connection.execute(step.sql)
    connection.execute("insert into loader.migrations (number, name) values (%s, %s)", before[-1][:2])
    connection.execute("insert into loader.runs (selected, host) values ('everything', 'here')")
    ledger.set_up(connection)
    ledger.begin_run(connection, "everything", "here")
    assert query(connection, "select program_version from loader.runs order by run_id") == [
        (None,),
        (program_version(),),
    ]


def test_an_upgrade_that_fails_leaves_the_old_ledger(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_ledger(connection)
    before = _columns(connection)
    broken = [*ledger.migrations(), ledger.migrations()[0]._replace(number=99, name="broken", sql=b"select 1/0")]
    monkeypatch.setattr("journey.loader.ledger.upgrade.migrations", lambda: broken)
    with pytest.raises(psycopg.errors.DivisionByZero):
        ledger.set_up(connection)
    assert _columns(connection) == before


def test_a_newer_ledger_is_refused_in_one_line(connection: psycopg.Connection[Any]) -> None:
    ledger.set_up(connection)
    latest = ledger.migrations()[-1].number
    connection.execute("insert into loader.migrations (number, name) values (%s, 'tomorrow')", [latest + 4])
    with pytest.raises(UsageError) as caught:
        ledger.set_up(connection)
    assert str(caught.value) == (
        f"the ledger is of a newer version ({latest + 4}) than this journey knows ({latest}): upgrade journey"
    )


def test_many_set_ups_at_once_make_one_ledger(connection: psycopg.Connection[Any]) -> None:
    old_ledger(connection)
    failed = list[BaseException]()

    def set_up() -> None:
        try:
            with psycopg.connect(autocommit=True) as mine:
                ledger.set_up(mine)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=set_up) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert query(connection, "select count(*) from loader.migrations") == [(len(ledger.migrations()),)]


def test_an_upgrade_waits_for_whoever_uses_the_ledger_but_not_for_ever(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_ledger(connection)
    monkeypatch.setattr("journey.loader.postgres.LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr("journey.loader.postgres.UPGRADE_SECONDS", 0.3)
    with psycopg.connect(application_name="an old load") as user:
        user.execute("select count(*) from loader.files")
        with pytest.raises(
            JourneyError, match=rf"the ledger has to be upgraded.*pid {user.info.backend_pid} .*an old load"
        ):
            ledger.set_up(connection)
    ledger.set_up(connection)


def test_emptied_tables_do_not_make_a_ledger_forget_what_it_is(connection: psycopg.Connection[Any]) -> None:
    ledger.set_up(connection)
    connection.execute(
        "truncate loader.migrations, loader.files, loader.rejected_rows, loader.runs, loader.schema_changes"
    )
    ledger.set_up(connection)
    Seed(connection).bring(declared(), "in/a.csv", [(1, "a")])


def test_a_user_who_may_not_make_schemas_can_upgrade(connection: psycopg.Connection[Any], database: str) -> None:
    old_ledger(connection)
    connection.execute("drop role if exists plain_loader")
    connection.execute("create role plain_loader")
    try:
        for kind, name in (
            *(("table", f"loader.{name}") for name in ("runs", "files", "rejected_rows", "schema_changes")),
            ("function", "loader.current_file_id()"),
            ("function", "loader.take_file(text, text, text, text)"),
        ):
            connection.execute(f"alter {kind} {name} owner to plain_loader")
        connection.execute("grant all on schema loader to plain_loader; set role plain_loader")
        ledger.set_up(connection)
    finally:
        connection.execute("reset role; drop owned by plain_loader cascade; drop role plain_loader")


def test_an_index_of_an_earlier_version_is_made_anew(connection: psycopg.Connection[Any]) -> None:
    old_ledger(connection)
    ledger.set_up(connection)
    seed = Seed(connection)
    for key in ("in/d.csv", "in/e.csv"):
        seed.bring(declared(), key, [(1, "a")])
    found = query(connection, "select indexdef from pg_indexes where schemaname = 'raw_shop' and tablename = 'sales'")
    assert [text.partition(" USING ")[2] for (text,) in found] == ["brin (_file_id int4_minmax_multi_ops)"]


def test_a_file_that_does_not_add_up_is_refused(connection: psycopg.Connection[Any]) -> None:
    seed, source = Seed(connection), declared()
    file_id = seed.bring(source, "in/a.csv", [(1, "a")])
    for change in ("row_count = 2", "delivered_count = null", "waived_count = 1", "status = 'failed'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"update loader.files set {change} where file_id = {file_id}")
