"""Subject areas that are switched off aren't there, and everything else builds and passes, with data and without.

`make areas` looks at all combinations, and lets each feed be empty; `make test-all` at those that are named, and two
feeds; `make test` at half of them.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbt_runs import ROOT, Dbt, administer, recreate
from deliveries.plan import feeds
from journey import dbt as command
from journey import settings
from journey.contracts import contracts
from journey.errors import JourneyError
from journey.loader.ledger import ensure_table, set_up
from journey.loader.run import load
from journey.services.state import State
from loader.support import empty

NEEDS = {"promotions": None, "loyalty": None, "coupons": "loyalty", "ledger": None, "control_totals": "ledger"}
UNTIL = date(2017, 2, 5)  # the books of January have arrived
PROMOTIONS = 1  # of the big files one is enough
EVERY = "AREAS" in os.environ  # `make areas`
FEEDS = ("pos.promotions", "erp.control_totals", "loyalty.households", "loyalty.coupons")
# Tests of one column say nothing of tables without a row; they are half of a build, and run with data.
OF_COLUMNS = (
    "--exclude",
    *(f"test_name:{name}" for name in ("not_null", "unique", "accepted_values", "relationships")),
)

NAMED = {
    "everything": frozenset(NEEDS),
    "tills alone": frozenset[str](),
    "no ERP": frozenset({"promotions", "loyalty", "coupons"}),
    "no promotions": frozenset({"loyalty", "coupons", "ledger", "control_totals"}),
    "no coupons and no control totals": frozenset({"promotions", "loyalty", "ledger"}),
    "no customer data": frozenset({"promotions", "ledger", "control_totals"}),
    "loyalty alone": frozenset({"loyalty"}),
    "ledger alone": frozenset({"ledger"}),
}

OFTEN = {"everything", "tills alone"}  # of which the demo builds the first with data
NAMES = [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in NAMED]
WITH_DATA = [name if name == "tills alone" else pytest.param(name, marks=pytest.mark.long) for name in NAMED]

# Tests that look at several areas and leave out what isn't there: dbt would drop them, without a word, for one ref.
GUARDED = {
    "assert_marts_reconcile",
    "assert_net_sales_agree_across_marts",
    "assert_surrogate_keys_do_not_collide",
}

# Tests written in SQL that go with an area; every other one is there in each combination.
CONTRACTS = {f"assert_{view.name}_fulfils_its_contract": view.area for view in contracts(ROOT) if view.area != "sales"}
OF_AN_AREA = {
    "assert_promotions_keep_every_delivered_key": "promotions",
    "assert_promotions_point_at_dimension_members": "promotions",
    "assert_coupons_are_dimension_members": "coupons",
    "assert_closing_balances_tie_to_control_totals": "control_totals",
    "assert_control_totals_are_complete": "control_totals",
}

# Columns of models that are there without the area that fills them, by schema, table and area.
HOUSEHOLD = [
    "age_band", "income_band", "home_ownership", "marital_status", "household_size", "household_composition",
    "kids_count", "has_demographics",
]  # fmt: skip
NULLS = {
    ("warehouse", "fct_sales"): {"promotions": ["placement_key"]},
    ("warehouse", "dim_store"): {"promotions": ["has_promotions"]},
    ("warehouse", "dim_customer"): {"loyalty": HOUSEHOLD},
    ("warehouse", "dim_department"): {"ledger": ["has_journals", "has_budgets"]},
    ("warehouse", "dim_fiscal_period"): {"control_totals": ["is_closed"]},
    ("sales", "store_performance"): {"promotions": ["has_promotions"]},
    ("marketing", "customer_profiles"): {
        "loyalty": [*HOUSEHOLD, "campaigns_received_count"],
        "coupons": ["coupon_redemptions_count"],
    },
    ("marketing", "campaign_daily"): {"coupons": ["redemptions_count", "cumulative_redemptions_count"]},
    ("marketing", "campaign_performance"): {
        "coupons": [
            "coupons_offered_count", "promoted_products_count", "redemptions_count", "redeeming_customers_count",
            "redemption_rate", "coupon_match_cost_amount", "promoted_sales_amount",
        ]
    },
}  # fmt: skip


def combinations() -> Iterator[frozenset[str]]:
    """All in which no area lacks the one that it needs."""
    for number in range(2 ** len(NEEDS)):
        areas = frozenset(area for bit, area in enumerate(NEEDS) if number >> bit & 1)
        if all(need is None or need in areas for area, need in NEEDS.items() if area in areas):
            yield areas


def variables(areas: frozenset[str]) -> dict[str, object]:
    """What switches these on and the others off."""
    return {area: area in areas for area in NEEDS}


class Projects:
    """The project in each combination, parsed once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parsed: dict[frozenset[str], Dbt] = {}

    def __getitem__(self, areas: frozenset[str]) -> Dbt:
        if areas not in self.parsed:
            self.parsed[areas] = Dbt(self.folder / "-".join(sorted(areas)), variables=variables(areas))
        return self.parsed[areas]


