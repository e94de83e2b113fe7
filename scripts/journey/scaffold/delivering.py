"""What tells rows apart, how files come, and what their keys say."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from journey.loader.declaration.options import Options
from journey.loader.declaration.paths import columns_of_key
from journey.loader.errors import FileRefusedError
from journey.scaffold.proposal import Field, Note, Proposal, count
from journey.scaffold.types import decide

TELLING = re.compile(
    r"(?i)(^|[_\W])(id|key|nr|no|num|number|nummer|code|name|sku|uuid|ref|beleg\w*|position|pos|line)($|[_\W])|id$|nr$|nummer$"
)
KEYS = {"integer", "bigint", "smallint", "text", "uuid", "date", "numeric(38,0)"}
MOST = 8  # columns that are tried together
FEW = 20  # rows, below which a key rests on little
DATE = re.compile(r"\d{4}[-_]?\d{2}[-_]?\d{2}")


def partitions(proposal: Proposal, keys: Sequence[str]) -> None:
    """Columns of Hive's folders, such as `dt=2024-01-01/`."""
    options = Options(hive_partitions=True)
    found: dict[str, list[str | None]] = {}
    for key in keys:
        try:
            said = columns_of_key(options, proposal.pattern, key)
        except FileRefusedError:
            continue
        for name, value in said.items():
            found.setdefault(name, []).append(value)
    for name, values in found.items():
        one = Field(name, values=values)
        decide(one)
        one.notes.insert(0, Note(f"from the folder {name}=… of {count(len(values), 'key')}"))
        proposal.fields = [*(field for field in proposal.fields if field.name != name), one]
        proposal.options["hive_partitions"] = True


def find_keys(proposal: Proposal, rows: Sequence[int]) -> None:
    """The columns that tell rows apart, within files and among them.

    Args:
        proposal: with its fields.
        rows: of each sampled file, in the order of the fields' values.
    """
    total = sum(rows)
    able = [one for one in proposal.fields if one.type in KEYS and one.is_never_null and len(one.values) == total]
    able.sort(key=lambda one: not TELLING.search(one.name))
    if total < 2:
        return
    repeated = _repeated(proposal, rows)
    found = _key(able[:MOST], rows, repeated)
    told = " and ".join(one.name for one in found)
    tell = "tells" if len(found) == 1 else "tell"
    many = count(len(repeated), "row")
    if found and not repeated:
        proposal.keys = tuple(one.name for one in found)
        for one in found:
            one.is_key = True
        note, is_doubt = f"{told} {tell} rows apart in each file, of {total:,}", total < FEW or len(found) > 1
    elif found:
        twice = f"{many} is there twice; without it" if len(repeated) == 1 else f"{many} repeat others; without them"
        note, is_doubt = f"{twice} {told} {tell} rows apart in each file, of {total:,}", True
    else:
        note, is_doubt = f"no column, nor two or three, tell all of {total:,} rows apart", True
        note += (
            f"; {many} {'repeats another' if len(repeated) == 1 else 'repeat others'} in all columns"
            if repeated
            else ""
        )
    proposal.notes.append(Note(note, is_doubt=is_doubt))


def _key(able: Sequence[Field], rows: Sequence[int], repeated: set[int]) -> Sequence[Field]:
    """The fewest columns that tell rows apart, but for rows that repeat others; none if there are none."""
    for size in (1, 2, 3):
        for ones in itertools.combinations(able, size):
            if TELLING.search(ones[0].name) and _within(
                list(zip(*(one.values for one in ones), strict=True)), rows, repeated
            ):
                return ones
    return ()


def _repeated(proposal: Proposal, rows: Sequence[int]) -> set[int]:
    """Places of rows that repeat one of their file in all columns."""
    columns = [one.values for one in proposal.fields if len(one.values) == sum(rows)]
    if len(columns) < len(proposal.fields):
        return set()
    again, seen = set[int](), set[tuple[Any, ...]]()
    files = [file for file, many in enumerate(rows) for _ in range(many)]
    for at, row in enumerate(zip(files, *columns, strict=True)):
        if row in seen:
            again.add(at)
        seen.add(row)
    return again


def _within(values: Sequence[tuple[str | None, ...]], rows: Sequence[int], repeated: set[int]) -> bool:
    """Whether values are different within each file, but for rows that are left out."""
    begin = 0
    for many in rows:
        kept = [values[at] for at in range(begin, begin + many) if at not in repeated]
        if len(set(kept)) < len(kept):
            return False
        begin += many
    return True


def find_delivery(proposal: Proposal, rows: Sequence[int], files: int) -> None:
    """Whether files add to each other or state all rows again."""
    full = [many for many in rows if many]
    if files == 1:
        proposal.delivery = "One file so far"
        proposal.notes.append(Note("one file: how the next one comes isn't known", is_doubt=True))
        return
    columns = [one.values for one in proposal.fields if not proposal.keys or one.is_key]
    together = list(zip(*columns, strict=True)) if len({len(one) for one in columns}) == 1 else []
    if len(full) < 2 or not together:
        proposal.delivery = f"{files:,} files so far"
        proposal.notes.append(Note("too little was sampled to see whether files add to each other", is_doubt=True))
        return
    parts, begin = [], 0
    for many in rows:
        parts.append(set(together[begin : begin + many]))
        begin += many
    pairs = [(one, other) for one, other in itertools.pairwise([part for part in parts if part])]
    shared = sum(len(one & other) for one, other in pairs) / max(
        1, sum(min(len(one), len(other)) for one, other in pairs)
    )
    what = " and ".join(proposal.keys) if proposal.keys else "whole rows"
    said = f"{shared:.0%} of {what} in a sampled file are in the next one, too"
    if shared >= 0.8:
        proposal.delivery = "Each file states all rows again"
        proposal.notes.append(Note(f"full extracts: {said}"))
    elif shared <= 0.02:
        proposal.delivery = "Files add to each other"
        proposal.notes.append(Note(f"appended: {said}"))
    else:
        proposal.delivery = f"{files:,} files so far"
        proposal.notes.append(Note(f"{said}: could not decide whether files add to each other", is_doubt=True))


def look_at_names(proposal: Proposal, keys: Sequence[str]) -> None:
    """Dates in the names of files."""
    dated = [key for key in keys if DATE.search(key.rsplit("/", 1)[-1])]
    if len(dated) == len(keys) > 0 and "hive_partitions" not in proposal.options:
        name = DATE.sub("{delivered_on}", dated[0].rsplit("/", 1)[-1], count=1)
        note = (
            f"the names of all {count(len(keys), 'file')} have a date: key_pattern: '{name}' would make a column of it"
        )
        if keys == sorted(keys) and len(keys) > 1:
            note += "; listing: since_last_key lists only what is new"
        proposal.notes.append(Note(note))
