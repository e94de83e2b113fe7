"""A figure, the rows of the fact that make it, and the raw rows that make these: what the database knows of them.

Declared SQL is put together here; what a person gave is bound, always. All is read in one snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import Connection, errors

from journey.errors import JourneyError, UsageError
from journey.loader.declaration.sources import FILE_ID
from journey.loader.errors import one_line
from journey.text import did_you_mean
from journey.tracing.declared import Mart

MART, FACTS, RAW = "journey_traced_mart", "journey_traced_facts", "journey_traced_raw"
CHOSEN, SAMPLE = "journey_traced_chosen", "journey_traced_sample"
MANY = 20_000  # rows of the fact: of more, not each raw row gets its text
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
COLUMN = re.compile(r"\b([a-z]\w*)\.(\w+)")
NAME = re.compile(r"\b([a-z]\w*)\.")
PLACE = re.compile(r"\{(\w+)\}")


class Added(NamedTuple):
    """Rows, and what they add up to.

    Attributes:
        rows: how many.
        total: their sum; None if there is none.
    """

    rows: int
    total: Decimal | None


class Publication(NamedTuple):
    """What readers see.

    Attributes:
        number: of it.
        published_at: when.
        is_current: whether the warehouse has the same rows of this mart.
        files: keys of the raw table's files that were loaded since, the newest first, at most three.
        files_count: how many these are.
    """

    number: int
    published_at: datetime
    is_current: bool
    files: Sequence[str]
    files_count: int


class RawRow(NamedTuple):
    """A raw row that is to be found in its file.

    Attributes:
        id: of it, in this trace.
        value: what it adds to the figure.
        file_id: its file, as the ledger knows it.
    """

    id: int
    value: Decimal | None
    file_id: int


class Finding:
    """A figure and its rows.

    Attributes:
        mart: whose figure it is.
        source: the feed of the raw rows.
        figure: what readers see.
        facts: rows of the fact.
        raw: rows of the raw table.
        publication: which one readers see.
        looked_up: the table of the raw rows that are looked up in files.
    """

    looked_up = RAW

    def __init__(
        self, connection: Connection[Any], mart: Mart, measure: str, keys: Mapping[str, str], limit: int | None
    ) -> None:
        """Find them.

        Args:
            connection: in a transaction of one snapshot, that is rolled back.
            mart: the mart.
            measure: a column of it.
            keys: texts of values, by column, that the mart's rows have.
            limit: so many raw rows will be asked for; None: all.

        Raises:
            UsageError: the mart has no such column, value or row, or the measure can't be traced.
            JourneyError: the database doesn't let us.
        """
        self.mart, self._connection, self._measure, self._limit = mart, connection, measure, limit
        self._sum = mart.sum_of(measure)
        self.fact = mart.fact(self._sum.fact)
        self.source = mart.source(self.fact.staging)
        try:
            self.publication = self._published()
            self.figure = self._choose(keys)
            self._join()
            self.facts = self._add(FACTS)
            self.shared = self._shared() if self.figure.rows > 1 else 0
            self._bring(RAW, FACTS, with_texts=self.facts.rows <= MANY or limit is None)
            self.raw = self._add(RAW)
        except errors.InsufficientPrivilege as error:
            raise JourneyError(f"{one_line(error)}: tracing takes a login that builds (docs/roles.md)") from error
        except errors.UndefinedTable as error:
            raise JourneyError(
                f"{self.mart.shown} isn't published yet ({one_line(error).split(' LINE ')[0]}): journey build --target "
                "prod, or demo, publishes"
            ) from error

    def rows(self) -> list[RawRow]:
        """The raw rows, as many as were asked for: those that add most, or of very many, some."""
        expression, limit = self._sum.measures[self._measure], self._limit
        if limit is not None and self.facts.rows > MANY:
            self._sample(limit)
            self.looked_up = SAMPLE
        found = self._ask(
            f"select {self._sum.fact}._trace_id, sum({expression}) as value, min({self._sum.fact}.{FILE_ID})"
            f" {self._from(self.looked_up)} group by 1 order by abs(sum({expression})) desc nulls last, 1"
            + (f" limit {limit:d}" if limit is not None else "")
        )
        return [RawRow(*row) for row in found]

    def _published(self) -> Publication:
        """Which publication readers see, and what came since."""
        built, state = self.mart.schema("built"), self.mart.schema("build_state")
        rows = self._ask(
            f"select publications.publication_id, published_at, published.content_id = models.content_id"
            f" from {built}.publications as publications"
            f" left join {built}.published_marts as published"
            f" on publications.publication_id = published.publication_id and published.model_name = %(name)s"
            f" left join {state}.models as models on published.model_name = models.model_name"
            f" where is_current",
            {"name": self.mart.name},
        )
        if not rows:
            raise UsageError(f"{self.mart.shown} isn't published yet: journey build, with the same --target")
        number, published_at, is_current = rows[0]
        files = self._ask(
            "select key, count(*) over () from loader.files where schema_name = %(schema)s and table_name = %(table)s"
            " and status = 'loaded' and finished_at > %(since)s order by file_id desc limit 3",
            {**self.source.ids, "since": published_at},
        )
        return Publication(number, published_at, bool(is_current), [k for k, _ in files], files[0][1] if files else 0)

    def _choose(self, keys: Mapping[str, str]) -> Added:
        """The mart's rows that are asked for, as readers see them but unmasked: whoever builds reads persons' ids."""
        unknown = [name for name in keys if name not in self.mart.types]
        if unknown:
            raise UsageError(
                f"{self.mart.shown} has no column {unknown[0]}: it has {', '.join(self.mart.types)}"
                f"{did_you_mean(unknown[0], self.mart.types)}"
            )
        for name, value in keys.items():  # PostgreSQL also reads `yesterday`
            if self.mart.types[name] == "date" and not DAY.fullmatch(value):
                raise UsageError(f"{self.mart.shown}: {name} is a date, as 2017-03-01, and not {value!r}")
        built, number = self.mart.schema("built"), self.publication.number
        tables = self._ask(
            "select substring(relname from '[0-9]+$')::integer from pg_class"
            " where relnamespace = to_regnamespace(%(b)s) and relkind = 'r'"
            " and relname ~ ('^' || %(name)s || '__[0-9]+$') order by 1 desc",
            {"b": built, "name": self.mart.name},
        )
        table = next((row[0] for row in tables if row[0] <= number), None)
        if table is None:
            raise UsageError(f"{self.mart.shown} isn't in publication {number}: journey build, or journey publish")
        types = self.mart.types
        conditions = [f'"{name}" = cast(%({name})s as {types[name]})' for name in keys]
        conditions.append(f"from_publication <= {number} and (to_publication is null or to_publication > {number})")
        try:
            self._ask(
                f'create temporary table {MART} on commit drop as select * from {built}."{self.mart.name}__{table}"'
                f" where {' and '.join(conditions)}",
                keys,
            )
        except errors.DataError as error:
            said = one_line(error).split(" CONTEXT: ")[0]
            wanted = ", ".join(f"{name} {types[name]}" for name in keys)
            raise UsageError(f"{self.mart.shown}: {said}; its columns are {wanted}") from error
        rows, total = self._ask(f'select count(*), sum("{self._measure}") from {MART}')[0]
        if not rows:
            given = " ".join(f"{name}={value}" for name, value in keys.items())
            raise UsageError(f"{self.mart.shown} has no row with {given}: leave a key out, or look at what there is")
        return Added(rows, total)

    def _join(self) -> None:
        """The fact's rows that make them; of their columns, those that the trace names."""
        fact, texts = self.fact, [self._sum.rows, *self._sum.measures.values(), *self._sum.joins.values()]
        texts += [self.fact.rows, *self.fact.columns.values(), *self.fact.joins.values()]
        named = {column for text in texts for name, column in COLUMN.findall(text) if name == fact.name}
        named |= {*fact.key, *fact.columns, *([fact.partition] if fact.partition else [])}
        self._columns = [name for name in self.mart.columns(fact.name) if name in named]
        key = ", ".join(f'{fact.name}."{column}"' for column in fact.key)
        columns = ", ".join(f'{fact.name}."{column}"' for column in self._columns)
        self._ask(f"analyze {MART}")
        self._ask(
            f"create temporary table {FACTS} on commit drop as select distinct on ({key}) {columns}"
            f" {self._from(self.mart.relation(fact.name))}"
        )
        self._ask(f"analyze {FACTS}")

    def _bring(self, table: str, facts: str, *, with_texts: bool) -> None:
        """The raw rows that make facts: the fact's columns, with what staging says in place of what is added up."""
        fact, mart = self.fact, self.mart
        columns = ", ".join(fact.columns.get(name, f'{fact.name}."{name}"') + f' as "{name}"' for name in self._columns)
        names = ", ".join(f'{fact.staging}."{name}"' for name in mart.columns(fact.staging) if name != FILE_ID)
        row = f"row({names})::text" if with_texts else "null"
        base = f"{facts} as {fact.name}", f"{mart.relation(fact.staging)} as {fact.staging}"
        self._ask(
            f"create temporary table {table} on commit drop as select {columns}, row_number() over () as _trace_id,"
            f" {fact.staging}.{FILE_ID}, {row} as _row"
            f" {self._joined(base, [fact.rows, *self._in_files(facts)], fact.joins, *fact.columns.values())}"
        )
        self._ask(f"analyze {table}")

    def _sample(self, limit: int) -> None:
        """Some raw rows with their texts, where these would be too many."""
        key = ", ".join(f'"{column}"' for column in self.fact.key)
        chosen = f"select {key} from {FACTS} as {self._sum.fact} order by md5(row({key})::text) limit {limit:d}"
        self._ask(
            f"create temporary table {CHOSEN} on commit drop as select * from {FACTS} where ({key}) in ({chosen})"
        )
        self._bring(SAMPLE, CHOSEN, with_texts=True)

    def _in_files(self, facts: str) -> list[str]:
        """A condition that spares reading a whole raw table, where the fact is built by date."""
        fact, state, of = self.fact, self.mart.schema("build_state"), self.source
        if not fact.partition:
            return []
        built = f"select file_id from {state}.files where model_name = '{fact.name}'"
        return [
            f"{fact.staging}.{FILE_ID} = any(array("
            f"{built} and partition_start in (select {fact.partition} from {facts})"
            f" union all select file_id from loader.files where schema_name = '{of.schema}'"
            f" and table_name = '{of.table}' and status = 'loaded' and file_id not in ({built})))"
        ]

    def _add(self, table: str) -> Added:
        """What rows of the fact, or raw rows in its shape, add up to."""
        expression = self._sum.measures[self._measure]
        [[total]] = self._ask(f"select sum({expression}) {self._from(table)}")
        [[rows]] = self._ask(f"select count(*) from {table}")
        return Added(rows, total)

    def _shared(self) -> int:
        """Rows of the fact that add to more than one of the mart's rows, so that the sum of these says nothing."""
        fact, expression = self._sum.fact, self._sum.measures[self._measure]
        counted = f"select {fact}.ctid {self._from(FACTS)} and ({expression}) <> 0"
        counted += f" group by {fact}.ctid having count(distinct mart.ctid) > 1"
        [[rows]] = self._ask(f"select count(*) from ({counted}) as shared")
        return int(rows)

    def _from(self, table: str) -> str:
        """The mart's rows, and those of the fact that make them."""
        wanted, base = self._sum, (f"{MART} as mart", f"{table} as {self._sum.fact}")
        joins = {**self.fact.joins, **wanted.joins}
        return self._joined(base, [wanted.rows], joins, wanted.measures[self._measure])

    def _joined(self, base: Sequence[str], conditions: Sequence[str], joins: Mapping[str, str], *texts: str) -> str:
        """`from` and `where` of relations, and of those among `joins` that conditions and other texts name."""
        where, used, waiting = [*conditions], dict[str, None](), [*conditions, *texts]
        while waiting:
            for name in NAME.findall(waiting.pop()):
                if name in joins and name not in used:
                    used[name] = None
                    where.append(joins[name])
                    waiting.append(joins[name])
        relations = [*base, *(f"{self.mart.relation(name)} as {name}" for name in used)]
        text = f"from {', '.join(relations)} where {' and '.join(f'({one})' for one in where)}"
        return PLACE.sub(lambda name: self.mart.relation(name[1]), text)

    def _ask(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
