"""The data that the benchmarks measure with: bench.py, beside the land.py of the project's company."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import psycopg

from journey.land.plan import run_beside_models
from journey.project import project_root

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Company:
    """What a bench.py says.

    Attributes:
        columns: of a table of numbers and one timestamptz, for `make bench-load`: type by name.
        moment: the timestamptz.
        count: rows of that table.
        rows: gives it.
        full: for `make bench-build`: what has arrived by then is the full build, and the next days bring one file each.
        earlier_years: given a connection and a number, puts so many years before what is in the raw tables.
    """

    columns: dict[str, str]
    moment: str
    count: int
    rows: Callable[[], pa.Table]
    full: date
    earlier_years: Callable[[psycopg.Connection[Any], int], None]


@cache
def company() -> Company:
    """The one of the project.

    Raises:
        UsageError: it has no bench.py.
    """
    _, said = run_beside_models(project_root(), "bench.py")
    return Company(said["COLUMNS"], said["MOMENT"], said["ROWS"], said["rows"], said["FULL"], said["earlier_years"])
