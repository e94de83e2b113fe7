"""What sources overwrite in place: the snapshots see it, and the dimensions keep what facts still use."""

from __future__ import annotations

import pytest

from dbt_runs import Ran

from .conftest import Warehouse

CAMPAIGNS = "raw_loyalty.campaigns"
BUILD = (
    "build", "--resource-type", "snapshot", "--resource-type", "model", "--select",
    "campaigns_history", "display_locations_history", "mailer_locations_history", "rfm_segments_history",
    "non_merchandise_history", "dim_campaign", "dim_coupon", "dim_placement", "fct_campaign_contacts",
    "fct_coupon_redemptions", "bridge_coupon_products",
)  # fmt: skip
TEST = ("test", "--select", "dim_campaign", "dim_coupon", "dim_placement", "fct_campaign_contacts",
        "fct_coupon_redemptions", "bridge_coupon_products", "--exclude", "test_type:unit",
        "--indirect-selection", "cautious")  # fmt: skip
KEYS = {  # what facts say of campaigns
    "fct_campaign_contacts": "campaign_id, customer_id, campaign_key, customer_key, contact_date",
    "fct_coupon_redemptions": "campaign_id, coupon_id, customer_id, redemption_date, campaign_key, coupon_key",
    "bridge_coupon_products": "campaign_id, coupon_id, product_id, campaign_key, coupon_key",
}


def facts(warehouse: Warehouse) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: warehouse.rows(f"select {columns} from warehouse.{name} order by {columns}")
        for name, columns in KEYS.items()
    }


def states(warehouse: Warehouse, history: str, columns: str, where: str) -> list[tuple[object, ...]]:
    """What a snapshot saw, in order, and whether it still holds."""
    return warehouse.rows(
        f"select {columns}, dbt_valid_to = '9999-12-31' from snapshots.{history} where {where} order by dbt_valid_from"
    )


def test_a_campaign_that_is_gone_keeps_its_facts(warehouse: Warehouse) -> None:
    """A file that is delivered again without a campaign takes its description, and nothing of what it did."""
    before, campaign = facts(warehouse), "select * from warehouse.dim_campaign where campaign_id = 26"
    [described] = warehouse.rows(campaign)
    warehouse.change(f"delete from {CAMPAIGNS} where campaign_id = 26")
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.dbt(*TEST) == Ran()
    assert facts(warehouse) == before
    assert any(row[0] == 26 for row in before["fct_campaign_contacts"])
    [kept] = warehouse.rows(campaign)
    assert (kept[:-1], kept[-1]) == (described[:-1], True)
    assert states(warehouse, "campaigns_history", "campaign_type", "campaign_id = 26") == [("Type B", False)]


def test_a_database_that_never_saw_the_campaign_has_the_unknown_member(warehouse: Warehouse) -> None:
    """The memory is the snapshot's: without it the same sources give key 0, and nothing breaks."""
    warehouse.change(
        f"delete from {CAMPAIGNS} where campaign_id = 26",
        "delete from snapshots.campaigns_history where campaign_id = 26",
    )
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.rows("select * from warehouse.dim_campaign where campaign_id = 26") == []
    assert warehouse.rows(
        "select distinct campaign_key, contact_date from warehouse.fct_campaign_contacts where campaign_id = 26"
    ) == [(0, None)]


def test_a_campaign_that_nothing_names_goes(warehouse: Warehouse) -> None:
    """One that was announced by mistake leaves a state in the snapshot and no member."""
    warehouse.change(
        f"insert into {CAMPAIGNS} select 99, campaign_type, start_date, end_date, _file_id from {CAMPAIGNS} limit 1"
    )
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.rows("select is_withdrawn from warehouse.dim_campaign where campaign_id = 99") == [(False,)]
    warehouse.change(f"delete from {CAMPAIGNS} where campaign_id = 99")
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.rows("select * from warehouse.dim_campaign where campaign_id = 99") == []
    assert [holds for *_, holds in states(warehouse, "campaigns_history", "1", "campaign_id = 99")] == [False]


