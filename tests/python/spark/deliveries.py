"""A slice of the default data, small enough for a cluster on one machine, and what is drawn to happen to its files."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

WEEKS = 6  # the first month of the ledger arrives in the sixth
EVERY = 10  # one product and one customer in so many is in the slice
PROMOTED = 100  # of the products, whose promotions are
UNKNOWN = 30  # one in so many isn't in an extract that comes first
HELD_BACK = 8  # files that come late
PACKED = {"gz": "gzip", "zst": "zstd"}
TIME = "%Y-%m-%dT%H:%M:%SZ"

Row = dict[str, Any]
Rows = list[Row]
Change = Callable[[Row, random.Random], Row]


@dataclass(frozen=True)
class Delivery:
    """What happens to one file.

    Attributes:
        what: late, again, restated, withdrawn, changed or new.
        key: of the file.
        body: its new bytes; None if it is withdrawn.
    """

    what: str
    key: str
    body: bytes | None


def feed(key: str) -> str:
    """The feed of a file, such as transactions."""
    return key.split("/")[1]


def rows_of(key: str, body: bytes) -> Rows:
    """A file's rows; of CSV and JSON lines all that the file says, of Parquet without its schema."""
    if key.endswith(".parquet"):
        found: Rows = pq.read_table(io.BytesIO(body)).to_pylist()
        return found
    text = _unpacked(key, body).decode(_encoding(key))
    if ".jsonl" in key:
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text), delimiter=_delimiter(key)))


