"""NumPy's arrays as Arrow's, without pyarrow's own conversion, which imports what takes longer than a small file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def booleans(mask: np.ndarray) -> pa.Array:
    """Booleans."""
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, bits(mask)])


def indices(values: np.ndarray) -> pa.Array:
    """Positions; null where they are negative."""
    valid = values >= 0
    nulls = None if valid.all() else bits(valid)
    return pa.Array.from_buffers(pa.int64(), len(values), [nulls, pa.py_buffer(values.astype(np.int64))])


def bits(mask: np.ndarray) -> pa.Buffer:
    """Booleans as a buffer of bits."""
    return pa.py_buffer(np.packbits(mask, bitorder="little"))
