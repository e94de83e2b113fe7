"""Texts become values of a column's type: plain ones by Arrow, all at once, every other by `exact`, one by one.

Plain is what a regular expression says, written so that Arrow's own reading of such texts is `exact`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.values.exact import exact, quoted
from journey.loader.values.kinds import NUMERIC, arrow_type, digits, is_text, length
from journey.loader.values.meaning import Column, Meaning

DATE = ("[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
        "|(?:0[13578]|1[02])-31)")  # fmt: skip
CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9]%s)?"
WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
DIGITS = {pa.int16(): 4, pa.int32(): 9, pa.int64(): 18}  # that always fit

ZONED_YEARS = 1902, 2037  # beyond, Arrow knows no daylight saving
NULL = pa.scalar(None, pa.string())

UUID_LENGTH, DASHES = 36, [8, 13, 18, 23]
NIBBLES = np.full(256, 16, np.uint8)  # by the byte of a hexadecimal digit; 16: it is none
NIBBLES[list(b"0123456789abcdef")] = NIBBLES[list(b"0123456789ABCDEF")] = np.arange(16)

Refusals = dict[int, str]


class Plain(NamedTuple):
    """How plain texts of a column are read.

    Attributes:
        pattern: what they look like.
        canonical: makes them what Arrow reads.
        after: what that must look like; None: nothing can be wrong with it.
        zone: a declared zone other than UTC, in which they are meant.
    """

    pattern: str
    canonical: Callable[[pa.Array], pa.Array] | None = None
    after: str | None = None
    zone: str | None = None


def parse(texts: pa.Array, column: Column) -> tuple[pa.Array, Refusals]:
    """Read texts as values of a column.

    Args:
        texts: strings; nulls stay null.
        column: says what they mean.

    Returns:
        An array of the column's arrow_type, null where a text is refused; the reason by position.
    """
    if column.meaning.trim:
        texts = pc.utf8_trim_whitespace(texts)
    if is_text(column) or not _is_read(column):
        return _checked(texts, column)
    if column.type == "boolean":
        return _booleans(texts, column)
    if column.type == "uuid":
        good, result = _uuids(texts)
    else:
        plain = _plain(column)
        good, result = _plainly(texts, plain, column) if plain else (np.zeros(len(texts), bool), None)
    if result is not None and good.all():
        return result, {}
    valid = texts.is_valid().to_numpy(zero_copy_only=False)
    if result is None:
        result = pa.nulls(len(texts), arrow_type(column))
    return _refuse_each(texts, column, result, np.flatnonzero(valid & ~good).tolist())


def _plainly(texts: pa.Array, plain: Plain, column: Column) -> tuple[np.ndarray, pa.Array | None]:
    """Which texts are plain, or null, and their values; no values if Arrow finds a doubt."""
    matched = pc.match_substring_regex(texts, plain.pattern)
    if matched.null_count + matched.true_count < len(texts):
        texts = pc.if_else(matched, texts, NULL)
    if plain.canonical:
        texts = plain.canonical(texts)
    if plain.after:
        matched = pc.and_kleene(matched, pc.match_substring_regex(texts, plain.after))
        texts = pc.if_else(matched, texts, NULL)
    good = pc.or_kleene(matched, matched.is_null()).to_numpy(zero_copy_only=False)
    kind = arrow_type(column)
    if pa.types.is_time(kind):  # Arrow casts no text to a time of day
        return good, pc.binary_join_element_wise("1970-01-01T", texts, "").cast(pa.timestamp("us")).cast(kind)
    if not plain.zone:
        return good, texts.cast(kind)
    local = texts.cast(pa.timestamp("us"))
    try:
        moments = pc.assume_timezone(local, plain.zone)
    except pa.ArrowInvalid:  # a time that comes twice, or doesn't exist, or a system without time zones
        return np.zeros(len(texts), bool), None
    years = pc.year(local)
    known = pc.and_kleene(pc.greater_equal(years, ZONED_YEARS[0]), pc.less_equal(years, ZONED_YEARS[1]))
    good &= pc.or_kleene(known, known.is_null()).to_numpy(zero_copy_only=False)
    return good, moments.cast(kind)


def _uuids(texts: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Which texts are UUIDs, or null, and their 16 bytes."""
    is_long = pc.equal(pc.binary_length(texts), UUID_LENGTH).fill_null(False)
    long = texts.filter(is_long)
    values, good = np.zeros((len(texts), 16), np.uint8), texts.is_null().to_numpy(zero_copy_only=False).copy()
    if len(long):
        _, ends, data = long.buffers()
        begin = np.frombuffer(ends, np.int32)[long.offset]
        letters = np.frombuffer(data, np.uint8)[begin : begin + UUID_LENGTH * len(long)].reshape(-1, UUID_LENGTH)
        digits = NIBBLES[np.delete(letters, DASHES, axis=1)]
        is_uuid = (digits < 16).all(axis=1) & (letters[:, DASHES] == ord("-")).all(axis=1)
        where, digits = np.flatnonzero(is_long)[is_uuid], digits[is_uuid]
        values[where], good[where] = digits[:, 0::2] << 4 | digits[:, 1::2], True
    known = pa.array(good & texts.is_valid().to_numpy(zero_copy_only=False))
    result = pa.Array.from_buffers(pa.binary(16), len(texts), [known.buffers()[1], pa.py_buffer(values)])
    return good, result


