"""What tells rows apart, how files come, and what their keys say."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

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
    able = able[:MOST]
    if total < 2:
        return
    for size in (1, 2, 3):
        for ones in itertools.combinations(able, size):
            if not TELLING.search(ones[0].name):
                continue
            values = list(zip(*(one.values for one in ones), strict=True))
            within = _within(values, rows)
            if not within:
                continue
            proposal.keys = tuple(one.name for one in ones)
            for one in ones:
                one.is_key = True
            told = " and ".join(proposal.keys)
            little = total < FEW or size > 1
            proposal.notes.append(Note(f"{told} tell{'s' if size == 1 else ''} rows apart in each file, of {total:,}",
                                       is_doubt=little))  # fmt: skip
            return
    proposal.notes.append(Note(f"no column, nor two or three, tell all of {total:,} rows apart", is_doubt=True))


def _within(values: Sequence[tuple[str | None, ...]], rows: Sequence[int]) -> bool:
    """Whether values are different within each file."""
    begin = 0
    for many in rows:
        if len(set(values[begin : begin + many])) < many:
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
