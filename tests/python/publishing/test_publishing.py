"""Readers see what has passed, all of it or nothing, and nothing of theirs is lost."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from dbt_common.exceptions import CompilationError
from psycopg.errors import Error

from dbt_runs import administer
from journey.services.state import State
from publishing.chaos import Chaos
from publishing.shop import Shop, shown

COLUMNS = 60  # of a narrow terminal
DATABASE = "shop_to_publish"  # always of one name, so that dbt parses the projects once


@pytest.fixture(scope="module")
def shops(embedded: State, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Shop]:
    """The project, and the same with a column more in a mart."""
    folder = tmp_path_factory.mktemp("shops")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", DATABASE)
        return Shop.make(folder / "shop"), Shop.make(folder / "larger", extra=True)


@pytest.fixture
def database(embedded: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new, empty one."""
    drop = f"drop database if exists {DATABASE} with (force)"
    administer(drop, f"create database {DATABASE}")
    monkeypatch.setenv("PGDATABASE", DATABASE)
    yield DATABASE
    administer(drop)


@pytest.fixture
def shop(shops: tuple[Shop, Shop], database: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Of which nothing is built, and whose builds publish what has passed."""
    monkeypatch.setenv("DBT_PUBLISHING", "tested")
    return shops[0]


@pytest.fixture
def larger(shops: tuple[Shop, Shop], shop: Shop) -> Shop:
    """The same with a column more in a mart."""
    return shops[1]


@pytest.fixture
def admin(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(autocommit=True) as connection:
        yield connection


def test_what_fails_its_test_is_not_seen_and_the_next_good_build_is(shop: Shop) -> None:
    assert shop.build(10).failed == set()
    assert shown("sales.by_day") == {6, 7, 8, 9, 10}
    assert shop.build(11, is_bad=True).failed == {"assert_not_bad"}
    assert shown("sales.by_day") == {6, 7, 8, 9, 10}
    assert shown("sales.in_all") == shown("finance.books") == {10}
    assert shown("built.in_all") == {11}
    assert shop.build(12).failed == set()
    assert shown("sales.by_day") == {8, 9, 10, 11, 12}
    assert shown("sales.in_all") == shown("finance.books") == {12}


def test_a_test_of_no_mart_may_hold_all_of_them(shop: Shop) -> None:
    """As that of files which couldn't be loaded: each mart may miss their rows."""
    shop.build(10)
    ran = shop.build(-1)
    assert (ran.failed, ran.errors, ran.skipped) == ({"assert_files_are_there"}, [], set())
    assert shown("built.in_all") == {-1}
    assert shown("sales.in_all") == shown("finance.books") == {10}
    refused = shop.journey("publish")
    assert refused.returncode == 1
    assert "not published: assert_files_are_there has not passed" in refused.stderr
    assert shop.build(12).failed == set()
    assert shown("sales.in_all") == {12}


def test_a_build_of_a_part_waits_for_the_rest(shop: Shop) -> None:
    shop.build(10)
    ran = shop.build(11, "--select", "days", "by_day")
    assert ran.failed == set()
    assert shown("sales.by_day") == {6, 7, 8, 9, 10}
    refused = shop.journey("publish")
    assert refused.returncode == 1
    assert "in_all is not built since what it reads was written" in refused.stderr
    shop.build(11, "--select", "in_all+")
    assert shown("sales.in_all") == {11}


def test_run_and_then_test_publish_and_so_does_a_test_alone(shop: Shop) -> None:
    shop.build(10, command="run")
    with pytest.raises(Error):
        shown("sales.in_all")
    shop.dbt("test")
    assert shown("sales.in_all") == {10}
    shop.build(11, command="run")
    assert shown("sales.in_all") == {10}
    shop.build(11, is_bad=True, command="test")
    assert shown("sales.in_all") == {10}
    shop.build(11, command="test")
    assert shown("sales.in_all") == {11}


def test_a_build_may_be_told_not_to_publish(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.build(10)
    monkeypatch.setenv("DBT_PUBLISHING", "never")
    shop.build(11)
    assert shown("sales.in_all") == {10}
    said = shop.journey("publish")
    assert (said.returncode, said.stderr) == (0, ""), said
    assert said.stdout.startswith("Published: readers see publication 2 of ")
    assert shown("sales.in_all") == {11}


def test_a_rollback_shows_what_was_shown_and_the_next_build_goes_on(shop: Shop) -> None:
    for number in (10, 11, 12, 13):
        shop.build(number)
    listed = shop.journey("publish", "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["4", "3", "2"]
    assert ["readers see this one" in line for line in listed] == [True, False, False]
    assert shop.journey("publish", "--rollback").returncode == 0
    assert shown("sales.by_day") == {8, 9, 10, 11, 12}
    assert shop.journey("publish", "--rollback", "--to", "2").returncode == 0
    assert shown("sales.by_day") == {7, 8, 9, 10, 11}
    refused = shop.journey("publish", "--rollback")
    assert (refused.returncode, refused.stderr) == (1, "journey: no such publication is kept: journey publish --list\n")
    shop.build(14)
    assert shown("sales.by_day") == {10, 11, 12, 13, 14}


def test_tables_that_are_made_anew_with_the_same_rows_can_be_made_again(shop: Shop) -> None:
    shop.build(10)
    for _ in range(3):
        assert shop.build(10, "--full-refresh", "--select", "in_all").errors == []
        assert shown("sales.in_all") == {10}
    shop.build(11)
    assert shown("sales.in_all") == {11}


def test_what_a_publication_that_was_cut_short_leaves_stands_in_nobodys_way(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.build(10)
    macro = shop.dbt.manifest.macros["macro.data_journey.record_changes"]
    broken = (
        "{% macro record_changes(number, marts, catalogue) %}{{ exceptions.raise_compiler_error('cut') }}{% endmacro %}"
    )
    with monkeypatch.context() as patch:
        patch.setattr(macro, "macro_sql", broken)
        for number in (11, 12):
            with pytest.raises(CompilationError, match="cut"):
                shop.build(number, "--full-refresh")
            assert shown("sales.by_day") == {6, 7, 8, 9, 10}
    assert shop.build(13, "--full-refresh").errors == []
    assert (shown("sales.by_day"), shown("sales.in_all")) == ({9, 10, 11, 12, 13}, {13})
    shop.build(14)
    assert (shown("sales.by_day"), shown("sales.in_all")) == ({10, 11, 12, 13, 14}, {14})
    assert shop.journey("publish", "--rollback").returncode == 0
    assert (shown("sales.by_day"), shown("sales.in_all")) == ({9, 10, 11, 12, 13}, {13})


def test_a_mart_that_was_dropped_is_shown_again(shop: Shop, admin: psycopg.Connection[tuple[object, ...]]) -> None:
    shop.build(10)
    admin.execute("drop table built.in_all__1 cascade")
    assert shop.build(10).errors == []
    assert shown("sales.in_all") == {10}


def test_peoples_views_and_grants_survive_and_comments_are_there(
    shop: Shop, admin: psycopg.Connection[tuple[object, ...]], database: str
) -> None:
    shop.build(10)
    role = f"reader_{database}"
    admin.execute(f"create role {role}".encode())
    try:
        admin.execute(f"grant usage on schema sales, public to {role}; grant select on sales.by_day to {role}".encode())
        admin.execute(b"create view public.report as select max(number) as number from sales.by_day")
        for number, arguments in ((11, ()), (12, ("--full-refresh",)), (13, ())):
            shop.build(number, *arguments)
            assert shown("public.report") == {number}
            assert admin.execute(b"select count(*) from sales.by_day").fetchone() == (5 * 40,)  # of one table alone
        admin.execute(f"set role {role}".encode())
        assert admin.execute(b"select max(number) from sales.by_day").fetchone() == (13,)
        with pytest.raises(Error, match="permission denied"):
            admin.execute(b"select max(number) from built.by_day")
        admin.execute(b"reset role")
    finally:
        admin.execute(f"reset role; drop owned by {role}; drop role {role}".encode())
    comments = admin.execute(
        b"select obj_description('sales.by_day'::regclass), col_description('sales.by_day'::regclass, 3)"
    ).fetchone()
    assert comments == ("Simulated.", "of by_day")


def test_a_new_column_goes_last_and_one_that_goes_needs_a_word(
    shop: Shop, larger: Shop, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    columns = (
        "select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'sales.by_day'::regclass"
    )
    shop.build(10)
    larger.build(11)
    assert admin.execute(columns.encode()).fetchone() == ("day id number extra",)
    admin.execute(b"create view public.report as select max(extra) as extra from sales.by_day")
    assert shop.journey("publish", "--rollback").returncode == 0
    assert admin.execute(b"select max(number), max(extra) from sales.by_day").fetchone() == (10, None)
    with pytest.raises(Exception, match=r"by_day has no extra any more \(read by report\)"):
        shop.build(12)
    assert shown("sales.by_day") == {6, 7, 8, 9, 10}
    assert shop.journey("publish", "--breaking").returncode == 0
    assert admin.execute(columns.encode()).fetchone() == ("day id number",)
    assert shown("sales.by_day") == {8, 9, 10, 11, 12}


def test_a_mart_that_is_gone_needs_a_word_too(shop: Shop) -> None:
    shop.build(10)
    without = Shop.make(shop.folder.with_name(f"{shop.folder.name}_without"), without="books")
    with pytest.raises(Exception, match=r"finance\.books is not built any more"):
        without.build(11)
    assert shown("finance.books") == shown("sales.in_all") == {10}
    assert without.journey("publish", "--breaking").returncode == 0
    assert shown("sales.in_all") == {11}
    with pytest.raises(Error, match="does not exist"):
        shown("finance.books")


def test_a_table_of_a_time_before_is_seen_until_the_first_publication(
    shop: Shop, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    admin.execute(b"create schema finance; create table finance.books as select 9 as number")
    shop.build(10, is_bad=True)
    assert shown("finance.books") == {9}
    shop.build(11)
    assert shown("finance.books") == {11}


def test_a_reader_with_an_open_transaction_keeps_its_publication(
    shop: Shop, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Also of marts that it has not looked at yet, through new tables of them, and past what is kept."""
    shop.build(10)
    with psycopg.connect() as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select 1 from built.publications")
        for number in range(11, 16):
            shop.build(number, *(["--full-refresh"] if number in (12, 15) else []))
        for mart in ("sales.by_day", "sales.in_all", "finance.books"):
            assert reader.execute(f"select max(number) from {mart}".encode()).fetchone() == (10,)
    shop.build(16)
    tables = "select count(*) from pg_tables where schemaname = 'built' and tablename ~ '^in_all__'"
    shop.build(17)
    shop.build(18)
    assert admin.execute(tables.encode()).fetchone() == (1,)


def test_what_was_not_published_yet_keeps_no_rows(shop: Shop, admin: psycopg.Connection[tuple[object, ...]]) -> None:
    shop.build(10)
    for number in (11, 12, 13):
        shop.build(number, is_bad=True)
    count = "select count(*), count(*) filter (where to_publication is null) from built.by_day__1"
    assert admin.execute(count.encode()).fetchone() == (5 * 40 + 3 * 40, 5 * 40)


def test_readers_never_see_a_mixed_set(shop: Shop, larger: Shop) -> None:
    chaos = Chaos(shop, larger, seed=1)
    chaos.run(builds=9, readers=3)
    assert chaos.faults == []
    assert chaos.readings > 50
    assert chaos.happened.total() - chaos.happened["rollback"] == 9
    assert chaos.happened["rollback"] == 1


def test_the_bar_counts_to_its_end_fits_and_its_clock_moves(shop: Shop) -> None:
    shop.say(10)
    command = "from journey import dbt; dbt.run(['build', '--target', 'demo'], root=dbt.Path('.'), title='build')"
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", command], cwd=shop.folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "DBT_PROFILES_DIR": str(shop.folder), "TERM": "xterm", "COLUMNS": str(COLUMNS)},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    with suppress(OSError):  # so the end is told
        while piece := os.read(ours, 65536):
            said += piece
    os.close(ours)
    assert process.wait() == 0, said
    bars = [re.sub(r"\x1b\[[0-9;?]*\w", "", line) for line in re.split(r"[\r\n]+", said.decode()) if "/" in line]
    counts = [(int(done), int(of)) for bar in bars for done, of in re.findall(r" (\d+)/(\d+) ", bar)]
    assert counts[-1] == (6, 6)  # four models and two tests
    assert max(done for done, _ in counts) == 6
    assert max(map(len, bars)) == COLUMNS
    assert re.search(r" \d:\d\d:\d\d \w{4}", bars[-1])  # of the node that was last
    assert len(set(re.findall(r" (\d:\d\d:\d\d)", "\n".join(bars)))) > 1
