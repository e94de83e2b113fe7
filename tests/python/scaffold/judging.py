"""Whether a proposal loads a case's files right: all values, or a word on each that it couldn't know."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import sql

from journey.errors import JourneyError
from journey.loader.columns import same_name
from journey.scaffold.proposal import Proposal
from journey.scaffold.proposing import PERSONAL, propose
from loader.cases import Case
from loader.support import Landing

Row = Sequence[Any]
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")  # a text that a number can stand for: zeros before it are lost in one


class Verdict(NamedTuple):
    """What became of a case.

    Attributes:
        kind: right, said or wrong.
        why: what differs.
    """

    kind: str
    why: str = ""


def plain(value: Any) -> Any:
    """A value as it is compared: 12 and 12.00 and '12' are the same, a time is an instant."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else Decimal(repr(value)) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.timezone.utc)
    return value


def same(got: Any, wanted: Any) -> bool:
    """Whether two values are the same; a number is the text that it was written as."""
    got, wanted = plain(got), plain(wanted)
    if isinstance(wanted, str) and isinstance(got, Decimal):
        return got == (Decimal(wanted) if NUMBER.fullmatch(wanted) else None)
    if isinstance(wanted, str) and isinstance(got, dt.date):
        return got.isoformat() == wanted
    if isinstance(wanted, str) and isinstance(got, (dict, list)):
        return bool(json.loads(wanted) == got)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    return type(got) is type(wanted) and bool(got == wanted)


def judge(landing: Landing, case: Case) -> tuple[Verdict, Proposal | None]:
    """Let a case's files be proposed, load them so, and compare."""
    for key, body in case.files.items():
        landing.put(f"in/{key}", body)
    try:
        proposal = propose(landing.client, landing.bucket, f"in/{case.pattern}", source="shop", table="sales")
    except JourneyError as error:
        return Verdict("said", str(error)), None
    landing.load(proposal.declaration(), threads=1)
    failed = landing.query("select key, error from loader.files where status = 'failed'")
    doubts = {one.name: said for one in proposal.fields if (said := [text for text in one.doubts if text != PERSONAL])}
    general = [note.text for note in proposal.notes if note.is_doubt and not about_delivery(note.text)]
    unseen = [f"{key}: {error}" for key, error in failed if not any(key in text for text in general)]
    if unseen and set(case.files) - set(case.failed):
        return Verdict("said" if general else "wrong", f"fails: {unseen[0]}"), proposal
    wanted = [column(one) for one in (case.select.split(", ") if case.select else case.columns)]
    rows = loaded(landing, proposal)
    names = [place(proposal, name, position) for position, name in enumerate(wanted)]
    return compare(case, rows, names, doubts, general), proposal


def about_delivery(text: str) -> bool:
    """Whether a word is about how files come, or about values to come: it says nothing of those that are there."""
    about = "tell(s)? (all|rows)|how the next one|add to each other|in the next one|reaches 1000"
    return bool(re.search(about, text))


def column(expression: str) -> str | None:
    """The column that a case selects; None if it computes something."""
    found = re.fullmatch(r'"?([^"]+?)"?(::text)?', expression)
    return found[1] if found and "<" not in expression else None


def loaded(landing: Landing, proposal: Proposal) -> list[dict[str, Any]]:
    """The table's rows by name of column."""
    if landing.query("select to_regclass('raw_shop.sales')") == [(None,)]:
        return []
    names = [one.name for one in proposal.fields]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    found = landing.connection.execute(sql.SQL("select {} from raw_shop.sales").format(columns)).fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def place(proposal: Proposal, name: str | None, position: int) -> str | None:
    """A proposal's column for a case's; by position where files name none."""
    if name is None:
        return None
    for one in proposal.fields:
        if same_name(one.name).lower() == same_name(name).lower():
            return one.name
    named = proposal.format != "fixed" and proposal.options.get("header", True)
    return "" if named or position >= len(proposal.fields) else proposal.fields[position].name


def compare(
    case: Case,
    rows: list[dict[str, Any]],
    names: Sequence[str | None],
    doubts: dict[str, list[str]],
    general: Sequence[str],
) -> Verdict:
    """Each row that the case expects is there; what differs was said."""
    left, said = list(rows), ""
    for wanted in case.rows:
        best: tuple[int, dict[str, Any]] | None = None
        for row in left:
            cells = [
                same(row.get(name), value) or (f"{value}" == f"{row.get(name)}" and name in doubts)
                for name, value in zip(names, wanted, strict=True)
                if name is not None
            ]
            differs = sum(not cell for cell in cells)
            if best is None or differs < best[0]:
                best = differs, row
            if not differs:
                break
        if best is None:
            if not general and not doubts:
                return Verdict("wrong", f"no row for {wanted}")
            said = said or f"no row for {wanted}: {[*general, *doubts.values()]}"
            continue
        if best[0]:
            for name, value in zip(names, wanted, strict=True):
                if name is None or same(best[1].get(name), value):
                    continue
                if name not in doubts and not general:
                    return Verdict("wrong", f"{name} is {best[1].get(name)!r}, and was {value!r}")
                said = said or f"{name} is {best[1].get(name)!r}, was {value!r}: {doubts.get(name) or general}"
        left.remove(best[1])
    if left and not case.bad and not case.failed:
        if not general and not doubts:
            return Verdict("wrong", f"more rows: {left[0]}")
        said = said or f"more rows: {left[0]}: {general}"
    return Verdict("said", said) if said else Verdict("right")
