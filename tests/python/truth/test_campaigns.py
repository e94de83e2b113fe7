"""What campaign_performance concludes, over worlds in which it is known what each campaign brought."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest

from truth import shoppers
from truth.chain import Chain
from truth.conftest import ESTIMATES, SEED
from truth.score import Share, share

MODELS = (
    "int_campaign_windows_observed",
    "int_campaign_customers_observed",
    "int_campaign_customers_compared",
    "int_campaign_uplift_measured",
    "int_campaign_verdicts_reached",
)
READ = ("campaign_id", "uplift_lower_amount", "uplift_upper_amount", "p_value", "adjusted_p_value", "verdict",
        "placebo_p_value")  # fmt: skip


@pytest.fixture(scope="module")
def scores(chain_of: Callable[[Sequence[str]], Chain]) -> dict[str, Share]:
    """How often each promise is held, over the campaigns that can be judged: neither too early nor too small."""
    chain = chain_of(MODELS)
    rows: list[tuple[Any, ...]] = []
    with psycopg.connect(autocommit=True) as connection:
        for number in itertools.takewhile(lambda _: len(rows) < ESTIMATES, itertools.count()):
            world = shoppers.draw(np.random.default_rng([SEED, number]))
            chain.build(connection, world.tables())
            for campaign, low, high, p, adjusted, verdict, placebo in chain.read(connection, MODELS[-1], READ):
                if adjusted is None:
                    assert verdict == "cannot tell"
                    continue
                effect, uplift = world.effect[campaign - 1], world.uplift[campaign - 1]
                said = {"sold more": 1, "sold less": -1, "no difference found": 0, "cannot tell": 9}[verdict]
                rows.append((number, effect, low <= uplift <= high, p < 0.05, low > 0, said, placebo or 1))
    world_of, effect, covers, significant, above, said, placebo_p = np.array(rows, dtype=float).T
    none, large = effect == 0, effect == max(shoppers.EFFECTS)
    placed = placebo_p < 1
    kept = {
        "intervals cover the truth": share(world_of, covers),
        "no effect, called significant": share(world_of[none], significant[none]),
        "no effect, said to have sold more or less": share(world_of[none], abs(said[none]) == 1),
        "20 % found": share(world_of[large], (significant * above)[large]),
        "20 %, said to have sold more": share(world_of[large], said[large] == 1),
        "20 %, said to have sold less": share(world_of[large], said[large] == -1),
        "cannot tell": share(world_of, said == 9),
        "placebos called significant": share(world_of[placed], placebo_p[placed] < 0.05),
    }
    print("\ncampaign_performance")
    for name, rate in kept.items():
        print(f"  {name:45} {rate}")
    return kept


def test_intervals_cover_the_truth_as_often_as_they_say(scores: dict[str, Share]) -> None:
    assert scores["intervals cover the truth"].within(0.93, 0.97)


def test_what_has_no_effect_is_seldom_called_one(scores: dict[str, Share]) -> None:
    assert scores["no effect, called significant"].within(0, 0.06)
    assert scores["no effect, said to have sold more or less"].within(0, 0.05)


def test_a_large_effect_is_found(scores: dict[str, Share]) -> None:
    assert scores["20 % found"].within(0.8, 1)
    assert scores["20 %, said to have sold less"].rate == 0
