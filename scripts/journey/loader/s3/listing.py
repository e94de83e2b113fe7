"""What lies in S3, a page at a time; a listing that can't be one is refused, not believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from journey.errors import UsageError
from journey.loader.declaration.sources import Source
from journey.loader.s3.asking import FAULTS, Retry, Say, WrongAnswerError, may_pass, payer, silence_told
from journey.settings import s3_failure

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ELSEWHERE = "check AWS_ENDPOINT_URL_S3, and whether a proxy or a login page stands between"


class Listed(NamedTuple):
    """An object as S3 lists it.

    Attributes:
        key: its key.
        etag: its ETag, without quotes.
        size: in bytes; 0 also where the listing names none: what the object says when it is read is what counts.
    """

    key: str
    etag: str
    size: int


class Page(NamedTuple):
    """A page of a listing.

    Attributes:
        files: objects.
        refused: keys that can't be loaded, and why.
    """

    files: list[Listed]
    refused: list[tuple[str, str]]


def list_objects(
    client: S3Client, source: Source, start_after: str | None, retry: Retry, say: Say = lambda _: None
) -> Iterator[Page]:
    """The objects under a source's prefix, a page at a time.

    Args:
        client: of S3.
        source: whose.
        start_after: key after which the listing begins; None: everything.
        retry: how patient to be.
        say: hears of a long silence.

    Raises:
        UsageError: S3 doesn't let us list, isn't there, or what it answers is no listing or not a whole one.
    """
    where = f"s3://{source.bucket}/{source.prefix}"
    request: dict[str, Any] = {"Bucket": source.bucket, "Prefix": source.prefix, **payer(source)}
    request |= {"StartAfter": start_after} if start_after else {}
    tokens, first = set[str](), ""
    while True:
        with silence_told(say, where):
            answer = _page(client, request, where, retry)
        items = answer.get("Contents", ())
        page = _read(items)
        begins = items[0].get("Key", "") if items else ""
        token = answer.get("NextContinuationToken") if answer["IsTruncated"] else None
        if answer["IsTruncated"] and not token:
            raise UsageError(f"{where}: S3 says that its listing goes on, but not where (no NextContinuationToken)")
        if (token and token in tokens) or (begins and begins == first):
            raise UsageError(f"{where}: S3 answers the same page of its listing again and again, from {begins!r} on")
        yield page
        if not token:
            return
        tokens.add(token)
        request["ContinuationToken"], first = token, begins


def _page(client: S3Client, request: Mapping[str, Any], where: str, retry: Retry) -> Mapping[str, Any]:
    """One answer of S3 that is a page of a listing."""
    attempt = 0
    while True:
        try:
            answer: Mapping[str, Any] = client.list_objects_v2(**request)
            if "IsTruncated" not in answer:  # an empty page has it too; HTML, or half a page, hasn't
                kind = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "no type")
                raise WrongAnswerError(f"what answers is no whole listing of S3 ({kind}): {ELSEWHERE}")
        except (*FAULTS, ValueError, KeyError, TypeError, AttributeError) as error:  # botocore, of half an entry
            attempt += 1
            if attempt >= retry.attempts or not may_pass(error):
                raise UsageError(_why(error, where)) from error
            retry.pause(attempt - 1)
        else:
            return answer


def _why(error: Exception, where: str) -> str:
    if isinstance(error, WrongAnswerError):
        return f"{where}: {error}"
    if isinstance(error, FAULTS):
        return s3_failure(error, where)
    return f"{where}: S3's listing has an entry that can't be read ({error!r}): {ELSEWHERE}"


def _read(items: list[Mapping[str, Any]]) -> Page:
    page = Page([], [])
    for item in items:
        key, etag = item.get("Key", ""), item.get("ETag", "").strip('"')
        if "\0" in key:
            page.refused.append((key, "a key with a NUL character can't be entered in PostgreSQL: rename the object"))
        elif not etag:
            page.refused.append((key, "S3 lists it without an ETag, so a later version couldn't be told from this one"))
        else:
            page.files.append(Listed(key, etag, max(0, item.get("Size", 0))))
    return page


def look_again(client: S3Client, source: Source, key: str) -> Listed | None:
    """An object as it is now; None if it's gone, or can't be asked."""
    try:
        head = client.head_object(Bucket=source.bucket, Key=key, **payer(source))
    except FAULTS:
        return None
    etag = head.get("ETag", "").strip('"')
    return Listed(key, etag, head.get("ContentLength", 0)) if etag else None
