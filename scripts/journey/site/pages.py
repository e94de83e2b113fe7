"""The pages: a front page and one for each folder of marts, as HTML that needs nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from journey.site import charts
from journey.site.declared import Chart, Figure, Section
from journey.site.figures import ALL, Headline, Published, Value, choices

if TYPE_CHECKING:
    from journey.changes import Publication
    from journey.watch.figures import Figure as Watched

ASSETS = Path(__file__).with_name("assets")


@dataclass(frozen=True)
class Drawn:
    """A chart with its rows.

    Attributes:
        chart: as declared.
        rows: values of its columns, in order.
        nothing: why it shows nothing; empty if it shows something.
    """

    chart: Chart
    rows: Sequence[Sequence[Value]]
    nothing: str


@dataclass(frozen=True)
class Part:
    """A section with its figures and charts.

    Attributes:
        section: as declared.
        figures: each with its values.
        drawn: its charts.
    """

    section: Section
    figures: Sequence[tuple[Figure, Headline]]
    drawn: Sequence[Drawn]


def write(
    folder: Path,
    parts: Sequence[Part],
    published: Published,
    *,
    changed: Publication | None,
    watched: Sequence[Watched] | None,
    currency: str,
    project: str,
    prefix: str,
) -> list[Path]:
    """Write all pages, and what they share into `assets`.

    Args:
        folder: the site's.
        parts: all sections, of all pages.
        published: what they show.
        changed: what this publication changed, if it is known.
        watched: figures of feeds and marts, judged by their own past, if they are known.
        currency: of all amounts, in words.
        project: its name.
        prefix: of the schemas, which is said where the marts aren't those that everybody reads; else empty.

    Returns:
        The pages, the front page first.
    """
    pages: dict[str, list[Part]] = {}
    for part in parts:
        pages.setdefault(part.section.page, []).append(part)
    shared = {
        "pages": {name: name.replace("_", " ").capitalize() for name in pages},
        "published": published,
        "currency": currency,
        "project": project.replace("_", " "),
        "project_name": project,
        "prefix": prefix,
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"day": _day, "written": _written, "of_watched": _of_watched}
    environment.globals |= {"tile": _tile}
    write_assets(folder / "assets")
    front = environment.get_template("front.html").render(
        **shared, name="", parts_of=pages, changed=changed, watched=watched
    )
    written = [folder / "index.html"]
    written[0].write_text(front)
    for name, own in pages.items():
        data = {drawn.chart.id: _data(drawn) for part in own for drawn in part.drawn if not drawn.nothing}
        simulated = sorted({mart.simulated for part in own for mart in part.section.marts if mart.simulated})
        page = environment.get_template("page.html").render(
            **shared, name=name, parts=own, data=_json(data), simulated=simulated
        )
        written.append(folder / f"{name}.html")
        written[-1].write_text(page)
    return written


def write_assets(folder: Path) -> None:
    """Write the style, the script, and Vega's own scripts in one file, which all pages share."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("page.css", "page.js"):
        (folder / name).write_text((ASSETS / name).read_text())
    (folder / "charts.js").write_text(_vega())


@cache
def _vega() -> str:
    """Vega, Vega-Lite and their renderer; two seconds to put together."""
    import vl_convert

    # a script of type module doesn't load from file://, and a classic one shares its names with every other
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return f"(function(){{{bundle}}})();\n"


def _data(drawn: Drawn) -> dict[str, Any]:
    chart = drawn.chart
    begin = chart.said.get("begin", {})
    return {
        "kind": chart.kind,
        "name": chart.id.replace(".", "-"),
        "title": chart.said["title"],
        "columns": [[column.name, column.label, column.format] for column in chart.columns],
        "roles": chart.roles,
        "filters": [
            {
                "column": name,
                "label": chart.label(name),
                "all": name in chart.said.get("all", ()),
                "begin": begin.get(name),
                "values": values,
            }
            for name, values in choices(chart, drawn.rows).items()
        ],
        "most": chart.said.get("most"),
        "spec": charts.spec(chart),
        "rows": drawn.rows,
    }  # fmt: skip


def _json(data: Mapping[str, Any]) -> Markup:
    """For a script of type application/json, which `</script>` or `<!--` in a text would end."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # noqa: S704 - no `<` is left in it


def _tile(figure: Figure, headline: Headline, currency: str) -> dict[str, str]:
    """What a headline figure says.

    Args:
        figure: as declared.
        headline: its values.
        currency: of amounts.
    """
    said = figure.said
    told = {
        "label": said["label"],
        "value": _written(headline.value, figure.format),
        "of": "",
        "change": "",
        "mood": "",
    }
    told["unit"] = currency if figure.format == "amount" else ""
    if "of" in said and headline.of is not None:
        told["of"] = _written(headline.of, figure.of_format)
    if isinstance(headline.value, (int, float)) and isinstance(headline.base, (int, float)):
        told |= change(said, figure.format, float(headline.value), float(headline.base), headline.chance)
    return told


def change(said: Mapping[str, Any], form: str, value: float, base: float, chance: Value) -> dict[str, str]:
    """How a figure moved: in percent, a rate in points, and from nothing or a loss in its own unit.

    Args:
        said: the figure's declaration.
        form: its format.
        value: now.
        base: what it is compared with.
        chance: whether that is more than chance explains; None if nobody says.
    """
    against = said.get("against", "")
    if form == "rate":
        moved, unit = round(100 * (value - base), 1), " points"
    elif base > 0:
        moved, unit = round(100 * (value / base - 1), 1), " %"
    else:  # a share of nothing, or of a loss, says nothing
        moved, unit = round(value - base), ""
    mood = "same" if not moved else "up" if moved > 0 else "down"
    text = f"{moved:+,}{unit}" if moved else "no change"
    good = {"higher": "up", "lower": "down"}.get(said.get("better", ""))
    if chance is False:
        against += "; chance explains as much"
        good = None
    tone = "" if good is None or mood == "same" else "good" if mood == good else "bad"
    return {"change": text.replace("-", MINUS), "against": against, "mood": mood, "tone": tone,
            "base": _written(base, form)}  # fmt: skip


def _written(value: Value, form: str) -> str:
    """A value as people write it."""
    if value is None:
        return "–"
    if form in ("date", "month"):
        return _day(value, form)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if form == "rate":
        return f"{100 * value:,.1f} %".replace("-", MINUS)
    digits = 2 if form == "number" or (form == "amount" and abs(value) < 100) else 0
    return f"{value:,.{digits}f}".replace("-", MINUS)


MINUS = "\u2212"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day(value: Any, form: str = "date") -> str:
    """A date in words that no order of numbers confuses."""
    year, month, day = str(value)[:10].split("-")
    return f"{MONTHS[int(month) - 1]} {year}" if form == "month" else f"{int(day)} {MONTHS[int(month) - 1]} {year}"


def _of_watched(figure: Watched, project: str) -> str:
    """The address of dbt's page on the feed or the mart."""
    if figure.kind == "feed":
        return f"models.html#!/source/source.{project}.{figure.watched}"
    return f"models.html#!/model/model.{project}.{figure.watched.rpartition('.')[2]}"


__all__ = ["ALL", "Drawn", "Part", "write", "write_assets"]
