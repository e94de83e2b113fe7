"""The staging view of a feed: names as the project writes them, or the contract of a subject area filled as far as
names and types suggest it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from journey.contracts import Column, View
from journey.scaffold.naming import CALLED, TAKEN, identifier, singular, snake, squeezed
from journey.scaffold.proposal import Field, Proposal
from journey.scaffold.writing import described, scalar, wrapped
from journey.text import shown

ENOUGH = 0.4  # of a contract's columns, without those that are worked out
WORKED_OUT = {"business_date", "business_hour", "_file_id"}
TYPES = {"money": "numeric(14, 2)", "timestamptz": "timestamptz"}


@dataclass
class Staging:
    """A staging view.

    Attributes:
        name: of the model.
        sql: its text.
        yaml: beside it.
        said: what a person should know.
    """

    name: str
    sql: str
    yaml: str
    said: list[str] = field(default_factory=list)


def staging(proposal: Proposal, views: Sequence[View], taken: set[str]) -> Staging:
    """A feed's staging view.

    Args:
        proposal: the feed.
        views: the contracts.
        taken: names of models that there are.
    """
    scored = sorted(((score(proposal, view), view) for view in views), key=lambda one: -one[0])
    if scored and scored[0][0] >= ENOUGH:
        share, view = scored[0]
        if view.name not in taken:
            return _of_contract(proposal, view)
        plain = _plain(proposal)
        plain.said.append(
            f"its columns look like {view.name} ({share:.0%} of what `journey contract {view.area}` asks for), which "
            "is a model already: map it there"
        )
        return plain
    plain = _plain(proposal)
    plain.said += _unrecognized(proposal, [view for view in views if view.name not in taken])
    return plain


def _unrecognized(proposal: Proposal, wanted: Sequence[View]) -> list[str]:
    """Which contract's view is nearest, and where it is written how to go on; nothing where all views are there."""
    if not wanted:
        return []
    nearest = max(wanted, key=lambda view: len(matches(proposal, view)))
    many = len(matches(proposal, nearest))
    said = f"; nearest is {nearest.name}, with {many} of its {len(nearest.columns)} (`journey contract {nearest.area}`)"
    how = "If the warehouse is to read it: docs/tutorial.md, `If the names weren't enough`"
    return [f"its columns are called unlike those of a contract{said if many else ' (`journey contract`)'}. {how}"]


def score(proposal: Proposal, view: View) -> float:
    """How much of a contract a feed's columns fill, by their names and types."""
    columns = [one for one in view.columns if one.name not in WORKED_OUT]
    found = matches(proposal, view)
    share = len([one for one in columns if one.name in found]) / max(1, len(columns))
    return share if len(found) >= 3 else 0.0


def matches(proposal: Proposal, view: View) -> dict[str, Field]:
    """The feed's column for a contract's, where its name says so and its type can be cast."""
    found: dict[str, Field] = {}
    for column in view.columns:
        called = [column.name.replace("_", ""), *CALLED.get(column.name, "").split()]
        able = [one for one in proposal.fields if _fits(one, column) and one not in found.values()]
        ranked = [one for name in called for one in able if squeezed(one.name) == name]
        if ranked:
            found[column.name] = ranked[0]
    return found


def _fits(one: Field, column: Column) -> bool:
    """Whether a column's values may be what a contract asks for."""
    kind, is_number = column.type, bool(re.match("numeric|integer|bigint|smallint|double|real", one.type))
    if kind == "timestamptz":
        return one.type in ("timestamptz", "timestamp")
    if kind == "date":
        return one.type in ("date", "timestamp", "timestamptz")
    if kind == "money" or kind.startswith("numeric"):
        return is_number
    if kind in ("integer", "bigint", "smallint"):
        return one.type in ("integer", "bigint", "smallint")
    return kind != "text" or one.type != "jsonb"


def names_of(proposal: Proposal) -> list[str]:
    """The columns' names in the view, each once."""
    entity, found = singular(proposal.table), list[str]()
    for position, one in enumerate(proposal.fields, 1):
        name = snake(one.name, position)
        name = f"{entity}_{name}" if name in TAKEN else name
        while name in found or name == "_file_id":
            name = f"{name}_{position}"
        found.append(name)
    return found


def _head(proposal: Proposal, row: str) -> list[str]:
    return [
        f"-- one row: {row}",
        "with source as (",
        f"    select * from {{{{ source('{proposal.source}', '{proposal.table}') }}}}",
        ")",
        "",
        "select",
    ]


