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
TEST = f"assert_{VIEW}_fulfils_its_contract"
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


def said(dbt: Dbt, select: str) -> str:
    """What the contract's test says of a view that selects this; empty if it passes."""
    schema = dbt.manifest.nodes[f"model.data_journey.{VIEW}"].schema
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"drop view if exists {schema}.{VIEW}")
        connection.execute(f"create view {schema}.{VIEW} as {select}")
    ran = dbt("test", "--select", TEST)
    assert not ran.errors
    assert bool(ran.failed) == bool(ran.about(TEST))
    return ran.about(TEST)


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


def test_the_command_names_the_areas() -> None:
    said = CliRunner().invoke(cli, ["contract"]).output
    assert {line.split()[0] for line in said.splitlines()} == {view.area for view in contracts(ROOT)}
    wrong = CliRunner().invoke(cli, ["contract", "sale"])
    assert wrong.exit_code != 0
    assert "there is no area sale: it may be sales," in str(wrong.exception)


def test_a_contract_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("vars: {}\n")
    folder = tmp_path / "tests" / "contracts"
    folder.mkdir(parents=True)
    (folder / "assert_x.sql").write_text("{% set contract %}\nview: x\n{% endset %}\n")
    with pytest.raises(UsageError, match=r"assert_x\.sql: its contract can't be read"):
        contracts(tmp_path)
