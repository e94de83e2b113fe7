"""A person who was forgotten goes, is not named by anything that stays, and doesn't come back."""

from __future__ import annotations

import threading
from contextlib import closing
from threading import Semaphore
from typing import Any

import psycopg
import pytest

from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import parse_source
from journey.loader.forgetting import forget
from journey.loader.plan import Action
from journey.loader.repairing import repair
from journey.loader.replaying import replay
from journey.loader.s3.listing import Listed
from journey.loader.verifying import verify
from journey.loader.worker import Worker
from loader.persons import HERE, MEMBERS, SALES, accounts, agree, deliver, feed, feeds, members, named, out, sale, sales
from loader.support import QUICK, Landing, node


def test_a_person_goes_sales_stay_and_nothing_brings_the_person_back(landing: Landing) -> None:
    declared = deliver(landing)
    files = dict(landing.query("select key, file_id from loader.files"))
    said = out(declared).said
    assert f"s3://{landing.bucket}/members/a.csv holds the person, and stays as it is" in said
    assert not any("sales/c" in line for line in said)
    [(pseudonym,)] = landing.query("select distinct member_id from raw_shop.sales where address is null")
    after = [(1, "one@x"), (2, "other@x"), (14711, "two@x")], [
        (1, 1, "Alley", 1), (2, pseudonym, None, 5), (3, pseudonym, None, 7), (4, pseudonym, None, 2),
        (5, 1, "Alley", 3),
    ]  # fmt: skip
    account = [
        ("members/a.csv", 3, 2, 0, 1), ("members/b.csv", 1, 1, 0, 0),
        ("sales/a", 3, 3, 0, 0), ("sales/b", 1, 1, 0, 0), ("sales/c", 1, 1, 0, 0),
    ]  # fmt: skip

    def check() -> None:
        assert (members(landing), sales(landing)) == after
        assert accounts(landing) == account
        assert agree(landing)
        assert named(landing, HERE, "zoe@planted", "Planted Road") == []
        found = [one for source in declared for one in verify(source, files=None, retry=QUICK)]
        assert [one for one in found if not one.agrees] == []

    check()
    assert pseudonym < 0
    now = dict(landing.query("select key, file_id from loader.files where status = 'loaded'"))
    assert {key for key in files if files[key] != now[key]} == {"members/a.csv", "sales/a", "sales/b"}
    assert landing.query("select key, replaces from loader.files where replaces is not null order by 1") == [
        (key, files[key]) for key in ("members/a.csv", "sales/a", "sales/b")
    ]
    status = [ledger.table_status(landing.connection, source) for source in declared]
    assert [(one.delivered, one.rows, one.withheld) for one in status] == [(4, 3, 1), (5, 5, 0)]
    assert landing.load(*declared).failures == []  # what is there is loaded
    check()
    assert landing.load(*declared, reload_all=True).failures == []
    check()
    landing.put("sales/b", sale(4, f" {HERE}", "Planted Road", 2))  # another ETag
    landing.put("members/a.csv", f'member_id,email\n14711,two@x\n"{HERE}",zoe@planted\n1,one@x\n')
    landing.load(*declared)
    assert sorted(one.status for one in landing.outcomes) == ["replaced", "replaced"]
    check()
    landing.connection.execute("delete from raw_shop.members where member_id = 1")
    landing.connection.execute("delete from raw_shop.sales where sale_id = 2")
    for source in declared:
        repair(landing.client, source, yes=True)
    landing.load(*declared)
    check()
    landing.connection.execute("truncate raw_shop.members, raw_shop.sales; truncate loader.files cascade")
    landing.load(*declared)  # all files are new, and those without the person share a COPY
    check()
    again = out(declared)
    assert (again.is_known, again.said) == (True, ("nothing is here of this member, who was forgotten before",))
    check()
    assert landing.query("select kind, pseudonym, times, removed_count, renamed_count from loader.forgotten") == [
        ("member", str(pseudonym), 1, 1, 3)
    ]


