"""The landing bucket: what is in it, and writing a file into it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from journey.errors import JourneyError, UsageError
from journey.project import project_root, read_yaml
from journey.services.state import BUCKET
from journey.settings import s3_failure

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def configured_bucket() -> str:
    """The bucket that dbt reads from: the project's variable `landing_bucket`, else `landing`.

    Raises:
        UsageError: dbt_project.yml can't be read.
    """
    variables = read_yaml(project_root() / "dbt_project.yml").get("vars") or {}
    return str(variables.get("landing_bucket", BUCKET))


def create_if_missing(client: S3Client, bucket: str) -> None:
    """Make sure that the bucket is there.

    Raises:
        UsageError: S3 doesn't answer, or doesn't let us in.
    """
    try:
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ("404", "NoSuchBucket", "NotFound"):
                raise
            with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket=bucket, **_location(client))  # type: ignore[arg-type]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UsageError(s3_failure(error, f"s3://{bucket}")) from error


def etags(client: S3Client, bucket: str, prefix: str) -> dict[str, str]:
    """ETag by key of what is under a prefix. An object written in one piece has its content's MD5.

    Raises:
        JourneyError: S3 doesn't answer, or doesn't let us in.
    """
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        return {found["Key"]: found["ETag"].strip('"') for page in pages for found in page.get("Contents", [])}
    except (BotoCoreError, ClientError) as error:
        raise JourneyError(s3_failure(error, f"s3://{bucket}/{prefix}/")) from error


def put(client: S3Client, bucket: str, key: str, data: bytes) -> None:
    """Write an object in one piece: readers see the old one or the new one, nothing between.

    Raises:
        JourneyError: S3 doesn't answer, or doesn't let us write.
    """
    try:
        client.put_object(Bucket=bucket, Key=key, Body=data)
    except (BotoCoreError, ClientError) as error:
        raise JourneyError(s3_failure(error, f"s3://{bucket}/{key}")) from error


def _location(client: S3Client) -> dict[str, object]:
    region = client.meta.region_name
    return {} if region in (None, "us-east-1") else {"CreateBucketConfiguration": {"LocationConstraint": region}}
