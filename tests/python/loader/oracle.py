"""What a text means under a declaration, written again with Python's own exact types and nothing of the loader's.

One text at a time, by the grammar in `docs/loader.md`; slow, plain, and free of Arrow and of PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from journey.loader.values.meaning import Meaning

WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
SPECIAL = re.compile(r"([+-]?)(nan|inf|infinity)", re.IGNORECASE)
EPOCH = dt.datetime(1970, 1, 1)
UNITS = {
    "s": Fraction(10**6),
    "ms": Fraction(10**3),
    "us": Fraction(1),
    "ns": Fraction(1, 1000),
    "days": Fraction(86_400 * 10**6),
}
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)
CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?", re.ASCII)
PARTS = {
    "Y": r"\d{4}", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}", "M": r"\d\d", "S": r"\d\d", "f": r"\d{1,9}",
    "y": r"\d\d",
    "b": "(?i:" + "|".join(month[:3] for month in MONTHS) + ")", "B": "(?i:" + "|".join(MONTHS) + ")", "I": r"\d{1,2}",
    "p": "(?i:am|pm)",
    "z": r"Z|[+-]\d\d:?\d\d",
}  # fmt: skip


class NoValueError(Exception):
    """The text isn't what is declared."""


def value(text: str, kind: str, meaning: Meaning) -> Any:
    """The value of a text.

    Args:
        text: as the file has it.
        kind: PostgreSQL's type.
        meaning: what is declared.

    Raises:
        NoValueError: it is none.
    """
    text = text.strip() if meaning.trim else text
    if kind in WHOLE:
        return _whole(text, WHOLE[kind], meaning)
    if kind.startswith("numeric"):
        return _numeric(text, kind, meaning)
    if kind in ("real", "double precision"):
        return _floating(text, kind, meaning)
    if kind == "boolean":
        return _boolean(text, meaning)
    if kind == "uuid":
        if not re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", text, re.IGNORECASE | re.ASCII):
            raise NoValueError
        return UUID(text).bytes
    if kind == "date":
        return _date(text, meaning)
    if kind.startswith("timestamp"):
        return _stamp(text, kind, meaning)
    if kind.startswith("time"):
        return _clock(text, kind, meaning)
    return _text(text, kind)


def _text(text: str, kind: str) -> str:
    limit = re.search(r"\d+", kind)
    if "\0" in text or (limit and len(text) > int(limit[0])):
        raise NoValueError
    return text


def _decimal(text: str, meaning: Meaning) -> Decimal:
    mark, thousands = re.escape(meaning.decimal_mark), meaning.thousands_mark
    before = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+" if thousands else r"\d+"
    if not re.fullmatch(rf"[+-]?(?:(?:{before})(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d{{1,4}})?", text, re.ASCII):
        raise NoValueError
    if thousands:
        text = text.replace(thousands, "")
    return Decimal(text.replace(meaning.decimal_mark, "."))


def _whole(text: str, limit: int, meaning: Meaning) -> int | None:
    if SPECIAL.fullmatch(text) and meaning.special_values == "null":
        return None
    number = _decimal(text, meaning)
    is_whole = not re.search("e", text, re.IGNORECASE) and meaning.decimal_mark not in text
    if not is_whole and not meaning.whole_decimals:
        raise NoValueError
    if number.adjusted() > 30 or number != number.to_integral_value() or not -limit <= int(number) < limit:
        raise NoValueError
    return int(number)


def _special(text: str, meaning: Meaning, default: str) -> str:
    """What becomes of NaN and infinity: a word, or nothing if the text is neither."""
    return (meaning.special_values or default) if SPECIAL.fullmatch(text) else ""


def _numeric(text: str, kind: str, meaning: Meaning) -> Decimal | None:
    treated = _special(text, meaning, "refuse")
    bounds = [int(part) for part in re.findall(r"-?\d+", kind)]
    if treated == "null":
        return None
    if treated == "accept":
        return Decimal(text)
    if treated:
        raise NoValueError
    number = _decimal(text, meaning)
    if bounds:
        precision, scale = bounds
        if number and number.adjusted() > precision + 2:
            raise NoValueError
        rounded = number.quantize(
            Decimal(1).scaleb(-scale), ROUND_HALF_UP, Context(prec=1000, Emin=-9999999, Emax=9999999)
        )
        if (rounded != number and meaning.extra_digits != "round") or abs(rounded) >= Decimal(10) ** (
            precision - scale
        ):
            raise NoValueError
        return rounded
    if number and (number.adjusted() >= 131072 or -int(number.as_tuple().exponent) > 16383):
        raise NoValueError
    return number


