"""The file formats. Each is one module with one Reader, imported when a file is read; the rest names none.

Options that stand in a module of their own are known without Arrow, which takes longer to import than a load that has
nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from journey.loader.declaration.options import names
from journey.loader.formats.contract import Batch, File, Reader, Refused, Unknown, UnknownFieldError
from journey.loader.values.meaning import Column

MODULES = {
    "avro": "avro",
    "csv": "delimited",
    "fixed": "fixed",
    "json": "jsonarray",
    "jsonl": "jsonlines",
    "parquet": "parquet",
    "xlsx": "xlsx",
}
OPTIONS = {
    "avro": "typedoptions",
    "csv": "dialect",
    "fixed": "positions",
    "json": "jsondocument",
    "jsonl": "jsonoptions",
    "parquet": "typedoptions",
}


def reader(file_format: str) -> type[Reader]:
    """The reader of a format."""
    module = import_module(f"{__name__}.{MODULES[file_format]}")
    found: type[Reader] = module.READER
    return found


def options_of(file_format: str) -> type:
    """The class of a format's own options."""
    if file_format not in OPTIONS:
        return reader(file_format).Options
    found: type = import_module(f"{__name__}.{OPTIONS[file_format]}").OPTIONS
    return found


def check(file_format: str, options: Any, columns: Sequence[Column]) -> None:
    """Refuse a format's options that don't go together, or not with the declared columns.

    Raises:
        ValueError: with the reason.
    """
    if file_format in OPTIONS:
        options.check([column.name for column in columns])
    else:
        reader(file_format).check(options, columns)


def without(file_format: str) -> frozenset[str]:
    """Options of values that would do nothing in a format."""
    found: frozenset[str] = getattr(options_of(file_format), "without", frozenset())
    return found


def options_of_others(file_format: str) -> dict[str, str]:
    """Options that do nothing in a format, and in which they do."""
    found: dict[str, str] = {}
    for other in MODULES:
        kind = options_of(other)
        for name in [*names(kind), *(without(file_format) - without(other))] if other != file_format else ():
            found[name] = f"{found[name]}, {other}" if name in found else other
    return found


__all__ = [
    "MODULES",
    "OPTIONS",
    "Batch",
    "File",
    "Reader",
    "Refused",
    "Unknown",
    "UnknownFieldError",
    "check",
    "options_of",
    "options_of_others",
    "reader",
    "without",
]
