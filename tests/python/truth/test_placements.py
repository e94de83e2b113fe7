"""What promotion_lift quotes, over worlds in which it is known what each placement adds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest

from truth import placements
from truth.chain import Chain
from truth.conftest import ESTIMATES, SEED
from truth.score import Share, share

MODELS = (
    "int_weeks_completed",
    "int_store_weeks_covered",
    "int_product_weeks_sold",
    "int_product_placements_sold",
    "int_product_stores_sold",
    "int_placement_weeks_observed",
    "int_placements_compared",
    "int_product_weeks_priced",
    "int_product_weeks_placed",
    "int_placement_lifts_measured",
    "promotion_lift",
)
READ = ("product_category", "display_code", "mailer_code", "quoted_comparison", "units_lift_rate",
        "units_lift_lower_rate", "units_lift_upper_rate", "plain_units_lift_rate")  # fmt: skip
KEYS = {("1", "0"): 901, ("0", "A"): 902, ("1", "A"): 903}


@pytest.fixture(scope="module")
def scores(chain_of: Callable[[Sequence[str]], Chain]) -> dict[str, Share]:
    """How often each promise is held, over the lifts that are quoted."""
    chain = chain_of(MODELS)
    rows: list[tuple[Any, ...]] = []
    none = 0
    with psycopg.connect(autocommit=True) as connection:
        for number in itertools.takewhile(lambda _: len(rows) < ESTIMATES, itertools.count()):
            world = placements.draw(np.random.default_rng([SEED, number]))
            chain.build(connection, world.tables())
            for category, display, mailer, quoted, lift, low, high, plain in chain.read(connection, MODELS[-1], READ):
                if quoted == "none":
                    none += 1
                    continue
                truth = world.lift[int(category.removeprefix("Category ")), KEYS[display, mailer]] - 1
                rows.append((number, truth, low <= truth <= high, low > 0, high < 0, quoted == "same week",
                             lift - truth, plain - truth))  # fmt: skip
    world_of, truth, covers, above, below, same_week, error, plain_error = np.array(rows, dtype=float).T
    zero, large = truth == 0, truth >= 0.5
    same = same_week == 1
    kept = {
        "intervals cover the truth": share(world_of, covers),
        "  in the same week": share(world_of[same], covers[same]),
        "  at equal depth": share(world_of[~same], covers[~same]),
        "no lift, called one": share(world_of[zero], (above + below)[zero]),
        "50 % and more, found": share(world_of[large], above[large]),
    }
    print(f"\npromotion_lift ({none} not quoted)")
    for name, rate in kept.items():
        print(f"  {name:45} {rate}")
    print(f"  median error {np.median(error):+.3f}, without regard to price and week {np.median(plain_error):+.3f}")
    return kept


def test_intervals_cover_the_truth_as_often_as_they_say(scores: dict[str, Share]) -> None:
    for name in ("intervals cover the truth", "  in the same week", "  at equal depth"):
        assert scores[name].within(0.93, 0.97), name


def test_what_lifts_nothing_is_seldom_said_to(scores: dict[str, Share]) -> None:
    assert scores["no lift, called one"].within(0, 0.06)


def test_a_large_lift_is_found(scores: dict[str, Share]) -> None:
    assert scores["50 % and more, found"].within(0.8, 1)
