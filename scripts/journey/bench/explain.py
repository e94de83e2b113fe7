"""`make explain`: the plans, with buffers, of what `dbt run` does now; and large tables that it reads whole.

It looks at target `demo`, what `make demo` built.

Each statement that reads tables runs under EXPLAIN (ANALYZE, BUFFERS), for real, in dbt's own transaction: the build is
done afterwards, as if by `dbt run`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import Any

import sqlparse

from journey import services
from journey.embedded import use_embedded
from journey.project import project_root

READS = re.compile(
    r"\s*(create\s+(temporary\s+)?table\s+\S+\s+(on commit drop\s+)?as\b|insert\s+into|delete\s+from)", re.IGNORECASE
)
SCAN = re.compile(r"Seq Scan on (\w+)[^\n]*?actual[^\n]*?rows=([\d.]+) loops=(\d+)")
FILTERED = re.compile(r"Rows Removed by Filter: (\d+)")
LARGE = 100_000  # rows; and facts, however small
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def main() -> None:
    """Run the selected models under EXPLAIN and print each one's plans; exit status 1 if dbt failed."""
    parser = argparse.ArgumentParser(prog="make explain", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--select", default="path:models/warehouse", help="as for dbt run (default: the warehouse)")
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
    if not options.full_refresh:
        print("\nFacts and large tables read whole: " + (", ".join(sorted(set(scans))) or "none"))
    sys.exit(0 if result.success else 1)


def explain_statements(min_ms: float) -> list[str]:
    """From now on, dbt's statements in this process run under EXPLAIN.

    Args:
        min_ms: plans of statements that took less aren't printed, milliseconds.

    Returns:
        A list that grows with `model: table` for each fact or large table that is read by a sequential scan.
    """
    from dbt.adapters.postgres.connections import PostgresConnectionManager

    real, scans = PostgresConnectionManager.add_query, list[str]()

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
            name = self.get_thread_connection().name
            scans.extend(f"{name.split('.')[-1]}: {table}" for table in _read_whole(plan))
            took = float(re.findall(r"Execution Time: ([\d.]+)", plan)[-1])
            if took >= min_ms:
                print(f"\n== {name.split('.')[-1]}: {took:,.0f} ms: {' '.join(one.split())[:100]}\n{plan}")
        return answer

    PostgresConnectionManager.add_query = add_query  # type: ignore[method-assign]
    return scans


def _read_whole(plan: str) -> Iterator[str]:
    """Tables of a plan that a sequential scan reads, if they are large or facts, and not what dbt just wrote."""
    for node in plan.split("->"):
        if (scan := SCAN.search(node)) and "__dbt_tmp" not in scan[1]:
            read = (float(scan[2]) + sum(map(float, FILTERED.findall(node)))) * int(scan[3])
            if read >= (1 if scan[1].startswith("fct_") else LARGE):
                yield scan[1]


if __name__ == "__main__":
    main()
