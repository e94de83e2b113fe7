"""What a feed is: files that are known by name and day of arrival before any of them is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Planned:
    """A file of the landing bucket.

    Attributes:
        key: its key; keys of one prefix sort by day.
        arrives_on: the day on which the source system delivers it.
    """

    key: str
    arrives_on: date


Encode = Callable[[], bytes]


@dataclass(frozen=True)
class Feed:
    """The files under one prefix.

    Attributes:
        prefix: the folder that a feed is delivered to, such as till/receipts.
        files: all of them, in order of their keys.
        make: given keys, yields each with a function that encodes it; that function may run on another thread.
    """

    prefix: str
    files: tuple[Planned, ...]
    make: Callable[[Collection[str]], Iterator[tuple[str, Encode]]]

    def arrived(self, until: date | None) -> list[Planned]:
        """The files that arrived by the end of a day; all if None."""
        return [file for file in self.files if until is None or file.arrives_on <= until]


def feed_of(prefix: str, files: dict[Planned, Encode]) -> Feed:
    """A feed whose files are made one by one, independently."""
    planned = tuple(sorted(files, key=lambda file: file.key))

    def make(keys: Collection[str]) -> Iterator[tuple[str, Encode]]:
        return ((file.key, files[file]) for file in planned if file.key in keys)

    return Feed(prefix, planned, make)
