"""What staging must give: the contracts that tests/contracts hold staging views to, to read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from journey.errors import UsageError
from journey.project import read_yaml

BLOCK = re.compile(r"{% set contract %}\n(.*?){% endset %}", re.DOTALL)
VARIABLE = re.compile(r"{{ var\('(\w+)'\) }}")


@dataclass(frozen=True)
class Column:
    """A column that a view must have.

    Attributes:
        name: of the column.
        type: what its values are; money is a number with at most two decimals.
        may_be_null: when it is null; empty if never.
        check: a condition that holds in each row; empty if there is none.
        meaning: what it is.
    """

    name: str
    type: str
    may_be_null: str
    check: str
    meaning: str


@dataclass(frozen=True)
class View:
    """A staging view.

    Attributes:
        name: of the view.
        area: subject area that it belongs to.
        row: what one row is.
        unique: columns that tell its rows apart; none if rows may repeat.
        one: of a column, those that have one value wherever it has the same.
        columns: what it must have.
    """

    name: str
    area: str
    row: str
    unique: tuple[str, ...]
    one: dict[str, list[str]]
    columns: tuple[Column, ...]


def contracts(root: Path) -> list[View]:
    """The contracts of all areas, in the order of areas and views.

    Args:
        root: the project's folder; its tests may lie elsewhere, as its dbt_project.yml says.

    Raises:
        UsageError: a contract can't be read.
    """
    project = read_yaml(root / "dbt_project.yml")
    folders = [root / path / "contracts" for path in project.get("test-paths", ["tests"])]
    files = sorted(file for folder in folders for file in folder.glob("*.sql"))
    views = [_view(file, project.get("vars", {})) for file in files]
    return sorted(views, key=lambda view: (view.area != "sales", view.area, view.name))


def _view(file: Path, variables: dict[str, Any]) -> View:
    found = BLOCK.search(file.read_text())
    if not found:
        raise UsageError(f"{file} has no contract: it begins with {{% set contract %}}")
    try:
        text = VARIABLE.sub(lambda name: str(variables[name[1]]), found[1])
        said = yaml.safe_load(text)
        columns = tuple(
            Column(name, one["type"], one.get("may_be_null", ""), one.get("check", ""), one["meaning"])
            for name, one in said["columns"].items()
        )
        unique = tuple(said.get("unique", ()))
        return View(said["view"], said["area"], said["row"], unique, said.get("one", {}), columns)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UsageError(f"{file}: its contract can't be read: {error!r}") from error
