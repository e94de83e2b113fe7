"""GetObject without what botocore does anew for each request: that is what small files cost most.

botocore asks for the first object of a bucket. What it sent says how the bucket is addressed (virtual host, path,
access point, FIPS …), in which region it signs, and what else goes with a request. The next ones are sent like it,
signed by botocore's signer with its credentials, through its connections with their certificates, proxies, timeouts.
Whatever is unusual is left to botocore: another signature than Signature Version 4, and every answer that isn't an
object. So a request that S3 takes for wrong costs time, and nothing else.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from botocore.awsrequest import AWSPreparedRequest, AWSRequest

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/(s3)/aws4_request,")
ASKED = {"IfMatch": "If-Match", "Range": "Range", "ChecksumMode": "x-amz-checksum-mode",
         "RequestPayer": "x-amz-request-payer"}  # fmt: skip
ANEW = {"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "amz-sdk-invocation-id",
        "amz-sdk-request", "x-amzn-trace-id", "host", *(name.lower() for name in ASKED.values())}  # fmt: skip
NEVER = {"x-amz-s3session-token"}  # S3 Express: its sessions are botocore's
SAID = {
    "ETag": "etag", "ContentRange": "content-range", "VersionId": "x-amz-version-id",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "ChecksumCRC32": "x-amz-checksum-crc32", "ChecksumCRC32C": "x-amz-checksum-crc32c",
    "ChecksumCRC64NVME": "x-amz-checksum-crc64nvme", "ChecksumSHA1": "x-amz-checksum-sha1",
    "ChecksumSHA256": "x-amz-checksum-sha256", "ChecksumType": "x-amz-checksum-type",
}  # fmt: skip


class Way(NamedTuple):
    """How a bucket's objects are asked for.

    Attributes:
        address: what comes before a key.
        headers: of every request.
        region: that it is signed for.
        service: the same.
    """

    address: str
    headers: dict[str, str]
    region: str
    service: str


class _Body:
    """As botocore's, as far as we use it."""

    def __init__(self, raw: Any) -> None:
        self._raw_stream = raw

    def close(self) -> None:
        """Give up what hasn't come yet."""
        self._raw_stream.close()


class Straight:
    """Asks for the objects of a client's buckets; several threads may."""

    def __init__(self, client: S3Client) -> None:
        """Listen to what the client sends."""
        self._client: Any = client
        self._ways: dict[str, Way | None] = {}  # None: botocore's alone
        self._here = threading.local()
        client.meta.events.register("before-sign.s3.GetObject", self._note_signer)
        client.meta.events.register("before-send.s3.GetObject", self._note_sent)

    def get_object(self, **request: str) -> Mapping[str, Any]:
        """What the client's get_object answers, as far as we look at it.

        Args:
            request: as get_object takes it; Bucket, Key, and ASKED.

        Raises:
            BotoCoreError: S3 isn't reached.
            ClientError: S3 refuses.
        """
        bucket = request["Bucket"]
        way = self._ways.get(bucket)
        if way is not None:
            answer = self._ask(way, request)
            if answer is not None:
                return answer
        found: Mapping[str, Any] = self._client.get_object(**request)
        if bucket not in self._ways:
            self._ways[bucket] = way_of(self._here.sent, request["Key"])
        return found

    def _ask(self, way: Way, request: Mapping[str, str]) -> Mapping[str, Any] | None:
        """An object, or a part of it; None: it is something else that came."""
        asked = {ASKED[name]: value for name, value in request.items() if name in ASKED}
        url = way.address + _quoted(request["Key"])
        signing = AWSRequest("GET", url, {**way.headers, **asked})
        self._signer.get_auth_instance(way.service, way.region, "s3v4").add_auth(signing)
        headers: Any = dict(signing.headers.items())
        came = self._client._endpoint.http_session.send(AWSPreparedRequest("GET", url, headers, None, True))
        if came.status_code not in (200, 206):
            came.raw.close()
            return None
        answer = {name: value for name, header in SAID.items() if (value := came.headers.get(header)) is not None}
        if (length := came.headers.get("content-length")) is not None:
            answer["ContentLength"] = int(length)
        return {**answer, "Body": _Body(came.raw), "ResponseMetadata": {"HTTPStatusCode": came.status_code}}

    def _note_signer(self, request_signer: Any, **_: object) -> None:
        self._signer = request_signer

    def _note_sent(self, request: Any, **_: object) -> None:
        self._here.sent = request


@lru_cache(maxsize=8)
def straight(client: S3Client) -> Straight:
    """The one of a client."""
    return Straight(client)


def way_of(sent: Any, key: str) -> Way | None:
    """How botocore asked for an object; None if others can't be asked for in the same way.

    Args:
        sent: its request.
        key: of the object.
    """
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in sent.headers.items()}
    scope, end = SIGNED.match(headers.get("Authorization", "")), "/" + _quoted(key)
    if not scope or not sent.url.endswith(end) or NEVER & {name.lower() for name in headers}:
        return None
    common = {name: value for name, value in headers.items() if name.lower() not in ANEW}
    return Way(sent.url.removesuffix(end) + "/", common, scope[1], scope[2])


def _quoted(key: str) -> str:
    return quote(key, safe="/~")
