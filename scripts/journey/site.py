"""The docs site: dbt's own documentation and lineage as one page that needs no server and asks nobody anything."""

from __future__ import annotations

import shutil
from pathlib import Path

from journey import dbt


def write(root: Path) -> Path:
    """Write the site of what is in the database now.

    Args:
        root: the project's folder.

    Returns:
        The page to open.

    Raises:
        JourneyError: dbt failed.
    """
    dbt.run(["docs", "generate", "--static"], root=root)
    page = root / "site" / "index.html"
    page.parent.mkdir(exist_ok=True)
    shutil.copyfile(root / "target" / "static_index.html", page)
    return page
