"""What a short-lived command keeps out of its process."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec


class _NoPandas(MetaPathFinder):
    """pyarrow imports pandas, where it is installed, with the first array: 0.15 s and 40 MB that a load doesn't use."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """Say that there is none."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this process", name=fullname)
        return None


M_ARENA_MAX = -8  # of malloc.h


def with_few_arenas() -> None:
    """Let threads share glibc's heaps: each would keep what was freed in a heap of its own, 30 MB in all."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def without_pandas() -> None:
    """Keep pandas out of this process."""
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas())
