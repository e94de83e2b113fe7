"""Whether a column's texts are numbers, and which marks they have. What could mean two numbers is none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from journey.scaffold.proposal import Field, Note, count, shortened
from journey.scaffold.texts import Texts, are, put
from journey.scaffold.times import DATED, SECONDS

MARKS = ((".", None), (",", None), (".", ","), (",", "."), (".", "'"), (".", "’"), (",", " "), (",", "\u00a0"),
         (",", "\u202f"), (".", " "))  # fmt: skip
BESIDE = re.compile(r"[$€£¥%]|\b(EUR|USD|GBP|CHF)\b|^\(.*\d.*\)$|\d-$|\d\s?(kg|g|l|ml|cm|mm|m|km|Stk)$")


def read_numbers(field: Field, texts: Texts, feed_mark: str | None, **given: Any) -> set[str]:
    """Whole numbers and decimals, by the marks that read them all."""
    sample = texts.texts
    stripped = [text.strip() for text in sample]
    if field.notes or not sample or not re.search(r"\d", stripped[0]):
        return set()
    if any(re.fullmatch(r"[+-]?0\d+", text) for text in stripped) or any(text.startswith("+") for text in stripped):
        if texts.all_read("numeric", **given):
            field.notes.append(Note("digits with zeros or a plus before them: no number, but a name of something"))
        return set()
    if texts.all_read("numeric", **given) and all(re.fullmatch(r"-?\d+", text) for text in stripped):
        return _whole(field, texts, stripped)
    found: dict[tuple[str, str | None], Mapping[str, Any]] = {}
    for mark, thousands in MARKS:
        if any(mark in text or (thousands or mark) in text for text in sample):
            read = texts.read("numeric", decimal_mark=mark, thousands_mark=thousands, **given)
            if not read.refused:
                found[mark, thousands] = read.values
    if not found:
        return _floats(field, texts, **given)
    return _of_marks(field, texts, found, feed_mark)


def _whole(field: Field, texts: Texts, stripped: Sequence[str]) -> set[str]:
    largest = max(abs(int(text)) for text in stripped)
    kind = "integer" if largest <= 10**9 else "bigint" if largest < 10**18 else "numeric(38,0)"
    note = are(texts, "is a whole number", "are whole numbers")
    unit = _counted(field.name, [Decimal(text) for text in stripped])
    note += f" that could count {unit} since 1970: if so, declare timestamptz with epoch_unit: {unit}" if unit else ""
    put(field, kind, note, is_doubt=bool(unit))
    return set()


def _counted(name: str, numbers: Sequence[Decimal]) -> str | None:
    """What numbers may count since 1970, by their size and the column's name."""
    if not DATED.search(name):
        return None
    for unit, many in (("s", 1), ("ms", 1000), ("us", 10**6)):
        if sum(int(number // many) in SECONDS for number in numbers) * 2 >= len(numbers):
            return unit
    return None


def _of_marks(
    field: Field, texts: Texts, found: Mapping[tuple[str, str | None], Mapping[str, Any]], feed_mark: str | None
) -> set[str]:
    """Decimals by the marks that read all of them; where two read them otherwise, the feed's other columns decide."""
    meanings: dict[tuple[str, ...], list[tuple[str, str | None]]] = {}
    for marks, values in found.items():
        meanings.setdefault(tuple(str(_plain(values[text])) for text in texts.texts), []).append(marks)
    because = ""
    if len(meanings) > 1 and feed_mark is not None:
        kept = {values: [one for one in marks if one[0] == feed_mark] for values, marks in meanings.items()}
        if len(kept := {values: marks for values, marks in kept.items() if marks}) == 1:
            meanings, because = kept, f"; other columns decide for {feed_mark!r} as decimal_mark"
    if len(meanings) > 1:
        text = next(text for text in texts.texts if len({str(_plain(one[text])) for one in found.values()}) > 1)
        said = " or ".join(dict.fromkeys(str(_plain(values[text])) for values in found.values()))
        field.notes.append(
            Note(f"{shortened(text)} could be {said}: could not decide, declare decimal_mark and thousands_mark",
                 is_doubt=True)
        )  # fmt: skip
        return set()
    [[(mark, thousands), *_]] = meanings.values()
    numbers = [str(_plain(found[mark, thousands][text])) for text in texts.texts]
    written = [text.rpartition(mark)[2].strip() if mark in text else "" for text in texts.texts]
    scale = max(map(len, written))
    options = {} if mark == "." else {"decimal_mark": mark}
    options |= {"thousands_mark": thousands} if thousands else {}
    if scale == 0:
        note = f"{are(texts, 'is a whole number', 'are whole numbers')} with {thousands!r} between thousands{because}"
        put(field, "bigint", note, options)
        return {mark}
    if set("".join(written)) <= {"0"} and scale == 1 and texts.rows > texts.share(texts.texts):
        note = f"{are(texts, 'ends', 'end')} in {mark}0, and others are missing: whole numbers that were floats"
        put(field, "bigint", note, {"whole_decimals": True, **options})
        return {mark}
    put(field, *_numeric(texts, numbers, scale, because), options)
    if unit := _counted(field.name, [Decimal(one) for one in numbers]):
        note = f"most could count {unit} since 1970: if so, declare timestamptz with epoch_unit: {unit}"
        field.notes.append(Note(note, is_doubt=True))
    return {mark} if not because else set()


def _numeric(texts: Texts, numbers: Sequence[str], scale: int, because: str) -> tuple[str, str]:
    """The type of decimals, and what it rests on."""
    if scale > 9 and any(Decimal(repr(float(one))) != Decimal(one) for one in numbers):
        return (
            "numeric",
            f"{are(texts, 'is a decimal', 'are decimals')}, with more digits than a float keeps{because}",
        )
    if scale > 9 or any("e" in one.lower() for one in texts.texts):
        return (
            "double precision",
            f"{are(texts, 'is a decimal', 'are decimals')}, with up to {scale} digits behind the mark{because}",
        )
    before = max(len(one.lstrip("-").split(".")[0]) for one in numbers)
    kept = max(2, scale)
    kind = f"numeric({min(38, max(14, before + kept + 3))},{kept})"
    return (
        kind,
        f"{are(texts, 'is a decimal', 'are decimals')}, with up to {count(scale, 'digit')} behind the mark{because}",
    )


def _plain(value: Any) -> Any:
    """A number without zeros at its end."""
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text.lower() else text


def _floats(field: Field, texts: Texts, **given: Any) -> set[str]:
    """Numbers with infinity and NaN among them."""
    if any(one in texts.counts for one in ("inf", "-inf", "Infinity", "-Infinity")):
        if texts.all_read("double precision", **given):
            put(
                field,
                "double precision",
                f"{are(texts, 'is a decimal', 'are decimals')}, infinity or NaN",
                is_doubt=True,
            )
        return set()
    beside = [text for text in texts.texts if BESIDE.search(text) and re.search(r"\d", text)]
    if len(beside) * 2 >= len(texts.texts):
        note = f"{shortened(beside[0])}: something stands beside the number; make a number of it in the staging view"
        field.notes.append(Note(note, is_doubt=True))
        return set()
    return set()
