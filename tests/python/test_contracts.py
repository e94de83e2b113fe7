"""What staging must give is checked, and can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from conftest import DEFAULT, ROOT
from dbt_runs import Dbt, administer, recreate
from journey.cli import cli
from journey.contracts import contracts
from journey.errors import UsageError

VIEW = "stg_loyalty__campaigns"
GOOD = """select 1::integer as campaign_id, 'A'::text as campaign_type, date '2017-01-01' as start_date,
    date '2017-01-02' as end_date, 1 as _file_id, 'own' as of_its_own"""


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory, embedded: Any) -> Iterator[Dbt]:
    """dbt, parsed for a database of its own."""
    recreate("test_contracts", "template1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", "test_contracts")
        yield Dbt(tmp_path_factory.mktemp("target"))
    administer("drop database test_contracts with (force)")


def said(dbt: Dbt, select: str, view: str = VIEW) -> str:
    """What the contract's test says of a view that selects this; empty if it passes."""
    schema, test = dbt.manifest.nodes[f"model.data_journey.{view}"].schema, f"assert_{view}_fulfils_its_contract"
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"drop view if exists {schema}.{view}")
        connection.execute(f"create view {schema}.{view} as {select}")
    ran = dbt("test", "--select", test)
    assert not ran.errors
    assert bool(ran.failed) == bool(ran.about(test))
    return ran.about(test)


def test_a_view_that_fulfils_it_passes_with_columns_of_its_own(dbt: Dbt) -> None:
    assert not said(dbt, GOOD)


def test_an_empty_view_passes(dbt: Dbt) -> None:
    assert not said(dbt, f"{GOOD} where false")


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        ("select 1 as campaign_id, 'A'::text as campaign_type, date '2017-01-01' as start_date, 1 as _file_id",
         "stg_loyalty__campaigns has no column end_date (date): Last day. (journey contract loyalty)"),
        (GOOD.replace("1::integer", "'1'::text"),
         "stg_loyalty__campaigns campaign_id is text, and must be integer: Campaign. (journey contract loyalty)"),
        (GOOD.replace("campaign_id", "CampaignID"),
         "has no column campaign_id (integer): Campaign. It has campaignid (integer): is it that? (journey contract"),
        (GOOD.replace("end_date", "of_end"),
         "has no column end_date (date): Last day. (journey contract loyalty)"),
        (GOOD.replace("campaign_type", "kind_of_campaign"),
         "has no column campaign_type (text): Kind of campaign. It has kind_of_campaign (text): is it that? (journey"),
        (GOOD.replace("date '2017-01-02'", "timestamp '2017-01-02'"),
         "end_date is timestamp without time zone, and must be date"),
        (GOOD.replace("'A'::text", "null::text"), "1 rows whose campaign_type is null: Kind of campaign."),
        (GOOD.replace("2017-01-02", "2016-12-31"),
         "1 rows whose end_date is not as it must be: end_date >= start_date"),
        (f"{GOOD} union all {GOOD}", "1 times the same campaign_id (journey contract loyalty)"),
    ],
)  # fmt: skip
def test_a_view_that_does_not_is_told_in_a_sentence(dbt: Dbt, instead: str, told: str) -> None:
    assert told in said(dbt, instead)


SALE = """select 1::bigint as basket_id, 1 as product_id, 1::smallint as line_number, 'sale'::text as line_kind,
    1 as customer_id, 1 as store_id, timestamptz '2017-01-01 12:00Z' as sold_at, date '2017-01-01' as business_date,
    null::smallint as business_hour, 1 as quantity, 1.5 as gross_sales_amount, 0.0 as loyalty_discount_amount,
    0.0 as coupon_match_amount, 1.5 as net_sales_amount, 0.0 as manufacturer_coupon_amount,
    1.5 as customer_paid_amount, 1 as _file_id"""


@pytest.mark.parametrize(
    ("line", "several"),
    [
        (SALE.replace("1 as product_id", "2 as product_id"), ""),
        (SALE.replace("1 as customer_id", "null::integer as customer_id"), "customer_id"),
        (SALE.replace("1 as store_id", "2 as store_id"), "store_id"),
        (SALE.replace("12:00Z", "12:01Z"), "sold_at"),
        (SALE.replace("null::smallint", "12::smallint"), "business_hour"),
    ],
)
def test_a_basket_is_one_receipt(dbt: Dbt, line: str, several: str) -> None:
    """One time, one place, at most one customer: else fct_baskets would have two rows of one key."""
    line = line.replace("1 as product_id", "2 as product_id")
    told = said(dbt, f"{SALE} union all {line}", view="stg_pos__transactions")
    says = f"stg_pos__transactions: 1 times a basket_id with more than one {several} (journey contract sales)"
    assert told.count("more than one") == bool(several)
    assert not several or says in told


def test_every_view_of_an_area_has_one() -> None:
    """And each contract is of a view that there is."""
    views = {file.stem for file in DEFAULT.glob("models/staging/*/stg_*.sql")}
    assert {view.name for view in contracts(ROOT)} == views


def test_the_command_prints_what_an_area_must_give() -> None:
    printed = CliRunner().invoke(cli, ["contract", "loyalty"]).output
    for view in contracts(ROOT):
        assert (view.name in printed) == (view.area == "loyalty")
        for column in view.columns if view.area == "loyalty" else ():
            assert column.name in printed
            assert column.meaning in printed


def test_a_company_in_a_folder_of_its_own_reads_them_with_its_types() -> None:
    """Its tests are the product's, wherever they lie: `test-paths` says."""
    own = {view.name: view for view in contracts(ROOT / "examples" / "hofladen")}
    assert own.keys() == {view.name for view in contracts(ROOT)}
    assert {c.name: c.type for c in own["stg_pos__transactions"].columns}["basket_id"] == "text"


def test_the_command_names_the_areas() -> None:
    said = CliRunner().invoke(cli, ["contract"]).output
    assert {line.split()[0] for line in said.splitlines()} == {view.area for view in contracts(ROOT)}
    wrong = CliRunner().invoke(cli, ["contract", "sale"])
    assert wrong.exit_code != 0
    assert "there is no area sale: it may be sales," in str(wrong.exception)
    assert str(wrong.exception).endswith(". Did you mean sales?")


def test_a_contract_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("vars: {}\n")
    folder = tmp_path / "tests" / "contracts"
    folder.mkdir(parents=True)
    (folder / "assert_x.sql").write_text("{% set contract %}\nview: x\n{% endset %}\n")
    with pytest.raises(UsageError, match=r"assert_x\.sql: its contract can't be read"):
        contracts(tmp_path)
