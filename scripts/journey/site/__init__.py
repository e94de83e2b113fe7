"""The site: pages of figures and charts, dbt's own documentation and lineage, and a catalogue of the marts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journey import dbt
from journey.errors import JourneyError
from journey.project import read_yaml
from journey.roles.names import names_of
from journey.site import catalogue

if TYPE_CHECKING:
    from psycopg import Connection

    from journey.changes import Publication
    from journey.site.declared import Chart
    from journey.site.pages import Drawn
    from journey.watch.figures import Figure


def write(root: Path, target: str | None = None) -> Path:
    """Write the whole site of what is in the database now.

    Args:
        root: the project's folder.
        target: of the profile, whose schemas are shown; dbt's own choice if None.

    Returns:
        The page to open; the catalogue `marts.html`, and dbt's own page `models.html`, lie beside it.

    Raises:
        JourneyError: dbt failed, a declaration is wrong, or the database refuses a query.
    """
    dbt.run(["docs", "generate", *_target(target)], root=root)
    folder = root / "site"
    folder.mkdir(exist_ok=True)
    (folder / "models.html").write_text(inlined(root / "target"))
    return _pages(root, target)


def write_pages(root: Path, target: str | None = None) -> Path:
    """Write the pages and the catalogue, without dbt's documentation: after a build or a change of a chart.

    Args:
        root: the project's folder.
        target: of the profile, whose schemas are shown; dbt's own choice if None.

    Returns:
        The page to open.

    Raises:
        JourneyError: dbt can't read the project, a declaration is wrong, or the database refuses a query.
    """
    dbt.run(["parse", *_target(target)], root=root)
    return _pages(root, target)


def _target(target: str | None) -> list[str]:
    return ["--target", target] if target else []


def _pages(root: Path, target: str | None) -> Path:
    manifest = json.loads((root / "target" / "manifest.json").read_text())
    return render(manifest, root, root / "site", watched=_watched(root, target))


def _watched(root: Path, target: str | None) -> Sequence[Figure] | None:
    """The newest figures that the project watches; None where this login may not read feeds."""
    from journey.watch.figures import read

    try:
        return read(root, target=target)
    except JourneyError as error:
        if "permission denied" in str(error):
            return None
        raise


def render(manifest: Mapping[str, Any], root: Path, folder: Path, *, watched: Sequence[Figure] | None = None) -> Path:
    """Write all pages that need no more than dbt's manifest and the database.

    Args:
        manifest: dbt's, of the target whose marts are shown.
        root: the project's folder.
        folder: to write into.
        watched: figures of feeds and marts, judged by their own past, for the front page; None: it is silent of them.

    Returns:
        The front page.

    Raises:
        JourneyError: a declaration is wrong, or the database refuses a query.
    """
    from journey.site import declared, figures, pages

    prefix = _built_schema(manifest).removesuffix("built")
    folder.mkdir(exist_ok=True)
    (folder / "marts.html").write_text(catalogue.page(manifest))
    sections = declared.sections(manifest)
    marts = {mart.name: mart for section in sections for mart in section.marts}
    with figures.snapshot() as connection:
        there = figures.built(connection, list(marts.values()))
        days = marts.get("sales_performance") if "sales_performance" in there else None
        shown = figures.published(connection, days, _built_schema(manifest))
        if there:
            figures.act_as(connection, names_of(root).prefix, [marts[name] for name in sorted(there)])
        for name, question, query in catalogue.questions(manifest):
            if name in there and not prefix:  # they name the published schemas, and not those of a copy of one's own
                figures.check_question(connection, marts[name], question, query)
        changed = _changed(connection, f"{prefix}publications")
        parts = []
        for section in sections:
            drawn = [_drawn(connection, chart, is_built=chart.mart.name in there) for chart in section.charts]
            headlines = [
                (figure, figures.headline(connection, figure) if figure.mart.name in there else figures.NO_HEADLINE)
                for figure in section.figures
            ]
            parts.append(pages.Part(section, headlines, drawn))
    return pages.write(
        folder, parts, shown, changed=changed, watched=watched, currency=_currency(root),
        project=manifest["metadata"]["project_name"], prefix=prefix,
    )[0]  # fmt: skip


def _changed(connection: Connection[Any], schema: str) -> Publication | None:
    """What the publication that readers see changed; None where nothing is recorded, or this login may not read it."""
    from journey import changes

    with suppress(JourneyError), connection.transaction():
        return changes.read(connection, schema)
    return None


def _drawn(connection: Connection[Any], chart: Chart, *, is_built: bool) -> Drawn:
    """A chart with its rows, or with why it has none."""
    from journey.site import figures
    from journey.site.pages import Drawn

    if not is_built:
        return Drawn(chart, [], f"Nothing to show yet: {chart.mart.folder}.{chart.mart.name} isn't built here.")
    rows = figures.rows_of(connection, chart)
    if len(rows) > figures.MOST_ROWS:
        why = f"Not shown: it has more than {figures.MOST_ROWS:,} rows; newest, where or top narrow it."
    else:
        why = "" if rows else nothing(chart, has_rows=figures.has_rows(connection, chart.mart))
    return Drawn(chart, rows, why)


def nothing(chart: Chart, *, has_rows: bool) -> str:
    """Why a chart shows nothing, in a sentence.

    Args:
        chart: the chart.
        has_rows: whether its mart has any.
    """
    if chart.said.get("empty"):
        return str(chart.said["empty"])
    name = f"{chart.mart.folder}.{chart.mart.name}"
    if has_rows:
        return f"Nothing to show yet: {name} has rows, but none with {chart.said.get('where')}."
    return f"Nothing to show yet: {name} is published and has no rows; no delivered data led to one."


def _built_schema(manifest: Mapping[str, Any]) -> str:
    """Where builds keep publications: beside the marts, with the same prefix."""
    from journey.site.declared import folder_of, is_mart

    for node in manifest["nodes"].values():
        if is_mart(node) and node["schema"].endswith(folder_of(node)):
            return str(node["schema"].removesuffix(folder_of(node)) + "built")
    return "built"


def _currency(root: Path) -> str:
    """What amounts are called."""
    variables = read_yaml(root / "dbt_project.yml").get("vars") or {}
    return str(variables.get("currency") or "the company's currency")


def inlined(target: Path) -> str:
    """dbt's page with its data in it.

    dbt's own `--static` puts the JSON into a script as it is: a column of a raw table that is called `</script>…` would
    end the script, and run what follows.

    Args:
        target: the folder that dbt wrote its page, the manifest and the catalog into.
    """
    page = (target / "index.html").read_text()
    for name in ("manifest", "catalog"):
        data = (target / f"{name}.json").read_text().replace("<", "\\u003c")  # it stands in texts alone
        page = page.replace(f'"{name.upper()}.JSON INLINE DATA"', data)
    return page
