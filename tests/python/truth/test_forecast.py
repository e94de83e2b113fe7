"""sales_forecast over worlds of several years whose next 13 weeks are known, and hidden from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import psycopg

from truth import weekly
from truth.chain import Chain
from truth.conftest import FULL, SEED
from truth.score import share

MODELS = (
    "int_department_weeks_levelled",
    "int_sales_forecasts_backtested",
    "int_sales_methods_chosen",
    "sales_forecast",
)
COLUMNS = (
    "department", "weeks_ahead", "forecast_amount", "lower_80_amount", "upper_80_amount", "lower_95_amount",
    "upper_95_amount", "error_to_mean_of_4_rate", "forecast_method",
)  # fmt: skip
YEARS = (2.0, 2.5, 3.0, 3.5)
WORLDS = 60 if FULL else 8


def test_forecast(chain_of: Callable[[Sequence[str]], Chain], world_database: psycopg.Connection) -> None:
    chain = chain_of(MODELS)
    rows, seasonal = [], 0
    for number in range(WORLDS):
        world = weekly.draw(np.random.default_rng([SEED, number]), YEARS[number % len(YEARS)])
        chain.build(world_database, world.tables())
        coming = world.sales[:, -weekly.AHEAD :]
        for department, ahead, forecast, low, high, lowest, highest, rate, method in chain.read(
            world_database, "sales_forecast", COLUMNS
        ):
            actual = coming[int(department.split()[1]), ahead - 1]
            rows.append((number, abs(forecast / actual - 1), low <= actual <= high, lowest <= actual <= highest, rate))
            seasonal += method.startswith("seasonal")
    world_of, error, in_80, in_95, rate = np.array(rows, dtype=float).T
    eighty, ninety_five = share(world_of.astype(int), in_80 > 0), share(world_of.astype(int), in_95 > 0)
    print(
        f"\n80 % intervals cover {eighty}; 95 %: {ninety_five}; error {error.mean():.1%}, of mean {np.median(rate):.3f}"
    )
    assert len(rows) == WORLDS * weekly.DEPARTMENTS * weekly.AHEAD
    assert eighty.within(0.77, 0.83)
    assert ninety_five.within(0.92, 0.98)
    assert np.median(rate) < 1  # a method that is chosen is better than the mean of 4 weeks
    assert seasonal > 0