def body_of(key: str, rows: Rows, like: bytes) -> bytes:
    """Rows as a file of the same kind.

    Args:
        key: of the file.
        rows: of which there may be none.
        like: bytes of a file with the same columns.
    """
    if key.endswith(".parquet"):
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(io.BytesIO(like))), out)
        return out.getvalue()
    if ".jsonl" in key:
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
    else:
        header = _unpacked(key, like).decode(_encoding(key)).splitlines()[0].split(_delimiter(key))
        lines = io.StringIO()
        writer = csv.DictWriter(lines, header, delimiter=_delimiter(key), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text = lines.getvalue()
    return _packed(key, text.encode(_encoding(key)))


def thinned(key: str, body: bytes) -> bytes:
    """What the slice has of a file: a tenth of its customers and products; ledger, campaigns and redemptions whole."""
    if key.startswith("erp/") or feed(key) in ("campaigns", "coupon_redemptions"):
        return body
    if key.endswith(".parquet"):  # a million rows are no dicts
        table = pq.read_table(io.BytesIO(body))
        products = {product for product in table["product_id"].unique().to_pylist() if product % EVERY == 0}
        if feed(key) == "promotions":
            products = {product for product in products if product % PROMOTED == 0}
        else:  # some are sold before anybody knows them
            products = {product for product in products if product // EVERY % UNKNOWN}
        kept = table.filter(pc.is_in(table["product_id"], pa.array(sorted(products), pa.int32())))
        out = io.BytesIO()
        pq.write_table(kept, out)
        return out.getvalue()
    ids = ("product_id", "household_id")
    kept_rows = [
        row
        for row in rows_of(key, body)
        if not any(int(row[name]) % EVERY for name in ids if row.get(name) is not None)
    ]
    if feed(key) == "households":
        kept_rows = [row for row in kept_rows if row["household_id"] // EVERY % UNKNOWN]
    return body_of(key, kept_rows, body)


def held_back(keys: Iterable[str], draw: random.Random) -> list[str]:
    """Files that come late: some of feeds that have several."""
    return sorted(draw.sample(_of_several(keys), HELD_BACK))


def draw_history(number: int, present: Mapping[str, bytes], waiting: Mapping[str, bytes]) -> list[Delivery]:
    """What happens until the next build: something of each kind, and more by chance; no file twice.

    Args:
        number: of the history: the same one draws the same.
        present: bytes of the files that are there, by key.
        waiting: of those that aren't: late, or withdrawn before.
    """
    draw = random.Random(f"history {number}")  # noqa: S311
    done = [Delivery("late", key, waiting[key]) for key in _some(draw, waiting, 2)]
    done += [Delivery("withdrawn", key, None) for key in _some(draw, _of_several(present), 2)]
    left = {key: body for key, body in present.items() if key not in {one.key for one in done}}
    sales = [key for key in left if feed(key) == "transactions"]
    others = [key for key in left if feed(key) not in ("transactions", "products", "households", "chart_of_accounts")]
    for key in sorted({*_some(draw, sales, 3), *_some(draw, others, 2)}):
        done.append(Delivery("restated", key, body_of(key, _restated(rows_of(key, left[key]), draw), left[key])))
    sold = [row for key in sales for row in rows_of(key, left[key])]
    for kind, name, change in (
        ("products", "product_id", _other_product),
        ("households", "household_id", _other_household),
    ):
        extracts = [key for key in left if feed(key) == kind]
        if extracts:
            wanted = {int(row[name]) for row in sold if row[name]}
            done.append(_extract(draw, max(extracts), left[max(extracts)], (name, wanted, change), number))
    return done


def _extract(draw: random.Random, key: str, body: bytes, of: tuple[str, set[int], Change], number: int) -> Delivery:
    """The newest extract of a dimension with other attributes and a new member, restated or as one of a later day.

    Args:
        draw: what is drawn from.
        key: of the extract.
        body: of the extract.
        of: the column of the members' ids; members that sales name; and what else a member can be.
        number: of the history.
    """
    identity, sold, change = of
    rows = rows_of(key, body)
    for place in draw.sample(range(len(rows)), 5):
        rows[place] = change(rows[place], draw)
    known = {row[identity] for row in rows}
    rows.append({**draw.choice(rows), identity: draw.choice(sorted(sold - known) or [max(known) + EVERY])})
    if draw.random() < 0.5:
        return Delivery("changed", key, body_of(key, rows, body))
    day = date(2017, 1, 8 + 4 * number)
    text = isinstance(rows[0]["extract_date"], str)
    rows = [{**row, "extract_date": str(day) if text else day} for row in rows]
    return Delivery("new", re.sub(r"\d{4}-\d\d-\d\d", str(day), key), body_of(key, rows, body))


def _other_product(row: Row, draw: random.Random) -> Row:
    return {
        **row,
        "department": draw.choice(("GROCERY", "DELI", "MEAT")),
        "brand": draw.choice(("National", "Private")),
    }


def _other_household(row: Row, draw: random.Random) -> Row:
    return {**row, "income": draw.choice(("Under 15K", "50-74K", "100-124K"))}


def _restated(rows: Rows, draw: random.Random) -> Rows:
    """Four rows of five; of sales some with another amount, and some baskets whole of the day before."""
    baskets = sorted({row["basket_id"] for row in rows if "transaction_timestamp" in row})
    moved = set(draw.sample(baskets, len(baskets) // 10))
    restated = []
    for row in rows:
        if draw.random() < 0.2:
            continue
        changes: Row = {}
        if "transaction_timestamp" in row and draw.random() < 0.1:
            changes["sales_value"] = f"{draw.randint(1, 900) / 100:.2f}"
        if row.get("basket_id") in moved:
            at = datetime.strptime(row["transaction_timestamp"], TIME) - timedelta(days=1)
            changes["transaction_timestamp"] = at.strftime(TIME)
        restated.append({**row, **changes})
    return restated


def _some(draw: random.Random, keys: Iterable[str], most: int) -> list[str]:
    """One, or more of them up to a number; none of none."""
    among = sorted(keys)
    return draw.sample(among, min(len(among), draw.randint(1, most)))


def _of_several(keys: Iterable[str]) -> list[str]:
    """Files of those feeds that have more than one."""
    among = sorted(keys)
    feeds = [feed(key) for key in among]
    return [key for key, of in zip(among, feeds, strict=True) if feeds.count(of) > 1]


def _delimiter(key: str) -> str:
    return ";" if key.startswith("erp/") else ","


def _encoding(key: str) -> str:
    return "windows-1252" if key.startswith("erp/") else "utf-8"


def _unpacked(key: str, body: bytes) -> bytes:
    kind = PACKED.get(key.rsplit(".", 1)[1])
    unpacked: bytes = pa.input_stream(pa.BufferReader(body), compression=kind).read()
    return unpacked


def _packed(key: str, body: bytes) -> bytes:
    kind = PACKED.get(key.rsplit(".", 1)[1])
    if kind is None:
        return body
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, kind) as stream:
        stream.write(body)
    packed: bytes = out.getvalue().to_pybytes()
    return packed
