"""From files in S3 to a proposal that was tried on each sampled file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from journey.errors import JourneyError, UsageError
from journey.loader.declaration.paths import columns_of_key
from journey.loader.errors import FileRefusedError
from journey.loader.judging import Judge
from journey.loader.reading import Reading
from journey.loader.values.meaning import Column
from journey.scaffold import shapes, typed
from journey.scaffold.delivering import find_delivery, find_keys, look_at_names, partitions
from journey.scaffold.naming import is_persons
from journey.scaffold.proposal import Field, Note, Proposal, Tried, count, shortened, table_columns
from journey.scaffold.sampling import Listing, Sample, chosen, listing, sample, zip_members
from journey.scaffold.trying import MOST_ROWS
from journey.scaffold.types import decide

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FILES = 5  # that are looked at
ABLE = {  # the types that an option of values is for
    "decimal_mark": ("numeric", "double", "real"),
    "thousands_mark": ("numeric", "bigint", "integer"),
    "date_format": ("date",),
    "timestamp_format": ("timestamp",),
}
PERSONAL = "by its name a person's: if so, say what others get of it, by config: {meta: {pii: …}} (docs/roles.md)"
SHOWN = 3  # reasons that are told of a file


class Unasked(Judge):
    """PostgreSQL isn't there: what it would refuse of its own types, nobody knows yet."""

    def __init__(self) -> None:
        """Nothing to connect to."""

    def refuse(
        self,
        arrays: Sequence[pa.Array],  # noqa: ARG002
        columns: Sequence[Column],  # noqa: ARG002
    ) -> dict[int, tuple[str, str]]:
        """Nothing."""
        return {}


def propose(client: S3Client, bucket: str, path: str, *, source: str, table: str, files: int = FILES) -> Proposal:
    """Look at files, and propose how they are declared.

    Args:
        client: of S3.
        bucket: of the files.
        path: a folder, a key, or a pattern, as a location has it.
        source: dbt's name of the source.
        table: name of the table.
        files: how many are looked at.

    Raises:
        UsageError: nothing is there that can be read.
    """
    found = listing(client, bucket, path)
    samples = [sample(client, bucket, one) for one in chosen(found.files, files)]
    good = [one for one in samples if one.format]
    if not good:
        raise UsageError(f"s3://{bucket}/{path}: {samples[0].key}: {samples[0].error}")
    kinds = [one.format for one in good]
    kind = max(dict.fromkeys(kinds), key=kinds.count)
    shape = _shape([one for one in good if one.format == kind])
    proposal = Proposal(source, table, bucket, found.pattern, shape.format, shape.options, shape.fields, shape.notes)
    proposal.fields = [one for one in proposal.fields if _is_a_name(one, proposal)]
    if not proposal.fields:
        why = "".join(f"; {note.text}" for note in proposal.notes if note.is_doubt)
        raise UsageError(f"s3://{bucket}/{path}: {samples[0].key}: no column was found in it{why}")
    _about_files(proposal, found, samples, kind)
    partitions(proposal, [one.key for one in found.files])
    if not shape.is_typed:
        _types(proposal)
    _try(proposal, [one for one in samples if one.format == kind])
    rows = [one.rows for one in proposal.tried]
    find_keys(proposal, rows)
    if proposal.keys:
        proposal.options["key_columns"] = list(proposal.keys)
    find_delivery(proposal, rows, len(found.files))
    look_at_names(proposal, [one.key for one in found.files])
    for one in proposal.fields:
        if is_persons(one.name, table):
            one.notes.append(Note(PERSONAL, is_doubt=True))
    return proposal


def _shape(samples: Sequence[Sample]) -> shapes.Shape:
    """What the files are; those of types of their own are looked at one after the other."""
    kind = samples[0].format
    if kind == "text":
        shape = shapes.of_texts(samples)
    elif kind == "xlsx":
        shape = typed.of_workbook(samples[0].files[0])
    else:
        shape = typed.of_columns(samples[0].files[0], kind)
    if samples[0].members:
        names = [one.key for one in samples[0].heads]
        shape.options["zip_members"] = zip_members(samples[0].members, names)
        left = [name for name in samples[0].members if name not in names]
        said = f"an archive of {count(len(samples[0].members), 'member')}"
        shape.notes.append(Note(f"{said}; {', '.join(left[:3])} may be left out" if left else said, bool(left)))
    return shape


def _is_a_name(field: Field, proposal: Proposal) -> bool:
    """Whether a column can be called so."""
    is_one = bool(field.name.strip()) and len(field.name.encode()) <= 63 and field.name.isprintable()
    is_one = is_one and "{" not in field.name and field.name != "_file_id"
    if not is_one:
        note = f"{shortened(field.name)} can't be the name of a column here and isn't declared"
        proposal.notes.append(Note(note, is_doubt=True))
    return is_one


