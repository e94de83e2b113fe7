"""The `journey` command parses, calls, prints. Exit status 0 all well, 1 something failed, 2 usage or configuration."""

from __future__ import annotations

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


def _print_services(found: Sequence[Status]) -> None:
    if not found:
        click.echo("the embedded services were never started here: run `journey services up`")
    for service in found:
        click.echo(
            f"{service.name:<14} {'up' if service.running else 'down':<5} {service.address:<24} {service.detail}"
        )


def main() -> None:
    """Entry point: a JourneyError is one line on standard error, never a traceback."""
    try:
        cli()
    except JourneyError as error:
        click.echo(f"journey: {error}", err=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
