"""What a short-lived command keeps out of its process."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import NoReturn


class _NoPandas(MetaPathFinder):
    """pyarrow imports pandas, where it is installed, with the first array: 0.15 s and 40 MB that a load doesn't use."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """Say that there is none."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this process", name=fullname)
        return None


M_ARENA_MAX = -8  # of malloc.h
COLLECT = 50_000  # new objects until garbage is looked for: at 700, it walks dbt's manifest again and again


def prepare() -> None:
    """Make this process one that loads, or reads again: call it before anything of the loader is imported."""
    gc.set_threshold(COLLECT)
    _with_few_arenas()
    _without_pandas()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy makes its threads when it is imported; no load uses them


def leave(status: int) -> NoReturn:
    """End this process, with all that is said written; it doesn't take down module by module, which takes 0.1 s.

    Args:
        status: its exit status.

    Raises:
        BrokenPipeError: nobody reads what is said any more.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(status)


def _with_few_arenas() -> None:
    """Let threads share glibc's heaps: each would keep what was freed in a heap of its own, 30 MB in all."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _without_pandas() -> None:
    """Keep pandas out of this process."""
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas())
