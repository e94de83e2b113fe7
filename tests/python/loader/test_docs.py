"""docs/loader.md says what the code does: its tests, options, defaults, fields and commands are all there are."""

from __future__ import annotations

import re
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from journey import cli
from journey.loader.declaration.options import RENAMED, Options, names
from journey.loader.declaration.sources import parse_source
from journey.loader.formats import MODULES, reader
from journey.loader.outcome import Outcome, TableSummary
from journey.loader.values.meaning import Meaning

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
PAGE = (PROJECT / "docs" / "loader.md").read_text()

SECTIONS = {  # where a format's options are
    "csv": "CSV", "jsonl": "JSON", "json": "JSON", "fixed": "Fixed width", "xlsx": "XLSX",
    "parquet": "Parquet and Avro", "avro": "Parquet and Avro",
}  # fmt: skip
ELSEWHERE = {
    "services",
    "spark",
    "env",
    "psql",
    "land",
    "demo",
    "docs",
    "site",
    "contract",
    "scaffold",
    "publish",
    "changes",
    "watch",
    "roles",
    "build",
    "dev",
    "metrics",
    "why",
}  # commands that aren't the loader's: test_readme.py looks after them
SIZES = {str(2**40): "1 TiB"}


def section(heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", PAGE, re.MULTILINE)
    assert found, f"docs/loader.md has no heading {heading!r}"
    rest = PAGE[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start() if end else None]


def table(text: str) -> list[list[str]]:
    """The cells of the first table of a text, without its head."""
    lines = text[text.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def named(cell: str) -> list[str]:
    """The names in backticks in a cell."""
    return re.findall(r"`(\w+)`", cell)


def row(first: str) -> set[str]:
    """The names in backticks in the second cell of the table row that begins with `first`."""
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| `{first}`")]
    return set(named(line.split("|")[2]))


def shown(rule: Field[Any]) -> str:
    """A default as the page shows it."""
    value = rule.default
    if isinstance(value, tuple):
        value = value[0] if len(value) == 1 else None
    if value is None:
        return "none"
    if value == "":
        return "`''`"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return SIZES.get(text, f"`{text}`")


def check_options(heading: str, *kinds: type, without: type | None = None) -> None:
    """A section's table has the options of these dataclasses, each once and with its default."""
    rules = {rule.name: rule for kind in kinds for rule in fields(kind)}
    expected = {name: shown(rule) for name, rule in rules.items() if without is None or name not in names(without)}
    cells = {name: cells[1] for cells in table(section(heading)) for name in named(cells[0])}
    assert cells == expected


def test_every_proof_exists() -> None:
    files = {file: file.read_text() for file in (HERE.parent).rglob("test_*.py")}
    tests = set(re.findall(r"\b(?<!/)test_\w+\b(?!\.py)", PAGE))
    assert len(tests) >= 60
    assert {name for name in tests if not any(f"def {name}(" in text for text in files.values())} == set()
    assert set(re.findall(r"\btest_\w+\.py\b", PAGE)) <= {file.name for file in files}
    dbt_tests = set(re.findall(r"\b(?:assert|warn)_\w+", PAGE))
    assert {name for name in dbt_tests if not list(PROJECT.glob(f"tests/**/{name}.sql"))} == set()


def test_every_promise_has_a_proof() -> None:
    promises = table(section("Promises"))
    assert len(promises) >= 25
    assert [cells[0] for cells in promises if "test_" not in cells[2] and "make " not in cells[2]] == []


def test_options_of_every_feed_are_explained() -> None:
    check_options("Every feed", Options)


def test_options_of_values_are_explained() -> None:
    check_options("Values", Meaning)


@pytest.mark.parametrize("file_format", MODULES)
def test_options_of_a_format_are_explained(file_format: str) -> None:
    kind = reader(file_format).Options
    if file_format == "json":  # as of JSON lines, but for a default, which the page names
        assert names(kind) == names(reader("jsonl").Options)
        return
    check_options(SECTIONS[file_format], kind, without=Options)


def test_every_format_is_named() -> None:
    assert {name for cells in table(section("Formats")) for name in named(cells[0])} == set(MODULES)
    assert set(MODULES) <= set(SECTIONS)


def test_renamed_options_are_told() -> None:
    upgrading = section("Upgrading from an earlier version")
    assert [old for old, new in RENAMED.items() if f"`{old}` is `{new}`" not in upgrading] == []


def test_every_field_is_explained() -> None:
    assert row("file") == {field.name for field in fields(Outcome)}
    assert row("table") == {field.name for field in fields(TableSummary)}


def test_every_event_is_explained() -> None:
    sources = [file.read_text() for file in (PROJECT / "scripts" / "journey" / "loader").glob("*.py")]
    written = {name for text in sources for name in re.findall(r'(?:\bsaid\(|_write\(|"event": )"(\w+)"', text)}
    assert {name for cells in table(section("Events")) for name in named(cells[0])} == written


def options_of(command: click.Command) -> set[str]:
    """The options of a command."""
    return {max(one.opts, key=len) for one in command.params if isinstance(one, click.Option)}


@pytest.mark.parametrize("name", sorted(set(cli.cli.commands) - ELSEWHERE))
def test_every_command_and_its_options_are_explained(name: str) -> None:
    text = section(f"`journey {name}`")
    told = {
        found for cells in (table(text) if "\n| option" in text else []) for found in re.findall(r"--[a-z-]+", cells[0])
    }
    assert told == options_of(cli.cli.commands[name])
    assert re.search(r"[Ee]xit status", text) or name == "load"


def test_every_named_command_exists() -> None:
    assert set(re.findall(r"`journey ([a-z]+)", PAGE)) <= set(cli.cli.commands)
    assert set(cli.cli.commands) >= ELSEWHERE


def test_links_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-")
        for text in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def test_the_example_is_a_declaration() -> None:
    [source] = yaml.safe_load(section("Declaring a feed").split("```")[1].removeprefix("yaml"))["sources"]
    [node] = source["tables"]
    node |= {"source_name": source["name"], "schema": source["schema"]}
    node["columns"] = {column["name"]: column for column in node["columns"]}
    node["external"]["location"] = re.sub(r"\{\{.*\}\}", "landing", node["external"]["location"])
    assert parse_source(node).own_meanings.keys() == {"sold_on"}


def test_messages_are_worded_as_the_code_words_them() -> None:
    files = [
        *(PROJECT / "scripts" / "journey" / "loader").rglob("*.py"),
        PROJECT / "scripts" / "journey" / "settings.py",
    ]
    code = re.sub(r'"\s*\n\s*(?:\+ )?f?"', "", "\n".join(file.read_text() for file in files))
    messages = [
        message
        for cells in table(section("When a load fails at night"))
        for message in re.findall(r"`([^`]+)`", cells[0])
    ]
    assert len(messages) >= 30
    fragments = [part.strip(" :,.") for message in messages for part in message.split("…")]
    assert [part for part in fragments if len(part) >= 8 and part not in code] == []
