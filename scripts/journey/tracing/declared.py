"""How a mart is traced, as the YAML beside it and beside its facts declares it (`config.meta.trace`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journey.errors import UsageError
from journey.loader.declaration.sources import Source, parse_source
from journey.text import did_you_mean

PREFIX = re.compile(r"([a-z_][a-z0-9_]*_)?")  # of a copy's schemas: macros/generate_schema_name.sql
WHERE = "docs/trace.md says how to declare it"

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Sum:
    """Measures of a mart that add up rows of one fact.

    Attributes:
        fact: name of its model.
        rows: a condition: which rows of it make a row of the mart, which is called `mart`.
        measures: what a row adds, by column of the mart.
        joins: conditions of what else is looked at, by model.
    """

    fact: str
    rows: str
    measures: Mapping[str, str]
    joins: Mapping[str, str]


@dataclass(frozen=True)
class Fact:
    """How rows of a fact come from raw rows.

    Attributes:
        name: of its model.
        staging: name of the view on the raw table.
        rows: a condition: which rows of that view make a row of the fact.
        columns: what a row of the view adds, by column of the fact; the other columns are the fact's.
        joins: conditions of its dimensions, by model.
        key: columns that tell its rows apart.
        partition: the date by which it is built, if it is.
    """

    name: str
    staging: str
    rows: str
    columns: Mapping[str, str]
    joins: Mapping[str, str]
    key: tuple[str, ...]
    partition: str | None


class Mart:
    """A mart, and where everything about it is.

    Attributes:
        name: of its model.
        shown: schema and name, as it was asked for.
        types: of its columns.
    """

    def __init__(self, manifest: Node, asked: str) -> None:
        """Find it.

        Args:
            manifest: dbt's.
            asked: `SCHEMA.MART`, the name by which it is read; the schemas of a copy have a prefix.

        Raises:
            UsageError: there is no such mart.
        """
        self._sources: Mapping[str, Node] = manifest["sources"]
        found = {str(n["name"]): n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")}
        self._nodes = found
        schema, _, self.name = asked.partition(".")
        node = found.get(self.name)
        if node is None or not is_mart(node):
            known = sorted(f"{layer(one)}.{one['name']}" for one in found.values() if is_mart(one))
            raise UsageError(f"there is no mart {asked}: it may be {', '.join(known)}{did_you_mean(asked, known)}")
        self._prefix = schema.removesuffix(layer(node))
        if not schema.endswith(layer(node)) or not PREFIX.fullmatch(self._prefix):
            raise UsageError(f"{self.name} isn't in a schema {schema}: it is {layer(node)}.{self.name}")
        self.shown, self._node = asked, node
        self._parsed = str(node["schema"]).removesuffix(layer(node))
        self.types = {name: str(column["data_type"]) for name, column in node["columns"].items()}

    def sum_of(self, measure: str) -> Sum:
        """What adds up to a measure.

        Raises:
            UsageError: nothing does; the message says what it hangs on.
        """
        declared = trace(self._node)
        if measure not in self.types:
            raise UsageError(
                f"{self.shown} has no column {measure}: it has {', '.join(self.types)}"
                f"{did_you_mean(measure, self.types)}"
            )
        for one in declared.get("sums", []):
            if measure in one["measures"]:
                fact = self._nodes.get(one["fact"])
                if fact is None:
                    raise UsageError(f"{self.shown}: {measure} comes of {one['fact']}, whose subject area is off")
                return Sum(one["fact"], one["rows"], one["measures"], one.get("joins", {}))
        if not declared:
            raise UsageError(f"{self._node['original_file_path']}: {self.name} declares no trace: {WHERE}")
        why = declared.get("why_not") or not_additive(declared).get(measure)
        if why is None:
            can = ", ".join(measures(declared)) or "none"
            raise UsageError(f"{self.shown}: {measure} is no measure that adds up rows; these are: {can}")
        raise UsageError(f"{self.shown}: {measure} can't be traced to rows: {why}")

    def fact(self, name: str) -> Fact:
        """How a fact is traced.

        Raises:
            UsageError: it isn't declared.
        """
        node = self._nodes[name]
        said = trace(node)
        if not said:
            raise UsageError(f"{node['original_file_path']}: {name} declares no trace: {WHERE}")
        constraints = [*node["constraints"], *({**c, "columns": [n]} for n, one in node["columns"].items()
                                               for c in one["constraints"])]  # fmt: skip
        key = next(tuple(one["columns"]) for one in constraints if one["type"] == "primary_key")
        partition = (node["config"].get("partition_by") or {}).get("field")
        return Fact(name, said["staging"], said["rows"], said["columns"], said.get("joins", {}), key, partition)

    @property
    def key(self) -> list[str]:
        """The columns that tell its rows apart."""
        return next(list(one["columns"]) for one in self._node["constraints"] if one["type"] == "primary_key")

    def relation(self, name: str) -> str:
        """Where a model's rows are, as SQL names it.

        Raises:
            UsageError: there is no such model.
        """
        node = self._nodes.get(name)
        if node is None:
            raise UsageError(f"{self.shown}: its trace names {name}, which isn't there: {WHERE}")
        schema = self._prefix + str(node["schema"]).removeprefix(self._parsed)
        return f'"{schema}"."{node["alias"]}"'

    def columns(self, name: str) -> list[str]:
        """The columns of a model, in order."""
        return list(self._nodes[name]["columns"])

    def schema(self, layer_name: str) -> str:
        """The schema of a layer, such as `built`."""
        return f'"{self._prefix}{layer_name}"'

    def source(self, staging: str) -> Source:
        """The feed that a staging view reads.

        Raises:
            UsageError: it reads none, or several.
        """
        parents = self._nodes[staging]["depends_on"]["nodes"]
        feeds = [self._sources[name] for name in parents if name in self._sources]
        if len(feeds) != 1 or len(parents) != 1 or not feeds[0].get("external"):
            raise UsageError(f"{staging} isn't a view on one raw table that the loader fills, so it can't be traced")
        return parse_source(feeds[0])


def is_mart(node: Node) -> bool:
    """Whether readers open it: a model below models/marts that is no step on the way to another."""
    return (
        node["resource_type"] == "model"
        and node["fqn"][1] == "marts"
        and len(node["fqn"]) > 3
        and "intermediate" not in node["fqn"]
    )


def layer(node: Node) -> str:
    """The schema of a mart, without the prefix of a copy."""
    return str(node["config"].get("schema") or node["fqn"][2])


def trace(node: Node) -> dict[str, Any]:
    """What a model declares; nothing if it doesn't."""
    found: dict[str, Any] = node["config"]["meta"].get("trace", {})
    return found


def measures(declared: Mapping[str, Any]) -> list[str]:
    """The columns that a mart's trace adds up."""
    return [column for one in declared.get("sums", []) for column in one["measures"]]


def not_additive(declared: Mapping[str, Any]) -> dict[str, str]:
    """Why columns can't be traced, by column."""
    return {column: why for why, columns in declared.get("not_additive", {}).items() for column in columns}
