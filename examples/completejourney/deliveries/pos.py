"""The point-of-sale system's files: daily transactions, monthly product extracts, weekly promotions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from deliveries import formats, source
from deliveries.products import ProductHistory
from deliveries.timeline import EXTRACT_DATES, HOUR, LAST_WEEK, day_of, monday
from journey.land.feeds import Encode, Feed, Planned

TRANSACTIONS, PRODUCTS, PROMOTIONS = "pos/transactions", "pos/products", "pos/promotions"
MONEY = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
_PROMOTION_TYPES = pa.schema(
    [
        ("product_id", pa.int32()),
        ("store_id", pa.int32()),
        ("display_location", pa.string()),
        ("mailer_location", pa.string()),
        ("week", pa.int16()),
    ]
)


def transactions() -> Feed:
    """One gzipped CSV per UTC day with sales, which arrives the day after."""
    days: set[int] = set()
    for batch in source.batches("transactions", ["transaction_timestamp"]):
        days.update(np.unique(_utc_days(batch)).tolist())
    keys = {number: f"{TRANSACTIONS}/transactions_{day_of(number)}.csv.gz" for number in sorted(days)}

    def make(wanted: Collection[str]) -> Iterator[tuple[str, Encode]]:
        numbers = {number for number, key in keys.items() if key in wanted}
        for number, table in _split("transactions", _utc_days, numbers):
            yield keys[number], partial(_transactions_file, table)

    files = tuple(Planned(key, day_of(number) + timedelta(days=1)) for number, key in keys.items())
    return Feed(TRANSACTIONS, files, make)


def products(history: Callable[[], ProductHistory]) -> Feed:
    """A full extract of the products as Parquet at each month's end, which arrives the same day.

    Args:
        history: gives the simulated history; asked only if an extract is to be made.
    """
    keys = {f"{PRODUCTS}/products_{day}.parquet": index for index, day in enumerate(EXTRACT_DATES)}

    def make(wanted: Collection[str]) -> Iterator[tuple[str, Encode]]:
        known = history()
        return ((key, partial(_products_file, known, index)) for key, index in keys.items() if key in wanted)

    return Feed(PRODUCTS, tuple(Planned(key, EXTRACT_DATES[index]) for key, index in keys.items()), make)


def promotions() -> Feed:
    """One Parquet file per retail week, which arrives on the Monday after it."""
    keys = {week: f"{PROMOTIONS}/promotions_2017_w{week:02}.parquet" for week in range(1, LAST_WEEK + 1)}

    def make(wanted: Collection[str]) -> Iterator[tuple[str, Encode]]:
        weeks = {week for week, key in keys.items() if key in wanted}
        for week, table in _split("promotions", lambda batch: batch["week"].to_numpy(), weeks):
            yield keys[week], partial(_promotions_file, table)

    return Feed(PROMOTIONS, tuple(Planned(key, monday(week + 1)) for week, key in keys.items()), make)


def _utc_days(batch: pa.RecordBatch) -> Any:
    seconds = batch["transaction_timestamp"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    return seconds // (24 * HOUR)


def _split(
    table: str, group: Callable[[pa.RecordBatch], Any], wanted: Collection[int]
) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each wanted group, group by group, from a table that is sorted by it."""
    held: list[pa.RecordBatch] = []
    current: int | None = None
    last = max(wanted, default=-1)
    for batch in source.batches(table) if wanted else ():
        for number, begin, end in source.runs(group(batch)):
            if number != current:
                if current is not None and held:
                    yield current, pa.Table.from_batches(held)
                held, current = [], number
            if number > last:
                return
            if number in wanted:
                held.append(batch.slice(begin, end - begin))
    if current is not None and held:
        yield current, pa.Table.from_batches(held)


def _transactions_file(table: pa.Table) -> bytes:
    columns = {name: table[name] for name in table.column_names}
    columns |= {name: columns[name].cast(pa.decimal128(12, 2)) for name in MONEY}
    text = columns["transaction_timestamp"].cast(pa.timestamp("s")).cast(pa.string())
    columns["transaction_timestamp"] = pc.binary_join_element_wise(pc.binary_replace_slice(text, 10, 11, "T"), "Z", "")
    return formats.gzip(formats.comma_csv(pa.table(columns)))


def _products_file(history: ProductHistory, index: int) -> bytes:
    return formats.parquet(history.extract(index))


def _promotions_file(table: pa.Table) -> bytes:
    return formats.parquet(table.cast(_PROMOTION_TYPES))
