"""The file formats. Each is one module with one Reader, imported when a feed declares it; the rest names none."""

from __future__ import annotations

from importlib import import_module

from journey.loader.declaration.options import names
from journey.loader.formats.contract import Batch, File, Reader, Refused, Unknown, UnknownFieldError

MODULES = {
    "avro": "avro",
    "csv": "delimited",
    "fixed": "fixed",
    "json": "jsonarray",
    "jsonl": "jsonlines",
    "parquet": "parquet",
    "xlsx": "xlsx",
}


def reader(file_format: str) -> type[Reader]:
    """The reader of a format."""
    module = import_module(f"{__name__}.{MODULES[file_format]}")
    found: type[Reader] = module.READER
    return found


def options_of_others(file_format: str) -> dict[str, str]:
    """Options that do nothing in a format, and in which they do."""
    without, found = reader(file_format).without, dict[str, str]()
    for other in MODULES:
        kind = reader(other)
        for name in [*names(kind.Options), *(without - kind.without)] if other != file_format else ():
            found[name] = f"{found[name]}, {other}" if name in found else other
    return found


__all__ = [
    "MODULES",
    "Batch",
    "File",
    "Reader",
    "Refused",
    "Unknown",
    "UnknownFieldError",
    "options_of_others",
    "reader",
]
