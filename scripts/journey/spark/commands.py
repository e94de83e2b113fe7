"""`journey spark …`: the cluster on this machine, and what is done with it."""

from __future__ import annotations

import sys

import click

from journey.text import shown


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


@spark.command()
@click.option("--weeks", type=click.IntRange(1), metavar="N", help="Land only what the first N weeks brought.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="So many, of one core each.")
@click.option("--daily", is_flag=True, help="Leave unit tests out: they belong to a change of code.")
def demo(weeks: int | None, workers: int, daily: bool) -> None:
    """Start services and cluster, land the project's own data, load it into Spark, build and test all models there."""
    from journey.spark import demo

    demo.run(weeks, workers=workers, daily=daily)


@spark.command()
@click.argument("nodes", nargs=-1, metavar="[NODE]...")
@click.option("--target", default="demo", show_default=True, help="PostgreSQL's, as in dbt.")
@click.option("--spark-target", default="spark", show_default=True, help="Spark's.")
def compare(nodes: tuple[str, ...], target: str, spark_target: str) -> None:
    """Compare each table that dbt built on Spark with PostgreSQL's, row for row; ratios to 1e-9.

    PostgreSQL's login must read persons' columns as they are. Exit status 1 if a table differs.
    """
    from journey.embedded import ADMIN, use_embedded
    from journey.project import project_root
    from journey.spark import cluster
    from journey.spark.compare import compare as compared

    cluster.use_cluster()
    use_embedded(ADMIN)  # in marts, the login that builds sees masks as every reader does
    tables = rows = differing = 0
    for one in compared(project_root(), target=target, spark_target=spark_target, selected=nodes):
        tables, rows, differing = tables + 1, rows + one.rows, differing + (not one.is_equal)
        if one.is_equal:
            click.echo(f"{one.name:<48} {one.rows:>12,} rows  equal")
        else:
            click.echo(
                f"{one.name:<48} {one.rows:>12,} rows  DIFFERS: {one.only_postgres:,} only in PostgreSQL, "
                f"{one.only_spark:,} only in Spark: {shown(one.example)}"
            )
    click.echo(f"{tables:,} tables, {rows:,} rows; {differing:,} tables differ")
    sys.exit(1 if differing else 0)


def _print_status() -> None:
    from journey.spark import cluster

    found = cluster.status()
    if not found:
        click.echo("Spark was never started here: run `journey spark up`")
    for one in found:
        click.echo(f"{one.name:<16} {'up' if one.running else 'down':<5} {one.address:<26} {one.detail}")
