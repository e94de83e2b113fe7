"""One text read as one value, exactly and strictly: what this accepts is the loader's grammar. `text` is its fast way.

Each function takes a text and returns the value, or raises ValueError whose message is the reason for people.
"""

from __future__ import annotations

import calendar
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from journey.loader.values.kinds import NUMERIC, arrow_type, digits
from journey.loader.values.meaning import DIRECTIVES, UNITS, Column, Meaning

SHOWN = 60  # characters of a value in a reason
WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
# A number with what people write beside it: a currency, a unit, a percent sign, an accountant's minus.
BESIDE = re.compile(
    r"(?:[$£€¥₩₹]|[A-Z]{3}|\() ?[+-]?[0-9][0-9.,' ]*\)?"
    r"|[+-]?[0-9]?[0-9.,' ]*[0-9] ?(?:[$£€¥₩₹%-]|[A-Za-z]{1,3})",
    re.ASCII,
)
SPECIAL = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE | re.ASCII)
ISO_DATE = re.compile(r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})", re.ASCII)
CLOCK = r"(?P<H>[0-9]{2})(?::(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:\.(?P<f>[0-9]{1,9}))?)?)?"
ISO_TIME = re.compile(CLOCK.replace("(?::(?P<M>", ":(?P<M>", 1)[:-2], re.ASCII)
ISO_STAMP = re.compile(ISO_DATE.pattern + f"(?:[T ]{CLOCK}(?: ?(?P<z>Z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?))?)?", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
BYTES = re.compile(r"\\x(?:[0-9a-f]{2})*", re.IGNORECASE | re.ASCII)
RANGES = {pa.int16(): 2**15, pa.int32(): 2**31, pa.int64(): 2**63}
MONTHS = {letter: {name.lower(): number for number, name in enumerate(names) if name}
          for letter, names in (("b", calendar.month_abbr), ("B", calendar.month_name))}  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FORMATS = {"date": "YYYY-MM-DD", "timestamp": "YYYY-MM-DD HH:MM:SS", "time": "HH:MM:SS"}

Exact = Callable[[str], Any]


def quoted(text: str) -> str:
    """A value as reasons show it: on one line, with everything that can't be seen written as an escape."""
    shown = text[:SHOWN]
    if not shown.isprintable():
        shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)
    return f"`{shown}…`" if len(text) > SHOWN else f"`{shown}`"


@lru_cache(512)
def exact(column: Column) -> Exact:
    """How one text is read as a value of a column.

    Args:
        column: of a type that isn't text.

    Returns:
        A function of a text, which returns what pyarrow takes for the column's arrow_type.
    """
    kind, meaning = arrow_type(column), column.meaning
    if pa.types.is_integer(kind):
        return lambda text: whole(text, column, kind)
    if pa.types.is_decimal(kind) or column.type.startswith("numeric"):
        return lambda text: number(text, column)
    if pa.types.is_floating(kind):
        return lambda text: floating(text, column, kind)
    if pa.types.is_boolean(kind):
        return lambda text: boolean(text, meaning)
    if pa.types.is_date(kind):
        return lambda text: day(text, meaning)
    if pa.types.is_timestamp(kind):
        return lambda text: moment(text, column, zoned=kind.tz is not None)
    if pa.types.is_time(kind):
        return lambda text: clock(text, column)
    return binary_uuid if column.type == "uuid" else binary


def unmarked(text: str, meaning: Meaning, column: Column) -> str:
    """A number's text without thousands marks and with a point.

    Raises:
        ValueError: a mark stands where the declaration allows none.
    """
    thousands, mark = meaning.thousands_mark, meaning.decimal_mark
    if thousands is None and mark == ".":
        return text
    head, point, tail = text.partition(mark)
    if BESIDE.fullmatch(text):
        raise no_number(text, column.type)
    if thousands and thousands in head:
        group = re.escape(thousands) + "[0-9]{3}"
        if not re.fullmatch(f"[+-]?[0-9]{{1,3}}(?:{group})+(?:[eE][+-]?[0-9]+)?", head):
            raise ValueError(f"{quoted(text)} is no {column.type}: thousands_mark {thousands!r} is out of place")
        head = head.replace(thousands, "")
    for other in {".", ","} - {mark}:
        if other in head + tail:
            told = f"decimal_mark is {mark!r}, " + (
                f"thousands_mark {thousands!r}" if thousands else "thousands_mark none"
            )
            groups = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(other)}[0-9]{{3}})+(?:{re.escape(mark)}[0-9]*)?"
            if not thousands and re.fullmatch(groups, text):
                told += f": thousands_mark {other!r} would read {text.replace(other, '').replace(mark, '.')}"
            raise ValueError(f"{quoted(text)} is no {column.type}: {other!r} stands in it, and {told}")
    return head + ("." if point else "") + tail


