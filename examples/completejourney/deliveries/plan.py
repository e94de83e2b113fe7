"""Everything that lands, prefix by prefix."""

from __future__ import annotations

from functools import cached_property

from deliveries import erp, loyalty, pos
from deliveries.ledger.books import Books, keep_books
from deliveries.products import ProductHistory, product_history
from journey.land.feeds import Feed


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