def test_a_dry_run_says_the_same_and_changes_nothing(landing: Landing) -> None:
    declared = deliver(landing)
    before = members(landing), sales(landing), accounts(landing)
    looked = forget(declared, "member", HERE)
    assert looked.said[:2] == (
        "raw_shop.members: 1 rows go; 1 files get a new version",
        "raw_shop.sales: 3 rows stay, under a pseudonym; 2 files get a new version",
    )
    assert (members(landing), sales(landing), accounts(landing)) == before
    assert out(declared).said == looked.said


def test_refused_rows_and_failures_name_the_person_no_more(landing: Landing) -> None:
    declared = feeds(landing)
    bodies = {
        "members/a.csv": f"member_id,email\n1,one@x\n{HERE},zoe@planted,more\nx{HERE},who@x\nno{HERE}2,keep@x\n",
        "members/failed.csv": "member_id,email\n" + f"{HERE}:x,zoe@planted\n" * 20,
        "members/wider.csv": f"member_id,email,more\n{HERE}:x,zoe@planted,1\n",  # read before it is taken
        "members/few.csv": f"member_id,email\n{HERE},zoe@planted\n{HERE},zoe@planted\nbad,\n",  # loads all the same
        "sales/a": sale(1, f'"{HERE} "', "Planted Road") + sale(2, f"0{HERE}", "Planted Road") + sale(3, "4", "There"),
    }
    kept = [("x4711", "x4711,who@x"), ("no47112", "no47112,keep@x")]

    def refused() -> list[tuple[Any, ...]]:
        return landing.query(
            """select key, line_number, reason, raw_text from loader.rejected_rows join loader.files using (file_id)
               where status = 'loaded' and raw_text is not null order by 1, 2"""
        )

    for key, body in bodies.items():
        landing.put(key, body)
    landing.load(*declared)
    assert named(landing, HERE)
    out(declared)
    for again in (False, True):
        if again:
            landing.load(*declared, reload_all=True)
            assert "failed" in {one.status for one in landing.outcomes}
            assert not any(HERE in str(one.error).split() for one in landing.outcomes)
        assert accounts(landing) == [
            ("members/a.csv", 4, 1, 3, 0),
            ("members/few.csv", 3, 0, 1, 2),
            ("sales/a", 3, 1, 2, 0),
        ]
        assert named(landing, HERE, "zoe@planted", "Planted Road") == []
        assert [raw for *_, raw in refused()] == [*(raw for _, raw in kept), "bad,"]
    texts = [feed(landing, "members", "csv", {**MEMBERS, "member_id": "text"})]
    assert texts[0].columns["member_id"] == "text"
    landing.client.delete_object(Bucket=landing.bucket, Key="members/a.csv")
    landing.connection.execute("alter table raw_shop.members alter member_id type text")
    replay(texts, retry=QUICK)  # of what is kept alone
    assert members(landing) == [("1", "one@x"), ("bad", None), ("no47112", "keep@x"), ("x4711", "who@x")]
    assert accounts(landing)[0] == ("members/a.csv", 4, 3, 1, 0)


def test_an_id_of_text_and_a_person_still_to_come(landing: Landing) -> None:
    declared = [feed(landing, "sales", "jsonl", {**SALES, "member_id": "text"})]
    unknown = out(declared, "C-7 é")
    assert (unknown.is_known, landing.query("select count(*) from loader.forgotten")) == (False, [(0,)])
    landing.load(*declared)
    out(declared, "C-7 é", even_if_unknown=True)
    assert landing.query("select times, renamed_count from loader.forgotten") == [(1, 0)]
    for number in range(8):  # four at a time
        landing.put(f"sales/{number}", sale(number, '"C-7"', "Alley") + sale(9, '"C-7 é"', "Road") * (number in (1, 6)))
    landing.load(*declared, threads=1)
    assert [rows for _, _, rows, _, _ in accounts(landing)] == [1, 2, 1, 1, 1, 1, 2, 1]
    assert landing.query("select count(distinct xmin::text) from loader.files") == [(4,)]  # two by themselves
    found = landing.query("select member_id, address, count(*) from raw_shop.sales group by 1, 2 order by 3")
    assert found[1] == ("C-7", "Alley", 8)
    assert found[0][0].startswith("forgotten-")
    assert found[0][1:] == (None, 2)


