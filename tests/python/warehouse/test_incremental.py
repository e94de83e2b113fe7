"""An incremental build gives what a full refresh gives, row for row, whatever was delivered and whatever went wrong."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings

from warehouse.conftest import Warehouse
from warehouse.histories import Step, histories

HISTORIES = int(os.environ.get("HISTORIES", "25"))
MARTS = ("marketing", "sales", "finance")


@settings(
    max_examples=HISTORIES,
    derandomize="HISTORIES" not in os.environ,  # the same ones in CI each time; `make prove` draws new ones
    deadline=None,
    database=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if "HISTORIES" in os.environ else [])),
    suppress_health_check=list(HealthCheck),
)
@given(histories)
def test_incremental_is_full_refresh(warehouse: Warehouse, history: list[Step]) -> None:
    warehouse.restart()
    for step in history:
        warehouse.take(step)
    assert warehouse.build() == []
    warehouse.keep("warehouse")
    assert warehouse.build("--full-refresh") == []
    assert warehouse.differences("warehouse") == {}
