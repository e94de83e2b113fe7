"""What the tills took per business date and department: the real part of the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from deliveries import source
from deliveries.products import ProductHistory
from deliveries.timeline import FIRST_DAY, LAST_DAY, business_days, day_number, day_of

COLUMNS = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")


@dataclass(frozen=True)
class Takings:
    """One department's takings of one business date, US cents.

    Attributes:
        sales: what the retailer receives, manufacturers' coupon refunds included: net sales.
        discounts: loyalty-card discounts.
        coupons: manufacturers' coupons.
        match: the retailer's match of manufacturers' coupons.
    """

    sales: int
    discounts: int
    coupons: int
    match: int


def takings(products: ProductHistory) -> dict[tuple[date, str], Takings]:
    """Takings by business date and department, in this order; a day and department without a cent is left out.

    Args:
        products: says which department a product belonged to on a date.
    """
    days = (LAST_DAY - FIRST_DAY).days + 1
    width = len(products.departments)
    sums = np.zeros((len(COLUMNS), days * width), dtype=np.int64)
    for batch in source.batches("transactions", ["product_id", "transaction_timestamp", *COLUMNS]):
        seconds = batch["transaction_timestamp"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
        numbers = business_days(seconds)
        codes = products.department_codes(batch["product_id"].to_numpy(), numbers)
        cells = (numbers - day_number(FIRST_DAY)) * width + codes
        for column, name in enumerate(COLUMNS):
            sums[column] += _sum_by(cells, np.rint(batch[name].to_numpy() * 100), days * width)
    found = {}
    for cell in np.flatnonzero(sums.any(axis=0)).tolist():
        of_day = day_of(day_number(FIRST_DAY) + cell // width)
        found[of_day, products.departments[cell % width]] = Takings(*(int(cents) for cents in sums[:, cell]))
    return found


def _sum_by(cells: Any, cents: Any, size: int) -> Any:
    return np.bincount(cells, weights=cents, minlength=size).astype(np.int64)  # whole cents: exact as floats
