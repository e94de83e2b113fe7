"""Other tools for `make bench-load ARGS="--peers PYTHON"`, run by a Python that has them: each brings a case's files
from disk into the table `raw_bench.floor`, as a program of a few lines would. Nothing of the project is imported.

    python peers.py PEER FORMAT FILE ...     prints the number of rows
    python peers.py PEER FORMAT              exit status 0 if the peer is installed there, else 3
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TABLE = "raw_bench.floor"
MISSING = 3


def duckdb(file_format: str, files: Sequence[str]) -> int:
    """DuckDB with its PostgreSQL extension, as PyPI has it in `duckdb-extension-postgres-scanner`."""
    import duckdb
    import duckdb_extension_postgres_scanner as package

    [extension] = Path(package.__file__).parent.glob("extensions/*/postgres_scanner.duckdb_extension")
    read = {"csv": "read_csv", "parquet": "read_parquet", "jsonl": "read_ndjson"}[file_format]
    connection = duckdb.connect()
    connection.execute(f"load '{extension}'")
    connection.execute("attach '' as target (type postgres)")
    selected = connection.execute(f"select * from {read}($files) limit 0", {"files": list(files)}).description
    names = ", ".join(column[0] for column in selected)
    statement = f"insert into target.{TABLE} ({names}) select {names} from {read}($files)"
    return int(connection.execute(statement, {"files": list(files)}).fetchall()[0][0])


def pandas(file_format: str, files: Sequence[str]) -> int:
    """pandas, which writes CSV for psycopg's COPY: ten times as fast as to_sql()."""
    import pandas
    import psycopg

    read: dict[str, Callable[[str], Any]] = {
        "csv": pandas.read_csv,
        "parquet": pandas.read_parquet,
        "jsonl": lambda file: pandas.read_json(file, lines=True, dtype=False),
    }
    rows = 0
    with psycopg.connect() as connection:
        for file in files:
            frame, text = read[file_format](file), io.StringIO()
            frame.to_csv(text, index=False, header=False)
            statement = f"copy {TABLE} ({', '.join(frame.columns)}) from stdin with (format csv)"
            with connection.cursor().copy(statement) as copy:
                copy.write(text.getvalue())
            rows += len(frame)
    return rows


PEERS = {"duckdb": duckdb, "pandas": pandas}
NEEDS = {"duckdb": ("duckdb", "duckdb_extension_postgres_scanner"), "pandas": ("pandas", "pyarrow", "psycopg")}

if __name__ == "__main__":
    sys.path.pop(0)  # this folder's names are not what the peers import
    peer, file_format, *files = sys.argv[1:]
    if files:
        print(PEERS[peer](file_format, files))
    else:
        sys.exit(0 if all(map(importlib.util.find_spec, NEEDS[peer])) else MISSING)
