"""What dbt can do otherwise than `dbt build`, in schemas of one's own: it works, or a line says why not.

The table in models/warehouse/README.md says the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, Demo, run

MART = "income_statement"  # of a partitioned fact, dimensions, seeds and snapshots
READER = "int_kpi_spans_summed"  # of it
SCHEMAS = ("alice", "bob", "carol", "dave", "erin")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where dbt writes of each."""
    return {name: tmp_path_factory.mktemp(name) for name in SCHEMAS}


@pytest.fixture(scope="module")
def dbt(demo: Demo, folders: dict[str, Path]) -> Iterator[Run]:
    """The `dbt` command in somebody's schemas; all are dropped."""
    variables = dict(
        line.removeprefix("export ").split("=", 1)
        for line in run("env").stdout.splitlines()
        if not line.startswith("export PATH")
    )
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "DBT_"))}
    ours |= {name: value.strip("'") for name, value in variables.items()}

    def command(schema: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors"]
        target = ["--target-path", str(folders[schema])]
        states = [str(folders[one]) if one in folders else one for one in arguments]
        return subprocess.run(
            [*program, *states, *target],
            cwd=ROOT, env={**ours, "DBT_SCHEMA": schema}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    yield command
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        for (name,) in connection.execute("select nspname from pg_namespace").fetchall():
            if name.split("_")[0] in SCHEMAS:
                connection.execute(f"drop schema {name} cascade".encode())


@pytest.fixture(scope="module")
def alice(dbt: Run) -> None:
    """What one mart needs, in a second schema."""
    built = dbt("alice", "build", "--select", f"+{MART}")
    assert built.returncode == 0, built.stdout


def rows(schema: str) -> int:
    """Rows of the mart."""
    with psycopg.connect(dbname="journey") as connection:
        [(count,)] = connection.execute(f"select count(*) from {schema}finance.{MART}".encode()).fetchall()
    return int(count)


def accounts(schema: str) -> list[tuple[object, ...]]:
    """States of accounts, as a snapshot keeps them."""
    with psycopg.connect(dbname="journey") as connection:
        return connection.execute(
            f"select * from {schema}snapshots.chart_of_accounts_history order by dbt_scd_id".encode()
        ).fetchall()


def test_a_second_schema_is_as_the_first(alice: None) -> None:
    assert rows("alice_") == rows("") > 0


def test_run_builds_what_is_new(alice: None, dbt: Run) -> None:
    done = dbt("alice", "run", "--select", f"+{MART}")
    assert done.returncode == 0, done.stdout
    assert f"{MART} " in done.stdout
    assert "SELECT" not in done.stdout
    assert "UNCHANGED" in done.stdout


def test_full_refresh_builds_all(alice: None, dbt: Run) -> None:
    done = dbt("alice", "run", "--full-refresh", "--select", f"+{MART}", "--exclude", "config.materialized:view")
    assert done.returncode == 0, done.stdout
    assert "UNCHANGED" not in done.stdout


def test_empty_makes_empty_tables_and_the_next_run_fills_them(alice: None, dbt: Run) -> None:
    was, states = rows("alice_"), accounts("alice_")
    done = dbt("alice", "build", "--empty", "--select", f"+{MART}")
    assert "syntax error" not in done.stdout
    with psycopg.connect(dbname="journey") as connection:
        assert connection.execute("select count(*) from alice_warehouse.fct_journal_lines").fetchone() == (0,)
    assert rows("alice_") == was  # nobody is shown them
    assert accounts("alice_") == states  # nor is it taken for the end of each account
    done = dbt("alice", "run", "--select", f"+{MART}")
    assert done.returncode == 0, done.stdout
    assert rows("alice_") == was


def test_sample_takes_all_rows_for_no_model_has_an_event_time(alice: None, dbt: Run) -> None:
    was = rows("alice_")
    done = dbt("alice", "run", "--sample", "3 days", "--select", f"+{MART}")
    assert done.returncode == 0, done.stdout
    assert rows("alice_") == was


def test_retry_goes_on_where_it_failed(alice: None, dbt: Run) -> None:
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        connection.execute(f"drop view alice_built.{MART}; create sequence alice_built.{MART}")
        failed = dbt("alice", "build", "--full-refresh", "--select", MART)
        assert failed.returncode == 1, failed.stdout
        connection.execute(f"drop sequence alice_built.{MART}")
    done = dbt("alice", "retry")
    assert done.returncode == 0, done.stdout
    assert rows("alice_") > 0


def test_defer_reads_what_another_target_built(alice: None, dbt: Run) -> None:
    """Nothing is known of what it holds, so a model that reads it is built each time."""
    for _ in range(2):
        done = dbt("bob", "run", "--select", MART, "fct_journal_lines", "--defer", "--state", "alice")
        assert done.returncode == 0, done.stdout
        assert "UNCHANGED" not in done.stdout
    assert rows("bob_") == rows("alice_")


def test_a_mart_of_ones_own_is_read_before_it_is_published(
    demo: Demo, dbt: Run, folders: dict[str, Path], tmp_path: Path
) -> None:
    """And one that is read elsewhere, though there is one here, isn't taken for that."""
    (tmp_path / "manifest.json").write_text(json.dumps(demo.manifest))
    for more, is_read in ([], f'"erin_built"."{MART}"'), (["--favor-state"], f'"finance"."{MART}"'):
        selected = READER if more else f"{MART} {READER}"
        done = dbt("erin", "run", "--select", *selected.split(), "--defer", "--state", str(tmp_path), *more)
        assert done.returncode == 0, done.stdout
        assert "UNCHANGED" not in done.stdout
        [compiled] = (folders["erin"] / "compiled").rglob(f"{READER}.sql")
        assert is_read in compiled.read_text()


def test_clones_can_be_built_on(alice: None, dbt: Run) -> None:
    done = dbt("carol", "clone", "--select", f"+{MART}", "--state", "alice")
    assert done.returncode == 0, done.stdout
    assert rows("carol_") == rows("alice_")
    done = dbt("carol", "run", "--select", MART)
    assert done.returncode == 0, done.stdout
    assert rows("carol_") == rows("alice_")


def test_one_model_on_a_new_database_says_what_it_needs(dbt: Run) -> None:
    done = dbt("dave", "run", "--select", MART)
    assert done.returncode == 1
    assert f"{MART} reads " in done.stdout
    assert f"which is not there: dbt build --select +{MART} makes what it reads, too" in done.stdout
