"""dbt's manifest, made anew when the project's YAML is newer, is the only place that says what to load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from journey.errors import UsageError
from journey.loader.sources import Source, parse_source

NOT_OURS = {"target", "logs", "dbt_packages", "node_modules", "build"}


def load_sources(root: Path) -> list[Source]:
    """All sources with an `external:` block, ordered by name.

    Args:
        root: the dbt project.

    Raises:
        UsageError: dbt can't parse the project, or an `external:` block is wrong.
    """
    manifest = _manifest(root)
    return sorted(
        (parse_source(node) for node in manifest["sources"].values() if node.get("external")),
        key=lambda source: source.name,
    )


def select(sources: Sequence[Source], selected: Sequence[str]) -> list[Source]:
    """The sources that `--select` means; all if it says nothing.

    Args:
        sources: what there is.
        selected: `source` or `source.table`, with or without dbt's `source:` before it.

    Raises:
        UsageError: a selector means nothing.
    """
    chosen: set[str] = set()
    for selector in (part for text in selected for part in text.split()):
        name = selector.removeprefix("source:").removesuffix(".*")
        found = {source.name for source in sources if name in (source.name, source.name.split(".")[0])}
        if not found:
            known = ", ".join(source.name for source in sources)
            raise UsageError(f"--select {selector}: no such source with an external: block; there are {known}")
        chosen |= found
    return [source for source in sources if not chosen or source.name in chosen]


def _manifest(root: Path) -> dict[str, Any]:
    target = Path(os.environ.get("DBT_TARGET_PATH", "target"))
    file = (target if target.is_absolute() else root / target) / "manifest.json"
    if not file.exists() or file.stat().st_mtime < _newest_yaml(root):
        _parse(root)
    manifest: dict[str, Any] = json.loads(file.read_bytes())
    if any(not (root / node["original_file_path"]).exists() for node in _own_sources(manifest)):  # YAML was removed
        _parse(root)
        manifest = json.loads(file.read_bytes())
    return manifest


def _own_sources(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    project = manifest["metadata"].get("project_name")
    return (node for node in manifest["sources"].values() if node["package_name"] == project)


def _newest_yaml(root: Path) -> float:
    newest = 0.0
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".") and name not in NOT_OURS]
        yaml = (Path(folder, name) for name in files if name.endswith((".yml", ".yaml")))
        newest = max(newest, *(file.stat().st_mtime for file in yaml), 0.0)
    return newest


def _parse(root: Path) -> None:
    """Let dbt write its manifest, in a process of its own: dbt's memory and threads go with it."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    command += ["--quiet", "--no-use-colors", "--log-path", str(root / "logs"), "parse", "--project-dir", str(root)]
    if not (root / "profiles.yml").exists() and (root / "profiles.yml.example").exists() and not _profiles_elsewhere():
        raise UsageError(f"{root}/profiles.yml is missing: run `make setup`, or copy profiles.yml.example")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).split("-----", 1)[0].split()  # then dbt quotes the file
        raise UsageError(f"dbt can't parse the project: {' '.join(said)[:1000] or 'it says nothing'}")


def _profiles_elsewhere() -> bool:
    return "DBT_PROFILES_DIR" in os.environ or (Path.home() / ".dbt" / "profiles.yml").exists()
