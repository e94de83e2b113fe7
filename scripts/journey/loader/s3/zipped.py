"""The members of a ZIP archive, each read as a stream, with the archive's own checksums checked."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import IO

from journey.loader.declaration.sources import key_pattern
from journey.loader.errors import FileRefusedError
from journey.loader.s3.decompress import Limit
from journey.loader.s3.kinds import kind_of
from journey.loader.s3.objects import CHUNK
from journey.loader.s3.ranges import RangeReader

BUFFER = 4 * CHUNK  # bytes of a request
DIRECTORY = 4 * CHUNK  # bytes; about 40,000 members, and 30 MB while they are read
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class _Buffered(io.BufferedReader):
    """Asks for more at once than `zipfile` does, and never for more than an archive's directory may have."""

    def __init__(self, reader: RangeReader) -> None:
        self.size = reader.seek(0, io.SEEK_END)
        super().__init__(reader, BUFFER)

    def read(self, size: int | None = -1, /) -> bytes:
        asked = size if size is not None and size >= 0 else self.size - self.tell()
        if asked > DIRECTORY:
            raise FileRefusedError("its directory of members is too large: make several archives of it")
        return super().read(size)


class Archive:
    """A ZIP archive in S3."""

    def __init__(self, reader: RangeReader | IO[bytes], limit: Limit) -> None:
        """Read its directory.

        Args:
            reader: of the object, or a copy of it.
            limit: of all members together.

        Raises:
            FileRefusedError: it is no archive, or broken.
        """
        self._limit, self._size = limit, reader.seek(0, io.SEEK_END)
        try:
            self._zip = zipfile.ZipFile(_Buffered(reader) if isinstance(reader, RangeReader) else reader)
        except BROKEN as error:
            raise _broken(error) from error
        self._sizes = {info.filename: info.file_size for info in self._zip.infolist()}

    def size(self, name: str) -> int:
        """Bytes of a member, decompressed; 0 if there is none."""
        return self._sizes.get(name, 0)

    def check(self) -> None:
        """Refuse an archive whose members are too large together.

        Raises:
            FileRefusedError: they are.
        """
        self._limit.check(self._size, sum(info.file_size for info in self._zip.infolist()))

    def members(self, wanted: str) -> list[str]:
        """The names of the members that are read, in the archive's order.

        What a Mac adds (`__MACOSX/`), folders, and whatever begins with a dot or an underscore is no data, unless
        `wanted` names it.

        Args:
            wanted: a name, or a pattern as `location` has them.

        Raises:
            FileRefusedError: there are none, or too much is in them.
        """
        is_wanted = key_pattern(wanted)
        found = [info for info in self._zip.infolist() if not info.is_dir() and is_wanted.fullmatch(info.filename)]
        if not found:
            there = [info.filename for info in self._zip.infolist() if not info.is_dir()]
            more = f" and {len(there) - 3:,} more" if len(there) > 3 else ""
            has = f"it has {', '.join(there[:3])}{more}" if there else "it is empty"
            raise FileRefusedError(f"no member of the archive is what zip_members says ({wanted}): {has}")
        [(twice, count)] = Counter(info.filename for info in found).most_common(1)
        if count > 1:
            raise FileRefusedError(f"the archive has {count} members called {twice}: make it anew")
        self._limit.check(self._size, sum(info.file_size for info in found))  # more than it says, a member can't give
        return [info.filename for info in found]

    def stream(self, name: str) -> Iterator[bytes]:
        """A member's bytes, in chunks; at the end, they agree with the archive's checksum.

        Raises:
            FileRefusedError: encrypted, broken, or compressed in a way that isn't read.
        """
        info = self._zip.getinfo(name)
        if info.flag_bits & 0x41:
            raise FileRefusedError(f"its member {name} is encrypted: make the archive without a password")
        try:
            with self._zip.open(info) as member:
                while data := member.read(CHUNK):
                    yield data
        except BROKEN as error:
            raise _broken(error, name) from error


def is_archive(reader: RangeReader) -> bool:
    """Whether an object is a ZIP archive, and no Excel workbook, which is one too."""
    reader.seek(0)
    kind = kind_of(reader.read(512))
    reader.seek(0)
    return bool(kind and kind.format == "zip")


def _broken(error: Exception, name: str = "") -> FileRefusedError:
    where = f"its member {name}" if name else "the ZIP archive"
    if isinstance(error, NotImplementedError):
        return FileRefusedError(f"{where} can't be read ({error}): make the archive with plain deflate")
    return FileRefusedError(f"{where} is broken ({error or type(error).__name__}): deliver the file again")
