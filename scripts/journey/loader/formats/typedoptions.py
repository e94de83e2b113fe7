"""The options of Parquet and Avro."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from journey.loader.declaration.options import one_of, option, whole


@dataclass(frozen=True)
class ColumnarOptions:
    """Options of files that bring their own types.

    Attributes:
        header_names: a field without a name, or one whose name came before, is to `refuse` the file, or to `number`.
        max_bytes: as every feed has it; these files say in themselves what they decompress to.
        max_ratio: the same.
    """

    without: ClassVar[frozenset[str]] = frozenset({"quoted_nulls"})

    header_names: str = one_of("refuse", "number")
    max_bytes: int = option(2**40, "a whole number from 1 on", lambda value: type(value) in (int, float) and value >= 1)
    max_ratio: int = whole(1000, least=1)

    def check(self, columns: Sequence[str]) -> None:
        """Whatever is declared goes together."""


OPTIONS = ColumnarOptions
