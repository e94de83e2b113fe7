"""Where the fields of a fixed-width line stand: its options."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from journey.loader.declaration.options import flag, one_of, option, text, whole
from journey.loader.formats.dialect import encoding

SEVERAL_BYTES = ("utf-16", "utf-32")  # a line feed isn't one byte there


def _are_fields(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(
            isinstance(name, str)
            and isinstance(place, (list, tuple))
            and len(place) == 2
            and all(type(one) is int for one in place)
            and 1 <= place[0] <= place[1]
            for name, place in value.items()
        )
    )


def _are_digits(value: Any) -> bool:
    return isinstance(value, Mapping) and all(type(count) is int and 1 <= count <= 30 for count in value.values())


@dataclass(frozen=True)
class FixedOptions:
    """How a fixed-width file is written.

    Attributes:
        fields: the first and last position of each column, from 1: `{account: [1, 10], day: [11, 18]}`. What is
            between them isn't read.
        positions: they count `characters`, or `bytes` of the declared encoding.
        encoding: Python's or IANA's name of the text encoding.
        padding: blanks around a value are to `remove`, or to `keep`.
        implied_decimals: digits after a decimal point that isn't written, by column: `{amount: 2}` reads 1250 as 12.50.
        short_rows: a line that ends before its last field is to `refuse`, or what is missing is blank, and so `null`.
        long_rows: a line that goes on behind its last field is to `refuse`, or what is behind is to `ignore`.
        skip_rows: lines at the beginning that are no rows.
        skip_footer: lines at the end that are no rows.
        comment: what a line begins with that is no row.
        skip_blank_lines: lines without anything but blanks are no rows.
        ctrl_z: the file may end with DOS's end-of-file character.
    """

    without: ClassVar[frozenset[str]] = frozenset({"quoted_nulls"})

    fields: Mapping[str, Sequence[int]] | None = option(
        None, "a mapping of columns to their first and last position from 1 on, like {account: [1, 10]}", _are_fields
    )
    positions: str = one_of("characters", "bytes")
    encoding: str = encoding()
    padding: str = one_of("remove", "keep")
    implied_decimals: Mapping[str, int] | None = option(
        None, "a mapping of columns to numbers of digits, like {amount: 2}", _are_digits
    )
    short_rows: str = one_of("refuse", "null")
    long_rows: str = one_of("refuse", "ignore")
    skip_rows: int = whole(0, least=0)
    skip_footer: int = whole(0, least=0)
    comment: str | None = text()
    skip_blank_lines: bool = flag(default=False)
    ctrl_z: bool = flag(default=False)

    def check(self, columns: Sequence[str]) -> None:
        """Refuse what doesn't go together.

        Args:
            columns: that are declared.

        Raises:
            ValueError: with the reason.
        """
        where = "external.options"
        if not self.fields:
            raise ValueError(f"{where}.fields is missing: it says where each column stands, like {{account: [1, 10]}}")
        for name in (*self.fields, *(self.implied_decimals or {})):
            if name not in columns:
                raise ValueError(f"{where}: fields or implied_decimals name {name!r}, which is not a declared column")
        for name in self.implied_decimals or {}:
            if name not in self.fields:
                raise ValueError(f"{where}.implied_decimals names {name!r}, which fields doesn't have")
        ordered = sorted(self.fields.items(), key=lambda item: item[1][0])
        for (one, (_, last)), (other, (first, _)) in itertools.pairwise(ordered):
            if first <= last:
                raise ValueError(f"{where}.fields: {one!r} and {other!r} both have position {first}")
        if self.positions == "bytes" and codecs.lookup(self.encoding).name.startswith(SEVERAL_BYTES):
            raise ValueError(f"{where}: positions: bytes doesn't go with {self.encoding}")


OPTIONS = FixedOptions


def is_single_byte(encoding: str) -> bool:
    """Whether each byte is a character; UTF-8 is kept as it is, whatever its bytes are."""
    name = codecs.lookup(encoding).name
    return name == "utf-8" or len(bytes(range(256)).decode(name, "replace")) == 256
