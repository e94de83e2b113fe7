"""Departments' weekly sales over years: a level that wanders, a season, holidays, noise of each and of all together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FIRST = date(2014, 1, 6)
DEPARTMENTS = 8
AHEAD = 13


@dataclass(frozen=True)
class Weekly:
    """A world of weekly sales.

    Attributes:
        sales: department by week, US dollars; the last 13 weeks are yet to come.
    """

    sales: NDArray[np.float64]

    def tables(self) -> dict[str, pa.Table]:
        """What is known of it."""
        known = self.sales[:, :-AHEAD]
        department, week = np.nonzero(np.ones(known.shape))
        return {
            "sales_trends": pa.table(
                {
                    "period_type": ["week"] * known.size,
                    "period_start_date": [FIRST + timedelta(weeks=int(one)) for one in week],
                    "department": [name(int(one)) for one in department],
                    "is_all_departments": np.zeros(known.size, dtype=bool),
                    "is_partial_period": np.zeros(known.size, dtype=bool),
                    "net_sales_amount": np.round(known.ravel(), 2),
                }
            )
        }


def name(department: int) -> str:
    """What a department is called."""
    return f"DEPARTMENT {department}"


def draw(rng: np.random.Generator, years: float) -> Weekly:
    """A world.

    Args:
        rng: of all chances.
        years: that are known.
    """
    weeks = int(52 * years) + AHEAD
    week = np.arange(weeks)
    together = rng.normal(0, rng.uniform(0.01, 0.03), weeks)
    sales = []
    for _ in range(DEPARTMENTS):
        level = np.cumsum(rng.normal(0, rng.choice([0, 0.005, 0.015]), weeks)) + rng.normal(0, 0.0008) * week
        season = rng.uniform(0, 0.2) * np.sin(2 * np.pi * (week - rng.uniform(0, 52)) / 52)
        holidays = rng.uniform(0, 0.3) * np.isin(week % 52, (46, 50))
        noise = rng.normal(0, rng.uniform(0.03, 0.15), weeks)
        sales.append(np.exp(rng.uniform(5, 10) + level + season + holidays + together + noise))
    return Weekly(np.array(sales))
