"""What goes on beside `journey forget`, and every command after it: none keeps the person or brings one back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres
from journey.loader.adopting import adopt
from journey.loader.declaration.sources import Source, parse_source
from journey.loader.repairing import repair
from journey.loader.replaying import replay
from journey.loader.retyping import retype
from journey.loader.s3.listing import Listed
from journey.loader.settling import settle
from journey.loader.verifying import verify
from loader.persons import HERE, MEMBERS, SALES, accounts, agree, deliver, feed, feeds, members, named, out, sale, sales
from loader.support import QUICK, Landing, node

PLANTED = (HERE, "zoe@planted", "Planted Road")


def side_by_side(*works: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    return threads


def wait_for(landing: Landing, event: str) -> None:
    """Until `journey forget` waits for a lock of this kind."""
    query = "select from pg_stat_activity where application_name = 'journey forget' and wait_event = %s"
    until = time.monotonic() + 30
    while not landing.query(query, event):
        assert time.monotonic() < until


def is_right(declared: list[Source]) -> bool:
    return all(one.agrees for source in declared for one in verify(source, files=None, retry=QUICK))


def test_two_persons_one_of_them_twice_and_a_load_at_once(landing: Landing) -> None:
    declared, found = deliver(landing), list[object]()
    works = [lambda value=value: found.append(out(declared, value)) for value in (HERE, HERE, "14711")]
    for thread in side_by_side(*works, lambda: found.append(landing.load(*declared, reload_all=True).failures)):
        thread.join()
    assert (len(found), [] in found) == (4, True)
    assert named(landing, *PLANTED, "14711") == []
    assert members(landing) == [(1, "one@x"), (2, "other@x")]
    assert landing.query("select times, removed_count, renamed_count from loader.forgotten order by 3") == [
        (1, 1, 0), (1, 1, 3),
    ]  # fmt: skip
    assert accounts(landing)[0] == ("members/a.csv", 3, 1, 0, 2)
    assert agree(landing)
    assert is_right(declared)


def test_what_a_first_load_and_a_build_write_meanwhile_goes(landing: Landing) -> None:
    declared = feeds(landing)
    landing.load(declared[1])
    landing.connection.execute(
        "create schema snapshots; create table snapshots.history (member_id integer, email text)"
    )
    snapshots, [source] = [("snapshots", "history", "member_id")], declared[:1]
    with psycopg.connect() as load, psycopg.connect() as build:
        taken = ledger.take(load, source, ["members/a.csv"])["members/a.csv"]
        build.execute("create temporary table changes as select * from snapshots.history")
        [thread] = side_by_side(lambda: out(declared, snapshots=snapshots, even_if_unknown=True))
        wait_for(landing, "advisory")
        ledger.ensure_table(load, source)
        load.execute("insert into raw_shop.members values (%s, 'zoe@planted', %s)", [HERE, taken.file_id])
        entry = {"file_id": taken.file_id, "status": "loaded", "row_count": 1, "started_at": "2017-01-01"}
        entry["run_id"] = ledger.begin_run(load, "members", "here")
        ledger.write(load, source, [(Listed("members/a.csv", "etag", 1), entry)])
        load.commit()
        wait_for(landing, "relation")
        build.execute("insert into snapshots.history values (%s, 'zoe@planted')", [HERE])
        build.commit()
        thread.join()
    assert landing.query("select * from snapshots.history") == []
    assert named(landing, *PLANTED) == []
    assert accounts(landing) == [("members/a.csv", 1, 0, 0, 1)]


def test_statistics_that_somebody_keeps_are_said_and_the_person_is_forgotten(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = deliver(landing)
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect() as other:
        other.execute("lock table loader.files in share update exclusive mode")
        said = out(declared).said
    assert "loader.files is in use, and its statistics may name the person: run vacuum (analyze) loader.files" in said
    assert landing.query("select count(*) from loader.forgotten") == [(1,)]


def test_no_command_brings_a_forgotten_person_back(landing: Landing) -> None:
    declared = deliver(landing)
    landing.put("members/c.csv", f"member_id,email\nx{HERE},keep@x\nx,one@x\n5,five@x\n{HERE},zoe@planted\n")
    landing.load(*declared)
    settle(declared, "members/c.csv", f"the row of {HERE} is right", by="somebody")
    out(declared)

    def check() -> None:
        assert named(landing, *PLANTED) == []
        assert agree(landing)
        assert all(delivered == rows + refused + withheld for _, delivered, rows, refused, withheld in accounts(landing)
                   if _ != "members/c.csv")  # fmt: skip

    check()
    assert landing.query("select settled_because from loader.files where key = 'members/c.csv' and status = 'loaded'") \
        == [("it named a person who was forgotten",)]  # fmt: skip
    numbers = sales(landing)
    landing.load(*declared, reload=["members/c.csv"])  # what was waived is refused again
    check()
    settle(declared, "members/c.csv", f"about '{HERE}' again", by="somebody")
    check()
    landing.client.copy_object(
        Bucket=landing.bucket, Key="members/moved.csv", CopySource=f"{landing.bucket}/members/a.csv"
    )
    landing.client.delete_object(Bucket=landing.bucket, Key="members/a.csv")
    assert adopt(landing.client, declared[0], yes=True)[-1] == "the ledger knows it now"
    check()
    wider = [feed(landing, "members", "csv", {**MEMBERS, "member_id": "bigint"}), declared[1]]
    assert "integer becomes bigint" in retype(wider[0], yes=True)[0]
    check()
    landing.connection.execute("update raw_shop.members set _file_id = -1 where member_id = 5")
    assert "drop it when you have seen them" in repair(landing.client, wider[0], yes=True)[-1]
    check()
    replay(wider, retry=QUICK)
    landing.load(*wider)
    landing.load(*wider, reload_all=True)
    check()
    assert is_right(wider)
    assert (len(members(landing)), sales(landing)) == (4, numbers)

    landing.connection.execute("update loader.forgotten set pseudonym = 'forgotten-ab'; truncate raw_shop.sales")
    landing.connection.execute("delete from loader.files where table_name = 'sales'")
    assert landing.load(*wider).failures == []  # a number, though it was drawn while all ids were texts
    check()
    assert [(amount, number < 0) for _, number, _, amount in sales(landing)] == [
        (1, False), (5, True), (7, True), (2, True), (3, False),
    ]  # fmt: skip


def test_ids_that_are_texts_stay_texts_when_somebody_was_forgotten(landing: Landing) -> None:
    texts = [feed(landing, "sales", "jsonl", {**SALES, "member_id": "text"})]
    landing.put("sales/a", sale(1, f'"0{HERE}"', "Planted Road"))
    landing.load(*texts)
    out(texts, f"0{HERE}")
    with pytest.raises(JourneyError, match="'member_id' stays text: persons who were forgotten"):
        retype(feed(landing, "sales", "jsonl", SALES), yes=True)


def test_folders_that_name_persons_are_not_loaded(landing: Landing) -> None:
    found = node("shop.members", f"s3://{landing.bucket}/in/", "csv", MEMBERS, hive_partitions=True)
    found["columns"]["member_id"]["config"] = {"meta": {"person": "member", "forget": "remove"}}
    landing.put("in/day=2017-01-01/a.csv", "member_id,email\n1,one@x\n")
    landing.load(parse_source(found))
    landing.put(f"in/member_id={HERE}/a.csv", "email\nzoe@planted\n")
    [failure] = landing.load(parse_source(found)).failures
    assert "folders member_id=… name persons, who could not be forgotten" in failure
    assert [key for key, _ in landing.statuses()] == ["in/day=2017-01-01/a.csv"]
    found["external"]["location"] += "member_id=*/"
    with pytest.raises(UsageError, match="files' keys name the person"):
        parse_source(found)
