"""A file's refused rows: kept, however many, in little memory, and counted against what the feed allows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

from journey.loader.columns import Change
from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import Refused
from journey.loader.values.meaning import Column

IN_MEMORY = 2**22  # bytes; more go to a temporary file
FIRST = 100  # refused rows that are kept of a file that is refused as a whole


class Rejected(NamedTuple):
    """A refused row, as the ledger keeps it.

    Attributes:
        line: line (formats without lines: row) of the file, from 1.
        column: column of the table, where known.
        reason: in plain words.
        raw: the row as the file has it; None if it named a person who was forgotten.
    """

    line: int
    column: str | None
    reason: str
    raw: str | None


class TooManyRejectsError(FileRefusedError):
    """More rows were refused than the feed allows.

    Attributes:
        kept: the first of the refused rows.
        count: how many were refused.
        delivered: rows of the file.
        changes: drift that explains them.
    """

    def __init__(
        self, message: str, kept: Sequence[Rejected], count: int, delivered: int, changes: Sequence[Change]
    ) -> None:
        super().__init__(message)
        self.kept, self.count, self.delivered, self.changes = kept, count, delivered, changes


class Rejects:
    """Collects them while a file is read."""

    def __init__(self, max_reject_rate: float) -> None:
        """Begin.

        Args:
            max_reject_rate: largest share of rows, 0 to 1.
        """
        self._rate = max_reject_rate
        self._kept: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - lives as long as the attempt
        self._first: list[Rejected] = []
        self._columns: Counter[str | None] = Counter()
        self.redact: Callable[[Rejected], Rejected] = lambda refused: refused  # before it is kept
        self.count = self.delivered = self.withheld = self._lines = 0

    def add(self, refused: Sequence[Refused], good: int = 0) -> None:
        """Keep some.

        Args:
            refused: the rows.
            good: rows beside them that the reader gave; they are counted as delivered.
        """
        self.delivered += len(refused) + good
        if not refused:
            return
        storable = (Rejected(one.line, one.column, _storable(one.reason), _storable(one.raw)) for one in refused)
        bad = [self.redact(one) for one in storable]
        self._first += bad[: FIRST - len(self._first)]
        self._kept.write(json.dumps(bad).encode() + b"\n")
        self._columns.update(one.column for one in refused)
        self.count += len(refused)
        self._lines += sum(one.lines for one in refused)  # a stray quote may have swallowed good rows

    def withhold(self, count: int) -> None:
        """Count rows that are delivered, and are neither loaded nor refused: of persons who were forgotten."""
        self.withheld += count
        self.delivered += count

    def rows(self) -> Iterator[Rejected]:
        """All of them, in the order in which they came."""
        self._kept.seek(0)
        for line in self._kept:
            for bad in json.loads(line):
                yield Rejected(*bad)

    def close(self) -> None:
        """Forget them."""
        self._kept.close()

    def check(self, loaded: int, targets: Sequence[Column]) -> None:
        """Refuse the file if too many were refused.

        Args:
            loaded: rows that weren't.
            targets: the columns, for what is said of their types.

        Raises:
            TooManyRejectsError: more than the feed allows.
        """
        good = loaded + self.withheld
        if self._lines <= self._rate * (good + self._lines):
            return
        first, total = self._first[0], good + self.count
        message = (
            f"{self.count:,} of {total:,} rows refused, more than max_reject_rate {self._rate:.2%} allows; "
            f"the first: line {first.line}{f', column {first.column}' if first.column else ''}: {first.reason}"
        )
        raise TooManyRejectsError(message, self._first, self.count, total, self._type_drift(targets))

    def _type_drift(self, targets: Sequence[Column]) -> list[Change]:
        """Most refusals in one column: its type doesn't fit any more."""
        column, count = self._columns.most_common(1)[0]
        if not column or count * 2 <= self.count:
            return []
        kind = next((target.type for target in targets if target.name == column), "")
        example = next((bad.reason for bad in self._first if bad.column == column), "")
        return [Change("type", column, f"{kind} no longer fits: {example}")]


def _storable(text: bytes | str) -> str:
    """A text that PostgreSQL can keep."""
    plain = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    if plain.isascii() and "\0" not in plain:
        return plain
    return plain.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
