"""`journey demo`: everything from nothing to tested marts, on the embedded services, with a project's own data."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from journey import dbt, services, settings, site
from journey.building import turn
from journey.embedded import LOADER, TRANSFORMER, use_embedded
from journey.errors import JourneyError

Result = TypeVar("Result")

TARGET = "demo"  # of the profile: the database is the demo's own, so its marts have their plain names

# by the mart that they are of: a mart that is switched off has none
FIGURES = {
    "marketing.customer_profiles": """
        select
            'Champions: ' || count(*) filter (where segment_name = 'Champions') || ' of ' || count(*) || ' customers, '
            || to_char(
                100 * sum(net_sales_amount) filter (where segment_name = 'Champions')
                / nullif(sum(net_sales_amount), 0), 'FM990.0'
            ) || ' % of net sales of ' || to_char(sum(net_sales_amount), 'FM999,999,990.00')
        from marketing.customer_profiles
    """,
    "sales.sales_performance": """
        select
            department || ' leads with ' || to_char(sum(net_sales_amount), 'FM999,999,990.00') || ' of net sales of '
            || to_char(sum(sum(net_sales_amount)) over (), 'FM999,999,990.00')
        from sales.sales_performance
        group by department
        order by sum(net_sales_amount) desc
        limit 1
    """,
    "finance.income_statement": """
        select
            'Net income ' || to_char(sum(actual_amount) filter (where line_code = 'net_income'), 'FM999,999,990.00')
            || ' (budget ' || to_char(sum(budget_amount) filter (where line_code = 'net_income'), 'FM999,999,990.00')
            || ') on net sales of '
            || to_char(sum(actual_amount) filter (where line_code = 'net_sales'), 'FM999,999,990.00')
            || ' in ' || count(distinct fiscal_period) || ' posted periods'
        from finance.income_statement
        where actual_amount is not null
    """,
}


def run(weeks: int | None) -> None:
    """Start the services, land, load, build, test, document; then say what there is to see.

    Args:
        weeks: land only what the first so many weeks brought; all of it if None.

    Raises:
        JourneyError: a step failed; the steps before it stand, and the next run goes on from there.
    """
    from journey.land import land
    from journey.land.report import progress
    from journey.loader.report import TextReport
    from journey.loader.run import load
    from journey.project import project_root

    root, begun = project_root(), time.monotonic()
    os.environ["DBT_TARGET"] = TARGET  # of every dbt from here on, the loader's too: a manifest is one target's
    step = Steps(5)

    found = step("services", _services)
    step.done(", ".join(f"{service.name} at {service.address}" for service in found))

    with progress() as bar:
        landing = step("land", lambda: land(weeks=weeks, begin=bar))
    step.done(f"{landing.written} files written, {landing.unchanged} there already, in s3://{landing.bucket}")

    use_embedded(LOADER)
    loaded = step("load", lambda: load(report=TextReport()))
    use_embedded(TRANSFORMER)
    if loaded.failures:
        raise JourneyError("\n".join(["files failed to load:", *loaded.failures]))
    rows = sum(table.rows for table in loaded.tables.values())
    files = sum(table.files for table in loaded.tables.values())
    step.done(f"{rows:,} rows of {files} new files")

    built = step("build", lambda: _build(root))
    step.done(f"{built.built} models, seeds and snapshots built, {built.tested} tests passed, {built.warned} warned")

    page = step("docs", lambda: site.write(root))
    step.done(f"{len(list(page.parent.glob('*.html')))} pages, which need no server")

    click.echo(f"\nDone in {time.monotonic() - begun:.0f} s. {landing.about}\n")
    _print_figures(root)
    click.echo(f"\nFigures and charts to look at:       {page.as_uri()}")
    click.echo(f"The marts and what they answer:      {page.with_name('marts.html').as_uri()}")
    click.echo(f"Models, columns, tests and lineage:  {page.with_name('models.html').as_uri()}")
    click.echo(
        f"SQL on the marts:                    {_command(root)} psql -c 'select * from sales.sales_performance limit 5'"
    )
    click.echo(f"Stop the services:                   {_command(root)} services down")


class Steps:
    """Says what step runs, and when it's over what it did and how long it took."""

    def __init__(self, count: int) -> None:
        self.count, self.number, self.begun = count, 0, 0.0
        self.name = ""

    def __call__(self, name: str, work: Callable[[], Result]) -> Result:
        self.number, self.name, self.begun = self.number + 1, name, time.monotonic()
        return work()

    def done(self, what: str) -> None:
        click.echo(f"{self.number}/{self.count} {self.name:<9} {time.monotonic() - self.begun:6.1f} s  {what}")


def _services() -> list[services.Status]:
    found = services.up()
    use_embedded(only=True)
    return found


def _build(root: Path) -> dbt.Outcome:
    with turn(root, TARGET) as ours:
        return dbt.run(["build"], root=root, title="build", listener=ours.listen)


def _print_figures(root: Path) -> None:
    nodes = json.loads((root / "target" / "manifest.json").read_text())["nodes"].values()
    built = {node["name"] for node in nodes if node["resource_type"] == "model"}
    with settings.connect() as connection:
        for table, query in FIGURES.items():
            mart, model = table.split(".")
            if model in built:
                row = connection.execute(query).fetchone()
                click.echo(f"{mart:<10} {row[0] if row and row[0] else 'nothing yet'}")


def _command(root: Path) -> str:
    program = root / ".venv" / "bin" / "journey"
    return os.path.relpath(program) if program.exists() else "journey"
