"""Who opens the product's folders sees the product alone: the default company has its own, and is one example."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from conftest import DEFAULT, ROOT
from deliveries.source import data_dir
from journey.contracts import contracts
from mutation.marts import MART_MUTATIONS
from warehouse import mutate
from warehouse.mutations import MUTATIONS

FOLDERS = ("scripts", "models", "macros", "snapshots", "seeds", "tests")
ENDINGS = {".py", ".sql", ".yml", ".md", ".csv"}


def sources() -> Iterator[dict[str, Any]]:
    """What the default company declares."""
    for file in DEFAULT.glob("models/staging/*/_*__sources.yml"):
        yield from yaml.safe_load(file.read_text())["sources"]


def files() -> list[Path]:
    """The product's, without its tests in Python, which build and check the default company."""
    found = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in ENDINGS)
    return [file for file in found if ROOT / "tests" / "python" not in file.parents]


def names() -> set[str]:
    """What only the default company calls so: its package, its raw schemas and tables, the columns of its files."""
    found = {"completejourney", "complete journey", "84.51"}
    ours = {column.name for view in contracts(ROOT) for column in view.columns}
    for source in sources():
        found |= {source["schema"], f"source('{source['name']}'"}
        for table in source["tables"]:
            found |= {f"{source['name']}{mark}{table['name']}" for mark in "./"}
            found |= {column["name"] for column in table["columns"] if "_" in column["name"]} - ours
    return found - {"closing_balance"}  # of an ERP's totals; a kind of line in the product's statements


def test_the_product_names_nothing_of_the_default_company() -> None:
    assert {"raw_pos", "household_id", "coupon_upc", "sales_value", "erp/journal_lines"} <= names()
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names(), reverse=True)))
    hits = [
        f"{file.relative_to(ROOT)}:{number}: {hit[0]}"
        for file in files()
        for number, line in enumerate(file.read_text().splitlines(), 1)
        for hit in named.finditer(line.lower().replace("examples/completejourney", "where it lies"))
    ]
    assert hits == []


def test_no_question_of_a_mart_asks_for_a_day_or_a_thing_of_the_default_company() -> None:
    products = pq.read_table(data_dir() / "products.parquet", columns=["department", "product_category"])
    things = {value for column in products.columns for value in column.unique().to_pylist()}
    for name in ("display_locations", "mailer_locations"):
        rows = csv.reader((DEFAULT / "seeds" / f"{name}.csv").open())
        things |= {value for row in rows for value in row if len(value) > 1}  # a shorter one is a code, such as 0: none
    hits = []
    for file in sorted((ROOT / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(file.read_text()).get("models", []):
            for one in model["config"]["meta"].get("questions", []):
                said = re.findall(r"'([^']*)'", one["query"])
                if set(said) & things or any(re.match(r"\d{4}-\d\d", text) for text in said) or re.search(
                    r"_(id|key) (=|in) \(?\d", one["query"]
                ):  # fmt: skip
                    hits.append(f"{model['name']}: {one['question']}")
    assert hits == []


def test_no_description_tells_figures_of_the_default_data() -> None:
    """They are true of one company and one year: examples/completejourney/README.md has them."""
    told = [file for file in files() if ROOT / "scripts" not in file.parents]
    assert [file for file in told if re.search(r"default\s+(data|year)", file.read_text())] == []


def test_the_example_has_what_was_taken_out() -> None:
    """Staging at the top is the loader's own: what a company puts beside it is the company's."""
    assert {folder.name for folder in (ROOT / "models" / "staging").iterdir() if folder.is_dir()} == {"loader"}
    assert {folder.name for folder in (DEFAULT / "models" / "staging").iterdir()} == {one["name"] for one in sources()}
    assert (DEFAULT / "land.py").is_file()


def test_every_mutation_changes_its_file_in_one_place() -> None:
    """Or `make mutate` would stop at once, and nobody would know before somebody runs it."""
    mutate.check(MUTATIONS)
    code = {file.stem: file.read_text() for file in (ROOT / "models").rglob("*.sql")}
    assert [change for change in MART_MUTATIONS if code[change[0]].count(change[1]) != 1] == []
