"""Objects in S3: listed, fetched with resume, decompressed by content, read ahead in a thread, in constant memory."""

from __future__ import annotations

import bz2
import io
import itertools
import random
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING, Any, NamedTuple

import urllib3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)  # fmt: skip
from isal import igzip_lib

from journey.errors import UsageError
from journey.loader.errors import FileRefusedError, ObjectChangedError
from journey.loader.sources import Source
from journey.settings import s3_failure

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHUNK = 2**20  # bytes; from 256 KB to 4 MB COPY is equally fast
PIECE = CHUNK // 4
AHEAD = 5  # chunks
PART = 32 * CHUNK  # of a request: for longer ones, SeaweedFS pauses for a second now and then
CHANGED_CODES = {"PreconditionFailed", "412", "NoSuchKey", "404", "InvalidRange", "416"}
TRANSIENT_CODES = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeoutException",
                   "InternalError", "ServiceUnavailable", "RequestLimitExceeded", "BandwidthLimitExceeded"}  # fmt: skip
FAULTS = (BotoCoreError, ClientError, urllib3.exceptions.HTTPError, OSError)


class Listed(NamedTuple):
    """An object as S3 lists it."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True)
class Retry:
    """How patient to be.

    Attributes:
        attempts: tries in a row without a byte of progress.
        base_seconds: first pause; it doubles, up to 10 s.
        stall_seconds: a chunk of 1 MB that takes longer counts as a broken stream.
    """

    attempts: int = 6
    base_seconds: float = 0.2
    stall_seconds: float = 60.0

    def pause(self, attempt: int) -> None:
        """Wait before the next try, with jitter."""
        time.sleep(min(10.0, self.base_seconds * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311


def list_objects(client: S3Client, source: Source, start_after: str | None, retry: Retry) -> Iterator[list[Listed]]:
    """The objects under a source's prefix, a page at a time.

    Args:
        start_after: key after which the listing begins; None: everything.
        retry: how patient to be.

    Raises:
        UsageError: S3 doesn't let us list, or isn't there.
    """
    request: dict[str, Any] = {"Bucket": source.bucket, "Prefix": source.prefix, **_payer(source)}
    request |= {"StartAfter": start_after} if start_after else {}
    attempt = 0
    while True:
        try:
            page = client.list_objects_v2(**request)
        except FAULTS as error:
            attempt += 1
            if attempt >= retry.attempts or not _may_pass(error):
                raise UsageError(s3_failure(error, f"s3://{source.bucket}/{source.prefix}")) from error
            retry.pause(attempt - 1)
            continue
        yield [Listed(item["Key"], item["ETag"].strip('"'), item["Size"]) for item in page.get("Contents", ())]
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"], attempt = page["NextContinuationToken"], 0


def _may_pass(error: Exception) -> bool:
    """Whether S3's refusal, or its silence, may be over at the next try."""
    if not isinstance(error, ClientError):
        return not isinstance(error, (NoCredentialsError, PartialCredentialsError))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or status == 429 or error.response.get("Error", {}).get("Code") in TRANSIENT_CODES


def look_again(client: S3Client, source: Source, key: str) -> Listed | None:
    """An object as it is now; None if it's gone."""
    try:
        head = client.head_object(Bucket=source.bucket, Key=key, **_payer(source))
    except (BotoCoreError, ClientError):
        return None
    return Listed(key, head["ETag"].strip('"'), head["ContentLength"])


def _payer(source: Source) -> dict[str, Any]:
    return {"RequestPayer": source.options.request_payer} if source.options.request_payer else {}


