"""An incremental build on Spark gives what a full refresh gives there, row for row, whatever was delivered."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from journey.spark.session import Session
from spark.copies import FACT, Copy, differences
from spark.deliveries import Delivery, body_of, draw_history, feed, rows_of
from spark.slices import Slice

DAY = re.compile(r"business_date=([0-9-]+)/")  # in a file's path
T = TypeVar("T")
HISTORIES = int(os.environ.get("HISTORIES", "1"))  # `make prove-spark` draws five


@pytest.mark.long
def test_nothing_is_built_where_nothing_is_new(built: tuple[Copy, Copy]) -> None:
    again = built[0].build()
    assert built[0].tables().keys() - again.unchanged == {"load_health"}  # which reads what nobody keeps a state of


@pytest.mark.long
def test_a_file_is_dated_once_where_a_view_shows_rows_one_by_one(built: tuple[Copy, Copy]) -> None:
    """Else each build reads all files again, and has a hash of what each of them shows."""
    with Session() as session:
        found = session.rows(f"select model_name, count(*), count(rows_hash) from {built[0].schema}_build_state.files "
                             "where model_name in ('fct_sales', 'fct_promotions') group by 1 order by 1")  # fmt: skip
    assert [(model, hashes) for model, _, hashes in found] == [("fct_promotions", 0), ("fct_sales", 0)]
    assert all(files for _, files, _ in found)


@pytest.mark.long
def test_only_the_dates_of_a_restated_file_are_written(delivered: Slice, built: tuple[Copy, Copy]) -> None:
    """A history may touch more than half of the slice's dates, and then the fact is written whole."""
    copy = built[0]
    key = sorted(key for key in delivered.present if feed(key) == "transactions")[10]
    rows = rows_of(key, delivered.present[key])
    delivered.deliver([Delivery("restated", key, body_of(key, rows[1:], delivered.present[key]))])
    delivered.load()
    before = copy.written(FACT)
    copy.build()
    after = copy.written(FACT)
    with Session() as session:
        days = session.rows(f"select distinct business_date from {copy.schema}_staging.stg_pos__transactions "
                            f"where _file_id in (select file_id from loader.files where key = '{key}')")  # fmt: skip
    assert before & after
    assert {DAY.findall(place)[-1] for place, _ in before ^ after} == {str(day) for (day,) in days}


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, HISTORIES + 1))
def test_incremental_is_full_refresh(number: int, delivered: Slice, built: tuple[Copy, Copy]) -> None:
    """Each history goes on from the one before, which the incremental copy has built upon ever since."""
    incremental, refreshed = built
    history = draw_history(number, delivered.present, delivered.waiting)
    kinds = {one.what for one in history}
    assert {"late", "restated", "withdrawn"} <= kinds
    assert kinds & {"changed", "new"}
    delivered.deliver(history)
    _, loading = timed(delivered.load)
    ran, building = timed(incremental.build)
    _, refreshing = timed(lambda: refreshed.build("--full-refresh"))
    found, comparing = timed(lambda: compare(incremental, refreshed))
    print("".join(f"\n{one.what:10} {one.key}" for one in history))
    print(f"load {loading:.0f} s, incremental build {building:.0f} s, {len(ran.unchanged)} tables unchanged, "
          f"full refresh {refreshing:.0f} s, comparison {comparing:.0f} s")  # fmt: skip
    assert found == {}
    assert ran.unchanged  # else it was a full refresh itself


def compare(one: Copy, other: Copy) -> dict[str, list[str]]:
    """How they differ, to a session that hasn't read them before: it would go by the files that it knows."""
    with Session() as session:
        return differences(session, one, other)


def timed(do: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the seconds that it took."""
    begun = time.monotonic()
    return do(), time.monotonic() - begun
