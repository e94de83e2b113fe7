"""basket_affinity over worlds in which it is known which categories have to do with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import psycopg

from truth import basketfuls
from truth.chain import Chain
from truth.conftest import FULL, SEED
from truth.score import share

MODELS = (
    "int_category_months_counted",
    "int_category_groups_counted",
    "int_category_baskets_counted",
    "int_pair_months_counted",
    "int_years_closed",
    "int_pair_years_counted",
    "int_category_pairs_counted",
    "int_category_pairs_expected",
    "int_category_pairs_spread",
    "basket_affinity",
)
COLUMNS = (
    "product_category", "other_product_category", "lift", "affinity", "affinity_lower", "affinity_upper", "verdict",
)  # fmt: skip
WORLDS = 20 if FULL else 3


def test_affinity(chain_of: Callable[[Sequence[str]], Chain], world_database: psycopg.Connection) -> None:
    chain = chain_of(MODELS)
    unrelated, related = [], []
    for number in range(WORLDS):
        world = basketfuls.draw(np.random.default_rng([SEED, number]))
        chain.build(world_database, world.tables())
        planted = {frozenset(map(basketfuls.name, pair)) for pair in world.related}
        touched = frozenset[str]().union(*planted)
        for one, other, lift, affinity, low, high, verdict in chain.read(world_database, MODELS[-1], COLUMNS):
            row = (number, lift, affinity, low, high, verdict == "together", verdict == "apart")
            if one < other and {one, other} in planted:
                related.append(row)
            elif one < other and not touched & {one, other}:
                unrelated.append(row)
    world_of, lift, affinity, low, high, together, apart = np.array(unrelated, dtype=float).T
    covered = share(world_of.astype(int), (low <= 1) & (high >= 1))
    called = share(world_of.astype(int), (together + apart) > 0)
    found = share([row[0] for row in related], [row[5] for row in related])
    print(f"\nunrelated: lift {np.median(lift):.3f}, affinity {np.median(affinity):.3f}; intervals cover 1: {covered}")
    print(f"unrelated, called related: {called}; related, found: {found}")
    assert np.median(lift) > 1.3  # or the worlds have nothing to mend
    assert 0.95 <= np.median(affinity) <= 1.05
    assert covered.within(0.93, 0.97)
    assert called.rate <= 0.02
    assert found.rate >= 0.9
