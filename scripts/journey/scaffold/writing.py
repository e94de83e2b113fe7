"""The proposal as text: the source's YAML, with what each thing rests on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from journey.scaffold.proposal import Field, Note, Proposal, count
from journey.text import shown

WIDTH = 110
PLAIN = re.compile(r"[A-Za-z_][\w./+-]*( [\w./+-]+)*")
WORDS_OF_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "none", "~"}


def scalar(value: Any) -> str:
    """A value in YAML, in quotes unless it needs none."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {scalar(one)}" for name, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(scalar, value)) + "]"
    if PLAIN.fullmatch(value) and value.lower() not in WORDS_OF_YAML:
        return str(value)
    return json.dumps(value, ensure_ascii=not value.isprintable())


def comments(notes: Sequence[Note], indent: int) -> Iterator[str]:
    """Notes as comments; those that a person must look at begin with `?`."""
    for note in notes:
        yield from wrapped(("? " if note.is_doubt else "") + shown(note.text), " " * indent + "# ")


def wrapped(text: str, prefix: str, width: int = WIDTH) -> Iterator[str]:
    """A text in lines of a comment."""
    line = ""
    for word in text.split(" "):
        if line and len(prefix) + len(line) + 1 + len(word) > width:
            yield (prefix + line).rstrip()
            line = "  "
        line += ("" if line in ("", "  ") else " ") + word
    yield (prefix + line).rstrip()


def summary(proposal: Proposal) -> list[str]:
    """What the proposal rests on, in a line or two."""
    rows = sum(one.rows for one in proposal.tried)
    refused = sum(len(one.refused) for one in proposal.tried)
    said = f"{count(rows, 'row')} of {count(len(proposal.tried), 'file')} were read as declared here"
    said += f", {refused:,} were refused" if refused else ", none was refused"
    doubts = sum(note.is_doubt for note in proposal.notes) + sum(len(one.doubts) for one in proposal.fields)
    rest = "rest" if doubts > 1 else "rests"
    told = f"{count(doubts, 'thing')} couldn't be decided, or {rest} on little: look for `# ?`."
    return [f"{said}.", told if doubts else "Nothing was left undecided."]


def location(proposal: Proposal, landing_bucket: str | None) -> str:
    """The location; the project's landing bucket by its variable."""
    bucket = "{{ var('landing_bucket') }}" if proposal.bucket == landing_bucket else proposal.bucket
    return f"s3://{bucket}/{proposal.pattern}"


def table_yaml(proposal: Proposal, landing_bucket: str | None) -> list[str]:
    """The table's part of the source's YAML."""
    external = [f"location: {json.dumps(location(proposal, landing_bucket))}", f"file_format: {proposal.format}"]
    lines = [
        f"      - name: {proposal.table}",
        f"        description: One row is one row of {proposal.name}, to be described. {proposal.delivery}.",
        *comments(proposal.notes, 8),
        "        external:",
        *(f"          {line}" for line in external),
    ]
    options = proposal.declared_options()
    if options:
        lines.append("          options:")
        lines += [f"            {name}: {scalar(value)}" for name, value in options.items() if name != "columns"]
    if "columns" in options:
        lines.append("            columns:")
        lines += [f"              {scalar(name)}: {scalar(own)}" for name, own in options["columns"].items()]
    lines.append("        columns:")
    for one in proposal.fields:
        lines += _column(one)
    return lines


def _column(one: Field) -> list[str]:
    return [
        f"          - name: {scalar(one.name)}",
        *comments(one.notes, 12),
        f"            data_type: {scalar(one.type)}",
        f"            description: {scalar(described(one.name))}",
    ]


def described(name: str) -> str:
    """A description to begin with."""
    words = re.sub(r"[\s_]+", " ", re.sub(r"(?<=[a-zäöüß])(?=[A-Z])", " ", name)).strip().replace("{", "(")
    return f"{words[:1].upper()}{words[1:]}, as delivered; to be described."


def source_yaml(proposal: Proposal, landing_bucket: str | None, command: str) -> str:
    """A source's YAML with one table."""
    head = [
        "version: 2",
        "",
        f"# Written by `{shown(command)}`, for a person to check.",
        *(f"# {line}" for line in summary(proposal)),
        "sources:",
        f"  - name: {proposal.source}",
        f"    description: Files of {proposal.source}, to be described.",
        f"    schema: raw_{proposal.source}",
        "    loader: journey load",
        "    tables:",
    ]
    return "\n".join([*head, *table_yaml(proposal, landing_bucket)]) + "\n"
