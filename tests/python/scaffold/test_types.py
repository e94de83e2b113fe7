"""What a column's values decide, and what they don't: what could mean two things stays text, with a word on it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from journey.scaffold.proposal import Field
from journey.scaffold.types import decide


def decided(name: str, values: Sequence[str | None], mark: str | None = None) -> Field:
    """A column, decided."""
    one = Field(name, values=values)
    decide(one, feed_mark=mark)
    return one


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["03/02/2024", "04/02/2024"], "'03/02/2024' could be day first or month first"),
        (["01-02-03", "04-05-06"], "could be day first or month first or year first"),
        (["1.234", "5.678"], "'1.234' could be 1.234 or 1234: could not decide"),
        (["1,204", "3,100"], "could be 1.204 or 1204: could not decide"),
        (["$1.50", "$2.00"], "something stands beside the number"),
        (["12,50-", "3,00-"], "something stands beside the number"),
        (["2024-06-01", "soon"], "1 of 2 sampled values are dates, and 'soon' isn't: could not decide"),
        ([None, None], "its type isn't known"),
        (["a", "N/A"], "'N/A' (1) could mean null"),
    ],
)
def test_what_could_mean_two_things_stays_text_and_is_said(values: list[str | None], told: str) -> None:
    one = decided("v", values)
    assert (one.type, one.options) == ("text", {})
    assert any(told in doubt for doubt in one.doubts), one.notes


def test_values_that_decide_are_counted() -> None:
    values = [f"{day:02}/02/2024" for day in range(1, 29)] * 10
    one = decided("sold_on", values)
    assert (one.type, one.options, one.doubts) == ("date", {"date_format": "%d/%m/%Y"}, [])
    assert "160 of 280 values decide for day first" in one.notes[0].text


def test_all_sampled_values_are_looked_at() -> None:
    local = [
        f"2024-06-{day:02} {hour:02}:{minute:02}" for day in range(1, 5) for hour in range(24) for minute in range(60)
    ]
    one = decided("sold_at", local)
    assert one.type == "timestamp"
    assert "all 5,760 sampled values match" in one.notes[0].text
    mixed = decided("sold_at", [*local, "2024-06-09 01:00Z"])
    assert mixed.type == "timestamptz"
    assert "5,760 of 5,761 have no zone" in mixed.doubts[0]
    assert decided("number", [*map(str, range(5000)), "none of these"]).type == "text"


@pytest.mark.parametrize(
    ("values", "kind", "options"),
    [
        (["00123", "A-7"], "text", {}),
        (["02138", "10001"], "text", {}),
        (["1.234,56", "7"], "numeric(14,2)", {"decimal_mark": ",", "thousands_mark": "."}),
        (["1,234.56", "7"], "numeric(14,2)", {"thousands_mark": ","}),
        (["1.000.000", "5.000"], "bigint", {"decimal_mark": ",", "thousands_mark": "."}),
        (["1362.0", None], "bigint", {"whole_decimals": True}),
        (["5000000000", "1"], "bigint", {}),
        (["ja", "nein"], "boolean", {"true_values": "ja", "false_values": "nein"}),
        (["17-NOV-81", "19-APR-87"], "date", {"date_format": "%d-%b-%y"}),
        (["2024-06-01T10:00:00Z"], "timestamptz", {}),
        (["6/13/2024 1:05 PM"], "timestamp", {"timestamp_format": "%m/%d/%Y %I:%M %p"}),
        (["0.1000000000000000055"], "numeric", {}),
        (["1", "NULL"], "integer", {"null_values": ["", "NULL"]}),
    ],
)
def test_what_reads_all_values_in_one_meaning_is_proposed(
    values: list[str | None], kind: str, options: dict[str, object]
) -> None:
    one = decided("v", values)
    assert one.type == kind, one.notes
    assert one.options == options


def test_other_columns_decide_which_mark_a_feed_has() -> None:
    one = decided("menge", ["1.234", "5.678"], mark=",")
    assert (one.type, one.options) == ("bigint", {"decimal_mark": ",", "thousands_mark": "."})
    assert "other columns decide for ','" in one.notes[0].text
    assert decided("menge", ["1.234", "5.678"], mark=".").type == "numeric(14,3)"
