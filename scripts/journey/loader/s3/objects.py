"""An object's bytes: in parts, resumed where a stream broke, each answer checked before a byte of it is believed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, IncompleteReadError

from journey.loader.declaration.sources import Source
from journey.loader.errors import FileRefusedError, ObjectChangedError
from journey.loader.s3.asking import FAULTS, Retry, WrongAnswerError, may_pass, payer
from journey.loader.s3.checksums import Checksum, checksum_of
from journey.loader.s3.listing import Listed
from journey.loader.s3.straight import straight
from journey.settings import s3_failure

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHUNK = 2**20  # bytes; from 256 KB to 4 MB COPY is equally fast
PIECE = CHUNK // 4
PART = 32 * CHUNK  # of a request: for longer ones, SeaweedFS pauses for a second now and then
CHANGED_CODES = {"PreconditionFailed", "412", "NoSuchKey", "404", "InvalidRange", "416"}
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class S3Object:
    """One version of one object. Every request says `If-Match`, and every answer must say the same: bytes of two
    versions never mix. An object that is read whole must agree with the checksum that S3 keeps of it."""

    def __init__(
        self, client: S3Client, source: Source, file: Listed, retry: Retry, progress: Callable[[int], None]
    ) -> None:
        """Remember which version of which object; nothing is requested yet.

        Args:
            client: of S3.
            source: whose file it is.
            file: as it was listed.
            retry: how patient to be.
            progress: takes the number of bytes of each chunk; may raise, to stop.
        """
        self._client, self._retry, self._progress, self.size = client, retry, progress, file.size
        self._etag, self._md5 = file.etag, source.options.etag_is_md5 and not source.bucket.endswith("--x-s3")
        self._request: dict[str, Any] = {
            "Bucket": source.bucket, "Key": file.key, "IfMatch": f'"{file.etag}"', **payer(source)
        }  # fmt: skip
        self.where = f"s3://{source.bucket}/{file.key}"
        self.version_id: str | None = None
        self.resumed = 0  # broken streams

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from start to stop; a broken, throttled or stalled stream goes on where it broke.

        Where the whole object is read, the last chunk comes only if all of them agree with S3's checksum.

        Raises:
            ObjectChangedError: it isn't the version that was asked for any more, or its bytes are damaged.
            FileRefusedError: S3 keeps failing.
        """
        end = self.size if stop is None else min(stop, self.size)
        whole, begun, checksum = start == 0 and end == self.size, False, None
        position, attempt = start, 0
        while position < end or (whole and not begun):  # that a listed size of 0 is true is also asked
            part = min(end, position + PART)
            try:
                if whole and not begun and part < end:
                    checksum = self._checksum(self._client.head_object(**self._request, ChecksumMode="ENABLED"))
                answer = self._get(position, part)
                if whole and part == self.size and not position:
                    checksum = self._checksum(answer)
                begun = True
                with closing(answer["Body"]._raw_stream) as body:  # botocore's has no read1
                    while data := self._read(body):
                        if position + len(data) > part:
                            raise WrongAnswerError("S3 sends more than it was asked for")
                        position += len(data)
                        self._progress(len(data))
                        attempt = 0
                        if checksum:
                            self._verify(checksum, data, is_last=position == end)
                        yield data
                if position < part:
                    raise IncompleteReadError(actual_bytes=position - start, expected_bytes=part - start)
            except FAULTS as error:
                attempt += 1
                self._give_up_or_wait(error, attempt, position)

    def _get(self, position: int, part: int) -> Mapping[str, Any]:
        """An answer that has exactly these bytes of exactly this version.

        Raises:
            ObjectChangedError: it is another version.
            WrongAnswerError: it is something else.
        """
        ranged = part - position < self.size
        more: dict[str, Any] = {"Range": f"bytes={position}-{part - 1}"} if ranged else {"ChecksumMode": "ENABLED"}
        answer = straight(self._client).get_object(**self._request, **more)
        try:
            self._check_version(answer)
            if ranged:
                self._check_part(answer, position, part)
            else:
                self._check_whole(answer)
        except (ObjectChangedError, WrongAnswerError):
            answer["Body"].close()
            raise
        self.version_id = answer.get("VersionId")
        return answer

    def _check_version(self, answer: Mapping[str, Any]) -> None:
        etag = answer.get("ETag", "").strip('"')
        if not etag:
            raise WrongAnswerError("S3 answers without an ETag, so nobody knows which version came")
        if etag != self._etag:
            raise ObjectChangedError(f"{self.where} was overwritten: its ETag is {etag}, and was {self._etag}")

    def _check_whole(self, answer: Mapping[str, Any]) -> None:
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if status != 200:
            raise WrongAnswerError(f"S3 was asked for the whole object, and answers with status {status}")
        self._check_size(answer.get("ContentLength"))

    def _check_part(self, answer: Mapping[str, Any], position: int, part: int) -> None:
        asked, status = f"bytes {position}-{part - 1}", answer["ResponseMetadata"]["HTTPStatusCode"]
        if status != 206:
            raise WrongAnswerError(f"S3 was asked for {asked}, and answers with the whole object (status {status})")
        said = answer.get("ContentRange") or "no Content-Range"
        match, length = CONTENT_RANGE.fullmatch(said), answer.get("ContentLength")
        if match and match[3] != "*":
            self._check_size(int(match[3]))
        if not match or (int(match[1]), int(match[2]) + 1) != (position, part) or length not in (None, part - position):
            raise WrongAnswerError(f"S3 was asked for {asked}, and answers {said}, {length} bytes")

    def _check_size(self, size: int | None) -> None:
        if size is not None and size != self.size:
            raise ObjectChangedError(f"{self.where} has {size:,} bytes, and was listed with {self.size:,}")

    def _checksum(self, answer: Mapping[str, Any]) -> Checksum | None:
        self._check_version(answer)
        self._check_size(answer.get("ContentLength"))
        return checksum_of(answer, self._etag if self._md5 else "")

    def _verify(self, checksum: Checksum, data: bytes, *, is_last: bool) -> None:
        checksum.update(data)
        if is_last and checksum.digest() != checksum.expected:
            raise ObjectChangedError(
                f"{self.where} is damaged: {self.size:,} bytes came, and their {checksum.name} isn't the one that S3 "
                "keeps of it: if it stays so, deliver the file again"
                + (", or declare etag_is_md5: false if this server's ETags are none" if "MD5" in checksum.name else "")
            )

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
        wrong = isinstance(error, WrongAnswerError)
        said = f"{self.where}: {error}" if wrong else s3_failure(error, self.where)
        if not may_pass(error):
            raise FileRefusedError(said) from error
        if attempt >= self._retry.attempts:
            advice = ": let the loader reach S3 itself, without a proxy or cache between" if wrong else ""
            raise FileRefusedError(f"{said}, {attempt} times, after {position:,} bytes{advice}") from error
        self.resumed += 1
        self._retry.pause(attempt - 1)
