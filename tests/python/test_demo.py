"""What a person gets from `make demo`, on a slice of the data, in a database of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, WEEKS, Demo, run
from journey.services.state import State


def query(statement: str) -> tuple[object, ...]:
    with psycopg.connect(dbname="journey") as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row


def test_it_says_what_was_done_and_where_to_look(demo: Demo) -> None:
    for number, step in enumerate(("services", "land", "load", "build", "docs"), 1):
        assert re.search(rf"^{number}/5 {step} +[0-9.]+ s  .+$", demo.said, re.MULTILINE), demo.said
    for mart in ("marketing", "sales", "finance"):
        assert re.search(rf"^{mart} +.*net sales of [0-9,.]+", demo.said, re.MULTILINE), demo.said
    assert re.search(r"[1-9][0-9]* tests passed", demo.said)
    for page in ("index", "marts", "models"):
        assert demo.page.with_name(f"{page}.html").as_uri() in demo.said
    assert "psql -c" in demo.said


def test_the_page_needs_nothing_from_outside(demo: Demo) -> None:
    page = demo.page.with_name("models.html").read_text()
    assert "model.data_journey.income_statement" in page
    assert "source.data_journey.pos.transactions" in page
    assert not re.search(r"""<(?:script|link|img)[^>]+(?:src|href)=["']?https?://""", page)


def test_the_figures_it_prints_are_those_of_the_source(demo: Demo) -> None:
    """Net sales by DuckDB from the wheel's Parquet are what the demo says of marketing and of sales."""
    import duckdb

    from deliveries.source import data_dir

    # the last file is the one of a UTC day: what came after it hasn't arrived
    last = query("select max(sold_at at time zone 'UTC')::date from warehouse.fct_sales")[0]
    row = duckdb.execute(
        f"""
        select sum(cast(sales_value as decimal(12, 2)))
        from read_parquet('{data_dir() / "transactions.parquet"}')
        where cast(transaction_timestamp as date) <= date '{last}'
        """
    ).fetchone()
    assert row is not None
    assert demo.said.count(f"{row[0]:,}") == 2, (row, demo.said)


def test_landing_and_loading_again_brings_nothing_new(demo: Demo) -> None:
    before = query("select count(*), max(finished_at) from loader.files")
    landed = run("land", "--weeks", str(WEEKS))
    assert landed.returncode == 0, landed.stderr
    assert re.search(r"^s3://landing +0 +[1-9]", landed.stdout, re.MULTILINE), landed.stdout
    loaded = run("load")
    assert loaded.returncode == 0, loaded.stderr
    assert "0 rows loaded" in loaded.stdout
    assert query("select count(*), max(finished_at) from loader.files") == before


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["demo", "--weeks", "0"], 2, "--weeks"),
        (["land", "--until", "yesterday"], 2, "--until"),
        (["load", "--select", "nosuch"], 2, "nosuch"),
        (["nosuch"], 2, "nosuch"),
    ],
)
def test_wrong_usage_is_refused_before_anything_happens(
    embedded: State, arguments: list[str], status: int, says: str
) -> None:
    done = run(*arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_project_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "journey", "load"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "JOURNEY_LOCAL_DIR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no dbt_project.yml" in done.stderr


def test_explain_names_the_facts_that_are_read_whole(demo: Demo) -> None:
    """A small summary is made anew from all journal lines; nothing came, so nothing is read for baskets."""
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        connection.execute("delete from build_state.models where model_name = 'int_account_periods_summed'")
    done = subprocess.run(
        [sys.executable, "-m", "journey.bench.explain", "--min-ms", "0", "--select",
         "int_account_periods_summed fct_baskets"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Facts and large tables read whole: int_account_periods_summed: fct_journal_lines\n" in done.stdout
    assert "Seq Scan on fct_journal_lines" in done.stdout
