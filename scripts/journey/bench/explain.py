"""`make explain`: the plans, with buffers, of what `dbt run` does now; and facts that an incremental run reads whole.

Each statement that reads tables runs under EXPLAIN (ANALYZE, BUFFERS), for real, in dbt's own transaction: the build is
done afterwards, as if by `dbt run`.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

import sqlparse

from journey import services, settings
from journey.project import project_root

READS = re.compile(
    r"\s*(create (temporary )?table \S+\s+(on commit drop )?as\b|insert into|delete from)", re.IGNORECASE
)
FACT_SCAN = re.compile(r"Seq Scan on (fct_\w+)[^\n]*?actual[^\n]*?rows=([\d.]+)")
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
    settings.use_embedded()
    scans = explain_statements(options.min_ms)
    from dbt.cli.main import dbtRunner

    folders = ["--project-dir", str(project_root()), "--profiles-dir", str(project_root())]
    arguments = ["run", "--select", *options.select.split(), "--threads", "1"]
    if options.full_refresh:
        arguments.append("--full-refresh")
    result = dbtRunner().invoke(["--quiet", "--no-use-colors", *arguments, *folders])
    if not options.full_refresh:
        print("\nFacts read whole: " + (", ".join(sorted(set(scans))) or "none"))
    sys.exit(0 if result.success else 1)


def explain_statements(min_ms: float) -> list[str]:
    """From now on, dbt's statements in this process run under EXPLAIN.

    Args:
        min_ms: plans of statements that took less aren't printed, milliseconds.

    Returns:
        A list that grows with `model: fact` for each fact that is read by a sequential scan.
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
            scans.extend(f"{name.split('.')[-1]}: {fact}" for fact, rows in FACT_SCAN.findall(plan) if float(rows) > 0)
            took = float(re.findall(r"Execution Time: ([\d.]+)", plan)[-1])
            if took >= min_ms:
                print(f"\n== {name.split('.')[-1]}: {took:,.0f} ms: {' '.join(one.split())[:100]}\n{plan}")
        return answer

    PostgresConnectionManager.add_query = add_query  # type: ignore[method-assign]
    return scans


if __name__ == "__main__":
    main()
