"""In which encoding a text is."""

from __future__ import annotations

from journey.loader.formats.dialect import MARKS, is_utf8
from journey.scaffold.proposal import Note, shortened

UTF_16 = ("utf-16-le", "utf-16-be")
GUESSES = ("windows-1252", "cp850")  # DOS has letters where Windows has no character
BLANKS = "\t\r\f\v\x01\x1f\x1a\xa0"  # that lines have between values and in them


def encoding_of(data: bytes) -> tuple[str, list[Note]]:
    """An encoding, and what it rests on.

    A byte order mark and UTF-8 can be known. Which encoding of one byte a character it is can't: windows-1252, or
    cp850 of DOS where that has no such character, is proposed, and said to be a guess.
    """
    for name, mark in MARKS:
        if data.startswith(mark):
            return (name if name == "utf-8" else name[:6]), [Note(f"its byte order mark says {name}")]
    sample = data[:4000]
    for name, zeros, others in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if len(zeros) > 4 and zeros.count(0) > len(zeros) * 0.4 and others.count(0) * 5 < zeros.count(0):
            return name, [Note(f"every other byte is 0, as in {name}")]
    if is_utf8(data) or any(is_utf8(data[:-cut]) for cut in (1, 2, 3)):
        return "utf-8", []
    lines = data.split(b"\n")
    broken = [line for line in lines if not is_utf8(line)]
    if len(broken) * 20 < len(lines) and _has_utf8(data):
        first = ", line 1 among them" if broken[0] is lines[0] else ""
        note = f"{len(broken):,} of {len(lines):,} lines aren't UTF-8{first}, and others have letters in UTF-8: those"
        note += " are refused"
        return "utf-8", [Note(note, is_doubt=True)]
    text = broken[0]
    name = next((one for one in GUESSES if _is_readable(text, one)), GUESSES[0])
    shown = shortened(text.decode(name, "replace").strip(), 50)
    note = f"it isn't UTF-8; {name} is a guess, in which it has {shown}: if that isn't right, declare another encoding"
    return name, [Note(note, is_doubt=True)]


def _has_utf8(data: bytes) -> bool:
    """Whether as many letters are UTF-8 as aren't; lines of ASCII alone, as below a header, are of any encoding."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", "ignore")) - broken >= broken


def _is_readable(line: bytes, name: str) -> bool:
    """Whether a line has characters alone, in an encoding, and none that a screen can't show."""
    try:
        text = line.decode(name)
    except UnicodeDecodeError:
        return False
    return all(one.isprintable() or one in BLANKS for one in text)
