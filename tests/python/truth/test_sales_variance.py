"""Price, mix and volume of planted changes come back to the cent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from truth.chain import Chain
from truth.conftest import FULL, SEED
from truth.ledgers import DEPARTMENTS, PERIODS, Planted, draw

WORLDS = 100 if FULL else 4
MODELS = (
    "int_periods_posted", "int_periods_compared", "int_product_periods_sold", "int_department_sales_compared",
    "product_sales_variance", "int_department_variances_summed", "sales_variance",
)  # fmt: skip
PARTS = ("price_effect_amount", "mix_effect_amount", "volume_effect_amount", "unsplit_amount")


@pytest.fixture(scope="module")
def chain(chain_of: Callable[[Sequence[str]], Chain]) -> Chain:
    return chain_of(MODELS)


def cents(row: Sequence[Any]) -> tuple[int | None, ...]:
    """Amounts as whole cents."""
    return tuple(None if value is None else round(value * 100) for value in row)


def read(
    chain: Chain, connection: psycopg.Connection, comparison: str
) -> dict[tuple[str, str], tuple[int | None, ...]]:
    """By period and department, the parts of the variance in one comparison."""
    rows = chain.read(connection, "sales_variance", ("comparison", "fiscal_period", "department", *PARTS))
    return {(row[1], row[2]): cents(row[3:]) for row in rows if row[0] == comparison}


@pytest.mark.parametrize("number", range(WORLDS))
def test_planted_changes_come_back_to_the_cent(chain: Chain, world_database: psycopg.Connection, number: int) -> None:
    world = draw(SEED, number)
    chain.build(world_database, world.tables)
    found = read(chain, world_database, "prior period")
    assert len(found) == (len(PERIODS) - 1) * 4
    for (period, department), planted in world.planted.items():
        assert found[period, department] == (planted.price, planted.mix, planted.volume, 0), (period, department)
    for before, period in pairwise(PERIODS):
        change = world.net[period, "FUEL"] - world.net[before, "FUEL"]
        assert found[period, "FUEL"] == (None, None, None, change)
    columns = ("comparison", "fiscal_period", "department", "product_id", "price_effect_amount")
    for comparison, period, department, item, price in chain.read(world_database, "product_sales_variance", columns):
        if comparison == "prior period" and department != "FUEL":
            assert round(price * 100) == world.planted[period, department].prices.get(item, 0)


@pytest.mark.parametrize("number", range(WORLDS))
def test_a_lasting_change_of_price_stays_price(chain: Chain, world_database: psycopg.Connection, number: int) -> None:
    """Against last period it shows once; against the budget and the year before as long as they know the old price."""
    changed = 5
    world = draw(SEED, number, events=("price",), at=frozenset({changed}))
    chain.build(world_database, world.tables)
    by = {base: read(chain, world_database, base) for base in ("prior period", "prior year", "budget original")}
    assert len(by["prior year"]) == 3 * 4
    for department in DEPARTMENTS:
        planted = world.planted[PERIODS[changed], department]
        for place, period in enumerate(PERIODS):
            price = planted.price if place >= changed else 0
            assert by["budget original"][period, department] == (price, None, 0, 0)
            if place:
                once = planted if place == changed else Planted()
                assert by["prior period"][period, department] == (once.price, 0, 0, 0)
            if place >= 12:
                assert by["prior year"][period, department] == (planted.price, 0, 0, 0)
