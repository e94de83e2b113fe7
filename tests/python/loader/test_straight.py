"""Objects that are asked for without botocore's client: the same requests, the same answers, the same refusals."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from journey import settings
from journey.loader.s3.checksums import KEPT
from journey.loader.s3.straight import Straight, way_of
from loader.support import Landing

KEYS = [
    "in/a b+c.csv",
    "in/é€😀.csv",
    "in/100%25.csv",
    "in/a=b&c?d#e.csv",
    "in/~'(!)*;:@,$[]|\\.csv",
    "in/dt=1/x..y.csv",
]
CHECKSUMS = (*KEPT, "ChecksumType", "ServerSideEncryption", "SSECustomerAlgorithm")
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AK/20240101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"


class Sent:
    """A request that botocore sent."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url, self.headers = url, {"User-Agent": "x", "Authorization": AUTHORIZATION, **headers}


def opened(landing: Landing) -> tuple[Straight, list[str]]:
    """One that knows its way already, and what botocore's client is asked for from then on."""
    client, asked = settings.s3_client(attempts=1), list[str]()
    found = Straight(client)
    landing.put("first", b"1")
    found.get_object(Bucket=landing.bucket, Key="first")["Body"].close()
    client.meta.events.register("before-call.s3", lambda params, **_: asked.append(params["url_path"]))
    return found, asked


@pytest.mark.parametrize("ranged", [True, False], ids=["range", "whole"])
def test_the_answer_is_what_botocore_says(landing: Landing, ranged: bool) -> None:
    found, asked = opened(landing)
    for key in KEYS:
        request = {"Bucket": landing.bucket, "Key": key, "IfMatch": f'"{landing.put(key, key * 3)}"'}
        request |= {"Range": "bytes=2-5"} if ranged else {"ChecksumMode": "ENABLED"}
        theirs: Any = landing.client.get_object(**request)  # type: ignore[arg-type]
        ours = found.get_object(**request)
        fields = ("ETag", "ContentLength", "ContentRange", "VersionId", *CHECKSUMS)
        assert {name: ours.get(name) for name in fields} == {name: theirs.get(name) for name in fields}
        assert ours["ResponseMetadata"]["HTTPStatusCode"] == theirs["ResponseMetadata"]["HTTPStatusCode"]
        assert ours["Body"]._raw_stream.read() == theirs["Body"].read()
    assert asked == []


def test_a_refusal_is_botocores(landing: Landing) -> None:
    found, asked = opened(landing)
    with pytest.raises(ClientError, match="NoSuchKey"):
        found.get_object(Bucket=landing.bucket, Key="in/none.csv")
    landing.put("in/a.csv", "id,name\n")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        found.get_object(Bucket=landing.bucket, Key="in/a.csv", IfMatch='"0"')
    assert len(asked) == 2


def test_small_files_are_asked_for_straight(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    original, asked = settings.s3_client, list[str]()

    def client(**options: Any) -> Any:
        made = original(**options)
        made.meta.events.register("before-call.s3.GetObject", lambda params, **_: asked.append(params["url_path"]))
        return made

    monkeypatch.setattr(settings, "s3_client", client)
    for i in range(20):
        landing.put(f"in/{i}.csv", f"id,name\n{i},x\n")
    assert landing.load(landing.source(), threads=1).failures == []
    assert landing.rows() == [(i, "x") for i in range(20)]
    assert len(asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://bucket.s3.eu-west-1.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/bucket/",
        "https://point-123.s3-accesspoint.dualstack.eu-west-1.amazonaws.com/",
        "http://127.0.0.1:9000/some/bucket/",
    ],
)
def test_a_bucket_is_addressed_as_botocore_does(address: str) -> None:
    way = way_of(
        Sent(f"{address}in/a%20b.csv", **{"X-Amz-Date": "1", "x-amz-security-token": "t", "Range": "0"}), "in/a b.csv"
    )
    assert way == (address, {"User-Agent": "x"}, "eu-west-1", "s3")


@pytest.mark.parametrize(
    "sent",
    [
        Sent("https://b.s3.amazonaws.com/a?x-id=GetObject"),
        Sent("https://b.s3.amazonaws.com/b"),
        Sent("https://b.s3.amazonaws.com/a", Authorization=AUTHORIZATION.replace("AWS4-HMAC", "AWS4-ECDSA-P256")),
        Sent("https://b.s3.amazonaws.com/a", Authorization=AUTHORIZATION.replace("/s3/", "/s3express/")),
        Sent("https://b.s3.amazonaws.com/a", Authorization="AWS key:signature"),
        Sent("https://b.s3.amazonaws.com/a", Authorization=""),
        Sent("https://b.s3.amazonaws.com/a", **{"x-amz-s3session-token": "t"}),
    ],
    ids=["query", "another key", "sigv4a", "express", "sigv2", "anonymous", "session"],
)
def test_what_is_unusual_is_left_to_botocore(sent: Sent) -> None:
    assert way_of(sent, "a") is None
