"""What S3 has against what the ledger knows, page by page: a prefix of any length needs little memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from psycopg import Connection

from journey.errors import UsageError
from journey.loader import ledger
from journey.loader.plan import Action, Known, Listed, decide
from journey.loader.sources import Source, key_pattern
from journey.settings import s3_failure

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def plan_source(
    client: S3Client, connection: Connection[Any], source: Source, reload: Collection[str]
) -> Iterator[Action]:
    """What to do with each file of a source, and with each loaded file that is gone.

    Args:
        client: of S3.
        connection: to the ledger; the source's table need not exist.
        source: what to list.
        reload: keys to load again, changed or not.

    Raises:
        UsageError: S3 doesn't let us list, or isn't there.
    """
    partly = source.options.list == "since_last_key" and not reload
    is_file, seen = key_pattern(source.pattern), set[str]()
    remove = source.options.on_delete == "remove"
    for page in _pages(client, source, ledger.overlap_key(connection, source) if partly else None):
        files = [file for file in page if is_file.fullmatch(file.key)]
        known = ledger.known(connection, source, [file.key for file in files])
        for file in files:
            yield decide(file, known.get(file.key, Known()), reload=file.key in reload)
        if remove:
            seen.update(file.key for file in files)
    if remove and seen:  # an empty listing is rather a wrong address than a wish to lose everything
        for file in ledger.loaded_files(connection, source):
            if file.key not in seen and is_file.fullmatch(file.key):
                yield Action("remove", file, "it is no longer in S3, and on_delete is remove")


def _pages(client: S3Client, source: Source, start_after: str | None) -> Iterator[list[Listed]]:
    extra: dict[str, Any] = {"StartAfter": start_after} if start_after else {}
    if source.options.request_payer:
        extra["RequestPayer"] = source.options.request_payer
    try:
        for page in client.get_paginator("list_objects_v2").paginate(
            Bucket=source.bucket, Prefix=source.prefix, **extra
        ):
            yield [Listed(item["Key"], item["ETag"].strip('"'), item["Size"]) for item in page.get("Contents", ())]
    except (BotoCoreError, ClientError) as error:
        raise UsageError(s3_failure(error, f"s3://{source.bucket}/{source.prefix}")) from error
