"""What a file format owes the rest of the loader: one abstract class. The registry is `formats/__init__.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from journey.loader.errors import FileRefusedError
from journey.loader.values.meaning import Column

if TYPE_CHECKING:
    import pyarrow as pa

    from journey.loader.s3.ranges import RangeReader


NOTHING = "it hasn't a byte, which {} always has: deliver it again"  # that is left of an upload that was cut


class File(Protocol):
    """An object in S3, as a reader sees it. Either way may be used several times, and begins anew each time."""

    @property
    def key(self) -> str:
        """Its key."""

    def stream(self) -> Iterator[bytes]:
        """Its bytes, decompressed, in chunks.

        S3's checksum is compared where the stream ends: a reader that has all rows before that reads on to the end.

        Raises:
            FileRefusedError: it can't be read.
            ObjectChangedError: it was overwritten meanwhile, or is damaged.
        """

    def seekable(self) -> RangeReader | IO[bytes]:
        """The object as it lies in S3, as a file that can seek."""


RAW_BYTES = 2**20  # kept of a refused row


class Refused(NamedTuple):
    """A row that isn't what is declared.

    Attributes:
        line: its first line (formats without lines: its row) in the file, from 1.
        column: the column of the table to blame, where one is.
        reason: in plain words: the value, what is declared, and the option that would read it, if there is one.
        raw: the row as the file has it, cut to RAW_BYTES; replay reads it again. Bytes are in the declared encoding.
        lines: how many lines it spans; so much it weighs against max_reject_rate.
    """

    line: int
    column: str | None
    reason: str
    raw: bytes | str
    lines: int = 1


Unknown = Literal["raise", "ignore", "refuse"]
Origin = Callable[[int], tuple[int, "bytes | str"]]


@dataclass(frozen=True)
class Batch:
    """Rows of a file, in the file's order.

    Attributes:
        arrays: the good rows' values: one array for each target that is a column, of its `arrow_type`.
        refused: the rows between them that are none.
        origin: line and raw text of the good row with this position, should the server refuse it after all.
    """

    arrays: list[pa.Array]
    refused: Sequence[Refused]
    origin: Origin


class UnknownFieldError(Exception):
    """A field that names() didn't say. Nothing is lost: the load asks names(scan=True) and begins the file anew."""


class Reader(ABC):
    """One file, read strictly as declared.

    A reader promises:
    - A row is good if each of its values is what its column's `Meaning` says, alone: what stands beside it, in which
      chunk it came and how large the file is change nothing.
    - A row that isn't good is refused with line, column, value and reason. No exception ends a file for one row, and a
      bad row costs no good one.
    - What makes the whole file unreadable (no header, another format, cut short) raises FileRefusedError, with the
      remedy. A file of another kind is told by name, and so is the option that would read it.
    - Nothing is told by looking at values: a type, a format, a delimiter is declared, or has its stated default.
    - Memory is bounded, whatever the file's size; what isn't bounded has a limit, and a message that names it.
    """

    Options: ClassVar[type]  # a dataclass of the format's own options, made with declaration.options; `without` are
    # the options of values that would do nothing

    def __init__(
        self,
        file: File,
        options: Any,
        declared: Sequence[Column],
        *,
        max_columns: int = 500,
        unknown: Unknown = "raise",
    ) -> None:
        """Remember the file; nothing is read yet.

        Args:
            file: what to read.
            options: of the class `Options`.
            declared: the feed's columns, for files that don't name their fields.
            max_columns: a file with more fields is refused.
            unknown: where names() says None, what becomes of fields that no target is for: `raise` UnknownFieldError,
                `ignore` them, or `refuse` the rows that have one (`new_columns` is add, ignore, refuse).
        """
        self.file, self.options, self.declared, self.max_columns = file, options, declared, max_columns
        self.unknown: Unknown = unknown

    @classmethod
    def check(cls, options: Any, columns: Sequence[Column]) -> None:
        """Refuse options that don't go together.

        Raises:
            ValueError: with the reason.
        """
        options.check([column.name for column in columns])

    @classmethod
    def of_kept(cls, names: Sequence[str], options: Any) -> tuple[bytes, Any]:  # noqa: ARG003
        """How refused rows are read again from what was kept of them, a line each, without their file.

        Args:
            names: the file's field names.
            options: as they are declared.

        Returns:
            What stands before the rows, and the options to read them with, in UTF-8.

        Raises:
            FileRefusedError: that can't be done; the file itself is needed.
        """
        raise FileRefusedError("rows of this format are read again from the file alone: put it back into S3")

    @abstractmethod
    def names(self, *, scan: bool = False) -> list[str] | None:
        """The names of the file's fields, in its order.

        Args:
            scan: read the whole file if it takes that.

        Returns:
            [] for a file without a byte, of a format that allows it; None where only a scan would tell: then any of the
            table's columns may come.

        Raises:
            FileRefusedError: the file can't be read as declared.
        """

    @abstractmethod
    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The rows.

        Args:
            targets: a column for each of names(); None for a field that is ignored. Where names() said None: the
                table's columns, to be found by name.

        Raises:
            FileRefusedError: the file can't be read as declared.
            UnknownFieldError: a field came that names() didn't say, which only a reader may raise that said None.
        """

    @property
    def missing(self) -> Sequence[str]:
        """After reading: targets that never came, of a reader whose names() said None."""
        return ()

    @property
    def ignored(self) -> Sequence[str]:
        """After reading: fields that were ignored because `unknown` says so, at most max_columns."""
        return ()
