"""History of the products: the public data knows only their last state, so earlier extracts are SIMULATED.

The last extract equals the public data. Earlier ones differ by seeded changes, stated here:
- 0.5 % of the products are reclassified once during the year: 60 % change their type, 25 % their category,
  15 % their department. One in twenty is reclassified and taken back.
- A product is absent until the extract of the month before its first sale or promotion.
- 24 products that nobody sells or promotes for a while are absent from two or three extracts, and come back.

A changed product shows the classification of another real product, so no name is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from deliveries import source
from deliveries.draws import draw, pick, shuffled
from deliveries.timeline import EXTRACT_DATES, FIRST_DAY, business_days, day_number, day_of, monday

Array = np.ndarray[Any, Any]

RECLASSIFIED_SHARE = 0.005
CLASSIFICATION = ("department", "product_category", "product_type")
SHARES = (0.15, 0.25, 0.60)  # of the reclassified: how many change their department, category, type
TAKEN_BACK_EVERY = 20
DELISTED = 24
UNKNOWN = "UNKNOWN"
# Departments whose products are reclassified: merchandise only, so that fuel never becomes pastry.
MERCHANDISE = ("COSMETICS", "DELI", "DRUG GM", "FLORAL", "GROCERY", "MEAT", "MEAT-PCKGD", "NUTRITION", "PASTRY",
               "PRODUCE", "SEAFOOD", "SEAFOOD-PCKGD")  # fmt: skip


@dataclass(frozen=True)
class ProductHistory:
    """What each monthly extract says of each product.

    Attributes:
        public: the products as the public data has them, sorted by product_id.
        present: [extract, product]: the extract has the product.
        shown_as: [extract, product]: the row of `public` whose classification the product shows.
    """

    public: pa.Table
    present: Array
    shown_as: Array

    @cached_property
    def departments(self) -> list[str]:
        """The departments' names, sorted, UNKNOWN last: what `department_codes` counts."""
        return [*sorted(pc.unique(self.public["department"]).to_pylist()), UNKNOWN]

    @cached_property
    def ids(self) -> Array:
        """The product ids, ascending."""
        ids: Array = self.public["product_id"].to_numpy()
        return ids

    def extract(self, index: int) -> pa.Table:
        """One full extract.

        Args:
            index: which of `EXTRACT_DATES`.
        """
        shown = pa.array(self.shown_as[index])
        columns = {name: self.public[name] for name in self.public.column_names}
        columns |= {name: columns[name].take(shown) for name in CLASSIFICATION}
        days = pa.array([EXTRACT_DATES[index]] * self.public.num_rows, pa.date32())
        types = {"product_id": pa.int32(), "manufacturer_id": pa.int32()}
        table = pa.table({"extract_date": days, **{n: c.cast(types.get(n, pa.string())) for n, c in columns.items()}})
        return table.filter(pa.array(self.present[index]))

    def department_codes(self, product_ids: Array, business_day_numbers: Array) -> Array:
        """The department that each sale belongs to, as the newest extract by its business date knew the product.

        An extract that lacks the product doesn't count; a product's first version is open to the past.

        Args:
            product_ids: products sold.
            business_day_numbers: business dates, days since 1970-01-01.

        Returns:
            Positions in `departments`.
        """
        rows = np.searchsorted(self.ids, product_ids)
        rows[rows == len(self.ids)] = 0
        known = self.ids[rows] == product_ids
        extracts = np.searchsorted(np.array([day_number(day) for day in EXTRACT_DATES]), business_day_numbers, "right")
        codes = self._version_codes[np.maximum(extracts - 1, 0), rows]
        return np.where(known, codes, len(self.departments) - 1)

    @cached_property
    def _version_codes(self) -> Array:
        """[extract, product]: department code, with gaps filled from the version before, else from the first."""
        position = {name: code for code, name in enumerate(self.departments)}
        public = np.array([position[name] for name in self.public["department"].to_pylist()], dtype=np.int16)
        codes: Array = public[self.shown_as]
        for index in range(1, len(codes)):
            codes[index] = np.where(self.present[index], codes[index], codes[index - 1])
        first = self.present.argmax(axis=0)
        before = np.arange(len(codes))[:, None] < first
        return np.where(before, codes[first, np.arange(codes.shape[1])], codes)


