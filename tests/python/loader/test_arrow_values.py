"""A file's typed values become a column's, each by itself: what the table allows, exactly, and nothing else."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.loader.values.arrow import RULES, convert
from journey.loader.values.kinds import arrow_type
from loader.typed_files import column

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1)
MONEY = "numeric(12,2)"
STAMP, ZONED = "timestamp without time zone", "timestamp with time zone"
TYPES = (
    "smallint", "integer", "bigint", "real", "double precision", MONEY, "numeric(38,0)", "numeric(38,38)", "numeric",
    "numeric(50,10)", "numeric(4,-2)", "boolean", "date", STAMP, ZONED, "timestamp(3) without time zone",
    "timestamp(0) with time zone", "time without time zone", "time(0) without time zone", "time with time zone", "text",
    "character(3)", "character varying(5)", "json", "jsonb", "bytea", "uuid", "interval", "inet", "integer[]", "text[]",
    "timestamp with time zone[]", "numeric(12,2)[]", "uuid[]", "bytea[]", "boolean[]", "date[]", "double precision[]",
)  # fmt: skip


def one(value: Any, kind: str, given_type: pa.DataType | None = None, **meaning: Any) -> Any:
    """What becomes of one value; a refusal's reason in a list."""
    array = value if isinstance(value, pa.Array) else pa.array([value], given_type)
    result, refused = convert(array, column(kind, **meaning))
    assert result.type == arrow_type(column(kind, **meaning))
    return [refused[0]] if refused else result[0].as_py()


def is_refused(answer: Any, *words: str) -> bool:
    """Whether it is a refusal whose reason has these words."""
    return isinstance(answer, list) and all(word in answer[0] for word in words)


NUMBERS = [
    (5, "smallint", pa.int64(), 5), (2**15, "smallint", pa.int64(), None), (-(2**15), "smallint", pa.int64(), -(2**15)),
    (2**63, "bigint", pa.uint64(), None), (5, MONEY, pa.int64(), Decimal("5.00")), (10**10, MONEY, pa.int64(), None),
    (0.1, MONEY, pa.float64(), Decimal("0.10")), (0.1, MONEY, pa.float32(), Decimal("0.10")),
    (12.345, MONEY, pa.float64(), None), (0.1 + 0.2, MONEY, pa.float64(), None),
    (1e12, MONEY, pa.float64(), None), (123456789.25, MONEY, pa.float64(), Decimal("123456789.25")),
    (Decimal("1.10"), MONEY, None, Decimal("1.10")), (Decimal("1.105"), MONEY, None, None),
    (Decimal("1.100"), MONEY, None, Decimal("1.10")), (Decimal("12345678901"), MONEY, None, None),
    (1362.0, "integer", pa.float64(), None), (Decimal("1362.00"), "integer", None, None),
    (Decimal(1362), "integer", pa.decimal128(38, 0), 1362), (Decimal(2**31), "integer", pa.decimal128(38, 0), None),
    (2**53 + 1, "double precision", pa.int64(), float(2**53)), (1e300, "real", pa.float64(), None),
    (1e-300, "real", pa.float64(), None), (Decimal("0.1"), "double precision", None, 0.1),
    (0.1, "numeric", pa.float64(), "0.1"), (Decimal("1.10"), "numeric", None, "1.10"), (7, "numeric", pa.int8(), "7"),
    (Decimal("1E-10"), "text", pa.decimal128(38, 10), "0.0000000001"), (True, "integer", None, None),
    (True, "numeric", None, None), (True, "text", None, "true"), (1, "boolean", pa.int8(), None),
    (5, "interval", pa.int64(), None), (5, "bytea", pa.int64(), None), (5, "uuid", pa.int64(), None),
    (1234, "character varying(3)", pa.int64(), None), (5, "inet", pa.int64(), "5"), (5, "jsonb", pa.int64(), "5"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "given_type", "expected"), NUMBERS)
def test_a_number_is_that_number_or_refused(value: Any, kind: str, given_type: pa.DataType, expected: Any) -> None:
    answer = one(value, kind, given_type)
    assert is_refused(answer) if expected is None else answer == expected


