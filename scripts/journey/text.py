"""Text that came from outside (keys, headers, values, what servers say), made fit for a terminal and a log."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from difflib import get_close_matches

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (bidi marks, zero width), surrogates, line ends
PLAIN = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u024f]*")  # nothing to escape, seen at once


def shown(text: str) -> str:
    """The text with everything that has no picture of its own written out, such as \\x1b and \\u202e.

    A terminal then obeys nothing in it, and nothing in it reorders or hides what stands beside it.
    """
    return _escaped(text, lambda character: ascii(character)[1:-1])


def shown_json(text: str) -> str:
    """JSON with the same characters as JSON escapes: a reader gets the values as they are."""
    return _escaped(text, lambda character: json.dumps(character)[1:-1])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word that nobody knows: the known one that is most like it, or nothing.

    Args:
        word: what was written.
        known: what it could have been.
    """
    names = list(known)
    near = [name for name in names if name.endswith(f".{word}")] or get_close_matches(word, names, n=1)
    return f". Did you mean {near[0]}?" if near else ""


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if PLAIN.fullmatch(text):
        return text
    return "".join(escape(one) if unicodedata.category(one) in UNSEEN else one for one in text)
