"""In which encoding a text is."""

from __future__ import annotations

from journey.loader.formats.dialect import MARKS, is_utf8
from journey.scaffold.proposal import Note, shortened

UTF_16 = ("utf-16-le", "utf-16-be")


def encoding_of(data: bytes) -> tuple[str, list[Note]]:
    """An encoding, and what it rests on.

    A byte order mark and UTF-8 can be known. Which encoding of one byte a character it is can't: windows-1252 is
    proposed, and said to be a guess.
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
    if len(broken) * 20 < len(lines):
        note = f"{len(broken):,} of {len(lines):,} lines aren't UTF-8, and the others are: those are refused"
        return "utf-8", [Note(note, is_doubt=True)]
    name = "windows-1252"
    try:
        text = broken[0].decode(name)
    except UnicodeDecodeError:
        name, text = "iso-8859-15", broken[0].decode("iso-8859-15")
    note = f"it isn't UTF-8; {name} is a guess, in which it has {shortened(text.strip(), 50)}: if that isn't right, "
    return name, [Note(f"{note}declare another encoding", is_doubt=True)]
