"""An exact reading of JSON lines by Python's own json, decimal and datetime."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from journey.loader.values.meaning import Column
from loader.json_files import DECLARED


class Raw(str):
    """A number as it is written."""


EITHER = object()  # its text may be too long


class RefusedError(Exception):
    """The reference refuses it."""


NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
STAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?"
    r"(?: ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(found)) < len(found):
        raise RefusedError
    return dict(found)


def is_half(text: str) -> bool:
    """Whether it has half a surrogate pair."""
    return any("\ud800" <= one < "\ue000" for one in text)


class Special(str):
    """NaN or infinity, which are no JSON."""


def has_special(value: Any) -> bool:
    """Whether one is nested in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(one, Special) or has_special(one) for one in inner)


def expected(line: bytes, columns: Sequence[Column]) -> tuple[Any, ...] | None:
    """What the line is, by Python's json; None: refused."""
    try:
        found = json.loads(
            line.decode(), object_pairs_hook=pairs, parse_int=Raw, parse_float=Raw, parse_constant=Special
        )
        if not isinstance(found, dict) or any(map(has_special, found.values())):
            return None
        plain = [(key.strip(" \t\r\n\x01\v\f\x1c\x1d\x1e\x1f\x85\xa0").lower(), value) for key, value in found.items()]
        named = pairs([(key, value) for key, value in plain if key in DECLARED])
        return tuple(value_of(named.get(column.name), column.type) for column in columns)
    except (RefusedError, ValueError, ArithmeticError):
        return None


def value_of(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if isinstance(value, Special):
        if kind != "double precision":
            raise RefusedError
        return float(value)
    if kind == "jsonb":
        if "\0" in str(value) or (
            not str(value).isprintable() and any("\ud800" <= one < "\ue000" for one in str(value))
        ):
            raise RefusedError
        return value
    if isinstance(value, (dict, list)):
        str(value).encode()
        if "\\x00" in repr(value) or "\\ud" in repr(value):
            raise RefusedError
        if kind == "integer[]" and isinstance(value, list):
            return value
        if kind == "character varying(3)":
            return EITHER
        if kind == "text":
            return value
        raise RefusedError
    if isinstance(value, bool):
        if kind == "boolean":
            return value
        if kind in ("text", "character varying(3)", "integer[]"):
            return short(json.dumps(value), kind)
        raise RefusedError
    is_number = isinstance(value, Raw)
    if "\0" in value or is_half(value):
        raise RefusedError
    if kind in ("text", "character varying(3)", "integer[]"):
        return short(str(value), kind)
    if kind in ("integer", "bigint"):
        if not re.fullmatch("-?[0-9]+" if is_number else "[+-]?[0-9]+", value, re.ASCII):
            raise RefusedError
        return within(int(value), 2 ** (31 if kind == "integer" else 63))
    if kind.startswith("numeric"):
        return exact_decimal(value, int(kind[8]), 2)
    if kind == "double precision":
        if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", value, re.ASCII):
            if not is_number and re.fullmatch(r"[+-]?(nan|inf(inity)?)", value, re.IGNORECASE):
                return float(value)
            raise RefusedError
        if abs(float(value)) == float("inf"):
            raise RefusedError
        return float(value)
    if is_number:
        raise RefusedError
    if kind == "boolean":
        if value.lower() not in ("true", "false"):
            raise RefusedError
        return value.lower() == "true"
    return moment(value, kind)


def short(value: str, kind: str) -> str:
    if kind == "character varying(3)" and len(value) > 3:
        raise RefusedError
    return value


def within(value: int, limit: int) -> int:
    if not -limit <= value < limit:
        raise RefusedError
    return value


def exact_decimal(text: str, precision: int, scale: int) -> Decimal:
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", text, re.ASCII):
        raise RefusedError
    value = Decimal(text)
    if value != 0 and (value.adjusted() > 30 or value.adjusted() < -30 or value * 100 % 1):
        raise RefusedError
    if abs(value) >= 10 ** (precision - scale):
        raise RefusedError
    return value.quantize(Decimal("0.01"))


def moment(text: str, kind: str) -> Any:
    found = STAMP.fullmatch(text)
    if not found:
        raise RefusedError
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if kind == "date":
        if hour is not None or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            raise RefusedError
        return date(int(year), int(month), int(day))
    kept = 3 if kind.startswith("timestamp(3)") else 6
    if (fraction or "")[kept:].strip("0"):
        raise RefusedError
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    value = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro)
    if kind.endswith("without time zone"):
        if zone:
            raise RefusedError
        return value
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[3:].strip(":") or 0)
        if hours > 23 or minutes > 59:
            raise RefusedError
        value -= (1 if zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes)
    return value.replace(tzinfo=timezone.utc)


def same(column: Column, found: Any, wanted: Any) -> bool:
    """Whether a value is the exact reading's."""
    if column.type == "jsonb" or (isinstance(wanted, (dict, list)) and column.type != "integer[]"):
        return bool((None if found is None else json.loads(found, parse_int=Raw, parse_float=Raw)) == wanted)
    if column.type == "integer[]" and isinstance(wanted, list):
        return bool(found == array_text(wanted))
    if isinstance(wanted, float):
        return bool(repr(found) == repr(wanted))
    return bool((found == wanted and type(found) is type(wanted)) or (isinstance(wanted, Raw) and found == str(wanted)))


def array_text(value: Any) -> str:
    if isinstance(value, list):
        return "{" + ",".join(map(array_text, value)) + "}"
    if isinstance(value, dict):
        return "{object}"
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return json.dumps(value)
    return (
        str(value)
        if not isinstance(value, str) or isinstance(value, Raw)
        else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
