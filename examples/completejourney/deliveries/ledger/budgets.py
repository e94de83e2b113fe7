"""Budgets. SIMULATED: a plan of its own with seeded noise, not a copy of what happened.

`original` was set before the year. `revised` came in July and has all twelve periods: the first six as in the
original, the rest planned anew. HOUSEWARES and store remodelling are budgeted and never happen; small departments,
repairs and sales of unknown products happen without a budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from deliveries.draws import draw
from deliveries.ledger import chart as a
from deliveries.ledger.running import MONTHS, UTILITIES, cost_of
from deliveries.timeline import period

ORIGINAL, REVISED = "original", "revised"
ARRIVES = {ORIGINAL: date(2017, 1, 1), REVISED: date(2017, 7, 1)}
REVISED_FROM = date(2017, 7, 1)
NOISE = 0.03  # either way, per department, account and period
REVISION = 0.04  # either way, per department

# Per mille of the year's gross sales, January to December.
SEASON = (80, 76, 83, 82, 86, 82, 86, 84, 81, 84, 84, 92)
# Planned gross sales of the year in US dollars, loyalty discounts and coupon match per mille of them.
DEPARTMENTS = {
    "CHEF SHOPPE": (2_000, 35, 0),
    "COSMETICS": (24_000, 190, 0),
    "DELI": (168_000, 85, 0),
    "DRUG GM": (640_000, 90, 1),
    "FLORAL": (25_000, 30, 0),
    "FUEL": (360_000, 30, 0),
    "GARDEN CENTER": (7_000, 120, 0),
    "GROCERY": (2_820_000, 165, 2),
    "HOUSEWARES": (3_000, 100, 0),
    "MEAT": (425_000, 250, 0),
    "MEAT-PCKGD": (295_000, 230, 1),
    "MISCELLANEOUS": (76_000, 25, 0),
    "NUTRITION": (60_000, 110, 1),
    "PASTRY": (82_000, 120, 0),
    "PRODUCE": (355_000, 115, 0),
    "RESTAURANT": (1_500, 40, 0),
    "SALAD BAR": (17_500, 35, 0),
    "SEAFOOD": (21_500, 165, 0),
    "SEAFOOD-PCKGD": (50_000, 250, 0),
    "SPIRITS": (11_000, 0, 0),
    "TRAVEL & LEISURE": (1_800, 100, 0),
}
# Planned gross sales of a unit, US cents. FUEL and MISCELLANEOUS (mostly coupons and fees) are planned without units.
PRICES = {
    "CHEF SHOPPE": 260, "COSMETICS": 500, "DELI": 420, "DRUG GM": 325, "FLORAL": 720, "GARDEN CENTER": 640,
    "GROCERY": 220, "HOUSEWARES": 500, "MEAT": 600, "MEAT-PCKGD": 355, "NUTRITION": 255, "PASTRY": 275, "PRODUCE": 195,
    "RESTAURANT": 370, "SALAD BAR": 295, "SEAFOOD": 780, "SEAFOOD-PCKGD": 590, "SPIRITS": 950, "TRAVEL & LEISURE": 310,
}  # fmt: skip
# Expenses of a period in US dollars, as planned before the year and in July; a missing month is zero.
EXPENSES = {
    a.PAYROLL: ([54_500] * 12, [55_200] * 12),
    a.RENT: ([15_000] * 12, [15_300] * 12),
    a.UTILITIES: ([cents // 100 for cents in UTILITIES], [cents // 100 + 150 for cents in UTILITIES]),
    a.DEPRECIATION: ([10_900] * 12, [11_400] * 12),
    a.MAILING: ([450] * 12, [600] * 12),
    a.REMODELLING: ([0] * 8 + [12_000] + [0] * 3, [0] * 10 + [9_000, 0]),
    a.INTEREST: ([2_400] * 12, [2_300] * 12),
    a.INCOME_TAX: ([0, 0, 7_500] * 4, [0, 0, 8_200] * 4),
}


@dataclass(frozen=True)
class Budget:
    """The budget of one account, department and period.

    Attributes:
        version: original or revised.
        fiscal_period: such as 2017-01.
        department: None where none applies.
        account: account number.
        cents: in the account's normal direction, US cents.
        units: planned to be sold, of gross sales; None of another account, and where no units are counted.
    """

    version: str
    fiscal_period: str
    department: str | None
    account: int
    cents: int
    units: int | None = None


def budgets(version: str) -> Iterator[Budget]:
    """One version of the budget, by period, department and account.

    Args:
        version: original or revised.
    """
    for month in MONTHS:
        plan = ORIGINAL if month < REVISED_FROM else version
        for department, (gross, discounts, match) in DEPARTMENTS.items():
            for account, dollars in _department(plan, month, department, gross, discounts, match):
                units = _units(plan, month, department, dollars) if account == a.GROSS_SALES else None
                yield Budget(version, period(month), department, account, dollars * 100, units)
        for account, plans in EXPENSES.items():
            dollars = plans[plan == REVISED][month.month - 1]
            if dollars:
                yield Budget(version, period(month), None, account, dollars * 100)


def _units(plan: str, month: date, department: str, gross: int) -> int | None:
    """Units that are to bring planned gross sales, whole US dollars; None where no units are counted."""
    price = PRICES.get(department)
    if price is None:
        return None
    return round(100 * gross / price * (1 + NOISE * (2 * draw("units", plan, month, department) - 1)))


def _department(
    plan: str, month: date, department: str, year: int, discounts: int, match: int
) -> Iterator[tuple[int, int]]:
    """Account and whole US dollars of one department and month."""
    revised = 1 + REVISION * (2 * draw("revision", department) - 1) if plan == REVISED else 1.0
    gross = year * SEASON[month.month - 1] / 1000 * revised

    def about(dollars: float, account: int) -> int:
        return round(dollars * (1 + NOISE * (2 * draw("budget", plan, month, department, account) - 1)))

    yield a.GROSS_SALES, about(gross, a.GROSS_SALES)
    if discounts:
        yield a.LOYALTY_DISCOUNTS, about(gross * discounts / 1000, a.LOYALTY_DISCOUNTS)
    if match:
        yield a.COUPON_MATCH, about(gross * match / 1000, a.COUPON_MATCH)
    net = gross * (1000 - discounts - match) / 1000
    yield a.COST_OF_GOODS, about(cost_of(department, round(net * 100)) / 100, a.COST_OF_GOODS)
