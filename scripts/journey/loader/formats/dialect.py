"""How a delimited file is written: its options, and the stream of bytes made plain UTF-8 lines."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from journey.loader.declaration.options import flag, one_of, option, text, whole
from journey.loader.errors import FileRefusedError

SEPARATOR = b"\x1f"  # stands for a delimiter of several bytes
MARKS = (  # the longer ones first: the others begin like them
    ("utf-32-le", codecs.BOM_UTF32_LE), ("utf-32-be", codecs.BOM_UTF32_BE), ("utf-8", codecs.BOM_UTF8),
    ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE),
)  # fmt: skip


def _kept(error: UnicodeError) -> tuple[str, int]:
    """Bytes that aren't of the encoding, as halves of surrogate pairs, which are no UTF-8: their row is refused."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("journey.kept", _kept)


def is_encoding(value: Any) -> bool:
    """Whether Python knows an encoding of this name."""
    try:
        return not codecs.lookup(value).name.startswith(("base64", "hex", "zlib", "bz2", "rot", "uu", "quopri"))
    except (LookupError, TypeError):
        return False


def _is_character(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1 and value.isascii() and value not in "\r\n\0"


def _is_delimiter(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 8 and not set(value) & set("\r\n\0")


def encoding() -> Any:
    """The option `encoding`."""
    return option("utf-8", "a known encoding like utf-8 or windows-1252", is_encoding)


@dataclass(frozen=True)
class CsvOptions:
    """How a CSV file is written.

    Attributes:
        header: the first line names the columns; else fields are the declared columns, in order.
        delimiter: one to eight characters between fields.
        quote: one ASCII character around fields; null: quoting is off.
        escape: what comes before a quote inside quotes; nothing: the quote itself.
        escape_unquoted: backslash escapes as MySQL and COPY's text format write them, in quotes and outside; \\N is
            null.
        encoding: Python's or IANA's name of the text encoding.
        skip_rows: lines before the header.
        skip_footer: lines at the end that are no rows.
        comment: what a line that is no row begins with.
        sep_line: the first line is Excel's `sep=;`.
        skip_blank_lines: empty lines are no rows.
        trailing_delimiter: each line ends with a delimiter.
        header_names: `strict`, or `number` names that are missing (column_1) or come twice (name_2).
        repeated_header: a line that repeats the header is to `refuse` or to `skip`.
        short_rows: a row with too few fields is to `refuse`, or its last columns are `null`.
        ctrl_z: the file may end with DOS's end-of-file character.
    """

    header: bool = flag(default=True)
    delimiter: str = option(",", "one to eight characters", _is_delimiter)
    quote: str | None = option('"', "one ASCII character, or null", lambda value: value is None or _is_character(value))
    escape: str | None = option(None, "one ASCII character", lambda value: value is None or _is_character(value))
    escape_unquoted: bool = flag(default=False)
    encoding: str = encoding()
    skip_rows: int = whole(0, least=0)
    skip_footer: int = whole(0, least=0)
    comment: str | None = text()
    sep_line: bool = flag(default=False)
    skip_blank_lines: bool = flag(default=False)
    trailing_delimiter: bool = flag(default=False)
    header_names: str = one_of("strict", "number")
    repeated_header: str = one_of("refuse", "skip")
    short_rows: str = one_of("refuse", "null")
    ctrl_z: bool = flag(default=False)

    def check(self, columns: Sequence[str]) -> None:  # noqa: ARG002
        """Refuse what doesn't go together.

        Args:
            columns: that are declared.

        Raises:
            ValueError: with the reason.
        """
        if (self.quote and self.quote in self.delimiter) or (self.escape and self.escape in self.delimiter):
            raise ValueError(f"external.options: delimiter {self.delimiter!r} is also the quote or the escape")
        if self.comment and self.comment.startswith(tuple(filter(None, (self.delimiter, self.quote)))):
            raise ValueError(f"external.options: rows may begin with {self.comment!r}, so it can't begin a comment")
        if self.escape_unquoted and self.escape not in (None, "\\"):
            raise ValueError("external.options.escape_unquoted means the backslash: leave escape out")
        if not self.header and (self.repeated_header == "skip" or self.header_names == "number"):
            raise ValueError("external.options: repeated_header and header_names are for files with a header")


OPTIONS = CsvOptions


def in_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """A stream of any encoding as UTF-8, without byte order mark and empty chunks. What isn't of the encoding stays no
    UTF-8.

    Raises:
        FileRefusedError: a byte order mark says another encoding.
    """
    name = codecs.lookup(encoding).name
    head = b""
    while len(head) < 4 and (chunk := next(chunks, b"")):
        head += chunk
    marked, mark = next((one for one in MARKS if head.startswith(one[1])), ("", b""))
    if marked and name not in (marked, marked[:6].rstrip("-"), "utf-8-sig"):
        raise FileRefusedError(
            f"it begins with the byte order mark of {marked}, and encoding is {encoding}: "
            f"declare encoding: {marked[:6].rstrip('-')}"
        )
    if marked == name:
        head = head.removeprefix(mark)
    if name.startswith("utf-8"):
        if head := head.removeprefix(codecs.BOM_UTF8):
            yield head
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("journey.kept")
    for chunk in itertools.chain([head], chunks):
        if text := decoder.decode(chunk):
            yield _encoded(text)
    if text := decoder.decode(b"", True):
        yield _encoded(text)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a byte that isn't of the encoding becomes no UTF-8


def with_separator(chunks: Iterator[bytes], delimiter: bytes) -> Iterator[bytes]:
    """A stream with one byte in place of a longer delimiter; where that byte stands already, the row is refused."""
    tail = b""
    for chunk in chunks:
        data = tail + chunk.replace(SEPARATOR, b"\xff")
        data = data.replace(delimiter, SEPARATOR)
        keep = next((n for n in range(len(delimiter) - 1, 0, -1) if data.endswith(delimiter[:n])), 0)
        tail = data[len(data) - keep :]
        if len(data) > keep:
            yield data[: len(data) - keep]
    if tail:
        yield tail


def without_footer(chunks: Iterator[bytes], lines: int, *, ctrl_z: bool) -> Iterator[bytes]:
    """A stream without its last lines, and without the character that ends a DOS file."""
    tail = b""
    for chunk in chunks:
        data = tail + chunk
        cut = len(data) if lines else max(0, len(data) - 4)
        for _ in range(lines + 1 if lines else 0):
            cut = data.rfind(b"\n", 0, cut)
            if cut < 0:
                break
        cut = cut + 1 if lines else cut
        if cut > 0:
            yield data[:cut]
            tail = data[cut:]
        else:
            tail = data
    if ctrl_z:
        stripped = tail.rstrip(b"\r\n")
        if stripped.endswith(b"\x1a"):
            tail = stripped[:-1]
    if lines:
        rows = tail.removesuffix(b"\n").split(b"\n")
        tail = b"".join(row + b"\n" for row in rows[:-lines])
    if tail:
        yield tail