def nulled(texts: pa.Array, meaning: Meaning) -> pa.Array:
    """Texts with null where one is declared to mean it."""
    if not meaning.null_values:
        return texts
    compared = pc.utf8_trim_whitespace(texts) if meaning.trim else texts
    found = pc.is_in(compared, pa.array(meaning.null_values, pa.string()))
    return pc.if_else(found, pa.scalar(None, pa.string()), texts) if found.true_count else texts


def _is_read(column: Column) -> bool:
    """Whether our own rules read the type; PostgreSQL reads the rest."""
    return arrow_type(column) != pa.string() or column.type.startswith("numeric")


def _checked(texts: pa.Array, column: Column) -> tuple[pa.Array, Refusals]:
    """Texts that stay texts: none has a NUL, which PostgreSQL has no room for, or is too long."""
    refused: Refusals = {}
    limit = length(column)
    if limit is not None:
        for position in _positions(pc.greater(pc.utf8_length(texts), limit)):
            refused[position] = f"{quoted(texts[position].as_py())} is longer than {column.type} allows"
    data = texts.buffers()[2]
    if data is not None and b"\0" in data.to_pybytes():  # cheaper than to look into each text
        for position in _positions(pc.match_substring(texts, "\0")):
            refused[position] = "a NUL stands in it, and PostgreSQL has none"
    return _without(texts, refused), refused


def _positions(mask: pa.Array) -> list[int]:
    found: list[int] = np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False)).tolist()
    return found


def _without(values: pa.Array, refused: Refusals) -> pa.Array:
    if not refused:
        return values
    mask = np.zeros(len(values), bool)
    mask[list(refused)] = True
    return pc.if_else(pa.array(mask), pa.scalar(None, values.type), values)


def _booleans(texts: pa.Array, column: Column) -> tuple[pa.Array, Refusals]:
    words = pc.utf8_lower(texts)
    true, false = (
        pc.is_in(words, pa.array([one.lower() for one in declared], pa.string()))
        for declared in (column.meaning.true_values, column.meaning.false_values)
    )
    known = pc.or_(pc.or_(true, false), texts.is_null())
    values = pc.if_else(pc.and_(known, texts.is_valid()), true, pa.scalar(None, pa.bool_()))
    return _refuse_each(texts, column, values, _positions(pc.invert(known)))


def _refuse_each(texts: pa.Array, column: Column, result: pa.Array, positions: list[int]) -> tuple[pa.Array, Refusals]:
    read, refused = exact(column), {}
    found, values = [], []
    for position, text in zip(positions, texts.take(pa.array(positions, pa.int64())).to_pylist(), strict=True):
        try:
            values.append(read(text))
            found.append(position)
        except ValueError as error:
            refused[position] = str(error)
    if found:
        mask = np.zeros(len(texts), bool)
        mask[found] = True
        result = pc.replace_with_mask(result, pa.array(mask), pa.array(values, result.type))
    return result, refused


@lru_cache(512)
def _plain(column: Column) -> Plain | None:
    """Which texts of a column are plain; None: none is."""
    kind, meaning = arrow_type(column), column.meaning
    if pa.types.is_integer(kind):
        return _number(DIGITS[kind], 0, meaning)
    if bounds := NUMERIC.fullmatch(column.type):
        precision, scale = int(bounds[1]), int(bounds[2])
        return _number(precision - scale, scale, meaning) if pa.types.is_decimal(kind) else None
    if column.type == "numeric" and meaning.decimal_mark == "." and not meaning.thousands_mark:
        return Plain(r"^-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?$")
    if pa.types.is_floating(kind):
        return _number(15, 20, meaning)
    if pa.types.is_date(kind):
        return _date(meaning)
    if pa.types.is_timestamp(kind):
        return _stamp(column, zoned=kind.tz is not None)
    if pa.types.is_time(kind) and meaning.time_format == ("iso",):
        return Plain("^" + CLOCK % (rf"(?:\.[0-9]{{1,{digits(column)}}})?" if digits(column) else "") + "$")
    return None


