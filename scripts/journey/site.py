"""The docs site: dbt's own documentation and lineage, and a catalogue of the marts, as pages that need no server."""

from __future__ import annotations

import json
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
    dbt.run(["docs", "generate", *(["--target", target] if target else [])], root=root)
    page = root / "site" / "index.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(inlined(root / "target"))
    manifest = json.loads((root / "target" / "manifest.json").read_text())
    page.with_name("marts.html").write_text(catalogue.page(manifest))
    return page


def inlined(target: Path) -> str:
    """dbt's page with its data in it.

    dbt's own `--static` puts the JSON into a script as it is: a column of a raw table that is called `</script>…` would
    end the script, and run what follows.

    Args:
        target: the folder that dbt wrote its page, the manifest and the catalog into.
    """
    page = (target / "index.html").read_text()
    for name in ("manifest", "catalog"):
        data = (target / f"{name}.json").read_text().replace("<", "\\u003c")  # it stands in texts alone
        page = page.replace(f'"{name.upper()}.JSON INLINE DATA"', data)
    return page
