"""Every command that the README and the other pages at the top show exists and works; their links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

import pytest
from click import Group

from conftest import ROOT, Demo
from journey.cli import cli

README = (ROOT / "README.md").read_text()
PAGES = {name: (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")}
COMMANDS = [
    line
    for page in PAGES.values()
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
# these run in test_demo.py, as what runs this and what comes before it, and in test_upgrade.py
LONG = ("make demo", "make test", "make setup-dev", "make lint", "make upgrade")
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


def test_the_table_of_commands_is_the_command_line() -> None:
    """Each command of the command line that is not in a code block stands in the README's table, and no other."""
    told = set(re.findall(r"`journey ([a-z]+)", README))
    assert isinstance(cli, Group)
    assert told == set(cli.commands)


def test_tests_that_pages_name_exist() -> None:
    tests = "".join(file.read_text() for file in (ROOT / "tests" / "python").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", "".join(PAGES.values())))
    assert named
    assert {name for name in named if f"def {name}(" not in tests} == set()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target, _, heading in (link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", PAGES[name])):
        assert target.startswith("https://") or (ROOT / (target or name)).exists(), target
        if heading and not target.startswith("https://"):
            headings = re.findall(r"^#+ (.*)$", (ROOT / (target or name)).read_text(), re.MULTILINE)
            assert heading in {text.lower().replace(" ", "-") for text in headings}, heading
