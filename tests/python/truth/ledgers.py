"""Tills, books and a budget in which prices, mix and volume change as planted, in whole cents.

Units of a product are even at first and prices whole cents, so every planted change is a whole number of cents: what a
mart says of it is right or wrong, with nothing between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa

DEPARTMENTS = ("DELI", "GROCERY", "MEAT")
PERIODS = tuple(f"{2017 + month // 12}-{month % 12 + 1:02}" for month in range(15))
EVENTS = ("nothing", "price", "mix", "volume", "range", "all of it")
REVENUE, CONTRA = 1, 2


@dataclass(frozen=True)
class Planted:
    """What changed in a department from the period before, US cents.

    Attributes:
        price: by prices.
        mix: by what was bought, products that are new or gone included.
        volume: by how much.
        prices: by product, its part of `price`.
    """

    price: int = 0
    mix: int = 0
    volume: int = 0
    prices: Mapping[int, int] = field(default_factory=dict)


class Shelf:
    """A department's products: units and price (US cents) of a period.

    Args:
        rng: draws everything.
        first: number of its first product.
    """

    def __init__(self, rng: np.random.Generator, first: int) -> None:
        self._rng = rng
        self._next = first + 12
        self.units = {first + n: 2 * int(rng.integers(2, 20)) for n in range(12)}
        self.cents = {item: int(rng.integers(50, 1500)) for item in self.units}

    def change(self, event: str) -> Planted:
        """Let something happen, and say what it comes to."""
        before, paid = dict(self.units), dict(self.cents)
        factor = Fraction(1)
        if event in ("volume", "all of it"):
            is_even = all(units % 2 == 0 for units in self.units.values())
            factor = Fraction(2) if not is_even or self._rng.random() < 0.5 else Fraction(1, 2)
            self.units = {item: int(units * factor) for item, units in self.units.items()}
        if event in ("mix", "all of it"):
            given, taken = self._rng.choice(list(self.units), 2, replace=False).tolist()
            moved = self.units[given] // 2
            self.units[given] -= moved
            self.units[taken] += moved
        if event in ("range", "all of it"):
            gone = int(self._rng.choice(list(self.units)))
            self.cents[self._next] = int(self._rng.integers(50, 1500))
            self.units[self._next] = self.units.pop(gone)
            self._next += 1
        if event in ("price", "all of it"):
            for item in self._rng.choice(list(before), 5, replace=False).tolist():
                self.cents[item] += int(self._rng.integers(-40, 60))
        known = [item for item in self.units if item in before]
        prices = {item: (self.cents[item] - paid[item]) * self.units[item] for item in known}
        net = sum(units * paid[item] for item, units in before.items())
        now = sum(units * self.cents[item] for item, units in self.units.items())
        price, volume = sum(prices.values()), int((factor - 1) * net)
        return Planted(price, now - net - price - volume, volume, prices)


@dataclass
class World:
    """A world.

    Attributes:
        tables: by input its rows.
        planted: by period and department.
        net: net sales by period and department, US cents.
    """

    tables: dict[str, pa.Table]
    planted: dict[tuple[str, str], Planted]
    net: dict[tuple[str, str], int]


def draw(seed: int, world: int, *, events: tuple[str, ...] = EVENTS, at: frozenset[int] | None = None) -> World:
    """Draw a world.

    Args:
        seed: of all worlds.
        world: which one.
        events: that may happen, each department its own.
        at: places of the periods in which they may; all but the first if None.
    """
    rng = np.random.default_rng([seed, world])
    shelves = {name: Shelf(rng, 100 * place) for place, name in enumerate(DEPARTMENTS, 1)}
    budget = {name: (sum(s.units.values()), _net(s)) for name, s in shelves.items()}
    planted: dict[tuple[str, str], Planted] = {}
    net: dict[tuple[str, str], int] = {}
    lines: list[dict[str, object]] = []
    homes: dict[int, str] = {}
    for place, period in enumerate(PERIODS):
        for name, shelf in shelves.items():
            may = place > 0 and (at is None or place in at)
            if place:
                planted[period, name] = shelf.change(str(rng.choice(events)) if may else "nothing")
            net[period, name] = _net(shelf)
            homes |= dict.fromkeys(shelf.units, name)
            for item, units in shelf.units.items():
                lines += _sold(rng, period, item, units, shelf.cents[item])
        fuel = int(rng.integers(1000, 9000))
        net[period, "FUEL"] = fuel
        lines += _sold(rng, period, 7, 0, fuel)
    homes[7] = "FUEL"
    return World(_tables(lines, homes, net, budget), planted, net)


def _net(shelf: Shelf) -> int:
    return sum(units * shelf.cents[item] for item, units in shelf.units.items())


def _sold(rng: np.random.Generator, period: str, item: int, units: int, cents: int) -> Iterator[dict[str, object]]:
    """A product's lines: its units in one to three days; without units a sale of so many cents."""
    first = _first(period)
    cuts = sorted(int(cut) for cut in rng.integers(0, units + 1, size=2))
    for part in (cuts[0], cuts[1] - cuts[0], units - cuts[1]) if units else (0,):
        if part or not units:
            yield {
                "business_date": first + timedelta(int(rng.integers(0, 28))),
                "product_key": item, "units_count": part, "net_sales_amount": _dollars(part * cents or cents),
            }  # fmt: skip