def test_what_is_declared_of_digits_and_special_values() -> None:
    assert one(1362.0, "integer", whole_decimals=True) == 1362
    assert one(Decimal("1362.00"), "integer", whole_decimals=True) == 1362
    assert is_refused(one(1362.5, "integer", whole_decimals=True), "whole")
    assert is_refused(one(2.0**31, "integer", whole_decimals=True), "out of range")
    assert one(0.1 + 0.2, MONEY, extra_digits="round") == Decimal("0.30")
    assert one(0.125, MONEY, extra_digits="round") == Decimal("0.13")
    assert one(-0.125, MONEY, extra_digits="round") == Decimal("-0.13")
    assert one(Decimal("1.105"), MONEY, extra_digits="round") == Decimal("1.11")
    assert is_refused(one(Decimal("9999999999.995"), MONEY, extra_digits="round"), "out of range")
    for odd in (float("nan"), float("inf"), -float("inf")):
        assert is_refused(one(odd, MONEY), "special_values")
        assert is_refused(one(odd, "integer", whole_decimals=True), "special_values")
        assert one(odd, MONEY, special_values="null") is None
        assert str(one(odd, "double precision")) == str(odd)
        assert is_refused(one(odd, "double precision", special_values="refuse"), "special_values")
    assert one(float("nan"), MONEY, special_values="accept") == "NaN"
    assert one(-float("inf"), "numeric", special_values="accept") == "-Infinity"
    assert one(float("nan"), "text") == "NaN"
    assert is_refused(one(float("nan"), "text", special_values="refuse"))


def test_no_number_is_a_time_and_no_time_a_number_unless_its_unit_is_declared() -> None:
    for kind in ("date", STAMP, ZONED):
        assert is_refused(one(1717236000, kind), "epoch_unit")
        assert is_refused(one(1717236000.0, kind), "epoch_unit")
    for value, kind in product((date(2024, 6, 1), datetime(2024, 6, 1)), ("integer", "bigint", MONEY)):
        assert is_refused(one(value, kind), "epoch_unit")
    assert is_refused(one(5, "time without time zone"))
    assert is_refused(one(date(2024, 6, 1), "double precision", epoch_unit="days"))
    assert one(1717236000, ZONED, epoch_unit="s") == datetime(2024, 6, 1, 10, tzinfo=UTC)
    assert one(1717236000123, STAMP, epoch_unit="ms") == datetime(2024, 6, 1, 10, 0, 0, 123000)
    assert one(19875, "date", epoch_unit="days") == date(2024, 6, 1)
    assert one(1717200000, "date", epoch_unit="s") == date(2024, 6, 1)
    assert is_refused(one(1717200001, "date", epoch_unit="s"), "time of day")
    assert is_refused(one(10**15, ZONED, epoch_unit="s"), "out of range")
    assert is_refused(one(1, STAMP, epoch_unit="ns"), "extra_digits")
    assert one(date(2024, 6, 1), "integer", epoch_unit="days") == 19875
    assert one(datetime(2024, 6, 1, 10), "bigint", epoch_unit="ms") == 1717236000000
    assert is_refused(one(datetime(2024, 6, 1, 10), "integer", epoch_unit="ms"), "out of range")
    assert is_refused(one(datetime(2024, 6, 1, 10, 0, 0, 1), "bigint", epoch_unit="s"), "whole")


