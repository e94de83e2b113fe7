"""One JSON object read exactly: its keys, and each value's text as the file has it. `shapes` does the same, faster.

Every function raises ValueError with the reason for people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import numpy as np

from journey.loader.values.exact import quoted

NULL, STRING, NUMBER, BOOLEAN, OBJECT, ARRAY, SPECIAL = range(7)  # kinds of values
WORDS = {"null": NULL, "true": BOOLEAN, "false": BOOLEAN, "NaN": SPECIAL, "Infinity": SPECIAL, "-Infinity": SPECIAL}
DEPTH = 100  # levels of nesting; Python's own limit depends on its version and on who calls

NUMBER_FORM = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
SCALAR = re.compile(rf"(?P<number>{NUMBER_FORM})(?![0-9.])|{'|'.join(WORDS)}")
BLANKS = re.compile(r"[ \t\r\n]*")
SIMPLE = re.compile(  # a member without escapes and nothing nested in it, up to the next one's quote: most are such
    r'"(?P<key>[^"\\\x00-\x1f]*)":[ \t\r\n]*'
    rf'(?P<raw>"(?P<text>[^"\\\x00-\x1f]*)"|(?P<number>{NUMBER_FORM})|null|true|false),[ \t\r\n]*(?=")'
)
UNICODE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


class Member(NamedTuple):
    """A key and its value.

    Attributes:
        key: unescaped.
        kind: of the value.
        text: the value: a string's content, unescaped; anything else as the file has it.
        raw: the value as the file has it.
    """

    key: str
    kind: int
    text: str
    raw: str


def members(text: str, most: int) -> list[Member]:
    """The members of an object.

    Args:
        text: the object, perhaps with blanks around it.
        most: how many keys it may have.
    """
    if text.count("{") + text.count("[") > DEPTH and depth(text.encode("utf-8", "replace")) > DEPTH:
        raise ValueError(f"nested too deeply: more than {DEPTH} levels")
    at = _past(text, 0)
    if not text.startswith("{", at):
        raise ValueError(_no_object(text, at))
    found: list[Member] = []
    at = _past(text, at + 1)
    if text.startswith("}", at):
        return _ended(found, text, at + 1)
    keys = set[str]()
    while True:
        if simple := SIMPLE.match(text, at):
            key, raw, content, number = simple.groups()
            kind = STRING if content is not None else NUMBER if number else WORDS[raw]
            found.append(Member(key, kind, raw if content is None else content, raw))
            at = simple.end()
        else:
            member, at = _member(text, at)
            key = member.key
            found.append(member)
        if key in keys:
            raise ValueError(f"the key {quoted(key)} comes twice")
        keys.add(key)
        if len(found) > most:
            raise ValueError(f"more than {most:,} keys (max_columns)")
        if simple:
            continue
        at = _past(text, at)
        if text.startswith("}", at):
            return _ended(found, text, at + 1)
        if not text.startswith(",", at):
            raise _broken(text, at, "a comma or the object's end is expected")
        at = _past(text, at + 1)


def _member(text: str, at: int) -> tuple[Member, int]:
    """A key with its value, and where that ends."""
    if not text.startswith('"', at):
        raise _broken(text, at, "a key in double quotes is expected")
    key, at = string(text, at)
    at = _past(text, at)
    if not text.startswith(":", at):
        raise _broken(text, at, "a colon is expected")
    at = _past(text, at + 1)
    kind, content, end = value(text, at)
    return Member(key, kind, content, text[at:end]), end


def string(text: str, at: int) -> tuple[str, int]:
    """A string and its end.

    Args:
        text: where it stands.
        at: its opening quote.
    """
    try:
        found: tuple[str, int] = scanstring(text, at + 1, True)
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos, _in_words(error)) from None
    return found


def check_characters(raw: str) -> None:
    """Refuse escapes that aren't characters.

    Args:
        raw: JSON text.
    """
    high = -1
    for found in UNICODE.finditer(raw):
        code = int(found[1], 16) if found[1] else 0x20
        if code == 0:
            raise ValueError("a NUL (\\u0000) stands in a text, and PostgreSQL has none")
        is_low = 0xDC00 <= code < 0xE000
        if (high >= 0) != is_low or (is_low and high != found.start()):
            raise ValueError("half a surrogate pair in a text: no character")
        high = found.end() if 0xD800 <= code < 0xDC00 else -1
    if high >= 0:
        raise ValueError("half a surrogate pair in a text: no character")


def array_literal(raw: str, *, of_json: bool) -> str:
    """PostgreSQL's text of a JSON array.

    Args:
        raw: a valid JSON array.
        of_json: its elements are to be JSON; else objects are, and arrays within it are further dimensions.
    """
    literals, at = [], _past(raw, 1)
    while not raw.startswith("]", at):
        kind, text, end = value(raw, at)
        if kind == NULL:
            literals.append("NULL")
        elif kind == ARRAY and not of_json:
            literals.append(array_literal(text, of_json=False))
        elif kind in (NUMBER, BOOLEAN):
            literals.append(text)
        else:
            content = raw[at:end] if of_json else text
            literals.append('"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"')
        at = _past(raw, end)
        if raw.startswith(",", at):
            at = _past(raw, at + 1)
    return "{" + ",".join(literals) + "}"


def depth(data: bytes) -> int:
    """How deeply objects and arrays are nested in a JSON text."""
    _, levels = brackets(np.frombuffer(without_escapes(data), np.uint8))
    return int(levels.max(initial=0))


def without_escapes(data: bytes) -> bytes:
    """The same bytes with other ones in place of escaped quotes and backslashes: each quote left begins or ends."""
    if b"\\" not in data:
        return data
    return data.replace(b"\\\\", b"\2\2").replace(b'\\"', b"\2\2")


def brackets(data: np.ndarray, within: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Where brackets and braces are, outside strings, and how deep one is behind each.

    Args:
        data: bytes without escapes that don't begin within a string.
        within: what `inside` says of them, if that is known.
    """
    within = inside(data) if within is None else within
    lower = data | 32  # [ and { differ in this bit, and so do ] and }
    found = np.flatnonzero(((lower == 123) | (lower == 125)) & ~within)
    return found, np.cumsum(np.where(lower[found] == 123, 1, -1))


