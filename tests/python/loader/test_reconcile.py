"""What no longer agrees (ledger, raw table, bucket) is named, stops that table alone, and is repaired by a command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from journey.errors import JourneyError
from journey.loader import adopting, ledger, reconcile, repairing, tables
from journey.loader.adopting import Place
from journey.loader.reconcile import Difference
from journey.loader.s3.listing import Listed
from loader.seeding import Seed, declared, query
from loader.support import Landing


@pytest.fixture
def seed(database: str) -> Iterator[Seed]:
    """A ledger and a table with three files of ids 1, 2, 3; the second has many rows."""
    with psycopg.connect(autocommit=True) as connection:
        seed = Seed(connection)
        seed.bring(declared(), "in/a.csv", [(1, "a"), (2, "a")])
        seed.bring(declared(), "in/b.csv", [(i, "b") for i in range(3000)])
        seed.bring(declared(), "in/c.csv", [(9, "c")])
        yield seed


def said(seed: Seed, **more: Any) -> str | None:
    """What stops a load, if anything does."""
    try:
        reconcile.check(seed.connection, declared(), **more)
    except JourneyError as error:
        return str(error)
    return None


def test_what_agrees_stops_nothing(seed: Seed) -> None:
    assert said(seed) is None
    reconcile.check(seed.connection, declared("shop.other"))  # neither table nor ledger
    tables.ensure_table(seed.connection, declared("shop.other"))
    reconcile.check(seed.connection, declared("shop.other"))
    seed.bring(declared("shop.other"), "in/empty.csv", [])  # a file without rows
    reconcile.check(seed.connection, declared("shop.other"))
    assert reconcile.differences(seed.connection, declared()) == []


@pytest.mark.parametrize(
    ("what", "words", "doubles"),
    [
        ("truncate raw_shop.sales", "the table is empty, which had 3,003 rows of 3 files", False),
        ("drop table raw_shop.sales cascade", "the table is gone, which had 3,003 rows of 3 files", False),
        ("drop schema raw_shop cascade", "the table is gone", False),
        ("delete from raw_shop.sales where _file_id = 3", "rows of file_id 3 are gone", False),
        ("delete from raw_shop.sales where _file_id = 1", "rows of file_id 1 are gone", False),
        ("delete from raw_shop.sales where id >= 1500", "they differ in 1 of 3", False),
        ("truncate loader.files cascade", "the ledger knows no file of it", True),
        ("delete from loader.files where file_id = 3", "files that are newer than all that the ledger knows", True),
        ("delete from loader.files where file_id = 1", "files that are older than all that the ledger knows", True),
        ("insert into raw_shop.sales values (1, 'x', 77)", "files that are newer than all", True),
    ],
)
def test_what_somebody_did_by_hand_is_named(
    seed: Seed, what: str, words: str, doubles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "SAMPLED_ROWS", 0)
    seed.connection.execute(what)
    seed.connection.execute("select pg_stat_force_next_flush()")
    found = said(seed)
    assert found
    assert words in found
    assert "\n" not in found
    assert "`journey repair shop.sales`" in found
    assert bool(said(seed, reload_all=True)) == doubles  # reloading would double unknown rows, and mends lost ones
    assert ("journey reload" in found) != doubles


def test_a_schema_loader_that_was_dropped_is_named_and_rows_get_their_default_back(seed: Seed) -> None:
    seed.connection.execute("drop schema loader cascade")
    ledger.set_up(seed.connection)
    assert query(seed.connection, "select last_value from loader.files_file_id_seq") == [(3,)]
    assert "the ledger knows no file of it" in str(said(seed))
    tables.ensure_table(seed.connection, declared())
    again = Seed(seed.connection)
    assert again.bring(declared(), "in/d.csv", [(4, "d")]) > 3  # no file_id is given twice


def test_ids_are_never_given_twice_after_a_ledger_came_from_a_backup(seed: Seed) -> None:
    seed.connection.execute("delete from loader.files where file_id > 1")
    seed.connection.execute("select setval('loader.files_file_id_seq', 1)")
    assert "newer than all that the ledger knows" in str(said(seed))
    assert Seed(seed.connection).bring(declared("shop.other"), "in/z.csv", [(1, "z")]) > 3


@pytest.mark.parametrize("is_locked", [False, True], ids=["", "beside a locked table"])
def test_a_run_gives_no_id_that_any_raw_table_has(seed: Seed, is_locked: bool) -> None:
    """The ledger came from a backup, and only another table is loaded: nobody looked at this one."""
    if is_locked:
        seed.bring(declared("another.one"), "in/y.csv", [(1, "y")])
    last = seed.bring(declared(), "in/d.csv", [(4, "d")])
    seed.connection.execute("delete from loader.files where file_id > 1")
    seed.connection.execute("select setval('loader.files_file_id_seq', 1)")
    with psycopg.connect() as somebody:
        if is_locked:
            somebody.execute("lock table raw_another.one")
        assert Seed(seed.connection).bring(declared("shop.other"), "in/z.csv", [(1, "z")]) > last


def test_a_few_files_are_counted_each_time(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        seed.bring(declared(), f"in/more{number:02}.csv", [(number, "x"), (number, "y")])
    seed.connection.execute("delete from raw_shop.sales where name = 'y' and _file_id between 8 and 20")
    assert sum(said(seed) is not None for _ in range(20)) > 5


def test_a_look_sees_a_table_and_its_ledger_at_one_moment(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = reconcile._facts
    with psycopg.connect() as other:
        other.execute("delete from raw_shop.sales where _file_id = 3")
        other.execute("update loader.files set status = 'replaced' where file_id = 3")

        def commit_between(*arguments: Any) -> Any:
            found = facts(*arguments)
            other.commit()
            return found

        monkeypatch.setattr(reconcile, "_facts", commit_between)
        assert said(seed) is None
        assert said(seed) is None


def test_a_locked_table_stops_that_table_and_names_who_has_it(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journey.loader.postgres.READ_LOCK_TIMEOUT", "200ms")
    with psycopg.connect(application_name="a notebook") as analyst:
        analyst.execute("lock table raw_shop.sales")
        with pytest.raises(
            JourneyError, match=rf"raw_shop.sales is locked: pid {analyst.info.backend_pid} .*a notebook"
        ):
            reconcile.check(seed.connection, declared())


def test_what_a_repair_decides() -> None:
    unknown, gone = Difference(7, None, 5, 0), Difference(1, "in/a", 0, 5)
    part, more = Difference(2, "in/b", 3, 5), Difference(3, "in/c", 8, 5)
    there = repairing.decide([unknown, gone, part, more], {"in/a", "in/b", "in/c"})
    assert (there.unknown, there.again, there.kept, there.by_hand) == ([unknown], [gone, part, more], [], [])
    absent = repairing.decide([unknown, gone, part, more], set())
    assert (absent.unknown, absent.again, absent.kept, absent.by_hand) == ([unknown], [], [gone, part], [more])
    assert repairing.decide([], set()).is_empty


@pytest.fixture
def landed(seed: Seed, bucket: str, s3: Any) -> tuple[Any, Any]:
    """A client and a source whose first two files are in S3."""
    seed.connection.execute("update loader.files set bucket = %s", [bucket])
    for key in ("in/a.csv", "in/b.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"id,name\n1,a\n")
    return s3, declared(bucket=bucket)


def test_repair_is_dry_by_default(seed: Seed, landed: tuple[Any, Any]) -> None:
    seed.connection.execute("delete from raw_shop.sales where id = 1; insert into raw_shop.sales values (1, 'x', 77)")
    lines = repairing.repair(*landed)
    assert lines[-1] == "nothing is done yet: add --yes"
    assert query(seed.connection, "select count(*) from raw_shop.sales where _file_id = 77") == [(1,)]
    assert query(seed.connection, "select distinct status from loader.files") == [("loaded",)]


def test_repair_brings_table_and_ledger_together(seed: Seed, landed: tuple[Any, Any]) -> None:
    seed.connection.execute(
        """delete from raw_shop.sales where id = 1 and name = 'a';
           insert into raw_shop.sales values (1, 'x', 77), (2, 'x', 77);
           delete from raw_shop.sales where _file_id = 3"""
    )
    lines = repairing.repair(*landed, yes=True)
    assert "shop.sales: in/a.csv: 1 of 2 rows are there: take out the rest, the next load brings the file anew" in lines
    assert (
        "shop.sales: in/c.csv: 0 of 1 rows are there: "
        "the file is no longer in S3: what is there stays, what is gone is waived"
    ) in lines
    assert query(
        seed.connection,
        """select key, status, row_count, waived_count, delivered_count, replaces from loader.files
           order by key, file_id""",
    ) == [
        ("in/a.csv", "lost", 2, 0, 2, None),
        ("in/b.csv", "loaded", 3000, 0, 3000, None),
        ("in/c.csv", "replaced", 1, 0, 1, None),
        ("in/c.csv", "loaded", 0, 1, 1, 3),
    ]
    [(aside,)] = query(
        seed.connection,
        "select relname from pg_class where relname ~ 'unknown' and relkind = 'r'",
    )
    assert query(seed.connection, f"select id, name, unknown_file_id from raw_shop.{aside} order by 1") == [
        (1, "x", 77),
        (2, "x", 77),
    ]
    source = landed[1]
    assert reconcile.differences(seed.connection, source) == []
    assert repairing.repair(*landed) == ["shop.sales: raw_shop.sales and the ledger agree in every file"]
    assert ledger.known(seed.connection, source, ["in/a.csv"]) == {}  # so the next load takes it as new
    new_id = seed.bring(source, "in/a.csv", [(1, "a"), (2, "a")])
    assert query(seed.connection, f"select replaces from loader.files where file_id = {new_id}") == [(1,)]
    assert new_id > 77


def test_rows_that_stay_get_a_new_file_id(seed: Seed, landed: tuple[Any, Any]) -> None:
    landed[0].delete_object(Bucket=landed[1].bucket, Key="in/b.csv")
    seed.connection.execute("delete from raw_shop.sales where id >= 1500 and name = 'b'")
    repairing.repair(*landed, yes=True)
    [(file_id, rows, waived)] = query(
        seed.connection,
        "select file_id, row_count, waived_count from loader.files where key = 'in/b.csv' and status = 'loaded'",
    )
    assert (rows, waived) == (1500, 1500)
    assert query(seed.connection, "select count(*), max(_file_id) from raw_shop.sales where name = 'b'") == [
        (1500, file_id)
    ]


def test_a_repair_does_not_wait_for_a_load_for_ever(
    seed: Seed, landed: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("journey.loader.postgres.LOCK_TIMEOUT", "200ms")
    with psycopg.connect(application_name="journey load") as load:
        load.execute("insert into raw_shop.sales values (1, 'x', 78)")
        with pytest.raises(JourneyError, match=r"raw_shop\.sales is locked: pid"):
            repairing.repair(*landed, yes=True)
    assert query(seed.connection, "select status from loader.runs order by run_id desc limit 1") == [("failed",)]


def place(file_id: int, key: str, etag: str, bucket: str = "landing", size: int = 10) -> Place:
    """Where a file was."""
    return Place(file_id, bucket, key, etag, size)


def file(key: str, etag: str, size: int = 10) -> Listed:
    """Where a file is."""
    return Listed(key, etag, size)


def test_which_file_is_which() -> None:
    old = [place(1, "old/a", "e1"), place(2, "old/b", "e1"), place(3, "old/c", "e-1"), place(4, "old/d", "e4")]
    new = [file("in/x", "e1"), file("in/b", "e1"), file("in/c", "e-9"), file("in/d", "e4", 11)]
    assert dict(adopting.pairs(new, old)) == {old[0]: new[0], old[1]: new[1], old[2]: new[2]}


@pytest.mark.parametrize(
    ("old", "new", "loaded", "moved"),
    [
        ([place(1, "old/a", "e1")], [file("in/a", "e1")], 1, True),  # the declared prefix changed
        ([place(1, "in/a", "e1", "other")], [file("in/a", "e1")], 1, True),  # the bucket
        ([place(1, "old/a", "e1")], [file("in/a", "e1"), file("in/b", "e2"), file("in/c", "e3")], 1, False),
        ([place(1, "in/1/a", "e1"), place(2, "in/1/b", "e2")], [file("in/2/a", "e1"), file("in/2/b", "e2")], 2, True),
        ([place(1, "in/1/a", "e1")], [file("in/2/a", "e1")], 1, False),  # rather the same delivery once more
        ([place(1, "in/1/a", "e1"), place(2, "in/1/b", "e2")], [file("in/2/a", "e1"), file("in/2/b", "e2")], 90, False),
        ([place(1, "in/mon.csv", "e1"), place(2, "in/tue.csv", "e1")], [file("in/wed.csv", "e1")], 2, False),
        ([place(1, "old/a", "e1")], [file("in/a", "e2")], 1, False),
    ],
)
def test_what_looks_moved(old: list[Place], new: list[Listed], loaded: int, moved: bool) -> None:
    assert adopting.looks_moved(declared(), new, adopting.pairs(new, old), loaded) == moved


def test_moved_files_stop_the_table_until_somebody_adopts_them(seed: Seed, bucket: str, s3: Any) -> None:
    source = declared(bucket=bucket, pattern="moved/")
    for key in ("a", "b", "c"):
        etag = s3.put_object(Bucket=bucket, Key=f"moved/{key}.csv", Body=f"id,name\n1,{key}\n".encode())["ETag"].strip(
            '"'
        )
        seed.connection.execute(
            "update loader.files set etag = %s, size_bytes = 12 where key = %s", [etag, f"in/{key}.csv"]
        )
    listed = [Listed(f"moved/{key}.csv", "e1", 12) for key in ("a", "b", "c")]
    listed = [one._replace(etag=s3.head_object(Bucket=bucket, Key=one.key)["ETag"].strip('"')) for one in listed]
    with pytest.raises(
        JourneyError, match=r"3 of 3 new files have the content of loaded files .*`journey adopt shop.sales`"
    ):
        adopting.refuse_moved(seed.connection, source, listed, [], None)
    assert adopting.adopt(s3, source)[-1] == "nothing is done yet: add --yes"
    before = query(seed.connection, "select file_id, key from loader.files order by 1")
    assert before[0] == (1, "in/a.csv")
    assert adopting.adopt(s3, source, yes=True)[-1] == "the ledger knows it now"
    assert query(seed.connection, "select file_id, bucket, key, moved_from from loader.files order by 1") == [
        (number, bucket, f"moved/{key}.csv", f"s3://landing/in/{key}.csv") for number, key in enumerate("abc", 1)
    ]
    assert adopting.adopt(s3, source) == ["shop.sales: no new file has the content of a loaded one that is gone"]
    known = ledger.known(seed.connection, source, [one.key for one in listed])
    assert all(known[one.key].loaded_etag == one.etag for one in listed)


def test_end_to_end_a_table_that_was_dropped_is_named_and_reloaded(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\n2,b\n")
    other = landing.source("other/", name="shop.other")
    landing.put("other/c.csv", "id,name\n3,c\n")
    landing.load(landing.source())
    landing.connection.execute("create view seen as select * from raw_shop.sales; drop table raw_shop.sales cascade")
    summary = landing.load(landing.source(), other)
    assert summary.exit_status == 1
    assert ["the table is gone, which had 2 rows of 2 files" in failure for failure in summary.failures] == [True]
    assert landing.rows("raw_shop.other") == [(3, "c")]  # the other table is loaded
    assert landing.load(landing.source(), reload_all=True).exit_status == 0
    assert landing.rows() == [(1, "a"), (2, "b")]
    assert landing.agree()
    assert landing.load(landing.source()).exit_status == 0


def test_end_to_end_a_ledger_that_was_emptied_doubles_nothing(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.connection.execute("truncate loader.files, loader.rejected_rows")
    for more in ({}, {"reload_all": True}):
        assert landing.load(landing.source(), **more).exit_status == 1
        assert landing.rows() == [(1, "a")]
    repairing.repair(landing.client, landing.source(), yes=True)
    assert landing.load(landing.source()).exit_status == 0
    assert landing.rows() == [(1, "a")]
    assert landing.agree()


def test_end_to_end_half_a_table_is_brought_again_as_new_versions(landing: Landing) -> None:
    for key in "abcd":
        landing.put(f"in/{key}.csv", f"id,name\n1,{key}\n2,{key}\n")
    landing.load(landing.source())
    landing.connection.execute("delete from raw_shop.sales where name >= 'c'")
    assert landing.load(landing.source()).exit_status == 1
    repairing.repair(landing.client, landing.source(), yes=True)
    assert landing.load(landing.source()).exit_status == 0
    assert landing.rows(columns="name, id") == [(key, number) for key in "abcd" for number in (1, 2)]
    assert landing.agree()
    assert landing.query("select count(*) from loader.files where replaces is not null and status = 'loaded'") == [(2,)]


def test_end_to_end_a_schema_loader_that_was_dropped_blames_no_rows(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.connection.execute("drop schema loader cascade")
    [failure] = landing.load(landing.source()).failures
    assert "the ledger knows no file of it" in failure
    repairing.repair(landing.client, landing.source(), yes=True)
    assert landing.load(landing.source()).exit_status == 0
    assert landing.rows() == [(1, "a")]


def test_end_to_end_a_moved_prefix_doubles_nothing(landing: Landing) -> None:
    for key in "ab":
        landing.put(f"in/{key}.csv", f"id,name\n1,{key}\n")
        landing.put(f"moved/{key}.csv", f"id,name\n1,{key}\n")
    landing.load(landing.source())
    moved = landing.source("moved/")
    [failure] = landing.load(moved).failures
    assert "journey adopt" in failure
    assert len(landing.rows()) == 2
    adopting.adopt(landing.client, moved, yes=True)
    summary = landing.load(moved)
    assert (summary.exit_status, summary.tables["shop.sales"].skipped) == (0, 2)
    assert len(landing.rows()) == 2
    back = landing.load(landing.source(), as_new=True)  # or they are other files after all
    assert back.tables["shop.sales"].files == 2
