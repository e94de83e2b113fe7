"""The simulated past of products and households: how much differs, how, and nothing in the last extract."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any

import duckdb
import pytest

from deliveries.timeline import EXTRACT_DATES

from .conftest import Landed

CLASSIFICATION = "department, product_category, product_type"


def one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.sql(query).fetchall()[0][0]


def test_there_are_thirteen_month_ends(sql: duckdb.DuckDBPyConnection) -> None:
    for table in ("product", "household"):
        days = sql.sql(f"select distinct cast(extract_date as date) as day from {table} order by day").fetchall()
        assert [day for (day,) in days] == list(EXTRACT_DATES)
    assert [f"{day:%m-%d}" for day in EXTRACT_DATES] == [
        "12-31", "01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30",
        "12-31",
    ]  # fmt: skip


def test_the_last_product_extract_is_the_public_data(sql: duckdb.DuckDBPyConnection) -> None:
    last = "(select * exclude (extract_date) from product where extract_date = date '2017-12-31')"
    assert one(sql, f"select count(*) from {last}") == 92_331
    assert one(sql, f"select count(*) from (from {last} except all from public_products)") == 0
    assert one(sql, f"select count(*) from (from public_products except all from {last})") == 0


def test_half_a_percent_of_the_products_was_classified_otherwise(sql: duckdb.DuckDBPyConnection) -> None:
    changed = sql.sql(
        f"""select count(distinct product_id), count(distinct product_id) filter (old.department <> new.department),
                count(*) filter ((old.brand, old.package_size, old.manufacturer_id)
                    is distinct from (new.brand, new.package_size, new.manufacturer_id))
            from product old join public_products new using (product_id)
            where ({", ".join(f"old.{name}" for name in CLASSIFICATION.split(", "))})
                is distinct from ({", ".join(f"new.{name}" for name in CLASSIFICATION.split(", "))})"""
    ).fetchall()
    assert changed == [(462, 69, 0)]
    invented = f"select count(*) from (select {CLASSIFICATION} from product except select {CLASSIFICATION} from public_products)"  # noqa: E501
    assert one(sql, invented) == 0


def test_some_products_are_reclassified_and_taken_back(sql: duckdb.DuckDBPyConnection) -> None:
    back = one(
        sql,
        f"""select count(*) from (
                select product_id from (
                    select product_id, ({CLASSIFICATION}) is distinct from lag(({CLASSIFICATION})) over w as changes
                    from product window w as (partition by product_id order by extract_date))
                group by product_id having count(*) filter (changes) = 3)""",
    )
    assert back == 24


def test_a_product_appears_in_the_extract_before_it_is_first_sold_or_promoted(sql: duckdb.DuckDBPyConnection) -> None:
    wrong = one(
        sql,
        """with activity as (
               select product_id, business_date as day from sale
               union all
               select product_id, greatest(date '2017-01-01', date '2016-12-26' + cast(7 * (week - 1) as int))
               from promotion
           ),
           expected as (
               select product_id, coalesce(max(extract_date) filter (extract_date < date_trunc('month', first_day)),
                   date '2016-12-31') as extract_date
               from public_products left join (select product_id, min(day) as first_day from activity group by all)
                   using (product_id)
               cross join (select distinct extract_date from product)
               group by product_id
           ),
           found as (select product_id, min(extract_date) as extract_date from product group by product_id)
           select count(*) from (from expected except from found)""",
    )
    assert wrong == 0


def test_delisted_products_come_back_and_nobody_sold_them_meanwhile(sql: duckdb.DuckDBPyConnection) -> None:
    sql.execute(
        """create or replace temp table absence as
           select product_id, extract_date as last_seen, lead(extract_date) over w as seen_again
           from product window w as (partition by product_id order by extract_date)
           qualify date_diff('month', last_seen, seen_again) > 1"""
    )
    assert sql.sql("select count(*), count(distinct product_id) from absence").fetchall() == [(24, 24)]
    # A month-end extract without the product stands from that day on, so the quiet begins with the next month.
    sold = """select count(*) from absence join sale using (product_id)
              where business_date > last_day(last_seen + interval 1 day) and business_date <= seen_again"""
    promoted = """select count(*) from absence join promotion using (product_id)
                  where date '2016-12-26' + cast(7 * week - 1 as int) > last_day(last_seen + interval 1 day)
                  and date '2016-12-26' + cast(7 * (week - 1) as int) <= seen_again"""
    assert one(sql, sold) == 0
    assert one(sql, promoted) == 0


@pytest.fixture(scope="module")
def households(landed: Landed) -> list[list[dict[str, Any]]]:
    """The household extracts, oldest first."""
    return [
        [json.loads(line) for line in gzip.decompress(data).decode().splitlines()]
        for _, data in sorted(landed.under("loyalty/households").items())
    ]


def without_day(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "extract_date"}


def test_the_last_household_extract_is_the_public_data(
    households: list[list[dict[str, Any]]], sql: duckdb.DuckDBPyConnection
) -> None:
    result = sql.sql("from public_demographics order by household_id")
    public = [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]
    assert [without_day(row) for row in households[-1]] == public
    assert any(row["home_ownership"] is None for row in households[-1])


def test_one_percent_of_the_households_changed_once_to_a_state_that_makes_sense(
    households: list[list[dict[str, Any]]],
) -> None:
    states: dict[int, list[dict[str, Any]]] = {}
    for extract in households:
        assert len(extract) == 801
        for row in extract:
            seen = states.setdefault(row["household_id"], [])
            if not seen or seen[-1] != without_day(row):
                seen.append(without_day(row))
    changed = {key: found for key, found in states.items() if len(found) > 1}
    assert {len(found) for found in changed.values()} == {2}
    kinds = Counter(
        tuple(name for name in old if old[name] != new[name] and name != "household_comp")
        for old, new in changed.values()
    )
    assert kinds == {("income",): 5, ("household_size", "kids_count"): 4}
    known = {tuple(row[name] for name in ("household_size", "household_comp", "kids_count")) for row in households[-1]}
    for found in changed.values():
        for row in found:
            assert tuple(row[name] for name in ("household_size", "household_comp", "kids_count")) in known
