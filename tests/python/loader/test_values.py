"""Whatever the loader reads of a text is what Python's own exact types say of it; whatever it refuses, they refuse."""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from journey.loader.values.kinds import arrow_type
from journey.loader.values.meaning import Column, Meaning, meanings
from journey.loader.values.text import parse
from loader import oracle

STAMP = "timestamp without time zone"
STAMPTZ = "timestamp with time zone"
WORDS = [
    "", " ", "NaN", "nan", "-inf", "Infinity", "infinity", "now", "today", "epoch", "NULL", "null", "0x10", "1_000",
    "1e5", "1E-2",
    "1e", "e1", ".", "-", "+", "+7", "--7", "007", "0", "-0", "5.", ".5", "1.5.5", "1362.0", "1.005", "٣", "\uff17",
    "²",
    "1\u00a0000", "1 000",
    "1'000", "1,000", "1.000", "1.234,56", "1,234.56", "12,34,567", "10:00", "24:00", "23:59:60", "10", "2024-02-30",
    "2024-13-01",
    "10000-01-01", "0000-01-01", "0001-01-01", "9999-12-31", "9999-12-31 23:59:59.9999999", "24-06-01", "2024-6-1",
    "20240601", "010224",
    "202412", "06/01/2024", "1.6.2024", "1.6.24", "01-JUN-24", "1 June 2024", "1 Jun 2024", "01 may 2024",
    "2024-06-01T10Z", "2024-06-01 10:00 +02",
    "2024-03-31 02:30:00", "2024-10-27 02:30:00", "0001-01-01 00:00:00+05", "2024-06-01 10:00:00+24:00",
    "2024-06-01 10:00:00 UTC",
    "06/01/2024 12:05 AM", "06/01/2024 00:05 PM", "true", "TRUE", "t", "yes", "Ja", "nein",
    "8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11",
    "{8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11}", "8a0fc8a66b1e4b0c9d0a6a2f4d1b0e11", "a\0b", "2147483648",
    "-9223372036854775808", "1e400", "1e-400",
    "3.4028235e38", "3.4028236e38", "1.00000005960464477539062501", "16777217.0000000001", "99999999.995", "0.1",
    "1717236000", "1717236000123",
    "-1", "99999999999999999999", "2024-06-01\n", "2024-06-01 ", "\u2007 7", "7\u200b", "\ufeff7",
    "2024\u201106\u201101",
]  # fmt: skip
ALPHABET = "0123456789" * 2 + "+-.,:/ TZeE'_xaAmMpP\u00a0\u202f\0\n\uff17٣ﬀ"


def numbers() -> st.SearchStrategy[str]:
    """Texts like numbers, with marks of any country."""
    grouped = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12)
    marks = st.sampled_from([".,", ",.", ".'", ",\u202f", ". ", ".", ","])

    def marked(value: Decimal, pair: str) -> str:
        text = f"{value:,.2f}".replace(",", "\1").replace(".", "\2")
        return text.replace("\1", pair[1:]).replace("\2", pair[0])

    return st.one_of(
        st.builds(marked, grouped, marks), st.integers(-(2**65), 2**65).map(str), st.floats().map(repr),
        st.floats(width=32).map(repr), st.from_regex(r"[+-]?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?",
        fullmatch=True),
    )  # fmt: skip


