"""Networks break, servers throttle, restart, fill up: nothing is lost or doubled, and a person is told in one line."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from journey.loader.outcome import Outcome
from journey.loader.s3.asking import Retry
from journey.services.state import State
from loader.proxy import Fault, Proxy
from loader.support import Landing

LINES = "".join(f"{i},{random.Random(i).random()}\n" for i in range(200_000))  # noqa: S311
BODY = "id,name\n" + LINES  # 5 MB: five chunks


@pytest.fixture
def s3_proxy(embedded: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The loader reaches S3 through it; the tests write past it."""
    proxy = Proxy(embedded.ports["s3"])
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
    yield proxy
    proxy.close()


@pytest.fixture
def postgres_proxy(embedded: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The loader reaches PostgreSQL through it; the tests ask past it."""
    proxy = Proxy(embedded.ports["postgres"], every_connection=True)
    monkeypatch.setenv("PGPORT", str(proxy.port))
    monkeypatch.setenv("PGSSLMODE", "disable")
    yield proxy
    proxy.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut", 1_500_000),
        Fault("reset", 1_500_000),
        Fault("cut", 0),
        Fault("reset", 100),
        Fault("stall", 2_500_000),
        Fault("trickle", 1_200_000),
        Fault("503"),
        Fault("500"),
        Fault("429"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.after}",
)
def test_a_broken_stream_goes_on_where_it_broke(landing: Landing, s3_proxy: Proxy, fault: Fault) -> None:
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [fault, fault]
    slow = fault.kind in ("stall", "trickle")
    summary = landing.load(landing.source(), retry=Retry(4, 0.01, 1 if slow else 30))
    assert summary.failures == []
    assert s3_proxy.faults == []
    assert landing.query("select count(*), sum(id::bigint) from raw_shop.sales") == [(200_000, 199_999 * 100_000)]
    if fault.after > 1_000_000:
        assert landing.outcomes[0].resumed >= 1
    if fault.after > 1_000_000 and fault.kind != "reset":  # a reset also takes what was received and not yet read
        starts = [int(found[1]) for line in s3_proxy.requests if (found := re.search(rb"bytes=(\d+)-", line))]
        assert starts
        assert min(starts) > 1_000_000


def test_parquet_ranges_are_retried(landing: Landing, s3_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    from journey.loader.s3.ranges import RangeReader

    monkeypatch.setattr(RangeReader, "WHOLE", 1000)  # larger files are read by ranges
    out = io.BytesIO()
    pq.write_table(
        pa.table({"id": range(300_000), "name": [str(i) for i in range(300_000)]}), out, row_group_size=50_000
    )
    landing.put("in/a.parquet", out.getvalue())
    s3_proxy.faults = [Fault("cut", 500), Fault("503"), Fault("reset", 300_000)]
    assert landing.load(landing.source(file_format="parquet")).failures == []
    assert s3_proxy.faults == []
    assert landing.query("select count(*), sum(id), sum(name::integer) from raw_shop.sales") == [
        (300_000, 299_999 * 150_000, 299_999 * 150_000)
    ]


def test_a_listing_is_tried_again(landing: Landing, s3_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loader.proxy.OBJECT_REQUEST", re.compile(rb"GET /[^/ ?]+\?list-type"))
    landing.put("in/a.csv", "id,name\n1,a\n")
    s3_proxy.faults = [Fault("503"), Fault("reset")]
    assert landing.load(landing.source()).failures == []
    assert s3_proxy.faults == []
    assert landing.rows() == [(1, "a")]


def test_a_large_file_comes_in_parts(landing: Landing, s3_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journey.loader.s3.objects.PART", 2_000_000)
    landing.put("in/a.csv", BODY)
    assert landing.load(landing.source()).failures == []
    starts = [found[1] for line in s3_proxy.requests if (found := re.search(rb"bytes=(\d+)-", line))]
    assert starts == [b"0", b"2000000", b"4000000"]
    assert landing.query("select count(*), sum(id::bigint) from raw_shop.sales") == [(200_000, 199_999 * 100_000)]


@pytest.mark.parametrize("kind", ["503", "cut", "stall"])
def test_s3_that_keeps_failing_fails_one_file_in_one_line(landing: Landing, s3_proxy: Proxy, kind: str) -> None:
    landing.put("in/a.csv", BODY)
    landing.put("in/b.csv", "id,name\n1,b\n")
    s3_proxy.faults = [Fault(kind, 10)] * 3  # as many as there are tries: the next file meets none
    stall_seconds = 0.5 if kind == "stall" else 30
    summary = landing.load(landing.source(), threads=1, retry=Retry(3, 0.01, stall_seconds))
    assert s3_proxy.faults == []
    assert summary.exit_status == 1
    assert len(summary.failures) == 1
    assert "\n" not in summary.failures[0]
    assert "in/a.csv" in summary.failures[0]
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in summary.failures[0]
    assert landing.rows() == [(1, "b")]
    assert landing.load(landing.source()).failures == []
    assert landing.query("select count(*) from raw_shop.sales") == [(200_001,)]


def test_an_object_that_changes_while_it_is_read_is_loaded_as_it_became(landing: Landing, s3_proxy: Proxy) -> None:
    landing.put("in/a.csv", BODY)

    def overwrite() -> None:
        landing.put("in/a.csv", "id,name\n" + LINES.replace(",", ",new"))
        s3_proxy.drop()

    s3_proxy.faults = [Fault("call", 1_500_000, overwrite)]
    assert landing.load(landing.source()).failures == []
    assert landing.query("select count(*), count(*) filter (where name like 'new%%') from raw_shop.sales") == [
        (200_000, 200_000)
    ]
    assert landing.statuses() == [("in/a.csv", "loaded")]
    assert landing.load(landing.source()).tables["shop.sales"].skipped == 1


def test_an_object_that_vanishes_while_it_is_read_fails(landing: Landing, s3_proxy: Proxy) -> None:
    landing.put("in/a.csv", BODY)

    def remove() -> None:
        landing.client.delete_object(Bucket=landing.bucket, Key="in/a.csv")
        s3_proxy.drop()

    s3_proxy.faults = [Fault("call", 1_500_000, remove)]
    [failure] = landing.load(landing.source()).failures
    assert "was overwritten or removed while it was read" in failure
    assert landing.rows() == []


def test_expired_credentials_are_one_line(landing: Landing, s3_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    monkeypatch.setattr("loader.proxy.SLOW_DOWN", b"<Error><Code>ExpiredToken</Code><Message>old</Message></Error>")
    s3_proxy.faults = [Fault("400")]
    [failure] = landing.load(landing.source()).failures
    assert failure.endswith("the credentials have expired: get new ones and run again")


@pytest.mark.parametrize("after", [2_000, 500_000, 3_000_000])
def test_a_lost_connection_to_postgres_is_made_again(
    landing: Landing, postgres_proxy: Proxy, s3_proxy: Proxy, after: int
) -> None:
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [Fault("call", after, postgres_proxy.drop)]  # in the middle of COPY
    assert landing.load(landing.source(), retry=Retry(6, 0.05, 30)).failures == []
    assert landing.query("select count(*) from raw_shop.sales") == [(200_000,)]
    assert landing.statuses() == [("in/a.csv", "loaded")]


def test_a_backend_that_is_terminated_is_replaced(landing: Landing, s3_proxy: Proxy) -> None:
    landing.put("in/a.csv", BODY)

    def terminate() -> None:
        landing.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'journey load' "
            "and datname = current_database()"
        )

    s3_proxy.faults = [Fault("call", 1_000_000, terminate)]
    assert landing.load(landing.source()).failures == []
    assert landing.statuses() == [("in/a.csv", "loaded")]
    assert landing.query("select status from loader.runs") == [("loaded",)]


def test_a_commit_whose_answer_is_lost_is_not_loaded_twice(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    from journey.loader import onefile

    real, tries = onefile.Attempt.run, list[int]()

    def run_and_lose(self: onefile.Attempt) -> Outcome:
        outcome = real(self)
        if not tries:
            tries.append(1)
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return outcome

    monkeypatch.setattr(onefile.Attempt, "run", run_and_lose)
    summary = landing.load(landing.source())
    assert (summary.tables["shop.sales"].files, summary.tables["shop.sales"].rows) == (1, 1)
    assert landing.rows() == [(1, "a")]


def test_postgres_that_does_not_come_back_stops_the_run(
    landing: Landing, postgres_proxy: Proxy, s3_proxy: Proxy
) -> None:
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [Fault("call", 1_000_000, postgres_proxy.close)]
    from journey.errors import JourneyError

    with pytest.raises(JourneyError, match=r"the load stops: PostgreSQL at .* does not let us in") as caught:
        landing.load(landing.source(), retry=Retry(2, 0.01, 30))
    assert "\n" not in str(caught.value)
    assert os.environ["PGPASSWORD"] not in str(caught.value)


def test_a_full_disk_fails_the_file_and_leaves_nothing(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\n2,b\n")
    landing.load(landing.source("in/b.csv"))
    landing.connection.execute(
        """create function raw_shop.full() returns trigger language plpgsql as
           $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
           create trigger full_disk before insert on raw_shop.sales for each row
           when (new.id = 1) execute function raw_shop.full()"""
    )
    [failure] = landing.load(landing.source()).failures
    assert "in/a.csv: could not extend file: No space left on device" in failure
    assert landing.rows() == [(2, "b")]


def test_a_lock_that_does_not_go_away_fails_the_file(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/b.csv", "id,name,extra\n2,b,x\n")
    monkeypatch.setattr("journey.loader.tables.LOCK_TIMEOUT", "100ms")
    with psycopg.connect() as reader:
        reader.execute("select * from raw_shop.sales")
        [failure] = landing.load(landing.source()).failures
    assert "lock timeout" in failure
    assert landing.load(landing.source()).failures == []
    assert landing.rows(columns="id, name, extra") == [(1, "a", None), (2, "b", "x")]


def test_an_interrupted_load_keeps_what_was_committed(landing: Landing, s3_proxy: Proxy) -> None:
    import signal

    from journey.errors import JourneyError

    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", BODY)

    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(1)  # the stream stands until the run knows: on a quick machine the file would be done first

    s3_proxy.faults = [Fault("call"), Fault("call", 2_000_000, interrupt)]
    with pytest.raises(JourneyError, match="interrupted"):
        landing.load(landing.source(), threads=1)
    assert landing.rows() == [(1, "a")]
    assert landing.query("select status from loader.runs") == [("interrupted",)]
    assert landing.load(landing.source()).failures == []
    assert landing.query("select count(*) from raw_shop.sales") == [(200_001,)]


def test_no_secret_in_what_is_said(landing: Landing, capsys: pytest.CaptureFixture[str]) -> None:
    from journey.loader.report import JsonReport, TextReport, summary_lines

    landing.put("in/a.csv", "id,name\nx,a\n")
    for report in (TextReport(), JsonReport()):
        summary = landing.load(landing.source(), report=report)
        print("\n".join(summary_lines(summary, as_json=True)))
    said: Any = capsys.readouterr()
    assert "is no integer" in said.err
    for secret in (os.environ["PGPASSWORD"], os.environ["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in said.out + said.err
