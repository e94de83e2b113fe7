"""JSON: whichever way a record takes, alone or among others, it gives what an exact reading of the same text gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from journey.loader.formats.jsontext import blocks, buffer
from journey.loader.values.meaning import Column, Meaning
from loader.json_files import COLUMNS, DECLARED, read
from loader.json_reference import EITHER, array_text, expected, is_half, same


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


digits = st.text("0123456789", min_size=1, max_size=20)
numbers = st.one_of(
    st.integers(-(10**4), 10**4).map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(
        words("0 -0 00 01 -01 +1 1. .5 -.5 1.5 1.50 1.505 0.10 -0.99 9999.99 10000.00 1e2 1E-2 1e400 1.5e1 -")
    ),
    st.sampled_from(
        words("2147483647 2147483648 -2147483648 -2147483649 9223372036854775807 9223372036854775808 12345678")
    ),
    st.sampled_from(words("123456789 999999999999999999 1000000000000000000 1_0 0x1F NaN Infinity -Infinity nul")),
    st.tuples(digits, st.sampled_from([".", ",", "", "e", "-"]), digits).map("".join),
)
stamps = st.builds(
    "{:04}-{:02}-{:02}{}{}{}".format,
    st.one_of(st.integers(1999, 2025), st.sampled_from([0, 1, 999, 1000, 2999, 3000, 9999])),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from(["", "T", " ", "t"]),
    st.one_of(
        st.sampled_from(["", "10:00", "10", "24:00:00"]),
        st.builds("{:02}:{:02}:{:02}".format, st.integers(0, 25), st.integers(0, 60), st.integers(0, 60)),
    ),
    st.sampled_from(
        ["", " +02", *words("Z z .5 .123 .123Z .1234 .123456 .123456Z .1234567 .Z +02:00 -0330 +24:00 .500+01:00")]
    ),
)
texts = st.one_of(
    numbers,
    stamps,
    st.sampled_from(["", " 1", "1 ", *words("true TRUE false null abc abcd inf {1,2} 2024-02-29 2023-02-29")]),
    st.text(st.characters(exclude_categories=[]), max_size=6).filter(lambda one: not is_half(one)),
)


def as_string(text: str) -> st.SearchStrategy[str]:
    """A JSON string in one of its spellings, perhaps of a wrong one."""
    raw = '"' + text.replace("\\", "").replace('"', "") + '"'
    return st.sampled_from([json.dumps(text), json.dumps(text, ensure_ascii=False), raw])


ODD = words(
    r'"\"" "\\" "\\\"" "a\":1,\"b" "\ud83d\ude00" "\ud83d" "\udc00x" "\u0000" "\u00e9" "\x" "\u12" "ab"c" "" "\" '
    r'"2024-06-01T10:00\u003a00Z" "},{" "\\\\":"'
)
strings = st.one_of(texts.flatmap(as_string), st.sampled_from([*ODD, '"a\tb"', '"{", "']))
nested = st.recursive(
    st.one_of(st.sampled_from(["1", "1.10", "null", "true", '"x"', r'"\u0000"', r'"\ud800"', "NaN", "01"]), strings),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: "[" + ", ".join(parts) + "]"),
        st.lists(st.tuples(st.sampled_from(["a", "b"]), inner), max_size=2).map(
            lambda parts: "{" + ",".join(f'"{key}": {one}' for key, one in parts) + "}"
        ),
    ),
    max_leaves=4,
)
values = st.one_of(numbers, numbers, strings, strings, st.sampled_from(["null", "true", "nul", "True", ""]), nested)
names = list(DECLARED)
spellings = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",\t", ":")])


@st.composite
def records(draw: st.DrawFn) -> list[str]:
    """Records that mostly have one shape, and mostly good values."""
    kept = draw(st.permutations(names))[: draw(st.integers(1, 5))]
    comma, colon = draw(spellings)
    good = {name: draw(values) for name in kept}
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        found = {**good, **draw(st.dictionaries(st.sampled_from(kept), values, max_size=2))}
        if draw(st.integers(0, 5)) == 0:
            found.pop(draw(st.sampled_from(kept)))
        line = "{" + comma.join(f'"{name}"{colon}{value}' for name, value in found.items()) + "}"
        if draw(st.integers(0, 4)) == 0:
            at = draw(st.integers(0, len(line)))
            put = draw(st.sampled_from(["", '"', "\\", ",", "}", "{", " ", "\r", "\x01", '":', "é", "[", '","i":']))
            line = line[:at] + put + line[at + draw(st.integers(0, 2)) :]
        lines.append(line.replace("\n", " ").lstrip("["))
    return lines


@given(records(), st.sampled_from([1, 7, 2**18]))
@settings(max_examples=400, deadline=None)
@example(['{"t":"x\\","i":1}', '{"t":"y""","i":2}'], 1)
@example(['{"i":1,"t":"a"}', '{"i":1,"t":"a"}}', '{"i":1,"i":2}', '{"i":1 ,"t":"a"}'], 1)
@example(['{"t":"}', '{"t":"a"b"}', '{"t":"x"}'], 1)
def test_a_record_is_read_exactly_and_alike_alone_and_among_others(lines: list[str], size: int) -> None:
    alone: dict[int, Any] = {}
    for number, line in enumerate(lines, 2):  # behind a first one that makes the file JSON
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "FEW", 10**9)
            outcome = read(f"{{}}\n{line}", unknown="ignore").by_line
        alone[1] = outcome.pop(1)
        alone.update((number, found) for found in outcome.values())
        if number not in alone:
            continue
        wanted, found = expected(line.encode(), COLUMNS), alone[number]
        if wanted is not None and any(one is EITHER or "{object}" in array_text(one) for one in wanted):
            continue  # the reference has no text for it
        if wanted is None:
            assert len(found) == 2, (line, found)
            assert isinstance(found[1], str), (line, found)
        else:
            assert len(found) == len(COLUMNS), (line, found)
            for column, one, other in zip(COLUMNS, found, wanted, strict=True):
                assert same(column, one, other), (line, column, one, other)
    together = "\n".join(["{}", *lines])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FEW", 1)
        assert repr(read(together, size=size, unknown="ignore").by_line) == repr(alone), together
        patch.setattr(buffer, "BLOCK_BYTES", 64)
        assert repr(read(together, size=size, unknown="ignore").by_line) == repr(alone), together


