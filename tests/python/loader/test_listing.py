"""What S3 lists: believed where it can be a listing, refused in one line where it can't; nothing goes by one answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from journey.errors import UsageError
from journey.loader.plan import removals
from journey.loader.s3.listing import Listed
from journey.services.state import State
from loader.proxy import LISTING_REQUEST, Fault, Proxy, answer, lie, rewritten
from loader.support import QUICK, Landing, Recorder

A, B = "id,name\n1,a\n", "id,name\n2,b\n"


@pytest.fixture
def s3_proxy(embedded: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The loader reaches S3 through it; faults are for its listings."""
    proxy = Proxy(embedded.ports["s3"], meant=LISTING_REQUEST)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.port}")
    yield proxy
    proxy.close()


class Heard(Recorder):
    """Remembers what a person is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def said(self, event: str, message: str, **fields: object) -> None:  # noqa: ARG002
        """Keep it."""
        self.lines.append(message)


def swapped(pattern: bytes, new: bytes) -> Fault:
    """A listing in which something is something else."""
    return lie(lambda head, body: rewritten(head, re.sub(pattern, new, body)))


def one_line(landing: Landing, **options: Any) -> str:
    """What a load says that can't list its only source."""
    with pytest.raises(UsageError) as caught:
        landing.load(landing.source(**options))
    assert "\n" not in str(caught.value)
    assert landing.bucket in str(caught.value)
    return str(caught.value)


def page(body: bytes) -> Fault:
    """A page of the web in place of a listing."""
    return lie(lambda *_: answer("200 OK", body, {"Content-Type": "text/html"}))


HTML = b"<html><head><title>Log in</title></head><body><form>user</form></body></html>"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (swapped(rb"<IsTruncated>false</IsTruncated>", b""), "is no whole listing of S3 .application/xml"),
        (page(HTML), r"no whole listing of S3 \(text/html\)"),
        (page(b"<p>Log in<br>"), "is not S3, it sends a page"),
        (page(b"{}"), "is not S3, it sends a page"),
        (lie(lambda *_: answer("302 Found", HTML, {"Location": "http://127.0.0.1:1/"})), "sends us elsewhere"),
        (swapped(rb"<IsTruncated>false", b"<IsTruncated>true"), "goes on, but not where"),
        (swapped(rb"<Key>.*?</Key>", b""), "an entry that can't be read"),
        (swapped(rb"<Size>\d+</Size>", b"<Size>many</Size>"), "an entry that can't be read"),
    ],
)  # fmt: skip
def test_what_is_no_listing_is_refused_in_one_line(landing: Landing, s3_proxy: Proxy, told: Fault, said: str) -> None:
    landing.put("in/a.csv", A)
    s3_proxy.faults = [told] * 8
    assert re.search(said, one_line(landing))
    s3_proxy.faults = [told]  # the same, once
    if "goes on" not in said and "elsewhere" not in said:
        assert landing.load(landing.source()).failures == []
        assert landing.rows() == [(1, "a")]


@pytest.mark.parametrize("token", [b"same", b"%d"], ids=["same token", "new tokens"])
def test_a_listing_that_repeats_itself_is_refused(landing: Landing, s3_proxy: Proxy, token: bytes) -> None:
    landing.put("in/a.csv", A)
    numbers = iter(range(1000))

    def again(head: bytes, body: bytes) -> bytes:
        mine = b"%d" % next(numbers) if token == b"%d" else token
        more = b"<IsTruncated>true</IsTruncated><NextContinuationToken>" + mine + b"</NextContinuationToken>"
        return rewritten(head, body.replace(b"<IsTruncated>false</IsTruncated>", more))

    s3_proxy.faults = [lie(again)] * 50
    assert "the same page of its listing again and again" in one_line(landing)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (swapped(rb"<Key>in/a.csv</Key>", b"<Key>in/a%00.csv</Key>"), "in/a\0.csv: a key with a NUL"),
        (swapped(rb"(in/a.csv</Key>)<ETag>.*?</ETag>", rb"\1"), "in/a.csv: S3 lists it without an ETag"),
        (swapped(rb"(in/a.csv</Key><ETag>).*?(</ETag>)", rb"\1\2"), "in/a.csv: S3 lists it without an ETag"),
    ],
    ids=["nul", "no etag", "empty etag"],
)
def test_one_bad_key_costs_that_key(landing: Landing, s3_proxy: Proxy, spoilt: Fault, said: str) -> None:
    landing.put("in/a.csv", A)
    landing.put("in/b.csv", B)
    landing.put("other/c.csv", A)
    other = landing.source("other/", name="shop.other")
    s3_proxy.faults = [spoilt] * 2  # the sources are listed in no order
    summary = landing.load(landing.source(), other)
    assert len(summary.failures) == 1
    assert summary.failures[0].startswith(f"shop.sales: {said}")
    assert summary.exit_status == 1
    assert landing.rows() == [(2, "b")]
    assert landing.rows("raw_shop.other") == [(1, "a")]


