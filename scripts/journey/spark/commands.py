"""`journey spark …`: the cluster on this machine, and what is done with it."""

from __future__ import annotations

import sys

import click


@click.group()
def spark() -> None:
    """A Spark cluster on this machine, on loopback: a master, two workers and the Thrift server."""


@spark.command()
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="So many, of one core each.")
def up(workers: int) -> None:
    """Start what isn't running; wait until SQL is answered."""
    from journey.spark import cluster

    cluster.up(workers=workers)
    _print_status()


@spark.command()
def down() -> None:
    """Stop what runs; tables stay."""
    from journey.spark import cluster

    cluster.down()
    _print_status()


@spark.command()
def status() -> None:
    """Say what runs, where, and where its log is. Exit status 1 if something is down."""
    from journey.spark import cluster

    _print_status()
    found = cluster.status()
    if not found or not all(service.running for service in found):
        sys.exit(1)


def _print_status() -> None:
    from journey.spark import cluster

    found = cluster.status()
    if not found:
        click.echo("Spark was never started here: run `journey spark up`")
    for one in found:
        click.echo(f"{one.name:<16} {'up' if one.running else 'down':<5} {one.address:<26} {one.detail}")
