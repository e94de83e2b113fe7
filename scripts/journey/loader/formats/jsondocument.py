"""The options of JSON as one document."""

from __future__ import annotations

from dataclasses import dataclass

from journey.loader.declaration.options import one_of
from journey.loader.formats.jsonoptions import JsonLinesOptions


@dataclass(frozen=True)
class JsonOptions(JsonLinesOptions):
    """As for JSON lines, with `array` as default."""

    layout: str = one_of("array", "lines", "concatenated")


OPTIONS = JsonOptions