def test_who_is_killed_has_done_nothing_and_a_load_is_waited_for(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = deliver(landing)
    before = members(landing), sales(landing), accounts(landing)
    failures: list[str] = []

    def work() -> None:
        with pytest.raises(JourneyError) as failure:
            out(declared)
        failures.append(str(failure.value))

    with psycopg.connect() as other:
        other.execute("lock table loader.rejected_rows")  # it comes after all raw tables are changed
        thread = threading.Thread(target=work)
        thread.start()
        waiting = (
            "select pid from pg_stat_activity where application_name = 'journey forget' and wait_event = 'relation'"
        )
        while thread.is_alive() and not (found := landing.query(waiting)):
            pass
        landing.query("select pg_terminate_backend(%s, 10000)", found[0][0])
        thread.join()
    assert (members(landing), sales(landing), accounts(landing)) == before
    assert landing.query("select count(*) from loader.forgotten") == [(0,)]
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect() as other:
        ledger.take(other, declared[0], ["members/a.csv"])  # somebody loads a file
        work()
        assert "a load, or something else" in failures[-1]
    assert (members(landing), sales(landing), accounts(landing)) == before
    out(declared)
    assert named(landing, HERE) == []


def test_a_load_that_goes_on_leaves_out_who_is_forgotten_meanwhile(landing: Landing) -> None:
    declared = feeds(landing)[:1]
    out(declared, "77", even_if_unknown=True)  # the load has looked up one already
    run_id = ledger.begin_run(landing.connection, "members", "here")
    clients = {False: landing.client}
    worker = Worker(lambda: postgres.connect("journey load"), clients, run_id, QUICK, lambda _: None, Semaphore(1))
    with closing(worker):
        for name in "ab":
            body = f"member_id,email\n{HERE},zoe@planted\n1,one@x\n"
            etag = landing.put(f"members/{name}.csv", body)
            file = Listed(f"members/{name}.csv", etag, len(body))
            assert worker.do(declared[0], Action("load", file, "it is new")).error is None
            out(declared)
    assert accounts(landing) == [("members/a.csv", 2, 1, 0, 1), ("members/b.csv", 2, 1, 0, 1)]
    assert landing.query("select times, removed_count from loader.forgotten order by 2 desc") == [(1, 1), (1, 0)]


@pytest.mark.parametrize(
    ("meta", "kind", "options", "said"),
    [
        ({"person": "member"}, "integer", {}, "needs both"),
        ({"person": "member", "forget": "null"}, "integer", {}, "needs both"),
        ({"person": "member", "forget": "remove"}, "numeric(8,0)", {}, "integer, bigint, text"),
        ({"person": "member", "forget": "remove"}, "text", {"key_pattern": "{id}/*"}, "keys in S3 can't be changed"),
        ({"person": "member", "forget": "remove"}, "text", {"key_column": "id"}, "keys in S3 can't be changed"),
    ],
)
def test_what_cannot_be_forgotten_is_refused(
    meta: dict[str, str], kind: str, options: dict[str, Any], said: str
) -> None:
    found = node("shop.sales", "s3://landing/in/", "csv", {"id": kind}, **options)
    found["columns"]["id"]["config"] = {"meta": meta}
    with pytest.raises(UsageError, match=said):
        parse_source(found)


def test_an_undeclared_kind_is_named(landing: Landing) -> None:
    with pytest.raises(UsageError, match=r"visitor: no column is declared .* there are member"):
        forget(feeds(landing), "visitor", "1")
