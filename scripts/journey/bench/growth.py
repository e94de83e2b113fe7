"""`make bench-spark`: how full builds grow with the data, on PostgreSQL, and on Spark with one and with two workers.

Slices of the default data, each in services and a cluster of the benchmark's own, which it starts, stops and removes.
Each engine loads a slice once, and builds all models, seeds and snapshots whole, without tests, with two dbt threads.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

import psycopg

from journey import dbt, services
from journey.embedded import ADMIN, use_embedded
from journey.land import land
from journey.loader.run import load as load_into_postgres
from journey.project import local_dir, project_root
from journey.spark import cluster
from journey.spark.loading import load as load_into_spark

WEEKS = (3, 12, 48)  # 1, 4 and 16 times the data
BUILD = ["build", "--full-refresh", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]


@dataclass(frozen=True)
class Point:
    """One full build.

    Attributes:
        engine: and its workers.
        weeks: of the default data.
        rows: of all raw tables, millions.
        load: seconds.
        build: seconds.
    """

    engine: str
    weeks: int
    rows: float
    load: float
    build: float


def measure(weeks: int, workers: Sequence[int]) -> list[Point]:
    """Build a slice on each engine.

    Args:
        weeks: of the default data.
        workers: of Spark's clusters, one after another.

    Raises:
        SystemExit: a file could not be loaded.
        JourneyError: a step failed.
    """
    root, points = project_root(), []
    services.up()
    use_embedded(ADMIN, only=True)
    try:
        land(weeks=weeks)
        use_target("demo")
        load = timed(lambda: refuse_failures(load_into_postgres().failures))
        with psycopg.connect() as connection:
            [(rows,)] = connection.execute("select sum(row_count) / 1e6 from loader.files where status = 'loaded'")
        points.append(Point("PostgreSQL", weeks, float(rows), load, timed(lambda: dbt.run(BUILD, root=root))))
        report(points[-1])
        use_target("spark")
        load = 0.0
        for number in workers:
            try:
                cluster.up(workers=number)
                os.environ.update(cluster.environment())
                load = load or timed(lambda: refuse_failures(load_into_spark().failures))
                build = timed(lambda: dbt.run(BUILD, root=root))
            finally:
                cluster.down()
            name = f"Spark, {number} worker{'s' if number > 1 else ''}"
            points.append(Point(name, weeks, float(rows), load, build))
            report(points[-1])
    finally:
        services.down()
    return points


def use_target(name: str) -> None:
    """Let every dbt from here on build into a target, with what it writes in a folder of its own."""
    os.environ["DBT_TARGET"] = name
    os.environ["DBT_TARGET_PATH"] = str(local_dir() / "target" / name)


def timed(do: Callable[[], object]) -> float:
    """How many seconds it takes."""
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def refuse_failures(failures: Sequence[str]) -> None:
    """Stop where a slice isn't whole.

    Raises:
        SystemExit: a file failed.
    """
    if failures:
        raise SystemExit("\n".join(failures))


def report(point: Point) -> None:
    """Say at once what is known, for a run takes hours."""
    print(
        f"{point.weeks:5} weeks {point.rows:8.2f} million rows  {point.engine:17} load {point.load:6.0f} s"
        f"  build {point.build:6.0f} s  {point.build / point.rows:6.1f} s per million rows",
        flush=True,
    )


def crossing(points: Sequence[Point]) -> str:
    """Where the lines through the builds of each engine cross those of PostgreSQL, if they do.

    Args:
        points: of two sizes or more.
    """
    lines = {}
    for engine in dict.fromkeys(point.engine for point in points):
        of_it = [point for point in points if point.engine == engine]
        lines[engine] = linear_regression([point.rows for point in of_it], [point.build for point in of_it])
    said = [f"{name}: {line.intercept:.0f} s + {line.slope:.2f} s per million rows" for name, line in lines.items()]
    ours = lines.pop("PostgreSQL")
    for name, line in lines.items():
        if line.slope >= ours.slope:
            said.append(f"{name} never overtakes PostgreSQL: its line is no less steep")
        else:
            rows = (line.intercept - ours.intercept) / (ours.slope - line.slope)
            said.append(f"{name} overtakes PostgreSQL at {rows:,.0f} million rows, if the lines go on")
    return "\n".join(said)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, nargs="+", default=WEEKS, help="sizes of slices")
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2), help="of the cluster, one after another")
    chosen = parser.parse_args()
    base, points = local_dir() / "growth", list[Point]()
    for weeks in chosen.weeks:
        os.environ["JOURNEY_LOCAL_DIR"] = str(base / str(weeks))
        Path(os.environ["JOURNEY_LOCAL_DIR"]).mkdir(parents=True)
        try:
            points += measure(weeks, chosen.workers)
        finally:
            shutil.rmtree(base / str(weeks))
    if len(chosen.weeks) > 1:
        print(crossing(points))


if __name__ == "__main__":
    main()
