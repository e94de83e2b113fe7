"""How long a load takes to see that nothing is new, where a prefix has very many objects."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

from journey import settings
from journey.bench.data import write_project
from journey.embedded import EMBEDDED_DATABASE
from journey.loader.ledger import set_up

BUCKET = "bench-listing"
DATABASE = "bench_listing"
KEY = "days/{:09d}.csv"  # keys come in order, as dates do
COLUMNS = {"id": "integer"}


def measure(folder: Path, count: int) -> None:
    """Print how long `journey load` takes, as a whole process, with an empty and with a full ledger.

    Args:
        folder: for the dbt project.
        count: how many objects there are; they are made once and kept.
    """
    client: Any = settings.s3_client(connections=16)
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    have = sum(page["KeyCount"] for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET))

    def put(number: int) -> None:
        client.put_object(Bucket=BUCKET, Key=KEY.format(number), Body=b"id\n")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(have, count)))
    with psycopg.connect(dbname=EMBEDDED_DATABASE, autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")
        connection.execute(f"create database {DATABASE}")
    tables = {
        "everything": (f"s3://{BUCKET}/days/", "csv", "{}"),
        "since_last_key": (f"s3://{BUCKET}/days/", "csv", "{list: since_last_key}"),
    }
    write_project(folder, tables, COLUMNS)
    print(f"{'case':<44} {'seconds':>8}")
    _time(folder, f"{count:,} objects, none is loaded (dry run)", "everything", "--dry-run")
    _fill(client, tables)
    _time(folder, f"{count:,} objects, all are loaded", "everything")
    _time(folder, f"{count:,} objects, list: since_last_key", "since_last_key")


def _fill(client: Any, tables: Any) -> None:
    """Let the ledger know every object, as loads would have."""
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        set_up(connection)
        connection.execute("insert into loader.runs (selected, host) values ('everything', 'bench')")
        statement = """copy loader.files (schema_name, table_name, bucket, key, etag, size_bytes, run_id, started_at,
                           status) from stdin"""
        with connection.cursor().copy(statement) as copy:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
                for item in page["Contents"]:
                    for table in tables:
                        etag = item["ETag"].strip('"')
                        copy.write_row(("raw_bench", table, BUCKET, item["Key"], etag, 3, 1, "now", "loaded"))
        connection.execute("analyze loader.files")


def _time(folder: Path, name: str, table: str, *options: str) -> None:
    command = [sys.executable, "-m", "journey", "load", "--select", f"bench.{table}", *options]
    begun = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env={**os.environ, "PGDATABASE": DATABASE}, check=True, stdout=subprocess.DEVNULL
    )
    print(f"{name:<44} {time.perf_counter() - begun:>8.1f}", flush=True)
