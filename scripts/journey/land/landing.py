"""Bring the files that have arrived into the bucket: make what isn't there yet, write what differs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from journey.embedded import environment
from journey.errors import UsageError
from journey.land import bucket as target
from journey.land.feeds import Encode, Feed
from journey.land.plan import plan_of, plan_of_files
from journey.land.recipe import Notes
from journey.project import local_dir, project_root
from journey.services.state import State
from journey.settings import s3_client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WORKERS = 3
IN_FLIGHT = 6  # files that are read and not yet written: bounds memory
NOTES = "landed.json"

Tick = Callable[[str], None]


@dataclass(frozen=True)
class Prefix:
    """What landing did under one prefix.

    Attributes:
        prefix: the folder that a feed is delivered to, such as till/receipts.
        written: files written, because they were missing or different.
        unchanged: files that were there already, byte for byte.
        size: bytes written.
        seconds: how long it took.
    """

    prefix: str
    written: int
    unchanged: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Landing:
    """What landing did.

    Attributes:
        about: what the data are, in a sentence.
        bucket: the bucket it wrote into.
        until: files that arrived later were left out; None if there was no limit.
        prefixes: what happened prefix by prefix.
        seconds: how long it took.
    """

    about: str
    bucket: str
    until: date | None
    prefixes: tuple[Prefix, ...]
    seconds: float

    @property
    def written(self) -> int:
        """Files written."""
        return sum(prefix.written for prefix in self.prefixes)

    @property
    def unchanged(self) -> int:
        """Files that were there already, byte for byte."""
        return sum(prefix.unchanged for prefix in self.prefixes)

    @property
    def size(self) -> int:
        """Bytes written."""
        return sum(prefix.size for prefix in self.prefixes)


def land(
    *,
    until: date | None = None,
    weeks: int | None = None,
    folder: Path | None = None,
    bucket: str | None = None,
    client: S3Client | None = None,
    begin: Callable[[int], Tick] = lambda _: lambda _: None,
) -> Landing:
    """Write the project's data, or a folder's files, into the landing bucket, as source systems would deliver them.

    Nothing that is there already with the same bytes is written again, and nothing is deleted.

    Args:
        until: only what arrived by the end of this day; everything if None.
        weeks: only what the first so many weeks brought, in place of `until`.
        folder: its files, in place of what the project's land.py says.
        bucket: the bucket, created if missing; if None the project's `landing_bucket`, of the embedded server alone.
        client: an S3 client for `WORKERS` requests at once; as the environment says if None.
        begin: told the number of files, returns what is called with each file's key when it is done.

    Raises:
        UsageError: S3 or the project is not configured, S3 doesn't answer, or no bucket is named and the S3 that the
            environment names isn't the embedded server. Nothing was written.
        JourneyError: S3 refused a file. What was written before stays.
    """
    started = time.monotonic()
    planned = plan_of_files(folder) if folder else plan_of(project_root())
    until = planned.until_of_weeks(weeks) if weeks else until
    name = bucket or target.configured_bucket()
    s3 = client or s3_client(connections=WORKERS)
    if bucket is None:
        _refuse_all_but_embedded(s3.meta.endpoint_url, name)
    target.create_if_missing(s3, name)
    notes = None if folder else Notes(local_dir() / NOTES, planned.file)  # of files, nobody knows how they were made
    tick = begin(sum(len(feed.arrived(until)) for feed in planned.feeds))
    try:
        known = notes.etags if notes else {}
        prefixes = tuple(_land_feed(s3, name, feed, until, known, tick) for feed in planned.feeds)
    finally:
        if notes:
            notes.write()
    return Landing(planned.about, name, until, prefixes, time.monotonic() - started)


def _refuse_all_but_embedded(endpoint: str, bucket: str) -> None:
    """Simulated deliveries don't get among real ones because an environment happens to name a company's S3."""
    state = State.read(local_dir())
    if state is None or environment(state)["AWS_ENDPOINT_URL_S3"] != endpoint:
        raise UsageError(
            f"{endpoint} is not the embedded S3 server, and what lands is no real delivery: to write it there all the "
            f"same, name the bucket: journey land --to s3://{bucket}; to write it to the embedded one, unset the "
            "variables AWS_* and run `journey services up`"
        )


def _land_feed(s3: S3Client, bucket: str, feed: Feed, until: date | None, known: dict[str, str], tick: Tick) -> Prefix:
    started = time.monotonic()
    there = target.etags(s3, bucket, feed.prefix)
    arrived = [file.key for file in feed.arrived(until)]
    unsure = [key for key in arrived if key not in there or there[key] != known.get(key)]
    for key in set(arrived).difference(unsure):
        tick(key)

    def deliver(key: str, encode: Encode) -> int:
        """Make a file and write it if it differs; its size if so, else 0."""
        try:
            data = encode()
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            known[key] = etag
            if there.get(key) != etag:
                target.put(s3, bucket, key, data)
            tick(key)
            return 0 if there.get(key) == etag else len(data)
        finally:
            free.release()

    free = BoundedSemaphore(IN_FLIGHT)
    jobs: list[Future[int]] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for key, encode in feed.make(frozenset(unsure)) if unsure else ():
            free.acquire()
            if any(job.done() and job.exception() for job in jobs[-2 * IN_FLIGHT :]):
                break  # one failure ends it; result() raises it
            jobs.append(pool.submit(deliver, key, encode))
    sizes = [job.result() for job in jobs]
    written = sum(size > 0 for size in sizes)
    return Prefix(feed.prefix, written, len(arrived) - written, sum(sizes), time.monotonic() - started)
