"""Other tools for `make bench-load ARGS="--peers PYTHON"`, run by a Python that has them: each brings a case's files
from disk into the table `raw_bench.floor`, as a program of a few lines would. Nothing of the project is imported.

    python peers.py PEER FORMAT FILE ...     prints the number of rows if it knows
    python peers.py PEER FORMAT              exit status 0 if the peer is there and reads the format, else 3

From PyPI, in one environment or several: `duckdb` and `duckdb-extension-postgres-scanner`; `pandas`, `pyarrow` and
`psycopg[binary]`; `dlt`, `psycopg2-binary` and `pyarrow`; `sling-linux-amd64`, which for Parquet needs `duckdb-cli` and
without it isn't run; `ingestr`, whose program is in the wheel up to 1.1.22 and later fetched from GitHub. All append to
the table that is there; dlt puts tables of its own beside it, ingestr makes its integers bigint. Telemetry is off.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

TABLE = "raw_bench.floor"
COLUMNS = "BENCH_COLUMNS"  # variable with the types of the columns by name, as JSON, for who asks for them
MISSING = 3
SILENT = {
    "RUNTIME__DLTHUB_TELEMETRY": "false", "SLING_DISABLE_TELEMETRY": "true", "INGESTR_DISABLE_TELEMETRY": "true",
}  # fmt: skip


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


def dlt(file_format: str, files: Sequence[str]) -> int:
    """dlt with Arrow's batches and COPY of CSV: seven times as fast as with rows and INSERT, its defaults."""
    import dlt
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet

    read: dict[str, Callable[[str], Any]] = {
        "csv": pyarrow.csv.open_csv,
        "parquet": lambda file: pyarrow.parquet.ParquetFile(file).iter_batches(),
        "jsonl": pyarrow.json.open_json,
    }
    rows = 0

    def batches() -> Iterator[Any]:
        nonlocal rows
        for file in files:
            for batch in read[file_format](file):
                rows += len(batch)
                yield batch

    schema, table = TABLE.split(".")
    with tempfile.TemporaryDirectory() as folder:
        target = dlt.destinations.postgres(_target())
        pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=target, dataset_name=schema)
        pipeline.config.restore_from_destination = False  # what an earlier case had is not this one's schema
        pipeline.run(batches(), table_name=table, write_disposition="append", loader_file_format="csv")
    return rows


def sling(file_format: str, files: Sequence[str]) -> None:
    """sling, straight into the table; it reads Parquet through DuckDB's program."""
    from sling_linux_amd64 import SLING_BIN

    read: dict[str, dict[str, Any]] = {
        "csv": {"format": "csv"},
        "parquet": {"format": "parquet"},
        "jsonl": {"format": "jsonlines", "flatten": True},
    }
    options = {
        "src-stream": f"file://{_pattern(files)}",
        "src-options": json.dumps(read[file_format]),
        "tgt-conn": "TARGET",
        "tgt-object": TABLE,
        "mode": "truncate",
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "TARGET": f"{_target()}?sslmode=disable",
            "SLING_HOME_DIR": folder,
            "SLING_DIRECT_INSERT": "true",
            "SLING_LOADED_AT_COLUMN": "false",
            "DUCKDB_PATH": str(_program("duckdb")),
            "DUCKDB_USE_INSTALLED_EXTENSIONS": "true",
        }
        _run([SLING_BIN, "run"], options, settings)


def ingestr(file_format: str, files: Sequence[str]) -> None:
    """ingestr, told the types; of CSV and JSON lines it reads one plain file, into which all are unpacked first."""
    options = {
        "source-table": "files",
        "dest-table": TABLE,
        "incremental-strategy": "append",
        "columns": _ingestr_columns(),
        "progress": "log",
    }
    with tempfile.TemporaryDirectory() as folder:
        source = _pattern(files)
        if file_format != "parquet" and (len(files) > 1 or source.endswith(".gz")):
            source = f"{folder}/unpacked"
            _unpack(files, Path(source), header=file_format == "csv")
        settings = {"SOURCE_URI": f"{file_format}://{source}", "DESTINATION_URI": _target(), "PIPELINES_DIR": folder}
        flags = ["--yes", "--no-load-timestamp", *(["--no-inference"] if file_format != "parquet" else [])]
        _run([str(_program("ingestr")), "ingest", *flags], options, settings)


def _ingestr_columns() -> str:
    names = {"integer": "int", "timestamptz": "timestamp"}
    columns = {name: kind.replace("numeric", "decimal") for name, kind in json.loads(os.environ[COLUMNS]).items()}
    return ",".join(f"{name}:{names.get(kind, kind)}" for name, kind in columns.items())


def _target() -> str:
    user, password, host = (quote(os.environ[name], safe="") for name in ("PGUSER", "PGPASSWORD", "PGHOST"))
    return f"postgresql://{user}:{password}@{host}:{os.environ['PGPORT']}/{os.environ['PGDATABASE']}"


def _pattern(files: Sequence[str]) -> str:
    """The only file, or all that is in the files' folder."""
    return files[0] if len(files) == 1 else str(Path(files[0]).with_name("*"))


def _unpack(files: Sequence[str], target: Path, *, header: bool) -> None:
    """Write the files' contents one after the other, with one header if they have any."""
    with target.open("wb") as out:
        for number, file in enumerate(files):
            with gzip.open(file) if file.endswith(".gz") else Path(file).open("rb") as content:
                if header and number:
                    content.readline()
                shutil.copyfileobj(content, out, 1 << 20)


def _program(name: str) -> Path:
    """Where a package of this Python's environment puts its program."""
    return Path(sys.executable).with_name(name)


def _run(command: Sequence[str], options: dict[str, str], settings: dict[str, str]) -> None:
    arguments = [f"--{name}={value}" for name, value in options.items()]
    ended = subprocess.run(
        [*command, *arguments], env={**os.environ, **settings},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        sys.exit(ended.stdout)


def _can(peer: str, file_format: str) -> bool:
    """Whether the peer is installed, and reads this format."""
    programs = {"ingestr": ["ingestr"], "sling": ["duckdb"] if file_format == "parquet" else []}.get(peer, [])
    return all(map(importlib.util.find_spec, NEEDS[peer])) and all(
        _program(name).exists() and not subprocess.run([_program(name), "--version"], check=False).returncode
        for name in programs
    )


PEERS: dict[str, Callable[[str, Sequence[str]], int | None]] = {
    "duckdb": duckdb, "pandas": pandas, "dlt": dlt, "sling": sling, "ingestr": ingestr,
}  # fmt: skip
NEEDS = {
    "duckdb": ("duckdb", "duckdb_extension_postgres_scanner"),
    "pandas": ("pandas", "pyarrow", "psycopg"),
    "dlt": ("dlt", "psycopg2", "pyarrow"),
    "sling": ("sling_linux_amd64",),
    "ingestr": (),
}

if __name__ == "__main__":
    sys.path.pop(0)  # this folder's names are not what the peers import
    os.environ.update(SILENT)
    peer, file_format, *files = sys.argv[1:]
    if not files:
        sys.exit(0 if _can(peer, file_format) else MISSING)
    if (rows := PEERS[peer](file_format, files)) is not None:
        print(rows)