def _floating(text: str, kind: str, meaning: Meaning) -> float | None:
    treated = _special(text, meaning, "accept")
    if treated == "null":
        return None
    if treated == "accept":
        return float(text)
    if treated:
        raise NoValueError
    number = _decimal(text, meaning)
    nearest = float(number)
    if kind == "real":
        nearest = _nearest_real(number)
    if abs(nearest) == float("inf"):
        raise NoValueError
    return nearest


def _nearest_real(number: Decimal) -> float:
    if number.adjusted() > 60 or number.adjusted() < -60:
        with np.errstate(over="ignore", under="ignore"):
            return float(np.float32(float(number)))
    with np.errstate(over="ignore", under="ignore"):
        about = np.float32(float(number))
        near = [np.nextafter(about, np.float32(-np.inf)), about, np.nextafter(about, np.float32(np.inf))]
    finite = [one for one in near if np.isfinite(one)]
    if len(finite) < 3:
        return float(about)
    exact = Fraction(number)
    return float(min(finite, key=lambda one: (abs(Fraction(float(one)) - exact), int(one.view(np.uint32)) % 2)))


def _boolean(text: str, meaning: Meaning) -> bool:
    if text.lower() in [word.lower() for word in meaning.true_values]:
        return True
    if text.lower() in [word.lower() for word in meaning.false_values]:
        return False
    raise NoValueError


def _micros(fraction: str | None, kept: int, meaning: Meaning) -> int:
    """Microseconds of the digits behind the point, as many as the column keeps; half a digit is rounded up."""
    nanos, unit = int((fraction or "0").ljust(9, "0")), int(10 ** (9 - kept))
    if nanos % unit and meaning.extra_digits != "round":
        raise NoValueError
    return (nanos + unit // 2) // unit * unit // 1000


def _moment(year: int, month: int, day: int, clock: Sequence[int], micros: int) -> dt.datetime:
    hour, minute, second = [*clock, 0][:3]
    try:
        return dt.datetime(year, month, day, hour, minute, second) + dt.timedelta(microseconds=micros)
    except (ValueError, OverflowError) as error:
        raise NoValueError from error


def _offset(text: str) -> dt.timedelta:
    if text in ("Z", "z"):
        return dt.timedelta()
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise NoValueError
    return dt.timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def _by_format(text: str, form: str, kept: int, meaning: Meaning) -> tuple[dt.datetime, str]:
    """Moment and zone, by a pattern of strptime's letters."""
    pieces = re.split(r"%(.)", form)
    letters, pattern = pieces[1::2], re.escape(pieces[0])
    for at, letter in enumerate(letters):
        touches = (pieces[2 * at] == "" and at > 0) or (pieces[2 * at + 2] == "" and at + 1 < len(letters))
        part = PARTS[letter].replace("{1,2}", "{2}") if touches else PARTS[letter]  # else nobody knows where one ends
        pattern += ("%" if letter == "%" else f"(?P<{letter}>{part})") + re.escape(pieces[2 * at + 2])
    found = re.fullmatch(pattern, text, re.ASCII)
    if not found:
        raise NoValueError
    got = found.groupdict()
    year = int(got["Y"]) if "Y" in got else 1970
    if "y" in got:
        year = int(got["y"]) + (2000 if int(got["y"]) < 69 else 1900)
    month = int(got.get("m") or 1)
    for letter in "bB":
        if letter in got:
            month = [name[: len(got[letter])] for name in MONTHS].index(got[letter].lower()) + 1
    hour = int(got.get("H") or 0)
    if "I" in got:
        if not 1 <= int(got["I"]) <= 12:
            raise NoValueError
        hour = int(got["I"]) % 12 + (12 if (got.get("p") or "").lower() == "pm" else 0)
    clock = hour, int(got.get("M") or 0), int(got.get("S") or 0)
    return _moment(year, month, int(got.get("d") or 1), clock, _micros(got.get("f"), kept, meaning)), got.get("z") or ""


def _first(text: str, forms: Sequence[str], iso: Any, kept: int, meaning: Meaning) -> Any:
    for form in forms:
        try:
            return iso(text) if form == "iso" else _by_format(text, form, kept, meaning)
        except NoValueError:
            continue
    raise NoValueError


def _epoch(text: str, meaning: Meaning, *, rounds: bool, kept: int = 6) -> dt.datetime:
    step = 10 ** (6 - kept)
    exact = Fraction(int(text)) * UNITS[str(meaning.epoch_unit)] / step
    if exact.denominator != 1 and not rounds:
        raise NoValueError
    try:
        return EPOCH + dt.timedelta(microseconds=math.floor(exact + Fraction(1, 2)) * step)
    except OverflowError as error:
        raise NoValueError from error


def _date(text: str, meaning: Meaning) -> dt.date:
    def iso(text: str) -> tuple[dt.datetime, str]:
        found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII)
        if not found:
            raise NoValueError
        return _moment(int(found[1]), int(found[2]), int(found[3]), (0, 0), 0), ""

    is_count = meaning.epoch_unit and re.fullmatch(r"[+-]?\d+", text, re.ASCII)
    moment = _epoch(text, meaning, rounds=False) if is_count else _first(text, meaning.date_format, iso, 9, meaning)[0]
    if moment.time() != dt.time(0):
        raise NoValueError
    return moment.date()


