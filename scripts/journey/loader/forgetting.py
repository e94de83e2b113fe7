"""`journey forget`: a person goes from raw tables, refused rows and snapshots, and doesn't come back."""

from __future__ import annotations

import re
import secrets
import socket
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection, errors, sql

from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres
from journey.loader.declaration.persons import Person
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.forgotten import HIDDEN, hashed, secret
from journey.loader.repairing import move_rows
from journey.loader.settling import me
from journey.loader.statuses import RunStatus
from journey.loader.tables import columns_of, identifier, in_words, table_columns

DRAWS = 100  # of a pseudonym, until it is nobody's id
TEXTS = {"rejected_rows": ("raw_text", "reason"), "files": ("error",), "schema_changes": ("detail",)}


class Beside(NamedTuple):
    """A table beside the raw ones with rows of persons: a snapshot, or what `journey repair` set aside. Rows go.

    Attributes:
        schema: where it is.
        table: its name.
        column: with the id.
        owner: whose it is.
        is_ours: whether this login may act as the owner.
    """

    schema: str
    table: str
    column: str
    owner: str
    is_ours: bool


class Forgot(NamedTuple):
    """What was done, or would be.

    Attributes:
        is_known: there was something of the person here, or the person was forgotten before.
        said: lines for people.
    """

    is_known: bool
    said: Sequence[str]


def forget(
    sources: Sequence[Source],
    kind: str,
    value: str,
    snapshots: Sequence[tuple[str, str, str]] = (),
    *,
    yes: bool = False,
    even_if_unknown: bool = False,
) -> Forgot:
    """Take a person out of what the loader keeps and of snapshots, all or nothing.

    Files that come again are read without the person.

    Args:
        sources: all that are declared.
        kind: of person.
        value: the id, as text.
        snapshots: schema as configured, table and column of those that keep persons of the kind.
        yes: do it; else only say it.
        even_if_unknown: also if nothing is here, for files that are still to come.

    Raises:
        UsageError: no column is declared to hold such ids.
        JourneyError: somebody else uses what has to change, or this login may not change it.
    """
    chosen = [one for one in sources if any(person.kind == kind for person in one.persons.values())]
    if not chosen:
        kinds = sorted({person.kind for one in sources for person in one.persons.values()})
        raise UsageError(
            f"{kind}: no column is declared to hold such a person's id; there are {', '.join(kinds) or 'none'} "
            "(config: {meta: {person: …, forget: …}} in a source's YAML)"
        )
    with postgres.connect("journey forget") as connection, postgres.told("a person was forgotten"):
        ledger.set_up(connection)
        one = _Person(connection, chosen, kind, value, snapshots)
        try:
            if yes:
                return one.forget(even_if_unknown=even_if_unknown)
            with connection.transaction(force_rollback=True):
                return one.look()
        except errors.LockNotAvailable as error:
            raise JourneyError(
                "a load, or something else that holds a raw table, is at work, and nothing is done: run again when it "
                f"is over ({' '.join(str(error).split())})"
            ) from error


