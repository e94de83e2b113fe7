"""JSON as one document: an array of objects, where nothing else is declared."""

from __future__ import annotations

from dataclasses import dataclass

from journey.loader.declaration.options import one_of
from journey.loader.formats.jsonlines import JsonLinesOptions, JsonReader


@dataclass(frozen=True)
class JsonOptions(JsonLinesOptions):
    """As for JSON lines, with `array` as default."""

    layout: str = one_of("array", "lines", "concatenated")


class JsonArrayReader(JsonReader):
    """One JSON file."""

    Options = JsonOptions


READER = JsonArrayReader
