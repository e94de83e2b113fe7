"""The parts of a workbook: the members of a ZIP archive that name each other, each an XML document."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from journey.loader.errors import FileRefusedError
from journey.loader.s3.decompress import Limit
from journey.loader.s3.kinds import HEAD, kind_of
from journey.loader.s3.zipped import Archive

if TYPE_CHECKING:
    from journey.loader.s3.ranges import RangeReader

OLE = b"\xd0\xcf\x11\xe0"  # what Office wrote before, and what it puts around a file with a password
TOKEN_BYTES = 2**20  # of one tag
PART_BYTES = 2**28  # of a part that is kept in memory: styles, texts that cells share


class Sheet(NamedTuple):
    """A worksheet.

    Attributes:
        name: on its tab.
        part: where its rows are.
        is_hidden: whether Excel shows no tab of it.
    """

    name: str
    part: str
    is_hidden: bool


class Package:
    """An opened file.

    Attributes:
        sheets: its worksheets, in order; sheets that are charts aren't among them.
        styles: the part with the formats of cells, if there is one.
        strings: the part with texts that cells share, if there is one.
        since_1904: whether its dates count from 1904, as they did on a Mac.
    """

    def __init__(self, file: RangeReader | IO[bytes], limit: Limit) -> None:
        """Find the parts.

        Args:
            file: the object.
            limit: of all its parts, decompressed.

        Raises:
            FileRefusedError: it is no workbook, a broken one, or too large.
        """
        head = file.read(HEAD)
        kind = kind_of(head)
        if head.startswith(OLE):
            raise FileRefusedError("it is an old Excel file (XLS), or has a password: save it as XLSX without one")
        if kind is None or kind.format not in ("xlsx", "zip"):
            raise FileRefusedError(f"it is no XLSX file{f' but {kind.name}: {kind.remedy}' if kind else ''}")
        self._archive = Archive(file, limit)
        self._archive.check()
        main = self._related("").get("officeDocument", [("", "")])[0][1]
        if main.endswith(".bin"):
            raise FileRefusedError("it is a binary workbook (XLSB): save it as XLSX")
        if not self._archive.size(main):
            raise FileRefusedError("it is a ZIP archive and no XLSX file: there is no workbook in it")
        related = self._related(main)
        self.styles = related.get("styles", [("", "")])[0][1]
        self.strings = related.get("sharedStrings", [("", "")])[0][1]
        self.since_1904 = False
        self.sheets: list[Sheet] = []
        worksheets = dict(related.get("worksheet", []))
        for name, given in self.elements(main):
            if name == "workbookPr":
                self.since_1904 = given.get("date1904") in ("1", "true")
            elif name == "sheet" and given.get("id", "") in worksheets:
                hidden = given.get("state", "visible") != "visible"
                self.sheets.append(Sheet(given.get("name", ""), worksheets[given["id"]], hidden))

    def stream(self, part: str) -> Iterator[bytes]:
        """A part's bytes, in chunks; the archive's checksum is compared at the end."""
        if not self._archive.size(part):
            raise FileRefusedError(f"the XLSX file is broken: its part {part} is missing")
        return self._archive.stream(part)

    def elements(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Names and attributes of a part's elements, without prefixes."""
        found: list[tuple[str, dict[str, str]]] = []

        def start(name: str, given: dict[str, str]) -> None:
            found.append((local(name), {local(key): value for key, value in given.items()}))

        parser = expat.ParserCreate()
        parser.StartElementHandler = start
        for _ in self.parsed(part, parser):
            yield from found
            found.clear()

    def kept(self, part: str) -> str:
        """A part that is to be kept in memory.

        Raises:
            FileRefusedError: it is too large for that.
        """
        size = self._archive.size(part)
        if size > PART_BYTES:
            raise FileRefusedError(
                f"its part {part} has {size:,} bytes, more than {PART_BYTES:,}, and is read into memory: deliver CSV"
            )
        return part

    def parsed(self, part: str, parser: expat.XMLParserType) -> Iterator[None]:
        """Parse a part, a chunk at a time.

        Args:
            part: its name.
            parser: with its handlers.

        Raises:
            FileRefusedError: it is no XML, or none that a workbook has.
        """
        parser.StartDoctypeDeclHandler = _no_document_type
        parser.buffer_text = True
        read = 0
        try:
            for data in self.stream(part):
                for begin in range(0, len(data), 2**16):
                    piece = data[begin : begin + 2**16]
                    read += len(piece)
                    parser.Parse(piece, False)
                    if read - parser.CurrentByteIndex > TOKEN_BYTES:
                        raise FileRefusedError(f"its part {part} has a tag of more than {TOKEN_BYTES:,} bytes")
                    yield
            parser.Parse(b"", True)
            yield
        except expat.ExpatError as error:
            raise FileRefusedError(f"the XLSX file is broken: its part {part} is no XML ({error})") from error

    def _related(self, part: str) -> dict[str, list[tuple[str, str]]]:
        """The parts that a part names: id and name, by kind."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, list[tuple[str, str]]] = {}
        if self._archive.size(relations):
            for element, given in self.elements(relations):
                if element == "Relationship" and given.get("TargetMode") != "External":
                    target = posixpath.normpath(posixpath.join("/", folder, given.get("Target", ""))).lstrip("/")
                    kind = given.get("Type", "").rpartition("/")[2]
                    found.setdefault(kind, []).append((given.get("Id", ""), target))
        return found


def local(name: str) -> str:
    """An XML name without its prefix."""
    return name.rpartition(":")[2]


def _no_document_type(*_: object) -> None:
    raise FileRefusedError("its XML has a document type, which no workbook's has: save it anew with Excel")
