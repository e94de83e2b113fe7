"""Where the project and its private files are."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from journey.errors import UsageError


def project_root(start: Path | None = None) -> Path:
    """Find the folder that holds `dbt_project.yml`.

    Args:
        start: folder to search from, upwards; the current folder if None.

    Raises:
        UsageError: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise UsageError(f"{here} is not inside a data-journey project (no dbt_project.yml here or above): cd into it")


def read_yaml(file: Path) -> dict[str, Any]:
    """What a YAML file of the project says, read as dbt reads it: libyaml takes what Python's own parser doesn't.

    Raises:
        UsageError: it can't be read; the error names the file and the line.
    """
    import yaml  # the loader, once it has dbt's manifest, needs none

    try:
        said = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{file} can't be read: {' '.join(str(error).split())}") from error
    return said if isinstance(said, dict) else {}


def program_version() -> str:
    """What `journey --version` prints and the ledger keeps of each run: pyproject.toml's, as it was installed."""
    return version("journey")


def local_dir() -> Path:
    """The folder of the embedded services: `JOURNEY_LOCAL_DIR`, else `.local` in the project."""
    named = os.environ.get("JOURNEY_LOCAL_DIR")
    return Path(named).resolve() if named else project_root() / ".local"
