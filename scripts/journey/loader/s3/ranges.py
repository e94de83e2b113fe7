"""An object as a file that can seek."""

from __future__ import annotations

import io
from typing import Any

from journey.loader.s3.objects import S3Object


class RangeReader(io.RawIOBase):
    """An object as a file that can seek, by ranged requests; small objects come whole, in one.

    What holds for a large one: each range is of the listed version, from where it was asked and so long. Its bytes are
    as right as TLS and the format's own checksums (of Parquet's pages, of a ZIP's members): S3 keeps none of ranges.
    """

    WHOLE = 8 * 2**20

    def __init__(self, source: S3Object) -> None:
        """Fetch a small object, with its checksum checked; of a large one, nothing yet.

        Raises:
            ObjectChangedError: as `S3Object.chunks`; so does each read.
            FileRefusedError: the same.
        """
        self._object, self._position = source, 0
        self._whole = b"".join(source.chunks()) if source.size <= self.WHOLE else None

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Offset in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset in bytes."""
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._object.size}[whence]
        if at < 0:
            raise OSError(f"there is nothing before the file's begin: offset {at}")
        self._position = at
        return at

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes from here."""
        start, end = self._position, self._object.size if size < 0 else self._position + size
        data = b"".join(self._object.chunks(start, end)) if self._whole is None else self._whole[start:end]
        self._position += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """The same, into a buffer, as io.BufferedReader asks."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
