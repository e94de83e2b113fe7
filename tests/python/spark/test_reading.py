"""What Spark would read otherwise than the loader is refused by its name; all else it reads as the loader does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.loader.declaration.sources import Source, parse_source
from journey.loader.values.exact import exact
from journey.loader.values.meaning import Column, Meaning
from journey.spark.formats import check_feed
from journey.spark.values import shape, spark_type
from loader.support import node


def declared(file_format: str = "csv", data_type: str = "text", **options: Any) -> Source:
    """A feed with one column."""
    return parse_source(node("shop.sales", "s3://bucket/in/", file_format, {"id": data_type}, **options))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("skip_rows", 2), ("comment", "#"), ("escape", "\\"), ("short_rows", "null"), ("encoding", "utf-16"),
        ("date_format", "%d/%m/%Y"), ("thousands_mark", "'"), ("time_zone", "Europe/Berlin"), ("epoch_unit", "s"),
        ("trim", True), ("extra_digits", "round"), ("null_values", "NULL"), ("deduplicate", "content"),
        ("zip_members", "*.csv"), ("anonymous", True), ("listing", "since_last_key"), ("whole_decimals", True),
        ("max_bytes", 1000), ("max_ratio", 10),
    ],
)  # fmt: skip
def test_an_option_that_spark_reads_otherwise_is_refused_by_its_name(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"external\.options\.{option}"):
        check_feed(declared(**{option: value}))


@pytest.mark.parametrize(
    "options",
    [
        {}, {"delimiter": ";", "encoding": "windows-1252", "decimal_mark": ","}, {"quote": None}, {"header": False},
        {"null_values": ["", "NULL"], "quoted_nulls": True}, {"on_delete": "remove"}, {"time_zone": "UTC"},
        {"key_pattern": "{id}/*.csv"}, {"new_columns": "ignore"},
    ],
)  # fmt: skip
def test_other_options_are_read(options: dict[str, Any]) -> None:
    check_feed(declared(**options))


def test_formats_and_types_that_spark_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="file_format xlsx"):
        check_feed(declared("xlsx"))
    for data_type in ("jsonb", "numeric", "numeric(50,2)", "interval", "time", "varchar(3)"):
        with pytest.raises(ValueError, match="column id: Spark"):
            check_feed(declared(data_type=data_type))


@pytest.mark.parametrize(
    ("data_type", "kind"),
    [("numeric(12,2)", "decimal(12,2)"), ("timestamptz", "timestamp"), ("timestamp", "timestamp_ntz"),
     ("double  precision", "double"), ("INTEGER", "int"), ("numeric(5)", "decimal(5,0)")],
)  # fmt: skip
def test_types_are_what_holds_the_same_values(data_type: str, kind: str) -> None:
    assert spark_type(data_type) == kind


numbers = st.from_regex(r"[+-]?0{0,2}[0-9]{0,6}(\.[0-9]{0,5})?|[a ,-]{1,3}|1e3", fullmatch=True)


@given(numbers)
def test_a_text_is_a_decimal_where_it_is_one_for_the_loader(text: str) -> None:
    """But for exponents, which are refused on Spark."""
    assert bool(re.fullmatch(shape("decimal(6,2)", "."), text)) == (_is_read("numeric(6,2)", text) and "e" not in text)


@given(st.from_regex(r"[+-]?0{0,2}[0-9]{0,3}(,[0-9]{0,3})?", fullmatch=True))
def test_a_decimal_mark_is_the_declared_one(text: str) -> None:
    assert bool(re.fullmatch(shape("decimal(6,2)", ","), text)) == _is_read("numeric(6,2)", text, decimal_mark=",")


@given(st.from_regex(r"[+-]?[0-9]{0,4}|[0-9]\.0| 1|1_0", fullmatch=True))
def test_a_text_is_a_whole_number_where_it_is_one_for_the_loader(text: str) -> None:
    assert bool(re.fullmatch(shape("int", "."), text)) == _is_read("integer", text)


@given(st.from_regex(r"[0-9]{4}-0[1-9]-[0-2][1-8]( ?[0-9]{2})?|2024-6-1|20240601|2024-06-01T00:00", fullmatch=True))
def test_a_text_is_a_date_where_it_is_one_for_the_loader(text: str) -> None:
    assert bool(re.fullmatch(shape("date", "."), text)) == _is_read("date", text)


@given(
    st.from_regex(
        r"2024-06-[01][1-9]([T ][01][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?( ?(Z|[+-]0[0-9]:[0-5][0-9]))?)?",
        fullmatch=True,
    ),
    st.booleans(),
)
def test_a_text_is_a_timestamp_where_it_is_one_for_the_loader(text: str, is_zoned: bool) -> None:
    kind, data_type = (
        ("timestamp", "timestamp with time zone") if is_zoned else ("timestamp_ntz", "timestamp without time zone")
    )
    assert bool(re.fullmatch(shape(kind, "."), text)) == _is_read(data_type, text)


def _is_read(data_type: str, text: str, **meaning: Any) -> bool:
    try:
        return exact(Column("x", data_type, Meaning(**meaning)))(text) is not None
    except ValueError:
        return False
