"""The rules of the house that no linter knows."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from conftest import ROOT, run
from journey.services.state import State

FOLDERS = ("models", "tests", "macros", "snapshots", "examples/*/models", "examples/*/tests", "examples/*/analyses")
SQL = sorted(file for name in FOLDERS for folder in ROOT.glob(name) for file in folder.rglob("*.sql"))
MODELS = sorted(file for file in SQL if "models" in file.parts)


@pytest.fixture(scope="session")
def manifest(embedded: State) -> dict[str, Any]:
    from journey import dbt

    dbt.run(["parse", "--no-partial-parse"], root=ROOT)
    parsed: dict[str, Any] = json.loads((ROOT / "target" / "manifest.json").read_text())
    return parsed


def test_lines_and_models_are_short() -> None:
    lines = ((file, n, line) for file in SQL for n, line in enumerate(file.read_text().splitlines(), 1))
    assert [f"{file}:{n}" for file, n, line in lines if len(line) > 120] == []
    assert [file for file in MODELS if len(file.read_text().splitlines()) > 150] == []


def test_no_merge_is_left_half_done() -> None:
    search = ["git", "grep", "-lE", "^(<{7}|>{7}) "]  # status 1: nowhere
    marked = subprocess.run(search, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (marked.returncode, marked.stdout) == (1, "")


def test_no_input_has_an_alias_of_its_own() -> None:
    """`dbt --empty` and `--sample` put a subquery with an alias in its place, and a second one would be no SQL."""
    named = re.compile(
        r"\{\{ *(ref|source|area_ref)\([^}]*\) *\}\} +(as )?(?!on\b|where\b|group\b|limit\b|cross\b|left\b|inner\b)\w"
    )
    assert [file for file in SQL if "macros" not in file.parts and named.search(file.read_text())] == []


def test_models_say_what_one_row_is() -> None:
    assert [file for file in MODELS if not file.read_text().startswith("-- one row:")] == []


def test_no_model_asks_the_clock_or_counts_columns() -> None:
    forbidden = re.compile(r"\b(current_date|current_timestamp|now\(\)|(group|order) by \d)|::", re.IGNORECASE)
    assert [(file, line) for file in MODELS for line in file.read_text().splitlines() if forbidden.search(line)] == []


def test_everything_is_described(manifest: dict[str, Any]) -> None:
    ours = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed", "snapshot")]
    ours += manifest["sources"].values()
    assert len(ours) > 40
    missing = [node["unique_id"] for node in ours if not node["description"].strip()]
    missing += [
        f"{node['unique_id']}.{column['name']}"
        for node in ours
        for column in node["columns"].values()
        if not column["description"].strip()
    ]
    missing += [node["unique_id"] for node in ours if not node["columns"]]
    missing += [
        macro["unique_id"]
        for macro in manifest["macros"].values()
        if macro["package_name"] == "data_journey"
        and not macro["description"].strip()
        and not re.match(r"(default|postgres|spark)__|test_|surrogate_key_text|constraint_clause", macro["name"])
    ]
    assert missing == []


def test_warehouse_and_marts_are_under_contract(manifest: dict[str, Any]) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    built = [node for node in models if node["fqn"][1] != "staging"]
    assert [node["name"] for node in built if not node["contract"]["enforced"]] == []
    assert [
        node["name"] for node in built if not any(entry["type"] == "primary_key" for entry in node["constraints"])
    ] == []
    assert [node["name"] for node in built if not {"grain", "owner"} <= set(node["config"]["meta"])] == []


def test_marts_answer_three_questions(manifest: dict[str, Any]) -> None:
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts" and not node["name"].startswith("int_")
    ]
    assert len(marts) >= 6
    for node in marts:
        questions = node["config"]["meta"].get("questions", [])
        assert len(questions) >= 3, node["name"]
        assert all({"question", "query"} <= set(question) for question in questions), node["name"]


def test_marts_declare_their_headline_figures(manifest: dict[str, Any]) -> None:
    """Or why they have none; a build checks what is declared."""
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and re.fullmatch(r"models/marts/\w+/\w+\.sql", node["original_file_path"])
    ]
    assert len(marts) > 20
    assert [node["name"] for node in marts if not node["config"]["meta"].get("headline")] == []


RANKS = re.compile(
    r"_(rank|class|score)$|_change_(rate|amount)$|^(retention|migration|redemption|uplift|units_lift)_rate$|^affinity$"
)
MARKS = re.compile(r"^is_small_|_beyond_(chance|usual)$|^verdict$|_lower_|^lower_")


def test_what_chance_explains_is_marked(manifest: dict[str, Any]) -> None:
    """A mart that ranks or compares says where few rows decide. Finance's are books, not samples, but for the tills."""
    marts = re.compile(r"models/marts/(marketing|sales)/\w+\.sql")
    columns_of = {
        node["name"]: node["columns"]
        for node in manifest["nodes"].values()
        if marts.fullmatch(node["original_file_path"])
    }
    ranking = {name: columns for name, columns in columns_of.items() if any(map(RANKS.search, columns))}
    assert len(ranking) >= 10
    assert [name for name, columns in ranking.items() if not any(map(MARKS.search, columns))] == []


def test_layers_build_on_the_layer_below(manifest: dict[str, Any]) -> None:
    """Only staging reads sources; the warehouse reads no mart; marts read no staging."""
    layer = {
        node["unique_id"]: node["fqn"][1] for node in manifest["nodes"].values() if node["resource_type"] == "model"
    }
    allowed = {"staging": {"source", "seed"}, "warehouse": {"staging", "warehouse", "seed", "snapshot"},
               "marts": {"warehouse", "marts", "seed", "snapshot"}}  # fmt: skip
    # what the ERP states of its own balances is no fact of ours: only the mart that checks it reads it
    stated = ("model.data_journey.ledger_control_totals", "model.data_journey.stg_erp__control_totals")
    for name, where in layer.items():
        for parent in set(manifest["nodes"][name]["depends_on"]["nodes"]) - (
            {stated[1]} if name == stated[0] else set()
        ):
            assert layer.get(parent, parent.split(".")[0]) in allowed[where], f"{name} reads {parent}"


def test_one_file_says_the_version() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    [version] = [line.split('"')[1] for line in lines if line.startswith("version = ")]
    assert run("--version").stdout == f"journey, version {version}\n"
    assert f"\n## [{version}] - 20" in (ROOT / "CHANGELOG.md").read_text()
    assert not re.search("^version:", (ROOT / "dbt_project.yml").read_text(), re.MULTILINE)


def test_the_repo_names_no_machine() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # noqa: S607
    forbidden = re.compile(r"/home/[a-z]|/root/|/tmp/[a-z]|(?<!emit-)index-url|pythonhosted|AKIA[A-Z0-9]{16}")
    hits = [
        file
        for file in files
        if (ROOT / file).is_file()
        and file != "tests/python/test_project.py"
        and not file.endswith((".parquet", ".gz"))
        and forbidden.search((ROOT / file).read_text(errors="replace"))
    ]
    assert hits == []