class Databases:
    """The one that dbt builds in, and what raw tables it begins with."""

    def __init__(self) -> None:
        self.name = f"areas_{uuid.uuid4().hex[:8]}"

    def begin(self, what: str) -> None:
        """Begin anew, with `data` or `empty` raw tables."""
        recreate(self.name, f"{self.name}_{what}")


@pytest.fixture(scope="module")
def databases(embedded: State) -> Iterator[Databases]:
    made = Databases()
    recreate(made.name, "template0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", made.name)
        yield made
    for database in (made.name, f"{made.name}_data", f"{made.name}_empty"):
        administer(f"drop database if exists {database} with (force)")


@pytest.fixture(scope="module")
def projects(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Projects:
    return Projects(tmp_path_factory.mktemp("areas"))


@pytest.fixture(scope="module")
def raw(databases: Databases, projects: Projects) -> Databases:
    """Raw tables of all feeds: without a row, and with the first weeks of the default data."""
    bucket, client = databases.name.replace("_", "-"), settings.s3_client()
    sources = projects[NAMED["everything"]].sources(bucket)
    with psycopg.connect(autocommit=True) as connection:
        set_up(connection)
        for source in sources:
            ensure_table(connection, source)
    recreate(f"{databases.name}_empty", databases.name)
    client.create_bucket(Bucket=bucket)
    for feed in feeds():
        keys = [file.key for file in feed.arrived(UNTIL)]
        for key, encode in feed.make(frozenset(keys[:PROMOTIONS] if feed.prefix == "pos/promotions" else keys)):
            client.put_object(Bucket=bucket, Key=key, Body=encode())
    assert load(sources=sources, threads=2).failures == []
    recreate(f"{databases.name}_data", databases.name)
    empty(client, bucket)
    client.delete_bucket(Bucket=bucket)
    return databases


def build(dbt: Dbt, *arguments: str) -> None:
    """Build and test all but the unit tests, which see none of the data."""
    ran = dbt("build", "--exclude-resource-type", "unit_test", *arguments)
    assert (ran.errors, ran.failed, ran.skipped) == ([], set(), set()), ran.said


@pytest.mark.parametrize("name", WITH_DATA)
def test_what_is_there_builds_and_passes_with_data(
    name: str, projects: Projects, raw: Databases, tmp_path: Path
) -> None:
    raw.begin("data")
    build(projects[NAMED[name]])
    watched: list[str] = []
    said = ["--vars", json.dumps(variables(NAMED[name])), "--target", "demo", "--target-path", str(tmp_path)]
    assert command.operation("watch", {"as_of": str(UNTIL)}, said, root=ROOT, say=watched.append)
    assert any("sales.sales_performance" in line for line in watched)
    assert any("finance.gross_margin" in line for line in watched) == ("ledger" in NAMED[name])
    with psycopg.connect() as connection:
        for (schema, table), of_areas in NULLS.items():
            found = connection.execute("select to_regclass(%s)", [f"{schema}.{table}"]).fetchone()
            assert found
            if found[0] is None:
                assert name != "everything", table
                continue
            for area, columns in of_areas.items():
                counts = ", ".join(f"count({column})" for column in columns)
                row = connection.execute(f"select count(*), {counts} from {schema}.{table}").fetchone()
                assert row
                assert row[0] > 0, table
                assert [count > 0 for count in row[1:]] == [area in NAMED[name]] * len(columns), (table, area)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_builds_and_passes_on_empty_feeds(name: str, projects: Projects, raw: Databases) -> None:
    raw.begin("empty")
    build(projects[NAMED[name]], *OF_COLUMNS)


@pytest.mark.parametrize(
    "feed", [pytest.param(feed, marks=pytest.mark.long) for feed in (FEEDS if EVERY else FEEDS[:2])]
)
def test_one_feed_may_be_empty(feed: str, projects: Projects, raw: Databases) -> None:
    raw.begin("data")
    with psycopg.connect() as connection:
        source, table = feed.split(".")
        connection.execute(f"truncate raw_{source}.{table}")
        deleted = connection.execute(
            "delete from loader.files where schema_name = %s and table_name = %s", [f"raw_{source}", table]
        )
        assert deleted.rowcount > 0
    build(projects[NAMED["everything"]])


def test_switching_an_area_rebuilds_what_it_fills(projects: Projects, raw: Databases) -> None:
    with_it, without = projects[NAMED["everything"]], projects[NAMED["no promotions"]]
    fct_sales = ("--select", "+fct_sales", "--exclude-resource-type", "test")

    def placements() -> list[Any]:
        with psycopg.connect() as connection:
            return connection.execute(
                "select placement_key, count(*), sum(net_sales_amount) from warehouse.fct_sales group by 1 order by 1"
            ).fetchall()

    raw.begin("data")
    build(with_it, *fct_sales)
    before = placements()
    assert len(before) > 2
    build(without, *fct_sales)
    assert [row[0] for row in placements()] == [None]
    build(with_it, *fct_sales)
    assert placements() == before


@pytest.mark.parametrize(
    "areas",
    [
        pytest.param(
            areas,
            id="-".join(sorted(areas)) or "none",
            marks=() if areas in {NAMED[name] for name in OFTEN} else pytest.mark.long,
        )
        for areas in (combinations() if EVERY else NAMED.values())
    ],
)
def test_no_test_of_what_is_there_goes_missing(areas: frozenset[str], projects: Projects) -> None:
    everything, manifest = projects[NAMED["everything"]].manifest, projects[areas].manifest
    there = {*manifest.nodes, *manifest.sources}
    wanted, found = _tests(everything.nodes), _tests(manifest.nodes)
    assert set(found) >= GUARDED
    missing = {name for name, node in wanted.items() if name not in found and set(node.depends_on.nodes) <= there}
    assert missing == {
        f"not_null_{table}_{column}"
        for (_, table), of_areas in NULLS.items()
        for area, columns in of_areas.items()
        for column in columns
        if area not in areas and f"model.data_journey.{table}" in there and column != "redemption_rate"
    }
    in_sql = {name: node for name, node in wanted.items() if node.original_file_path.endswith(".sql")}
    for name, node in in_sql.items():
        area = OF_AN_AREA.get(name, CONTRACTS.get(name, "ledger" if node.fqn[1] == "finance" else None))
        assert (name in found) == (area is None or area in areas), name
    assert OF_AN_AREA.keys() <= in_sql.keys()


def test_there_are_18_combinations() -> None:
    assert len(list(combinations())) == 18
    assert set(NAMED.values()) < set(combinations())
    assert len(set(NAMED.values())) == 8


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("{loyalty: false}", "Subject area coupons needs loyalty: set variable coupons to false, or loyalty to true."),
        ("{ledger: false}", "Subject area control_totals needs ledger"),
        ("{promotions: 1}", "Variable promotions is 1: a subject area is true (on) or false (off)."),
    ],
)
def test_an_area_without_the_one_it_needs_is_refused(embedded: State, tmp_path: Path, wrong: str, says: str) -> None:
    with pytest.raises(JourneyError) as refused:
        command.run(["parse", "--no-partial-parse", "--vars", wrong, "--target-path", str(tmp_path)], root=ROOT)
    assert says in str(refused.value)


def _tests(nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Those that run: dbt keeps one of a model that is off among the nodes, disabled."""
    return {node.name: node for node in nodes.values() if node.resource_type == "test" and node.config.enabled}
