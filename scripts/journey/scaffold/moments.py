"""Whether a column's texts are days, times of day or moments. What could mean two of them is neither."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from journey.scaffold.proposal import Field, Note, shortened
from journey.scaffold.texts import Read, Texts, all_of, match, put
from journey.scaffold.times import DATED, DAY, date_patterns, order, stamp_patterns

SHARE = 0.01  # of values that may be refused, as by max_reject_rate's default


def is_day(field: Field, texts: Texts, **given: Any) -> bool:
    """Dates. Of several patterns that read all values, none is taken, unless they say the same of each."""
    candidates = date_patterns([text.strip() for text in texts.texts[:1]])
    read = {form: texts.read("date", date_format=form, **given) for form in candidates}
    full = {form: one for form, one in read.items() if not one.refused}
    if candidates == ["%Y%m%d"] and full:
        return _digits(field, texts)
    if not full:
        return _mostly_days(field, texts, read)
    return _of_patterns(field, texts, "date", "date_format", {form: one.values for form, one in full.items()}, read)


def _digits(field: Field, texts: Texts) -> bool:
    """Eight digits: a date if the name says so, too."""
    if not all(DAY.fullmatch(text.strip()) for text in texts.texts):
        return False
    if DATED.search(field.name):
        return put(field, "date", f"{match(texts)} YYYYMMDD, and its name is a date's", {"date_format": "%Y%m%d"},
                    is_doubt=True)  # fmt: skip
    note = f"{match(texts)} YYYYMMDD: if it is a date, declare date with date_format: '%Y%m%d'"
    return put(field, "integer", note, is_doubt=True)


def _mostly_days(field: Field, texts: Texts, read: Mapping[str, Read]) -> bool:
    """Dates in which few values are none."""
    best = min(read, key=lambda form: texts.share(read[form].refused), default=None)
    if best is None or not read[best].values:
        return False
    bad = texts.share(read[best].refused)
    good = texts.total - bad
    if bad <= SHARE * texts.total:
        others = [form for form in read if form != best and texts.share(read[form].refused) < texts.total * 0.5]
        first = next(iter(read[best].refused))
        note = f"{good:,} of {texts.total:,} sampled values are dates ({_spelled(best)}); {shortened(first)} is refused"
        options = {} if best == "iso" else {"date_format": best}
        return put(field, "date", note + _decided(texts, best, others, read), options, is_doubt=True)
    return False


def _of_patterns(
    field: Field, texts: Texts, kind: str, option: str, full: Mapping[str, Mapping[str, Any]], read: Mapping[str, Read]
) -> bool:
    """One of the patterns that read all values, or none."""
    forms = list(full)
    if any(full[form] != full[forms[0]] for form in forms[1:]):
        text = next(text for text in texts.texts if len({str(full[form].get(text)) for form in forms}) > 1)
        said = " or ".join(dict.fromkeys(order(form) if kind == "date" else form for form in forms))
        note = f"{shortened(text)} could be {said}, and so could {all_of(texts)}: could not decide, declare {kind}"
        note += f" with {option}: " + " or ".join(f"'{form}'" for form in forms)
        field.notes.append(Note(note, is_doubt=True))
        return True
    best = forms[0]
    others = [form for form in read if form not in full and read[form].values]
    said = f"{match(texts)} {_spelled(best)}" + _decided(texts, best, others, read)
    return put(field, kind, said, {} if best == "iso" else {option: best})


def _decided(texts: Texts, best: str, others: Sequence[str], read: Mapping[str, Read]) -> str:
    """By how many values a pattern is told from the others."""
    rival = min(others, key=lambda form: texts.share(read[form].refused), default=None)
    if rival is None or order(rival) == order(best):
        return ""
    return f"; {texts.share(read[rival].refused):,} of {texts.total:,} values decide for {order(best)}"


def _spelled(form: str) -> str:
    for letter, word in (("%Y", "YYYY"), ("%m", "MM"), ("%d", "DD"), ("%y", "YY"), ("%b", "Mon"), ("%B", "Month")):
        form = form.replace(letter, word)
    return "YYYY-MM-DD" if form == "iso" else form


def is_moment(field: Field, texts: Texts, **given: Any) -> bool:
    """Timestamps and times of day."""
    if field.notes:
        return False
    if texts.all_read("time", **given):
        return put(field, "time", f"{match(texts)} HH:MM")
    for clock in ("%I:%M %p", "%I:%M:%S %p"):
        if re.search("(?i)m$", texts.texts[0]) and texts.all_read("time", time_format=clock, **given):
            return put(field, "time", f"{match(texts)} {clock}", {"time_format": clock})
    if texts.all_read("timestamptz", **given):
        return _zoned(field, texts, None, **given)
    read = {form: texts.read("timestamptz" if "%z" in form else "timestamp", timestamp_format=form, **given)
            for form in stamp_patterns([text.strip() for text in texts.texts[:1]])}  # fmt: skip
    full = {form: one.values for form, one in read.items() if not one.refused}
    if not full:
        return False
    if any(full[form] != next(iter(full.values())) for form in full):
        return _of_patterns(field, texts, "timestamp", "timestamp_format", full, read)
    _zoned(field, texts, next(iter(full)), **given)
    field.notes[-1] = field.notes[-1]._replace(
        text=field.notes[-1].text
        + _decided(texts, next(iter(full)), [form for form in read if read[form].values], read)
    )
    return True


def _zoned(field: Field, texts: Texts, form: str | None, **given: Any) -> bool:
    """Timestamps with and without a zone."""
    options = {"timestamp_format": form} if form else {}
    said = f"{match(texts)} {form or 'YYYY-MM-DD HH:MM'}"
    local = {} if form and "%z" in form else texts.read("timestamp", **options, **given).values
    if not local:
        return put(field, "timestamptz", f"{said}, with a zone", options)
    if texts.share(local) < texts.total - texts.share(texts.nulls):
        note = (
            f"{said}; {texts.share(local):,} of {texts.total:,} have no zone: declare their time_zone, or UTC is taken"
        )
        return put(field, "timestamptz", note, options, is_doubt=True)
    note = f"{said}, without a zone: if you know it, declare timestamptz, and time_zone in options.columns"
    return put(field, "timestamp", note, options, is_doubt=True)
