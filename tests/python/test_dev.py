"""`journey dev`: one's own schemas hold what one changed, the rest is production's; cleaning drops no other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, Demo
from journey import dev, settings
from journey.embedded import DEVELOPER, environment
from journey.errors import UsageError
from journey.services.state import State

OURS = "select nspname from pg_namespace where nspname like 'dev\\_alice%' order by 1"
CHANGED = "models/marts/sales/store_performance.sql"


@pytest.fixture
def developer(demo: Demo, embedded: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a developer's own login."""
    for variable, value in environment(embedded, DEVELOPER).items():
        monkeypatch.setenv(variable, value)


@pytest.fixture
def admin(demo: Demo) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(autocommit=True) as connection:
        yield connection


def shell(commands: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    programs = cwd.parent / "programs"
    programs.mkdir(exist_ok=True)
    for program, module in (("journey", "journey"), ("dbt", "dbt.cli.main")):
        (programs / program).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (programs / program).chmod(0o755)
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run(
        ["bash", "-euc", commands], cwd=cwd, env=env, capture_output=True, text=True, check=False  # noqa: S607
    )  # fmt: skip


def test_what_is_changed_is_ones_own_and_the_rest_is_productions(
    admin: psycopg.Connection[tuple[object, ...]], developer: None, tmp_path: Path
) -> None:
    """A mart is built in schemas of a developer's, from steps and facts that production built."""
    folder = tmp_path / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)  # noqa: S607
    (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    model = folder / CHANGED
    model.write_text(model.read_text().replace("cast(gross_sales_amount as", "cast(-gross_sales_amount as"))
    built = shell(
        """eval "$(journey dev alice --from HEAD)"
        dbt --quiet build --select state:modified --exclude-resource-type test --exclude-resource-type unit_test
        """,
        folder,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "dev_alice_… is yours" in built.stderr
    sums = "select count(*), sum({}gross_sales_amount), sum(net_sales_amount) from {}.store_performance"
    ours = admin.execute(sums.format("-", "dev_alice_sales").encode()).fetchone()
    assert ours == admin.execute(sums.format("", "sales").encode()).fetchone()
    tables = admin.execute("""
        select relname from pg_class
        where relkind = 'r' and relnamespace::regnamespace::text ~ '^dev_alice_(staging|warehouse|sales|built)$'
            and relname !~ '^(publi|forgets)'
    """).fetchall()
    assert tables == [("store_performance__1",)]
    done = shell("journey dev alice --clean", folder)
    assert "dev_alice_sales" in done.stdout
    assert admin.execute(OURS.encode()).fetchall() == []


def test_cleaning_drops_nobody_elses(
    admin: psycopg.Connection[tuple[object, ...]], developer: None, embedded: State
) -> None:
    others = ("dev_alice_b_sales", "dev_alic_sales", "dev_bob_sales", "dev_alice_notes", "alice_sales")
    with settings.connect(autocommit=True) as connection:
        for schema in (*others, "dev_alice_sales"):
            connection.execute(f"create schema {schema}".encode())
    try:
        assert dev.clean(ROOT, "alice") == ["dev_alice_sales"]
        admin.execute("create schema dev_alice_finance authorization transformer; create schema dev_bob_finance")
        with pytest.raises(UsageError, match="dev_alice_finance is transformer's, and not journey_dev's"):
            dev.clean(ROOT, "alice")
        with pytest.raises(UsageError, match="dev_bob_finance is journey's"):
            dev.clean(ROOT, "bob")
        left = admin.execute("select nspname from pg_namespace where nspname = any(%s)", [list(others)]).fetchall()
        assert {name for (name,) in left} == set(others)
    finally:
        for schema in (*others, "dev_alice_finance", "dev_bob_finance"):
            admin.execute(f"drop schema if exists {schema} cascade".encode())


@pytest.mark.parametrize("name", ["", "Alice", "al-ice", "1a", "a" * 32, "a;drop"])
def test_a_name_is_part_of_a_schemas(name: str) -> None:
    if name:
        with pytest.raises(UsageError, match="is no name for schemas"):
            dev.name_of(name)
    else:
        assert dev.NAME.fullmatch(dev.name_of(None))


def test_who_is_no_developer_is_told_what_to_ask_for(
    demo: Demo, embedded: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment(embedded, "journey_load").items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(
        UsageError, match="journey_load is no developer: ask a DBA for `grant developer to journey_load`"
    ):
        dev.open_for(ROOT, "alice", base="demo")
