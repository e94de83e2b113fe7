"""Baskets of categories: who picks one says nothing about another, but for the pairs that are planted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DAY = date(2017, 3, 1)
BUYERS = 700
BASKETS = 20_000
CATEGORIES = 60
GROUPS = 20  # of buyers
PLANTED = 6  # pairs, each of two categories that no other pair has
SWITCH = 0.35  # of the baskets with the one category, how many pick the other because of it


@dataclass(frozen=True)
class Basketfuls:
    """A world of baskets.

    Attributes:
        holds: basket by category, whether it is in it.
        buyer: of each basket.
        related: pairs of categories of which the first brings the second.
    """

    holds: NDArray[np.bool_]
    buyer: NDArray[np.int64]
    related: list[tuple[int, int]]

    def tables(self) -> dict[str, pa.Table]:
        """What is listed of this world's baskets."""
        basket, category = np.nonzero(self.holds)
        return {
            "int_basket_categories_listed": pa.table(
                {
                    "business_date": [DAY] * len(basket),
                    "basket_id": basket + 1,
                    "product_category": [name(int(one)) for one in category],
                    "categories_count": self.holds.sum(axis=1)[basket],
                    "buyer_group": self.buyer[basket] % GROUPS,
                }
            ),
            "int_months_begun": pa.table({"month_start_date": [DAY.replace(day=1)]}),
            "int_affinity_months_listed": pa.table(
                {"month_start_date": [DAY.replace(day=1)], "first_date": [DAY], "last_date": [DAY]}
            ),
        }


def name(category: int) -> str:
    """What a category is called."""
    return f"CATEGORY {category:02}"


def draw(rng: np.random.Generator) -> Basketfuls:
    """A world: baskets of very different sizes (a trip's, a household's), buyers with tastes of their own.

    Args:
        rng: of all chances.
    """
    popularity = rng.permutation(1 / np.arange(1, CATEGORIES + 1) ** rng.uniform(0.5, 1.0))
    popularity /= popularity.sum()
    buyer = rng.integers(0, BUYERS, BASKETS)
    household = np.exp(rng.normal(0, 0.5, BUYERS))
    trip = rng.gamma(shape := rng.uniform(0.6, 2.0), 1 / shape, BASKETS)
    spread = rng.uniform(0, 1.0)
    taste = np.exp(rng.normal(0, spread, (BUYERS, CATEGORIES)) - spread**2 / 2)
    rate = rng.uniform(5, 9) * (trip * household[buyer])[:, None] * popularity[None, :] * taste[buyer]
    holds = rng.random((BASKETS, CATEGORIES)) < 1 - np.exp(-rate)
    picked = rng.choice(CATEGORIES, 2 * PLANTED, replace=False)
    related = [(int(one), int(other)) for one, other in picked.reshape(PLANTED, 2)]
    for one, other in related:
        holds[:, other] |= holds[:, one] & (rng.random(BASKETS) < SWITCH)
    return Basketfuls(holds, buyer, related)
