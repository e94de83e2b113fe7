"""Killed loaders, a killed PostgreSQL, cut streams, several loaders at once: every row once, and the ledger agrees."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from journey import services
from journey.embedded import ADMIN, environment
from journey.services.state import State
from loader.chaos import campaign
from loader.support import Landing


def test_a_small_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "services"  # its own: PostgreSQL is killed
    monkeypatch.setenv("JOURNEY_LOCAL_DIR", str(folder))
    services.up()
    try:
        state = State.read(folder)
        assert state is not None
        for name, value in environment(state, ADMIN).items():
            monkeypatch.setenv(name, value)
        done = campaign(tmp_path / "project", runs=16, seed=7, kills=6)
    finally:
        services.down()
    assert done.differences == []
    assert done.counts["runs"] >= 16
    assert done.counts["kills"] >= 6
    assert done.counts["files in one COPY with another"] > 10


def test_many_loads_at_once_share_the_work(landing: Landing) -> None:
    for i in range(24):
        landing.put(f"in/{i}.csv", "id,name\n" + f"{i},a\n" * 500)
    failures: list[str] = []

    def run() -> None:
        failures.extend(landing.load(landing.source()).failures)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert landing.query("select count(*), count(distinct id) from raw_shop.sales") == [(12_000, 24)]
    assert [status for _, status in landing.statuses()] == ["loaded"] * 24
    assert landing.agree()


def test_new_columns_from_several_threads(landing: Landing) -> None:
    for i in range(12):
        landing.put(f"in/{i}.csv", f"id,name,c{i % 3},d\n{i},a,x,y\n")
    assert landing.load(landing.source(), threads=4).failures == []
    assert landing.query("select count(*), count(c0), count(c1), count(c2), count(d) from raw_shop.sales") == [
        (12, 4, 4, 4, 12)
    ]


def test_a_file_in_another_runs_hands_is_left_to_it(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/b.csv", "id,name\n2,b\n")
    with landing.connection.transaction():
        take = "select is_ours from loader.take_file('raw_shop', 'sales', %s, 'in/b.csv')"
        assert landing.query(take, landing.bucket) == [(True,)]
        summary = landing.load(landing.source())
    [failure] = summary.failures  # nobody is told that all is loaded
    assert "in/b.csv: another run has it in hand, for longer than 1 s: run again (pid " in failure
    assert (summary.tables["shop.sales"].files, summary.tables["shop.sales"].busy) == (0, 1)
    landing.load(landing.source())
    assert landing.rows() == [(1, "a"), (2, "b")]


def test_a_dead_run_is_marked(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.query("insert into loader.runs (selected, host) values ('everything', 'gone') returning run_id")
    landing.put("in/b.csv", "id,name\n2,b\n")
    landing.load(landing.source())
    assert landing.query("select status from loader.runs order by run_id") == [("loaded",), ("killed",), ("loaded",)]