def test_dates_and_timestamps() -> None:
    assert one(date(2024, 6, 1), STAMP) == datetime(2024, 6, 1)
    assert one(date(2024, 6, 1), ZONED, time_zone="Europe/Berlin") == datetime(2024, 5, 31, 22, tzinfo=UTC)
    assert one(datetime(2024, 6, 1), "date") == date(2024, 6, 1)
    assert is_refused(one(datetime(2024, 6, 1, 1), "date"), "time of day")
    moment = datetime(2024, 6, 1, 10, tzinfo=UTC)
    assert one(moment, ZONED) == moment
    assert is_refused(one(moment, STAMP), "timestamptz")
    assert is_refused(one(moment, "date"))
    assert one(moment, "text") == "2024-06-01T10:00:00Z"
    assert one(datetime(2024, 6, 1, 10, 0, 0, 120000), "text") == "2024-06-01T10:00:00.12"
    assert one(datetime(2024, 6, 1, 10), ZONED) == moment
    assert is_refused(one(datetime(2024, 6, 1, 10), ZONED, time_zone="refuse"), "time_zone")
    assert one(datetime(9999, 12, 31), STAMP, pa.timestamp("us")) == datetime(9999, 12, 31)
    assert is_refused(one(datetime(2024, 6, 1, 10, 0, 0, 1), "timestamp(3) without time zone"), "extra_digits")
    assert one(pa.array([1500], pa.timestamp("ns")), STAMP, extra_digits="round") == datetime(1970, 1, 1, 0, 0, 0, 2)
    assert is_refused(one(pa.array([1500], pa.timestamp("ns")), STAMP), "extra_digits")
    assert one(time(10, 30), "time without time zone", pa.time64("ns")) == time(10, 30)
    assert one(time(10, 30), "text") == "10:30:00"
    assert is_refused(one(pa.array([86400], pa.int32()).view(pa.time32("s")), "time without time zone"), "range")


@pytest.mark.parametrize("days", [-719_163, -(2**31), 2_145_042_906])
def test_a_date_that_postgresql_has_not_is_refused(days: int) -> None:
    assert is_refused(one(pa.array([days], pa.int32()).view(pa.date32()), "date"), "out of range")
    assert is_refused(one(pa.array([days], pa.int32()).view(pa.date32()), STAMP), "out of range")


def test_the_last_dates_that_postgresql_has() -> None:
    last = pa.array([2_145_042_905], pa.int32()).view(pa.date32())
    assert convert(last, column("date")) == (last, {})
    year_zero = pa.array([-62_135_596_801], pa.timestamp("s"))
    assert is_refused(one(year_zero, STAMP), "out of range")
    assert is_refused(one(year_zero, ZONED), "out of range")
    for second in (2**63 - 1, -(2**63)):
        assert is_refused(one(pa.array([second], pa.int64()).view(pa.timestamp("s")), ZONED), "out of range")


@pytest.mark.parametrize(
    ("local", "wanted"),
    [("2024-03-31T02:30", "doesn't exist"), ("2024-10-27T02:30", "ambiguous_time"), ("10000-01-01", "range")],
)
def test_a_local_time_that_is_no_moment_is_refused(local: str, wanted: str) -> None:
    array = pa.array(np.array([local, "1970-01-01"], "M8[us]"))
    result, refused = convert(array, column(ZONED, time_zone="Europe/Berlin"))
    assert wanted in refused[0]
    assert result[1].as_py() == datetime(1969, 12, 31, 23, tzinfo=UTC)


def test_texts_follow_the_rules_for_texts() -> None:
    assert one("2024-06-01", "date") == date(2024, 6, 1)
    assert is_refused(one("03/02/2024", "date"), "date_format")
    assert one("03/02/2024", "date", date_format=("%d/%m/%Y",)) == date(2024, 2, 3)
    assert is_refused(one("1717236000", ZONED), "timestamp_format")
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        assert one(pa.array(["5"], pa.string()).cast(kind), "integer") == 5
    assert one("", "text") == ""
    assert one("", "integer") is None
    assert one("NA", "text", null_values=("NA",)) is None
    assert is_refused(one("abcd", "character varying(3)"), "longer")
    assert is_refused(one("a\0", "text"), "NUL")
    broken = pa.array([b"\xff", b"ok"]).view(pa.string())
    assert convert(broken, column("text")) == (pa.array([None, "ok"]), {0: "a text isn't UTF-8"})


def test_bytes_and_uuids_are_what_they_are() -> None:
    number = uuid.UUID("65132700-269e-4d37-b2a7-4de452e6b438")
    for raw in (number.bytes, bytes(16), b"0123456789abcdef", b"\xff" * 16):
        fixed = pa.array([raw], pa.binary(16))
        assert one(fixed, "uuid") == raw
        assert one(pa.ExtensionArray.from_storage(pa.uuid(), fixed), "uuid") == raw
        assert one(pa.ExtensionArray.from_storage(pa.uuid(), fixed), "text") == str(uuid.UUID(bytes=raw))
        assert one(fixed, "bytea") == raw
    assert is_refused(one(b"x" * 16, "uuid"))
    assert is_refused(one(pa.array([b"x" * 15], pa.binary(15)), "uuid"))
    assert one(b"\xc3\xa9", "text") == "é"
    assert is_refused(one(b"\xff", "text"), "UTF-8")
    assert is_refused(one(b"a\0", "text"), "NUL")
    assert one(b"\xff\0", "bytea") == b"\xff\0"