def no(text: str, what: str, remedy: str = "") -> ValueError:
    """Why a text isn't what is declared."""
    if not text.strip():
        remedy = "trim and null_values read blanks" if text else "null_values (CSV, JSON: quoted_nulls) read it as null"
    elif text != text.strip():
        remedy = "blanks stand around it (trim)"
    return ValueError(f"{quoted(text)} is no {what}{f': {remedy}' if remedy else ''}")


def no_number(text: str, what: str) -> ValueError:
    """Why a text is no number."""
    remedy = "declare null_values if it means null" if not re.match("[+-]?[.,]?[0-9]", text) else ""
    if re.fullmatch(r"[+-]?[0-9]+([., '’\u00a0\u202f][0-9]+)+", text):
        remedy = "decimal_mark and thousands_mark say how numbers are written"
    if BESIDE.fullmatch(text):
        remedy = "declare text, and make a number of it in the staging view: no option takes off what stands beside it"
    return no(text, what, remedy)


def whole(text: str, column: Column, kind: pa.DataType) -> int | None:
    """A whole number; null for NaN and infinity where that is declared."""
    plain = unmarked(text, column.meaning, column)
    if SPECIAL.fullmatch(plain):
        special(text, column, "null" if column.meaning.special_values == "null" else "refuse")
        return None
    if not WHOLE.fullmatch(plain):
        found = _decimal(plain) if DECIMAL.fullmatch(plain) else None
        if found is None:
            raise no_number(text, column.type)
        if found != found.to_integral_value():
            raise no(text, column.type)
        if not column.meaning.whole_decimals:
            raise no(text, column.type, "whole_decimals reads whole numbers with a decimal point")
        plain = str(int(found)) if found.adjusted() < 20 else plain
    value = int(plain) if len(plain) < 40 and WHOLE.fullmatch(plain) else RANGES[kind]
    if not -RANGES[kind] <= value < RANGES[kind]:
        raise ValueError(f"{quoted(text)} is out of range for {column.type}")
    return value


def _decimal(plain: str) -> Decimal:
    with localcontext() as context:
        context.prec = 400
        return Decimal(plain)


def number(text: str, column: Column) -> Decimal | str | None:
    """An exact number; as a text for a column without bounds, or with NaN and infinity."""
    plain = unmarked(text, column.meaning, column)
    if SPECIAL.fullmatch(plain):
        found: str | None = special(text, column, column.meaning.special_values or "refuse")
        return found
    if not DECIMAL.fullmatch(plain) or len(plain) > 1000:
        raise no_number(text, column.type)
    bounds = NUMERIC.fullmatch(column.type)
    value = _decimal(plain)
    if not bounds:
        return format(value, "f") if abs(value.adjusted()) < 1000 else plain
    return rounded(value, int(bounds[1]), int(bounds[2]), column, text)


def rounded(value: Decimal, precision: int, scale: int, column: Column, text: str) -> Decimal | str:
    """A number with as many digits as its column keeps.

    Raises:
        ValueError: it has more, and they aren't to be rounded; or it is too large.
    """
    with localcontext() as context:
        context.prec = 2000
        try:
            kept = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        except InvalidOperation:
            raise ValueError(f"{quoted(text)} is out of range for {column.type}") from None
        if kept != value and column.meaning.extra_digits != "round":
            raise ValueError(f"{quoted(text)} has digits that {column.type} doesn't keep (extra_digits: round)")
        if abs(kept) >= Decimal(1).scaleb(precision - scale):
            raise ValueError(f"{quoted(text)} is out of range for {column.type}")
        return kept if pa.types.is_decimal(arrow_type(column)) else format(kept, "f")


def special(text: str, column: Column, policy: str) -> str | None:
    """NaN or infinity, by policy: a text of PostgreSQL's, or null."""
    if policy == "refuse":
        raise ValueError(f"{quoted(text)} is no {column.type}: special_values are refused here")
    if policy == "null":
        return None
    sign = "-" if text.startswith("-") else ""
    return "NaN" if "nan" in text.lower() else f"{sign}Infinity"


