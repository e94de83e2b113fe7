"""The data of `make bench-load`, made once: a company's table in several formats."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from isal import igzip

from journey import settings
from journey.bench.company import company
from journey.bench.measuring import BUCKET, DATABASE, places
from journey.embedded import ADMIN, EMBEDDED_DATABASE, use_embedded
from journey.project import project_root

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def prepare(folder: Path, copies: int) -> None:
    """Files on disk for psql, in S3 for the loader, and a dbt project that declares them; what is there is kept.

    Args:
        folder: for the files and the project.
        copies: the large file is so many times the table.
    """
    client = settings.s3_client()
    with psycopg.connect(dbname=EMBEDDED_DATABASE, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE}")
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    table = company().rows()
    once, large = folder / "once.csv", folder / f"large_{copies}.csv"
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
    _put_once(client, f"large_{copies}.parquet/large_{copies}.parquet", lambda: _large_parquet(table, folder, copies))
    _put_once(client, f"large_{copies}.jsonl.gz/large_{copies}.jsonl.gz", lambda: _large_jsonl(table, folder, copies))
    months = pc.strftime(table[company().moment], format="%Y-%m")
    days = pc.strftime(table[company().moment], format="%Y-%m-%d")
    _put_parts(client, "daily", _parts(table, days), lambda part: igzip.compress(_csv(part)))
    _put_parts(client, "parquet", _parts(table, months), _parquet)
    _put_parts(client, "jsonl", _parts(table, months), lambda part: igzip.compress(_jsonl(part)))
    tables = {name: (f"s3://{BUCKET}/{place}", kind, "{}") for name, (place, kind, _) in places(copies).items()}
    write_project(folder / "project", tables, company().columns)


def _parts(table: pa.Table, labels: Any) -> Iterator[tuple[str, pa.Table]]:
    for label in sorted(pc.unique(labels).to_pylist()):
        yield label, table.filter(pc.equal(labels, label))


def _as_text(table: pa.Table) -> pa.Table:
    name = company().moment
    position = table.schema.get_field_index(name)
    moments = table[name].cast(pa.timestamp("s", "UTC"))
    return table.set_column(position, name, pc.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ"))


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


def _large_parquet(table: pa.Table, folder: Path, copies: int) -> Path:
    """One file, a row group for each copy."""
    file = folder / f"large_{copies}.parquet"
    with pq.ParquetWriter(file, table.schema, compression="zstd") as writer:
        for _ in range(copies):
            writer.write_table(table, row_group_size=table.num_rows)
    return file


def _large_jsonl(table: pa.Table, folder: Path, copies: int) -> Path:
    """One file, a gzip member for each copy."""
    file, member = folder / f"large_{copies}.jsonl.gz", igzip.compress(_jsonl(table))
    with file.open("wb") as out:
        for _ in range(copies):
            out.write(member)
    return file


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
        with file().open("rb") as body:
            client.put_object(Bucket=BUCKET, Key=key, Body=body)


def write_project(folder: Path, tables: dict[str, tuple[str, str, str]], declared: dict[str, str]) -> None:
    """Write a dbt project with one source, `bench`.

    Args:
        folder: for the project.
        tables: location, format and options by table.
        declared: their columns: type by name.
    """
    (folder / "models").mkdir(parents=True, exist_ok=True)
    columns = "".join(f"          - {{name: {name}, data_type: '{kind}'}}\n" for name, kind in declared.items())
    source = "sources:\n  - name: bench\n    schema: raw_bench\n    tables:\n"
    for name, (location, file_format, options) in tables.items():
        source += (
            f"      - name: {name}\n        external: {{location: '{location}', "
            f"file_format: {file_format}, options: {options}}}\n        columns:\n{columns}"
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
    use_embedded(ADMIN)
    prepare(Path(sys.argv[1]), int(sys.argv[2]))
