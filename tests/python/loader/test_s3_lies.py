"""S3, or what stands between, answers something else than was asked for: no wrong byte is loaded, and it is said."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import re
from collections.abc import Callable, Iterator

import pytest

from journey.services.state import State
from loader.proxy import PASS, Fault, Proxy, answer, lie, rewritten
from loader.support import Landing, go_straight

BODY = ("id,name\n" + "".join(f"{i},{random.Random(i).random():.15f}\n" for i in range(30_000))).encode()  # noqa: S311
SUM = 29_999 * 15_000
TEXTS = {"id": "text", "name": "text"}  # a row that isn't one would be refused otherwise, and not be seen as a lie's
PART = 250_000


@pytest.fixture(params=["botocore", "straight"])
def s3_proxy(
    request: pytest.FixtureRequest, embedded: State, loader_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """The loader reaches S3 through it; the tests write past it. The first object is botocore's, or isn't either."""
    proxy = Proxy(embedded.ports["s3"])
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
    if request.param == "straight":
        go_straight(monkeypatch, f"http://127.0.0.1:{proxy.port}/{loader_bucket}/")
    yield proxy
    proxy.close()


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file comes in three parts."""
    monkeypatch.setattr("journey.loader.s3.objects.PART", PART)


def etag(body: bytes) -> str:
    """What S3 calls a version of these bytes."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def whole(head: bytes, body: bytes) -> bytes:
    """Everything from byte 0, in answer to a range."""
    return answer("200 OK", BODY, {"ETag": etag(BODY)})


def shifted(head: bytes, body: bytes) -> bytes:
    """A range that begins 16 bytes later."""
    found = re.search(rb"(?i)content-range: bytes (\d+)-(\d+)/(\d+)", head)
    assert found
    start, stop, size = (int(number) for number in found.groups())
    moved = BODY[start + 16 : stop + 17]
    return rewritten(head, moved, {"Content-Range": f"bytes {start + 16}-{start + 15 + len(moved)}/{size}"})


def shifted_in_secret(head: bytes, body: bytes) -> bytes:
    """The same, with the headers of what was asked for."""
    found = re.search(rb"(?i)content-range: bytes (\d+)-", head)
    assert found
    return rewritten(head, (BODY[int(found[1]) + 16 :] + BODY)[: len(body)])


def nameless(head: bytes, body: bytes) -> bytes:
    """No ETag."""
    return rewritten(head, body, {"ETag": None})


def unranged(head: bytes, body: bytes) -> bytes:
    """A part that doesn't say which one."""
    return rewritten(head, body, {"Content-Range": None})


def longer(head: bytes, body: bytes) -> bytes:
    """More than was asked for, in a way that has no length."""
    more = body + b"99,more\n"
    head = re.sub(rb"(?i)\r\ncontent-length: \d+", b"\r\nTransfer-Encoding: chunked", head)
    return head + b"\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(more), more)


def damaged(head: bytes, body: bytes) -> bytes:
    """One digit is another one."""
    at = body.rindex(b",0.") + 5
    return rewritten(head, body[:at] + (b"1" if body[at : at + 1] != b"1" else b"2") + body[at + 1 :])


def damaged_with_md5_alone(head: bytes, body: bytes) -> bytes:
    """The same, and only the ETag would tell."""
    spoilt = damaged(head, body).partition(b"\r\n\r\n")[2]
    return rewritten(head, spoilt, {"x-amz-checksum-crc32": None})


def is_right(landing: Landing) -> bool:
    """Whether all rows are there, once and as they were written."""
    lines = sorted(BODY.decode().splitlines()[1:])
    return sorted(f"{number},{name}" for number, name in landing.rows()) == lines


RANGES = [whole, shifted, shifted_in_secret, nameless, unranged, longer, damaged]


@pytest.mark.parametrize("made", RANGES)
@pytest.mark.usefixtures("parts")
def test_a_part_that_is_not_what_was_asked_for_is_asked_for_again(
    landing: Landing, s3_proxy: Proxy, made: Callable[[bytes, bytes], bytes]
) -> None:
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [PASS, lie(made)]
    summary = landing.load(landing.source(columns=TEXTS))
    assert s3_proxy.faults == []
    assert summary.failures == []
    assert is_right(landing)


@pytest.mark.parametrize("made", RANGES)
@pytest.mark.usefixtures("parts")
def test_one_who_always_lies_is_refused_in_one_line(
    landing: Landing, s3_proxy: Proxy, made: Callable[[bytes, bytes], bytes]
) -> None:
    landing.put("in/a.csv", BODY)
    at_the_end = made in (shifted_in_secret, damaged)  # seen when all parts have come, and all are asked for again
    s3_proxy.faults = [PASS, lie(made), lie(made)] * 20 if at_the_end else [PASS, *[lie(made)] * 40]
    summary = landing.load(landing.source())
    assert summary.exit_status == 1
    assert len(summary.failures) == 1
    assert "in/a.csv" in summary.failures[0]
    assert re.search("without a proxy or cache between$|deliver the file again", summary.failures[0])
    assert landing.rows() == []


