"""How a delimited file is written: delimiters, quotes and the like are tried with the loader's reader.

What leaves the fewest rows refused is proposed, and the plainest of what does equally well.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from journey.scaffold.encodings import encoding_of
from journey.scaffold.proposal import Note, count, shortened
from journey.scaffold.sampling import Head
from journey.scaffold.trying import Trial, count_of_fields, trial

SINGLE = (",", ";", "\t", "|", "\x01", "§", "\x1f", "~", "^", "¦")
SEVERAL = ("||", "~|~", "|~|", "§§", "::", "^|^", "~~", ";;", "\t|\t")
FIRST_BYTES = 2**16  # that delimiters are tried on
LINES = 25  # at most before a header
COMMENTS = ("#", "--", "//")


def dialect(head: Head) -> tuple[dict[str, Any], list[Note]] | None:
    """The options that read a file, and what they rest on; None if it isn't delimited.

    Args:
        head: the file's beginning.
    """
    encoding, notes = encoding_of(head.data)
    base = {} if encoding == "utf-8" else {"encoding": encoding}
    text = head.first(FIRST_BYTES).data.decode(encoding, "replace").lstrip("\ufeff")
    if (found := re.match(r"(?i)sep=(.)\r?\n", text)) is not None:
        options = {**base, "delimiter": found[1], "sep_line": True}
        return _improved(head, options), [*notes, Note("its first line is Excel's sep=")]
    best: tuple[tuple[float, ...], dict[str, Any]] | None = None
    for delimiter in (one for one in (*SEVERAL, *SINGLE) if one in text):
        options = {**base, **({} if delimiter == "," else {"delimiter": delimiter})}
        options = _improved(head, options)
        score = _score(_try(head.first(FIRST_BYTES), options))
        if score is not None and (best is None or score < best[0]):
            best = score, options
    if best is None or best[0][0] > 0.5:
        return None
    options = _trailing(head, _escaped(head, best[1], text))
    return options, [*notes, *_notes(options, text)]


def _escaped(head: Head, options: dict[str, Any], text: str) -> dict[str, Any]:
    """Options with backslashes that escape, where \\N and other backslashes are in a file, as in dumps of databases."""
    mark = re.escape(options.get("delimiter", ","))
    is_dump = re.search(rf"(^|{mark})\\N({mark}|\r?$)", text, re.MULTILINE) and re.search(r"\\[^N]", text)
    if not is_dump or "escape_unquoted" in options or "escape" in options:
        return options
    before = _try(head, options)
    for more in ({"escape_unquoted": True}, {"escape_unquoted": True, "quote": None}):
        tried = trial(head, "csv", {**options, **more, "header": False}, before.names)
        if not tried.error and len(tried.refused) <= len(before.refused):
            return {**options, **more}
    return options


def _trailing(head: Head, options: dict[str, Any]) -> dict[str, Any]:
    """Options with a delimiter at each line's end, where the last column has neither name nor values."""
    done = _try(head, options)
    is_empty = bool(done.rows) and all(value in (None, "") for value in done.columns[-1])
    if is_empty and re.fullmatch(r"column_\d+", done.names[-1]) and "trailing_delimiter" not in options:
        tried = _try(head, {**options, "trailing_delimiter": True})
        if not tried.error and len(tried.refused) <= len(done.refused):
            return {**options, "trailing_delimiter": True}
    return options


def single(head: Head) -> tuple[dict[str, Any], list[Note]]:
    """The options that read a file as one column."""
    encoding, notes = encoding_of(head.data)
    base: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    if b"," in head.data:
        base |= {"delimiter": "\x01"}
    if b'"' in head.data:
        base |= {"quote": None}
    note = Note("no delimiter was found: each line is one value", is_doubt=True)
    return base, [*notes, note]


def _try(head: Head, options: Mapping[str, Any]) -> Trial:
    """Read it, with whatever names its header has."""
    return trial(head, "csv", {**options, "header_names": "number"})


def _score(done: Trial) -> tuple[float, ...] | None:
    """How well a file was read, less is better; None if not at all."""
    if done.error or len(done.names) < 2:
        return None
    lines = done.rows + len(done.refused)
    blank = sum(all(value in (None, "") for value in column) for column in done.columns) if done.rows else 0
    if lines and len(done.names) - blank < 2:
        return None
    share = len(done.refused) / lines if lines else 0.0
    options = [name for name in done.options if name not in ("encoding", "delimiter")]
    return (round(share, 3), blank, len(options), -len(done.names))


def _improved(head: Head, options: dict[str, Any]) -> dict[str, Any]:
    """Options with what else it takes to read more rows: one after the other, as long as each reads more."""
    small = head.first(FIRST_BYTES)
    while True:
        done = _try(small, options)
        bad = len(done.refused) + (1 if done.error or len(done.names) < 2 else 0)
        if not bad:
            return options
        best, better = bad - 0.5, None
        for more in _variants(small, options, done):
            tried = _try(small, {**options, **more})
            if tried.error or len(tried.names) < 2 or not tried.rows:
                continue
            if "skip_rows" in more and not _are_names(tried.names):
                continue
            left = len(tried.refused) + (0.25 if "short_rows" in more else 0)
            if "skip_rows" in more:  # of several, the one that leaves most rows
                left += 0.1 - tried.rows * 1e-6
            if left < best:
                best, better = left, {**options, **more}
        if better is None:
            return options
        options = better


