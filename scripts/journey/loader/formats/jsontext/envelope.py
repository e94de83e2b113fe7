"""An array within a JSON document: what comes before it, and what after it."""

from __future__ import annotations

import json
import re

import numpy as np

from journey.loader.errors import FileRefusedError
from journey.loader.formats.jsontext.buffer import BLANKS, RECORD_BYTES, Buffer
from journey.loader.formats.jsontext.objects import brackets, without_escapes

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|["{}\[\],:]', re.DOTALL)


def find_array(buffer: Buffer, path: str | None) -> int:
    """Take what comes before the array's elements.

    Args:
        buffer: the file from its beginning.
        path: the keys that lead to the array, with dots between; None: the file is the array.

    Returns:
        How many objects are around it.

    Raises:
        FileRefusedError: it isn't there.
    """
    wanted = path.split(".") if path else []
    while buffer.more():
        found = _search(buffer.data, wanted) if wanted else buffer.data.find(b"[") + 1
        if found:
            buffer.drop(found)
            return len(wanted)
        if buffer.is_last:
            break
        if len(buffer.data) > RECORD_BYTES:
            raise FileRefusedError(f"no array at path {path} in its first {RECORD_BYTES:,} bytes")
    raise FileRefusedError(f"there is no array at path {path}" if path else "no JSON array")


def after_array(buffer: Buffer, levels: int) -> None:
    """Read what comes after the array.

    Args:
        buffer: from the array's end on.
        levels: how many objects are still open.

    Raises:
        FileRefusedError: they aren't closed, or something follows.
    """
    while levels:
        found, depths = brackets(np.frombuffer(without_escapes(buffer.data), np.uint8))
        closed = np.flatnonzero(depths + levels == 0)
        if len(closed) or len(found):
            last = int(closed[0]) if len(closed) else len(found) - 1
            levels += int(depths[last])
            buffer.drop(int(found[last]) + 1)
        elif buffer.is_last or len(buffer.data) > RECORD_BYTES:
            raise FileRefusedError("the document doesn't end behind the array: the file is cut short")
        if levels:
            buffer.more()
    while not buffer.data.strip(BLANKS):
        buffer.drop(len(buffer.data))
        if not buffer.more():
            return
    raise FileRefusedError(f"something follows behind the document, in line {buffer.line} or later: not one JSON array")


def _search(data: bytes, wanted: list[str]) -> int:
    """Where the array's elements begin; 0 if it hasn't come yet."""
    keys: list[str | None] = []  # of the objects that are open; None in an array
    text, is_there = b"", False
    for token in TOKEN.finditer(data):
        mark = token[0]
        if is_there and mark != b"[":
            raise FileRefusedError(f"what stands at path {'.'.join(wanted)} is no array")
        if mark == b'"':
            return 0  # a text that goes on
        if mark == b"[" and is_there:
            return token.end()
        if mark in (b"{", b"["):
            keys.append("" if mark == b"{" else None)
        elif mark in (b"}", b"]"):
            if not keys:
                return 0
            keys.pop()
        elif mark == b":" and keys and keys[-1] is not None:
            keys[-1] = _unescaped(text)
            is_there = keys == wanted
        elif mark != b",":
            text = mark
    return 0


def _unescaped(text: bytes) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return ""
