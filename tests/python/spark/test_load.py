"""`journey load --engine spark` on a real cluster, beside the loader itself: the same files give the same rows."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from journey.errors import JourneyError, UsageError
from journey.loader.declaration.sources import Source
from journey.loader.outcome import Summary
from journey.project import local_dir
from journey.spark import ledger, tables
from journey.spark.loading import load
from journey.spark.session import Session
from loader.support import QUICK, Landing, empty

TYPES = {"id": "integer", "name": "text", "amount": "numeric(8,2)", "day": "date", "at": "timestamptz",
         "share": "double precision", "flag": "boolean"}  # fmt: skip
CSV = """id,name,amount,day,at,share,flag
1,plain,12.50,2024-06-01,2024-06-01T10:00:00Z,0.1,true
2,"a ""quoted"", one",-0.5,2024-02-29,2024-06-01 10:00:00.123456+02:00,1e-3,FALSE
3,"two
lines",+7,,2024-06-01,NaN,
4,,,,,,
5,"",.5,2024-06-01,2024-06-01 10:00,Infinity,false
6,trailing zeros,1.500,2024-06-01,2024-06-01T10:00 +01:00,-2,true
7,too fine,1.505,2024-06-01,2024-06-01T10:00:00Z,1,true
8,too large,1234567.00,2024-06-01,2024-06-01T10:00:00Z,1,true
9,no day,1,2023-02-29,2024-06-01T10:00:00Z,1,true
10,no moment,1,2024-06-01,2024-06-01T25:00:00Z,1,true
11,no word,1,2024-06-01,2024-06-01T10:00:00Z,1,yes
2147483648,too large,1,2024-06-01,2024-06-01T10:00:00Z,1,true
1.0,no whole number,1,2024-06-01,2024-06-01T10:00:00Z,1,true
 12,blank,1,2024-06-01,2024-06-01T10:00:00Z,1,true