def _are_names(names: Sequence[str]) -> bool:
    """Whether a line could be a header: nothing in it is a number or a date."""
    return not any(re.fullmatch(r"[-+\d.,:/| ]*\d[-+\d.,:/| ]*", name) or not name.isprintable() for name in names)


def _variants(head: Head, options: Mapping[str, Any], done: Trial) -> Iterator[dict[str, Any]]:
    """What may be declared besides, the plainest first."""
    encoding = options.get("encoding", "utf-8")
    text = head.data.decode(encoding, "replace").lstrip("\ufeff")
    lines = text.split("\n")
    if "comment" not in options:
        yield from ({"comment": one} for one in COMMENTS if any(line.startswith(one) for line in lines))
    if "skip_blank_lines" not in options and any(line in ("", "\r") for line in lines[:-1]):
        yield {"skip_blank_lines": True}
        if any(line in ("", "\r") for line in lines[:-1]):
            more: dict[str, Any] = {"skip_blank_lines": True}
            yield from ({"comment": one, **more} for one in COMMENTS if any(line.startswith(one) for line in lines))
    if "skip_rows" not in options and done.rows <= len(done.refused):  # else a good header would be skipped
        yield from ({"skip_rows": skipped} for skipped in range(1, min(LINES, len(lines) - 1)))
    if text.rstrip("\r\n").endswith("\x1a"):
        yield {"ctrl_z": True}
    if "\\" in text and "escape" not in options and "escape_unquoted" not in options:
        yield from ({"escape": "\\"}, {"escape_unquoted": True}, {"escape_unquoted": True, "quote": None})
    if "quote" not in options and "quote" in str([one.reason for one in done.refused]) + done.error:
        yield {"quote": None}
    if "quote" not in options and "'" in text:
        yield {"quote": "'"}
    if done.names and re.fullmatch(r"column_\d+", done.names[-1]):
        yield {"trailing_delimiter": True}
    if "skip_footer" not in options and done.refused and head.is_whole and (end := _footer(lines, done)):
        yield {"skip_footer": end}
    counts = [count_of_fields(one) for one in done.refused]
    is_short = any(0 < one < len(done.names) for one in counts)
    if "short_rows" not in options and is_short and len(counts) <= 2 * done.rows:
        yield {"short_rows": "null"}


def _footer(lines: Sequence[str], done: Trial) -> int:
    """How many lines at the end were refused, if they are few and all at the end."""
    total = len(lines) - (lines[-1] == "")
    blank = 0
    while done.options.get("skip_blank_lines") and blank < total - 1 and lines[total - 1 - blank].strip() == "":
        blank += 1
    total -= blank
    at = sorted({line for one in done.refused for line in range(one.line, one.line + one.lines)}, reverse=True)
    end = 0
    for line, expected in zip(at, itertools.count(total, -1), strict=False):
        if line != expected:
            break
        end += 1
    return end + blank if 0 < end <= 5 and end <= done.rows + 1 else 0


def _notes(options: Mapping[str, Any], text: str) -> list[Note]:
    """What the options rest on."""
    lines = text.split("\n")
    notes = [Note(f"delimiter {options.get('delimiter', ',')!r}: it divides lines into the same number of fields")]
    if skipped := options.get("skip_rows"):
        notes.append(Note(f"{count(skipped, 'line')} before the header, the first: {shortened(lines[0].strip(), 50)}"))
    if comment := options.get("comment"):
        first = next((line for line in lines if line.startswith(comment)), "")
        notes.append(Note(f"lines that begin with {comment} are no rows, such as {shortened(first.strip(), 50)}"))
    if footer := options.get("skip_footer"):
        notes.append(
            Note(f"{count(footer, 'line')} at the end {'is' if footer == 1 else 'are'} no row, the last: "
                 f"{shortened(text.rstrip().rpartition(chr(10))[2], 50)}: so it must be in every file", is_doubt=True)
        )  # fmt: skip
    if options.get("skip_blank_lines"):
        notes.append(Note("empty lines are between the rows"))
    if options.get("short_rows"):
        notes.append(Note("some rows have too few fields: the last columns are null in them", is_doubt=True))
    if "quote" in options:
        quoted = "a \" isn't around values here" if options["quote"] is None else "it is around values"
        notes.append(Note(f'quote {options["quote"]}: {quoted}; with " rows are refused', is_doubt=True))
    if options.get("escape") or options.get("escape_unquoted"):
        is_dump = "escape_unquoted" in options
        said = "as dumps of MySQL and PostgreSQL have it" if is_dump else "without that, rows are refused"
        notes.append(Note(f"a backslash escapes what follows: {said}", is_doubt=is_dump))
    if options.get("ctrl_z"):
        notes.append(Note("it ends with DOS's end-of-file character"))
    if options.get("trailing_delimiter"):
        notes.append(Note("each line ends with a delimiter"))
    return notes
