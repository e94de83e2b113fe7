"""Whether a raw table and the ledger agree: a cheap look before each load, and file by file on demand."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from psycopg import Connection, errors, sql

from journey.loader import postgres
from journey.loader.declaration.sources import FILE_ID, Source
from journey.loader.errors import TableStoppedError
from journey.loader.tables import identifier, in_words, lift_sequence, table_columns

SAMPLED_FILES, SAMPLED_ROWS = 3, 20_000  # so many files, drawn anew each time, none larger, are counted
LONGEST = "1500ms"  # of a look at a table; what takes longer is left to `journey repair` and the dbt test
DOUBTFUL_SHARE, DOUBTFUL_ROWS = 0.1, 1000  # PostgreSQL's own estimate may be so far off before all is counted


class Kind(Enum):
    """How a file's rows may differ from the ledger."""

    UNKNOWN = "the ledger knows no loaded file that brought them"
    GONE = "none of its rows is there"
    INCOMPLETE = "some of its rows are gone"
    SURPLUS = "there are more rows than it brought"


class Difference(NamedTuple):
    """One file of which table and ledger don't tell the same.

    Attributes:
        file_id: what the rows carry, or would.
        key: of the file; None if the ledger doesn't know it.
        in_table: its rows in the table.
        in_ledger: rows that it brought.
    """

    file_id: int
    key: str | None
    in_table: int
    in_ledger: int

    @property
    def kind(self) -> Kind:
        """How they differ."""
        if self.key is None:
            return Kind.UNKNOWN
        if self.in_table > self.in_ledger:
            return Kind.SURPLUS
        return Kind.INCOMPLETE if self.in_table else Kind.GONE


class Disagreement(NamedTuple):
    """What a look found.

    Attributes:
        said: what, for people.
        has_unknown_rows: rows are there that no loaded file brought, so that loading would double them.
    """

    said: str
    has_unknown_rows: bool


class _Facts(NamedTuple):
    """What is said of a table.

    Attributes:
        files: loaded files that brought rows, in the ledger.
        rows: their rows.
        first: lowest of their file_ids.
        last: highest of them.
        live: rows that PostgreSQL thinks the table has.
    """

    files: int
    rows: int
    first: int | None
    last: int | None
    live: int


def check(connection: Connection[Any], source: Source, *, reload_all: bool = False) -> None:
    """Refuse to load into a table that doesn't agree with the ledger. Costs a few milliseconds, whatever the size.

    It sees a table that is gone, empty, or of which PostgreSQL thinks that it has far more or fewer rows; rows of files
    that are older or newer than all that the ledger knows; missing rows of the first and last file and of a few others.
    `differences` sees everything, and so does, of the newest files, the dbt test assert_raw_rows_are_the_ledgers.

    Args:
        source: whose table; it need not be there.
        reload_all: every file is loaded again, so missing rows are no reason to stop.

    Raises:
        TableStoppedError: they don't agree, or the table is locked; the message names the command.
    """
    try:
        found = look(connection, source)
    except errors.LockNotAvailable as error:
        raise TableStoppedError(postgres.explain(connection, source.schema, source.table, error)) from error
    if found and (found.has_unknown_rows or not reload_all):
        raise TableStoppedError(
            f"{source.name}: {in_words(source)} and the ledger don't agree: {found.said}. Nothing is loaded into it: "
            f"`journey repair {source.name}` shows the files and what it would do"
            + ("" if found.has_unknown_rows else f", `journey reload {source.name}` brings all of them again")
        )


def look(connection: Connection[Any], source: Source) -> Disagreement | None:
    """The first thing that doesn't agree, if any.

    Raises:
        psycopg.errors.LockNotAvailable: somebody has locked the table.
    """
    has_table = any(column.name == FILE_ID for column in table_columns(connection, source))
    try:
        with connection.transaction():  # one snapshot: others may just commit a file, rows and ledger row at once
            _begin(connection, source if has_table else None)
            facts = _facts(connection, source)
            if not has_table:
                said = f"the table is gone, which had {facts.rows:,} rows of {facts.files:,} files"
                return Disagreement(said, has_unknown_rows=False) if facts.files else None
            found = _probe(connection, source, facts)
    except errors.QueryCanceled:
        return None  # the index on _file_id is gone, or waits for its vacuum: this isn't cheap
    if found and found.has_unknown_rows:
        lift_sequence(connection)
    return found or _count_if_doubtful(connection, source, facts)


def _begin(connection: Connection[Any], source: Source | None) -> None:
    """Begin to look: wait a while for the table, and then not long for answers."""
    lock = sql.SQL(
        "set local lock_timeout to {}; lock table {} in access share mode; set local statement_timeout to {}"
    )
    steps: list[sql.Composable] = [
        sql.SQL("set transaction isolation level repeatable read; set local enable_seqscan to off")
    ]
    if source:
        limits = sql.Literal(postgres.READ_LOCK_TIMEOUT), sql.Literal(LONGEST)
        steps.append(lock.format(limits[0], identifier(source), limits[1]))
    connection.execute(sql.SQL("; ").join(steps))


