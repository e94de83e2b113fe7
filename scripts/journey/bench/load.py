"""`make bench-load`: the loader against psql's \\copy of the same uncompressed bytes into the same table.

Whole processes are measured, with the interpreter's start, side by side: each round runs every contender once, and the
medians count. Data is the table that the company's bench.py gives, in as many copies as asked for, in the embedded
services.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from journey import services, settings
from journey.bench import bad, listing, peers
from journey.bench.company import company
from journey.bench.measuring import BUCKET, DATABASE, Measured, load_command, measure, places, reset
from journey.embedded import ADMIN, use_embedded
from journey.project import local_dir
from journey.services import postgres


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


def main() -> None:
    """Prepare, run, print the table; exit status 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench-load", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many (default 5)")
    parser.add_argument("--copies", type=int, default=8, help="the large file is so many times the table")
    parser.add_argument("--threads", type=int, default=4, help="of the loader (default 4)")
    parser.add_argument("--only", help="only cases whose name contains this")
    told = f"also run what this Python has of {', '.join(peers.PEERS)}; for several Pythons, several times"
    parser.add_argument("--peers", metavar="PYTHON", action="append", default=[], help=told)
    parser.add_argument("--bad", action="store_true", help="instead: what bad rows cost")
    parser.add_argument("--listing", type=int, metavar="N", help="instead: how long a prefix with N objects takes")
    options = parser.parse_args()
    services.up()
    use_embedded(ADMIN)
    folder = local_dir() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    if options.listing:
        return listing.measure(folder / "listing", options.listing)
    # In a process of its own: this one stays small, for a child's peak memory begins with its parent's.
    subprocess.run([sys.executable, "-m", "journey.bench.data", str(folder), str(options.copies)], check=True)
    if options.bad:
        return bad.measure(folder, options.rounds, options.threads)
    cases = [case for case in _cases(folder, options.copies) if not options.only or options.only in case.name]
    print(
        f"{'case':<24} {'rows':>11} {'baseline':>22} {'s':>7} {'journey s':>10} {'rate':>6} {'goal':>6} {'RSS MB':>7}"
    )
    missed = False
    for case in cases:
        others = _peers(case, folder, options.peers, options.copies)
        rounds = [_round(case, folder, options.threads, others) for _ in range(options.rounds)]
        floors, loads = ([one[name] for one in rounds] for name in ("floor", "journey"))
        floor, load = (statistics.median(one.seconds for one in some) for some in (floors, loads))
        rss, rate = max(one.rss for one in loads), floor / load
        is_missed = (case.goal is not None and rate < case.goal) or rss > case.limit
        missed |= is_missed
        goal = "-" if case.goal is None else f"{case.goal:.2f}"
        print(
            f"{case.name:<24} {case.rows:>11,} {case.told:>22} {floor:>7.2f} {load:>10.2f} {rate:>6.2f} {goal:>6} "
            f"{rss:>7.0f}{'  missed' if is_missed else ''}",
            flush=True,
        )
        for name in others:
            runs = [one[name] for one in rounds]
            peer, rss = statistics.median(run.seconds for run in runs), max(run.rss for run in runs)
            print(f"{'':<36} {name:>22} {'':>7} {peer:>10.2f} {floor / peer:>6.2f} {'':>6} {rss:>7.0f}", flush=True)
    sys.exit(1 if missed else 0)


def _round(case: Case, folder: Path, threads: int, others: dict[str, list[str]]) -> dict[str, Measured]:
    """One run of the baseline, of the loader and of each peer, each into an empty table."""
    floor = ["bash", "-c", f"set -o pipefail; {case.baseline}"]
    commands = {"floor": floor, "journey": load_command(case.table, threads), **others}
    measured = {}
    for name, command in commands.items():
        reset()
        measured[name] = measure(command, folder / "project")
        table = case.table if name == "journey" else "floor"
        with psycopg.connect(dbname=DATABASE) as connection:
            rows = connection.execute(f"select count(*) from raw_bench.{table}").fetchone()
        if rows != (case.rows,):
            raise SystemExit(f"{case.name}, {name}: {rows} rows instead of {case.rows}")
    return measured


def _peers(case: Case, folder: Path, pythons: Sequence[str], copies: int) -> dict[str, list[str]]:
    """The commands of the peers that these Pythons have; they read the loader's own files, from disk."""
    if not pythons:
        return {}
    prefix, file_format, ending = places(copies)[case.table]
    client, files = settings.s3_client(), list[str]()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for key in (item["Key"] for item in page["Contents"] if not item["Key"].endswith("_SUCCESS")):
            file = folder / Path(key).name if key.endswith(ending) else folder / "files" / f"{key}{ending}"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
            files.append(str(file))
    commands = [(name, [python, peers.__file__, name, file_format]) for name in peers.PEERS for python in pythons]
    return {
        name: [*command, *files]
        for name, command in commands
        if subprocess.run(command, capture_output=True, check=False).returncode == 0
    }


def _cases(folder: Path, copies: int) -> list[Case]:
    psql = postgres.bin_dir() / "psql"
    rows, columns = company().count, ", ".join(company().columns)
    once, large = f"'{folder}/once.csv'", f"'{folder}/large_{copies}.csv'"

    def copied(file: str) -> str:
        return f'{psql} -qc "\\copy raw_bench.floor ({columns}) from {file} with (format csv, header)"'

    pipe = f"zcat {large[:-1]}.gz' | {copied('stdin')}"
    return [
        Case("large CSV, one file", rows * copies, "large", copied(large), "\\copy", 1.5, 200),
        Case("the same, gzip", rows * copies, "large_gzip", pipe, "zcat | psql", 1.5, 200),
        Case("365 daily files, gzip", rows, "daily", copied(once), "\\copy, one file", 0.9, 200),
        Case("12 Parquet files", rows, "parquet", copied(once), "\\copy, one file", 1.4, 200),
        Case("large Parquet, one file", rows * copies, "large_parquet", copied(large), "\\copy, CSV", 1.6, 200),
        Case("12 JSON-lines, gzip", rows, "jsonl", copied(once), "\\copy, CSV, one file", None, 200),
        Case("large JSON lines, gzip", rows * copies, "large_jsonl", copied(large), "\\copy, CSV", 1.0, 200),
    ]


if __name__ == "__main__":
    main()