def _about_files(proposal: Proposal, found: Listing, samples: Sequence[Sample], kind: str) -> None:
    """What is to be said of the files."""
    if found.others:
        said = ", ".join(found.others[:3]) + (" …" if len(found.others) > 3 else "")
        note = f"the location leaves out {count(len(found.others), 'file')} of other endings: {said}"
        proposal.notes.append(Note(note, is_doubt=True))
    if not found.is_all:
        proposal.notes.append(Note(f"only the first {len(found.files):,} files were listed", is_doubt=True))
    for one in samples:
        if one.format != kind:
            proposal.notes.append(Note(f"{one.key} isn't like the others: {one.error or one.format}", is_doubt=True))
    for head in (head for one in samples for head in one.heads):
        if not head.is_whole:
            proposal.notes.append(Note("of large files, only the beginning was read"))
            break


def _types(proposal: Proposal) -> None:
    """Decide the types; columns that show a decimal mark decide for those that don't."""
    has_quotes = proposal.format in ("csv",)
    undecided = [one for one in proposal.fields if one.type == "text" and not one.options]
    kept = {one.name: list(one.notes) for one in undecided}
    if proposal.format in ("json", "jsonl"):
        return
    marks: set[str] = set()
    for again in (False, True):
        for one in undecided:
            if again and not any("could be" in note.text for note in one.notes):
                continue
            mark = next(iter(marks)) if len(marks) == 1 else None
            shown = decide(one, quoted_nulls=has_quotes, feed_mark=mark if again else None)
            marks |= set() if again else shown
            one.notes += kept[one.name]
    _common(proposal)
    _thousands(proposal)
    for one in proposal.fields:  # what is null in the feed is null in a column that has other words, too
        if "null_values" in one.options:
            one.options["null_values"] = list(
                dict.fromkeys([*one.options["null_values"], *proposal.options.get("null_values", ())])
            )


def _common(proposal: Proposal) -> None:
    """Options that most columns share are the feed's."""
    for name in ABLE:
        given = [one.options[name] for one in proposal.fields if name in one.options]
        able = ABLE[name]
        columns = [one for one in proposal.fields if one.type.startswith(able)]
        if not given or len(set(given)) > 1 or any(name not in one.options for one in columns):
            continue
        proposal.options[name] = given[0]
        for one in proposal.fields:
            one.options.pop(name, None)


def _thousands(proposal: Proposal) -> None:
    """Say which columns have a decimal comma and no value that would show a mark between thousands."""
    small = []
    for one in proposal.fields:
        declared = {**proposal.options, **one.options}
        if not one.type.startswith("numeric") or declared.get("decimal_mark") != "," or "thousands_mark" in declared:
            continue
        if not any(re.search(r"\d{4}", (value or "").partition(",")[0]) for value in one.values):
            small.append(one.name)
    if small:
        note = f"no sampled value of {', '.join(small)} reaches 1000: if larger ones are written like 1.234,56, declare"
        proposal.notes.append(Note(f"{note} thousands_mark, or they are refused", is_doubt=True))


def _try(proposal: Proposal, samples: Sequence[Sample]) -> None:
    """Read each sampled file as it is declared by now."""
    try:
        source = proposal.declaration()
    except UsageError as error:
        raise UsageError(f"what was found can't be declared: {error}") from error
    for one in samples:
        if one.files:
            proposal.tried.append(_read(source, one))
    bad = [one for one in proposal.tried if one.error]
    for done in bad:
        proposal.notes.append(Note(f"{done.key} can't be read so: {done.error}", is_doubt=True))
    for done in proposal.tried:
        if done.refused:
            said = "; ".join(f"line {line}{f', {column}' if column else ''}: {why}" for line, column, why in
                             done.refused[:SHOWN])  # fmt: skip
            many = count(len(done.refused), "row")
            are = "is" if len(done.refused) == 1 else "are"
            note = f"{many} of {done.key} {are} refused, {done.rows:,} are read: {said}"
            proposal.notes.append(Note(note, is_doubt=True))


def _read(source: Any, one: Sample) -> Tried:
    """What the loader makes of a file."""
    rows, refused, is_whole = 0, list[tuple[int, str | None, str]](), True
    try:
        from_key = columns_of_key(source.options, source.pattern, one.key)
        reading = Reading(source, one.files, from_key)
        fitted = reading.fit(table_columns(source), scan=True)
        for batch in reading.batches(fitted, Unasked()):
            rows += len(batch.arrays[0]) if batch.arrays else 0
            refused += [(bad.line, bad.column, bad.reason) for bad in batch.refused]
            if rows + len(refused) >= MOST_ROWS:
                is_whole = False
                break
    except (FileRefusedError, JourneyError) as error:
        return Tried(one.key, rows, refused, str(error))
    return Tried(one.key, rows, refused, "", is_whole and all(head.is_whole for head in one.heads))