def _tables(
    lines: list[dict[str, object]],
    homes: dict[int, str],
    net: dict[tuple[str, str], int],
    budget: dict[str, tuple[int, int]],
) -> dict[str, pa.Table]:
    """The inputs. Every department gives a tenth of its gross sales away, which the books post apart."""
    days = [date(2017, 1, 1) + timedelta(day) for day in range(455)]
    posted, plans, units = [], [], []
    for (period, name), cents in net.items():
        kept = {REVENUE: cents + cents // 10, CONTRA: cents // 10}
        planned = budget.get(name)
        if planned:
            units.append({"budget_version": "original", "fiscal_period": period, "department": name,
                          "account_id": REVENUE, "budget_units_count": planned[0]})  # fmt: skip
        for account, kind in ((REVENUE, "revenue"), (CONTRA, "contra_revenue")):
            sign = -1 if account == REVENUE else 1
            posted.append({"fiscal_period": period, "department": name, "account_key": account,
                           "net_debit_amount": _dollars(sign * kept[account])})  # fmt: skip
            plan = 0 if planned is None else {REVENUE: planned[1] + 500, CONTRA: 500}[account]
            plans.append({"budget_version": "original", "fiscal_period": period, "department": name,
                          "account_type": kind, "actual_amount": _dollars(kept[account]),
                          "budget_amount": _dollars(plan)})  # fmt: skip
    return {
        "fct_sales": pa.Table.from_pylist(lines),
        "int_department_days_summed": pa.Table.from_pylist([
            {"business_date": line["business_date"], "department": homes[int(str(line["product_key"]))],
             "units_count": line["units_count"], "net_sales_amount": line["net_sales_amount"]}
            for line in lines
        ]),
        "dim_product": pa.Table.from_pylist([
            {"product_key": item, "product_id": item, "department": name, "product_category": "ANY", "is_current": True}
            for item, name in homes.items()
        ]),
        "dim_date": pa.Table.from_pylist([{"date_key": day, "fiscal_period": f"{day:%Y-%m}"} for day in days]),
        "dim_fiscal_period": pa.Table.from_pylist([
            {"fiscal_period": period, "fiscal_year": int(period[:4]), "period_number": int(period[5:]),
             "prior_fiscal_period": before, "is_posted": True, "period_status": "closed",
             "period_start_date": _first(period), "period_end_date": _first(period) + timedelta(27)}
            for before, period in zip((None, *PERIODS), PERIODS, strict=False)
        ]),
        "dim_account": pa.Table.from_pylist([
            {"account_key": REVENUE, "account_type": "revenue"},
            {"account_key": CONTRA, "account_type": "contra_revenue"},
        ]),
        "fct_journal_lines": pa.Table.from_pylist(posted),
        "budget_vs_actual": pa.Table.from_pylist(plans),
        "fct_budgets": pa.Table.from_pylist(units),
    }  # fmt: skip


def _first(period: str) -> date:
    return date(int(period[:4]), int(period[5:]), 1)


def _dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
