"""Files as companies write them, each with its declaration and its one right outcome.

By the cause of the fault that they were found by: A quotes · B values that the server or a library would guess ·
C casts of Parquet that reinterpret · D exceptions in nested values · E hidden folders · F encodings and byte order
marks · H decimal and thousands marks · I shapes of CSV · J shapes of JSON · K drift · L messages. (G, failures that
end, is in test_settled.py.)
Where a case needs an option, it stands twice: with it, and without, where the refusal names it.
"""

from __future__ import annotations

from loader.cases import (
    casts,
    companies,
    drift,
    encodings,
    folders,
    json_shapes,
    literals,
    marks,
    messages,
    nested,
    quotes,
    shapes,
)
from loader.cases.case import Bad, Case

MODULES = (quotes, literals, casts, nested, folders, encodings, marks, shapes, companies, json_shapes, drift, messages)
CASES: list[Case] = [case for module in MODULES for case in module.CASES]

__all__ = ["CASES", "Bad", "Case"]
