"""The pages' figures: one query for each chart and figure, all in one snapshot of what is published."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import Connection, sql

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.site.declared import Chart, Figure, Mart

MOST_ROWS = 20_000  # of a chart: more is a table that nobody reads, and a page that is slow to open
ALL = "All"
ANALYST, UNMASKED = "analyst", "pii_reader"  # groups, see journey.roles
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Published:
    """What the pages show.

    Attributes:
        as_of: the last business date of the tills; None before the first sale.
        published_at: when these marts were published; None where the login may not see it.
        number: of the publication.
    """

    as_of: datetime.date | None
    published_at: datetime.datetime | None
    number: int | None


@dataclass(frozen=True)
class Headline:
    """A headline figure's values.

    Attributes:
        value: None if there is no such row.
        of: the period that it is of.
        base: what it is compared with.
        chance: whether the change is more than chance explains; None if the mart doesn't say.
    """

    value: Value
    of: Value
    base: Value
    chance: Value


NO_HEADLINE = Headline(None, None, None, None)


@contextmanager
def snapshot() -> Iterator[Connection[Any]]:
    """A read-only transaction that sees one publication, whatever is published meanwhile."""
    with settings.connect(application="journey site") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def built(connection: Connection[Any], marts: Sequence[Mart]) -> set[str]:
    """Names of the marts that are there: a copy of one's own may have a few of them.

    Args:
        connection: of `snapshot`.
        marts: all that are declared.
    """
    found = connection.execute(
        "select name from unnest(%s::text[], %s::text[]) as mart (name, relation)"
        " where to_regclass(relation) is not null",
        [[mart.name for mart in marts], [mart.relation for mart in marts]],
    )
    return {name for (name,) in found}


def published(connection: Connection[Any], days: Mart | None, built_schema: str) -> Published:
    """What is published, and as of when.

    Args:
        connection: of `snapshot`.
        days: the mart whose business_date is newest; None if there is none.
        built_schema: where builds keep the publications.
    """
    as_of = connection.execute(f"select max(business_date) from {days.relation}".encode()).fetchone() if days else None
    try:
        with connection.transaction():
            row = connection.execute(
                sql.SQL("select publication_id, published_at from {} where is_current").format(
                    sql.Identifier(built_schema, "publications")
                )
            ).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
        row = None
    number, at = row or (None, None)
    return Published(as_of[0] if as_of else None, at, number)


def act_as(connection: Connection[Any], prefix: str, marts: Sequence[Mart]) -> None:
    """Go on with an analyst's rights, where the login may and analysts read these marts.

    A developer's copy is nobody's but his: there he stays who he is.

    Args:
        connection: of `snapshot`.
        prefix: of the groups' names.
        marts: what will be read.

    Raises:
        UsageError: the login sees persons' columns as they are.
    """
    analyst, unmasked = prefix + ANALYST, prefix + UNMASKED
    row = connection.execute(
        "select to_regrole(%(group)s) is not null and pg_has_role(session_user, to_regrole(%(group)s), 'set')"
        " and (select bool_and(has_table_privilege(to_regrole(%(group)s), name::regclass, 'select')) from"
        " unnest(%(marts)s::text[]) as name)",
        {"group": analyst, "marts": [mart.relation for mart in marts]},
    ).fetchone()
    if row and row[0]:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(analyst)))
    row = connection.execute(
        "select to_regrole(%(group)s) is not null and pg_has_role(current_user, to_regrole(%(group)s), 'usage')",
        {"group": unmasked},
    ).fetchone()
    if row and row[0]:
        raise UsageError(
            f"this login sees persons' columns as they are, as a {unmasked} does, and pages are for everybody: "
            f"use a login that is a member of {analyst}"
        )


def rows_of(connection: Connection[Any], chart: Chart) -> list[list[Value]]:
    """A chart's rows, with the values of its columns in order; one more than MOST_ROWS if there are too many.

    Args:
        connection: of `snapshot`.
        chart: what is asked.

    Raises:
        JourneyError: the database refuses the query.
    """
    query = _pareto(chart) if chart.kind == "pareto" else _select(chart)
    found = _fetch(connection, query, f"{chart.mart.file}: mart {chart.mart.name}, chart {chart.name}")
    return [[_plain(value) for value in row] for row in found]


def headline(connection: Connection[Any], figure: Figure) -> Headline:
    """A headline figure.

    Args:
        connection: of `snapshot`.
        figure: what is asked.

    Raises:
        JourneyError: the database refuses the query.
    """
    said = figure.said
    is_total, base, of = "value" not in said, said.get("base"), said.get("of")
    value = said.get("value") or (
        f"sum({said['total']})"
        if "total" in said
        else f"case when count(*) > 0 then count(*) filter (where {said['count']}) end"  # of no rows, nothing is known
    )
    compared = "null" if base in (None, "before") else f"sum({base})" if is_total else base
    chance = f"bool_and({said['chance']})" if is_total and "chance" in said else said.get("chance", "null")
    query = f"select {value}, {of or 'null'}, {compared}, {chance} from {figure.mart.relation}"
    query += f" where {said['where']}" if "where" in said else ""
    if of:
        query += f" group by {of}" if is_total else ""
        query += f" order by {of} desc limit 2"
    found = _fetch(connection, query, f"{figure.mart.file}: mart {figure.mart.name}, figure {said['label']!r}")
    rows = [[_plain(one) for one in row] for row in found] or [[None] * 4]
    if base == "before":
        rows[0][2] = rows[1][0] if len(rows) > 1 else None
    return Headline(*rows[0])


def has_rows(connection: Connection[Any], mart: Mart) -> bool:
    """Whether a mart has any row."""
    return bool(_fetch(connection, f"select 1 from {mart.relation} limit 1", mart.file))


def check_question(connection: Connection[Any], mart: Mart, question: str, query: str) -> None:
    """Let PostgreSQL plan a question's query: readers will run it as it stands.

    Args:
        connection: of `snapshot`.
        mart: what is asked.
        question: in words.
        query: its SQL.

    Raises:
        JourneyError: the database refuses the query.
    """
    _fetch(connection, f"explain {query}", f"{mart.file}: mart {mart.name}, question {question!r}")


def _select(chart: Chart) -> str:
    columns = ", ".join(column.name for column in chart.columns)
    order = chart.said.get("order") or columns
    if chart.kind == "bars":
        order = f"{', '.join((*chart.filters, ''))}{chart.one('value')} desc, {chart.one('item')}"
    limit = int(chart.said.get("top", MOST_ROWS + 1))
    return f"select {columns} from {chart.mart.relation} where {_where(chart)} order by {order} limit {limit}"


def _where(chart: Chart) -> str:
    """The chart's condition; of the rows that fulfil it those of its newest periods."""
    where = f"({chart.said['where']})" if "where" in chart.said else "true"
    newest = chart.said.get("newest")
    if newest is None:
        return where
    kept = f"select distinct {newest} from {chart.mart.relation} where {where}"
    return f"{where} and {newest} in ({kept} order by {newest} desc limit {int(chart.said.get('keep', 1))})"


