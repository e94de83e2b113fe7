"""docs/loader.md says what the code does: its tests exist, its options and fields are all there are."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from journey.loader import TableSummary
from journey.loader.onefile import Outcome
from journey.loader.sources import Options

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs" / "loader.md").read_text()


def row(first: str) -> set[str]:
    """The names in backticks in the second cell of the table row that begins with `first`."""
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| `{first}`")]
    return set(re.findall(r"`(\w+)`", line.split("|")[2]))


def test_every_proof_exists() -> None:
    files = {file.name: file.read_text() for file in HERE.glob("test_*.py")}
    named = set(re.findall(r"\btest_\w+\b(?!\.py)", PAGE))
    assert len(named) >= 20
    assert {name for name in named if not any(f"def {name}(" in text for text in files.values())} == set()
    assert set(re.findall(r"\btest_\w+\.py\b", PAGE)) <= set(files)
    promises = PAGE.split("| promise |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(promises) >= 15
    assert [line for line in promises if "test_" not in line.split("|")[3] and "make " not in line.split("|")[3]] == []


def test_every_option_is_explained() -> None:
    table = PAGE.split("| option |")[1].split("\n\n")[0]
    described = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines()[2:])))
    assert described == {option.name for option in fields(Options)}


def test_every_field_is_explained() -> None:
    assert row("file") == {field.name for field in fields(Outcome)}
    assert row("table") == {field.name for field in fields(TableSummary)}
