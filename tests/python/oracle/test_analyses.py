"""The answers that `analyses/` states are those of the source, computed here and now from the whole default data."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from oracle.answers import FOLDER, Analysis, ask_duckdb, ask_postgres, contract, descriptions, read
from oracle.conftest import FULL
from oracle.shop import everything, open_shop, publish

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
    assert len(found) > 1
    assert found == ask_duckdb(landed_marts, analysis.query)


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


def _answers(analysis: Analysis) -> list[list[str]]:
    with analysis.answers.open(newline="") as file:
        return list(csv.reader(file))
