"""`journey forget`: a person goes from raw tables, refused rows and snapshots, and doesn't come back."""

from __future__ import annotations

import secrets
import socket
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection, errors, sql

from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.forgotten import fitting, hashed, secret
from journey.loader.persons_beside import Beside, Snapshot, besides, rows_of
from journey.loader.persons_texts import TEXTS, hide, naming
from journey.loader.repairing import move_rows
from journey.loader.settling import me
from journey.loader.statuses import RunStatus
from journey.loader.tables import columns_of, identifier, in_words, table_columns

DRAWS = 100  # of a pseudonym, until it is nobody's id


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
    snapshots: Sequence[Snapshot] = (),
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
        snapshots: Sequence[Snapshot],
    ) -> None:
        self._connection, self._kind, self._value = connection, kind, value
        self._declared = sorted(sources, key=lambda one: (one.schema, one.table))
        self._is_number = any(
            source.columns[column] != "text"
            for source in sources
            for column, person in source.persons.items()
            if person.kind == kind
        )
        self._snapshots = snapshots
        self._hash = hashed(secret(connection), kind, value)
        self._tables: list[tuple[Source, str, str]] = []
        self._sources: list[Source] = []
        self._said: list[str] = []
        self._notes: list[str] = []
        self._file_ids: set[int] = set()

    def look(self) -> Forgot:
        """What is here."""
        self._find()
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
                beside = self._besides()
                pseudonym, counts = self._pseudonym(), Counter[str]()
                for source in self._sources:
                    counts += self._take_out(source, pseudonym, run_id)
                for table in TEXTS:
                    counts["texts"] += self._names(table, go=True)
                for one in beside:
                    counts["beside"] += self._rows_of(one, go=True)
                done = self._end()
                if done.is_known or even_if_unknown:
                    self._record(pseudonym, counts)
            status = RunStatus.LOADED
        finally:
            ledger.end_run(connection, run_id, status)
        if any(counts.values()):
            aside = [(one.schema, one.table) for one in beside if not one.is_plain]
            raw = [(source.schema, source.table) for source in self._sources]
            tables = sorted({*raw, *aside, *(("loader", table) for table in TEXTS)})
            done = done._replace(said=(*done.said, *filter(None, map(self._renew, tables))))
        return done

    def _find(self) -> None:
        """The tables that there are: a first load may have made one a moment ago."""
        self._tables = [
            (source, column, person.forget)
            for source in self._declared
            for names in [{column.name for column in table_columns(self._connection, source)}]
            for column, person in source.persons.items()
            if person.kind == self._kind and column in names
        ]
        self._sources = list({source.name: source for source, _, _ in self._tables}.values())

    def _lock(self) -> None:
        """No file is loaded until the end, and nobody else changes these tables; readers don't wait."""
        self._connection.execute("select set_config('lock_timeout', %s, true)", [postgres.LOCK_TIMEOUT])
        self._connection.execute("select pg_advisory_xact_lock(%s)", [postgres.FORGET_LOCK])
        self._find()  # no load makes rows any more
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
            called = fitting(pseudonym, is_number=types[column] != "text")
            self._connection.execute(change + where, {"value": self._value, "pseudonym": called})
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

    def _names(self, table: str, *, go: bool = False) -> int:
        """How many rows of one of TEXTS name the person; the files are remembered."""
        file_ids = naming(self._connection, self._sources, table, self._value)
        self._file_ids |= {file_id for file_id in file_ids if file_id is not None}
        if go:
            hide(self._connection, self._sources, table, self._value)
        self._say(f"loader.{table}", len(file_ids), "texts that name the person go")
        return len(file_ids)

    def _besides(self) -> list[Beside]:
        """Tables beside the raw ones that this login may change; the others are noted."""
        columns = [(source, column) for source, column, _ in self._tables]
        found = besides(self._connection, columns, self._snapshots)
        self._notes += [
            f"{one} is {one.owner}'s, and may hold the person: its owner drops it or builds it anew"
            for one in found
            if not one.is_ours
        ]
        return [one for one in found if one.is_ours]

    def _rows_of(self, one: Beside, *, go: bool = False) -> int:
        rows = rows_of(self._connection, one, self._value, go=go)
        self._say(str(one), rows, "rows go")
        return rows

    def _renew(self, name: tuple[str, str]) -> str | None:
        """Take the person out of the statistics and, as far as vacuum can, out of the table's file.

        Returns:
            What is left to do by hand: the person is forgotten by now, whoever is in the way here.
        """
        connection, table = self._connection, sql.Identifier(*name)
        try:
            connection.execute("select set_config('lock_timeout', %s, false)", [postgres.LOCK_TIMEOUT])
            connection.execute(sql.SQL("vacuum (analyze) {}").format(table))
            is_raw = any(column.name == FILE_ID for column in columns_of(connection, table))
            if is_raw and connection.execute(sql.SQL("select from {} limit 1").format(table)).fetchone() is None:
                with connection.transaction():  # statistics of an empty table would stay as they were
                    connection.execute(sql.SQL("insert into {} (_file_id) values (0)").format(table))
                    connection.execute(sql.SQL("analyze {}").format(table))
                    connection.execute(sql.SQL("delete from {}").format(table))
        except errors.LockNotAvailable:
            said = ".".join(name)
            return f"{said} is in use, and its statistics may name the person: run vacuum (analyze) {said}"
        return None

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