def times() -> st.SearchStrategy[str]:
    """Texts like dates and times, as many countries write them."""
    forms = [
        "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S+02:00",
        "%d.%m.%Y", "%d/%m/%Y",
        "%m/%d/%Y %I:%M %p", "%Y%m%d", "%y%m%d", "%d-%b-%y", "%d %B %Y", "%H:%M:%S", "%H:%M", "%Y-%m-%d %H",
        "%d.%m.%Y %H:%M", "%Y%m%d%H%M%S",
    ]  # fmt: skip
    moments = st.one_of(st.datetimes(), st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2024, 12, 31)))
    pieces = [st.integers(0, top) for top in (9999, 13, 32, 25, 60, 60)]
    odd = st.tuples(*pieces).map(lambda p: "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*p))
    written = st.builds(lambda at, form: at.strftime(form).zfill(4), moments, st.sampled_from(forms))
    longer = st.builds(lambda text, digits: f"{text}.{digits}", written, st.from_regex("[0-9]{1,10}", fullmatch=True))
    return st.one_of(written, longer, odd, odd.map(lambda text: text[:10]), odd.map(lambda text: text[11:]))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Texts that are values, and near misses: a character replaced, put in or taken out."""
    text = draw(
        st.one_of(st.sampled_from(WORDS), numbers(), times(), st.text(ALPHABET, max_size=12), st.uuids().map(str))
    )
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *ALPHABET])) + text[at + draw(st.integers(0, 1)) :]
    return text


@st.composite
def columns(draw: st.DrawFn) -> Column:
    """A column of a type, and what is declared of its values."""
    kinds = [
        "smallint", "integer", "bigint", "numeric(10,2)", "numeric(4,4)", "numeric(38,0)", "numeric(38,10)",
        "numeric(40,3)", "numeric",
        "real", "double precision", "boolean", "date", STAMP, STAMPTZ, "timestamp(3) without time zone",
        "timestamp(0) with time zone",
        "time without time zone", "time(2) without time zone", "uuid", "text", "character varying(5)",
    ]  # fmt: skip
    day = st.sampled_from([("iso",), ("%d.%m.%Y",), ("%m/%d/%Y",), ("%Y%m%d",), ("%y%m%d",), ("%d-%b-%y",), ("%d %B %Y",
    ), ("iso", "%d/%m/%Y"),
                           ("%d/%m/%Y", "%m/%d/%Y"), ("%Y-%m-%d %H:%M:%S",)])  # fmt: skip
    stamp = st.sampled_from([("iso",), ("%d.%m.%Y %H:%M",), ("%m/%d/%Y %I:%M %p",), ("%Y%m%d%H%M%S",),
    ("%Y-%m-%dT%H:%M:%S.%f%z", "iso"),
                             ("%Y-%m-%d %H:%M:%S",), ("%d.%m.%Y", "iso")])  # fmt: skip
    decimal, thousands = draw(
        st.sampled_from(
            [(".", None), (".", None), (",", None), (",", "."), (".", ","), (".", "'"), (",", "\u202f"), (".", " ")]
        )
    )
    days, stamps = draw(day), draw(stamp)
    counts = not {"%Y%m%d", "%y%m%d", "%Y%m%d%H%M%S"} & {*days, *stamps}  # else a digit would have two meanings
    meaning = Meaning(
        date_format=days,
        timestamp_format=stamps,
        time_format=draw(st.sampled_from([("iso",), ("%H:%M",), ("%I:%M %p", "iso"), ("%H%M%S",)])),
        time_zone=draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "refuse"])),
        ambiguous_time=draw(st.sampled_from(["refuse", "first", "second"])),
        epoch_unit=draw(st.sampled_from([None, None, None, "s", "ms", "us", "ns", "days"])) if counts else None,
        decimal_mark=decimal,
        thousands_mark=thousands,
        true_values=draw(st.sampled_from([("true",), ("t", "yes", "1"), ("Ja", "x")])),
        false_values=draw(st.sampled_from([("false",), ("f", "no", "0"), ("Nein", "")])),
        special_values=draw(st.sampled_from([None, None, "refuse", "null", "accept"])),
        whole_decimals=draw(st.booleans()),
        extra_digits=draw(st.sampled_from(["refuse", "round"])),
        trim=draw(st.booleans()),
    )
    return Column("v", draw(st.sampled_from(kinds)), meaning)


def expected(text: str, column: Column) -> tuple[bool, Any]:
    """Whether it is a value, and which."""
    try:
        return True, oracle.value(text, column.type, column.meaning)
    except oracle.NoValueError:
        return False, None


def plain(value: Any, column: Column) -> Any:
    """A value to compare: what Arrow keeps as text is a number again, and a NaN equals itself."""
    if isinstance(value, str) and column.type.startswith("numeric"):
        value = Decimal(value)
    is_nan = isinstance(value, (float, Decimal)) and math.isnan(value)
    return "NaN" if is_nan else value


def check(read: list[str], column: Column) -> None:
    """Reading them together gives for each what the oracle says of it alone."""
    found, refused = parse(pa.array(read, pa.string()), column)
    assert found.type == arrow_type(column)
    for position, (text, value) in enumerate(zip(read, found.to_pylist(), strict=True)):
        accepted, right = expected(text, column)
        told = f"{text!r} as {column.type} by {column.meaning}: "
        assert (position not in refused) is accepted, told + (
            f"read as {value!r}" if right is None else f"should be {right!r}"
        )
        assert plain(value, column) == plain(right, column), told + f"{value!r}, and should be {right!r}"
    assert all(reason and "\n" not in reason for reason in refused.values())


@settings(max_examples=600, deadline=None)
@given(st.lists(texts(), min_size=1, max_size=8), columns())
def test_reading_is_pythons_own(read: list[str], column: Column) -> None:
    check(read, column)


@pytest.mark.parametrize("kind", ["integer", "numeric(10,2)", "numeric", "real", "double precision", "date", STAMP,
STAMPTZ, "boolean",
                                  "time without time zone", "uuid"])  # fmt: skip
@settings(max_examples=60, deadline=None)
@given(column=columns())
def test_every_word_in_every_type(column: Column, kind: str) -> None:
    check(WORDS, column._replace(type=kind))


def test_uuids_are_read_all_at_once_and_one_wrong_character_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    column, text = Column("v", "uuid"), "8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11"
    wrong = [text[:at] + one + text[at + 1 :] for at in range(len(text)) for one in "/0:@AFG`afg-\0ß"]
    check([*wrong, *(one[:-1] for one in wrong), "ß" * 18, text + "\n"], column)
    monkeypatch.setattr("journey.loader.values.text.exact", None)  # nobody looks at a single one
    good = pa.array([None, "", text, None, text.upper(), text[::-1]]).slice(2, 3)
    assert parse(good, column)[0].to_pylist() == [uuid.UUID(text).bytes, None, uuid.UUID(text).bytes]
    assert parse(good.slice(0, 0), column)[0].to_pylist() == []


@pytest.mark.parametrize(
    ("digits", "unit", "rounded"), [("(3)", "us", "123"), ("(3)", "ns", "123"), ("(0)", "ms", "0"), ("(3)", "ms", None)]
)
@pytest.mark.parametrize("zone", ["without", "with"])
def test_a_count_is_no_finer_than_its_column(digits: str, unit: str, rounded: str | None, zone: str) -> None:
    count = {"ms": "1717236000123", "us": "1717236000123456", "ns": "1717236000123456789"}[unit]
    kind = f"timestamp{digits} {zone} time zone"
    for rounds in ("refuse", "round"):
        check([count, "1717236000"], Column("v", kind, Meaning(epoch_unit=unit, extra_digits=rounds)))
    values, refused = parse(pa.array([count]), Column("v", kind, Meaning(epoch_unit=unit, extra_digits="round")))
    assert not refused
    if rounded:
        assert values[0].as_py().microsecond == int(rounded) * 1000
        _, refused = parse(pa.array([count]), Column("v", kind, Meaning(epoch_unit=unit)))
        assert refused == {0: f"`{count}` has digits that {kind} doesn't keep (extra_digits: round)"}


@pytest.mark.parametrize(
    ("option", "form", "told"),
    [
        ("date_format", "%d-%b-%Y (%m)", "has %m and %b, which may say two things"),
        ("date_format", "%Y-%m-%d %y", "has %Y and %y, which may say two things"),
        ("timestamp_format", "%Y-%m-%d %H:%M (%I %p)", "has %H and %I, which may say two things"),
        ("date_format", "%Y-%m-%dT%H:%M:%S%z", "has %z, and a date has no zone: declare timestamptz"),
        ("time_format", "%H:%M%z", "has %z, and a time has no zone"),
    ],
)
def test_a_pattern_says_each_part_once_and_none_that_would_be_lost(option: str, form: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"external.options.{option}: {form!r} {told}")):
        meanings({option: form}, {})


@settings(max_examples=150, deadline=None)
@given(st.lists(texts(), min_size=1, max_size=6), columns(), st.integers(0, 5))
@example(["1712101231", "x", "5"], Column("v", STAMPTZ, Meaning(epoch_unit="s")), 0)
def test_a_text_is_read_alone_as_among_others(read: list[str], column: Column, chosen: int) -> None:
    text = read[chosen % len(read)]
    alone, refused_alone = parse(pa.array([text], pa.string()), column)
    for others in (read, [*read * 40, text], [*WORDS, text], [None, text, None]):
        found, refused = parse(pa.array([*others, text], pa.string()), column)
        last = len(found) - 1
        assert plain(found[last].as_py(), column) == plain(alone[0].as_py(), column)
        assert refused.get(last) == refused_alone.get(0)


def test_slices_are_read_as_whole_arrays() -> None:
    """Arrow's parts of others begin somewhere within the buffers of the whole."""
    for column in (Column("v", "integer"), Column("v", "text"), Column("v", "date"), Column("v", "boolean")):
        whole = pa.array(["a\0b", "7", None, "2024-06-01", "x", "true", "7", "a\0b"], pa.string())
        for begin in range(8):
            part = whole.slice(begin, 8 - begin)
            assert parse(part, column)[1] == parse(pa.array(part.to_pylist(), pa.string()), column)[1]
            assert (
                parse(part, column)[0].to_pylist()
                == parse(pa.array(part.to_pylist(), pa.string()), column)[0].to_pylist()
            )


@pytest.mark.parametrize(
    ("text", "meaning", "told"),
    [
        ("1.028,51", {}, "decimal_mark is ',', thousands_mark none: thousands_mark '.' would read 1028.51"),
        ("-1.028.051", {}, "decimal_mark is ',', thousands_mark none: thousands_mark '.' would read -1028051"),
        ("10.28,51", {}, "'.' stands in it, and decimal_mark is ',', thousands_mark none"),
        ("1.5", {}, "'.' stands in it, and decimal_mark is ',', thousands_mark none"),
        ("1.028,51", {"thousands_mark": "'"}, "'.' stands in it, and decimal_mark is ',', thousands_mark \"'\""),
        ("1'028,51", {}, "decimal_mark and thousands_mark say how numbers are written"),
        ("1.028,51", {"decimal_mark": "."}, "decimal_mark and thousands_mark say how numbers are written"),
    ],
)
def test_a_refused_number_names_the_mark_that_would_read_it(text: str, meaning: dict[str, Any], told: str) -> None:
    column = Column("amount", "numeric(14,2)", Meaning(**{"decimal_mark": ",", **meaning}))
    [why] = parse(pa.array([text]), column)[1].values()
    assert why.endswith(told), why
