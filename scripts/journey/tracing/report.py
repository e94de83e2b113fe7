"""`journey why`: what was found, for people, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TextIO

from journey import settings
from journey.loader.declaration.sources import load_manifest
from journey.text import shown
from journey.tracing.declared import Mart
from journey.tracing.finding import SET, Added, Finding
from journey.tracing.lines import FoundFile, look_up

WIDTH = 110  # characters of a line of a file
HEAD = ("value", "address", "etag", "line", "row")


class Traced(NamedTuple):
    """A figure and what makes it.

    Attributes:
        finding: the figure, the facts, the raw rows.
        files: where the raw rows that were looked up are.
        is_whole: whether all raw rows were.
    """

    finding: Finding
    files: Sequence[FoundFile]
    is_whole: bool

    @property
    def lines(self) -> Added:
        """The lines that were found."""
        found = [line.row.value for file in self.files for line in file.lines]
        return Added(len(found), sum((value for value in found if value is not None), Decimal(0)))

    @property
    def agrees(self) -> bool:
        """Whether the figure, the facts and the raw rows are the same, to the last digit."""
        figure, *others = (one.total or 0 for one in (self.finding.figure, self.finding.facts, self.finding.raw))
        return all(figure == other for other in others) and (not self.are_found or self.lines.total == figure)

    @property
    def are_found(self) -> bool:
        """Whether each raw row was looked up and found in its file."""
        return self.is_whole and not any(file.problem for file in self.files)


def trace(root: Path, asked: str, measure: str, keys: Mapping[str, str], *, limit: int | None) -> Traced:
    """Trace a figure.

    Args:
        root: the project's folder.
        asked: the mart, as readers name it.
        measure: a column of it.
        keys: texts of values, by column, that the mart's rows have.
        limit: so many raw rows are looked up in their files; None: all.

    Raises:
        UsageError: what is asked for isn't there, or can't be traced.
        JourneyError: PostgreSQL or S3 isn't there, or refuses.
    """
    mart = Mart(load_manifest(root), asked)
    source = mart.source(mart.fact(mart.sum_of(measure).fact).staging)  # before a connection is made
    with (
        ThreadPoolExecutor() as meanwhile,
        settings.connect(application="journey why") as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("; ".join(f"set local {one}" for one in SET).encode())
        client = meanwhile.submit(settings.s3_client, anonymous=source.options.anonymous)
        finding = Finding(connection, mart, measure, keys, limit)
        rows = finding.rows()
        files = list(look_up(connection, client.result(), finding, rows)) if rows else []
        return Traced(finding, files, len(rows) == finding.raw.rows)


def lines(traced: Traced, measure: str, keys: Mapping[str, str], *, limit: int) -> list[str]:
    """What was found, the answer first.

    Args:
        traced: what was found.
        measure: the mart's column.
        keys: texts of values, by column.
        limit: so many lines of files are told.
    """
    finding, publication = traced.finding, traced.finding.publication
    found, source = traced.lines, traced.finding.source
    given = "".join(f" {name}={value}" for name, value in keys.items())
    said = [
        f"{finding.mart.shown}{given} {measure}: {_amount(finding.figure.total)}",
        f"{verdict(traced)}",
        *_shared(finding, keys),
        "",
    ]
    steps = [
        (f"publication {publication.number} of {publication.published_at:%Y-%m-%d %H:%M %Z}", finding.figure),
        (finding.mart.relation(finding.fact.name).replace('"', ""), finding.facts),
        (f"{source.schema}.{source.table}", finding.raw),
    ]
    if traced.are_found:
        steps.append((f"{len(traced.files):,} {'file' if len(traced.files) == 1 else 'files'} in S3", found))
    amounts = [_amount(one.total) for _, one in steps]
    counts = [f"{one.rows:,}" for _, one in steps]
    for (name, _), amount, count in zip(steps, amounts, counts, strict=True):
        rows = "row " if count == "1" else "rows"
        said.append(f"  {amount:>{max(map(len, amounts))}}  {count:>{max(map(len, counts))}} {rows}  {name}")
    said.append("")
    for file in traced.files:
        if limit > 0:
            said += _file(file, limit)
            limit -= file.wanted
    if not traced.is_whole:
        looked = sum(file.wanted for file in traced.files)
        said.append(
            f"{looked:,} of {finding.raw.rows:,} raw rows were looked up: --limit N for more, --csv FILE for all"
        )
    return [shown(line).rstrip() for line in said]


def _shared(finding: Finding, keys: Mapping[str, str]) -> list[str]:
    """That rows of the mart overlap, where they do: they add up, to an amount that is none."""
    if not finding.shared:
        return []
    missing = ", ".join(name for name in finding.mart.key if name not in keys)
    return [
        f"BUT THESE ROWS OVERLAP: {finding.shared:,} rows of {finding.fact.name} count in more than one of them, "
        f"so their sum is no amount of its own. Give more of {missing}."
    ]


def verdict(traced: Traced) -> str:
    """Whether it agrees, and what came since it was published, in one sentence."""
    finding, publication = traced.finding, traced.finding.publication
    since = ""
    if publication.files_count:
        some = ", ".join(publication.files) + (" …" if publication.files_count > len(publication.files) else "")
        since = f" Since it was published, {finding.source.name} has loaded {publication.files_count:,} files: {some}."
    if not publication.is_current:
        since = f" The warehouse is newer than what is published: journey publish.{since}"
    if traced.agrees:
        return f"It adds up, to the last digit.{since}"
    figure, facts, raw = (one.total or 0 for one in (finding.figure, finding.facts, finding.raw))
    parts = [
        f"{name} differ by {_amount(other - figure)}" for name, other in (("facts", facts), ("raw rows", raw))
        if other != figure
    ]  # fmt: skip
    said = since or " Nothing was loaded since: journey build, and if it stays, the mart's trace or its SQL is wrong."
    return f"IT DOESN'T ADD UP: {' and '.join(parts) or 'lines of the files differ'}.{said}"


def write_csv(traced: Traced, out: TextIO) -> int:
    """Write the lines that were found.

    Args:
        traced: what was found.
        out: takes the CSV.

    Returns:
        How many.
    """
    writer, count = csv.writer(out), 0
    writer.writerow(HEAD)
    for file in traced.files:
        for line in file.lines:
            writer.writerow((line.row.value, file.address, file.etag, line.number, line.raw))
            count += 1
    return count


def _file(file: FoundFile, limit: int) -> list[str]:
    """A file, and its first lines."""
    said = [f"{file.address}  ETag {file.etag}"]
    if file.problem:
        said.append(f"  {file.wanted - len(file.lines):,} rows not found: {file.problem}")
    found = file.lines[:limit]
    values, numbers = [_amount(line.row.value) for line in found], [f"line {line.number:,}" for line in found]
    for line, value, number in zip(found, values, numbers, strict=True):
        raw = line.raw if len(line.raw) <= WIDTH else line.raw[: WIDTH - 1] + "…"
        said.append(f"  {value:>{max(map(len, values))}}  {number:<{max(map(len, numbers))}}  {raw}")
    return said


def _amount(value: Decimal | int | None) -> str:
    return "null" if value is None else f"{value:,}"
