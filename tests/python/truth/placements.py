"""Products that sell in stores week by week, on display here and in the mailer there, with and without price cuts.

Most products sell seldom; stores differ in size and in what they are good at; a product, a category's season and a
store each have better and worse weeks. Displays stand in some stores, rather in large ones, mailers go to nearly all of
them at once, and seven of ten placements come with a price cut, which sells by itself. What a placement adds on top is
planted by category.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FIRST = date(2017, 1, 2)
WEEKS, STORES, CATEGORIES, PRODUCTS = 45, 20, 10, 40
LIFTS = (1.0, 1.0, 1.1, 1.5, 2.0)
PLACEMENTS = {901: (True, False), 902: (False, True), 903: (True, True)}  # by key: on display, in the mailer
NOWHERE = 900  # the placement of a sale without any


@dataclass(frozen=True)
class Shelves:
    """A world of products, stores and placements.

    Attributes:
        units: sold, by product, store and week.
        placement: key, by product, store and week.
        depth: of the discount, by product and week, 0 to 1.
        lift: planted, by category and placement: 1.5 is half as much again.
    """

    units: NDArray[np.int64]
    placement: NDArray[np.int64]
    depth: NDArray[np.float64]
    lift: dict[tuple[int, int], float]

    def tables(self) -> dict[str, pa.Table]:
        """The facts and dimensions of this world."""
        mondays = np.array([FIRST + timedelta(days=7 * n) for n in range(WEEKS)])
        product, store, week = np.nonzero(self.units)
        units = self.units[product, store, week]
        gross = np.round(2.5 * units, 2)
        item, place, when = np.nonzero(self.placement != NOWHERE)
        stores, everything = np.arange(STORES), np.arange(CATEGORIES * PRODUCTS)
        keys = [NOWHERE, *PLACEMENTS]
        return {
            "fct_sales": pa.table(
                {
                    "product_id": product + 1,
                    "store_key": store + 1,
                    "business_date": mondays[week],
                    "placement_key": self.placement[product, store, week],
                    "units_count": units,
                    "gross_sales_amount": gross,
                    "net_sales_amount": np.round(gross * (1 - self.depth[product, week]), 2),
                }
            ),
            "fct_promotions": pa.table(
                {
                    "product_id": item + 1,
                    "store_key": place + 1,
                    "week_start_date": mondays[when],
                    "placement_key": self.placement[item, place, when],
                }
            ),
            "dim_product": pa.table(
                {
                    "product_id": everything + 1,
                    "product_category": [f"Category {one // PRODUCTS}" for one in everything],
                    "is_current": [True] * len(everything),
                    "is_merchandise": [True] * len(everything),
                }
            ),
            "dim_store": pa.table({"store_id": stores + 1, "store_key": stores + 1}),
            "dim_placement": pa.table(
                {
                    "placement_key": keys,
                    "is_on_display": [False, *(display for display, _ in PLACEMENTS.values())],
                    "is_on_mailer": [False, *(mailer for _, mailer in PLACEMENTS.values())],
                    "display_code": ["0", "1", "0", "1"],
                    "mailer_code": ["0", "0", "A", "A"],
                    "display_name": ["-", "Display", "-", "Display"],
                    "mailer_name": ["-", "-", "Mailer", "Mailer"],
                }
            ),
            "int_periods_observed": pa.table(
                {"period_type": ["week"] * WEEKS, "period_start_date": mondays, "is_partial_period": [False] * WEEKS}
            ),
            "int_placements_observed": pa.table(
                {"week_start_date": np.repeat(mondays, STORES), "store_id": np.tile(stores + 1, WEEKS)}
            ),
        }


def draw(chance: np.random.Generator) -> Shelves:
    """A world.

    Args:
        chance: what it is drawn with.
    """
    goods = CATEGORIES * PRODUCTS
    category = np.repeat(np.arange(CATEGORIES), PRODUCTS)
    size = chance.lognormal(0, 0.5, STORES)
    mailed = chance.random((goods, 1, WEEKS)) < 0.12
    mailed = mailed & (chance.random((goods, STORES, WEEKS)) < 0.99)
    shown = (chance.random((goods, 1, WEEKS)) < 0.2) & (
        chance.random((goods, STORES, WEEKS)) < 0.35 * np.minimum(size, 2)[:, None]
    )
    placement = np.full((goods, STORES, WEEKS), NOWHERE)
    for key, (display, mailer) in PLACEMENTS.items():
        placement[(shown == display) & (mailed == mailer)] = key
    promoted = (shown | mailed).any(axis=1)
    cut = chance.random((goods, WEEKS)) < np.where(promoted, 0.7, 0.12)
    depth = np.where(cut, chance.beta(2, 3, (goods, WEEKS)) * 0.6, 0)
    lift = {}
    more = np.ones((goods, STORES, WEEKS))
    for one in range(CATEGORIES):
        display, mailer = chance.choice(LIFTS, 2)
        for key, (is_display, is_mailer) in PLACEMENTS.items():
            lift[one, key] = float((display if is_display else 1) * (mailer if is_mailer else 1))
    for key in PLACEMENTS:
        its = np.array([lift[int(one), key] for one in category]) * chance.lognormal(-0.01, 0.15, goods)
        more = np.where(placement == key, its[:, None, None], more)
    hunger = chance.uniform(1, 4, CATEGORIES)[category]  # for price cuts
    season = np.exp(
        chance.uniform(0, 0.3, (CATEGORIES, 1))
        * np.sin(np.arange(WEEKS) / 8.3 + chance.uniform(0, 6.3, (CATEGORIES, 1)))
    )[category]
    rate = (
        0.12 * chance.lognormal(0, 1, goods)[:, None, None]
        * size[:, None] * chance.lognormal(0, 0.3, (CATEGORIES, STORES))[category][:, :, None]
        * chance.lognormal(0, 0.3, (goods, STORES))[:, :, None]
        * (season * chance.gamma(16, 1 / 16, (goods, WEEKS)))[:, None, :]
        * chance.lognormal(0, 0.1, (STORES, WEEKS))
        * np.exp(hunger[:, None] * depth)[:, None, :]
    )  # fmt: skip
    return Shelves(chance.poisson(rate * more), placement, depth, lift)