def test_nested_values_are_json_as_postgresql_writes_it() -> None:
    value = {"n": [1, None], "d": Decimal("1.10"), "t": 'q"\n\u0001é', "at": datetime(2024, 6, 1, 10), "b": b"\xff",
             "f": 0.1, "u": True, "on": date(2024, 6, 1)}  # fmt: skip
    expected = ('{"n":[1,null],"d":1.10,"t":"q\\"\\n\\u0001é","at":"2024-06-01T10:00:00","b":"\\\\xff","f":0.1,'
                '"u":true,"on":"2024-06-01"}')  # fmt: skip
    for kind in ("json", "jsonb", "text"):
        assert one(value, kind) == expected
    tags = pa.array([[("colour", "red"), ("size", "M")], [], None], pa.map_(pa.string(), pa.string()))
    assert convert(tags, column("jsonb"))[0].to_pylist() == ['{"colour":"red","size":"M"}', "{}", None]
    assert (
        one(pa.array([[(5, {"a": None})]], pa.map_(pa.int8(), pa.struct({"a": pa.int8()}))), "jsonb")
        == '{"5":{"a":null}}'
    )
    assert is_refused(one(value, "integer"))
    assert is_refused(one([1], "bytea"))


def test_nan_and_broken_texts_within_a_value_refuse_that_value_alone() -> None:
    lists = pa.array([[1.0, float("nan")], [2.5], None, [], [float("inf")]])
    result, refused = convert(lists, column("jsonb"))
    assert result.to_pylist() == [None, "[2.5]", None, "[]", None]
    assert sorted(refused) == [0, 4]
    assert "special_values" in refused[0]
    assert one([1.5, float("nan")], "jsonb", special_values="null") == "[1.5,null]"
    assert one([1.5, float("nan")], "jsonb", special_values="accept") == '[1.5,"NaN"]'
    broken = pa.StructArray.from_arrays([pa.array([b"\xff", b"ok"]).view(pa.string())], ["t"])
    result, refused = convert(broken, column("jsonb"))
    assert result.to_pylist() == [None, '{"t":"ok"}']
    assert list(refused) == [0]


def test_lists_are_arrays_whose_elements_are_strictly_read() -> None:
    assert one([1, None], "integer[]") == '{"1",NULL}'
    assert one(['a"\\', "NULL", ""], "text[]") == '{"a\\"\\\\","NULL",""}'
    assert one([], "text[]", pa.list_(pa.string())) == "{}"
    assert one([[1, 2], [3, 4]], "integer[]") == '{{"1","2"},{"3","4"}}'
    assert one([True], "boolean[]") == '{"true"}'
    assert is_refused(one([2**31], "integer[]"), "out of range")
    assert is_refused(one([5], "date[]"), "epoch_unit")
    assert is_refused(one([float("nan")], "numeric(12,2)[]"), "special_values")
    assert is_refused(one([[1], None], "integer[]"))
    result, refused = convert(pa.array([[1], [2**40], None, [3]]), column("integer[]"))
    assert (result.to_pylist(), list(refused)) == (['{"1"}', None, None, '{"3"}'], [1])


def test_durations_are_intervals() -> None:
    assert one(timedelta(seconds=-1.5), "interval") == "PT-1.5S"
    assert one(timedelta(days=2), "text") == "PT172800S"
    assert is_refused(one(timedelta(days=2), "integer"))
    assert is_refused(one(pa.array([1], pa.duration("ns")), "interval"), "extra_digits")


def test_a_dictionarys_unused_values_are_nobodys_fault() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, None, 0, 2]), pa.array(["5", "x", "y"]))
    result, refused = convert(array, column("integer"))
    assert (result.to_pylist(), list(refused)) == ([5, None, 5, None], [3])


