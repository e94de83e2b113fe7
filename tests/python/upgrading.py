"""`make upgrade-test`: a project and a database of an older commit, brought to now by the steps of docs/upgrade.md.

The project has a mart of its own. What must hold afterwards: its own files are as they were, every test passes, no file
was loaded twice, and the figures are those of before.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from test_pages import Company, blocks

ROOT = Path(__file__).resolve().parents[2]
FROM = "b9a74b4"  # the last commit before roles and publications came
OWN = {
    "models/marts/people/shop_days.sql": """-- one row: one shop on one day
with sales as (
    select * from {{ ref('fct_sales') }}
)

select
    business_date,
    store_key,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount
from sales
group by
    business_date,
    store_key
""",
    "models/marts/people/shop_days.yml": """version: 2

models:
  - name: shop_days
    description: What each shop sells in a day.
    config: {meta: {grain: shop and day, owner: people}}
    constraints:
      - {type: primary_key, columns: [business_date, store_key]}
    columns:
      - {name: business_date, data_type: date, description: Day., constraints: [{type: not_null}]}
      - {name: store_key, data_type: bigint, description: Shop., constraints: [{type: not_null}]}
      - {name: net_sales_amount, data_type: "numeric(14,2)", description: Net sales.}
""",
}
FIGURES = (
    "select 'files', count(*), max(file_id), sum(row_count) from loader.files",
    "select 'sales', count(*), null, sum(net_sales_amount) from sales.sales_performance",
    "select 'customers', count(*), null, sum(net_sales_amount) from marketing.customer_profiles",
    "select 'statement', count(*), null, sum(actual_amount) from finance.income_statement",
    "select 'own', count(*), null, sum(net_sales_amount) from people.shop_days",
)
# The packages are there already: an environment of their own would take minutes.
SETUP = {"make setup": '[ -e .venv ] || { ln -s "$TEST_VENV" .venv; cp profiles.yml.example profiles.yml; }'}
BEGIN = ["source .venv/bin/activate", 'eval "$(journey env)"']


def main() -> None:
    """Make them, follow the steps, compare, and say how long each part took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", default=FROM, help="the commit to begin with")
    parser.add_argument("--weeks", type=int, default=8, help="how much of the default data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        company = make(Path(base), options.commit)
        try:
            upgrade(company, options.weeks)
        finally:
            company.run([*BEGIN, "journey services down"], company.folder)


def make(base: Path, commit: str) -> Company:
    """A clone of the product, whose newest commit is v0.2.0, and a company's project of an older one.

    Args:
        base: an empty folder.
        commit: the older one.
    """
    company = Company.make(base, "company")
    company.git("clone", "--quiet", str(ROOT), str(company.product), cwd=ROOT)
    company.git("tag", "v0.2.0", cwd=company.product)
    company.git("clone", "--quiet", "--origin", "product", str(company.product), str(company.folder), cwd=ROOT)
    company.git("checkout", "--quiet", "--no-track", "-B", "main", commit)
    for name, text in OWN.items():
        (company.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (company.folder / name).write_text(text)
    with (company.folder / ".company").open("a") as file:
        file.write("models/marts/people\n")
    company.git("add", "--all")
    company.git("commit", "--quiet", "--message", "A mart of our own")
    return company


def upgrade(company: Company, weeks: int) -> None:
    """Build with the older version, follow the steps, compare.

    Args:
        company: the project.
        weeks: how much of the default data.
    """
    look = [*BEGIN, *(f'psql --tuples-only --no-align -c "{figure}"' for figure in FIGURES)]
    timed(
        "a project and a database of before",
        lambda: company.run(
            [SETUP["make setup"], "source .venv/bin/activate", "journey services up", 'eval "$(journey env)"',
             f"journey land --weeks {weeks}", "journey load", "journey build --target demo"],
            company.folder,
        ),
    )  # fmt: skip
    before, commit = company.run(look, company.folder), company.git("rev-parse", "HEAD").strip()
    said = timed(
        "the steps of docs/upgrade.md", lambda: company.run([*BEGIN, *blocks("docs/upgrade.md", SETUP)], company.folder)
    )
    again = timed("a build that finds nothing new", lambda: company.run(
        [*BEGIN, "journey load", "journey build --target prod"], company.folder
    ))  # fmt: skip
    after = company.run(look, company.folder)
    print(before, after, sep="---\n")
    changed = company.git("diff", "--name-only", commit, "HEAD", "--", *OWN, ".company")
    faults = [
        *(["the figures, or the files, are others"] if before != after else []),
        *(["a file was loaded again"] if len(re.findall("^0 rows loaded", said + again, re.MULTILINE)) < 2 else []),
        *([f"changed: {changed}"] if changed else []),
        *(["it isn't published"] if "Not published" in said + again else []),
    ]
    print("\n".join(faults) or "All tests passed, nothing was loaded twice, the figures are those of before.")
    sys.exit(1 if faults else 0)


def timed(what: str, work: Callable[[], str]) -> str:
    """Do it, and say how long it took."""
    begun = time.monotonic()
    said = work()
    print(f"{time.monotonic() - begun:6.1f} s  {what}", flush=True)
    return said


if __name__ == "__main__":
    main()
