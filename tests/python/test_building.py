"""One build of a target's schemas at a time, by real processes; one that was ended or killed leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT
from journey.building import target_of

JOURNEY = (sys.executable, "-m", "journey", "build")
DBT = (sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", "build")
SLOW = "select 1 as one from (select pg_sleep({{ env_var('SLEEP') }})) as slept"
AT_WORK = "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()"
SOON = 10.0  # seconds; it takes one or two

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's settings, profile and macros around one model, which takes as long as SLEEP says."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("dbt_project.yml", "macros"):  # a company's folder has no selectors
        (folder / name).symlink_to(ROOT / name)
    (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    model = folder / "models" / "warehouse" / "slow.sql"
    model.parent.mkdir(parents=True)
    model.write_text(SLOW)
    model.with_suffix(".yml").write_text("models: [{name: slow, columns: [{name: one, data_type: integer}]}]")
    return folder


@pytest.fixture
def start(project: Path, database: str) -> Iterator[Start]:
    """Starts a command in the project; SLEEP is 0 unless told otherwise. All of them are gone after the test."""
    started = []

    def begin(*command: str, **variables: str) -> subprocess.Popen[str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
        process = subprocess.Popen(
            [*command, "--warn-error-options", "{}"],
            cwd=project,
            env={**ours, "USER": "anna", "SLEEP": "0", "DBT_PROFILES_DIR": str(project), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], within: float = 60.0) -> tuple[int, str]:
    """The exit status of a process, and what it said."""
    out, err = process.communicate(timeout=within)
    return process.returncode, out + err


def name_of_session(within: float = 30.0) -> str:
    """What the session of a slow statement is called, which every login is shown; between two statements, none is."""
    until = time.monotonic() + within
    while True:
        with psycopg.connect(autocommit=True) as connection:
            found = connection.execute(AT_WORK.replace("count(*)", "application_name")).fetchone()
        if found or time.monotonic() > until:
            return str(found and found[0])
        time.sleep(0.1)


def statements(least: int, within: float = 30.0) -> int:
    """Waits until so many slow statements run, or, for 0, none; returns how many do."""
    until = time.monotonic() + within
    while True:
        with psycopg.connect(autocommit=True) as connection:
            [(count,)] = connection.execute(AT_WORK).fetchall()
        if (count >= least if least else count == 0) or time.monotonic() > until:
            return int(count)
        time.sleep(0.1)


def test_a_second_build_says_who_builds_or_waits(start: Start) -> None:
    first = start(*JOURNEY, SLEEP="60")
    assert statements(1) == 1
    status, said = ended(start(*JOURNEY))
    assert status == 1
    assert re.fullmatch(r"journey: \S+@\S+ builds dev_anna since \d\d:\d\d:\d\d \S+: wait for its end .*\n", said), said
    assert ended(start(*JOURNEY, DBT_SCHEMA="other"))[0] == 0
    waiting = start(*JOURNEY, "--wait", "60")
    status, said = ended(start(*DBT))
    assert status == 2
    assert re.search(r"anna builds dev_anna since \d\d:\d\d:\d\d \S+ \(dbt build\): wait for its end", said), said
    first.send_signal(signal.SIGINT)
    assert ended(first, SOON)[0] == 130
    assert statements(0, SOON) == 0
    status, said = ended(waiting)
    assert (status, "PASS=" in said) == (0, True), said


def test_sigterm_ends_a_build(start: Start) -> None:
    first = start(*JOURNEY, SLEEP="60")
    assert statements(1) == 1
    first.terminate()
    status, said = ended(first, SOON)
    assert status == 143
    assert "journey: the build was ended" in said
    assert statements(0, SOON) == 0


@pytest.mark.parametrize("command", [JOURNEY, DBT])
def test_a_build_that_was_killed_keeps_nobody_out(start: Start, command: tuple[str, ...]) -> None:
    first = start(*command, SLEEP="60")
    assert statements(1) == 1
    first.kill()
    first.wait()
    status, said = ended(start(*command))
    assert status == 0, said
    assert statements(0, SOON) == 0


def test_dbt_itself_refuses_a_second_build(start: Start) -> None:
    first = start(*DBT, SLEEP="60")
    assert statements(1) == 1
    assert re.fullmatch("dbt [0-9a-f-]{36}", name_of_session())
    for second in (start(*DBT), start(*JOURNEY)):
        status, said = ended(second)
        assert status == 2
        assert "anna builds dev_anna since" in said
    assert statements(1) == 1
    assert first.poll() is None


def test_a_second_run_does_not_parse_the_project_again(start: Start) -> None:
    """As dbt would, were there something in the profile that is another thing each time."""
    said = [ended(start(*DBT))[1] for _ in range(2)]
    assert "PASS=" in said[1]
    assert "Unable to do partial parsing" not in said[1]


def test_the_exit_status_is_dbts(start: Start) -> None:
    assert ended(start(*JOURNEY))[0] == 0
    assert ended(start(*JOURNEY, "--select", "slow"))[0] == 0
    status, said = ended(start(*JOURNEY, SLEEP="none"))
    assert (status, "ERROR=1" in said) == (1, True), said
    assert ended(start(*JOURNEY, "--no-such-option"))[0] == 2


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (["--target", "prod"], "prod"),
        (["--select", "x", "-t", "demo"], "demo"),
        (["--target=ci"], "ci"),
        (["--full-refresh"], None),
        ([], None),
    ],
)
def test_the_target_is_the_arguments(monkeypatch: pytest.MonkeyPatch, arguments: list[str], target: str | None) -> None:
    monkeypatch.delenv("DBT_TARGET", raising=False)
    assert target_of(arguments) == target


def test_a_feed_that_was_never_loaded_is_named_with_what_to_do(project: Path, start: Start) -> None:
    folder = project / "models" / "staging"
    folder.mkdir()
    (folder / "source.yml").write_text("sources: [{name: till, schema: raw_till, tables: [{name: sales}]}]")
    (folder / "stg_sales.sql").write_text("select * from {{ source('till', 'sales') }}")
    status, said = ended(start(*JOURNEY, "--select", "stg_sales"))
    assert status == 1
    assert said.endswith(
        "journey: till.sales was never loaded into this database: journey load --select till.sales\n"
    ), said
