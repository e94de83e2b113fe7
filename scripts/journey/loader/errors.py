"""What can go wrong with one file. The run goes on with the next one."""

from __future__ import annotations

from journey.errors import JourneyError


class FileRefusedError(JourneyError):
    """The file can't be loaded; another try ends the same way."""


class ObjectChangedError(JourneyError):
    """The object was overwritten or removed while it was read."""


class BadRowsError(JourneyError):
    """The fast path can't take the file; the careful path may."""


def one_line(error: BaseException) -> str:
    """An error's message without line ends; of PostgreSQL's, what it says and not where in a statement of ours."""
    diag = getattr(error, "diag", None)
    said = ": ".join(filter(None, (diag.message_primary, diag.message_detail))) if diag else ""
    return " ".join((said or str(error)).split())
