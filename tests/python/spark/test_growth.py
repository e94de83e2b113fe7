"""What `make bench-spark` concludes of its builds."""

from __future__ import annotations

from journey.bench.growth import Point, crossing


def points(engine: str, *builds: float) -> list[Point]:
    """Builds of one, four and sixteen million rows."""
    return [Point(engine, 0, rows, 0, build) for rows, build in zip((1.0, 4.0, 16.0), builds, strict=True)]


def test_lines_cross_where_the_less_steep_one_catches_up() -> None:
    said = crossing(points("PostgreSQL", 13, 22, 58) + points("Spark, 2 workers", 101, 104, 116))
    assert said.splitlines() == [
        "PostgreSQL: 10 s + 3.00 s per million rows",
        "Spark, 2 workers: 100 s + 1.00 s per million rows",
        "Spark, 2 workers overtakes PostgreSQL at 45 million rows, if the lines go on",
    ]


def test_a_line_that_is_no_less_steep_never_catches_up() -> None:
    said = crossing(points("PostgreSQL", 13, 22, 58) + points("Spark, 1 worker", 103, 112, 148))
    assert said.splitlines()[-1] == "Spark, 1 worker never overtakes PostgreSQL: its line is no less steep"
