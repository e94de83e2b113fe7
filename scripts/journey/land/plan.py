"""Everything that lands, prefix by prefix."""

from __future__ import annotations

import runpy
from functools import cached_property
from pathlib import Path

from journey.errors import UsageError
from journey.land import erp, loyalty, pos
from journey.land.feeds import Feed
from journey.land.ledger.books import Books, keep_books
from journey.land.products import ProductHistory, product_history


class Simulation:
    """What is simulated and needed by several feeds: made once, and only if a file needs it."""

    @cached_property
    def products(self) -> ProductHistory:
        """The products' history."""
        return product_history()

    @cached_property
    def books(self) -> Books:
        """The ledger of the year."""
        return keep_books(self.products)


def feeds() -> list[Feed]:
    """All feeds, in the order in which they land."""
    simulation = Simulation()
    return [
        pos.transactions(),
        pos.products(lambda: simulation.products),
        pos.promotions(),
        loyalty.household_extracts(),
        loyalty.campaigns(),
        loyalty.campaign_households(),
        loyalty.coupons(),
        loyalty.coupon_redemptions(),
        *erp.feeds(lambda: simulation.books),
    ]


def feeds_of(root: Path) -> list[Feed]:
    """A project's feeds: those of its land.py, where it has one; else the default data's.

    Args:
        root: the project's folder.

    Raises:
        UsageError: its land.py has no function `feeds`.
    """
    file = root / "land.py"
    if not file.is_file():
        return feeds()
    made = runpy.run_path(str(file)).get("feeds")
    if made is None:
        raise UsageError(f"{file} has no function feeds(), which says what is delivered: examples/hofladen has one")
    found: list[Feed] = made()
    return found
