"""An object as a format's reader sees it: `formats.contract.File`."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from journey.loader.declaration.sources import Source
from journey.loader.s3.ahead import read_ahead
from journey.loader.s3.decompress import Limit, decompress
from journey.loader.s3.objects import CHUNK, S3Object
from journey.loader.s3.ranges import RangeReader
from journey.loader.s3.zipped import Archive, is_archive

if TYPE_CHECKING:
    from journey.loader.formats.contract import File


class S3File:
    """An object.

    Attributes:
        key: its key.
        member: the part of it that this is; None: it is the whole.
    """

    member: str | None = None

    def __init__(self, source: Source, key: str, found: S3Object) -> None:
        """Nothing is requested yet.

        Args:
            source: whose file it is; its options say what limits there are.
            key: of the object.
            found: the object.
        """
        self.key, self._object, self._source = key, found, source
        self._limit = Limit(source.options.max_bytes, source.options.max_ratio)

    def stream(self) -> Iterator[bytes]:
        """Its bytes, decompressed, in chunks; of larger files, some ahead, fetched and checked in another thread.

        S3's checksum is compared where the stream ends: whoever stops earlier must read on to the end.

        Raises:
            FileRefusedError: it can't be read.
            ObjectChangedError: it was overwritten meanwhile, or is damaged.
        """
        chunks = decompress(self._object.chunks(), self._limit, self._source.format)
        return read_ahead(chunks) if self._object.size > CHUNK else chunks

    def seekable(self) -> RangeReader:
        """The object as it lies in S3, as a file that can seek."""
        return RangeReader(self._object)

    def members(self) -> list[File]:
        """What a reader reads, one after the other: itself, or the members of a ZIP archive where `zip_members` is
        declared.

        Raises:
            FileRefusedError: the archive can't be read, or has no such member.
            ObjectChangedError: it was overwritten meanwhile.
        """
        wanted = self._source.options.zip_members
        if not wanted or not is_archive(reader := RangeReader(self._object)):
            return [self]
        archive = Archive(reader, self._limit)
        return [Member(self, archive, name, self._limit, self._source.format) for name in archive.members(wanted)]


class Member:
    """A member of a ZIP archive, which is a file like any other: it may be compressed once more."""

    def __init__(self, file: S3File, archive: Archive, name: str, limit: Limit, file_format: str) -> None:
        """Nothing of it is read yet."""
        self.key, self.member = file.key, name
        self._archive, self._limit, self._format = archive, limit, file_format

    def stream(self) -> Iterator[bytes]:
        """Its bytes, in chunks.

        Raises:
            FileRefusedError: it can't be read.
            ObjectChangedError: the object was overwritten meanwhile.
        """
        return read_ahead(decompress(self._archive.stream(self.member), self._limit, self._format))

    def seekable(self) -> IO[bytes]:
        """A copy of it that can seek: up to 8 MB in memory, else in a temporary file.

        Python's own file that does both doesn't say that it can seek before 3.11, and zipfile asks.
        """
        small = io.BytesIO()
        copy: IO[bytes] = small
        for data in self._archive.stream(self.member):
            if copy is small and small.tell() + len(data) > RangeReader.WHOLE:
                copy = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
                copy.write(small.getvalue())
            copy.write(data)
        copy.seek(0)
        return copy
