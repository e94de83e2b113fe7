"""`make chaos`: loaders killed at random moments, PostgreSQL killed, streams cut, two loaders at once, files restated
all the while. After a last clean run every table must equal its files, and the ledger must agree.

    python -m loader.chaos --kills 200
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from journey import services, settings
from journey.embedded import ADMIN, EMBEDDED_DATABASE, environment
from journey.project import local_dir, project_root
from journey.services.state import State
from loader.proxy import Fault, Proxy
from loader.support import empty

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "chaos"
DATABASE = "chaos"
FORMATS = {"sales": "csv", "visits": "jsonl", "goods": "parquet"}
FILES = 6  # of each of these tables
PLAIN = "ticks"  # a table of more and more small files without a quote, which share their COPY
COLUMNS = ("id", "name", "amount")
YAML = """sources:
  - name: chaos
    schema: raw_chaos
    tables:
"""
TABLE = """      - name: {name}
        external: {{location: "s3://chaos/{name}/", file_format: {file_format}}}
        columns:
          - {{name: id, data_type: bigint}}
          - {{name: name, data_type: text}}
          - {{name: amount, data_type: integer}}
"""
Row = tuple[int, str, int]


@dataclass
class Campaign:
    """What happened.

    Attributes:
        counts: how often each kind of trouble was made.
        differences: what is not as it should be, in words; none is the promise.
    """

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


class Chaos:
    """Files, a project that declares them, and trouble."""

    def __init__(self, folder: Path, seed: int, rows: int) -> None:
        """Make bucket, database and project.

        Args:
            folder: for the dbt project.
            seed: of all that is random.
            rows: rows of a file, about.
        """
        self.random, self.rows = random.Random(seed), rows  # noqa: S311
        self.client = settings.s3_client()
        self.proxy = Proxy(int(os.environ["AWS_ENDPOINT_URL_S3"].rsplit(":", 1)[1]))
        self.wanted: dict[str, dict[str, list[Row]]] = {table: {} for table in (*FORMATS, PLAIN)}
        self.campaign, self.project, self.version = Campaign(), folder, 0
        self.usual_seconds = 1.0  # of a loader that nobody kills: it tells when to kill one
        _prepare(self.client, folder)

    def deliver_all(self) -> None:
        """Write every file."""
        for table in FORMATS:
            for number in range(FILES):
                self.deliver(table, number)
        self.deliver_more()

    def deliver_more(self) -> None:
        """Some more small files."""
        for _ in range(self.random.randrange(12)):
            self.deliver(PLAIN, len(self.wanted[PLAIN]))

    def deliver(self, table: str, number: int) -> None:
        """Write a file, or write it anew with other rows."""
        self.version += 1
        count = self.random.randrange(1, self.rows * 2)
        name = "v{} {}" if table == PLAIN else 'v{}, "{}"'
        rows = [(self.version * 10**7 + i, name.format(self.version, i), i) for i in range(count)]
        self.client.put_object(Bucket=BUCKET, Key=f"{table}/{number}", Body=_encode(rows, FORMATS.get(table, PLAIN)))
        self.wanted[table][f"{table}/{number}"] = rows

    def run(self) -> None:
        """One to two loaders, and some trouble."""
        for _ in range(self.random.randrange(1, 5)):
            self.deliver(self.random.choice(list(FORMATS)), self.random.randrange(FILES))
        self.deliver_more()
        trouble = self.random.choice([*["kill"] * 6, "kill PostgreSQL", "cut streams", "two at once"])
        self.campaign.counts["runs"] += 1
        self.campaign.counts[trouble] += 1
        self.proxy.faults = []
        if trouble == "cut streams" or self.random.random() < 0.3:
            kinds = ("cut", "reset", "503", "500")
            self.proxy.faults = [
                Fault(self.random.choice(kinds), self.random.randrange(self.rows * 10)) for _ in range(6)
            ]
        loaders = [self.start() for _ in range(2 if trouble == "two at once" else 1)]
        if trouble.startswith("kill"):
            time.sleep(self.random.uniform(0.3, 1.0) * self.usual_seconds)
            if loaders[0].poll() is None:
                self.campaign.counts["kills"] += 1
            if trouble == "kill":
                loaders[0].kill()
            else:
                _kill_postgres()
                services.up()
        for loader in loaders:
            self.campaign.counts["loaders"] += 1
            loader.wait(120)

    def start(self) -> subprocess.Popen[bytes]:
        """A loader in a process of its own."""
        endpoint = f"http://127.0.0.1:{self.proxy.port}"
        return subprocess.Popen(
            [sys.executable, "-m", "journey", "load", "--threads", str(self.random.randrange(1, 4))],
            cwd=self.project,
            env={**os.environ, "AWS_ENDPOINT_URL_S3": endpoint},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def check(self) -> None:
        """A clean run, then the tables against the files and the ledger."""
        self.proxy.faults = []
        begun = time.monotonic()
        status = self.start().wait(120)
        self.usual_seconds = time.monotonic() - begun
        found = self.campaign.differences
        if status:
            found.append(f"the clean run ended with exit status {status}")
        with psycopg.connect(autocommit=True) as connection:
            for table, files in self.wanted.items():
                rows = [row for part in files.values() for row in part]
                connection.execute("create temporary table wanted (id bigint, name text, amount integer)")
                with connection.cursor().copy("copy wanted from stdin") as copy:
                    for row in rows:
                        copy.write_row(row)
                query = "select count(*), sum(hashtextextended(({})::text, 0)::numeric) from {}"
                sums = [
                    connection.execute(query.format(", ".join(COLUMNS), name)).fetchone()
                    for name in ("wanted", f"raw_chaos.{table}")
                ]
                if sums[0] != sums[1]:
                    found.append(f"{table}: rows and checksum are {sums[1]}, not {sums[0]}")
                ledger = connection.execute(
                    """select file_id, row_count from loader.files
                       where table_name = %s and status = 'loaded' order by 1""",
                    [table],
                ).fetchall()
                have = connection.execute(
                    f"select _file_id, count(*) from raw_chaos.{table} group by 1 order by 1"
                ).fetchall()
                if ledger != have:
                    found.append(f"{table}: the ledger says {ledger}, the table {have}")
                if len(ledger) != len(files):
                    found.append(f"{table}: {len(ledger)} files are loaded, not {len(files)}")
                connection.execute("drop table wanted")
            together = "select count(*) - count(distinct xmin::text) from loader.files where status = 'loaded'"
            [(self.campaign.counts["files in one COPY with another"],)] = connection.execute(together).fetchall()


def campaign(folder: Path, runs: int, seed: int, kills: int = 0, rows: int = 3000) -> Campaign:
    """Make trouble.

    Args:
        folder: for a dbt project.
        runs: how often, at least.
        kills: how many kills must have met a loader at work, at least.
        seed: of all that is random.
        rows: rows of a file, about.
    """
    chaos = Chaos(folder, seed, rows)
    try:
        for _ in range(2):  # the first time, dbt's parser takes most of it: a kill by that clock comes too late
            chaos.deliver_all()
            chaos.check()
        while chaos.campaign.counts["runs"] < runs or chaos.campaign.counts["kills"] < kills:
            chaos.run()
            if chaos.campaign.counts["runs"] % 25 == 0:
                chaos.check()
        chaos.check()
    finally:
        chaos.proxy.close()
    return chaos.campaign


def _encode(rows: list[Row], file_format: str) -> bytes:
    if file_format == PLAIN:
        return gzip.compress("".join(["id,name,amount\n", *(f"{i},{name},{n}\n" for i, name, n in rows)]).encode(), 1)
    if file_format == "csv":
        lines = [
            "id,name,amount",
            *(f'{i},"{name.replace(chr(34), chr(34) * 2)}",{amount}' for i, name, amount in rows),
        ]
        return gzip.compress("\n".join(lines).encode(), 1)
    if file_format == "jsonl":
        return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows).encode()
    out = io.BytesIO()
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def _prepare(client: S3Client, folder: Path) -> None:
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    empty(client, BUCKET)
    with psycopg.connect(dbname=EMBEDDED_DATABASE, autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")
        connection.execute(f"create database {DATABASE}")
    os.environ["PGDATABASE"] = DATABASE
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "profiles.yml").write_text((project_root(Path(__file__).parent) / "profiles.yml.example").read_text())
    (folder / "dbt_project.yml").write_text("name: chaos\nversion: '1.0'\nprofile: data_journey\n")
    formats = {**FORMATS, PLAIN: "csv"}
    tables = (TABLE.format(name=name, file_format=file_format) for name, file_format in formats.items())
    (folder / "models" / "sources.yml").write_text(YAML + "".join(tables))


def _kill_postgres() -> None:
    """SIGKILL to the server that this campaign started."""
    pid = int((local_dir() / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    server = psutil.Process(pid)
    server.send_signal(signal.SIGKILL)
    server.wait(10)


def main() -> None:
    """Run a campaign on services of its own; exit status 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=0, help="make trouble at least so often")
    parser.add_argument("--kills", type=int, default=200, help="go on until so many kills met a loader at work")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    options = parser.parse_args()
    folder = project_root() / ".local" / "chaos"
    os.environ["JOURNEY_LOCAL_DIR"] = str(folder)
    services.up()
    state = State.read(folder)
    assert state is not None
    os.environ.update(environment(state, ADMIN))
    begun = time.monotonic()
    try:
        done = campaign(folder / "project", options.runs, options.seed, options.kills)
    finally:
        services.down()
    for name, count in done.counts.items():
        print(f"{name:<30} {count:>6}")
    print(f"{'differences':<30} {len(done.differences):>6}   (seed {options.seed}, {time.monotonic() - begun:.0f} s)")
    for difference in done.differences:
        print(difference)
    sys.exit(1 if done.differences else 0)


if __name__ == "__main__":
    main()
