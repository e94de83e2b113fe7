"""A small project around the project's own macros: three marts that all show the number that their build saw."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
import yaml

from conftest import ROOT
from dbt_runs import Dbt, Ran

DAYS = 5
MARTS = ("sales.by_day", "sales.in_all", "finance.books")
SOURCES = """
sources:
  - name: control
    schema: public
    tables: [{name: control}, {name: files, identifier: control}]
"""
MODELS = {  # a day shows the newest number that falls on it, so that a build touches one day of five
    "warehouse/days": (
        "{{ config(partition_by={'field': 'day', 'granularity': 'day'}) }}\n"
        "select cast('2017-01-01' as date) + day_number as day, number - mod(number - day_number + 5000, 5) as number\n"
        "from {{ source('control', 'control') }} cross join generate_series(0, 4) as days (day_number)",
        {"day": "date", "number": "integer"},
    ),
    "marts/sales/by_day": (
        "{{ config(partition_by={'field': 'day', 'granularity': 'day'}) }}\n"
        "select day, id, number{EXTRA} from {{ ref('days') }} cross join generate_series(1, 40) as ids (id)",
        {"day": "date", "id": "integer", "number": "integer"},
    ),
    "marts/sales/in_all": (
        "select id, max(number) as number from {{ ref('days') }} cross join generate_series(1, 200) as ids (id) "
        "group by id",
        {"id": "integer", "number": "integer"},
    ),
    "marts/finance/books": (
        "select id, number from {{ ref('in_all') }}",
        {"id": "integer", "number": "integer"},
    ),
}
TEST = (
    "select id from {{ ref('in_all') }} cross join {{ source('control', 'control') }} as control where control.is_bad"
)
HOLDING = (  # no mart reads these files
    "{{ config(meta={'holds_publication': true}) }}\n"
    "select number from {{ source('control', 'files') }} where number < 0"
)


@dataclass
class Shop:
    """The project, its database and dbt.

    Attributes:
        folder: of the project.
        dbt: in this process.
    """

    folder: Path
    dbt: Dbt

    @classmethod
    def make(cls, folder: Path, *, extra: bool = False, without: str = "") -> Shop:
        """Write the project.

        Args:
            folder: where.
            extra: with a column more in a mart.
            without: a mart that isn't there.
        """
        folder.mkdir(parents=True)
        (folder / "macros").symlink_to(ROOT / "macros")
        project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
        settings = {name: value for name, value in project.items() if not name.endswith("-paths")}
        for unused in ("seeds", "snapshots", "data_tests"):
            del settings[unused]
        del settings["models"]["data_journey"]["staging"]
        (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings))
        (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
        for path, (sql, columns) in MODELS.items():
            if without and path.endswith(without):
                continue
            here = {**columns, "extra": "text"} if extra and "by_day" in path else columns
            file = folder / "models" / f"{path}.sql"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(sql.replace("{EXTRA}", ", 'more' as extra" if extra else ""))
            described = ", ".join(
                f"{{name: {name}, data_type: {kind}, description: of {file.stem}}}" for name, kind in here.items()
            )
            file.with_suffix(".yml").write_text(
                f"models: [{{name: {file.stem}, description: Simulated., columns: [{described}]}}]"
            )
        (folder / "models" / "sources.yml").write_text(SOURCES)
        (folder / "tests").mkdir()
        (folder / "tests" / "assert_not_bad.sql").write_text(
            TEST.replace(" as control", "").replace("control.is", "is")
        )
        (folder / "tests" / "assert_files_are_there.sql").write_text(HOLDING)
        return cls(folder, Dbt(folder / "target", folder, comments=True))

    def build(self, number: int, *arguments: str, is_bad: bool = False, command: str = "build") -> Ran:
        """What the source says, and a build of it.

        Args:
            number: that the marts are to show.
            arguments: of dbt.
            is_bad: the test fails.
            command: of dbt.
        """
        self.say(number, is_bad=is_bad)
        return self.dbt(command, *arguments)

    def say(self, number: int, *, is_bad: bool = False) -> None:
        """Let the source say so."""
        with psycopg.connect() as connection:
            connection.execute("create table if not exists public.control (number integer, is_bad boolean)")
            connection.execute("truncate public.control")
            connection.execute("insert into public.control values (%s, %s)", [number, is_bad])

    def journey(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, as a user would."""
        return subprocess.run(
            [sys.executable, "-m", "journey", *arguments, "--target", "demo"],
            cwd=self.folder, env={**os.environ, "DBT_PROFILES_DIR": str(self.folder)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip


def shown(mart: str) -> set[int]:
    """The numbers in a mart that readers see."""
    with psycopg.connect() as connection:
        return {number for (number,) in connection.execute(f"select distinct number from {mart}".encode())}