class _Person:
    def __init__(
        self,
        connection: Connection[Any],
        sources: Sequence[Source],
        kind: str,
        value: str,
        snapshots: Sequence[tuple[str, str, str]],
    ) -> None:
        self._connection, self._kind, self._value = connection, kind, value
        self._tables = [
            (source, column, person.forget)
            for source in sorted(sources, key=lambda one: (one.schema, one.table))
            for names in [{column.name for column in table_columns(connection, source)}]
            for column, person in source.persons.items()
            if person.kind == kind and column in names
        ]
        self._sources = list({source.name: source for source, _, _ in self._tables}.values())
        self._is_number = any(
            source.columns[column] != "text"
            for source in sources
            for column, person in source.persons.items()
            if person == Person(kind, "pseudonym")
        )
        self._snapshots = snapshots
        self._hash = hashed(secret(connection), kind, value)
        # as a word of its own; a number with zeros before it is the same number
        self._word = rf"(^|[^[:alnum:]_])0*{re.escape(value)}($|[^[:alnum:]_])"
        self._plain = {schema for schema, _, _ in snapshots}
        self._said: list[str] = []
        self._notes: list[str] = []
        self._file_ids: set[int] = set()

    def look(self) -> Forgot:
        """What is here."""
        for source, column, rule in self._tables:
            rows = self._rows(source, column)
            self._tell(in_words(source), sum(rows.values()), len(rows), rule)
        for table in TEXTS:
            self._names(table)
        for one in self._besides():
            self._rows_of(one)
        return self._end()

    def forget(self, *, even_if_unknown: bool) -> Forgot:
        """Take the person out."""
        connection = self._connection
        run_id, status = ledger.begin_run(connection, f"forget a {self._kind}", socket.gethostname()), RunStatus.FAILED
        try:
            with connection.transaction():
                self._lock()
                besides = self._besides()
                pseudonym, counts = self._pseudonym(), Counter[str]()
                for source in self._sources:
                    counts += self._take_out(source, pseudonym, run_id)
                for table in TEXTS:
                    counts["texts"] += self._names(table, hide=True)
                for one in besides:
                    counts["beside"] += self._rows_of(one, "delete from {} where {}::text = %s")
                done = self._end()
                if done.is_known or even_if_unknown:
                    self._record(pseudonym, counts)
            status = RunStatus.LOADED
        finally:
            ledger.end_run(connection, run_id, status)
        if any(counts.values()):
            aside = [(one.schema, one.table) for one in besides if one.schema not in self._plain]
            raw = [(source.schema, source.table) for source in self._sources]
            for name in {*raw, *aside, *(("loader", table) for table in TEXTS)}:
                self._renew(sql.Identifier(*name))
        return done

    def _lock(self) -> None:
        """No file is loaded until the end, and nobody else changes these tables; readers don't wait."""
        self._connection.execute("select set_config('lock_timeout', %s, true)", [postgres.LOCK_TIMEOUT])
        self._connection.execute("select pg_advisory_xact_lock(%s)", [postgres.FORGET_LOCK])
        for source in self._sources:
            lock = sql.SQL("lock table {} in share row exclusive mode")
            self._connection.execute(lock.format(identifier(source)))

    def _rows(self, source: Source, column: str) -> dict[int, int]:
        """The person's rows in a raw table, by file; the files are remembered."""
        rows = self._by_file(source, column, self._value)
        self._file_ids |= set(rows)
        return rows

    def _by_file(self, source: Source, column: str, value: str) -> dict[int, int]:
        statement = sql.SQL("select _file_id, count(*) from {} where {}::text = %s group by 1")
        names = identifier(source), sql.Identifier(column)
        return dict(self._connection.execute(statement.format(*names), [value]).fetchall())

    def _take_out(self, source: Source, pseudonym: str, run_id: int) -> Counter[str]:
        """Remove the person's rows, or rename the person in them; the files get new versions."""
        table, lost, touched = identifier(source), Counter[int](), set[int]()
        columns = {column: rule for one, column, rule in self._tables if one is source}
        types = {one.name: one.type for one in table_columns(self._connection, source)}
        renamed = 0
        for column, rule in sorted(columns.items(), key=lambda one: one[1] != "remove"):
            rows = self._rows(source, column)
            touched |= set(rows)
            self._tell(in_words(source), sum(rows.values()), len(rows), rule)
            if not rows:
                continue
            where = sql.SQL(" where {}::text = %(value)s").format(sql.Identifier(column))
            if rule == "remove":
                lost.update(rows)
                change = sql.SQL("delete from {}").format(table)
            else:
                renamed += sum(rows.values())
                nothing = [name for name in source.personal if name in types]
                change = sql.SQL("update {} set {} = cast(%(pseudonym)s as {})").format(
                    table, sql.Identifier(column), sql.SQL(types[column])
                ) + sql.SQL("").join(sql.SQL(", {} = null").format(sql.Identifier(name)) for name in nothing)
            self._connection.execute(change + where, {"value": self._value, "pseudonym": pseudonym})
        if touched:
            new_ids = ledger.renew(self._connection, sorted(touched), run_id, lost, "withheld")
            move_rows(self._connection, source, new_ids)
        return +Counter(removed=sum(lost.values()), renamed=renamed)

    def _pseudonym(self) -> str:
        """What the person is called, if rows stay: drawn, and nobody's id. A person who was forgotten has one."""
        known = self._known()
        if known:
            return known
        for _ in range(DRAWS):
            drawn = str(-1 - secrets.randbelow(2**31 - 1)) if self._is_number else f"forgotten-{secrets.token_hex(8)}"
            given = "select count(*) from loader.forgotten where kind = %s and pseudonym = %s"
            is_given = self._connection.execute(given, [self._kind, drawn]).fetchone() != (0,)
            if not is_given and not any(self._by_file(source, column, drawn) for source, column, _ in self._tables):
                return drawn
        raise JourneyError(f"no pseudonym is free: {self._kind} has nearly every negative number as an id")

    def _known(self) -> str | None:
        row = self._connection.execute(
            "select pseudonym from loader.forgotten where kind = %s and id_hash = %s", [self._kind, self._hash]
        ).fetchone()
        return str(row[0]) if row else None

    def _record(self, pseudonym: str, counts: Counter[str]) -> None:
        """That it was done, without saying who."""
        self._connection.execute(
            """insert into loader.forgotten (kind, id_hash, pseudonym, forgotten_by, removed_count, renamed_count)
               values (%(kind)s, %(hash)s, %(pseudonym)s, %(by)s, %(removed)s, %(renamed)s)
               on conflict (kind, id_hash) do update
               set times = forgotten.times + case when %(is_news)s then 1 else 0 end,
                   removed_count = forgotten.removed_count + excluded.removed_count,
                   renamed_count = forgotten.renamed_count + excluded.renamed_count""",
            {
                "kind": self._kind, "hash": self._hash, "pseudonym": pseudonym, "by": me(),
                "is_news": any(counts.values()), "removed": counts["removed"], "renamed": counts["renamed"],
            },
        )  # fmt: skip

    def _names(self, table: str, *, hide: bool = False) -> int:
        """How many rows of a table of the ledger's, about these raw tables, have a text that names the person.

        Args:
            table: one of TEXTS.
            hide: take the texts out.
        """
        columns = TEXTS[table]
        ours = "(schema_name, table_name) in (select * from unnest(%(schemas)s::text[], %(tables)s::text[]))"
        if table == "rejected_rows":
            ours = f"file_id in (select file_id from loader.files where {ours})"
        text = f"concat_ws(E'\\n', {', '.join(columns)})"
        where = f"from loader.{table} where {ours} and strpos({text}, %(value)s) > 0 and {text} ~ %(word)s"
        values = {"schemas": [one.schema for one in self._sources], "tables": [one.table for one in self._sources],
                  "value": self._value, "word": self._word, "hidden": HIDDEN}  # fmt: skip
        file_id = "null" if table == "schema_changes" else "file_id"
        rows = self._connection.execute(f"select {file_id} {where}", values).fetchall()
        self._file_ids |= {file_id for (file_id,) in rows if file_id is not None}
        if hide:
            change = ", ".join(f"{one} = {'null' if one == 'raw_text' else '%(hidden)s'}" for one in columns)
            self._connection.execute(f"update loader.{table} set {change} {where.split(' ', 2)[2]}", values)
        self._say(f"loader.{table}", len(rows), "texts that name the person go")
        return len(rows)

    def _besides(self) -> list[Beside]:
        """Tables beside the raw ones that keep persons.

        Raises:
            JourneyError: this login may not change one that everybody's figures are built from.
        """
        wanted = [(f"(.*_)?{re.escape(schema)}", re.escape(table), column) for schema, table, column in self._snapshots]
        wanted += [  # as `journey repair` calls them
            (re.escape(source.schema), rf"{re.escape(source.table[:40])}_unknown_[0-9]{{14}}", column)
            for source, column, _ in self._tables
        ]
        rows = self._connection.execute(
            """select distinct nspname, relname, attname, relowner::regrole::text,
                   pg_has_role(session_user, relowner, 'set')
               from unnest(%s::text[], %s::text[], %s::text[]) as wanted (in_schema, called, named)
                   join pg_namespace on nspname ~ ('^' || in_schema || '$')
                   join pg_class on relnamespace = pg_namespace.oid and relname ~ ('^' || called || '$')
                   join pg_attribute on attrelid = pg_class.oid and attname = named and not attisdropped
               where relkind = 'r' order by 1, 2, 3""",
            [list(part) for part in zip(*wanted, strict=True)] if wanted else [[], [], []],
        ).fetchall()
        found = [Beside(*row) for row in rows]
        for one in found:
            if not one.is_ours and one.schema in self._plain:
                raise JourneyError(
                    f"{one.schema}.{one.table} keeps persons and is {one.owner}'s: forget with a login that is a "
                    "member of both groups, as journey retype (docs/roles.md)"
                )
        self._notes += [
            f"{one.schema}.{one.table} is {one.owner}'s, and may hold the person: its owner drops it or builds it anew"
            for one in found
            if not one.is_ours
        ]
        return [one for one in found if one.is_ours]

    def _rows_of(self, one: Beside, statement: str = "select from {} where {}::text = %s") -> int:
        """The person's rows in a table beside, as its owner."""
        self._connection.execute(sql.SQL("set local role {}").format(sql.SQL(one.owner)))  # as the catalogue quotes it
        names = sql.Identifier(one.schema, one.table), sql.Identifier(one.column)
        rows = self._connection.execute(sql.SQL(statement).format(*names), [self._value]).rowcount
        self._connection.execute("reset role")
        self._say(f"{one.schema}.{one.table}", rows, "rows go")
        return rows

    def _renew(self, table: sql.Identifier) -> None:
        """Take the person out of the statistics and, as far as vacuum can, out of the table's file."""
        connection = self._connection
        connection.execute(sql.SQL("vacuum (analyze) {}").format(table))
        is_raw = any(column.name == FILE_ID for column in columns_of(connection, table))
        if is_raw and connection.execute(sql.SQL("select from {} limit 1").format(table)).fetchone() is None:
            with connection.transaction():  # statistics of an empty table would stay as they were
                connection.execute(sql.SQL("insert into {} (_file_id) values (0)").format(table))
                connection.execute(sql.SQL("analyze {}").format(table))
                connection.execute(sql.SQL("delete from {}").format(table))

    def _tell(self, where: str, rows: int, files: int, rule: str) -> None:
        what = "rows go" if rule == "remove" else "rows stay, under a pseudonym"
        self._say(where, rows, f"{what}; {files:,} files get a new version")

    def _say(self, where: str, count: int, what: str) -> None:
        if count:
            self._said.append(f"{where}: {count:,} {what}")

    def _end(self) -> Forgot:
        """What else there is to say: objects, and copies that somebody built."""
        is_here, was_forgotten = bool(self._said), self._known() is not None
        if not is_here:
            before = ", who was forgotten before" if was_forgotten else ""
            self._said.append(f"nothing is here of this {self._kind}{before}")
        objects = self._connection.execute(
            """select distinct 's3://' || bucket || '/' || key from loader.files where file_id = any(%s) order by 1""",
            [list(self._file_ids)],
        ).fetchall()
        self._said += [f"{name} holds the person, and stays as it is" for (name,) in objects]
        copies = self._connection.execute(
            """select left(nspname, -length('_build_state')) from pg_namespace
               where nspname like '%\\_build\\_state' and obj_description(oid, 'pg_namespace') ~ '^version '
               order by 1"""
        ).fetchall()
        self._said += [
            f"{name}_…: schemas of a copy, which may hold the person until it is built anew (DBT_SCHEMA={name})"
            for (name,) in copies
            if is_here
        ]
        self._said += self._notes
        return Forgot(is_here or was_forgotten, tuple(self._said))
