"""Which type and which options read a column's texts.

What reads all values and means one thing is proposed. What could mean two things stays text, and is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from journey.scaffold.moments import is_day, is_moment
from journey.scaffold.numbers import MARKS, read_numbers
from journey.scaffold.proposal import Field, Note, count, shortened
from journey.scaffold.texts import NULLS, Read, Texts, all_of, match, put
from journey.scaffold.times import date_patterns, stamp_patterns

TRUTHS = (
    ("true", "false"), ("t", "f"), ("yes", "no"), ("ja", "nein"), ("wahr", "falsch"), ("oui", "non"), ("vrai", "faux"),
)  # fmt: skip
FIRST = 300  # different values that are looked at where a column is text
LITTLE = 0.1  # of values that are of a type: worth a word


def decide(field: Field, *, quoted_nulls: bool = True, feed_mark: str | None = None, look: bool = True) -> set[str]:
    """Give a column its type, its options and notes, by its sampled values.

    Args:
        field: a column of text, which becomes what its values are.
        quoted_nulls: the format has empty texts that are no nulls.
        look: say where some values are of a type and others aren't, which takes longest.
        feed_mark: the decimal mark of the feed's other columns, which decides where a column's own values don't.

    Returns:
        The decimal marks that its values show beyond doubt.
    """
    texts = Texts(field.name, field.values)
    field.type, field.options, field.notes = "text", {}, []
    if not texts.total:
        field.notes.append(Note(f"none of {count(len(field.values), 'sampled row')} has a value: its type isn't known",
                                is_doubt=True))  # fmt: skip
        return set()
    marks = _try(field, texts, feed_mark)
    if field.type == "text" and not field.doubts and (nulls := [one for one in NULLS if one in texts.counts]):
        _without_nulls(field, texts, nulls, feed_mark, marks)
    if field.type == "text":
        _trimmed(field, texts, feed_mark, marks)
    if field.type == "text" and not field.notes and look:
        _mixed(field, texts)
    if texts.quoted_empty and quoted_nulls:
        _quoted(field, texts)
    return marks


def _try(field: Field, texts: Texts, feed_mark: str | None, **given: Any) -> set[str]:
    """Try the types, the narrowest first."""
    if _truth(field, texts, **given) or _unique(field, texts, **given):
        return set()
    if is_day(field, texts, **given) or is_moment(field, texts, **given):
        return set()
    marks = read_numbers(field, texts, feed_mark, **given)
    if field.type == "text" and not field.notes:
        _look(field, texts)
    return marks


def _truth(field: Field, texts: Texts, **given: Any) -> bool:
    """true and false, in some words."""
    found = {text.strip().lower() if given.get("trim") else text.lower() for text in texts.texts}
    for true, false in TRUTHS:
        if not found or not found <= {true, false}:
            continue
        options = {} if (true, false) == TRUTHS[0] else {"true_values": true, "false_values": false}
        only = f"; only {found.copy().pop()!r} was seen" if len(found) == 1 else ""
        return put(field, "boolean", f"{all_of(texts)}: {true} or {false}{only}", options,
                    is_doubt=bool(only and options))  # fmt: skip
    return False


def _unique(field: Field, texts: Texts, **given: Any) -> bool:
    return texts.all_read("uuid", **given) and put(field, "uuid", f"{match(texts)} 8-4-4-4-12 hexadecimal digits")


def _look(field: Field, texts: Texts) -> None:
    """What may be said of texts."""
    sample = texts.texts
    if any(re.fullmatch(r"\\x([0-9a-f]{2})+", text) for text in sample):
        field.notes.append(Note("looks like bytes of PostgreSQL: declare bytea if it is", is_doubt=True))
    if sample and all(re.fullmatch(r"\{.*\}", text, re.DOTALL) and not text.startswith('{"') for text in sample):
        field.notes.append(Note("looks like arrays of PostgreSQL: declare text[] or the like if it is", is_doubt=True))


def _without_nulls(field: Field, texts: Texts, nulls: list[str], feed_mark: str | None, marks: set[str]) -> None:
    """Try again without the words that mean null elsewhere."""
    texts.nulls = tuple(nulls)
    said = ", ".join(f"{one!r} ({texts.counts[one]:,})" for one in nulls)
    if not texts.texts:
        field.notes.append(Note(f"all values are {said}: its type isn't known", is_doubt=True))
        return
    marks |= _try(field, texts, feed_mark)
    if field.type != "text":
        field.options["null_values"] = ["", *nulls]
        field.notes.append(Note(f"{said} isn't one: taken for null", is_doubt=True))
    elif not field.doubts:
        texts.nulls = ()
        _look(field, texts)
        field.notes.append(Note(f"{said} could mean null: if so, declare null_values", is_doubt=True))


def _trimmed(field: Field, texts: Texts, feed_mark: str | None, marks: set[str]) -> None:
    """Try again without blanks around values."""
    around = [text for text in texts.texts if text != text.strip()]
    if not around:
        return
    before = list(field.notes)
    field.notes = []
    marks |= _try(field, texts, feed_mark, trim=True)
    said = f"{count(texts.share(around), 'value')} of {texts.total:,} {'has' if texts.share(around) == 1 else 'have'} "
    if field.type != "text":
        field.options["trim"] = True
        field.notes.append(Note(f"{said}blanks around: trim takes them off"))
    elif field.notes and any(note.is_doubt for note in field.notes):
        field.notes.append(Note(f"{said}blanks around, which trim: true takes off", is_doubt=True))
    else:
        field.notes = [*before, Note(f"{said}blanks around, which trim: true takes off", is_doubt=True)]


def _quoted(field: Field, texts: Texts) -> None:
    """Empty texts that are no nulls."""
    many = count(texts.quoted_empty, "value")
    if field.type != "text":
        field.options["quoted_nulls"] = True
        field.notes.append(Note(f'{many} of {texts.rows:,} {"is" if texts.quoted_empty == 1 else "are"} "": null'))
    else:
        note = f'{many} of {texts.rows:,} {"is" if texts.quoted_empty == 1 else "are"} "", an empty text; '
        field.notes.append(Note(f"{note}quoted_nulls: true would make it null", is_doubt=True))


def _mixed(field: Field, texts: Texts) -> None:
    """Say where some values are of a type and others aren't."""
    few = Texts(field.name, [])
    few.counts = Counter(dict(texts.counts.most_common(FIRST)))
    total = sum(few.counts.values())
    best: tuple[int, str, Read] | None = None
    for what, kind, meaning in _kinds(few.texts):
        read = few.read(kind, **meaning)
        good = [text for text in read.values if what != "numbers" or not re.match(r"[+-]?0\d", text)]
        if good and (best is None or few.share(good) > best[0]):
            best = few.share(good), what, read
    if best is None or best[0] < total * LITTLE:
        return
    first = shortened(next(iter(best[2].refused), ""))
    note = f"{best[0]:,} of {total:,} sampled values are {best[1]}, and {first} isn't: could not decide, declare it"
    field.notes.append(Note(note, is_doubt=True))


def _kinds(texts: Sequence[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What texts may be, each with a type and what is declared of it."""
    forms = dict.fromkeys(form for text in texts[:20] for form in date_patterns([text.strip()]))
    yield from (("dates", "date", {"date_format": form}) for form in forms)
    for mark, thousands in MARKS:
        if any(mark in text for text in texts) or mark == ".":
            yield "numbers", "numeric", {"decimal_mark": mark, "thousands_mark": thousands}
    yield "timestamps", "timestamptz", {}
    stamps = dict.fromkeys(form for text in texts[:5] for form in stamp_patterns([text.strip()]))
    yield from (("timestamps", "timestamptz" if "%z" in form else "timestamp", {"timestamp_format": form})
                for form in stamps)  # fmt: skip
    yield "times of day", "time", {}
    yield "UUIDs", "uuid", {}
    yield from (("true or false", "boolean", {"true_values": true, "false_values": false}) for true, false in TRUTHS)
