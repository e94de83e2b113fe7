"""Every file: its name, its columns, its day of arrival, and the same bytes each time."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import DEFAULT, ROOT
from deliveries.plan import feeds
from journey.land.plan import plan_of

from .conftest import Landed

SOURCES = {
    f"{source['name']}/{table['name']}": [column["name"] for column in table["columns"]]
    for name in ("pos", "loyalty", "erp")
    for source in yaml.safe_load((DEFAULT / f"models/staging/{name}/_{name}__sources.yml").read_text())["sources"]
    for table in source["tables"]
}


def columns(key: str, data: bytes) -> list[str]:
    """The column names of a file, in order."""
    if key.endswith(".parquet"):
        return list(pq.read_schema(io.BytesIO(data)).names)
    if key.endswith(".gz"):
        data = gzip.decompress(data)
    if key.endswith(".zst"):
        data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    if ".jsonl" in key:
        orders = {tuple(json.loads(line)) for line in data.splitlines()}
        assert len(orders) == 1, "all lines of a file have the same keys in the same order"
        return list(orders.pop())
    first = data.split(b"\n", 1)[0].decode("ascii").rstrip("\r")
    return next(csv.reader([first], delimiter=";" if key.startswith("erp/") else ","))


def test_every_declared_source_lands_with_its_columns_in_their_order(landed: Landed) -> None:
    found = {key.rsplit("/", 1)[0]: set() for key in landed.files}  # type: dict[str, set[tuple[str, ...]]]
    for key, data in landed.files.items():
        found[key.rsplit("/", 1)[0]].add(tuple(columns(key, data)))
    assert found == {prefix: {tuple(names)} for prefix, names in SOURCES.items()}


def test_the_same_bytes_in_another_process_zone_and_hash_seed(
    landed: Landed, elsewhere: subprocess.Popen[bytes]
) -> None:
    told, _ = elsewhere.communicate()
    assert elsewhere.returncode == 0
    assert json.loads(told) == {key: hashlib.md5(data).hexdigest() for key, data in landed.files.items()}  # noqa: S324


def test_the_keys_of_a_prefix_sort_by_arrival() -> None:
    for feed in feeds():
        if feed.prefix != "loyalty/coupons":  # by campaign, and the first campaigns have the last numbers
            arrivals = [file.arrives_on for file in sorted(feed.files, key=lambda file: file.key)]
            assert arrivals == sorted(arrivals), feed.prefix


@pytest.mark.parametrize(
    ("key", "arrives"),
    [
        ("pos/transactions/transactions_2017-01-01.csv.gz", date(2017, 1, 2)),
        ("pos/transactions/transactions_2018-01-01.csv.gz", date(2018, 1, 2)),
        ("pos/products/products_2016-12-31.parquet", date(2016, 12, 31)),
        ("pos/promotions/promotions_2017_w01.parquet", date(2017, 1, 2)),
        ("pos/promotions/promotions_2017_w53.parquet", date(2018, 1, 1)),
        ("loyalty/households/households_2017-02-28.jsonl.gz", date(2017, 2, 28)),
        ("loyalty/campaigns/campaigns_2016-11-14.jsonl", date(2017, 1, 1)),
        ("loyalty/campaign_households/campaign_households_2017-02-08.jsonl", date(2017, 2, 8)),
        ("loyalty/coupons/coupons_campaign_26.csv.zst", date(2017, 1, 1)),
        ("loyalty/coupons/coupons_campaign_27.csv.zst", date(2017, 2, 8)),
        ("loyalty/coupon_redemptions/coupon_redemptions_2017_w53.jsonl", date(2018, 1, 1)),
        ("erp/chart_of_accounts/chart_of_accounts.csv", date(2017, 1, 1)),
        ("erp/journal_lines/journal_lines_2017-12.csv", date(2018, 1, 3)),
        ("erp/journal_lines/journal_lines_2018-01.csv", date(2018, 2, 3)),
        ("erp/budgets/budgets_original.csv", date(2017, 1, 1)),
        ("erp/budgets/budgets_revised.csv", date(2017, 7, 1)),
        ("erp/control_totals/control_totals_2017-01.csv", date(2017, 2, 3)),
    ],
)
def test_a_file_arrives_when_its_system_delivers_it(key: str, arrives: date) -> None:
    feed = next(feed for feed in feeds() if key.startswith(f"{feed.prefix}/"))
    for day, there in ((arrives - timedelta(days=1), False), (arrives, True)):
        assert (key in [file.key for file in feed.arrived(day)]) is there


def test_weeks_end_on_the_tuesday_by_which_the_last_evening_has_arrived() -> None:
    plan = plan_of(ROOT)
    assert plan.until_of_weeks(1) == date(2017, 1, 3)
    assert plan.until_of_weeks(8) == date(2017, 2, 21)


def test_a_slice_of_weeks_has_each_of_their_sales_and_promotions(sql: duckdb.DuckDBPyConnection) -> None:
    sliced = {file.key for feed in feeds() for file in feed.arrived(plan_of(ROOT).until_of_weeks(8))}
    weeks = "select max(week) from public_transactions where transaction_timestamp < timestamp '2017-02-21'"
    assert sql.sql(weeks).fetchall() == [(9,)]
    last_of_week_8 = sql.sql("select max(transaction_timestamp) from public_transactions where week = 8").fetchall()
    assert f"pos/transactions/transactions_{last_of_week_8[0][0]:%Y-%m-%d}.csv.gz" in sliced
    assert "pos/promotions/promotions_2017_w08.parquet" in sliced
    assert "pos/promotions/promotions_2017_w09.parquet" not in sliced


def test_gzip_headers_tell_no_time_and_no_name(landed: Landed) -> None:
    for key, data in landed.files.items():
        if key.endswith(".gz"):
            assert data[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00", key


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.sql(query).fetchall()[0]


def test_transactions_are_the_public_ones_on_their_utc_day(sql: duckdb.DuckDBPyConnection) -> None:
    names = "household_id, store_id, basket_id, product_id, quantity, week"
    amounts = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    landed = ", ".join(f"cast({name} * 100 as bigint) as {name}" for name in amounts)
    public = ", ".join(f"cast(round({name} * 100) as bigint) as {name}" for name in amounts)
    both = rows(
        sql,
        f"""select count(*), bit_xor(hash(l)) = (select bit_xor(hash(p)) from (
                select {names}, {public}, transaction_timestamp::timestamp as at from public_transactions) p)
            from (select {names}, {landed}, transaction_timestamp at time zone 'UTC' as at from sale) l""",
    )
    assert both == (1_469_307, True)
    elsewhere = "select count(*) from sale where filename not like '%\\_' || cast(cast(transaction_timestamp as date) as text) || '.csv.gz' escape '\\'"  # noqa: E501
    assert rows(sql, elsewhere) == (0,)


def test_transactions_look_as_the_till_writes_them(landed: Landed) -> None:
    text = gzip.decompress(landed.files["pos/transactions/transactions_2017-01-01.csv.gz"])
    assert text.splitlines()[1] == b"900,330,31198570044,1095275,1,0.50,0.00,0.00,0.00,1,2017-01-01T11:53:26Z"
    assert b'"' not in text
    assert b"\r" not in text


def test_promotions_are_the_public_ones_duplicates_included(landed: Landed, sql: duckdb.DuckDBPyConnection) -> None:
    both = rows(
        sql,
        """select count(*), sum(hash(l)) = (select sum(hash(p)) from (
               select cast(product_id as int) as product_id, cast(store_id as int) as store_id, display_location,
                   mailer_location, cast(week as smallint) as week from public_promotions) p)
           from promotion l""",
    )
    assert both == (20_940_529, True)
    for week in (1, 53):
        file = pq.ParquetFile(io.BytesIO(landed.files[f"pos/promotions/promotions_2017_w{week:02}.parquet"]))
        assert set(file.read(["week"])["week"].to_pylist()) == {week}
        assert {str(field.type) for field in file.schema_arrow} == {"int32", "int16", "string"}
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize(
    ("prefix", "read", "public", "names"),
    [
        ("campaigns", "read_json", "campaign_descriptions", "campaign_id, campaign_type, start_date, end_date"),
        ("campaign_households", "read_json", "campaigns", "campaign_id, household_id"),
        ("coupons", "read_csv", "coupons", "coupon_upc, product_id, campaign_id"),
        ("coupon_redemptions", "read_json", "coupon_redemptions", "household_id, coupon_upc, campaign_id, redemption_date"),  # noqa: E501
    ],
)  # fmt: skip
def test_the_loyalty_files_are_the_public_ones_duplicates_included(
    landed: Landed, sql: duckdb.DuckDBPyConnection, prefix: str, read: str, public: str, names: str
) -> None:
    names = ", ".join(
        f"cast({name} as text)[:10]" if "date" in name else f"cast({name} as text)" for name in names.split(", ")
    )
    found = sql.sql(f"select {names} from {read}('{landed.folder}/loyalty/{prefix}/*')").fetchall()
    assert sorted(found) == sorted(sql.sql(f"select {names} from public_{public}").fetchall())
