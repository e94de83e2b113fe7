"""The loyalty programme's files: monthly household extracts, campaigns and coupons at their start, redemptions weekly.

What belongs to a campaign that started before the data arrives with the first delivery.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from deliveries import formats, households, source
from deliveries.timeline import EXTRACT_DATES, FIRST_DAY, monday, week_of
from journey.land.feeds import Feed, Planned, feed_of

HOUSEHOLDS, CAMPAIGNS, CONTACTS = "loyalty/households", "loyalty/campaigns", "loyalty/campaign_households"
COUPONS, REDEMPTIONS = "loyalty/coupons", "loyalty/coupon_redemptions"

Row = dict[str, Any]


def household_extracts() -> Feed:
    """A full extract of the households as gzipped JSON lines at each month's end, which arrives the same day."""
    return feed_of(
        HOUSEHOLDS,
        {
            Planned(f"{HOUSEHOLDS}/households_{day}.jsonl.gz", day): partial(_household_file, index)
            for index, day in enumerate(EXTRACT_DATES)
        },
    )


def campaigns() -> Feed:
    """One JSON-lines file per day on which campaigns start: their descriptions."""
    by_start: dict[str, list[Row]] = defaultdict(list)
    for row in _campaigns():
        by_start[row["start_date"]].append(row)
    return feed_of(
        CAMPAIGNS,
        {
            Planned(f"{CAMPAIGNS}/campaigns_{start}.jsonl", max(date.fromisoformat(start), FIRST_DAY)): partial(
                formats.json_lines, rows
            )
            for start, rows in by_start.items()
        },
    )


def campaign_households() -> Feed:
    """One JSON-lines file per day on which campaigns start: the households that they were sent to."""
    by_start: dict[date, list[Row]] = defaultdict(list)
    starts = campaign_starts()
    for row in (
        source.read("campaigns").sort_by([("campaign_id", "ascending"), ("household_id", "ascending")]).to_pylist()
    ):
        by_start[starts[row["campaign_id"]]].append(row)
    return feed_of(
        CONTACTS,
        {
            Planned(f"{CONTACTS}/campaign_households_{start}.jsonl", max(start, FIRST_DAY)): partial(
                formats.json_lines, rows
            )
            for start, rows in by_start.items()
        },
    )


def coupons() -> Feed:
    """One zstd CSV per campaign, which arrives as the campaign starts. The source's duplicates are kept."""
    table = source.read("coupons")
    return feed_of(
        COUPONS,
        {
            Planned(f"{COUPONS}/coupons_campaign_{campaign:02}.csv.zst", max(start, FIRST_DAY)): partial(
                _coupons_file, table, campaign
            )
            for campaign, start in campaign_starts().items()
        },
    )


def coupon_redemptions() -> Feed:
    """One JSON-lines file per retail week with redemptions, which arrives on the Monday after it."""
    rows = [_with_dates(row) for row in source.read("coupon_redemptions").to_pylist()]
    rows.sort(key=lambda row: (row["redemption_date"], row["household_id"], row["campaign_id"], row["coupon_upc"]))
    by_week: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_week[week_of(date.fromisoformat(row["redemption_date"]))].append(row)
    return feed_of(
        REDEMPTIONS,
        {
            Planned(f"{REDEMPTIONS}/coupon_redemptions_2017_w{week:02}.jsonl", monday(week + 1)): partial(
                formats.json_lines, of_week
            )
            for week, of_week in by_week.items()
        },
    )


def campaign_starts() -> dict[int, date]:
    """The day on which each campaign starts, by campaign."""
    return {row["campaign_id"]: date.fromisoformat(row["start_date"]) for row in _campaigns()}


def contacts() -> dict[int, int]:
    """How many households each campaign was sent to."""
    counted = pc.value_counts(source.read("campaigns")["campaign_id"]).to_pylist()
    return {found["values"]: found["counts"] for found in counted}


def _campaigns() -> list[Row]:
    table = source.read("campaign_descriptions").sort_by([("start_date", "ascending"), ("campaign_id", "ascending")])
    return [_with_dates(row) for row in table.to_pylist()]


def _with_dates(row: Row) -> Row:
    """The row with its timestamps, all of them midnight, as ISO dates."""
    return {name: value.date().isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _household_file(index: int) -> bytes:
    return formats.gzip(formats.json_lines(households.extract(index)))


def _coupons_file(table: pa.Table, campaign: int) -> bytes:
    return formats.zstd(formats.comma_csv(table.filter(pc.equal(table["campaign_id"], campaign))))
