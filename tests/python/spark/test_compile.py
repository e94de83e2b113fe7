"""Every node compiles for Spark without a cluster, into SQL that Spark can read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot

from conftest import ROOT

# What sqlglot takes for Spark's, and Spark doesn't, or reads as another thing without a word.
FOREIGN = {
    "numeric is decimal(10, 0)": r"\bas (numeric|decimal)\s*\)",
    "a type of PostgreSQL's": r"\bas (text|timestamptz|double precision|bytea|uuid|int[248])\b",
    "an operator of PostgreSQL's": r"::|->>|(?<![!<>=])~|\bdistinct on\b|\bat time zone\b",
    "a function of PostgreSQL's": r"\b(generate_series|to_char|string_agg|array_agg|unnest|strpos|regexp_matches)\s*\(",
    "a part of a date that is another one": r"\bextract\s*\(\s*(isodow|dow|epoch)\b",
    "a window that takes the rest from another": r"\(\s*(?!partition|order)\w+\s+(rows|range)\s+between\b",
    "whole numbers divide without a rest": r"\bdatediff\([^()]*\)\s*/(?!\s*\d+(?:\.\d|e\d))",
}


def faults(sql: str) -> list[str]:
    """What Spark wouldn't read, or would read otherwise than it is meant.

    Args:
        sql: one statement, as dbt compiled it.
    """
    bare = re.sub(r"--[^\n]*|'[^']*'", "''", sql)
    found = [why for why, pattern in FOREIGN.items() if re.search(pattern, bare, re.IGNORECASE)]
    try:
        sqlglot.parse(sql, read="spark")
    except sqlglot.ParseError as error:
        found.append(str(error))
    return found


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what dbt compiled for target spark, with nothing that listens."""
    target = tmp_path_factory.mktemp("spark")
    (target / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    command = ["compile", "--target", "spark", "--profiles-dir", str(target), "--target-path", str(target)]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), *command, "--no-populate-cache", "--no-introspect"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "SPARK_PORT": "1", "DBT_LOG_PATH": str(target), "HOME": str(target)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target / "compiled" / "data_journey"


def test_all_compile(compiled: Path) -> None:
    of_project = [
        path
        for folder in ("models", "tests", "examples/completejourney/models", "examples/completejourney/tests")
        for path in (ROOT / folder).rglob("*.sql")
        if "generic" not in path.parts and "python" not in path.parts
    ]
    missing = [str(path.relative_to(ROOT)) for path in of_project if not (compiled / path.relative_to(ROOT)).exists()]
    assert len(of_project) > 150
    assert missing == []


def test_is_of_spark(compiled: Path) -> None:
    found = {str(path.relative_to(compiled)): faults(path.read_text()) for path in compiled.rglob("*.sql")}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(a as numeric) / b from t",
        "select cast(a as text) from t",
        "select a::int from t",
        "select extract(isodow from a) from t",
        "select datediff(a, b) / 7 from t",
        "select distinct on (a) b from t",
        "select sum(a) over (b rows between 1 preceding and current row) from t window b as (order by c)",
        "select from where",
    ],
)
def test_finds_what_is_not(sql: str) -> None:
    assert faults(sql)