13,too few,1
14,too many,1,2024-06-01,2024-06-01T10:00:00Z,1,true,more
15,ümlaut,0001.10,2024-06-01,2024-06-01T10:00:00Z,123456.789,true
"""


def on_spark(*sources: Source, **more: Any) -> Summary:
    """Load into Spark."""
    return load(sources=sources, **{"threads": 2, "retry": QUICK, **more})


def rows(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows as both clients say them, in order."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        if isinstance(value, str) and len(value) == 10 and value[4] == "-":
            return date.fromisoformat(value)
        return repr(value) if isinstance(value, float) else value

    return sorted((tuple(map(plain, row)) for row in found), key=repr)


def same(landing: Landing, session: Session, source: Source) -> list[tuple[Any, ...]]:
    """What both engines have, if that is the same."""
    names = ", ".join(f'"{name}"' for name in source.columns)
    ours = rows(landing.query(f"select {names} from {source.schema}.{source.table}"))
    theirs = rows(session.rows(f"select {names} from {source.schema}.{source.table}"))
    assert theirs == ours
    counted = (
        "select key, status, row_count, rejected_count from loader.files "
        f"where schema_name = '{source.schema}' and status in ('loaded', 'failed') order by key"
    )
    assert session.rows(counted) == landing.query(counted)
    return ours


def test_csv_gives_the_rows_that_the_loader_gives(landing: Landing, session: Session, feed: str) -> None:
    source = landing.source(columns=TYPES, name=f"{feed}.sales", max_reject_rate=1.0)
    landing.put("in/1.csv", CSV)
    landing.put("in/2.csv", "day,id,name\n2024-01-01,20,other order\n")
    landing.put("in/3.csv", "id,name,amount,day,at,share,flag\n")
    landing.load(source)
    on_spark(source)

    assert len(same(landing, session, source)) == 8
    refused = session.rows(f"select column_name, reason from loader.rejected_rows where file_id in ({_ids(source)})")
    assert len(refused) == 10
    assert ("id", "it is no integer") in refused
    assert ("amount", "it is no numeric(8,2)") in refused


def test_a_dialect_is_read_as_declared(landing: Landing, session: Session, feed: str) -> None:
    options: dict[str, Any] = {"delimiter": ";", "encoding": "windows-1252", "decimal_mark": ",", "quoted_nulls": True}
    columns = {"id": "integer", "name": "text", "amount": "numeric(8,2)"}
    source = landing.source(columns=columns, name=f"{feed}.sales", null_values=["", "NULL"], **options)
    landing.put("in/1.csv", "id;name;amount\n1;Käse – „alt“;1,5\n2;NULL;NULL\n3;;\n".encode("windows-1252"))
    landing.load(source)
    on_spark(source)

    assert (1, "Käse – „alt“", Decimal("1.50")) in same(landing, session, source)


def test_json_lines_give_the_rows_that_the_loader_gives(landing: Landing, session: Session, feed: str) -> None:
    source = landing.source(
        file_format="jsonl", columns=TYPES, name=f"{feed}.sales", max_reject_rate=1.0, new_columns="refuse"
    )
    landing.put(
        "in/1.jsonl",
        """{"id": 1, "name": "x", "amount": 123456.78, "day": "2024-06-01", "at": "2024-06-01T10:00:00Z", "flag": true}
{"id": "2", "name": "", "amount": "1.5", "share": 1e3}
{"id": 3, "name": null, "other": 1}
{"id": 4, "id": 5}
{"id": 6.5}
{"id": 7, "amount": 1.005}
[1]
no json
{"name": "of other keys", "id": 8}
""",
    )
    landing.load(source)
    on_spark(source)

    assert len(same(landing, session, source)) == 3


def test_parquet_gives_the_rows_that_the_loader_gives(landing: Landing, session: Session, feed: str) -> None:
    source = landing.source(
        file_format="parquet",
        columns={"id": "integer", "name": "text", "amount": "numeric(8,2)", "at": "timestamptz"},
        name=f"{feed}.sales",
        max_reject_rate=1.0,
    )
    moment = datetime(2024, 6, 1, 10, 0, 0, 123456, tzinfo=timezone.utc)
    table = pa.table(
        {
            "id": pa.array([1, 2**31, None], pa.int64()),
            "name": ["x", "", None],
            "amount": pa.array([Decimal("1.500"), Decimal("1.505"), None], pa.decimal128(10, 3)),
            "at": pa.array([moment, moment, None], pa.timestamp("us", "UTC")),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    landing.put("in/1.parquet", out.getvalue())
    landing.load(source)
    on_spark(source)

    assert len(same(landing, session, source)) == 2


def test_files_that_change_come_and_go_as_in_postgresql(landing: Landing, session: Session, feed: str) -> None:
    source = landing.source(name=f"{feed}.sales", on_delete="remove")
    for name in ("1", "2"):
        landing.put(f"in/{name}.csv", f"id,name\n{name},first\n")
    landing.put("in/bad.csv", "id,name\nx,refused\n")

    for change in (
        lambda: None,
        lambda: landing.put("in/1.csv", "id,name\n1,second\n"),
        lambda: landing.put("in/bad.csv", "id,name\n3,mended\n"),
        lambda: landing.client.delete_object(Bucket=landing.bucket, Key="in/2.csv"),
    ):
        change()
        assert on_spark(source).exit_status == landing.load(source).exit_status
        same(landing, session, source)
    statuses = f"select key, status from loader.files where schema_name = '{source.schema}' order by key, file_id"
    assert session.rows(statuses) == landing.query(statuses)
    assert on_spark(source).tables[source.name].files == 0


def test_a_load_that_is_killed_shows_nothing_and_doubles_nothing(
    landing: Landing, session: Session, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, other = (landing.source(f"{name}/", name=f"{feed}.{name}") for name in ("one", "two"))
    landing.put("one/1.csv", "id,name\n1,x\n")
    with monkeypatch.context() as patch:
        patch.setattr(ledger.Ledger, "write", _killed)
        with pytest.raises(KeyboardInterrupt):
            on_spark(source)
    assert session.rows(f"select count(*) from {source.schema}.one__rows") == [(1,)]  # it had come so far
    assert session.rows(f"select * from {source.schema}.one") == []

    landing.put("two/1.csv", "id,name\n2,y\n")
    on_spark(other)  # which gets the file_id that the killed load had given
    assert session.rows(f"select * from {source.schema}.one") == []
    landing.put("one/2.csv", "id,name\n3,z\n")
    on_spark(source)
    assert rows(session.rows(f"select id, name from {source.schema}.one")) == [(1, "x"), (3, "z")]
    assert session.rows(f"select count(*) from {source.schema}.one__rows") == [(2,)]


def test_files_of_which_the_metastore_does_not_know_are_not_read(landing: Landing, session: Session, feed: str) -> None:
    """A server that is killed after it moved a batch's files into their folder, and before it said that it is there."""
    source = landing.source(name=f"{feed}.sales")
    landing.put("in/1.csv", "id,name\n1,x\n")
    on_spark(source)
    folder = local_dir() / "spark" / "warehouse" / f"{source.schema}.db" / "sales__rows"
    (batch,) = folder.glob("batch=*")
    left = folder / f"batch={session.rows('select max(file_id) + 1 from loader.files')[0][0]}"
    shutil.copytree(batch, left)

    landing.put("in/2.csv", "id,name\n2,y\n")
    on_spark(source)
    assert list(left.glob("*.parquet"))
    assert rows(session.rows(f"select id, name from {source.schema}.sales")) == [(1, "x"), (2, "y")]
    assert session.rows(f"select count(*) from {source.schema}.sales__rows") == [(2,)]


