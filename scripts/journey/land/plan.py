"""What a project's source systems deliver: its land.py says it."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from journey.errors import UsageError
from journey.land.feeds import Encode, Feed, Planned, feed_of
from journey.project import read_yaml


@dataclass(frozen=True)
class Plan:
    """What a land.py says.

    Attributes:
        file: it.
        about: what the data are, in a sentence.
        feeds: all of them, in the order in which they land.
    """

    file: Path
    about: str
    feeds: tuple[Feed, ...]

    def until_of_weeks(self, weeks: int) -> date:
        """The day by which the first weeks have arrived: the Tuesday after them.

        What was sold on a week's last evening is of Monday in UTC, and its file comes a day later.

        Args:
            weeks: how many, from the Monday before the first delivery, or on its day.
        """
        first = min(file.arrives_on for feed in self.feeds for file in feed.files)
        return first - timedelta(days=first.weekday()) + timedelta(weeks=weeks, days=1)


def plan_of(root: Path) -> Plan:
    """What is delivered to a project.

    Args:
        root: the project's folder.

    Raises:
        UsageError: it has no land.py, or that has no function `feeds`.
    """
    file, said = run_beside_models(root, "land.py")
    if "feeds" not in said:
        raise UsageError(f"{file} has no function feeds(), which says what is delivered: examples/hofladen has one")
    feeds: Sequence[Feed] = said["feeds"]()
    return Plan(file, " ".join((said.get("__doc__") or "").split("\n\n")[0].split()), tuple(feeds))


def plan_of_files(folder: Path) -> Plan:
    """What lies in a folder, as it is: a file's key is its path in it, and it arrives today.

    Args:
        folder: it has a folder for each feed.

    Raises:
        UsageError: a file lies in none, or there is no file.
    """
    feeds: dict[str, dict[Planned, Encode]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        feed, _, name = file.relative_to(folder).as_posix().partition("/")
        if not name:
            raise UsageError(f"{file} is in no folder of {folder}: put it into one, which is called as its feed")
        feeds.setdefault(feed, {})[Planned(f"{feed}/{name}", date.today())] = file.read_bytes
    if not feeds:
        raise UsageError(f"there is no file in {folder}")
    return Plan(folder, f"The files of {folder}.", tuple(feed_of(name, files) for name, files in feeds.items()))


def run_beside_models(root: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """Run a company's file; it may import what lies beside it.

    Args:
        root: the project's folder.
        name: of the file, which lies beside one of the folders that `model-paths` of dbt_project.yml names.

    Returns:
        The file, and what it defines.

    Raises:
        UsageError: there is none.
    """
    for folder in _beside_models(root):
        if (folder / name).is_file():
            if str(folder) not in sys.path:
                sys.path.insert(0, str(folder))
            return folder / name, runpy.run_path(str(folder / name))
    raise UsageError(
        f"no {name} lies beside a folder of model-paths in {root / 'dbt_project.yml'}: examples/hofladen has a land.py"
    )


def _beside_models(root: Path) -> list[Path]:
    """The folders that hold the models' folders, in their order."""
    project = read_yaml(root / "dbt_project.yml")
    return list(dict.fromkeys((root / path).resolve().parent for path in project.get("model-paths", ["models"])))