def _pareto(chart: Chart) -> str:
    """A hundred steps of the items, largest first, and what they make together; for each choice of the filter, too."""
    item, value = chart.one("item"), chart.one("value")
    choice = chart.filters[0] if chart.filters else f"'{ALL}'"
    shown = "choice, " if chart.filters else ""
    return f"""
        with items as (
            select choice, {value} as amount,
                row_number() over (partition by choice order by {value} desc, {item}) as place,
                count(*) over (partition by choice) as items_count,
                sum({value}) over (partition by choice) as total_amount,
                sum({value}) over (
                    partition by choice order by {value} desc, {item} rows unbounded preceding
                ) as cumulative_amount
            from {chart.mart.relation}
            cross join lateral (select '{ALL}' as choice union select cast({choice} as text)) as choices
            where {value} > 0 and {_where(chart)}
        )

        select {shown}max(place), cast(max(place) as numeric) / items_count, max(cumulative_amount),
            max(cumulative_amount) / total_amount
        from items
        group by choice, items_count, total_amount, ceil(place * 100.0 / items_count)
        order by choice <> '{ALL}', choice, max(place)
    """


def _fetch(connection: Connection[Any], query: str, where: str) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(query.encode()).fetchall()
    except psycopg.Error as error:
        said = " ".join((error.diag.message_primary or str(error)).split())
        raise JourneyError(f"{where}: the database says: {said}") from error


def _plain(value: Any) -> Value:
    """A value as JSON has it; what is more exact than its numbers stays a text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value if value is None or isinstance(value, (int, float, bool, str)) else str(value)


def choices(chart: Chart, rows: Sequence[Sequence[Value]]) -> Mapping[str, list[Value]]:
    """The values of each filter, in the order of the table; the newest first where they are periods."""
    names = [column.name for column in chart.columns]
    found = {}
    for name in chart.filters:
        values = list(dict.fromkeys(row[names.index(name)] for row in rows))
        newest_first = chart.format(name) in ("date", "month") or name == "fiscal_period"
        if newest_first:
            values.sort(key=str, reverse=True)
        found[name] = values
    return found