def _plain(proposal: Proposal) -> Staging:
    """All columns as they are, with names as the project writes them."""
    model = f"stg_{proposal.source}__{proposal.table}"
    lines = _head(proposal, f"one row of {proposal.name}, to be said in the company's words")
    names = names_of(proposal)
    for one, name in zip(proposal.fields, names, strict=True):
        quoted = identifier(one.name)
        lines.append(f"    {quoted}," if quoted == name else f"    {quoted} as {name},")
    lines += ["    _file_id", "from source"]
    said = f"One row is one row of {proposal.name}, to be described."
    yaml = ["version: 2", "", "models:", f"  - name: {model}", f"    description: {said}"]
    if len(proposal.keys) > 1:
        told = " and ".join(proposal.keys)
        yaml.append(f"    # {told} tell rows apart: a test of both needs a surrogate key, or a test of its own")
    yaml.append("    columns:")
    is_extract = proposal.delivery.startswith("Each file")
    if is_extract:
        yaml.append("      # each file states all rows again: a key is unique within a file, not in the view")
    for one, name in zip(proposal.fields, names, strict=True):
        yaml.append(f"      - name: {name}")
        yaml.append(f"        description: {scalar(described(one.name))}")
        tests = ["not_null"] if one.is_key else []
        tests += ["unique"] if one.is_key and len(proposal.keys) == 1 and not is_extract else []
        if tests:
            yaml.append(f"        data_tests: [{', '.join(tests)}]")
    yaml += _file_id()
    return Staging(model, "\n".join(lines) + "\n", "\n".join(yaml) + "\n")


def _file_id() -> list[str]:
    return ["      - name: _file_id", "        description: \"{{ doc('file_id') }}\""]


def _of_contract(proposal: Proposal, view: View) -> Staging:
    """What a contract asks for, from the columns that look like it; the rest is null, to fill in."""
    found = matches(proposal, view)
    lines = _head(proposal, view.row)
    left: list[str] = []
    yaml = ["version: 2", "", "models:", f"  - name: {view.name}"]
    yaml += [f"    description: {scalar(f'One row is {view.row}, from {proposal.name}.')}", "    columns:"]
    for column in view.columns:
        last = column is view.columns[-1]
        expression, known = _expression(column, found)
        if not known:
            left.append(column.name)
            lines += wrapped(f"to fill in: {column.meaning}", "    -- ", 116)
        elif column.name in found:
            one = found[column.name]
            zoneless = column.type == "timestamptz" and one.type == "timestamp"
            said_of_it = f"{shown(one.name)}, {one.type}: by its name" + ("; taken for local time" if zoneless else "")
            lines += wrapped(said_of_it, "    -- ", 116)
        named = f"    {expression}" if expression == column.name else f"    {expression} as {column.name}"
        lines.append(named + ("" if last else ","))
        yaml.append(f"      - name: {column.name}")
        told = "{{ doc('file_id') }}" if column.name == "_file_id" else column.meaning
        yaml.append(f"        description: {scalar(told)}")
        if not column.may_be_null and column.name in view.unique:
            yaml.append("        data_tests: [not_null]")
    lines.append("from source")
    said = [f"mapped to the contract of {view.name} (`journey contract {view.area}`): check each line"]
    if left:
        said.append(f"to fill in: {', '.join(left)}; until then, dbt says what of the contract isn't fulfilled")
    unused = [one.name for one in proposal.fields if one not in found.values()]
    if unused:
        said.append(f"not used: {', '.join(unused)}")
    return Staging(view.name, "\n".join(lines) + "\n", "\n".join(yaml) + "\n", said)


def _expression(column: Column, found: dict[str, Field]) -> tuple[str, bool]:
    """SQL of a contract's column, and whether anything suggests it."""
    if column.name == "_file_id":
        return "_file_id", True
    one = found.get(column.name)
    if one is None and column.name == "business_date" and "sold_at" in found:
        return _local(found["sold_at"], "date"), True
    if one is None and column.name == "business_hour" and "sold_at" in found:
        return _local(found["sold_at"], "hour"), True
    kind = TYPES.get(column.type, column.type).replace(",", ", ").replace(",  ", ", ")
    if one is None:
        return f"cast(null as {kind})", False
    quoted = identifier(one.name)
    if column.type == "date" and one.type in ("timestamp", "timestamptz"):
        return _local(one, "date"), True
    if column.name == "department":
        return f"upper({quoted})", True
    if one.type == column.type or (column.type == "money" and re.fullmatch(r"numeric\(\d+,[012]\)", one.type)):
        return quoted, True
    if column.type == "timestamptz":
        return f"{quoted} at time zone '{{{{ var('business_timezone') }}}}'", True
    return f"cast({quoted} as {kind})", True


def _local(one: Field, part: str) -> str:
    """A day or an hour of a time, on the stores' calendar."""
    name = identifier(one.name)
    quoted = name.replace("'", "\\'")
    local = f"{{{{ business_time('{quoted}') }}}}" if one.type == "timestamptz" else name
    return f"cast({local} as date)" if part == "date" else f"cast(extract(hour from {local}) as smallint)"