def floating(text: str, column: Column, kind: pa.DataType) -> float | None:
    """A floating point number."""
    plain = unmarked(text, column.meaning, column)
    if SPECIAL.fullmatch(plain):
        found = special(text, column, column.meaning.special_values or "accept")
        return None if found is None else float(found)
    if not DECIMAL.fullmatch(plain):
        raise no_number(text, column.type)
    value: float = (
        pa.scalar(plain).cast(kind).as_py()
    )  # to the nearest of its kind; by way of a double it may be another
    if abs(value) == float("inf"):
        raise ValueError(f"{quoted(text)} is out of range for {column.type}")
    return value


def boolean(text: str, meaning: Meaning) -> bool:
    """True or false, by the declared words."""
    word = text.lower()
    for value, words in ((True, meaning.true_values), (False, meaning.false_values)):
        if word in (one.lower() for one in words):
            return value
    declared = ", ".join((*meaning.true_values, *meaning.false_values))
    raise no(text, "boolean", f"{declared} are declared (true_values, false_values)")


def binary_uuid(text: str) -> bytes:
    """A UUID's 16 bytes."""
    if not UUID.fullmatch(text):
        raise no(text, "uuid", "8-4-4-4-12 hexadecimal digits are declared")
    return uuid.UUID(text).bytes


def binary(text: str) -> bytes:
    """Bytes, as PostgreSQL writes them."""
    if not BYTES.fullmatch(text):
        raise no(text, "bytea", "\\x and hexadecimal digits are declared")
    return bytes.fromhex(text[2:])


@lru_cache(256)
def pattern(form: str, what: str) -> re.Pattern[str]:
    """A declared format as a regular expression with a group for each directive."""
    if form == "iso":
        return {"date": ISO_DATE, "timestamp": ISO_STAMP, "time": ISO_TIME}[what]
    parts = re.split(r"%(.)", form)
    for i in range(1, len(parts), 2):
        touches = (i > 1 and not parts[i - 1]) or (i + 2 < len(parts) and not parts[i + 1])
        directive = DIRECTIVES[parts[i]]  # two digits where another one touches it: 20241 is no day
        parts[i] = directive.replace("{1,2}", "{2}") if touches else directive
    return re.compile("".join(re.escape(part) if i % 2 == 0 else part for i, part in enumerate(parts)), re.ASCII)


def _matched(text: str, forms: tuple[str, ...], what: str) -> dict[str, str]:
    for form in forms:
        if found := pattern(form, what).fullmatch(text):
            return {key: value for key, value in found.groupdict().items() if value is not None}
    declared = " or ".join(FORMATS[what] if form == "iso" else form for form in forms)
    option = f"{what}_format"
    if WHOLE.fullmatch(text) and what != "time":
        option += "; epoch_unit reads numbers"
    elif not re.search("[0-9]", text):
        option += "; null_values, if it means null"
    raise no(text, what, f"{declared} is declared ({option})")


def _date(parts: dict[str, str], text: str, what: str) -> date:
    if "y" in parts:
        short = int(parts["y"])
        year = short + (2000 if short < 69 else 1900)  # as strptime has it
    else:
        year = int(parts.get("Y", 1970))
    month = int(parts.get("m", 1))
    for letter in {"b", "B"} & set(parts):
        month = MONTHS[letter].get(parts[letter].lower(), 0)
    try:
        return date(year, month, int(parts.get("d", 1)))
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no {what}: {error}") from None


def _time(parts: dict[str, str], text: str, column: Column, what: str) -> time:
    hour = int(parts.get("H") or parts.get("I") or 0)
    if "I" in parts:
        if not 1 <= hour <= 12:
            raise ValueError(f"{quoted(text)} is no {what}: hour must be in 1..12")
        hour = hour % 12 + (12 if parts.get("p", "").lower() == "pm" else 0)
    fraction, kept = parts.get("f", ""), digits(column)
    if fraction[kept:].strip("0") and column.meaning.extra_digits != "round":
        raise ValueError(f"{quoted(text)} has digits that {column.type} doesn't keep (extra_digits: round)")
    micro = int(fraction[:6].ljust(6, "0") or 0)
    try:
        value = time(hour, int(parts.get("M", 0)), int(parts.get("S", 0)), micro)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no {what}: {error}") from None
    return value


def _micros(fraction: str, kept: int) -> int:
    """A fraction of a second in microseconds, rounded to so many digits."""
    value = Decimal(f"0.{fraction or 0}").quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP)
    return int(value * 1_000_000)