meant = st.builds(
    Meaning,
    date_format=st.sampled_from([("iso",), ("%d.%m.%Y",)]),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "refuse"]),
    epoch_unit=st.sampled_from([None, None, "s", "ms", "days"]),
    decimal_mark=st.sampled_from([".", ","]),
    null_values=st.sampled_from([("",), ("0", "abc"), ("null", "", "1.5")]),
    quoted_nulls=st.booleans(),
    special_values=st.sampled_from([None, "refuse", "accept", "null"]),
    whole_decimals=st.booleans(),
    extra_digits=st.sampled_from(["refuse", "round"]),
    trim=st.booleans(),
)


@given(records(), meant)
@settings(max_examples=300, deadline=None)
def test_whatever_is_declared_records_are_read_alike_alone_and_among_others(lines: list[str], meaning: Meaning) -> None:
    columns = [Column(name, kind, meaning) for name, kind in DECLARED.items()]
    alone: dict[int, Any] = {}
    for number, line in enumerate(lines, 2):
        outcome = read(f"{{}}\n{line}", columns, unknown="ignore").by_line
        alone[1] = outcome.pop(1)
        alone.update((number, found) for found in outcome.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FEW", 1)
        assert repr(read("\n".join(["{}", *lines]), columns, unknown="ignore").by_line) == repr(alone)


@st.composite
def near_stamps(draw: st.DrawFn) -> str:
    """A good date or time, or one with a part that is a little wrong."""
    parts = draw(
        st.sampled_from(
            [
                ["2024", "-", "06", "-", "01"],
                ["2023", "-", "12", "-", "31", "T", "23", ":", "59", ":", "59", "Z"],
                ["1999", "-", "01", "-", "30", " ", "00", ":", "00", ":", "00"],
                ["2024", "-", "02", "-", "29", "T", "10", ":", "20", ":", "30", ".", "123", "Z"],
                ["2024", "-", "02", "-", "28", "T", "10", ":", "20", ":", "30", ".", "123456", ""],
            ]
        )
    )
    wrong = words("00 01 13 24 29 30 31 32 60 99 0000 0999 1000 2999 3000 - : . Z T 1 1234 1234567 12345678 +01:00 a")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(parts) - 1))
        parts = [*parts[:at], draw(st.sampled_from(["", *wrong])), *parts[at + 1 :]]
    return f'"{"".join(parts)}"'


@pytest.mark.parametrize("kind", [kind for kind in DECLARED.values() if kind not in ("jsonb", "integer[]")])
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_many_values_at_once_are_what_each_is_alone(kind: str, data: st.DataObject) -> None:
    is_time = kind.startswith(("date", "timestamp"))
    several = st.one_of(near_stamps()) if is_time else st.one_of(numbers, numbers.map('"{}"'.format))
    found = data.draw(st.lists(several, min_size=20, max_size=60))
    lines, columns = "\n".join(f'{{"v":{raw}}}' for raw in found), [Column("v", kind)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FEW", 1)
        together = read(lines, columns)
        patch.setattr(blocks, "FEW", 10**9)
        assert repr(together.by_line) == repr(read(lines, columns).by_line)