def _kept(kind: str) -> int:
    """Digits of a second that a type keeps."""
    found = re.search(r"\((\d)\)", kind)
    return int(found[1]) if found else 6


def _stamp(text: str, kind: str, meaning: Meaning) -> dt.datetime:
    def iso(text: str) -> tuple[dt.datetime, str]:
        found = ISO.fullmatch(text)
        if not found:
            raise NoValueError
        year, month, day, *clock = (int(part or 0) for part in found.groups()[:6])
        return _moment(year, month, day, clock, _micros(found[7], kept, meaning)), found[8] or ""

    zoned, kept = "with time" in kind, _kept(kind)
    if meaning.epoch_unit and re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        moment = _epoch(text, meaning, rounds=meaning.extra_digits == "round", kept=kept)
        zone = "Z" if zoned else ""
    else:
        moment, zone = _first(text, meaning.timestamp_format, iso, kept, meaning)
    if not zoned:
        if zone:
            raise NoValueError
        return moment
    if zone:
        return _instant(moment, _offset(zone))
    if meaning.time_zone == "refuse":
        raise NoValueError
    instants = [_instant(moment, offset) for offset in _offsets(moment, ZoneInfo(meaning.time_zone))]
    if not instants or (len(instants) > 1 and meaning.ambiguous_time == "refuse"):
        raise NoValueError
    return min(instants) if meaning.ambiguous_time == "first" else max(instants)


def _offsets(moment: dt.datetime, zone: ZoneInfo) -> set[dt.timedelta]:
    """The offsets from UTC that a local time may have: none, one or, when clocks are put back, two."""
    found = set()
    for fold in (0, 1):
        offset = moment.replace(tzinfo=zone, fold=fold).utcoffset() or dt.timedelta()
        try:
            instant = (moment - offset).replace(tzinfo=dt.timezone.utc)
        except OverflowError as error:
            raise NoValueError from error
        if instant.astimezone(zone).replace(tzinfo=None) == moment:
            found.add(offset)
    return found


def _instant(moment: dt.datetime, offset: dt.timedelta) -> dt.datetime:
    try:
        return (moment - offset).replace(tzinfo=dt.timezone.utc)
    except OverflowError as error:
        raise NoValueError from error


def _clock(text: str, kind: str, meaning: Meaning) -> dt.time:
    def iso(text: str) -> tuple[dt.datetime, str]:
        found = CLOCK.fullmatch(text)
        if not found:
            raise NoValueError
        return _moment(
            1970, 1, 1, [int(part or 0) for part in found.groups()[:3]], _micros(found[4], _kept(kind), meaning)
        ), ""

    moment: dt.datetime = _first(text, meaning.time_format, iso, _kept(kind), meaning)[0]
    if moment.day != 1:
        raise NoValueError
    return moment.time()
