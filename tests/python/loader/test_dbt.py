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
        landing.connection.execute("drop schema if exists loader_test_staging, loader_test_build_state cascade")


def test_rows_that_the_ledger_does_not_know_stop_a_build(landing: Landing, tmp_path: Path) -> None:
    landing.put("in/a.csv", "product_id,department\n1,GROCERY\n2,DRUG GM\n")
    columns = {"product_id": "text", "department": "text"}
    landing.load(landing.source(name="pos.products", columns=columns))

    def test() -> str:
        command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", "build", "--select"]
        command += ["stg_loader__files", "assert_raw_rows_are_the_ledgers", "assert_rows_add_up"]
        environment = {**os.environ, "DBT_SCHEMA": "loader_test", "DBT_PROFILES_DIR": str(ROOT)}
        done = subprocess.run(
            [*command, "--target-path", str(tmp_path)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    try:
        assert "WARN=0 ERROR=0" in test()
        landing.connection.execute("delete from raw_pos.products where product_id = '1'")
        said = test()
        assert "ERROR=1" in said
        assert (
            "assert_raw_rows_are_the_ledgers: raw_pos.products: in/a.csv: "
            "1 rows in the table, 2 in the ledger: journey repair shows more"
        ) in said
        landing.connection.execute("insert into raw_pos.products values ('1', 'x', 1), ('9', 'x', 77)")
        assert "raw_pos.products: no loaded file has _file_id 77: 1 rows in the table, 0 in the ledger" in test()
    finally:
        landing.connection.execute("drop schema if exists loader_test_staging, loader_test_build_state cascade")
