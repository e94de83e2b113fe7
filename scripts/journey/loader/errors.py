"""What can go wrong with one file. The run goes on with the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from journey.errors import JourneyError

if TYPE_CHECKING:
    from journey.loader.columns import Change
    from journey.loader.ledger import Rejected


class FileRefusedError(JourneyError):
    """The file can't be loaded as it is; another try with the same bytes ends the same way."""


class ObjectChangedError(JourneyError):
    """The object was overwritten or removed while it was read."""


class StorageError(JourneyError):
    """S3 didn't give the object, after all retries."""


class BadRowsError(JourneyError):
    """The fast path can't take the file; the careful path may."""


class TooManyRejectsError(FileRefusedError):
    """More rows were refused than the source allows.

    Attributes:
        kept: some of the refused rows.
        count: how many were refused up to here.
        changes: drift that explains them.
    """

    def __init__(self, message: str, kept: Sequence[Rejected], count: int) -> None:
        super().__init__(message)
        self.kept, self.count = kept, count
        self.changes: Sequence[Change] = ()
