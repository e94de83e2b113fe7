"""Figures drawn from all marts, traced: `make trace` asks for 1,000 of what is built, the tests for a few."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from journey import settings
from journey.embedded import TRANSFORMER, use_embedded
from journey.errors import JourneyError
from journey.lean import prepare
from journey.loader.declaration.sources import load_manifest
from journey.project import project_root
from journey.tracing import declared, report

SLOW = 2.0  # seconds


class Drawn(NamedTuple):
    """A figure.

    Attributes:
        mart: as readers name it.
        measure: a column of it.
        keys: of its row.
    """

    mart: str
    measure: str
    keys: dict[str, str]


def marts(manifest: declared.Node) -> dict[str, declared.Node]:
    """The marts that there are, by the name that readers use."""
    return {
        f"{declared.layer(node)}.{node['name']}": node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and declared.is_mart(node)
    }


def numbers(node: declared.Node) -> list[str]:
    """Amounts and counts of a mart: a trace has to say how each comes about, or why it can't."""
    return [
        name
        for name, column in node["columns"].items()
        if name.endswith(("_amount", "_count")) and column["data_type"] != "text"
    ]


def drawn(connection: Connection[Any], manifest: declared.Node, each: int, seed: int) -> Iterator[Drawn]:
    """Figures of each measure of each mart.

    Args:
        connection: to what is built.
        manifest: dbt's.
        each: how many rows of each.
        seed: others for another one.
    """
    for name, node in sorted(marts(manifest).items()):
        key = next(list(one["columns"]) for one in node["constraints"] if one["type"] == "primary_key")
        texts = ", ".join(f'cast("{column}" as text)' for column in key)
        for measure in declared.measures(declared.trace(node)):
            rows = connection.execute(
                f"select {texts} from built.{node['name']} order by md5(concat({texts}, %s::text)) limit %s".encode(),
                [f"{seed} {measure}", each],
            )
            for row in rows.fetchall():
                yield Drawn(name, measure, dict(zip(key, row, strict=True)))


def main() -> None:
    """Trace many, and say how long each mart's take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=12, help="rows of each measure of each mart")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=10, help="raw rows of each that are looked up in files")
    parser.add_argument("--mart", default="", help="only marts with this in their name")
    given = parser.parse_args()
    prepare()  # as `journey why`
    use_embedded(TRANSFORMER)
    root = project_root(Path(__file__).parent)
    with settings.connect(autocommit=True) as connection:
        figures = [
            one for one in drawn(connection, load_manifest(root), given.each, given.seed) if given.mart in one.mart
        ]
    took, wrong, whole = defaultdict[str, list[float]](list), 0, 0
    for one in figures:
        gc.collect()  # what the ones before have left: `journey why` is a process of its own
        begun = time.monotonic()
        try:
            traced = report.trace(root, one.mart, one.measure, one.keys, limit=given.limit)
        except (JourneyError, psycopg.Error) as error:
            wrong += 1
            print(f"{one}: {error}", flush=True)
            continue
        took[one.mart].append(time.monotonic() - begun)
        if took[one.mart][-1] > SLOW:
            print(f"{took[one.mart][-1]:.1f} s: {one}", flush=True)
        whole += traced.are_found
        if not traced.agrees or any(file.problem for file in traced.files):
            wrong += 1
            print("\n".join(report.lines(traced, one.measure, one.keys, limit=1)), flush=True)
    for name, seconds in took.items():
        print(
            f"{name:<40} {len(seconds):>5} figures  mean {sum(seconds) / len(seconds):.2f} s  most {max(seconds):.2f}"
        )
    print(f"{len(figures):,} figures traced, {whole:,} of them to every line, {wrong:,} don't add up")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
