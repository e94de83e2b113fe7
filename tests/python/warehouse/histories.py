"""Delivery histories: what arrives when, in which order, restated or withdrawn, and what happens to the builds."""

from __future__ import annotations

import io
import json
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

FIRST_DAY = date(2017, 3, 6)  # a Monday; on the 12th, clocks change
DAYS, WEEKS, EXTRACTS = 10, 2, 3
FIRST_WEEK = 11  # the source's number of that Monday's week
CUSTOMERS, STORES, PRODUCTS, CAMPAIGNS = 4, 3, 6, 2


@dataclass(frozen=True)
class Change:
    """One file that arrives, comes again with other rows, or is withdrawn.

    Attributes:
        feed: transactions, promotions, products, households, campaigns or coupons.
        slot: which of the feed's files.
        seed: of the file's content; None withdraws it.
    """

    feed: str
    slot: int
    seed: int | None


@dataclass(frozen=True)
class Step:
    """Changes that are loaded together, and the build after them.

    Attributes:
        changes: in order.
        build: `whole`; `none`: the next one has to do; `killed`: its connections are cut after `delay`; `raced`: the
            changes are loaded while it runs.
        delay: seconds.
    """

    changes: tuple[Change, ...]
    build: str
    delay: float = 0.0


SLOTS = {
    "transactions": DAYS, "promotions": WEEKS, "products": EXTRACTS, "households": EXTRACTS, "campaigns": CAMPAIGNS,
    "coupons": CAMPAIGNS,
}  # fmt: skip
changes = st.sampled_from(("transactions", "transactions", *SLOTS)).flatmap(
    lambda feed: st.builds(
        Change,
        st.just(feed),
        st.integers(0, SLOTS[feed] - 1),
        st.one_of(*[st.integers(0, 999)] * 4, st.none()),  # one in five is a withdrawal
    )
)
steps = st.builds(
    Step,
    st.lists(changes, min_size=1, max_size=4).map(tuple),
    st.sampled_from(("whole", "whole", "none", "killed", "raced")),
    st.floats(0.1, 2.0),
)
histories = st.tuples(
    st.lists(changes, min_size=2, max_size=12).map(lambda some: Step(tuple(some), "whole")),
    st.lists(steps, min_size=1, max_size=2),
).map(lambda parts: [parts[0], *parts[1]])


def key(change: Change) -> str:
    """The S3 key of a change's file."""
    prefix, suffix = {
        "transactions": ("pos/transactions", "csv"),
        "promotions": ("pos/promotions", "parquet"),
        "products": ("pos/products", "parquet"),
        "households": ("loyalty/households", "jsonl"),
        "campaigns": ("loyalty/campaigns", "jsonl"),
        "coupons": ("loyalty/coupons", "csv"),
    }[change.feed]
    return f"{prefix}/{change.slot:02}.{suffix}"


def content(change: Change) -> bytes:
    """The bytes of a change's file, the same for the same change.

    Raises:
        KeyError: there is no such feed.
    """
    assert change.seed is not None
    made = {
        "transactions": _transactions, "promotions": _promotions, "products": _products, "households": _households,
        "campaigns": _campaigns, "coupons": _coupons,
    }  # fmt: skip
    return made[change.feed](change.slot, random.Random(f"{change.feed} {change.slot} {change.seed}"))  # noqa: S311


def _transactions(slot: int, draw: random.Random) -> bytes:
    """A UTC day: its first hours belong to the business date before."""
    lines = [
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,"
        "week,transaction_timestamp"
    ]
    day = datetime.combine(FIRST_DAY + timedelta(slot), datetime.min.time(), timezone.utc)
    for basket in range(draw.randint(0, 4)):
        at = day + timedelta(hours=draw.choice((0, 4, 5, 12, 23)), minutes=30)
        who, where = draw.randint(1, CUSTOMERS), draw.randint(1, STORES)
        lines += [
            f"{who},{where},{slot * 100 + basket},{product},{draw.randint(0, 3)},{draw.randint(0, 900) / 100},"
            f"{draw.randint(0, 90) / 100},0,0,{FIRST_WEEK + slot // 7},{at:%Y-%m-%dT%H:%M:%SZ}"
            for product in draw.sample(range(1, PRODUCTS + 1), draw.randint(1, 3))
        ]
    return ("\n".join(lines) + "\n").encode()


def _promotions(slot: int, draw: random.Random) -> bytes:
    """A week; keys may come more than once, products and stores that nobody knows too."""
    rows = [
        {
            "product_id": draw.randint(1, PRODUCTS),
            "store_id": draw.randint(1, STORES + 1),
            "display_location": draw.choice("01A8"),
            "mailer_location": draw.choice("0A"),
            "week": FIRST_WEEK + slot,
        }
        for _ in range(draw.randint(1, 12))
    ]
    types = (pa.int32(), pa.int32(), pa.string(), pa.string(), pa.int16())
    return _parquet(rows, dict(zip(rows[0], types, strict=True)))


def _extract_date(slot: int) -> date:
    return FIRST_DAY + timedelta((-6, 2, 8)[slot])


def _products(slot: int, draw: random.Random) -> bytes:
    """A full extract that misses some, with attributes that change from one to the next."""
    rows = [
        {
            "extract_date": _extract_date(slot),
            "product_id": product,
            "manufacturer_id": draw.randint(1, 2),
            "department": draw.choice(("GROCERY", "DELI", "COUPON")),
            "brand": draw.choice(("National", "Private")),
            "product_category": "SOUP",
            "product_type": "TOMATO",
            "package_size": "1 LB",
        }
        for product in sorted(draw.sample(range(1, PRODUCTS + 1), draw.randint(1, PRODUCTS)))
    ]
    types = {name: pa.string() for name in rows[0]} | {
        "extract_date": pa.date32(), "product_id": pa.int32(), "manufacturer_id": pa.int32(),
    }  # fmt: skip
    return _parquet(rows, types)


def _households(slot: int, draw: random.Random) -> bytes:
    rows = [
        {
            "extract_date": str(_extract_date(slot)),
            "household_id": customer,
            "age": "25-34",
            "income": draw.choice(("Under 15K", "50-74K")),
            "home_ownership": "Homeowner",
            "marital_status": "Married",
            "household_size": str(draw.randint(1, 2)),
            "household_comp": "1 Adult",
            "kids_count": "0",
        }
        for customer in sorted(draw.sample(range(1, CUSTOMERS + 1), draw.randint(1, CUSTOMERS)))
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _campaigns(slot: int, draw: random.Random) -> bytes:
    start = FIRST_DAY + timedelta(draw.randint(0, 3))
    row = {"campaign_id": slot + 1, "campaign_type": "Type A", "start_date": str(start)}
    return (json.dumps({**row, "end_date": str(start + timedelta(30))}) + "\n").encode()


def _coupons(slot: int, draw: random.Random) -> bytes:
    """What a campaign's coupons apply to; pairs may come more than once."""
    pairs = [(draw.randint(51, 53), draw.randint(1, PRODUCTS)) for _ in range(draw.randint(1, 6))]
    return "".join(f"{line}\n" for line in ["coupon_upc,product_id,campaign_id"] + [
        f"{coupon},{product},{slot + 1}" for coupon, product in pairs
    ]).encode()  # fmt: skip


def _parquet(rows: list[dict[str, Any]], types: dict[str, pa.DataType]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(list(types.items()))), out)
    return out.getvalue()
