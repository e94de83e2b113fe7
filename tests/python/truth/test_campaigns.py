"""campaign_performance over worlds in which it is known what each campaign brought."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import psycopg

from truth import shoppers
from truth.chain import Chain
from truth.conftest import FULL, SEED
from truth.score import share

MODELS = ("int_campaign_customers_compared", "int_campaign_uplift_measured")
WORLDS = 230 if FULL else 4


def test_uplift(chain_of: Callable[[Sequence[str]], Chain], world_database: psycopg.Connection) -> None:
    chain = chain_of(MODELS)
    rows = []
    for number in range(WORLDS):
        world = shoppers.draw(np.random.default_rng([SEED, number]))
        chain.build(world_database, world.tables())
        for campaign, low, high in chain.read(
            world_database, "int_campaign_uplift_measured", ("campaign_id", "uplift_lower_amount", "uplift_upper_amount")
        ):
            rows.append((number, world.effect[campaign - 1], world.uplift[campaign - 1], low, high))
    world_of, effect, truth, low, high = np.array(rows, dtype=float).T
    covered = share(world_of, (low <= truth) & (truth <= high))
    none = effect == 0
    false = share(world_of[none], ((low > 0) | (high < 0))[none])
    large = effect == 0.2
    found = share(world_of[large], (low > 0)[large])
    print(f"\nuplift: intervals cover {covered}; no effect, called one: {false}; 20 % found: {found}")
