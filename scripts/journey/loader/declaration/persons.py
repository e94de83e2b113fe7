"""Whose a row is: a column's YAML says of which kind of person its ids are, and what becomes of rows of the forgotten.

It stands beside `pii`, in `config: {meta: {person: customer_id, forget: remove}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from journey.loader.declaration.options import Options

RULES = ("remove", "pseudonym")
ID_TYPES = ("integer", "bigint", "text")  # those that `pii: hash` takes


class Person(NamedTuple):
    """Whose ids a column holds.

    Attributes:
        kind: of person, the same wherever ids are the same, as `customer_id`.
        forget: `remove` a forgotten person's rows, or keep them under a `pseudonym`.
    """

    kind: str
    forget: str


def persons(columns: Mapping[str, Mapping[str, Any]], options: Options, location: str) -> dict[str, Person]:
    """The columns that hold persons' ids.

    Args:
        columns: as dbt's manifest has them, by name.
        options: of the feed.
        location: its pattern, without the bucket.

    Raises:
        ValueError: a declaration says half, or what can't be done; with a message for people.
    """
    found = {}
    for name, column in columns.items():
        meta, where = _meta(column), f"column {name}: config.meta"
        if "person" not in meta and "forget" not in meta:
            continue
        person = Person(str(meta.get("person") or ""), str(meta.get("forget") or ""))
        if not person.kind or person.forget not in RULES:
            raise ValueError(f"{where} needs both: person, the kind of person, and forget, {' or '.join(RULES)}")
        if column.get("data_type") not in ID_TYPES:
            raise ValueError(f"{where}.person is for a column of type {', '.join(ID_TYPES)}")
        is_folder = options.hive_partitions and f"/{name}=" in f"/{location}"
        if is_folder or name == options.key_column or f"{{{name}}}" in (options.key_pattern or ""):
            raise ValueError(
                f"{where}.person: files' keys name the person, and keys in S3 can't be changed from here: let files be "
                "delivered that have the id in their rows"
            )
        found[name] = person
    return found


def personal(columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The other columns whose values are a person's, by `pii`: they go from a row that stays under a pseudonym."""
    said = {name: str(_meta(column).get("pii", "none")) for name, column in columns.items()}
    return [name for name, pii in said.items() if not pii.startswith("none") and "person" not in _meta(columns[name])]


def snapshots(manifest: Mapping[str, Any], kind: str) -> list[tuple[str, str, str]]:
    """Snapshots that keep persons: schema as it is configured, table and column of each.

    Args:
        manifest: dbt's.
        kind: of person.
    """
    return [
        (str(node["config"].get("schema") or node["schema"]), str(node["alias"]), name)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "snapshot"
        for name, column in node["columns"].items()
        if _meta(column).get("person") == kind
    ]


def _meta(column: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (column.get("config") or {}).get("meta") or {}
    return meta
