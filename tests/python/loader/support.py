"""A bucket, a database and a way to declare sources without a dbt project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from journey import settings
from journey.loader.declaration.sources import Source, parse_source
from journey.loader.outcome import Outcome, Summary
from journey.loader.report import Report
from journey.loader.run import load
from journey.loader.s3.asking import Retry
from journey.loader.s3.straight import Way, straight

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

QUICK = Retry(
    attempts=4, base_seconds=0.01, stall_seconds=30.0, busy_seconds=1.0
)  # a slow machine isn't a broken stream


def node(name: str, location: str, file_format: str, columns: Mapping[str, str], **options: Any) -> dict[str, Any]:
    """A source as dbt's manifest has it."""
    source, table = name.split(".")
    return {
        "source_name": source,
        "name": table,
        "schema": f"raw_{source}",
        "identifier": table,
        "original_file_path": f"models/staging/{source}/_{source}__sources.yml",
        "external": {"location": location, "file_format": file_format, "options": options},
        "columns": {column: {"name": column, "data_type": data_type} for column, data_type in columns.items()},
    }


class Recorder(Report):
    """Remembers what became of each file."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[Outcome] = []

    def done(self, outcome: Outcome) -> None:
        """Keep it."""
        self.outcomes.append(outcome)


@dataclass
class Landing:
    """The bucket, and the database that it is loaded into."""

    client: S3Client
    bucket: str
    connection: psycopg.Connection[Any]
    outcomes: list[Outcome] = field(default_factory=list)

    def put(self, key: str, body: bytes | str) -> str:
        """Write an object; returns its ETag."""
        body = body.encode() if isinstance(body, str) else body
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=body)["ETag"].strip('"')

    def source(
        self,
        pattern: str = "in/",
        file_format: str = "csv",
        columns: Mapping[str, str] | None = None,
        name: str = "shop.sales",
        **options: Any,
    ) -> Source:
        """A declared source; by default id integer, name text."""
        columns = columns or {"id": "integer", "name": "text"}
        return parse_source(node(name, f"s3://{self.bucket}/{pattern}", file_format, columns, **options))

    def load(self, *sources: Source, **more: Any) -> Summary:
        """Run a load; impatient, so that tests are quick. What became of each file is in `outcomes`."""
        report = Recorder()
        try:
            return load(sources=sources, **{"threads": 2, "retry": QUICK, "report": report, **more})
        finally:
            self.outcomes = report.outcomes

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.connection.execute(statement, parameters).fetchall()

    def rows(self, table: str = "raw_shop.sales", columns: str = "id, name") -> list[tuple[Any, ...]]:
        """A table's rows, in order."""
        return self.query(f"select {columns} from {table} order by {columns}")

    def statuses(self) -> list[tuple[str, str]]:
        """Key and status of the ledger's rows, in order."""
        return self.query("select key, status from loader.files order by file_id")

    def agree(self, table: str = "raw_shop.sales") -> bool:
        """Whether ledger and table tell the same, file by file."""
        schema, name = table.split(".")
        return self.query(
            f"select _file_id, count(*) from {table} group by 1 order by 1"
        ) == self.query(
            """select file_id, row_count from loader.files
               where schema_name = %s and table_name = %s and status = 'loaded' and row_count > 0 order by 1""",
            schema,
            name,
        )  # fmt: skip


def go_straight(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let loads know how a bucket is addressed, before they have asked for an object.

    Args:
        monkeypatch: pytest's.
        address: of the bucket.
    """
    original = settings.s3_client

    def client(**options: Any) -> Any:
        made: Any = original(**options)
        found = straight(made)
        found._signer = made._request_signer
        found._ways[address.rstrip("/").rsplit("/", 1)[1]] = Way(address, {}, settings.REGION, "s3")
        return made

    monkeypatch.setattr(settings, "s3_client", client)


def empty(s3: S3Client, bucket: str) -> None:
    """Remove all objects of a bucket."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
