"""What dates and times may look like: patterns that a column's values are tried against."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MARKS = {"/": ("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%Y/%m/%d"),
         ".": ("%d.%m.%Y", "%d.%m.%y", "%Y.%m.%d"),  # wherever dots are written, the day is first
         "-": ("iso", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d")}  # fmt: skip
NAMED = ("%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%d %b %y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y", "%d%b%Y")
CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
ZONES = ("", "%z", " %z")
DAY = re.compile(r"(19|20|21)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
DATED = re.compile(r"(?i)(date|day|datum|\btag\b|_am$|_on$|^on_|stichtag|time|zeit|_at$|^at\d*$|^ts$|stamp)")
SECONDS = range(10**9, 2 * 10**9)  # of 2001 to 2033, since 1970


def date_patterns(texts: Sequence[str]) -> list[str]:
    """Patterns that these texts may follow, as dates."""
    one = texts[0]
    found = [form for mark, forms in MARKS.items() if mark in one for form in forms]
    if re.search("[A-Za-z]", one):
        found = list(NAMED)
    elif re.fullmatch(r"\d{8}", one):
        found = ["%Y%m%d"]
    return found


def stamp_patterns(texts: Sequence[str]) -> Iterator[str]:
    """The same, as timestamps."""
    one = re.search(r"[T ]?(?=\d{1,2}:\d\d)", texts[0])
    if not one:
        if re.fullmatch(r"\d{14}", texts[0]):
            yield "%Y%m%d%H%M%S"
        return
    day = texts[0][: one.start()]
    for form in date_patterns([day]) if day else ():
        for clock in CLOCKS:
            for zone in ZONES:
                yield f"{'%Y-%m-%d' if form == 'iso' else form}{one[0]}{clock}{zone}"


def order(form: str) -> str:
    """What a pattern says comes first."""
    if form == "iso":
        return "YYYY-MM-DD"
    first = re.search("%([A-Za-z])", form)
    return {"d": "day first", "m": "month first", "Y": "year first", "y": "year first"}.get(first[1] if first else "",
                                                                                            form)  # fmt: skip