@pytest.mark.parametrize("size", [b"<Size>0</Size>", b"<Size>-7</Size>", b"", b"<Size>5</Size>", b"<Size>999</Size>"])
def test_the_object_says_how_large_it_is(landing: Landing, s3_proxy: Proxy, size: bytes) -> None:
    landing.put("in/a.csv", A)
    s3_proxy.faults = [swapped(rb"<Size>\d+</Size>", size)]
    assert landing.load(landing.source()).failures == []
    assert landing.rows() == [(1, "a")]
    assert landing.query("select row_count from loader.files where status = 'loaded'") == [(1,)]


def test_an_empty_object_is_loaded_and_folder_markers_are_none(landing: Landing) -> None:
    for key in ("in/empty.csv", "in/", "in/day/", "in/day_$folder$", "in/day/b.csv"):
        landing.put(key, "" if not key.endswith("b.csv") else B)
    assert landing.load(landing.source()).failures == []
    assert landing.rows() == [(2, "b")]
    assert sorted(landing.statuses()) == [("in/day/b.csv", "loaded"), ("in/empty.csv", "loaded")]


def test_keys_with_every_sort_of_character(landing: Landing) -> None:
    keys = ["in/a b+c.csv", "in/100%.csv", "in/%41.csv", "in/ü €.csv", "in/x&y<z>'\".csv", "in/tab\there.csv"]
    for number, key in enumerate(keys):
        landing.put(key, f"id,name\n{number},a\n")
    assert landing.load(landing.source()).failures == []
    assert sorted(key for key, _ in landing.statuses()) == sorted(keys)
    assert len(landing.rows()) == len(keys)


def test_a_listing_that_keys_are_encoded_in_or_not(landing: Landing, s3_proxy: Proxy) -> None:
    """A server that doesn't know encoding-type sends keys as they are."""
    landing.put("in/a b+c%41.csv", A)
    s3_proxy.faults = [
        lie(lambda head, body: rewritten(
            head, re.sub(rb"<EncodingType>.*?</EncodingType>", b"",
                         re.sub(rb"<Key>.*?</Key>", b"<Key>in/a b+c%41.csv</Key>", body)))),
    ]  # fmt: skip
    assert landing.load(landing.source()).failures == []
    assert landing.statuses() == [("in/a b+c%41.csv", "loaded")]


