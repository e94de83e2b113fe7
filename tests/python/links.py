"""Relative links of a project's pages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

TEXTS = {"columns.md", "overview.md"}  # blocks of text for dbt's pages


def broken_links(root: Path) -> list[str]:
    """Links of Markdown pages that lead to no file, or to no heading of it.

    Args:
        root: of a repository: the pages are those that git has.
    """
    found = subprocess.run(
        ["git", "ls-files", "-z", "*.md"], cwd=root, capture_output=True, text=True, check=True  # noqa: S607
    )  # fmt: skip
    broken = []
    for name in found.stdout.split("\0")[:-1]:
        if Path(name).name in TEXTS:
            continue
        for link in re.findall(r"\]\(([^) ]+)\)", (root / name).read_text()):
            target, _, heading = link.partition("#")
            file = (root / name).parent / target if target else root / name
            if target.startswith(("https://", "mailto:")):
                continue
            if not file.exists() or (heading and heading not in headings(file)):
                broken.append(f"{name}: {link}")
    return broken


def headings(page: Path) -> set[str]:
    """Its headings, as links name them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text).lower().replace(" ", "-") for text in found}
