"""The command line as such: its help, what a shell completes, and what make asks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import Group
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from conftest import ROOT
from journey.cli import cli


@pytest.mark.parametrize("columns", [60, 80])
def test_help_is_not_cut(columns: int) -> None:
    said = CliRunner().invoke(cli, ["-h"], terminal_width=columns).output
    assert isinstance(cli, Group)
    commands = said.partition("Look and ask:")[2].partition("Nothing here")[0]
    assert "..." not in commands
    listed = re.findall("^  ([a-z]+) ", commands, re.MULTILINE)
    assert sorted(listed) == sorted(cli.commands)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["laod"], "There is no command laod: did you mean `journey load`?"),
        (["xyzzy"], "There is no command xyzzy: `journey --help` lists the commands."),
        (["reload"], "Missing argument 'SOURCE[.TABLE]...'. It may be pos, pos.products."),
    ],
)
def test_a_wrong_word_ends_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    declared(tmp_path, monkeypatch)
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, done.output.splitlines()[-1]) == (2, f"Error: {told}")


def declared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest of dbt's, as a shell's completion reads it."""
    nodes = [("pos", "products", {"location": "s3://landing/pos/"}), ("loader", "files", None)]
    sources = {name: {"source_name": source, "name": name, "external": one} for source, name, one in nodes}
    metrics = {f"metric.journey.{name}": {"name": name} for name in ("net_sales", "units")}
    trace = {"sums": [{"measures": {"sales_amount": "fct_sales.net_sales_amount"}}]}
    mart: dict[str, Any] = {"name": "by_day", "resource_type": "model", "fqn": ["company", "marts", "sales", "by_day"]}
    mart |= {"config": {"meta": {"trace": trace}}, "columns": {"day": {}, "sales_amount": {}}}
    manifest = {"sources": sources, "metrics": metrics, "nodes": {"model.by_day": mart}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("DBT_TARGET_PATH", str(folder))


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        (["load", "--select"], "po", ["pos", "pos.products"]),
        (["reload"], "pos.", ["pos.products"]),
        (["repair"], "x", []),
        (["metrics"], "net", ["net_sales"]),
        (["load", "--log-format"], "", ["text", "json"]),
        (["why"], "sa", ["sales.by_day"]),
        (["why", "sales.by_day"], "", ["day=", "sales_amount"]),
        (["why", "sales.by_day", "day=2017-03-01"], "s", ["sales_amount"]),
        (["why", "sales.unknown"], "", []),
    ],
)
def test_completion_offers_what_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], begun: str, offered: list[str]
) -> None:
    declared(tmp_path, monkeypatch)
    found = ShellComplete(cli, {}, "journey", "_JOURNEY_COMPLETE").get_completions(words, begun)
    assert [one.value for one in found] == offered


def test_completion_outside_of_a_project_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ShellComplete(cli, {}, "journey", "_JOURNEY_COMPLETE").get_completions(["load", "--select"], "") == []


@pytest.mark.parametrize(("answer", "is_there"), [("", True), ("n\n", True), ("y\n", False)])
def test_make_clean_asks(tmp_path: Path, answer: str, is_there: bool) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "journey").symlink_to("/bin/true")
    (tmp_path / ".local").mkdir()
    command = [shutil.which("make") or "make", "clean"]
    done = subprocess.run(command, cwd=tmp_path, input=answer, capture_output=True, text=True, check=False)
    assert (tmp_path / ".local").exists() == is_there
    assert (done.returncode != 0) == is_there


def test_a_full_disk_is_a_line() -> None:
    command = [sys.executable, "-m", "journey", "contract", "sales"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "journey: no space is left on a disk; make room, and run it again\n")
