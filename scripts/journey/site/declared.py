"""What the pages show, as dbt's manifest declares it: charts beside their marts, pages with the exposures.

docs/charts.md says which keys there are. Everything is checked here, before a query runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from journey.errors import UsageError

# Of each kind of chart: the keys that name a column, or a list of columns with `*`; with `?` the key may be left out.
KINDS: Mapping[str, Sequence[str]] = {
    "trend": ("x", "y*", "lower?", "upper?", "partial?"),
    "bars": ("item", "value"),
    "pareto": ("item", "value"),
    "heatmap": ("x", "y", "value"),
    "scatter": ("item", "x", "y", "size"),
    "intervals": ("item*", "value", "lower", "upper", "verdict?"),
    "bridge": ("item", "start", "end"),
    "statement": ("item", "level", "values*"),
    "status": ("item", "period", "value", "target", "status", "unit", "better"),
}
COMMON = ("kind", "name", "title", "answers", "caution", "where", "filters", "begin", "order", "top", "also", "labels",
          "formats", "newest", "keep", "all", "most", "empty", "zero")  # fmt: skip
TEXTS = ("kind", "name", "title", "answers", "caution", "where", "order", "empty")
NUMBERS = ("top", "keep", "most")
FORMATS = ("amount", "rate", "count", "number", "date", "month", "text")
FIGURE = ("label", "mart", "value", "total", "count", "of", "base", "against", "better", "where", "chance", "formats")
SUFFIXES = {"_amount": "amount", "_rate": "rate", "_count": "count"}  # models/marts/README.md: what names mean


@dataclass(frozen=True)
class Mart:
    """A published mart.

    Attributes:
        name: of the model.
        folder: below models/marts; its page's name.
        relation: what readers see, quoted, for SQL.
        columns: their types, by name.
        path: of the model in dbt's pages, which shows its lineage.
        file: its YAML.
        simulated: what of it isn't real, in words; empty if all is.
    """

    name: str
    folder: str
    relation: str
    columns: Mapping[str, str]
    path: str
    file: str
    simulated: str


@dataclass(frozen=True)
class Column:
    """A column of a chart.

    Attributes:
        name: in the mart.
        label: what people read.
        format: one of FORMATS.
    """

    name: str
    label: str
    format: str


@dataclass(frozen=True)
class Chart:
    """A chart, checked.

    Attributes:
        mart: what it reads.
        name: within the mart.
        kind: one of KINDS.
        said: its texts and settings, as declared.
        roles: the columns of each of its keys.
        filters: columns of which a reader chooses a value.
        columns: all that it shows, in its table's order.
    """

    mart: Mart
    name: str
    kind: str
    said: Mapping[str, Any]
    roles: Mapping[str, tuple[str, ...]]
    filters: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def id(self) -> str:
        """Its anchor on the page."""
        return f"{self.mart.name}.{self.name}"

    def one(self, role: str) -> str:
        """The column of a key that has one; empty if it is left out."""
        return next(iter(self.roles.get(role, ())), "")

    def label(self, name: str) -> str:
        """What people read of a column."""
        return next(column.label for column in self.columns if column.name == name)

    def format(self, name: str) -> str:
        """How its values are written."""
        return next(column.format for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Figure:
    """A headline figure, checked.

    Attributes:
        mart: what it reads.
        said: its keys, as declared.
        format: of its value.
        of_format: of the period that it is of.
    """

    mart: Mart
    said: Mapping[str, Any]
    format: str
    of_format: str


@dataclass(frozen=True)
class Section:
    """A part of a page: an exposure.

    Attributes:
        name: of the exposure; its anchor.
        page: the folder below models/marts that it stands in; the page is `<page>.html`.
        label: its heading.
        description: what it shows.
        order: of the sections of a page.
        figures: its headline figures.
        charts: in order.
        marts: all that it is made of.
    """

    name: str
    page: str
    label: str
    description: str
    order: int
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    marts: tuple[Mart, ...]


def sections(manifest: Mapping[str, Any]) -> list[Section]:
    """All sections of all pages, in order.

    Args:
        manifest: dbt's, of the target whose marts are shown.

    Raises:
        UsageError: a declaration is wrong; the message names file, mart, key and what to do.
    """
    marts = {node["unique_id"]: _mart(node, manifest) for node in manifest["nodes"].values() if is_mart(node)}
    by_name = {mart.name: mart for mart in marts.values()}
    charts = {
        mart.name: _charts(mart, manifest["nodes"][unique_id]["config"]["meta"].get("charts") or [])
        for unique_id, mart in marts.items()
    }
    made = []
    for exposure in manifest["exposures"].values():
        page = (exposure.get("config") or {}).get("meta", {}).get("page")
        if page is None:
            continue
        where = f"{exposure['original_file_path']}: exposure {exposure['name']}, meta.page"
        _known(where, page, ("order", "figures", "charts"))
        read = [marts[name] for name in exposure["depends_on"]["nodes"] if name in marts]
        made.append(
            Section(
                exposure["name"],
                exposure["fqn"][2] if len(exposure["fqn"]) > 3 else "marts",
                exposure.get("label") or exposure["name"],
                exposure["description"],
                int(page.get("order", 0)),
                tuple(_figure(where, one, by_name) for one in page.get("figures") or []),
                tuple(_ordered(where, page.get("charts") or [], [one for mart in read for one in charts[mart.name]])),
                tuple(read),
            )
        )
    return sorted(made, key=lambda section: (section.page, section.order, section.name))


def is_mart(node: Mapping[str, Any]) -> bool:
    """Whether readers open it: a model below models/marts that is no step on the way to another."""
    return node["resource_type"] == "model" and node["fqn"][1] == "marts" and not node["name"].startswith("int_")


def format_of(name: str, data_type: str) -> str:
    """How values of a column are written: by the type of its contract and the ending of its name.

    Args:
        name: of the column.
        data_type: as its YAML says it.
    """
    kind = data_type.split("(")[0].strip().lower()
    if kind in ("date", "timestamptz", "timestamp"):
        return "month" if name.endswith("month_start_date") else "date"
    if kind in ("text", "boolean") or name.endswith("_id"):
        return "text"
    return next((found for suffix, found in SUFFIXES.items() if name.endswith(suffix)), "number")


def label_of(name: str) -> str:
    """What people read of a column that says nothing of its own: its name without the ending that gives its format."""
    ending = next((suffix for suffix in (*SUFFIXES, "_date", "_name") if name.endswith(suffix)), "")
    return name.removesuffix(ending).removeprefix("is_").replace("_", " ").capitalize()


def _mart(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> Mart:
    meta = node["config"]["meta"]
    return Mart(
        node["name"],
        folder_of(node),
        node["relation_name"],
        {name: column["data_type"] or "text" for name, column in node["columns"].items()},
        f"models.html#!/model/{node['unique_id']}",
        str(node["patch_path"] or node["original_file_path"]).split("://")[-1],
        str(meta["simulated"]) if "simulated" in meta else " ".join(sorted(_simulated(node["unique_id"], manifest))),
    )


def folder_of(node: Mapping[str, Any]) -> str:
    """The folder below models/marts that a mart is in; `marts` if in none."""
    return str(node["fqn"][2]) if len(node["fqn"]) > 3 else "marts"


def _simulated(unique_id: str, manifest: Mapping[str, Any]) -> set[str]:
    """What the sources that a mart comes from say of themselves; a mart's `simulated` overrides it."""
    found, seen, ahead = set(), {unique_id}, [unique_id]
    while ahead:
        node = ahead.pop()
        if node in manifest["sources"]:
            said = (manifest["sources"][node].get("config") or {}).get("meta", {}).get("simulated")
            found |= {said} if said else set()
        new = set(manifest["parent_map"].get(node, ())) - seen
        seen |= new
        ahead += new
    return found


