"""The `journey` command parses, calls, prints. Exit status 0 all well, 1 something failed, 2 usage or configuration."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journey.errors import JourneyError, UsageError

if TYPE_CHECKING:
    from journey.services import Status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="journey")
def cli() -> None:
    """Bring files from S3 into PostgreSQL, exactly once, and build marts from them."""


@cli.group()
def services() -> None:
    """The embedded PostgreSQL and S3 server, on loopback, under .local/."""


@services.command()
def up() -> None:
    """Start what isn't running; wait until it answers."""
    from journey import services as embedded

    _print_services(embedded.up())


@services.command()
def down() -> None:
    """Stop what runs; the data stays."""
    from journey import services as embedded

    _print_services(embedded.down())


@services.command("status")
def services_status() -> None:
    """Say what runs, where, and where its data and log are. Exit status 1 if something is down."""
    from journey import services as embedded

    found = embedded.status()
    _print_services(found)
    if not found or not all(service.running for service in found):
        sys.exit(1)


@cli.command()
def env() -> None:
    """Print the exports that dbt, psql and the AWS CLI need: eval "$(journey env)"."""
    from journey.project import local_dir
    from journey.services import postgres
    from journey.services.state import State
    from journey.settings import environment

    state = State.read(local_dir())
    if state is None:
        raise UsageError("the embedded services were never started here: run `journey services up`")
    for name, value in environment(state).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    bins = os.pathsep.join(map(str, (Path(sys.executable).parent, postgres.bin_dir())))
    click.echo(f'export PATH={shlex.quote(bins)}:"$PATH"')


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: Sequence[str]) -> None:
    """Open the bundled psql on the database; what follows is passed on to it."""
    from journey.services import postgres
    from journey.settings import use_embedded

    use_embedded()
    program = postgres.bin_dir() / "psql"
    os.execv(program, [str(program), *arguments])  # noqa: S606


@cli.command("land")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only what arrived by then (2017-03-31)."
)
@click.option("--weeks", type=click.IntRange(1, 53), metavar="N", help="Only the first N retail weeks (1 to 53).")
def land_command(until: datetime | None, weeks: int | None) -> None:
    """Write the default data into the landing bucket, as three source systems would deliver it.

    Sales, promotions and the loyalty programme are public data (The Complete Journey). Earlier states of products and
    households and the whole ledger are simulated. What is there already is not written again.
    """
    from journey.land import land, until_of_weeks
    from journey.land.report import print_landing, progress

    if until and weeks:
        raise UsageError("--until and --weeks both say where to stop: give one of them")
    last = until.date() if until else until_of_weeks(weeks) if weeks else None
    with progress() as begin:
        done = land(until=last, begin=begin)
    print_landing(done)


@cli.command()
@click.option("--weeks", type=click.IntRange(1, 53), metavar="N", help="Only the first N weeks of the default data.")
def demo(weeks: int | None) -> None:
    """From nothing to tested marts, on the embedded services and the default data."""
    from journey import demo as demonstration

    demonstration.run(weeks)


@cli.command()
def docs() -> None:
    """Write the docs site (models, columns, tests, lineage) of what is in the database now."""
    from journey import site
    from journey.project import project_root

    click.echo(site.write(project_root()).as_uri())


@cli.command("load")
@click.option("--select", "-s", "selected", multiple=True, metavar="SOURCE[.TABLE]", help="Only these, as in dbt.")
@click.option("--dry-run", is_flag=True, help="Say what would load, and why; load nothing.")
@click.option("--reload", multiple=True, metavar="KEY", help="Load this file again though it is loaded.")
@click.option("--max-files", type=click.IntRange(min=0), help="Load at most so many files.")
@click.option("--threads", type=click.IntRange(min=1), default=4, show_default=True, help="Files side by side.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def load_command(
    selected: Sequence[str], dry_run: bool, reload: Sequence[str], max_files: int | None, threads: int, log_format: str
) -> None:
    """Load what is in S3 and not yet in PostgreSQL, each file exactly once.

    Exit status 0: all is loaded. 1: a file failed, the others are loaded. 2: usage or configuration, nothing was tried.
    """
    from journey.loader import load
    from journey.loader.report import JsonReport, TextReport, summary_lines

    report = JsonReport() if log_format == "json" else TextReport()
    summary = load(
        selected, dry_run=dry_run, reload=reload, max_files=max_files, threads=threads, report=report
    )  # fmt: skip
    for line in summary_lines(summary, as_json=log_format == "json"):
        click.echo(line)
    sys.exit(summary.exit_status)


@cli.command("status")
@click.option("--select", "-s", "selected", multiple=True, metavar="SOURCE[.TABLE]", help="Only these, as in dbt.")
def status_command(selected: Sequence[str]) -> None:
    """Say how each raw table stands: files, rows, rejects, newest file, lag, failures, drift.

    Exit status 1 if a file failed and wasn't loaded since.
    """
    from journey.loader import status
    from journey.loader.report import status_lines

    tables = status(selected)
    for line in status_lines(tables):
        click.echo(line)
    sys.exit(1 if any(table.failed for table in tables.values()) else 0)


def _print_services(found: Sequence[Status]) -> None:
    if not found:
        click.echo("the embedded services were never started here: run `journey services up`")
    for service in found:
        click.echo(
            f"{service.name:<14} {'up' if service.running else 'down':<5} {service.address:<24} {service.detail}"
        )


def main() -> None:
    """Entry point: a JourneyError is one line on standard error, never a traceback."""
    gc.set_threshold(100_000)  # imports, models and manifests are many objects and hardly any garbage
    try:
        cli()
    except JourneyError as error:
        click.echo(f"journey: {error}", err=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
