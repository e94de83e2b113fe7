"""Refused rows are read again once the declaration is right: each exactly once, with the file or without it."""

from __future__ import annotations

from typing import Any

import pytest

from journey.loader.declaration.sources import Source
from journey.loader.replaying import replay
from journey.loader.verifying import lines, verify
from loader.support import QUICK, Landing

COLUMNS = {"id": "integer", "sold_on": "date"}
CSV = "id,sold_on\n1,2024-02-03\n2,03/02/2024\n3,04/02/2024\n4,soon\n"
JSON = "".join(
    f'{{"id": {i}, "sold_on": "{day}"}}\n'
    for i, day in enumerate(("2024-02-03", "03/02/2024", "04/02/2024", "soon"), 1)
)
BODIES = {"csv": CSV, "jsonl": JSON}
DATES = ["iso", "%d/%m/%Y"]


def declared(landing: Landing, kind: str, **options: Any) -> Source:
    return landing.source("in/", kind, COLUMNS, max_reject_rate=0.9, **options)


def rows(landing: Landing) -> list[tuple[int, str]]:
    return landing.query("select id, sold_on::text from raw_shop.sales order by id")


def counts(landing: Landing) -> list[tuple[int, int, int, int]]:
    return landing.query(
        "select delivered_count, row_count, rejected_count, waived_count from loader.files where status = 'loaded'"
    )


def file_ids(landing: Landing) -> set[tuple[int]]:
    return set(landing.query("select distinct _file_id from raw_shop.sales"))


@pytest.mark.parametrize("gone", [False, True], ids=["in S3", "gone from S3"])
@pytest.mark.parametrize("kind", BODIES)
def test_what_was_refused_is_loaded_once_the_declaration_is_right(landing: Landing, kind: str, gone: bool) -> None:
    landing.put("in/a", BODIES[kind])
    landing.load(declared(landing, kind))
    assert rows(landing) == [(1, "2024-02-03")]
    assert counts(landing) == [(4, 1, 3, 0)]
    before = file_ids(landing)
    if gone:
        landing.client.delete_object(Bucket=landing.bucket, Key="in/a")
    mended = declared(landing, kind, date_format=DATES)
    for _ in range(2):  # a second time brings nothing twice
        summary, said = replay([mended], retry=QUICK)
        assert summary.failures == []
        assert bool(said) == gone
        assert rows(landing) == [(1, "2024-02-03"), (2, "2024-02-03"), (3, "2024-02-04")]
        assert counts(landing) == [(4, 3, 1, 0)]
    assert not file_ids(landing) & before  # a file that changes is another version, or warehouses would miss it
    assert landing.agree()
    assert landing.query(
        """select line_number, column_name from loader.rejected_rows join loader.files using (file_id)
           where status = 'loaded'"""
    ) == [(5 if kind == "csv" else 4, "sold_on")]


def test_replay_reads_nothing_else(landing: Landing) -> None:
    landing.put("in/a", CSV)
    landing.load(declared(landing, "csv"))
    landing.put("in/b", "id,sold_on\n9,2024-01-01\n")
    replay([declared(landing, "csv", date_format=DATES)], retry=QUICK)
    assert [row[0] for row in rows(landing)] == [1, 2, 3]


def test_rows_in_other_columns_are_replayed_by_the_names_of_their_file(landing: Landing) -> None:
    """The header is gone with the file; the ledger has its names."""
    landing.put("in/a", 'sold_on,id\n2024-02-03,1\n"03/02/2024",2\n')
    landing.load(declared(landing, "csv"))
    landing.client.delete_object(Bucket=landing.bucket, Key="in/a")
    summary, _ = replay([declared(landing, "csv", date_format=DATES)], retry=QUICK)
    assert summary.failures == []
    assert rows(landing) == [(1, "2024-02-03"), (2, "2024-02-03")]


def test_rows_of_a_format_without_lines_need_their_file(landing: Landing) -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "sold_on": ["2024-02-03", "03/02/2024"]}), out)
    landing.put("in/a", out.getvalue())
    landing.load(declared(landing, "parquet"))
    landing.client.delete_object(Bucket=landing.bucket, Key="in/a")
    summary, _ = replay([declared(landing, "parquet", date_format=DATES)], retry=QUICK)
    assert "put it back into S3" in summary.failures[0]
    assert summary.exit_status == 1
    assert counts(landing) == [(2, 1, 1, 0)]


def test_verify_says_what_would_be_read_otherwise(landing: Landing) -> None:
    landing.put("in/a", CSV)
    landing.put("in/b", "id,sold_on\n9,2024-01-01\n")
    source = declared(landing, "csv")
    landing.load(source)
    assert all(one.agrees for one in verify(source, retry=QUICK))
    # as an earlier loader, whose dates were PostgreSQL's, had read it
    landing.query("update raw_shop.sales set sold_on = '2024-03-02' where id = 1 returning 1")
    found = {one.key: one for one in verify(source, retry=QUICK)}
    assert found["in/b"].agrees
    assert (found["in/a"].missing, found["in/a"].added, found["in/a"].refused) == (1, 1, 3)
    said = "\n".join(lines(source, list(found.values())))
    assert "1 of 2 files would be read as they were" in said
    assert "line 3, column sold_on: `03/02/2024` is no date" in said
    assert counts(landing)[0] == (4, 1, 3, 0)  # nothing was changed


def test_verify_sees_a_row_that_would_be_refused_now(landing: Landing) -> None:
    """The month-first dates and the `today` of an earlier loader."""
    landing.put("in/a", "id,sold_on\n1,2024-02-03\n2,03/02/2024\n")
    source = landing.source("in/", "csv", COLUMNS, max_reject_rate=0.9)
    landing.load(source)
    landing.query(
        """with added as (insert into raw_shop.sales (id, sold_on, _file_id)
                          select 2, '2024-03-02', file_id from loader.files returning 1),
               freed as (delete from loader.rejected_rows returning 1)
           update loader.files set row_count = 2, rejected_count = 0 from added returning 1"""
    )
    [one] = verify(source, retry=QUICK)
    assert (one.missing, one.added, one.refused, one.rejected) == (1, 0, 1, 0)
