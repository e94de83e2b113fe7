"""The slice in a bucket, and Spark's raw tables of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from journey.errors import JourneyError
from journey.land import land
from journey.loader.declaration.sources import Source
from journey.spark.loading import load
from journey.spark.session import Session, quoted
from spark.deliveries import WEEKS, Delivery, held_back, thinned

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass
class Slice:
    """What has arrived, and what hasn't.

    Attributes:
        client: of S3.
        sources: all feeds, in the bucket of these tests; what is withdrawn from it goes.
        present: bytes of the files that are in the bucket, by key.
        waiting: of those that come late, or were withdrawn.
    """

    client: S3Client
    sources: Sequence[Source]
    present: dict[str, bytes] = field(default_factory=dict, repr=False)
    waiting: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def bucket(self) -> str:
        """Where the files are."""
        return self.sources[0].bucket

    def land(self) -> None:
        """Write the slice, but for the files that come late."""
        land(weeks=WEEKS, bucket=self.bucket, client=self.client)
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for item in page.get("Contents", ()):
                key = item["Key"]
                body = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
                self.present[key] = thinned(key, body)
        late = held_back(self.present, random.Random("base"))  # noqa: S311
        first = [Delivery("first", key, None if key in late else body) for key, body in self.present.items()]
        self.waiting = {key: self.present[key] for key in late}
        self.deliver(first)

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Let files arrive, or go."""
        for one in deliveries:
            if one.body is None:
                self.client.delete_object(Bucket=self.bucket, Key=one.key)
                self.waiting[one.key] = self.present.pop(one.key)
            else:
                self.client.put_object(Bucket=self.bucket, Key=one.key, Body=one.body)
                self.present[one.key] = one.body
                self.waiting.pop(one.key, None)

    def load(self) -> None:
        """Load what is in the bucket."""
        assert load(sources=self.sources, threads=2).failures == []

    def drop(self, session: Session) -> None:
        """Drop the raw tables, and the ledger.

        Args:
            session: to Spark.

        Raises:
            AssertionError: they are of another bucket than a test's.
        """
        buckets: set[str] = set()
        with suppress(JourneyError):  # there is no ledger
            buckets = {row[0] for row in session.rows("select distinct bucket from loader.files")}
        assert all(bucket.startswith("test-") for bucket in buckets), "this cluster has tables of somebody's"
        for schema in {"loader", *(source.schema for source in self.sources)}:
            session.rows(f"drop schema if exists {quoted(schema)} cascade")
