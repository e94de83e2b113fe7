"""JSON: an object a line, objects one after the other, or one array of objects."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import Batch, File, Reader, Unknown
from journey.loader.formats.dialect import in_utf8
from journey.loader.formats.jsonoptions import JsonLinesOptions
from journey.loader.formats.jsontext.blocks import Blocks
from journey.loader.formats.jsontext.buffer import BLANKS, BLOCK_BYTES
from journey.loader.formats.jsontext.fields import Fields
from journey.loader.formats.jsontext.keys import Keys
from journey.loader.formats.jsontext.layouts import Block, concatenated, in_array, in_lines
from journey.loader.values.meaning import Column

OBJECT = ord("{")
SHOWN = 40  # characters of a record in a message


class JsonReader(Reader):
    """One JSON file."""

    Options = JsonLinesOptions

    def __init__(
        self,
        file: File,
        options: JsonLinesOptions,
        declared: Sequence[Column],
        *,
        max_columns: int = 500,
        unknown: Unknown = "raise",
    ) -> None:
        """Remember the file; nothing is read yet."""
        super().__init__(file, options, declared, max_columns=max_columns, unknown=unknown)
        self._names: list[str] | None = None
        self._opened: Iterator[bytes] | None = None  # what names() has begun to read
        self._missing: list[str] = []
        self._ignored: list[str] = []

    @classmethod
    def of_kept(cls, names: Sequence[str], options: JsonLinesOptions) -> tuple[bytes, JsonLinesOptions]:  # noqa: ARG003
        """Kept rows stand in a line each."""
        return b"", JsonLinesOptions()

    def names(self, *, scan: bool = False) -> list[str] | None:
        """None, or after a scan every key that a good record may have, in order of appearance."""
        if scan:
            keys = Keys(self.declared, self.max_columns)
            for block in self._blocks(self._chunks()):
                keys.look(block)
            self._names = keys.names
            return self._names
        self._names, chunks = None, self._chunks()
        first = next(chunks, b"")
        self._opened = itertools.chain([first], chunks)
        return None if first else []

    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The records, a block at a time."""
        names = self._names
        if names is None:
            names = [column.name if column else "" for column in targets]
        fields = Fields(names, self.unknown if self._names is None else "raise")
        blocks = Blocks(targets, fields, self.max_columns, self.options.encoding)
        chunks, self._opened = self._opened or self._chunks(), None
        for block in self._blocks(chunks):
            yield from map(blocks.batch, block.parts())
        if self._names is None:
            self._missing = [name for position, name in enumerate(names) if position not in blocks.seen]
        self._ignored = list(fields.ignored)

    @property
    def missing(self) -> Sequence[str]:
        """After reading without a scan: columns of which no record had the key."""
        return self._missing

    @property
    def ignored(self) -> Sequence[str]:
        """After reading: keys that were ignored."""
        return self._ignored

    def _blocks(self, chunks: Iterator[bytes]) -> Iterator[Block]:
        if self.options.layout == "array":
            yield from in_array(chunks, self.options.path)
            return
        blocks = in_lines(chunks) if self.options.layout == "lines" else concatenated(chunks)
        for first in blocks:
            if len(first.starts) and all(first.data[at] != OBJECT for at in first.starts.tolist()):
                shown = first.raw(0)[:SHOWN].decode("utf-8", "backslashreplace")
                raise FileRefusedError(f"it is no JSON: none of its records begins with {{, the first is {shown!r}")
            yield first
            break
        yield from blocks

    def _chunks(self) -> Iterator[bytes]:
        """The file in UTF-8, if it begins as its layout has it."""
        chunks, head = in_utf8(self.file.stream(), self.options.encoding), b""
        for chunk in chunks:
            head += chunk
            if len(head.lstrip(BLANKS)) >= 2 or len(head) > BLOCK_BYTES:
                break
        if head:
            self._check_head(head)
            yield head
        yield from chunks

    def _check_head(self, head: bytes) -> None:
        begin, layout, path = head.lstrip(BLANKS)[:2], self.options.layout, self.options.path
        if b"\0" in begin and begin.strip(b"\0") in (b"{", b"["):
            name = "utf-16-le" if begin.endswith(b"\0") else "utf-16-be"
            raise FileRefusedError(f"it is in UTF-16: declare encoding: {name}")
        if layout == "array" and path and begin[:1] != b"{":
            raise FileRefusedError(f"it is no JSON object, in which path {path} could lead to an array")
        if layout == "array" and not path and begin[:1] == b"{":
            raise FileRefusedError(
                "it begins with an object, and layout is array: declare layout: lines or concatenated, or the path of "
                "the array in it"
            )
        if layout == "array" and not path and begin[:1] not in (b"[", b""):
            raise FileRefusedError("it is no JSON array (layout: array)")
        if layout != "array" and begin[:1] == b"[":
            raise FileRefusedError("it is one JSON array: declare layout: array")


READER = JsonReader
