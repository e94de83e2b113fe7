"""An option of values does something in each format, or is refused there: none is declared in vain."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from journey.errors import UsageError
from journey.loader.declaration.options import names
from journey.loader.declaration.sources import parse_source
from journey.loader.formats import MODULES
from journey.loader.judging import Judge
from journey.loader.reading import Reading
from journey.loader.values.meaning import Meaning
from loader.support import node
from loader.typed_files import Memory, parquet
from loader.workbooks import workbook

BERLIN = {"time_zone": "Europe/Berlin"}
TRIED: dict[str, tuple[str, str, Any, dict[str, Any]]] = {  # a type, a text, what is declared, and what is beside it
    "date_format": ("date", "01/06/2024", "%d/%m/%Y", {}),
    "timestamp_format": ("timestamp without time zone", "01/06/2024 10:00", "%d/%m/%Y %H:%M", {}),
    "time_format": ("time without time zone", "10.30", "%H.%M", {}),
    "time_zone": ("timestamp with time zone", "2024-06-01 10:00:00", "Europe/Berlin", {}),
    "ambiguous_time": ("timestamp with time zone", "2024-10-27 02:30:00", "first", BERLIN),
    "epoch_unit": ("date", "86400", "s", {}),
    "decimal_mark": ("numeric(5,2)", "1,5", ",", {}),
    "thousands_mark": ("integer", "1,000", ",", {}),
    "null_values": ("text", "-", "-", {}),
    "quoted_nulls": ("text", "", True, {"null_values": ""}),
    "true_values": ("boolean", "yes", "yes", {}),
    "false_values": ("boolean", "no", "no", {}),
    "special_values": ("numeric(5,2)", "NaN", "null", {}),
    "whole_decimals": ("integer", "1.0", True, {}),
    "extra_digits": ("numeric(5,1)", "1.25", "round", {}),
    "trim": ("integer", "\t1", True, {}),
}
ELSEWHERE = {"quoted_nulls": {"fixed", "xlsx", "parquet", "avro"}}  # where there are no quotes


def written(file_format: str, text: str) -> bytes:
    """A file with this text, in quotes where the format has some, and not needlessly in CSV."""
    if file_format == "csv":
        return f'c\n"{text}"\n'.encode() if not text or "," in text else f"c\n{text}\n".encode()
    if file_format == "fixed":
        return f"{text:20}\n".encode()
    if file_format in ("json", "jsonl"):
        return json.dumps([{"c": text}] if file_format == "json" else {"c": text}).encode()
    if file_format == "xlsx":
        return workbook({"Sheet1": [["c"], [text]]})
    if file_format == "parquet":
        return parquet(pa.table({"c": [text]}))
    out = io.BytesIO()
    schema = {"type": "record", "name": "row", "fields": [{"name": "c", "type": "string"}]}
    fastavro.writer(out, schema, [{"c": text}])
    return out.getvalue()


def nobody() -> Any:
    """PostgreSQL, which isn't asked about such types."""
    raise AssertionError


def read(file_format: str, kind: str, text: str, options: dict[str, Any]) -> Sequence[Any]:
    """What a text is read as: its value, or why it is refused."""
    given = {"max_reject_rate": 1, **({"fields": {"c": [1, 20]}} if file_format == "fixed" else {}), **options}
    declared = node("shop.sales", "s3://landing/in/", file_format, {"c": kind})
    source = parse_source({**declared, "external": {**declared["external"], "options": given}})
    reading = Reading(source, [Memory(written(file_format, text))], {})
    batches = list(reading.batches(reading.fit([source.column("c", kind)]), Judge(nobody)))
    good = [value for batch in batches for array in batch.arrays for value in array.to_pylist()]
    return [*good, *(one.reason for batch in batches for one in batch.refused)]


@pytest.mark.parametrize("file_format", MODULES)
@pytest.mark.parametrize("option", names(Meaning))
def test_an_option_of_values_does_something_or_is_refused(option: str, file_format: str) -> None:
    kind, text, value, beside = TRIED[option]
    if file_format in ELSEWHERE.get(option, ()):
        for options in ({option: value}, {"columns": {"c": {option: value}}}):
            with pytest.raises(UsageError, match=rf"{option} is for csv, json, jsonl, and this isn't"):
                read(file_format, kind, text, options)
        return
    declared = {**beside, option: value}
    with_it = read(file_format, kind, text, declared)
    assert len(with_it) == 1
    assert read(file_format, kind, text, beside) != with_it
    assert read(file_format, kind, text, {"columns": {"c": declared}}) == with_it


@pytest.mark.parametrize("comment", [";", '"', '";'])
def test_a_comment_that_begins_as_a_row_may_is_refused(comment: str) -> None:
    with pytest.raises(UsageError, match="rows may begin with"):
        read("csv", "text", "a", {"delimiter": ";", "comment": comment})
    assert read("csv", "text", "a", {"delimiter": ";", "comment": "#"}) == ["a"]


@pytest.mark.parametrize("file_format", ["parquet", "avro"])
def test_an_empty_text_is_null_in_typed_files_if_that_is_declared(file_format: str) -> None:
    assert read(file_format, "text", "", {}) == [""]
    assert read(file_format, "text", "", {"null_values": ""}) == [None]
    assert read(file_format, "text", "", {"columns": {"c": {"null_values": ["", "-"]}}}) == [None]
    assert read(file_format, "integer", "", {}) == [None]
