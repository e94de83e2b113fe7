"""The options of JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from journey.loader.declaration.options import one_of, option
from journey.loader.formats.dialect import encoding


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and all(value.split("."))


@dataclass(frozen=True)
class JsonLinesOptions:
    """How a JSON file is written.

    Attributes:
        layout: `lines`: an object a line; `concatenated`: objects one after the other, whatever is between (Firehose,
            jq); `array`: one array of objects.
        path: with `array`, the keys that lead to the array in a larger document: data.items.
        encoding: Python's or IANA's name of the text encoding.
    """

    layout: str = one_of("lines", "concatenated", "array")
    path: str | None = option(None, "keys with dots between, like data.items", _is_path)
    encoding: str = encoding()

    def check(self, columns: Sequence[str]) -> None:  # noqa: ARG002
        """Refuse what doesn't go together.

        Args:
            columns: that are declared.

        Raises:
            ValueError: with the reason.
        """
        if self.path and self.layout != "array":
            raise ValueError("external.options.path leads to an array: declare layout: array")


OPTIONS = JsonLinesOptions