def product_history() -> ProductHistory:
    """Simulate the products' history from the public data."""
    public = source.read("products").sort_by("product_id")
    active = _active_months(public["product_id"].to_numpy())
    count = public.num_rows
    present = np.ones((len(EXTRACT_DATES), count), dtype=bool)
    ever = active.any(axis=0)
    first = np.where(ever, active.argmax(axis=0), 0)  # month 0 is January, extract 0 the one before it
    present &= np.arange(len(EXTRACT_DATES))[:, None] >= first
    shown_as = np.tile(np.arange(count, dtype=np.int32), (len(EXTRACT_DATES), 1))
    _reclassify(public, first, shown_as)
    _delist(public, active, present, shown_as)
    return ProductHistory(public, present, shown_as)


def _active_months(ids: Array) -> Array:
    """[month, product]: sold or promoted in that month of 2017."""
    active = np.zeros((12, len(ids)), dtype=bool)
    for batch in source.batches("transactions", ["product_id", "transaction_timestamp"]):
        days = business_days(batch["transaction_timestamp"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy())
        for number, begin, end in source.runs(days):
            _mark(active[day_of(number).month - 1], ids, batch["product_id"][begin:end])
    for batch in source.batches("promotions", ["product_id", "week"]):
        for week, begin, end in source.runs(batch["week"].to_numpy()):
            for month in {max(monday(week), FIRST_DAY).month, (monday(week + 1) - timedelta(days=1)).month}:
                _mark(active[month - 1], ids, batch["product_id"][begin:end])
    return active


def _mark(month: Array, ids: Array, products: pa.Array) -> None:
    sold = pc.unique(products).to_numpy()
    rows = np.searchsorted(ids, sold)
    rows[rows == len(ids)] = 0
    month[rows[ids[rows] == sold]] = True


def _reclassify(public: pa.Table, first: Array, shown_as: Array) -> None:
    names = list(zip(*(public[column].to_pylist() for column in CLASSIFICATION), strict=True))
    ids = public["product_id"].to_pylist()
    usable = [row for row, name in enumerate(names) if name[0] in MERCHANDISE and None not in name]
    classes = {names[row]: row for row in reversed(usable)}  # the first product of each classification stands for it
    queue = iter(shuffled(usable, "reclassified"))
    for number, level in enumerate(_levels(round(len(names) * RECLASSIFIED_SHARE))):
        others: list[int] = []
        while not others:
            row = next(queue)
            now = names[row]
            changes_at = range(int(first[row]) + 1, len(EXTRACT_DATES))
            if len(changes_at) >= 3:
                others = [other for name, other in classes.items() if _differs_at(level, now, name)]
        other = pick(sorted(others), "shown as", ids[row])
        if number % TAKEN_BACK_EVERY:
            shown_as[: pick(changes_at, "change", ids[row]), row] = other
        else:  # a trap for whoever joins equal states into one version
            begin = pick(changes_at[:-2], "change", ids[row])
            shown_as[begin : begin + 2, row] = other


def _levels(count: int) -> list[int]:
    """What each of so many reclassified products changes: a position in `CLASSIFICATION`."""
    wanted = [level for level, share in enumerate(SHARES) for _ in range(round(count * share))]
    return wanted[:count] + [len(SHARES) - 1] * (count - len(wanted))


def _differs_at(level: int, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two classifications are equal above a level and differ there."""
    return one[:level] == other[:level] and one[level] != other[level]


def _delist(public: pa.Table, active: Array, present: Array, shown_as: Array) -> None:
    unchanged = (shown_as == np.arange(shown_as.shape[1])).all(axis=0)
    ids = public["product_id"].to_pylist()
    departments = public["department"].to_pylist()
    seasonal = [
        row
        for row in np.flatnonzero(unchanged & active[:3].any(axis=0) & active[9:].any(axis=0)).tolist()
        if departments[row] in MERCHANDISE
    ]
    done = 0
    for row in shuffled(seasonal, "delisted"):
        absent = 2 + int(draw("delisted for", ids[row]) * 2)
        begin = pick(range(3, 8), "delisted from", ids[row])
        # Extract `begin` ends month number `begin`: the months after it until the return must be quiet.
        if not active[begin : begin + absent, row].any():
            present[begin : begin + absent, row] = False
            done += 1
        if done == DELISTED:
            return