def test_a_silent_server_is_told_soon(landing: Landing, s3_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journey.loader.s3.asking.SILENT_SECONDS", 0.3)
    landing.put("in/a.csv", A)
    begun, told = time.monotonic(), list[float]()

    class Timed(Heard):
        def said(self, event: str, message: str, **fields: object) -> None:
            told.append(time.monotonic() - begun)
            super().said(event, message, **fields)

    report = Timed()
    s3_proxy.faults = [Fault("stall", 20)]
    assert landing.load(landing.source(), report=report, retry=type(QUICK)(4, 0.01, 2)).failures == []
    assert [line.split("/", 3)[3] for line in report.lines] == ["in/: S3 has not answered for 0.3 s; still trying"]
    assert told[0] + 1 < time.monotonic() - begun  # the server is silent for two seconds
    assert landing.rows() == [(1, "a")]


def test_a_bucket_that_does_not_answer_is_waited_for_once(landing: Landing, s3_proxy: Proxy) -> None:
    s3_proxy.faults = [Fault("reset")] * 200
    with pytest.raises(UsageError, match="S3 does not answer"):
        landing.load(*(landing.source(f"in{number}/", name=f"shop.s{number}") for number in range(20)))
    assert len(s3_proxy.requests) < 20 * QUICK.attempts / 2


def gone(pattern: bytes) -> Fault:
    """A listing that leaves out what the pattern means."""
    return swapped(rb"<Contents>(?:(?!</Contents>).)*" + pattern + rb"(?:(?!</Contents>).)*</Contents>", b"")


def test_a_partial_listing_takes_nothing_out(landing: Landing, s3_proxy: Proxy) -> None:
    for number in range(20):
        landing.put(f"in/{number}.csv", f"id,name\n{number},a\n")
    source = landing.source(on_delete="remove")
    landing.load(source)
    for s3_proxy.faults, status in (([gone(b"in/7.csv")], 1), ([], 0), ([gone(rb"in/1\d.csv")], 1)):
        summary = landing.load(source)
        assert len(landing.rows()) == 20
        assert summary.exit_status == status
    assert "it had when it was asked again" in summary.failures[0]


def test_no_load_removes_more_than_is_declared(landing: Landing, s3_proxy: Proxy) -> None:
    for number in range(20):
        landing.put(f"in/{number}.csv", f"id,name\n{number},a\n")
    source = landing.source(on_delete="remove")
    landing.load(source)
    s3_proxy.faults = [gone(rb"in/1\d.csv")] * 2
    [failure] = landing.load(source).failures
    assert "10 of 20 loaded files are no longer in S3, more than max_remove_rate (0.1)" in failure
    assert len(landing.rows()) == 20
    for number in (3, 4):
        landing.client.delete_object(Bucket=landing.bucket, Key=f"in/{number}.csv")
    assert landing.load(source).failures == []
    assert len(landing.rows()) == 18
    assert landing.load(landing.source("in/1*.csv", on_delete="remove")).failures == []
    assert len(landing.rows()) == 18  # what a narrower location doesn't mean isn't gone


@pytest.mark.parametrize(
    ("loaded", "seen", "again", "rate", "removed"),
    [
        ("abcdefghij", "abcdefghi", "abcdefghi", 0.1, "j"),
        ("abcdefghij", "abcdefgh", "abcdefgh", 0.1, None),
        ("abcdefghij", "abcdefgh", "abcdefgh", 0.2, "ij"),
        ("abcdefghij", "abcdefghi", "abcdefghij", 0.1, None),
        ("abcdefghij", "abcdefgh", "abcdefghi", 1, None),
        ("ab", "a", "a", 0.1, "b"),
        ("ab", "a", "a", 0, None),
        ("ab", "x", "x", 0.9, None),
        ("ab", "", "", 0.9, None),
        ("ab", "", "", 1, "ab"),
        ("a", "", "", 0.1, None),
        ("ab", "abc", "abc", 0.1, ""),
        ("", "", "", 0.1, ""),
    ],
)
def test_what_may_be_removed(loaded: str, seen: str, again: str, rate: float, removed: str | None) -> None:
    files, refusal = removals([Listed(key, "e", 1) for key in loaded], set(seen), set(again), rate)
    assert [file.key for file in files] == list(removed or "")
    assert (refusal is not None) == (removed is None)
    assert refusal is None or "\n" not in refusal


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("in/2024-06-*.cvs", "2 keys lie under s3://{bucket}/in/2024-06- (in/2024-06-01.csv, in/2024-06-02.csv), and "
         "none matches the pattern"),
        ("inn/", "nothing lies under s3://{bucket}/inn/"),
        ("in", "but no object of just this name: end the location in `/`"),
        ("hidden/", "1 key lies under s3://{bucket}/hidden/ (hidden/_SUCCESS), but path parts that begin with `_` or"),
        ("in/*.csv", None),
    ],
)  # fmt: skip
def test_a_location_that_means_nothing_is_told(landing: Landing, pattern: str, said: str | None) -> None:
    for key in ("in/2024-06-01.csv", "in/2024-06-02.csv"):
        landing.put(key, A)
    landing.put("hidden/_SUCCESS", "")
    report = Heard()
    landing.load(landing.source(pattern), report=report)
    lines = [line for line in report.lines if "s3://" in line]
    assert len(lines) == (said is not None)
    assert said is None or said.format(bucket=landing.bucket) in lines[0]


def test_nothing_new_is_not_nothing(landing: Landing) -> None:
    landing.put("in/1.csv", A)
    source = landing.source(listing="since_last_key", list_overlap=0)
    for _ in range(2):
        report = Heard()
        landing.load(source, report=report)
        assert report.lines == []


def test_sources_are_listed_side_by_side(landing: Landing, s3_proxy: Proxy) -> None:
    sources = []
    for number in range(8):
        landing.put(f"in{number}/a.csv", A)
        sources.append(landing.source(f"in{number}/", name=f"shop.s{number}"))

    def slowly() -> None:
        time.sleep(0.5)

    landing.load(*sources)
    s3_proxy.faults = [Fault("call", 10, slowly) for _ in sources]
    begun = time.monotonic()
    summary = landing.load(*sources)
    assert s3_proxy.faults == []
    assert time.monotonic() - begun < 3
    assert list(summary.tables) == [source.name for source in sources]
    assert {table.skipped for table in summary.tables.values()} == {1}
