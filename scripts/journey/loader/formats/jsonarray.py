"""JSON as one document: an array of objects, where nothing else is declared."""

from __future__ import annotations

from journey.loader.formats.jsondocument import JsonOptions
from journey.loader.formats.jsonlines import JsonReader


class JsonArrayReader(JsonReader):
    """One JSON file."""

    Options = JsonOptions


READER = JsonArrayReader
