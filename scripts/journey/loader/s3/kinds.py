"""What a file is, told by its first bytes, so that a file of another kind is refused by name and with the remedy."""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD = 512  # bytes that are looked at; tar says it at 257


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        format: the `file_format` that reads it; "" if none does.
        name: what it is, in words.
        remedy: what to do.
    """

    format: str
    name: str
    remedy: str


def _declared(file_format: str, name: str) -> Kind:
    return Kind(file_format, name, f"declare file_format: {file_format}")


UNPACK = "unpack it, and put what is in it into S3 file by file"
AGAIN = "compress it with gzip, zstd or bz2, which are read as they are"
MADE_UP = "it is no data: see what was delivered"
ARCHIVE = Kind("zip", "a ZIP archive", "the option zip_members says which of its members are read, such as '*.csv'")
EXCEL = _declared("xlsx", "an Excel workbook (XLSX)")
ZIP = rb"(?s:PK\x03\x04.{26})"  # and the first member's name
BINARY = rb"(?s:(?=.{0,60}[\x00-\x08\x0e-\x1f]))"  # a text that only begins like a magic number has no such byte
KINDS: tuple[tuple[bytes, Kind], ...] = (
    (ZIP + rb"(\[Content_Types\]\.xml|_rels/|docProps/|xl/)", EXCEL),
    (ZIP + rb"mimetypeapplication/vnd\.oasis", Kind("", "an OpenDocument file", "save it as CSV or XLSX")),
    (rb"PK\x03\x04|PK\x05\x06|PK\x07\x08", ARCHIVE),
    (rb"PAR[1E]" + BINARY, _declared("parquet", "a Parquet file")),
    (rb"ORC" + BINARY, Kind("", "an ORC file", "write it as Parquet")),
    (rb"Obj\x01", _declared("avro", "an Avro file")),
    (rb"ARROW1\x00\x00", Kind("", "an Arrow IPC (Feather) file", "write it as Parquet")),
    (rb"(?s:.{257}ustar[\x00 ])", Kind("", "a tar archive", UNPACK)),
    (rb"7z\xbc\xaf\x27\x1c", Kind("", "a 7z archive", UNPACK)),
    (rb"Rar!\x1a\x07", Kind("", "a RAR archive", UNPACK)),
    (rb"\xfd7zXZ\x00", Kind("", "compressed with xz", AGAIN)),
    (rb"\x04\x22\x4d\x18", Kind("", "compressed with lz4", AGAIN)),
    (rb"\xff\x06\x00\x00sNaPpY", Kind("", "compressed with snappy", AGAIN)),
    (rb"\x89LZO\x00|\x1f\x9d|LZIP\x01", Kind("", "compressed with lzop, compress or lzip", AGAIN)),
    (rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|BZh[1-9]1AY&SY", Kind("", "compressed once more", "compress it once")),
    (rb"SQLite format 3\x00", Kind("", "an SQLite database", "export its tables as CSV")),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind("", "an old Office file (XLS)", "save it as XLSX or CSV")),
    (rb"%PDF-", Kind("", "a PDF document", MADE_UP)),
    (rb"(?i:(\xef\xbb\xbf)?\s*<(!doctype html|html[\s>]))", Kind("", "an HTML page", MADE_UP)),
    (rb"(\xef\xbb\xbf)?\s*<\?xml\s", Kind("", "an XML document", "export it as CSV or JSON lines")),
)  # fmt: skip
PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in KINDS)


def kind_of(head: bytes) -> Kind | None:
    """What a file is that isn't plain text; None if nothing is known of it.

    Args:
        head: its first HEAD bytes, or all of it.
    """
    return next((kind for pattern, kind in PATTERNS if pattern.match(head)), None)