def test_an_answer_that_is_lost_doubles_nothing(
    landing: Landing, session: Session, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark has written a batch, and says that it couldn't."""
    source, read, lost = landing.source(name=f"{feed}.sales"), tables.read, [1]
    for number in range(3):
        landing.put(f"in/{number}.csv", f"id,name\n{number},x\n")

    def read_and_lose(*arguments: Any) -> None:
        read(*arguments)
        if lost:
            lost.pop()
            raise JourneyError("ResultSet not open")

    monkeypatch.setattr(tables, "read", read_and_lose)
    assert on_spark(source).failures == []
    assert rows(session.rows(f"select id, name from {source.schema}.sales")) == [(0, "x"), (1, "x"), (2, "x")]


def test_rows_stay_when_the_bucket_is_another(landing: Landing, session: Session, feed: str) -> None:
    source, other = landing.source(name=f"{feed}.sales"), f"{landing.bucket}-2"
    landing.put("in/1.csv", "id,name\n1,x\n")
    on_spark(source)
    landing.client.create_bucket(Bucket=other)
    try:
        landing.client.put_object(Bucket=other, Key="in/2.csv", Body=b"id,name\n2,y\n")
        on_spark(replace(source, bucket=other))
    finally:
        empty(landing.client, other)
        landing.client.delete_bucket(Bucket=other)
    assert rows(session.rows(f"select id, name from {source.schema}.sales")) == [(1, "x"), (2, "y")]


def test_what_cannot_be_read_costs_one_file(landing: Landing, session: Session, feed: str) -> None:
    source = landing.source(file_format="parquet", columns={"id": "integer"}, name=f"{feed}.sales")
    for name in ("a", "b", "c"):
        out = io.BytesIO()
        pq.write_table(pa.table({"id": pa.array(range(1000), pa.int32())}), out)
        data = bytearray(out.getvalue())
        if name == "b":
            data[4:40] = bytes(36)  # a page's header, not the footer
        landing.put(f"in/{name}.parquet", bytes(data))
    landing.put("in/d.csv.zip", "x")

    found = on_spark(source)

    assert [line.split(": ")[1] for line in found.failures] == ["in/b.parquet", "in/d.csv.zip"]
    assert session.rows(f"select count(*) from {source.schema}.sales") == [(2000,)]


def test_a_feed_that_spark_would_read_otherwise_loads_nothing(landing: Landing, session: Session, feed: str) -> None:
    source = landing.source(name=f"{feed}.sales", skip_rows=1)
    with pytest.raises(UsageError, match=r"external\.options\.skip_rows is not read on Spark"):
        on_spark(source)


def _ids(source: Source) -> str:
    return f"select file_id from loader.files where schema_name = '{source.schema}'"


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