def _charts(mart: Mart, declared: Any) -> list[Chart]:
    if not isinstance(declared, list):
        raise UsageError(f"{mart.file}: mart {mart.name}, meta.charts is a list of charts")
    made = [_chart(mart, number, said) for number, said in enumerate(declared, 1)]
    names = [chart.name for chart in made]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{mart.file}: mart {mart.name} has two charts {name!r}: give each a name of its own")
    return made


def _chart(mart: Mart, number: int, said: Any) -> Chart:
    where = f"{mart.file}: mart {mart.name}, chart {number}"
    if not isinstance(said, dict) or said.get("kind") not in KINDS:
        kind = said.get("kind") if isinstance(said, dict) else said
        raise UsageError(f"{where}: kind {kind!r} is none of {', '.join(KINDS)}")
    where += f" ({said.get('name', said['kind'])})"
    keys = {key.rstrip("*?"): key for key in KINDS[said["kind"]]}
    _known(where, said, (*COMMON, *keys))
    for key in ("name", "title", "answers"):
        if not said.get(key):
            raise UsageError(f"{where}: {key} is missing")
    for key in TEXTS:
        if key in said and not isinstance(said[key], str):
            raise UsageError(f"{where}: {key} is a text, and not {said[key]!r}")
    roles = {name: _columns(where, mart, key, said.get(name)) for name, key in keys.items()}
    filters = _columns(where, mart, "filters*?", said.get("filters"))
    also = _columns(where, mart, "also*?", said.get("also"))
    _columns(where, mart, "newest?", said.get("newest"))
    for column in _columns(where, mart, "all*?", said.get("all")):
        if column not in filters:
            raise UsageError(f"{where}: all: {column} is none of its filters")
    for key in NUMBERS:
        if key in said and not (isinstance(said[key], int) and said[key] > 0):
            raise UsageError(f"{where}: {key} is a whole number from 1 on, and not {said[key]!r}")
    formats = _formats(where, mart, said)
    labels = said.get("labels") or {}
    _columns(where, mart, "labels*?", list(labels))
    _known(f"{where}: begin", said.get("begin") or {}, filters)
    names = dict.fromkeys((*filters, *(name for role in roles.values() for name in role), *also))
    columns = tuple(
        Column(name, str(labels.get(name) or label_of(name)), formats.get(name) or format_of(name, mart.columns[name]))
        for name in names
    )
    if said["kind"] == "pareto":
        columns = _pareto_columns(where, filters, *(column for column in columns if column.name not in filters))
    return Chart(mart, said["name"], said["kind"], said, roles, filters, columns)


