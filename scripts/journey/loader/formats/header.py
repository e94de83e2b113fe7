"""The names in a header that people wrote."""

from __future__ import annotations

from collections.abc import Sequence


def numbered(names: Sequence[str]) -> list[str]:
    """Names, each once: column_3 for the third if it has none, name_2 for the second of a name."""
    seen: dict[str, int] = {}
    found = []
    for position, name in enumerate(names, 1):
        base = name.strip() or f"column_{position}"
        seen[base.lower()] = count = seen.get(base.lower(), 0) + 1
        found.append(base if count == 1 else f"{base}_{count}")
    return found
