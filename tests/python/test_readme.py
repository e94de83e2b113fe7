"""Every command that the README and the pages beside it show exists and works; links of all pages lead somewhere.

What the tutorial and the pages on production and upgrades show runs in test_pages.py.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess

import pytest
import yaml
from click import Group

from conftest import ROOT, Demo
from journey.cli import cli
from links import TEXTS, broken_links

RUN_HERE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/commands.md")
ALL = [*ROOT.glob("*.md"), *(file for name in ("docs", "models", "seeds") for file in (ROOT / name).rglob("*.md"))]
PAGES = {file.relative_to(ROOT).as_posix(): file.read_text() for file in ALL if file.name not in TEXTS}
REFERENCE = PAGES["docs/commands.md"]
COMMANDS = [
    line
    for page in RUN_HERE
    for block in re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
# these run in test_demo.py, as what runs this and what comes before it, and in test_pages.py
LONG = ("make demo", "make test", "make setup-dev", "make lint", "make new")
ENVIRONMENT = ("source ", "eval ")


def test_the_readme_shows_commands() -> None:
    assert {"make demo", "make demo WEEKS=8", "make test"} <= set(COMMANDS)
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_knows_its_targets(command: str) -> None:
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if not line.startswith(LONG + ENVIRONMENT)])
def test_commands_work_after_the_demo(demo: Demo, command: str) -> None:
    setup = "; ".join(line for line in COMMANDS if line.startswith(ENVIRONMENT))
    done = subprocess.run(
        ["bash", "-euc", f"{setup}; {command}"],  # noqa: S607
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def told(heading: str) -> set[str]:
    """The names at the beginning of the rows of a section's table, in the page of commands."""
    section = REFERENCE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_table_of_commands_is_the_command_line() -> None:
    assert isinstance(cli, Group)
    assert {name.split()[1] for name in told("Commands") if " " in name} == set(cli.commands)


def test_the_table_of_variables_is_the_projects() -> None:
    assert told("dbt_project.yml") == set(yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"])


def test_the_variables_that_the_program_reads_are_told() -> None:
    folders = [
        file for name in ("scripts", "macros") for file in (ROOT / name).rglob("*") if file.suffix in (".py", ".sql")
    ]
    read = "".join(file.read_text() for file in [*folders, ROOT / "profiles.yml.example"] if "bench" not in file.parts)
    names = set(re.findall(r"""(?:env_var\(|environ\.get\(|environ\[)["']((?:JOURNEY|DBT)_\w+)""", read))
    assert len(names) >= 7
    assert names - told("The environment") == {"DBT_TARGET_PATH"}  # dbt's own


def test_the_map_names_every_page() -> None:
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)", PAGES["docs/README.md"]))
    assert linked == {file.name for file in (ROOT / "docs").glob("*.md")} - TEXTS - {"README.md"}


def test_tests_that_pages_name_exist() -> None:
    tests = "".join(file.read_text() for file in (ROOT / "tests" / "python").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", "".join(PAGES.values())))
    assert named
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_links_lead_somewhere() -> None:
    theirs = "examples/empty/"  # lead somewhere in the project that `make new` makes: test_pages.py
    assert [one for one in broken_links(ROOT) if not one.startswith(theirs)] == []