def day(text: str, meaning: Meaning) -> date:
    """A date."""
    if meaning.epoch_unit and WHOLE.fullmatch(text):
        counted = _counted(text, meaning.epoch_unit)
        if counted.time() != time():
            raise ValueError(f"{quoted(text)} is no date: it has a time of day")
        return counted.date()
    parts = _matched(text, meaning.date_format, "date")
    if (
        any(parts.get(part, "0").strip("0") for part in "HMSf")
        or int(parts.get("I", 12)) % 12
        or (parts.get("p", "am").lower() != "am")
    ):
        raise ValueError(f"{quoted(text)} is no date: it has a time of day")
    return _date(parts, text, "date")


def clock(text: str, column: Column) -> time:
    """A time of day."""
    parts = _matched(text, column.meaning.time_format, "time")
    begin = _time({**parts, "f": ""}, text, column, "time")
    _time(parts, text, column, "time")
    value = datetime.combine(date(2000, 1, 1), begin) + timedelta(
        microseconds=_micros(parts.get("f", ""), digits(column))
    )
    if value.day != 1:
        raise ValueError(f"{quoted(text)} is out of range for {column.type} once it is rounded")
    return value.time()


def moment(text: str, column: Column, *, zoned: bool) -> datetime:
    """A timestamp; with a zone, in UTC."""
    meaning = column.meaning
    if meaning.epoch_unit and WHOLE.fullmatch(text):
        counted = _counted(text, meaning.epoch_unit, column)
        return counted if zoned else counted.replace(tzinfo=None)
    parts = _matched(text, meaning.timestamp_format, "timestamp")
    _time(parts, text, column, "timestamp")
    begin = datetime.combine(_date(parts, text, "timestamp"), _time({**parts, "f": ""}, text, column, "timestamp"))
    zone = parts.get("z")
    try:
        value = begin + timedelta(microseconds=_micros(parts.get("f", ""), digits(column)))
        if not zoned:
            if zone:
                raise ValueError(f"{quoted(text)} has a zone, and {column.type} has none: declare timestamptz")
            return value
        return in_zone(value, zone, text, meaning)
    except OverflowError:
        raise ValueError(f"{quoted(text)} is out of range for {column.type}") from None


def in_zone(value: datetime, zone: str | None, text: str, meaning: Meaning) -> datetime:
    """A local time in UTC.

    Args:
        value: the local time.
        zone: Z or an offset from UTC; None: the declared zone.
        text: as the file has it.
        meaning: declares zone and what to do with a time that comes twice.
    """
    if zone == "Z":
        return value.replace(tzinfo=timezone.utc)
    if zone:
        hours, minutes = int(zone[1:3]), int(zone[3:].strip(":") or 0)
        if hours > 23 or minutes > 59:
            raise ValueError(f"{quoted(text)} is no timestamp: its offset {zone} is none")
        offset = timedelta(hours=hours, minutes=minutes)
        return (value - (offset if zone[0] == "+" else -offset)).replace(tzinfo=timezone.utc)
    if meaning.time_zone == "refuse":
        raise ValueError(f"{quoted(text)} has no zone: declare time_zone")
    local = ZoneInfo(meaning.time_zone)
    first, second = (value.replace(tzinfo=local, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        back = first.astimezone(timezone.utc).astimezone(local).replace(tzinfo=None)
        if back != value:
            raise ValueError(f"{quoted(text)} doesn't exist in {meaning.time_zone}: clocks were put forward")
        if meaning.ambiguous_time == "refuse":
            raise ValueError(f"{quoted(text)} comes twice in {meaning.time_zone} (ambiguous_time: first or second)")
        first = first if meaning.ambiguous_time == "first" else second
    return first.astimezone(timezone.utc)


def _counted(text: str, unit: str, column: Column | None = None) -> datetime:
    """A count since 1970, as declared by epoch_unit."""
    count = int(text) if len(text) < 25 else 10**25
    try:
        if unit == "days":
            return EPOCH + timedelta(days=count)
        step = 10 ** (6 - digits(column)) if column else 1  # microseconds in the last digit that is kept
        steps, rest = divmod(count * 10**6, UNITS[unit] * step)
        if rest and (column is None or column.meaning.extra_digits != "round"):
            kept = f"{column.type} doesn't" if column else "microseconds don't"
            raise ValueError(f"{quoted(text)} has digits that {kept} keep (extra_digits: round)")
        return EPOCH + timedelta(microseconds=(steps + (2 * rest >= UNITS[unit] * step)) * step)
    except OverflowError:
        raise ValueError(f"{quoted(text)} is out of range: epoch_unit is {unit}") from None
