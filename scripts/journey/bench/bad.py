"""`make bench-load ARGS=--bad`: what bad rows cost: the same rows, clean and with one in twenty that isn't one."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from journey import settings
from journey.bench.company import company
from journey.bench.data import write_project
from journey.bench.measuring import BUCKET, measure_load, reset

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

COPIES = 4  # of the company's table
EVERY = 20  # so many rows, one is bad: no number, a field too many, a quote in a quoted field, or no time
GOAL = 3.0  # times the clean file's time


def measure(folder: Path, rounds: int, threads: int) -> None:
    """Load both files, side by side, and print the ratio of the medians.

    Args:
        folder: of the bench's data.
        rounds: how often.
        threads: of the loader.
    """
    client = settings.s3_client()
    head, *lines = (folder / "once.csv").read_bytes().splitlines(keepends=True)
    bodies = {
        "clean": head + b"".join(lines) * COPIES,
        "bad": head + b"".join(map(_spoiled, range(len(lines)), lines)) * COPIES,
    }
    for name, body in bodies.items():
        _put(client, f"careful/{name}/{name}.csv", body)
    tables = {name: (f"s3://{BUCKET}/careful/{name}/", "csv", "{max_reject_rate: 0.1}") for name in bodies}
    write_project(folder / "careful", tables, company().columns)
    took = {name: list[float]() for name in bodies}
    for _ in range(rounds):
        for name in bodies:
            reset()
            took[name].append(measure_load(name, folder / "careful", threads).seconds)
    clean, bad = (statistics.median(took[name]) for name in bodies)
    missed = "  missed" if bad > GOAL * clean else ""
    print(f"{len(lines) * COPIES:,} rows: clean {clean:.2f} s, 5 % bad {bad:.2f} s, {bad / clean:.2f} times{missed}")


def _spoiled(number: int, line: bytes) -> bytes:
    if number % EVERY:
        return line
    kinds = (line.replace(b",", b",x", 1), line[:-1] + b",1\n", b'"a"b' + line, line[:-6] + b"\n")
    return kinds[number // EVERY % len(kinds)]


def _put(client: S3Client, key: str, body: bytes) -> None:
    if not client.list_objects_v2(Bucket=BUCKET, Prefix=key).get("KeyCount"):
        client.put_object(Bucket=BUCKET, Key=key, Body=body)