def _number(before: int, after: int, meaning: Meaning) -> Plain:
    """Numbers with at most so many digits before and after the mark."""
    mark, thousands = meaning.decimal_mark, meaning.thousands_mark
    whole = f"[0-9]{{1,{before}}}" if before else "0"
    if thousands and before > 5:
        whole = f"(?:{whole}|[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}}){{1,{(before - 3) // 3}}})"
    fraction = f"(?:{re.escape(mark)}[0-9]{{1,{after}}})?" if after else ""

    def canonical(texts: pa.Array) -> pa.Array:
        if thousands:
            texts = pc.replace_substring(texts, thousands, "")
        return texts if mark == "." else pc.replace_substring(texts, mark, ".")

    return Plain(f"^-?{whole}{fraction}$", canonical if thousands or mark != "." else None)


def _declared(forms: tuple[str, ...], order: str, after: str) -> Plain | None:
    """Dates and times of the first declared format, made ISO, if its parts have fixed widths."""
    letters = re.findall(r"%(.)", forms[0])
    if not set(letters) <= set(WIDTHS):
        return None
    parts = re.split(r"%(.)", forms[0])
    shape = "".join(re.escape(part) if i % 2 == 0 else f"([0-9]{{{WIDTHS[part]}}})" for i, part in enumerate(parts))
    rewritten = order.format(**{
        letter: rf"\{letters.index(letter) + 1}" if letter in letters else "00" for letter in WIDTHS
    })  # fmt: skip
    return Plain(f"^{shape}$", lambda texts: pc.replace_substring_regex(texts, f"^{shape}$", rewritten), after)


def _date(meaning: Meaning) -> Plain | None:
    if meaning.date_format[0] == "iso":
        return Plain(f"^{DATE}$")
    has_time = set(re.findall(r"%(.)", meaning.date_format[0])) - set("Ymd")
    return None if has_time else _declared(meaning.date_format, "{Y}-{m}-{d}", f"^{DATE}$")


def _stamp(column: Column, *, zoned: bool) -> Plain | None:
    meaning, kept = column.meaning, digits(column)
    zone = meaning.time_zone if zoned and meaning.time_zone not in ("UTC", "refuse") else None
    if meaning.timestamp_format[0] != "iso":
        if zoned and meaning.time_zone == "refuse":
            return None
        utc = "Z" if zoned and not zone else ""
        after = f"^{DATE}T{CLOCK % ''}{utc}$"
        plain = _declared(meaning.timestamp_format, "{Y}-{m}-{d}T{H}:{M}:{S}" + utc, after)
        return plain and plain._replace(zone=zone)
    clock = CLOCK % (rf"(?:\.[0-9]{{1,{kept}}})?" if kept else "")
    if zone:
        return Plain(f"^{DATE}[T ]{clock}$", zone=zone)
    offset = " ?(?:Z|[+-](?:0[0-9]|1[0-9]|2[0-3])(?::?[0-5][0-9])?)"
    if not zoned:
        return Plain(f"^{DATE}(?:[T ]{clock})?$")
    if meaning.time_zone == "refuse":
        return Plain(f"^{DATE}[T ]{clock}{offset}$", _tight)
    return Plain(f"^{DATE}(?:[T ]{clock}(?:{offset})?)?$", lambda texts: _in_utc(_tight(texts)))


def _tight(texts: pa.Array) -> pa.Array:
    """Without a blank before the offset."""
    if not pc.any(pc.match_substring_regex(texts, " [Z+-]")).as_py():
        return texts
    return pc.replace_substring_regex(texts, " (Z|[+-])", r"\1")


def _in_utc(texts: pa.Array) -> pa.Array:
    """With a Z where there is no offset."""
    if pc.all(pc.ends_with(texts, "Z")).as_py():
        return texts
    texts = pc.replace_substring_regex(texts, "^(.{10})$", r"\1T00:00")
    return pc.replace_substring_regex(texts, r"^(.{11}[0-9:.]*)$", r"\1Z")
