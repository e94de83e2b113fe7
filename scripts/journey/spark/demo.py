"""`journey spark demo`: everything from nothing to tested marts on a Spark cluster, with a project's own data."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from journey import dbt, services
from journey.demo import Steps
from journey.embedded import use_embedded
from journey.errors import JourneyError
from journey.project import local_dir, project_root
from journey.spark import cluster

TARGET = "spark"


def run(weeks: int | None, *, workers: int = cluster.WORKERS, daily: bool = False) -> None:
    """Start services and cluster, land, load, build and test.

    Args:
        weeks: land only what the first so many weeks brought; all of it if None.
        workers: of the cluster.
        daily: leave unit tests out, which belong to a change of code.

    Raises:
        JourneyError: a step failed; the steps before it stand, and the next run goes on from there.
    """
    from journey.land import land
    from journey.land.report import progress
    from journey.loader.report import TextReport
    from journey.spark.loading import load

    root, begun = project_root(), time.monotonic()
    os.environ["DBT_TARGET"] = TARGET  # of every dbt from here on, the loader's too: a manifest is one target's
    os.environ["DBT_TARGET_PATH"] = str(local_dir() / "spark" / "target")
    step = Steps(5)

    step("services", _services)
    with progress() as bar:
        landing = step("land", lambda: land(weeks=weeks, begin=bar))
    step.done(f"{landing.written} files written, {landing.unchanged} there already, in s3://{landing.bucket}")

    found = step("cluster", lambda: cluster.up(workers=workers))
    step.done(", ".join(f"{one.name.removeprefix('Spark ')} {one.address}".strip() for one in found))
    os.environ.update(cluster.environment())

    loaded = step("load", lambda: load(report=TextReport()))
    if loaded.failures:
        raise JourneyError("\n".join(["files failed to load:", *loaded.failures]))
    rows = sum(table.rows for table in loaded.tables.values())
    step.done(f"{rows:,} rows of {sum(table.files for table in loaded.tables.values())} new files")

    built = step("build", lambda: _build(root, daily=daily))
    step.done(f"{built.built} models, seeds and snapshots built, {built.tested} tests passed, {built.warned} warned")
    click.echo(f"\nDone in {time.monotonic() - begun:.0f} s. {landing.about}\n")
    click.echo("Build the same in PostgreSQL:     journey demo" + (f" --weeks {weeks}" if weeks else ""))
    click.echo("Compare both then, row for row:   journey spark compare")
    click.echo("Stop the cluster:                 journey spark down")


def _services() -> None:
    services.up()
    use_embedded(only=True)


def _build(root: Path, *, daily: bool) -> dbt.Outcome:
    return dbt.run(["build", *(["--exclude-resource-type", "unit_test"] if daily else [])], root=root, title="build")
