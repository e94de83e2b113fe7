"""What can go wrong with one file. The run goes on with the next one."""

from __future__ import annotations

from journey.errors import JourneyError
from journey.text import shown


class FileRefusedError(JourneyError):
    """The file can't be loaded; another try ends the same way."""


class TableStoppedError(JourneyError):
    """Nothing may be loaded into a table until a person has decided something; the other tables are loaded."""


class ObjectChangedError(JourneyError):
    """The object isn't the version that was listed: overwritten or removed while it was read, or damaged on the way."""


class BadRowsError(JourneyError):
    """Files that share a COPY gave other rows than were sent: each is loaded by itself."""


def one_line(error: BaseException) -> str:
    """An error's message as one line that is safe to show; of PostgreSQL's, what it says, not where in a statement."""
    diag = getattr(error, "diag", None)
    said = ": ".join(filter(None, (diag.message_primary, diag.message_detail))) if diag else ""
    return shown(" ".join((said or str(error)).split()))