@pytest.mark.parametrize("made", [whole, shifted])
def test_a_stream_that_broke_is_not_resumed_with_the_wrong_bytes(
    landing: Landing, s3_proxy: Proxy, made: Callable[[bytes, bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("journey.loader.s3.objects.CHUNK", 100_000)
    monkeypatch.setattr("journey.loader.s3.objects.PIECE", 100_000)
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [Fault("cut", 300_000), lie(made)]
    assert landing.load(landing.source(columns=TEXTS)).failures == []
    assert s3_proxy.faults == []
    assert is_right(landing)


@pytest.mark.parametrize("told", [True, False], ids=["other-etag", "same-etag"])
@pytest.mark.usefixtures("parts")
def test_two_versions_never_mix_though_if_match_is_ignored(landing: Landing, s3_proxy: Proxy, told: bool) -> None:
    old, new = (b"id,name\n" + b"1,%s\n" % version * 100_000 for version in (b"old", b"new"))
    landing.put("in/a.csv", old)
    starts = iter((PART, 2 * PART))

    def ignored(head: bytes, body: bytes) -> bytes:
        start = next(starts)
        part = new[start : start + PART]
        headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(new)}"}
        return answer("206 Partial Content", part, {"ETag": etag(new if told else old), **headers})

    s3_proxy.faults = [Fault("call", 1000, lambda: landing.put("in/a.csv", new)), lie(ignored), lie(ignored)]
    assert landing.load(landing.source()).failures == []
    assert landing.query("select name, count(*) from raw_shop.sales group by 1") == [("new", 100_000)]


@pytest.mark.usefixtures("parts")
def test_another_total_length_is_another_version(landing: Landing, s3_proxy: Proxy) -> None:
    landing.put("in/a.csv", BODY)

    def grown(head: bytes, body: bytes) -> bytes:
        return rewritten(head, body, {"Content-Range": f"bytes {PART}-{2 * PART - 1}/9999999"})

    s3_proxy.faults = [PASS, *[lie(grown)] * 40]
    [failure] = landing.load(landing.source()).failures
    assert "has 9,999,999 bytes, and was listed with" in failure
    assert landing.rows() == []


@pytest.mark.parametrize("made", [damaged, damaged_with_md5_alone])
@pytest.mark.parametrize("file_format", ["csv", "gzip", "jsonl"])
def test_a_damaged_file_is_not_loaded(
    landing: Landing, s3_proxy: Proxy, made: Callable[[bytes, bytes], bytes], file_format: str
) -> None:
    body, kind = BODY, "csv"
    if file_format == "jsonl":
        pairs = (line.split(",") for line in BODY.decode().splitlines()[1:])
        body, kind = "".join(f'{{"id":{a},"name":"x,{b}"}}\n' for a, b in pairs).encode(), "jsonl"
    if file_format == "gzip":
        body = _stored(BODY)
    landing.put("in/a", body)
    s3_proxy.faults = [lie(made)]
    assert landing.load(landing.source(file_format=kind)).failures == []
    assert s3_proxy.faults == []
    good = landing.rows()
    landing.put("in/b", body)
    s3_proxy.faults = [lie(made)] * 40
    [failure] = landing.load(landing.source(file_format=kind)).failures
    assert "in/b" in failure
    assert "is damaged" in failure
    assert ("etag_is_md5" in failure) == (made is damaged_with_md5_alone)
    assert landing.rows() == good


def test_a_damaged_gzip_of_which_the_reader_needs_no_more(landing: Landing, s3_proxy: Proxy) -> None:
    """What is broken lies behind the last row: in the padding."""
    landing.put("in/a.csv.gz", _stored(b"id,name\n1,a\n") + b"\0" * 3_000_000)

    def padded(head: bytes, body: bytes) -> bytes:
        return rewritten(head, body[:2_000_000] + b"\0" * (len(body) - 2_000_001) + b"\1")

    s3_proxy.faults = [lie(padded)] * 40
    [failure] = landing.load(landing.source()).failures
    assert "in/a.csv.gz" in failure
    assert landing.rows() == []


@pytest.mark.parametrize("kind", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
@pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
def test_each_checksum_that_s3_gives_is_compared(landing: Landing, s3_proxy: Proxy, kind: str, is_right: bool) -> None:
    right = {  # of `id,name\n1,a\n`, by the AWS runtime's functions
        "CRC32": "7rlU1A==", "CRC32C": "MqJg7Q==", "CRC64NVME": "jWA8OX8LMyU=",
        "SHA1": _base64("sha1"), "SHA256": _base64("sha256"),
    }  # fmt: skip
    landing.put("in/a.csv", "id,name\n1,a\n")
    value = right[kind] if is_right else base64.b64encode(bytes(len(base64.b64decode(right[kind])))).decode()

    def said(head: bytes, body: bytes) -> bytes:
        return rewritten(head, body, {"x-amz-checksum-crc32": None, f"x-amz-checksum-{kind.lower()}": value})

    s3_proxy.faults = [lie(said)] * 40
    failures = landing.load(landing.source()).failures
    assert landing.rows() == ([(1, "a")] if is_right else [])
    assert [kind in failure for failure in failures] == ([] if is_right else [True])


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "AAAAAA==-2"},
        {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "COMPOSITE"},
    ],
)
def test_a_checksum_of_checksums_is_not_compared(landing: Landing, s3_proxy: Proxy, headers: dict[str, str]) -> None:
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [lie(lambda head, body: rewritten(head, body, headers))]
    assert landing.load(landing.source()).failures == []
    assert s3_proxy.faults == []
    assert is_right(landing)