def _every_kind_of_array() -> list[pa.Array]:
    arrays = [pa.array([True, None]), pa.nulls(3), pa.array([0, 1, 2**63 - 1, -(2**63), None])]
    arrays += [pa.array([0, 255, None], pa.uint8()), pa.array([0, 2**64 - 1], pa.uint64())]
    floats = [0.0, -0.0, 1.5, float("nan"), float("inf"), 1e308, 5e-324, 2.0**63, -(2.0**63), None]
    arrays += [pa.array(floats), pa.array(floats).cast(pa.float32(), safe=False), pa.array(np.array([1.5], "f2"))]
    for kind in (pa.decimal128(5, 2), pa.decimal128(38, 0), pa.decimal128(38, 38), pa.decimal128(10, -2),
                 pa.decimal256(76, 0), pa.decimal256(76, 76), pa.decimal32(5, 2), pa.decimal64(15, 3)):  # fmt: skip
        most = Decimal(10**kind.precision - 1).scaleb(-kind.scale, Context(prec=80))
        arrays.append(pa.array([Decimal(0), most, most.copy_negate(), None], kind))
    for kind in (pa.date32(), pa.time32("s"), pa.time32("ms")):
        arrays.append(pa.array([0, -1, 86_400, 2**31 - 1, -(2**31), None], pa.int32()).view(kind))
    wide = [pa.date64(), pa.time64("us"), pa.time64("ns")]
    wide += [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Tokyo")]
    wide += [pa.duration(unit) for unit in ("s", "ms", "us", "ns")]
    arrays += [pa.array([0, -1, 86_400, 2**63 - 1, -(2**63), None], pa.int64()).view(kind) for kind in wide]
    arrays.append(pa.array([(1, 2, 3000), (0, -1, 1), None], pa.month_day_nano_interval()))
    texts = pa.array(["1", "", "2024-01-01", "a\0b", "x" * 50, None, '\u0001"\\'])
    arrays += [texts, texts.cast(pa.large_string()), texts.cast(pa.string_view()), texts.dictionary_encode()]
    arrays += [
        pa.array([b"\xff", b"ok", None, b"\0"], kind) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())
    ]
    arrays += [arrays[-3].view(pa.string()), pa.array([b"\xff" * 16, bytes(16), None], pa.binary(16))]
    arrays += [pa.ExtensionArray.from_storage(pa.uuid(), arrays[-1]), pc.run_end_encode(pa.array([1, 1, None]))]
    nested = [
        pa.array([[1], None, [2, 3]], pa.list_view(pa.int64())),
        pa.array([[1, 2], None], pa.list_(pa.int64(), 2)),
    ]
    nested += [pa.array([[], None], pa.large_list(pa.null())), pa.array([{}, None], pa.struct([]))]
    for array in arrays:
        half = len(array) // 2
        lists = pa.ListArray.from_arrays([0, half, half, len(array)], array)
        nested += [lists, pa.ListArray.from_arrays([0, 1, 1, 3], lists), pa.StructArray.from_arrays([array], ["x"])]
    whole = arrays + nested
    return whole + [array.slice(1) for array in whole] + [array.slice(0, 0) for array in whole]


@pytest.mark.parametrize("kind", TYPES)
def test_no_kind_of_value_ends_a_file(kind: str) -> None:
    meanings: list[dict[str, Any]] = [
        {}, {"whole_decimals": True, "extra_digits": "round", "special_values": "accept", "epoch_unit": "s",
             "time_zone": "Europe/Berlin"}, {"special_values": "null", "epoch_unit": "days", "trim": True},
    ]  # fmt: skip
    for array, meaning in product(_every_kind_of_array(), meanings):
        wanted = column(kind, **meaning)
        result, refused = convert(array, wanted)
        assert result.type == arrow_type(wanted)
        assert len(result) == len(array)
        result.validate(full=True)
        assert not any(result[position].is_valid for position in refused)


