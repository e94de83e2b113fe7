"""The names of groups and schemas, in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from journey.errors import UsageError
from journey.project import read_yaml

GROUPS = ("loader", "transformer", "analyst", "developer", "pii_reader")
# schemas of what dbt builds that readers have no business in; a mart's folder and a layer's `+schema` name the others
CHANGES = "publications"  # of the view that says what a publication changed: readers' too
LAYERS = ("staging", "warehouse", "seeds", "snapshots", "build_state", "masking", "built")


class Names(NamedTuple):
    """What the groups and the schemas of a project are called.

    Attributes:
        prefix: of the groups' names, for a cluster that has such names already.
        published: the schemas that readers read.
        built: the plain schemas that dbt builds, those included.
    """

    prefix: str
    published: tuple[str, ...]
    built: tuple[str, ...]


def names_of(root: Path) -> Names:
    """The names of a project: a mart's schema is its folder's name.

    Args:
        root: the project's folder.

    Raises:
        UsageError: the prefix can't be one.
    """
    project = read_yaml(root / "dbt_project.yml")
    prefix = str((project.get("vars") or {}).get("role_prefix") or "")
    if not re.fullmatch("|[a-z][a-z0-9_]{0,40}", prefix):
        raise UsageError(f"dbt_project.yml: role_prefix {prefix!r} takes small letters, digits and _, 41 at most")
    marts = [root / path / "marts" for path in project.get("model-paths") or ["models"]]
    folders = {folder.name for mart in marts if mart.is_dir() for folder in mart.iterdir() if folder.is_dir()}
    published = tuple(sorted(folders | {CHANGES}))
    return Names(prefix, published, (*LAYERS, *published))
