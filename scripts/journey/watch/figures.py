"""What is watched: asked of dbt, shown as a table, or as a line of JSON for each alert."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from journey import dbt
from journey.errors import JourneyError
from journey.text import shown, shown_json

ALERTS = ("unusual", "late")
HEADINGS = ("what", "period", "measure", "figure", "expected", "verdict")


@dataclass(frozen=True)
class Figure:
    """A figure of a period of a feed or a mart, and what was expected.

    Attributes:
        watched: `source.table` of a feed, `schema.model` of a mart.
        kind: `feed` or `mart`.
        every: what a period is: `day`, `week`, `month`.
        period: its first day; of `freshness`, that of the newest there is; None where there is none.
        measure: as it is declared, or `freshness`: the days since the newest period.
        figure: what it is; None where there is nothing to measure.
        usual: what it mostly was; None without any past.
        low: end of the band; None likewise.
        high: its other end.
        past_count: of how many figures of the past the band comes.
        past: the same in words, such as `8 Mondays`.
        shown_figure: the figure as people read it.
        expected: the band likewise.
        members: which are missing, of a measure `members(…)`.
        verdict: `as usual`, `unusual`, `late`, `declared`, `not enough history`,
            `nothing to measure`, `nothing yet` or `not built`.
        files: of a feed, the files of the period, `s3://…`.
        message: all of it in a sentence.
    """

    watched: str
    kind: str
    every: str
    period: date | None
    measure: str
    figure: float | None
    usual: float | None
    low: float | None
    high: float | None
    past_count: int
    past: str
    shown_figure: str
    expected: str
    members: str | None
    verdict: str
    files: tuple[str, ...]
    message: str

    @property
    def is_alert(self) -> bool:
        """Somebody should look."""
        return self.verdict in ALERTS


def read(root: Path, *, as_of: date | None = None, target: str | None = None) -> list[Figure]:
    """Ask dbt for all figures that the project watches.

    Args:
        root: the project's folder.
        as_of: the day as which it is judged; what came later isn't looked at. None: the newest periods are judged, as
            the tests of a build judge them, and nothing is late.
        target: of the profile, whose marts are watched; dbt's own choice if None.

    Raises:
        JourneyError: dbt can't read the project, or the database refuses a query.
    """
    said: list[str] = []
    chosen = ["--target", target] if target else []
    day = {"as_of": as_of.isoformat()} if as_of else {}
    if not dbt.operation("watch", day, chosen, root=root, say=said.append):
        raise JourneyError("dbt could not run the macro watch: dbt run-operation watch says why")
    return [_figure(json.loads(line)) for line in said if line.startswith("{")]


def _figure(row: dict[str, Any]) -> Figure:
    period = date.fromisoformat(row["period"]) if row["period"] else None
    return Figure(**{**row, "period": period, "files": tuple(row["files"])})


def lines(figures: Sequence[Figure]) -> list[str]:
    """Figures as a table for a person, alerts first; files stand below their alert.

    Args:
        figures: what `read` returned.
    """
    ordered = sorted(figures, key=lambda one: (not one.is_alert, one.watched, str(one.period), one.measure))
    rows = [
        (one.watched, str(one.period or "-"), one.measure, one.shown_figure, _expected(one), _verdict(one))
        for one in ordered
    ]
    widths = [max(len(row[column]) for row in [HEADINGS, *rows]) for column in range(len(HEADINGS))]
    said = [_row(HEADINGS, widths)]
    for one, row in zip(ordered, rows, strict=True):
        said.append(_row(row, widths))
        said += [f"  {file}" for file in one.files if one.is_alert]
        said += [f"  missing: {one.members}"] if one.is_alert and one.members else []
    return [shown(line) for line in said]


def as_json(figure: Figure) -> str:
    """A figure for a program, on one line.

    Args:
        figure: that is an alert, mostly.
    """
    return shown_json(json.dumps(plain(figure), ensure_ascii=False))


def plain(figure: Figure) -> dict[str, Any]:
    """A figure as JSON has it: its period is a text."""
    return {**vars(figure), "period": figure.period and figure.period.isoformat(), "files": list(figure.files)}


def _expected(one: Figure) -> str:
    """The band, but for one that too few figures would make."""
    return "-" if one.verdict == "not enough history" else one.expected


def _verdict(one: Figure) -> str:
    return f"{one.verdict} ({one.past})" if one.verdict == "not enough history" else one.verdict


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [cell.rjust(width) if column == 3 else cell.ljust(width) for column, (cell, width) in
               enumerate(zip(cells, widths, strict=True))]  # fmt: skip
    return "  ".join(aligned).rstrip()
