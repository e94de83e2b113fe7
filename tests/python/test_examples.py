"""A company of another shape is built by the product's models: delivery by delivery, and its figures are its files'."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from conftest import ROOT
from journey.embedded import environment
from journey.errors import UsageError
from journey.land.plan import plan_of
from journey.services.state import State

FOLDER = ROOT / "examples" / "hofladen"
FIRST = date(2024, 3, 16)  # two weeks


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of a process that reads it, after two deliveries."""
    folder = tmp_path_factory.mktemp("hofladen")
    own = {"JOURNEY_LOCAL_DIR": str(folder), "DBT_PROFILES_DIR": str(ROOT), "DBT_TARGET": "demo"}
    own["DBT_TARGET_PATH"] = str(folder / "target")
    without = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "DBT_"))}
    journey("services", "up", env={**without, **own})
    state = State.read(folder)
    assert state is not None
    env = {**without, **own, **environment(state)}
    for until in (["--until", FIRST.isoformat()], []):
        journey("land", *until, env=env)
        journey("load", env=env)
        run([str(Path(sys.executable).parent / "dbt"), "build", "--quiet"], env)
    yield env
    journey("services", "down", env=env)


def journey(*arguments: str, env: dict[str, str]) -> None:
    run([sys.executable, "-m", "journey", *arguments], env)


def run(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def delivered() -> list[dict[str, Any]]:
    """The positions of all receipts, read from their files without the loader."""
    rows = []
    for feed in plan_of(FOLDER).feeds:
        for key, encode in feed.make({file.key for file in feed.files}) if "bons" in feed.prefix else ():
            for row in csv.DictReader(io.StringIO(encode().decode("iso-8859-15")), delimiter=";"):
                numbers = {name: Decimal(row[name].replace(",", ".")) for name in ("Menge", "Betrag", "Rabatt")}
                rows.append({**row, **numbers, "key": key})
    return rows


def one(env: dict[str, str], query: str) -> tuple[Any, ...]:
    names = ("host", "port", "user", "password", "dbname")
    variables = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")
    address: dict[str, Any] = {name: env[variable] for name, variable in zip(names, variables, strict=True)}
    with psycopg.connect(**address) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return tuple(row)


def test_net_sales_are_what_was_sold_less_what_came_back(
    built: dict[str, str], delivered: list[dict[str, Any]]
) -> None:
    paid = [row for row in delivered if row["Vorgang"] != "Storno"]
    total, known = (sum(row["Betrag"] for row in paid if row["Kunde"] or every) for every in (True, False))
    assert one(built, "select sum(net_sales_amount) from sales.sales_performance") == (total,)
    assert one(built, "select sum(net_sales_amount) from marketing.customer_profiles") == (known,)
    assert any(row["Betrag"] < 0 for row in paid)
    assert known < total


def test_baskets_are_those_in_which_something_was_sold(built: dict[str, str], delivered: list[dict[str, Any]]) -> None:
    sold = {row["Bon"] for row in delivered if row["Vorgang"] == "Verkauf"}
    assert sold < {row["Bon"] for row in delivered}
    assert one(built, "select sum(baskets_count) from sales.store_performance") == (len(sold),)


def test_units_are_kilograms_and_pieces_without_deposits_and_voids(
    built: dict[str, str], delivered: list[dict[str, Any]]
) -> None:
    goods = [row for row in delivered if row["Vorgang"] != "Storno" and not row["Artikelnummer"].startswith("PF-")]
    units = sum(row["Menge"] for row in goods)
    assert one(built, "select sum(units_count) from sales.product_performance") == (units,)


def test_customers_are_those_who_said_who_they_are(built: dict[str, str], delivered: list[dict[str, Any]]) -> None:
    customers = {row["Kunde"] for row in delivered if row["Kunde"]}
    assert one(built, "select count(*) from marketing.customer_profiles") == (len(customers),)
    keys = "count(*) filter (where customer_key = -1), count(*) filter (where customer_key = 0)"
    lines = sum(not row["Kunde"] for row in delivered)
    assert one(built, f"select {keys} from warehouse.fct_sales") == (lines, 0)


def test_the_fiscal_year_begins_in_july(built: dict[str, str]) -> None:
    march = "select fiscal_period, fiscal_quarter from warehouse.dim_date where date_key = '2024-03-31'"
    assert one(built, march) == ("2024-09", 3)


def test_amounts_are_in_euros(built: dict[str, str]) -> None:
    said = """select string_agg(col_description(attrelid, attnum), ' ') from pg_attribute
              where attrelid = 'sales.sales_performance'::regclass"""
    (text,) = one(built, said)
    assert "In euros." in text
    assert "dollar" not in text


def test_what_the_company_has_not_is_null(built: dict[str, str]) -> None:
    has_none = "bool_and(has_promotions is null) from sales.store_performance"
    assert one(built, f"select {has_none}") == (True,)
    assert one(built, "select to_regclass('marketing.campaign_performance'), to_regclass('finance.income_statement')") \
        == (None, None)  # fmt: skip


def test_its_project_file_is_the_roots_with_what_differs() -> None:
    """Whatever the product configures, an example configures: else it would be another product."""
    root, own = (yaml.safe_load((folder / "dbt_project.yml").read_text()) for folder in (ROOT, FOLDER))
    assert own["vars"].keys() == root["vars"].keys()
    for key in ("flags", "on-run-start", "on-run-end", "snapshots", "name", "require-dbt-version"):
        assert own[key] == root[key], key
    for kind in ("models", "seeds", "data_tests"):
        assert within(root[kind]["data_journey"], own[kind]["data_journey"]), kind


def within(less: Any, more: Any) -> bool:
    """Whether a mapping says what another says, and perhaps more."""
    if isinstance(less, dict) and isinstance(more, dict):
        return all(key in more and within(value, more[key]) for key, value in less.items())
    return bool(less == more)


def test_a_land_file_without_feeds_is_named(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: mine\n")
    with pytest.raises(UsageError, match=r"no land\.py lies beside"):
        plan_of(tmp_path)
    (tmp_path / "land.py").write_text("files = []\n")
    with pytest.raises(UsageError, match="has no function feeds"):
        plan_of(tmp_path)


def test_the_generator_is_the_same_each_time() -> None:
    for feed, again in zip(plan_of(FOLDER).feeds, plan_of(FOLDER).feeds, strict=True):
        keys = {file.key for file in feed.files[:3]}
        one, other = ({key: encode() for key, encode in made.make(keys)} for made in (feed, again))
        assert one == other
