"""Which column a key means."""

from __future__ import annotations

from collections.abc import Sequence

from journey.loader.columns import same_name
from journey.loader.declaration.sources import FILE_ID, IDENTIFIER_BYTES
from journey.loader.formats.contract import UnknownFieldError
from journey.loader.values.exact import quoted


def folded(name: str) -> str:
    """What names that mean the same have in common: people don't see what differs."""
    return same_name(name).lower()


class Fields:
    """The names of a file's fields, or of a table's columns, to be found by a key: exact, or else the one alike."""

    def __init__(self, names: Sequence[str], unknown: str) -> None:
        """Remember the names.

        Args:
            names: as the table, or names(scan=True), has them.
            unknown: what becomes of other keys: `raise`, `ignore`, or `refuse` their rows.
        """
        self._unknown = unknown
        self._exact = {name: position for position, name in enumerate(names)}
        self._alike: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            self._alike.setdefault(folded(name), []).append(position)
        self._found: dict[str, int | None] = {}
        self.ignored: dict[str, None] = {}

    def find(self, key: str, most: int) -> int | None:
        """The position of the name that a key means; None: it is ignored.

        Args:
            key: as the file has it.
            most: how many keys are remembered.

        Raises:
            UnknownFieldError: there is none.
            ValueError: there is none, and the row is to be refused; the message is the reason.
        """
        if key in self._found:
            return self._found[key]
        position = self._exact.get(key)
        if position is None:
            alike = self._alike.get(folded(key), ())
            position = alike[0] if len(alike) == 1 else self._exact.get(cut(key))
        if position is None:
            self._check_unknown(key)
            if len(self.ignored) < most:
                self.ignored[key] = None
        if len(self._found) < most:
            self._found[key] = position
        return position

    def _check_unknown(self, key: str) -> None:
        if self._unknown == "ignore":
            return
        if self._unknown == "refuse":
            raise ValueError(f"the key {quoted(key)} is not declared (new_columns: refuse)")
        check_name(key)
        raise UnknownFieldError(key)


def check_name(key: str) -> None:
    """Refuse a key that can be no column's name.

    Raises:
        ValueError: with the reason.
    """
    if "\0" in key or any("\ud800" <= one < "\ue000" for one in key):
        raise ValueError("a key has a NUL or half a surrogate pair: it can be no column")
    if not folded(key):
        raise ValueError("a key is empty: it can be no column")
    if folded(key) == FILE_ID:
        raise ValueError(f"a key is {FILE_ID}, which is the loader's own column")


def cut(key: str) -> str:
    """A name as PostgreSQL keeps it."""
    return same_name(key).encode("utf-8", "replace")[:IDENTIFIER_BYTES].decode("utf-8", "ignore")
