"""The ledger is a dbt source: a refused row warns, a failed file fails the build unless told otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from loader.support import Landing

ROOT = Path(__file__).parents[3]


def test_what_the_ledger_does_to_a_build(landing: Landing, tmp_path: Path) -> None:
    landing.put("in/good.csv", "id,name\n1,a\nx,b\n")
    landing.put("in/bad.csv", "id,name\nx,b\n")
    landing.load(landing.source(max_reject_rate=0.5))

    def build(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", "build", "--select"]
        command += ["stg_loader__files", "path:tests/loader", "--target-path", str(tmp_path), *arguments]
        environment = {**os.environ, "DBT_SCHEMA": "loader_test", "DBT_PROFILES_DIR": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    try:
        status, said = build()
        assert status == 1
        assert "WARN=1 ERROR=1" in said
        assert "assert_no_file_failed: raw_shop.sales: in/bad.csv: 1 of 1 rows refused" in said
        status, said = build("--vars", "failed_file_severity: warn")
        assert "WARN=2 ERROR=0" in said
        assert status == 0
    finally:
        landing.connection.execute("drop schema if exists loader_test_staging cascade")
