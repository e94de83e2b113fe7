"""A figure, the rows of the fact that make it, and the raw rows that make these: what the database knows of them.

Declared SQL is put together here; what a person gave is bound, always. All is read in one snapshot. Rows stay in the
database, where they are added up: of the facts a table is made, with all that says what each adds; the raw rows are
added up as they are joined to it, and only those that are looked up in files are kept. The facts' table is none of
PostgreSQL's temporary ones, which one process has to read alone. It is rolled back all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import Connection, errors, sql

from journey.errors import JourneyError, UsageError
from journey.loader.declaration.sources import FILE_ID
from journey.loader.errors import one_line
from journey.text import did_you_mean
from journey.tracing.declared import Mart

MART, CHOSEN, RAW = "journey_traced_mart", "journey_traced_chosen", "journey_traced_raw"
SET = (
    "jit = off",
    "work_mem = '128MB'",  # a year's facts, and sets of ids, are hashed in memory
    "temp_buffers = '128MB'",  # and rows that are looked up don't go through the disk
    "parallel_tuple_cost = 0.01",  # many facts come out of a scan, which two processes read sooner
    "default_statistics_target = 10",  # of tables that are made here: enough for a plan
    "client_connection_check_interval = '1s'",  # nobody waits for it: it ends
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
COLUMN = re.compile(r"\b([a-z]\w*)\.(\w+)(?=(?:[^']*'[^']*')*[^']*\Z)")  # but for what is quoted
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
        shared: rows of the fact that add to more than one of the mart's rows.
        publication: which one readers see.
    """

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
        self._facts = f"{mart.schema('build_state')}.journey_traced_facts_{connection.info.backend_pid}"
        try:
            self.publication = self._published()
            self.figure = self._choose(keys)
            self.facts = self._join()
            self._repeats = self.facts.rows < self._additions
            self.shared = self._shared() if self._repeats and self.figure.rows > 1 else 0
            self.raw = self._add_raw()
        except errors.InsufficientPrivilege as error:
            raise JourneyError(f"{one_line(error)}: tracing takes a login that builds (docs/roles.md)") from error
        except errors.UndefinedTable as error:
            raise JourneyError(
                f"{self.mart.shown} isn't published yet ({one_line(error).split(' LINE ')[0]}): journey build --target "
                "prod, or demo, publishes"
            ) from error

    def rows(self) -> list[RawRow]:
        """The raw rows, as many as were asked for: of the facts that add most."""
        facts, limit = self._facts, "" if self._limit is None else f" limit {self._limit:d}"
        if limit:
            most = f"select * from {self._facts} order by abs(_value) desc nulls last, {self._key}{limit}"
            if self._repeats:
                by = f"group by {self._key} order by abs(sum(_value)) desc nulls last, {self._key}"
                most = f"select {self._key} from {self._facts} {by}{limit}"
                most = f"select * from {self._facts} where ({self._key}) in ({most})"
            self._ask(f"create temporary table {CHOSEN} on commit drop as {most}")
            self._ask(f"analyze {CHOSEN}")
            facts = CHOSEN
        staging = self.fact.staging
        names = ", ".join(f'{staging}."{name}"' for name in self.mart.columns(staging) if name != FILE_ID)
        number, value, by = "row_number() over ()", self._again(), ""
        if self._repeats:
            number, value, by = f"{staging}._trace_id", f"sum({value})", f" group by {staging}._trace_id, 2, 3"
        self._ask(
            f"create temporary table {RAW} on commit drop as select {number} as _trace_id, {staging}.{FILE_ID},"
            f" row({names})::text as _row, {value} as _value {self._from_raw(facts, numbered=self._repeats)}{by}"
        )
        found = self._ask(
            f"select _trace_id, _value, {FILE_ID} from {RAW} order by abs(_value) desc nulls last, _trace_id{limit}"
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
        self._mart = self._constant() if rows == 1 else MART
        self._ask(f"analyze {MART}")
        return Added(rows, total)

    def _constant(self) -> str:
        """A mart's only row, as constants: PostgreSQL then plans for its values, and reads facts in parallel."""
        texts = (self._sum.rows, *self._sum.joins.values(), *self._sum.measures.values())
        named = sorted({column for text in texts for name, column in COLUMN.findall(text) if name == "mart"})
        if not named:
            return MART
        [row] = self._ask("select " + ", ".join(f'cast("{name}" as text)' for name in named) + f" from {MART}")
        values = [sql.Literal(value).as_string(self._connection) for value in row]
        columns = [
            f'cast({value} as {self.mart.types[name]}) as "{name}"' for name, value in zip(named, values, strict=True)
        ]
        return f"(select {', '.join(columns)})"

    def _join(self) -> Added:
        """The fact's rows that make the mart's, with all that says what each adds, once for each time that it does."""
        fact, wanted = self.fact, self._sum
        expression = wanted.measures[self._measure]
        amounts = [
            fact.columns[one] for name, one in COLUMN.findall(expression) if name == fact.name and one in fact.columns
        ]
        named = dict.fromkeys((fact.name, name) for name in (*fact.key, fact.partition) if name)
        for text in (fact.rows, expression, *amounts):
            named |= dict.fromkeys(COLUMN.findall(text))
        columns = [
            f'{name}."{column}"' if name == fact.name else f'{name}."{column}" as "{name}.{column}"'
            for name, column in named
            if name != fact.staging and not (name == fact.name and column in fact.columns)
        ]
        base = f"{self._mart} as mart", f"{self.mart.relation(fact.name)} as {fact.name}"
        source, used = self._joined(base, [wanted.rows], {**fact.joins, **wanted.joins}, expression, *amounts)
        self._key = ", ".join(f'"{column}"' for column in fact.key)
        many = self.figure.rows > 1
        self._ask(
            f"create unlogged table {self._facts} as select {', '.join(columns)}, ({expression}) as _value"
            f"{', mart.ctid as _mart' if many else ''} {source}"
        )
        if len(fact.key) > 1:  # else PostgreSQL rather hashes all raw rows than a few facts
            self._ask(f"create statistics {self._facts}_key (ndistinct) on {self._key} from {self._facts}")
        self._ask(f"analyze {self._facts}")
        [[rows, total]] = self._ask(f"select count(*), sum(_value) from {self._facts}")
        self._additions = rows
        if many or any(map(self._may_repeat, used & wanted.joins.keys())):
            [[rows]] = self._ask(f"select count(*) from (select 1 from {self._facts} group by {self._key}) as facts")
        return Added(rows, total)

    def _may_repeat(self, name: str) -> bool:
        """Whether several rows of a model may be joined to one of the fact; of a fact's own dimensions none are."""
        join = self._sum.joins[name]
        equal = ", ".join(re.findall(rf"\b{name}\.(\w+) = ", join))
        if not equal or " or " in join:
            return True
        return bool(self._ask(f"select 1 from {self.mart.relation(name)} group by {equal} having count(*) > 1 limit 1"))

    def _add_raw(self) -> Added:
        """What the raw rows that make the facts add up to."""
        counted = f"count(distinct {self.fact.staging}._trace_id)" if self._repeats else "count(*)"
        source = self._from_raw(self._facts, numbered=self._repeats)
        [[rows, total]] = self._ask(f"select {counted}, sum({self._again()}) {source}")
        return Added(rows, total)

    def _again(self) -> str:
        """What a raw row adds: the measure, with what staging says in place of the fact's amounts."""
        fact = self.fact

        def again(found: re.Match[str]) -> str:
            name, column = found.groups()
            if name == fact.staging:
                return found[0]
            if name == fact.name:
                return f"({COLUMN.sub(again, fact.columns[column])})" if column in fact.columns else found[0]
            return f'{fact.name}."{name}.{column}"'

        return COLUMN.sub(again, self._sum.measures[self._measure])

    def _from_raw(self, facts: str, *, numbered: bool) -> str:
        """Facts and the raw rows that make them, which get a number, `_trace_id`, where they have to be told apart."""
        fact, where = self.fact, [self.fact.rows]
        staging, files = self.mart.relation(fact.staging), self._in_files(facts)
        if numbered:
            staging = f"(select *, row_number() over () as _trace_id from {staging}"
            staging += f" where {files})" if files else ")"
        elif files:
            where.append(f"{fact.staging}.{files}")
        return self._joined((f"{facts} as {fact.name}", f"{staging} as {fact.staging}"), where, {})[0]

    def _in_files(self, facts: str) -> str:
        """A condition that spares reading a whole raw table, where the fact is built by date; else empty.

        Its ids are told, and not asked for in it: PostgreSQL then knows how many rows to expect, and hashes the ids.
        """
        fact, of = self.fact, self.source
        if not fact.partition:
            return ""
        built = f"select file_id from {self.mart.schema('build_state')}.files where model_name = '{fact.name}'"
        is_read = f"file_id in ({built} and partition_start in (select {fact.partition} from {facts}))"
        is_read += f" or file_id not in ({built})"  # it came since the build
        [[ids, count]] = self._ask(
            f"select array_agg(file_id) filter (where {is_read}), count(*) from loader.files"
            f" where schema_name = '{of.schema}' and table_name = '{of.table}'"
        )
        if ids and 2 * len(ids) > count:  # then the whole table is read faster
            return ""
        return f"{FILE_ID} in ({', '.join(map(str, sorted(ids or []))) or 'null'})"

    def _shared(self) -> int:
        """Rows of the fact that add to more than one of the mart's rows, so that the sum of these says nothing."""
        counted = f"select 1 from {self._facts} where _value <> 0 group by {self._key} having min(_mart) <> max(_mart)"
        [[rows]] = self._ask(f"select count(*) from ({counted}) as shared")
        return int(rows)

    def _joined(
        self, base: Sequence[str], conditions: Sequence[str], joins: Mapping[str, str], *texts: str
    ) -> tuple[str, set[str]]:
        """`from` and `where` of relations, and of those among `joins` that conditions and texts name; and these."""
        where, used, waiting = [*conditions], dict[str, None](), [*conditions, *texts]
        while waiting:
            for name in NAME.findall(waiting.pop()):
                if name in joins and name not in used:
                    used[name] = None
                    where.append(joins[name])
                    waiting.append(joins[name])
        relations = [*base, *(f"{self.mart.relation(name)} as {name}" for name in used)]
        rows = PLACE.sub(lambda name: self.mart.relation(name[1]), " and ".join(f"({one})" for one in where))
        return f"from {', '.join(relations)} where {rows}", set(used)

    def _ask(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
