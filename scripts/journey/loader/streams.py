"""The bytes of an object: fetched with resume, decompressed by content, read ahead in a thread, in constant memory."""

from __future__ import annotations

import bz2
import io
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any, Protocol

import urllib3
import zstandard
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from isal import igzip_lib

from journey.loader.errors import FileRefusedError, ObjectChangedError, StorageError
from journey.loader.plan import Listed
from journey.settings import s3_failure

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHUNK = 2**20  # bytes; from 256 KB to 4 MB COPY is equally fast
ZSTD_SLICE = 2**10  # bytes of input at a time: the library can't bound its output, which may be 32,000 times as much
AHEAD = 4  # chunks
TRANSIENT_CODES = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeoutException",
                   "InternalError", "ServiceUnavailable", "RequestLimitExceeded", "BandwidthLimitExceeded"}  # fmt: skip


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

    def pause(self, attempt: int) -> float:
        """Seconds to wait before the next try, with jitter."""
        return float(min(10.0, self.base_seconds * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311


class S3Object:
    """One version of one object. Every request says `If-Match`: bytes of two versions never mix."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        file: Listed,
        *,
        payer: str | None = None,
        retry: Retry,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Remember which version of which object; nothing is requested yet.

        Args:
            payer: `requester` for a bucket whose readers pay.
            retry: how patient to be.
            progress: takes the number of bytes of each chunk; may raise, to stop.
        """
        self.client, self.bucket, self.file, self.size = client, bucket, file, file.size
        self.extra: dict[str, Any] = {"RequestPayer": payer} if payer else {}
        self.retry, self.progress = retry, progress
        self.version_id: str | None = None
        self.resumed = 0  # broken streams

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from start to stop; a broken, throttled or stalled stream goes on where it broke.

        Raises:
            ObjectChangedError: it isn't the version that was asked for any more.
            StorageError: S3 keeps failing.
        """
        position, end, attempt = start, self.size if stop is None else min(stop, self.size), 0
        while position < end:
            try:
                body = self._open(position, end)
                try:
                    while data := self._read(body):
                        position += len(data)
                        self.progress(len(data))
                        attempt = 0
                        yield data
                finally:
                    body.close()
                if position < end:
                    raise IncompleteReadError(actual_bytes=position - start, expected_bytes=end - start)
            except (BotoCoreError, ClientError, HTTPClientError, urllib3.exceptions.HTTPError, OSError) as error:
                attempt += 1
                self._give_up_or_wait(error, attempt, position)

    def _open(self, position: int, end: int) -> Any:
        ranged: dict[str, Any] = {} if (position, end) == (0, self.size) else {"Range": f"bytes={position}-{end - 1}"}
        answer = self.client.get_object(
            Bucket=self.bucket, Key=self.file.key, IfMatch=f'"{self.file.etag}"', **ranged, **self.extra
        )
        self.version_id = answer.get("VersionId")
        return answer["Body"]

    def _read(self, body: Any) -> bytes:
        """One chunk. A trickle never trips a socket's timeout, so a timer shuts the connection."""
        timer = threading.Timer(self.retry.stall_seconds, _shut, (body,))
        timer.daemon = True
        timer.start()
        try:
            data: bytes = body.read(CHUNK)
            return data
        finally:
            timer.cancel()

    def _give_up_or_wait(self, error: Exception, attempt: int, position: int) -> None:
        where = f"s3://{self.bucket}/{self.file.key}"
        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in ("PreconditionFailed", "412", "NoSuchKey", "404", "InvalidRange", "416"):
                raise ObjectChangedError(f"{where} was overwritten or removed while it was read") from error
            if status < 500 and status != 429 and code not in TRANSIENT_CODES:
                raise StorageError(s3_failure(error, where)) from error
        if attempt >= self.retry.attempts:
            raise StorageError(f"{s3_failure(error, where)}, {attempt} times, after {position:,} bytes") from error
        self.resumed += 1
        time.sleep(self.retry.pause(attempt - 1))


def _shut(body: Any) -> None:
    with suppress(Exception):  # it may just have ended
        body._raw_stream.shutdown()


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
        end = self._object.size if size < 0 else min(self._position + size, self._object.size)
        if self._whole is not None:
            data = self._whole[self._position : end]
        else:
            data = b"".join(self._object.chunks(self._position, end))
        self._position += len(data)
        return data


class _Decompressor(Protocol):
    """What bz2 and igzip have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zstd:
    """zstandard with the interface of bz2 and igzip."""

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor().decompressobj()
        self._rest = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._rest

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data + self._rest

    def decompress(self, data: bytes, max_length: int) -> bytes:  # noqa: ARG002
        data = self._rest + data
        self._rest = data[ZSTD_SLICE:]
        return self._inner.decompress(data[:ZSTD_SLICE])


MAGIC: tuple[tuple[bytes, str, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)),
    (b"\x28\xb5\x2f\xfd", "zstd", _Zstd),
    (b"BZh", "bz2", bz2.BZ2Decompressor),
)
BROKEN: tuple[type[Exception], ...] = (igzip_lib.IsalError, zstandard.ZstdError, OSError, EOFError)  # type: ignore[assignment]
FOREIGN = ((b"PK\x03\x04", "a zip archive"), (b"\xfd7zXZ\x00", "xz"), (b"PAR1", "a Parquet file"), (b"ORC", "ORC"),
           (b"Obj\x01", "Avro"), (b"7z\xbc\xaf", "a 7z archive"))  # fmt: skip


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
    for magic, kind in FOREIGN:
        if head.startswith(magic):
            raise FileRefusedError(f"it is {kind}, which this source's file_format doesn't mean")
    for magic, kind, make in MAGIC:
        if head.startswith(magic):
            plain = _members(kind, make, head, chunks)
            break
    else:
        plain = _chained(head, chunks)
    total = 0
    for data in plain:
        total += len(data)
        if total > max_bytes:
            raise FileRefusedError(f"it is larger than max_bytes ({max_bytes:,} bytes, decompressed)")
        yield data


def _chained(head: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks


def _members(kind: str, make: Callable[[], _Decompressor], head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    decompressor, data = make(), head
    try:
        while True:
            if decompressor.eof:
                data = decompressor.unused_data.lstrip(b"\0")  # some tools pad with zeros
                while not data:
                    if not (more := next(chunks, b"")):
                        return
                    data = more.lstrip(b"\0")
                decompressor = make()
            elif not data and decompressor.needs_input and not (data := next(chunks, b"")):
                raise FileRefusedError(f"the {kind} stream is cut short")
            plain = decompressor.decompress(data, CHUNK)
            data = b""
            if plain:
                yield plain
    except BROKEN as error:
        raise FileRefusedError(f"the {kind} stream is broken: {error}") from error


class ReadAhead:
    """Runs an iterator of chunks in a thread of its own, a few chunks ahead. Close it when done, read or not."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._queue: Queue[bytes | BaseException | None] = Queue(AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(chunks,), daemon=True, name="read ahead")
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop reading."""
        self._stopped.set()
        while True:  # a thread that waits for room notices
            try:
                self._queue.get_nowait()
            except Empty:
                break

    def _run(self, chunks: Iterator[bytes]) -> None:
        try:
            for data in chunks:
                if not self._put(data):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: bytes | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=1.0)
                return True
            except Full:
                continue
        return False