def test_an_etag_of_what_is_encrypted_by_a_key_is_not_compared(landing: Landing, s3_proxy: Proxy) -> None:
    landing.put("in/a.csv", BODY)

    def said(head: bytes, body: bytes) -> bytes:
        headers = {"x-amz-checksum-crc32": None, "x-amz-server-side-encryption": "aws:kms"}
        return rewritten(head, body.replace(b",0.", b",1."), headers)

    s3_proxy.faults = [lie(said)]
    assert landing.load(landing.source()).failures == []
    assert not is_right(landing)  # nothing was there to tell


def test_an_etag_that_is_no_md5_by_declaration(landing: Landing, s3_proxy: Proxy) -> None:
    landing.put("in/a.csv", BODY)
    s3_proxy.faults = [lie(damaged_with_md5_alone)]
    assert landing.load(landing.source(etag_is_md5=False)).failures == []
    assert s3_proxy.faults == []
    assert not is_right(landing)  # as declared: nothing was there to tell


def test_what_was_uploaded_in_parts_is_loaded(landing: Landing) -> None:
    upload = landing.client.create_multipart_upload(Bucket=landing.bucket, Key="in/a.csv")["UploadId"]
    wide = b"id,name\n" + b"".join(b"%d,%s\n" % (i, b"x" * 100) for i in range(60_000))
    made = []
    for number, start in enumerate(range(0, len(wide), 5 * 2**20), 1):
        part = landing.client.upload_part(
            Bucket=landing.bucket, Key="in/a.csv", UploadId=upload, PartNumber=number,
            Body=wide[start : start + 5 * 2**20],
        )  # fmt: skip
        made.append({"PartNumber": number, "ETag": part["ETag"]})
    landing.client.complete_multipart_upload(
        Bucket=landing.bucket,
        Key="in/a.csv",
        UploadId=upload,
        MultipartUpload={"Parts": made},  # type: ignore[typeddict-item]
    )
    assert landing.load(landing.source()).failures == []
    assert landing.query("select count(*) from raw_shop.sales") == [(60_000,)]


@pytest.mark.parametrize("made", [shifted, whole, nameless, unranged])
def test_a_range_of_parquet_is_checked(
    landing: Landing, s3_proxy: Proxy, monkeypatch: pytest.MonkeyPatch, made: Callable[[bytes, bytes], bytes]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    names = [f"{random.Random(i).random():.15f}" for i in range(30_000)]  # noqa: S311
    pq.write_table(pa.table({"id": range(30_000), "name": names}), out)
    monkeypatch.setattr("journey.loader.s3.ranges.RangeReader.WHOLE", 1000)
    monkeypatch.setattr("loader.test_s3_lies.BODY", out.getvalue())
    landing.put("in/a.parquet", out.getvalue())
    s3_proxy.faults = [PASS, lie(made), lie(made)]
    assert landing.load(landing.source(file_format="parquet")).failures == []
    assert s3_proxy.faults == []
    assert landing.query("select count(*), sum(id) from raw_shop.sales") == [(30_000, SUM)]


def _stored(data: bytes) -> bytes:
    """As gzip has it without compressing."""
    import gzip

    return gzip.compress(data, compresslevel=0)


def _base64(kind: str) -> str:
    return base64.b64encode(hashlib.new(kind, b"id,name\n1,a\n").digest()).decode()
