"""`make explain`: the plans, with buffers, of what a daily build does now; and large tables that it reads whole.

It looks at target `demo`, what `make demo` built.

Each statement that reads tables runs under EXPLAIN (ANALYZE, BUFFERS), for real, in dbt's own transaction: the build is
done afterwards, as if by `dbt run`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlparse

from journey import services, settings
from journey.embedded import use_embedded
from journey.project import project_root

READS = re.compile(
    r"\s*(create\s+(temporary\s+)?table\s+\S+\s+(on commit drop\s+)?as\b|insert\s+into|delete\s+from)", re.IGNORECASE
)
SCAN = re.compile(
    r"(?:Seq|Index|Index Only|Bitmap Heap) Scan (?:Backward )?(?:using \S+ )?on (\w+)"
    r"[^\n]*?actual[^\n]*?rows=([\d.]+) loops=(\d+)"
)
FILTERED = re.compile(r"Rows Removed by (?:Filter|Index Recheck): (\d+)")
LARGE = 100_000  # rows; and facts, however small
WHOLE = 0.5  # of its rows: by then nobody looks for some
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def main() -> None:
    """Run the selected models under EXPLAIN and print each one's plans.

    Exit status 1 if dbt failed, or a fact or a large table was read whole though it wasn't told to build all.
    """
    parser = argparse.ArgumentParser(prog="make explain", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--select", default="*", help="as for dbt run (default: everything)")
    parser.add_argument("--full-refresh", action="store_true", help="as for dbt run")
    parser.add_argument(
        "--min-ms", type=float, default=20.0, help="leave out statements quicker than this (default 20)"
    )
    options = parser.parse_args()
    services.up()
    use_embedded()
    scans = explain_statements(options.min_ms)
    from dbt.cli.main import dbtRunner

    folders = ["--project-dir", str(project_root()), "--profiles-dir", str(project_root()), "--target", "demo"]
    arguments = ["run", "--select", *options.select.split(), "--threads", "1"]
    if options.full_refresh:
        arguments.append("--full-refresh")
    result = dbtRunner().invoke(["--quiet", "--no-use-colors", *arguments, *folders])
    whole = read_whole(scans)
    if not options.full_refresh:
        print("\nFacts and large tables read whole: " + (", ".join(whole) or "none"))
    sys.exit(0 if result.success and (options.full_refresh or not whole) else 1)


@dataclass(frozen=True)
class Read:
    """Rows that a model's statement read of a table.

    Attributes:
        model: whose statement it was.
        table: what it read.
        rows: how many.
    """

    model: str
    table: str
    rows: float


def read_whole(reads: list[Read]) -> list[str]:
    """`model: table` for each fact or large table that a statement read whole.

    Args:
        reads: what explain_statements collected.
    """
    with settings.connect(autocommit=True) as connection:
        sizes = dict(connection.execute("select relname, max(reltuples) from pg_class group by relname").fetchall())
    return sorted(
        {
            f"{read.model}: {read.table}"
            for read in reads
            if read.rows >= max(1.0, WHOLE * sizes.get(read.table, 0))
            and (read.table.startswith("fct_") or read.rows >= LARGE)
        }
    )


def explain_statements(min_ms: float) -> list[Read]:
    """From now on, dbt's statements in this process run under EXPLAIN.

    Args:
        min_ms: plans of statements that took less aren't printed, milliseconds.

    Returns:
        A list that grows with what is read of tables, for each statement and table.
    """
    from dbt.adapters.postgres.connections import PostgresConnectionManager

    real, scans = PostgresConnectionManager.add_query, list[Read]()

    def add_query(self: Any, sql: str, *arguments: Any, **named: Any) -> Any:
        statements = [COMMENT.sub("", one).strip() for one in sqlparse.split(sql)]
        if not any(READS.match(one) for one in statements):
            return real(self, sql, *arguments, **named)
        answer: Any = None
        for one in filter(None, statements):
            if not READS.match(one):
                answer = real(self, one, *arguments, **named)
                continue
            answer = real(self, f"explain (analyze, buffers, costs off, summary on) {one}", *arguments, **named)
            plan = "\n".join(row[0] for row in answer[1].fetchall())
            model = self.get_thread_connection().name.split(".")[-1]
            scans.extend(Read(model, table, rows) for table, rows in rows_of(plan).items())
            took = float(re.findall(r"Execution Time: ([\d.]+)", plan)[-1])
            if took >= min_ms:
                print(f"\n== {model}: {took:,.0f} ms: {' '.join(one.split())[:100]}\n{plan}")
        return answer

    PostgresConnectionManager.add_query = add_query  # type: ignore[method-assign]
    return scans


def rows_of(plan: str) -> dict[str, float]:
    """By table, the rows that a plan's scans read, but for what dbt just wrote.

    Args:
        plan: as EXPLAIN (ANALYZE) prints it.
    """
    read: dict[str, float] = defaultdict(float)
    for node in plan.split("->"):
        if (scan := SCAN.search(node)) and "__dbt_tmp" not in scan[1]:
            read[scan[1]] += (float(scan[2]) + sum(map(float, FILTERED.findall(node)))) * int(scan[3])
    return read


if __name__ == "__main__":
    main()
