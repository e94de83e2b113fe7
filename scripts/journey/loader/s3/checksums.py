"""Checksums that S3 keeps of an object, computed again over what came.

Which it is depends on how the object was written: AWS itself adds CRC64NVME, boto3 CRC32. Without one, the MD5 in a
plain ETag. What was written in parts may only have a checksum of its parts' checksums (it ends in `-N`): nothing then
tells whether the whole is right but its length, its ETag and TLS.
"""

from __future__ import annotations

import base64
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

PLAIN_MD5 = re.compile(r"[0-9a-f]{32}")


class Checksum(ABC):
    """One that S3 gave, to be compared.

    Attributes:
        name: what it is called, for messages.
        expected: its digest.
    """

    def __init__(self, name: str, expected: bytes) -> None:
        """Remember what is expected."""
        self.name, self.expected = name, expected

    @abstractmethod
    def update(self, data: bytes) -> None:
        """Take the next bytes."""

    @abstractmethod
    def digest(self) -> bytes:
        """Of what came so far."""


class _Hash(Checksum):
    def __init__(self, name: str, expected: bytes, kind: str) -> None:
        super().__init__(name, expected)
        self._hash = hashlib.new(kind, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.digest()


class _Crc(Checksum):
    def __init__(self, name: str, expected: bytes, function: Callable[[bytes, int], int], size: int) -> None:
        super().__init__(name, expected)
        self._function, self._size, self._value = function, size, 0

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def _crc32(expected: bytes) -> Checksum:
    from isal import isal_zlib

    return _Crc("CRC32", expected, isal_zlib.crc32, 4)


def _anycrc(name: str, model: str, size: int) -> Callable[[bytes], Checksum]:
    def make(expected: bytes) -> Checksum:
        import anycrc  # type: ignore[import-untyped]  # only some buckets need it

        return _Crc(name, expected, anycrc.Model(model).calc, size)

    return make


KEPT: dict[str, Callable[[bytes], Checksum]] = {  # the cheapest first
    "ChecksumCRC32": _crc32,
    "ChecksumCRC64NVME": _anycrc("CRC64NVME", "CRC64-NVME", 8),
    "ChecksumCRC32C": _anycrc("CRC32C", "CRC32C", 4),
    "ChecksumSHA1": lambda expected: _Hash("SHA1", expected, "sha1"),
    "ChecksumSHA256": lambda expected: _Hash("SHA256", expected, "sha256"),
}


def checksum_of(answer: Mapping[str, Any], md5: str) -> Checksum | None:
    """The checksum of a whole object that its headers give; None if they give none.

    Args:
        answer: of a request for the whole object, as botocore has it; not for a part: there it may be the part's.
        md5: the object's ETag, where ETags are MD5 sums; else "".
    """
    for field, make in KEPT.items():
        value = answer.get(field)
        if value and "-" not in value and answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
            return make(_decoded(value))
    plain = answer.get("ServerSideEncryption") in (None, "AES256") and not answer.get("SSECustomerAlgorithm")
    if plain and PLAIN_MD5.fullmatch(md5):
        return _Hash("MD5 (its ETag)", bytes.fromhex(md5), "md5")
    return None


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""  # nothing agrees with it
