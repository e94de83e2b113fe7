"""What is declared of a column's values: its type, and how texts and numbers of a file are read as that type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from journey.loader.declaration.options import flag, listed, make, names, one_of, option, texts

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # of numbers that count from 1970, to a second
DIRECTIVES = {
    "Y": r"(?P<Y>[0-9]{4})", "m": r"(?P<m>[0-9]{1,2})", "d": r"(?P<d>[0-9]{1,2})", "H": r"(?P<H>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{2})", "S": r"(?P<S>[0-9]{2})", "f": r"(?P<f>[0-9]{1,9})", "y": r"(?P<y>[0-9]{2})",
    "b": r"(?P<b>[A-Za-z]{3})", "B": r"(?P<B>[A-Za-z]{3,9})", "I": r"(?P<I>[0-9]{1,2})", "p": r"(?P<p>[AaPp][Mm])",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})", "%": "%",
}  # fmt: skip
ONCE = ("Yy", "mbB", "HI")  # parts that a pattern says in one way
WHOLE = {"date_format": ("Yy", "mbB", "d"), "timestamp_format": ("Yy", "mbB", "d"), "time_format": ("HI",)}


def _is_format(value: Any) -> bool:
    for one in listed(value):
        if not isinstance(one, str) or not one:
            return False
        letters = re.findall(r"%(.?)", one)
        if one != "iso" and (not letters or not set(letters) <= set(DIRECTIVES) or len(set(letters)) < len(letters)):
            return False
    return True


def _is_zone(value: Any) -> bool:
    try:
        return value == "refuse" or bool(ZoneInfo(value))
    except (ValueError, OSError, TypeError, ModuleNotFoundError, KeyError):
        return False


def _formats() -> Any:
    told = f"iso, or a pattern like %d/%m/%Y of {' '.join(f'%{letter}' for letter in DIRECTIVES)}, or a list of them"
    return option(("iso",), told, _is_format)


def _mark(default: str | None) -> Any:
    return option(default, "one character that is no digit", lambda value: isinstance(value, str) and len(value) == 1
                  and not value.isalnum() and value not in "+-")  # fmt: skip


class Undeclared(tuple[str, ...]):
    """What holds where nothing is declared: somebody may declare the same, and mean it."""


@dataclass(frozen=True)
class Meaning:
    """How values are read; for a whole feed, and under `columns:` for one column.

    Attributes:
        date_format: what a date looks like: `iso` (2024-06-01), or patterns as strptime has them, tried in order.
        timestamp_format: the same for timestamps.
        time_format: the same for times of day.
        time_zone: what a time without a zone is meant in, where the column has zones; or `refuse`.
        ambiguous_time: what a local time is that comes twice when clocks are put back: to `refuse`, or the `first` or
            `second` of the two moments.
        epoch_unit: numbers in date and time columns count so many of these since 1970: s, ms, us, ns or days; nothing:
            a number is no time.
        decimal_mark: between whole and fraction.
        thousands_mark: between groups of three digits; nothing: there is none.
        null_values: texts that mean null.
        quoted_nulls: CSV: they mean null in quotes, too.
        true_values: texts that mean true, whatever their case.
        false_values: texts that mean false, whatever their case.
        special_values: NaN and infinity are to `refuse`, `accept` or read as `null`; nothing: `accept` in floating
            point columns, `refuse` elsewhere.
        whole_decimals: 1362.0 is a whole number.
        extra_digits: digits beyond what the column's type keeps: `refuse` or `round`.
        trim: blanks around a value are taken off.
    """

    date_format: tuple[str, ...] = _formats()
    timestamp_format: tuple[str, ...] = _formats()
    time_format: tuple[str, ...] = _formats()
    time_zone: str = option("UTC", "a zone like Europe/Berlin, or refuse", _is_zone)
    ambiguous_time: str = one_of("refuse", "first", "second")
    epoch_unit: str | None = one_of("s", "ms", "us", "ns", "days", default=None)
    decimal_mark: str = _mark(".")
    thousands_mark: str | None = _mark(None)
    null_values: tuple[str, ...] = texts(Undeclared(("",)))
    quoted_nulls: bool = flag(default=False)
    true_values: tuple[str, ...] = texts(("true",))
    false_values: tuple[str, ...] = texts(("false",))
    special_values: str | None = one_of("refuse", "accept", "null", default=None)
    whole_decimals: bool = flag(default=False)
    extra_digits: str = one_of("refuse", "round")
    trim: bool = flag(default=False)


class Column(NamedTuple):
    """A column of a raw table.

    Attributes:
        name: in the table.
        type: PostgreSQL's type in words, as `format_type` says it.
        meaning: how its values are read.
        oid: of its type.
        modifier: of its type.
    """

    name: str
    type: str
    meaning: Meaning = Meaning()
    oid: int = 25
    modifier: int = -1


def meanings(given: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[Meaning, dict[str, Meaning]]:
    """What is declared of a feed's values, and of single columns where that differs.

    Args:
        given: `external.options`.
        columns: the declared columns.

    Raises:
        ValueError: something in it is wrong.
    """
    common = _made(given, "external.options")
    own: dict[str, Meaning] = {}
    for column, values in (given.get("columns") or {}).items():
        where = f"external.options.columns.{column}"
        if column not in columns:
            raise ValueError(f"{where} is not a declared column")
        if not isinstance(values, Mapping):
            raise ValueError(f"{where} must be a mapping, not {values!r}")
        for name in values:
            if name not in names(Meaning):
                raise ValueError(f"{where}.{name} is not an option of a column; there are {', '.join(names(Meaning))}")
        own[column] = _made({**{name: given[name] for name in names(Meaning) if name in given}, **values}, where)
    return common, own


def _made(given: Mapping[str, Any], where: str) -> Meaning:
    meaning = make(Meaning, given, where)
    for name, needed in WHOLE.items():
        for form in getattr(meaning, name):
            letters = set(re.findall(r"%(.)", form))
            partly = any(not letters & set(group) for group in needed) or ("I" in letters) != ("p" in letters)
            twice = next((group for group in ONCE if len(letters & set(group)) > 1), "")
            if twice:
                said = " and ".join(f"%{letter}" for letter in twice if letter in letters)
                raise ValueError(f"{where}.{name}: {form!r} has {said}, which may say two things: declare one of them")
            if "z" in letters and name != "timestamp_format":
                what = name.removesuffix("_format")
                raise ValueError(f"{where}.{name}: {form!r} has %z, and a {what} has no zone: declare timestamptz")
            if form != "iso" and partly:
                raise ValueError(f"{where}.{name}: {form!r} doesn't say the whole {name.removesuffix('_format')}")
            if meaning.epoch_unit and re.fullmatch("(%[YymdHMSf])+", form):
                raise ValueError(f"{where}: both epoch_unit and {name} {form!r} read digits alone: declare one of them")
    if meaning.decimal_mark == meaning.thousands_mark:
        raise ValueError(f"{where}: decimal_mark and thousands_mark are both {meaning.decimal_mark!r}")
    both = {one.lower() for one in meaning.true_values} & {one.lower() for one in meaning.false_values}
    if both:
        raise ValueError(f"{where}: {both.pop()!r} is in true_values and in false_values")
    return meaning
