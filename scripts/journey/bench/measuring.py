"""What the measurements of loads share: where they lie, empty tables, and one process measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from journey.bench import peers
from journey.bench.company import company

BUCKET = "bench-load"
DATABASE = "bench_load"
OURS = "create table raw_bench.{name} ({columns}, _file_id integer not null default 1)"


@dataclass(frozen=True)
class Measured:
    """Seconds of a process, and peak RSS in MB of the largest of it and its children."""

    seconds: float
    rss: float


def places(copies: int) -> dict[str, tuple[str, str, str]]:
    """Prefix in the bucket, format and usual ending of each table's files."""
    return {
        "large": (f"large_{copies}.csv/", "csv", ".csv"),
        "large_gzip": (f"large_{copies}.csv.gz/", "csv", ".csv.gz"),
        "daily": ("daily/", "csv", ".csv.gz"),
        "parquet": ("parquet/", "parquet", ".parquet"),
        "large_parquet": (f"large_{copies}.parquet/", "parquet", ".parquet"),
        "jsonl": ("jsonl/", "jsonl", ".jsonl.gz"),
        "large_jsonl": (f"large_{copies}.jsonl.gz/", "jsonl", ".jsonl.gz"),
    }


def reset() -> None:
    """Empty tables and no ledger."""
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        connection.execute("drop schema if exists loader, raw_bench cascade; create schema raw_bench")
        columns = ", ".join(f"{name} {data_type}" for name, data_type in company().columns.items())
        connection.execute(OURS.format(name="floor", columns=columns))
        connection.execute("create index on raw_bench.floor using brin (_file_id int4_minmax_multi_ops)")
        connection.execute("checkpoint")


def load_command(table: str, threads: int) -> list[str]:
    """The loader, as it is called, on one table of the source `bench`.

    Args:
        table: of the source.
        threads: of the loader.
    """
    return [sys.executable, "-m", "journey", "load", "--threads", str(threads), "--select", f"bench.{table}"]


def measure_load(table: str, project: Path, threads: int) -> Measured:
    """What a load of one table takes.

    Args:
        table: of the source `bench`.
        project: where it is declared.
        threads: of the loader.
    """
    return measure(load_command(table, threads), project)


def measure(command: list[str], folder: Path) -> Measured:
    """Run a command to its end, on the database of the measurements.

    Args:
        command: and its arguments.
        folder: to run it in.

    Raises:
        SystemExit: it failed.
    """
    told = {peers.COLUMNS: json.dumps(company().columns)}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PGDATABASE": DATABASE, **told}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}")
    return Measured(seconds, usage.ru_maxrss / 1024)
