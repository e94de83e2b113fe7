"""Every format that the loader has is proposed, and loads as it is proposed."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from journey.errors import UsageError
from journey.scaffold.proposal import Proposal
from journey.scaffold.proposing import propose
from loader.support import Landing
from loader.typed_files import parquet
from loader.workbooks import workbook

ARRAY = '[{"id": 1, "name": "ash"}, {"id": 2, "name": "elm"}]'
CSV = "id,name\n1,ash\n2,elm\n"


def avro() -> bytes:
    """An Avro file."""
    out = io.BytesIO()
    fields = [{"name": "id", "type": "int"}, {"name": "name", "type": ["null", "string"]}]
    fastavro.writer(out, {"type": "record", "name": "row", "fields": fields},
                    [{"id": 1, "name": "ash"}, {"id": 2, "name": "elm"}])  # fmt: skip
    return out.getvalue()


def zipped() -> bytes:
    """An archive with a member that is no data."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("trees.csv", CSV)
        file.writestr("README.md", "ask Ann")
    return out.getvalue()


def proposed(landing: Landing, **files: bytes | str) -> Proposal:
    """What is proposed for files, by their names."""
    for name, body in files.items():
        landing.put(f"in/{name}", body)
    return propose(landing.client, landing.bucket, "in/", source="shop", table="sales")


@pytest.mark.parametrize(
    ("body", "file_format", "options"),
    [
        (CSV, "csv", {}),
        (gzip.compress(CSV.encode()), "csv", {}),
        (zipped(), "csv", {"zip_members": "*.csv"}),
        ('{"id": 1, "name": "ash"}\n{"id": 2, "name": "elm"}\n', "jsonl", {}),
        (ARRAY, "json", {}),
        (f'{{"n": 2, "trees": {{"all": {ARRAY}}}}}', "json", {"path": "trees.all"}),
        ("id  name \n1   ash  \n2   elm  \n", "fixed", {"fields": {"id": [1, 4], "name": [5, 9]}, "skip_rows": 1}),
        (workbook({"Sheet1": [["id", "name"], [1, "ash"], [2, "elm"]]}), "xlsx", {}),
        (parquet(pa.table({"id": pa.array([1, 2], pa.int32()), "name": ["ash", "elm"]})), "parquet", {}),
        (avro(), "avro", {}),
    ],
)  # fmt: skip
def test_each_format_loads_as_it_is_proposed(
    landing: Landing, body: bytes | str, file_format: str, options: dict[str, Any]
) -> None:
    one = proposed(landing, file=body)
    given = {name: value for name, value in one.options.items() if name != "key_columns"}
    assert (one.format, given) == (file_format, options)
    assert [(field.name, field.type) for field in one.fields] == [("id", "integer"), ("name", "text")]
    assert landing.load(one.declaration()).exit_status == 0
    assert landing.rows() == [(1, "ash"), (2, "elm")]


def test_a_workbooks_columns_are_remarked_on_once(landing: Landing) -> None:
    rows = [
        ["code", "day", "remark"],
        ["007", "01/02/2026", "-"],
        ["008", "03/02/2026", "n/a"],
        ["009", "03/04/2026", "x"],
    ]
    one = proposed(landing, file=workbook({"Jan": rows, "Feb": rows}))
    for field in one.fields:
        assert len(field.notes) == 1, field.notes
    assert [note.text for note in one.notes if "sheets" in note.text] == [
        "the workbook has 2 sheets: 'Jan', 'Feb'; the option sheet says which: the first with rows is taken"
    ]


def test_an_address_that_leads_to_nothing_is_told_what_is_there(landing: Landing) -> None:
    landing.put("in/sales/a.csv", CSV)
    says = rf"no file with data lies there; s3://{landing.bucket}/in/ has (in/\S+, )*in/sales/"
    with pytest.raises(UsageError, match=says):
        propose(landing.client, landing.bucket, "in/sale/", source="shop", table="sales")


def test_folders_that_are_columns(landing: Landing) -> None:
    landing.put("in/dt=2024-06-01/a.csv", CSV)
    landing.put("in/dt=2024-06-02/a.csv", CSV)
    one = propose(landing.client, landing.bucket, "in/", source="shop", table="sales")
    assert one.options["hive_partitions"] is True
    assert {field.name: field.type for field in one.fields}["dt"] == "date"
    landing.load(one.declaration())
    assert landing.query("select count(distinct dt) from raw_shop.sales") == [(2,)]
    assert one.delivery == "Each file states all rows again"


def test_what_cannot_be_read_is_named(landing: Landing) -> None:
    with pytest.raises(UsageError, match="it is a PDF document"):
        proposed(landing, file=b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")


def test_a_sampled_file_that_is_not_like_the_others_is_said(landing: Landing) -> None:
    landing.put("in/a.csv", CSV)
    landing.put("in/b.csv", "other;header\n1;2\n")
    one = propose(landing.client, landing.bucket, "in/", source="shop", table="sales")
    assert any("in/b.csv can't be read so" in note.text for note in one.notes if note.is_doubt), one.notes
