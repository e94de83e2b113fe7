"""An incremental build on Spark gives what a full refresh gives there, row for row, whatever was delivered."""

from __future__ import annotations

import os
import time

import pytest

from journey.spark.session import Session
from spark.copies import Copy, differences
from spark.deliveries import draw_history
from spark.slices import Slice

HISTORIES = int(os.environ.get("HISTORIES", "1"))  # `make prove-spark` draws five


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, HISTORIES + 1))
def test_incremental_is_full_refresh(number: int, delivered: Slice, built: tuple[Copy, Copy], session: Session) -> None:
    """Each history goes on from the one before, which the incremental copy has built upon ever since."""
    incremental, refreshed = built
    history = draw_history(number, delivered.present, delivered.waiting)
    kinds = {one.what for one in history}
    assert {"late", "restated", "withdrawn"} <= kinds
    assert kinds & {"changed", "new"}
    delivered.deliver(history)
    seconds = {}
    for name, do in (
        ("load", delivered.load),
        ("incremental build", incremental.build),
        ("full refresh", lambda: refreshed.build("--full-refresh")),
    ):
        begun = time.monotonic()
        do()
        seconds[name] = time.monotonic() - begun
    begun = time.monotonic()
    found = differences(session, incremental, refreshed)
    seconds["comparison"] = time.monotonic() - begun
    print("".join(f"\n{one.what:10} {one.key}" for one in history))
    print(", ".join(f"{name} {taken:.0f} s" for name, taken in seconds.items()))
    assert found == {}
