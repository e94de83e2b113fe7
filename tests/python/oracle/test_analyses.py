"""The answers that `analyses/` states are those of the source, computed here and now from the whole default data."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from conftest import DEFAULT
from oracle.answers import FOLDER, Analysis, ask_duckdb, ask_postgres, contract, descriptions, read
from oracle.conftest import FULL
from oracle.shop import everything, open_shop, publish

NEEDS_A_LONGER_HISTORY = {"which_campaigns_moved_sales"}  # no campaign can be judged before 90 days of sales

ANALYSES = [read(file) for file in sorted(FOLDER.glob("*.sql"))]
each = pytest.mark.parametrize("analysis", ANALYSES, ids=lambda analysis: analysis.name)


CONTRACTS = {name: contract(name) for name in sorted(frozenset[str]().union(*(one.marts for one in ANALYSES)))}


@pytest.fixture(scope="module")
def landed_marts(shop: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The marts, computed from what has landed."""
    publish(shop, CONTRACTS)
    return shop


@pytest.fixture(scope="module")
def all_marts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts, computed from the whole default data."""
    if FULL:
        yield request.getfixturevalue("landed_marts")
        return
    folder = tmp_path_factory.mktemp("everything")
    with open_shop(everything(folder), folder) as shop:
        publish(shop, CONTRACTS)
        yield shop


def test_ten_questions_are_worked_on_marts_alone() -> None:
    assert len(ANALYSES) >= 10
    assert all(analysis.marts for analysis in ANALYSES)
    assert {file.stem for file in (FOLDER / "answers").glob("*.csv")} == {analysis.name for analysis in ANALYSES}


def test_the_descriptions_are_those_of_the_files() -> None:
    told = descriptions()
    assert told.keys() == {analysis.name for analysis in ANALYSES}
    for analysis in ANALYSES:
        assert told[analysis.name]["description"].strip() == analysis.question
        assert [column["name"] for column in told[analysis.name]["columns"]] == _answers(analysis)[0]


@each
def test_the_database_answers_as_the_source_does(
    analysis: Analysis, postgres: psycopg.Connection, landed_marts: duckdb.DuckDBPyConnection
) -> None:
    found = ask_postgres(postgres, analysis.query)
    assert (len(found) > 1) != (not FULL and analysis.name in NEEDS_A_LONGER_HISTORY)
    assert found == ask_duckdb(landed_marts, analysis.query)


@pytest.mark.long
@each
def test_the_stated_answer_is_that_of_the_whole_source(
    analysis: Analysis, all_marts: duckdb.DuckDBPyConnection
) -> None:
    assert _answers(analysis) == ask_duckdb(all_marts, analysis.query)


@each
def test_the_figures_in_the_sentence_stand_in_the_answer(analysis: Analysis) -> None:
    stated = {figure.replace(",", "") for figure in re.findall(r"\d[\d,]*(?:\.\d+)?", analysis.answer)}
    shown = {cell.lstrip("-") for row in _answers(analysis)[1:] for cell in row}
    assert stated
    assert stated <= shown, stated - shown


@pytest.mark.long
def test_customer_value_misses_what_the_readme_says(all_marts: duckdb.DuckDBPyConnection) -> None:
    """On the whole default data, and by no more than a line on decayed sums with the best of constants."""
    figures = all_marts.execute("""
        select avg(abs(holdout_typical_baskets_count - holdout_actual_baskets_count)),
               avg(abs(holdout_typical_value_amount - holdout_actual_value_amount)),
               avg(abs(holdout_naive_baskets_count - holdout_actual_baskets_count)),
               avg(abs(holdout_naive_value_amount - holdout_actual_value_amount)),
               100 * avg(is_baskets_in_holdout_80::integer), 100 * avg(is_value_in_holdout_80::integer),
               100 * avg(is_baskets_in_holdout_95::integer), 100 * avg(is_value_in_holdout_95::integer)
        from marketing.customer_value where is_in_holdout""").fetchone()
    assert figures is not None
    assert figures[0] <= 5.22
    assert figures[1] <= 168.5
    told = " ".join((DEFAULT / "README.md").read_text().split())
    assert "misses the 90 days by {:.2f} baskets and {:.2f} dollars on average".format(*figures) in told
    assert "the naive guess by {:.2f} and {:.2f};".format(*figures[2:]) in told
    assert "the 80 % intervals hold {:.1f} % of the baskets and {:.1f} % of the values".format(*figures[4:]) in told
    assert "those of 95 % hold {:.1f} and {:.1f} %".format(*figures[6:]) in told


def _answers(analysis: Analysis) -> list[list[str]]:
    with analysis.answers.open(newline="") as file:
        return list(csv.reader(file))
