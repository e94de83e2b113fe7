"""How a publication moved the marts' headline figures, and what moved them: read from the database and put into words.

What there is to read is worked out while publishing, by macros/publishing/changes.sql.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection, errors, sql

from journey.errors import JourneyError
from journey.text import shown_json

QUERY = """
    select publication_id, published_at, is_current, max(publication_id) over (), mart, measure, before_amount,
        after_amount, period_unit, note, cause, amount, periods_count, files_count, files, models, seeds
    from {}.changes order by publication_id, mart, measure, cause
"""
UNITS = {"day": "date"}  # as a person says it


@dataclass(frozen=True)
class Part:
    """What of a movement has one cause.

    Attributes:
        cause: `new files`, `restated files`, `withdrawn files`, `code`, `seeds`, or several of them
            joined by ` and `; `unknown` if nothing that is recorded changed.
        amount: in the measure's own unit; parts add up to the movement exactly.
        periods: how many periods moved for this cause; None of a mart without periods.
        files: how many files it was.
        keys: the first of them, `s3://…`.
        models: the first models whose code changed.
        seeds: the first seeds that changed.
    """

    cause: str
    amount: Decimal
    periods: int | None
    files: int
    keys: tuple[str, ...]
    models: tuple[str, ...]
    seeds: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A headline figure of a mart, before and after a publication.

    Attributes:
        mart: such as `sales.sales_performance`.
        measure: the column that is summed.
        before: in the publication before; None where there is nothing to compare with.
        after: in this one; None of a figure that was taken away.
        unit: what a period is: `day`, `week`, `month`, `period`; None without periods.
        note: why there is no comparison, or None.
        parts: what moved it; none if it did not move.
    """

    mart: str
    measure: str
    before: Decimal | None
    after: Decimal | None
    unit: str | None
    note: str | None
    parts: tuple[Part, ...]

    @property
    def movement(self) -> Decimal | None:
        """After less before; None where there is nothing to compare with."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def because(self) -> str:
        """What moved it, in one line; why there is no comparison; empty if it did not move."""
        return self.note or ", ".join(self._told(part) for part in self.parts)

    def _told(self, part: Part) -> str:
        counts = [_count(part.files, "file")] if part.files else []
        if part.periods is not None and self.unit is not None:
            counts.append(_count(part.periods, UNITS.get(self.unit, self.unit)))
        return f"{part.cause} {part.amount:+,}" + (f" ({', '.join(counts)})" if counts else "")


@dataclass(frozen=True)
class Publication:
    """A publication that is kept, and what it changed.

    Attributes:
        number: its number.
        published_at: when.
        is_current: readers see this one.
        newest: the number of the newest one.
        figures: by mart and measure; none of a publication from before changes were recorded.
    """

    number: int
    published_at: datetime
    is_current: bool
    newest: int
    figures: tuple[Figure, ...]


def read(connection: Connection[Any], schema: str = "publications", number: int | None = None) -> Publication:
    """What a publication changed. The site's front page shows it, too.

    Args:
        connection: of a login that may read the marts.
        schema: that the view `changes` is in; with a prefix for a copy of one's own.
        number: of the publication; the one that readers see if None.

    Raises:
        JourneyError: nothing is published, the publication isn't kept, or the login may not read it.
    """
    try:
        rows = connection.execute(sql.SQL(QUERY).format(sql.Identifier(schema))).fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        raise JourneyError(
            f"nothing is published yet in this database (there is no {schema}.changes): journey build publishes, and "
            "--target says whose marts, there and here: prod, or demo"
        ) from None
    except errors.InsufficientPrivilege:
        raise JourneyError(f"this login may not read {schema}.changes: journey roles lets analysts") from None
    if not rows:
        raise JourneyError("nothing is published yet: journey build, with the same --target")
    found = [row for row in rows if (row[2] if number is None else row[0] == number)]
    if not found:
        kept = ", ".join(str(one) for one in sorted({row[0] for row in rows}))
        raise JourneyError(f"publication {number} isn't kept; these are: {kept}")
    parts: dict[tuple[str, str], list[Part]] = {}
    figures: dict[tuple[str, str], tuple[Any, ...]] = {}
    for row in found:
        if row[4] is None:
            continue
        figures[row[4], row[5]] = row[4:10]
        if row[10] is not None:
            names = [tuple(one or ()) for one in row[14:17]]
            parts.setdefault((row[4], row[5]), []).append(Part(*row[10:14], *names))
    told = [
        Figure(mart, measure, before, after, unit, note, tuple(parts.get((mart, measure), ())))
        for mart, measure, before, after, unit, note in figures.values()
    ]
    publication, published_at, is_current, newest = found[0][:4]
    return Publication(publication, published_at, is_current, newest, tuple(told))


def lines(publication: Publication) -> list[str]:
    """A publication's changes for a person.

    Args:
        publication: what `read` returned.
    """
    at = publication.published_at.strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    seen = "readers see this one" if publication.is_current else "readers see another one"
    newer = f"; publication {publication.newest} is newer" if publication.newest > publication.number else ""
    said = [f"publication {publication.number} of {at}, {seen}{newer}"]
    if not publication.figures:
        return [*said, "nothing was recorded of what it changed"]
    [note, *others] = dict.fromkeys(figure.note for figure in publication.figures)
    if note and not others and all(figure.after is not None for figure in publication.figures):  # of all: once
        return [*said, f"{note}, so nothing is compared", "", *_amounts(publication.figures)]
    unchanged = []
    for mart in dict.fromkeys(figure.mart for figure in publication.figures):
        figures = [figure for figure in publication.figures if figure.mart == mart]
        telling = [figure for figure in figures if figure.note or figure.parts]
        unchanged += [mart] if not telling else []
        said += ["", mart] if telling else []
        said += [f"  {_line(figure)}" for figure in telling]
        said += [f"    {line}" for line in _names([part for figure in telling for part in figure.parts])]
    return [*said, *(["", f"unchanged: {', '.join(unchanged)}"] if unchanged else [])]


def as_json(publication: Publication) -> str:
    """The same for a program, on one line. Amounts are texts, for they are exact.

    Args:
        publication: what `read` returned.
    """

    def plain(value: object) -> object:
        return str(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, datetime) else value

    figures = [
        {
            **{name: plain(getattr(figure, name)) for name in ("mart", "measure", "before", "after", "movement")},
            "unit": figure.unit,
            "note": figure.note,
            "parts": [{name: plain(value) for name, value in vars(part).items()} for part in figure.parts],
        }
        for figure in publication.figures
    ]
    about = {name: plain(value) for name, value in vars(publication).items() if name != "figures"}
    return shown_json(json.dumps({**about, "figures": figures}, ensure_ascii=False))


def _line(figure: Figure) -> str:
    after = "nothing" if figure.after is None else f"{figure.after:,}"
    if figure.before is None:
        return f"{figure.measure} {after}: {figure.because}"
    moved = "" if figure.movement is None else f" ({figure.movement:+,})"
    return f"{figure.measure} {figure.before:,} → {after}{moved}: {figure.because}"


def _amounts(figures: Sequence[Figure]) -> list[str]:
    """A line for each mart."""
    found: dict[str, list[str]] = {}
    for figure in figures:
        found.setdefault(figure.mart, []).append(f"{figure.measure} {figure.after:,}")
    return [f"{mart}  {', '.join(amounts)}" for mart, amounts in found.items()]


def _names(parts: Sequence[Part]) -> list[str]:
    """The files, models and seeds that each cause names, once for all measures of a mart."""
    said = []
    for cause in dict.fromkeys(part.cause for part in parts):
        part = max((part for part in parts if part.cause == cause), key=lambda one: one.files)
        more = [f"and {part.files - len(part.keys)} more"] if part.files > len(part.keys) else []
        names = [
            *part.keys,
            *more,
            *(f"model {name}" for name in part.models),
            *(f"seed {name}" for name in part.seeds),
        ]
        said += [f"{cause}: {', '.join(names)}"] if names else []
    return said


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