def _pareto_columns(where: str, filters: Sequence[str], item: Column, value: Column) -> tuple[Column, ...]:
    """What its query makes of the mart's columns."""
    if len(filters) > 1:
        raise UsageError(f"{where}: filters: a pareto takes one")
    return (
        *(Column(name, label_of(name), "text") for name in filters),
        Column("items_count", f"{item.label}, largest first", "count"),
        Column("items_rate", f"{item.label}, share", "rate"),
        Column("cumulative_amount", f"{value.label} together", value.format),
        Column("cumulative_rate", f"{value.label}, share", "rate"),
    )


def _columns(where: str, mart: Mart, key: str, said: Any) -> tuple[str, ...]:
    """The columns that a key names."""
    name, many = key.rstrip("*?"), "*" in key
    if said is None:
        if "?" in key:
            return ()
        raise UsageError(f"{where}: {name} is missing: {'columns' if many else 'a column'} of the mart")
    named = said if isinstance(said, list) else [said]
    if not many and len(named) != 1:
        raise UsageError(f"{where}: {name} is one column")
    for column in named:
        if column not in mart.columns:
            raise UsageError(f"{where}: {name}: the mart has no column {column!r}; it has {', '.join(mart.columns)}")
    return tuple(named)


def _formats(where: str, mart: Mart, said: Mapping[str, Any]) -> Mapping[str, str]:
    """Formats that a declaration gives, in place of what types and names say."""
    formats = said.get("formats") or {}
    _columns(where, mart, "formats*?", list(formats))
    for name, form in formats.items():
        if form not in FORMATS:
            raise UsageError(f"{where}: formats: {name}: {form!r} is none of {', '.join(FORMATS)}")
    return dict(formats)


def _figure(where: str, said: Mapping[str, Any], marts: Mapping[str, Mart]) -> Figure:
    _known(f"{where}.figures", said, FIGURE)
    where += f", figure {said.get('label', '?')!r}"
    mart = marts.get(said.get("mart", ""))
    if mart is None:
        raise UsageError(f"{where}: no mart {said.get('mart')!r}: name one, such as {next(iter(marts), '')}")
    if sum(key in said for key in ("value", "total", "count")) != 1:
        raise UsageError(
            f"{where}: give value, a column of one row, total, a column that is added up, or count, a condition on rows"
        )
    for key in ("value", "total", "of", "chance"):
        _columns(where, mart, f"{key}?", said.get(key))
    if said.get("base") not in (None, "before"):
        _columns(where, mart, "base", said["base"])
    if said.get("base") == "before" and "of" not in said:
        raise UsageError(f"{where}: base: before needs of, the column that says which row is before")
    formats = {name: format_of(name, kind) for name, kind in mart.columns.items()}
    formats.update(_formats(where, mart, said))
    form = "count" if "count" in said else formats[said.get("value") or said["total"]]
    return Figure(mart, said, form, formats[said["of"]] if "of" in said else form)


def _ordered(where: str, named: Sequence[str], charts: Sequence[Chart]) -> Iterator[Chart]:
    """Charts as the page names them; then those that it doesn't name."""
    by_id = {chart.id: chart for chart in charts}
    for name in named:
        if name not in by_id:
            raise UsageError(f"{where}.charts: no chart {name!r}; its marts have {', '.join(by_id) or 'none'}")
        yield by_id[name]
    yield from (chart for chart in charts if chart.id not in named)


def _known(where: str, said: Any, keys: Sequence[str]) -> None:
    if not isinstance(said, dict):
        raise UsageError(f"{where} is a mapping of {', '.join(keys)}")
    for key in said:
        if key not in keys:
            raise UsageError(f"{where}: unknown key {key!r}; there are {', '.join(keys)}")