def test_every_rule_is_for_a_kind_that_is_there() -> None:
    names = {name for rules in RULES.values() for name in rules}
    assert names == {"integer", "float", "numeric", "boolean", "date", "timestamp", "timestamptz", "time", "timetz",
                     "text", "json", "other", "bytea", "uuid", "interval", "array"}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.decimals(-10**11, 10**11, places=3).map(float), st.none()), max_size=30),
       st.sampled_from(["refuse", "round"]), st.sampled_from([(12, 2), (38, 20), (5, 5), (18, 0)]))  # fmt: skip
def test_a_float_is_its_shortest_decimal(values: list[float | None], extra: str, bounds: tuple[int, int]) -> None:
    precision, scale = bounds
    result, refused = convert(
        pa.array(values, pa.float64()), column(f"numeric({precision},{scale})", extra_digits=extra)
    )
    for position, value in enumerate(values):
        if value is None:
            assert position not in refused
            continue
        expected = _fitted(Decimal(repr(value)), precision, scale, extra)
        assert result[position].as_py() == expected
        assert (position in refused) == (expected is None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(-10**14, 10**14, places=4), min_size=1, max_size=30),
       st.sampled_from(["refuse", "round"]), st.sampled_from([(12, 2), (38, 4), (16, 0)]))  # fmt: skip
def test_a_decimal_is_that_decimal(values: list[Decimal], extra: str, bounds: tuple[int, int]) -> None:
    precision, scale = bounds
    wanted = column(f"numeric({precision},{scale})", extra_digits=extra)
    expected = [_fitted(value, precision, scale, extra) for value in values]
    for kind in (pa.decimal128(20, 4), pa.decimal256(40, 4)):
        result, refused = convert(pa.array(values, kind), wanted)
        assert result.to_pylist() == expected
        assert sorted(refused) == [position for position, value in enumerate(expected) if value is None]


def _fitted(value: Decimal, precision: int, scale: int, extra: str) -> Decimal | None:
    if not value.is_finite():
        return None
    kept = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, Context(prec=400))
    if (kept != value and extra == "refuse") or abs(kept) >= 10 ** (precision - scale):
        return None
    return kept


TIMES = st.one_of(st.datetimes(), st.datetimes(datetime(2020, 1, 1), datetime(2050, 1, 1)))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@settings(max_examples=150, deadline=None)
@given(st.lists(TIMES, max_size=30), ZONES,
       st.sampled_from(["refuse", "first", "second"]))  # fmt: skip
def test_a_local_time_is_the_moment_that_python_says(values: list[datetime], name: str, twice: str) -> None:
    zone = ZoneInfo(name)
    result, refused = convert(pa.array(values, pa.timestamp("us")), column(ZONED, time_zone=name, ambiguous_time=twice))
    for position, value in enumerate(values):
        moments = [value.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        if moments[0].utcoffset() != moments[1].utcoffset():
            exists = (EPOCH.replace(tzinfo=UTC) + _since(moments[0])).astimezone(zone).replace(tzinfo=None) == value
            moments = moments if exists and twice != "refuse" else []
        if position in refused:
            outside = any(_is_outside(moment) for moment in moments)
            assert not moments or outside
            continue
        chosen = moments[1 if twice == "second" else 0]
        assert EPOCH.replace(tzinfo=UTC) + timedelta(microseconds=result.cast(pa.int64())[position].as_py()) == (
            EPOCH.replace(tzinfo=UTC) + _since(chosen)
        )


def _since(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None
    return moment.replace(tzinfo=None) - EPOCH - offset


def _is_outside(moment: datetime) -> bool:
    """Whether it is before the year 1 or after 9999 in UTC."""
    try:
        return (EPOCH + _since(moment)) is None
    except OverflowError:
        return True


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20), st.sampled_from(["s", "ms", "us", "ns", "days"]))
def test_a_count_is_the_moment_that_python_says(values: list[int], unit: str) -> None:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    result, refused = convert(pa.array(values, pa.int64()), column(ZONED, epoch_unit=unit))
    micros = result.cast(pa.int64()).to_pylist()
    for position, value in enumerate(values):
        exact = Decimal(value) * 86_400_000_000 if unit == "days" else Decimal(value) * 10**6 / per_second[unit]
        if position in refused:
            assert exact != int(exact) or not -62_135_596_800 * 10**6 <= exact <= 9_223_370_000_000_000_000
        else:
            assert micros[position] == exact
