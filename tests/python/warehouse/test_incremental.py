"""An incremental build gives what a full refresh gives, row for row, whatever was delivered and whatever went wrong."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings

from warehouse.conftest import STATEFUL, Warehouse
from warehouse.histories import Step, histories

PROVE = "HISTORIES" in os.environ  # `make prove`: that many, drawn anew, and the marts too
HISTORIES = int(os.environ.get("HISTORIES", "25"))
MARTS = ("marketing", "sales", "finance")


@settings(
    max_examples=HISTORIES,
    derandomize=not PROVE,  # CI tries the same ones each time
    deadline=None,
    database=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if PROVE else [])),
    suppress_health_check=list(HealthCheck),
)
@given(histories)
def test_incremental_is_full_refresh(warehouse: Warehouse, history: list[Step]) -> None:
    warehouse.restart()
    for step in history:
        warehouse.take(step)
    everything = "path:models/warehouse path:models/marts" if PROVE else STATEFUL
    schemas = ("warehouse", *MARTS) if PROVE else ("warehouse",)
    assert warehouse.build(select=everything) == []
    warehouse.keep(*schemas)
    assert warehouse.build("--full-refresh", select=everything) == []
    assert warehouse.differences(*schemas) == {}