def _facts(connection: Connection[Any], source: Source) -> _Facts:
    [row] = connection.execute(
        """select count(*), coalesce(sum(row_count), 0)::bigint, min(file_id), max(file_id),
               coalesce(pg_stat_get_live_tuples(to_regclass(%(name)s)), 0)
           from loader.files
           where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded' and row_count > 0""",
        {**source.ids, "name": identifier(source).as_string(connection)},
    ).fetchall()
    return _Facts(*row)


def _probe(connection: Connection[Any], source: Source, facts: _Facts) -> Disagreement | None:
    """Ask for rows where there must be some, and where there must be none; the index on `_file_id` answers."""
    first, last = (facts.first, facts.last) if facts.first is not None else (0, -1)
    statement = sql.SQL(
        """select exists (select from {table}),
               (select _file_id from {table} where _file_id < %(first)s or _file_id > %(last)s limit 1),
               exists (select from {table} where _file_id = %(first)s),
               exists (select from {table} where _file_id = %(last)s)"""
    ).format(table=identifier(source))
    [(any_row, beyond, has_first, has_last)] = connection.execute(statement, {"first": first, "last": last}).fetchall()
    if any_row and not facts.files:
        said = "it has rows, and the ledger knows no file of it (was the ledger emptied, or dropped?)"
        return Disagreement(said, has_unknown_rows=True)
    if beyond is not None:
        which = "older" if beyond < first else "newer"
        said = f"it has rows of files that are {which} than all that the ledger knows (is the ledger from a backup?)"
        return Disagreement(said, has_unknown_rows=True)
    if facts.files and not any_row:
        said = f"the table is empty, which had {facts.rows:,} rows of {facts.files:,} files"
        return Disagreement(said, has_unknown_rows=False)
    if facts.files and not (has_first and has_last):
        missing = facts.last if has_first else facts.first
        return Disagreement(f"rows of file_id {missing} are gone", has_unknown_rows=False)
    wrong = _sample(connection, source) if facts.files else []
    if wrong:
        said = ", ".join(f"{one.key} has {one.in_table:,} of {one.in_ledger:,} rows" for one in wrong)
        return Disagreement(f"{said} (of a few files that were counted)", has_unknown_rows=False)
    return None


def _sample(connection: Connection[Any], source: Source) -> list[Difference]:
    rows = connection.execute(
        """select file_id, key, row_count from loader.files
           where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded'
             and row_count between 1 and %(rows)s
             and file_id >= (select min(file_id) + floor(random() * (max(file_id) - min(file_id) + 1)) from loader.files
                             where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded')
           order by file_id limit %(files)s""",
        {**source.ids, "rows": SAMPLED_ROWS, "files": SAMPLED_FILES},
    ).fetchall()
    if not rows:
        return []
    statement = sql.SQL("select _file_id, count(*) from {} where _file_id = any(%s) group by 1").format(
        identifier(source)
    )
    counted = dict(connection.execute(statement, [[row[0] for row in rows]]).fetchall())
    found = (Difference(file_id, key, counted.get(file_id, 0), count) for file_id, key, count in rows)
    return [one for one in found if one.in_table != one.in_ledger]


def _count_if_doubtful(connection: Connection[Any], source: Source, facts: _Facts) -> Disagreement | None:
    """Count everything if PostgreSQL's own bookkeeping, which may be stale, is far from the ledger's."""
    off = abs(facts.live - facts.rows)
    if off < DOUBTFUL_ROWS or off <= DOUBTFUL_SHARE * facts.rows:
        return None
    wrong = differences(connection, source)
    if wrong:
        has_unknown_rows = any(one.kind == Kind.UNKNOWN for one in wrong)
        return Disagreement(f"they differ in {len(wrong):,} of {facts.files:,} files", has_unknown_rows)
    connection.execute(sql.SQL("analyze {}").format(identifier(source)))  # now its bookkeeping is right
    return None


def differences(connection: Connection[Any], source: Source) -> Sequence[Difference]:
    """Every file of which table and ledger don't tell the same. Reads the whole table.

    Raises:
        psycopg.errors.LockNotAvailable: somebody has locked the table.
    """
    read = "select _file_id as file_id, count(*) as rows from {} group by 1"
    if not table_columns(connection, source):
        read = "select null::integer as file_id, null::bigint as rows where false"
    counted = sql.SQL(read).format(identifier(source))
    statement = sql.SQL(
        """with counted as ({}), files as (
               select file_id, key, row_count from loader.files
               where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded')
           select file_id, key, coalesce(rows, 0), coalesce(row_count, 0) from counted full join files using (file_id)
           where coalesce(rows, 0) <> coalesce(row_count, 0) order by key nulls first, file_id"""
    ).format(counted)
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [postgres.READ_LOCK_TIMEOUT])
        return [Difference(*row) for row in connection.execute(statement, source.ids)]