def test_a_campaign_that_is_described_anew_has_today_s_description(warehouse: Warehouse) -> None:
    """Overwritten, then gone: the dimension has the newest state, the snapshot has both."""
    warehouse.change(f"update {CAMPAIGNS} set end_date = '2017-02-12' where campaign_id = 26")
    assert warehouse.dbt(*BUILD) == Ran()
    query = "select end_date::text, is_withdrawn from warehouse.dim_campaign where campaign_id = 26"
    assert warehouse.rows(query) == [("2017-02-12", False)]
    warehouse.change(f"delete from {CAMPAIGNS} where campaign_id = 26")
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.rows(query) == [("2017-02-12", True)]
    assert states(warehouse, "campaigns_history", "end_date::text", "campaign_id = 26") == [
        ("2017-02-19", False),
        ("2017-02-12", False),
    ]


@pytest.mark.parametrize(
    ("book", "column", "code"), [("display_locations", "display", "7"), ("mailer_locations", "mailer", "H")]
)
def test_a_code_that_leaves_its_book_keeps_its_name(warehouse: Warehouse, book: str, column: str, code: str) -> None:
    """The data still has the code: it is no longer listed, and no stranger either."""
    query = f"select distinct {column}_name, is_listed from warehouse.dim_placement where {column}_code = '{code}'"
    [(name, listed)] = warehouse.rows(query)
    assert listed
    warehouse.change(f"delete from seeds.{book} where {column}_code = '{code}'")
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.rows(query) == [(name, False)]
    warehouse.change(f"delete from snapshots.{book}_history where {column}_code = '{code}'")
    assert warehouse.dbt(*BUILD) == Ran()
    assert warehouse.rows(query) == [(f"Unlisted {column} {code}", False)]


def test_seeds_that_are_overwritten_leave_a_record(warehouse: Warehouse) -> None:
    """Segment names and rules of what is no merchandise: every state is there, in order."""
    scores = "recency_score = 5 and frequency_score = 5 and monetary_score = 5"
    warehouse.change(
        f"update seeds.rfm_segments set segment_name = 'Best' where {scores}",
        "update seeds.non_merchandise set department = 'KIOSK-GAS' where department = 'FUEL'",
    )
    assert warehouse.dbt(*BUILD) == Ran()
    assert states(warehouse, "rfm_segments_history", "segment_name", scores) == [("Champions", False), ("Best", True)]
    assert states(warehouse, "non_merchandise_history", "department", "product_category = '*'") == [
        ("COUPON", True),
        ("FUEL", False),
        ("KIOSK-GAS", True),
    ]


def test_the_same_sources_make_no_new_state(warehouse: Warehouse) -> None:
    """A file that is loaded again, and a build that finds nothing new, leave snapshots and dimensions as they were."""
    everything = [
        f"select * from {name} order by 1, 2"
        for name in ("snapshots.campaigns_history", "snapshots.display_locations_history", "warehouse.dim_campaign",
                     "warehouse.dim_coupon", "warehouse.dim_placement")
    ]  # fmt: skip
    before = [warehouse.rows(query) for query in everything]
    warehouse.change(f"update {CAMPAIGNS} set _file_id = _file_id + 1000")
    assert warehouse.dbt(*BUILD) == Ran()
    assert [warehouse.rows(query) for query in everything] == before


def test_a_rule_of_what_is_merchandise_changes_the_hash_and_not_the_key(warehouse: Warehouse) -> None:
    """What a fact took from the version is no longer true, and the hash says of which versions; the others stay."""
    query = "select product_key, attribute_hash, is_merchandise, department from warehouse.dim_product"
    before = {key: rest for key, *rest in warehouse.rows(query)}
    warehouse.change("insert into seeds.non_merchandise values ('FLORAL', '*', 'tried out')")
    assert warehouse.dbt("run", "--full-refresh", "--select", "dim_product") == Ran()
    after = {key: rest for key, *rest in warehouse.rows(query)}
    assert after.keys() == before.keys()
    changed = {key for key in after if after[key][0] != before[key][0]}
    assert changed == {key for key, (_, _, department) in after.items() if department == "FLORAL"}
    assert changed == {key for key in after if after[key][1] != before[key][1]}
    assert len(changed) > 10