def inside(data: np.ndarray) -> np.ndarray:
    """Which bytes are within strings, the opening quote included."""
    return np.bitwise_xor.accumulate(data == 34)


def value(text: str, at: int) -> tuple[int, str, int]:
    """A value: its kind, what it says as `Member.text` has it, and its end.

    Args:
        text: where it stands.
        at: its first character.
    """
    first = text[at : at + 1]
    if first == '"':
        content, end = string(text, at)
        return STRING, content, end
    if first in ("{", "["):
        _, end = _scan(text, at)
        return OBJECT if first == "{" else ARRAY, text[at:end], end
    found = SCALAR.match(text, at)
    if not found:
        raise _broken(text, at, "a value is expected")
    return NUMBER if found["number"] else WORDS[found[0]], found[0], found.end()


def _scan(text: str, at: int) -> tuple[Any, int]:
    try:
        found: tuple[Any, int] = _scanner(text, at)
    except StopIteration as stop:
        raise _broken(text, int(stop.value), "a value is expected") from None
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos, _in_words(error)) from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A nested object. Nobody asks for its values: its text is kept."""
    if len(dict.fromkeys(key for key, _ in pairs)) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {quoted(next(key for key in keys if keys.count(key) > 1))} comes twice")
    return {}


def _special(token: str) -> Any:
    raise ValueError(f"{token} within a nested value is no JSON")


_scanner: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_special, parse_int=str, parse_float=str
).scan_once  # type: ignore[attr-defined]


def _past(text: str, at: int) -> int:
    found = BLANKS.match(text, at)
    return found.end() if found else at


def _ended(found: list[Member], text: str, at: int) -> list[Member]:
    end = _past(text, at)
    if end == len(text):
        return found
    told = "another value follows in the same line (layout: concatenated reads such a file)"
    raise _broken(text, end, told if text[end] in "{[" else "the object has ended")


def _no_object(text: str, at: int) -> str:
    kinds = {"[": "array", '"': "string", "n": "null", "t": "boolean", "f": "boolean"}
    try:
        kind, _, end = value(text, at)
    except ValueError:
        return f"not JSON at character {at + 1}: an object is expected"
    if _past(text, end) != len(text):
        return f"not JSON at character {at + 1}: an object is expected"
    return f"a JSON {kinds.get(text[at], 'number')} instead of an object" + (
        " (NaN is none)" if kind == SPECIAL else ""
    )


def _broken(text: str, at: int, what: str) -> ValueError:
    if at >= len(text):
        what = "it ends too soon (layout: concatenated reads objects of several lines)"
    return ValueError(f"not JSON at character {at + 1}: {what}")


def _in_words(error: json.JSONDecodeError) -> str:
    if error.msg.startswith("Unterminated string"):
        return "a text doesn't end"
    if error.msg.startswith("Invalid control character"):
        return "a control character stands in a text"
    return error.msg[:1].lower() + error.msg[1:]
