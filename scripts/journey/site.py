"""The docs site: dbt's own documentation and lineage, and a catalogue of the marts, as pages that need no server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from journey import catalogue, dbt


def write(root: Path, target: str | None = None) -> Path:
    """Write the site of what is in the database now.

    Args:
        root: the project's folder.
        target: of the profile, whose schemas are shown; dbt's own choice if None.

    Returns:
        The page to open; the catalogue, `marts.html`, lies beside it.

    Raises:
        JourneyError: dbt failed.
    """
    dbt.run(["docs", "generate", "--static", *(["--target", target] if target else [])], root=root)
    page = root / "site" / "index.html"
    page.parent.mkdir(exist_ok=True)
    shutil.copyfile(root / "target" / "static_index.html", page)
    manifest = json.loads((root / "target" / "manifest.json").read_text())
    page.with_name("marts.html").write_text(catalogue.page(manifest))
    return page