class S3Object:
    """One version of one object. Every request says `If-Match`: bytes of two versions never mix."""

    def __init__(
        self, client: S3Client, source: Source, file: Listed, retry: Retry, progress: Callable[[int], None]
    ) -> None:
        """Remember which version of which object; nothing is requested yet.

        Args:
            retry: how patient to be.
            progress: takes the number of bytes of each chunk; may raise, to stop.
        """
        self._client, self._retry, self._progress, self.size = client, retry, progress, file.size
        self._request: dict[str, Any] = {
            "Bucket": source.bucket, "Key": file.key, "IfMatch": f'"{file.etag}"', **_payer(source)
        }  # fmt: skip
        self.where = f"s3://{source.bucket}/{file.key}"
        self.version_id: str | None = None
        self.resumed = 0  # broken streams

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from start to stop; a broken, throttled or stalled stream goes on where it broke.

        Raises:
            ObjectChangedError: it isn't the version that was asked for any more.
            FileRefusedError: S3 keeps failing.
        """
        position, end, attempt = start, self.size if stop is None else min(stop, self.size), 0
        while position < end:
            part = min(end, position + PART)
            ranged: dict[str, Any] = {"Range": f"bytes={position}-{part - 1}"} if part - position < self.size else {}
            try:
                answer = self._client.get_object(**self._request, **ranged)
                self.version_id = answer.get("VersionId")
                with closing(answer["Body"]._raw_stream) as body:  # type: ignore[attr-defined]  # botocore's has no read1
                    while data := self._read(body):
                        position += len(data)
                        self._progress(len(data))
                        attempt = 0
                        yield data
                if position < part:
                    raise IncompleteReadError(actual_bytes=position - start, expected_bytes=part - start)
            except FAULTS as error:
                attempt += 1
                self._give_up_or_wait(error, attempt, position)

    def _read(self, body: Any) -> bytes:
        """One chunk, piece by piece: a trickle never trips a socket's timeout, but the clock."""
        deadline, pieces, size = time.monotonic() + self._retry.stall_seconds, list[bytes](), 0
        while size < CHUNK and (piece := body.read1(PIECE)):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{size:,} bytes in {self._retry.stall_seconds:g} s")
        return b"".join(pieces)

    def _give_up_or_wait(self, error: Exception, attempt: int, position: int) -> None:
        if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in CHANGED_CODES:
            raise ObjectChangedError(f"{self.where} was overwritten or removed while it was read") from error
        if not _may_pass(error):
            raise FileRefusedError(s3_failure(error, self.where)) from error
        if attempt >= self._retry.attempts:
            said = f"{s3_failure(error, self.where)}, {attempt} times, after {position:,} bytes"
            raise FileRefusedError(said) from error
        self.resumed += 1
        self._retry.pause(attempt - 1)


class RangeReader(io.RawIOBase):
    """An object as a file that can seek, by ranged requests; small objects come whole, in one."""

    WHOLE = 8 * 2**20

    def __init__(self, source: S3Object) -> None:
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
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._object.size}[whence]
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes from here."""
        start, end = self._position, self._object.size if size < 0 else self._position + size
        data = b"".join(self._object.chunks(start, end)) if self._whole is None else self._whole[start:end]
        self._position += len(data)
        return data


MAGIC: dict[bytes, tuple[str, Callable[[], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)),
    b"\x28\xb5\x2f\xfd": ("zstd", zstd.ZstdDecompressor),
    b"BZh": ("bz2", bz2.BZ2Decompressor),
}
BROKEN: tuple[type[Exception], ...] = (igzip_lib.IsalError, zstd.ZstdError, OSError, EOFError)  # type: ignore[assignment]
FOREIGN = {b"PK\x03\x04": "a zip archive", b"\xfd7zXZ\x00": "xz", b"PAR1": "a Parquet file", b"ORC": "ORC",
           b"Obj\x01": "Avro", b"7z\xbc\xaf": "a 7z archive"}  # fmt: skip


def decompress(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Decompress what gzip, zstd or bz2 made, several members too; pass on the rest. The content decides, not the name.

    Args:
        chunks: the object's bytes.
        max_bytes: largest size, decompressed.

    Raises:
        FileRefusedError: broken, cut short, larger than max_bytes, or of a kind that isn't read.
    """
    head = b""
    while len(head) < 6 and (more := next(chunks, b"")):
        head += more
    for magic, kind in FOREIGN.items():
        if head.startswith(magic):
            raise FileRefusedError(f"it is {kind}, which this source's file_format doesn't mean")
    plain: Iterator[bytes] = itertools.chain((head,) if head else (), chunks)
    for magic, (kind, make) in MAGIC.items():
        if head.startswith(magic):
            plain = _members(kind, make, plain)
            break
    total = 0
    for data in plain:
        total += len(data)
        if total > max_bytes:
            raise FileRefusedError(f"it is larger than max_bytes ({max_bytes:,} bytes, decompressed)")
        yield data


def _members(kind: str, make: Callable[[], Any], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The members of a compressed stream, one after the other; each call of `make` begins one."""
    decompressor, data = make(), next(chunks)
    try:
        while True:
            if plain := decompressor.decompress(data, CHUNK):
                yield plain
            data = b""
            if decompressor.eof:
                data = decompressor.unused_data.lstrip(b"\0")  # some tools pad with zeros
                while not data and (more := next(chunks, b"")):
                    data = more.lstrip(b"\0")
                if not data:
                    return
                decompressor = make()
            elif decompressor.needs_input and not (data := next(chunks, b"")):
                raise FileRefusedError(f"the {kind} stream is cut short")
    except BROKEN as error:
        raise FileRefusedError(f"the {kind} stream is broken: {error}") from error


def read_ahead(chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """The same chunks, made in a thread of its own, a few ahead. Closing it stops the thread at its next chunk."""
    queue: Queue[bytes | BaseException | None] = Queue(AHEAD)
    stopped = threading.Event()

    def run() -> None:
        try:
            with closing(chunks):
                for data in chunks:
                    queue.put(data)
                    if stopped.is_set():
                        return
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    threading.Thread(target=run, daemon=True, name="read ahead").start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        while not queue.empty():  # a thread that waits for room goes on, and sees it
            queue.get_nowait()
