"""What makes a file's bytes, and which ETags an earlier run on this machine found it to make.

The bytes depend on nothing but land.py, what it imports from beside it, and the versions of what is installed. A file
whose ETag in the bucket is the one that the same recipe made before need not be made again to know it is unchanged.
The notes are a cache: without them every file is made, compared, and still not written if it is the same.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import distributions
from pathlib import Path


def recipe(land: Path) -> str:
    """A hash of everything that the bytes depend on.

    Args:
        land: the land.py.
    """
    digest = hashlib.sha256()
    for installed in sorted({f"{one.name} {one.version}" for one in distributions()}):
        digest.update(f"{installed}\n".encode())
    folder = land.parent
    packages = (package.parent for package in folder.glob("*/__init__.py"))
    for file in sorted([*folder.glob("*.py"), *(file for package in packages for file in package.rglob("*.py"))]):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class Notes:
    """ETag by key as the recipe makes them, kept in one JSON file.

    Args:
        file: the notes.
        land: the land.py that they are of.
    """

    def __init__(self, file: Path, land: Path) -> None:
        self.file = file
        self.recipe = recipe(land)
        self.etags: dict[str, str] = self._read()

    def _read(self) -> dict[str, str]:
        try:
            kept = json.loads(self.file.read_text())
            return dict(kept["etags"]) if kept["recipe"] == self.recipe else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def write(self) -> None:
        """Keep the notes for the next run, whole or not at all."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"recipe": self.recipe, "etags": self.etags}))
        new.replace(self.file)
