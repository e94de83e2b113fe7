"""The ledger on Spark's side: which file gave which rows, as `loader.files` has it in PostgreSQL.

Spark has no transaction. Each state of the ledger is a partition of its own; the view `loader.files` shows one of them,
and pointing it at the next is the one step by which a load's rows come in and others go. What is killed before has done
nothing that anybody sees.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timezone
from typing import Any

from journey.loader.declaration.sources import Source
from journey.loader.ledger import Known
from journey.loader.statuses import FileStatus, RunStatus
from journey.spark.session import Session, literal, quoted

STATES = "`loader`.`files__states`"
KEPT_STATES = 3  # readers of the one before are let finish
KINDS = {"int": "int", "str": "string", "datetime": "timestamp"}
COUNTS = ("size_bytes", "delivered_count", "row_count", "rejected_count", "waived_count", "withheld_count")


@dataclass(frozen=True)
class Entry:
    """A row of `loader.files`; docs and columns are declared in models/staging/loader."""

    file_id: int
    schema_name: str
    table_name: str
    bucket: str
    key: str
    etag: str
    size_bytes: int
    run_id: int
    started_at: datetime
    finished_at: datetime
    status: str
    delivered_count: int | None = None
    row_count: int = 0
    rejected_count: int = 0
    waived_count: int = 0
    withheld_count: int = 0
    version_id: str | None = None
    content_hash: str | None = None
    duplicate_of: int | None = None
    replaces: int | None = None
    moved_from: str | None = None
    error: str | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_because: str | None = None


def _types() -> dict[str, str]:
    """Spark's type by column."""
    found = {one.name: KINDS[str(one.type).split(" ")[0]] for one in fields(Entry)}
    return {name: "bigint" if name in COUNTS else kind for name, kind in found.items()}


COLUMNS = _types()
OTHERS = {  # tables of the ledger, beside `files`
    "runs": "run_id int, started_at timestamp, finished_at timestamp, status string, selected string, host string, "
    "has_lock boolean, program_version string",
    "schema_changes": "schema_name string, table_name string, column_name string, change string, detail string, "
    "first_key string, first_seen_at timestamp, last_key string, last_seen_at timestamp, closed_at timestamp",
}


class Ledger:
    """The ledger, read and written by one load at a time.

    Attributes:
        run_id: of this run.
    """

    def __init__(self, session: Session) -> None:
        """Make what isn't there, and find the state that holds."""
        self._session, self.began = session, datetime.now(timezone.utc).replace(tzinfo=None)
        session.rows("create schema if not exists `loader`")
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in COLUMNS.items())
        session.rows(
            f"create table if not exists {STATES} ({columns}, state bigint) using parquet partitioned by (state)"
        )
        for name, declared in OTHERS.items():
            session.rows(f"create table if not exists `loader`.{quoted(name)} ({declared}) using parquet")
        self._states = sorted(int(row[0].split("=")[1]) for row in session.rows(f"show partitions {STATES}"))
        self._show()
        ids = session.rows(f"select max(file_id) from {self._current()}")
        runs = session.rows(
            f"select max(run_id) from (select run_id from loader.runs union all select run_id from {self._current()})"
        )
        self._last_id, self.run_id = ids[0][0] or 0, (runs[0][0] or 0) + 1

    def known(self, source: Source) -> dict[str, Known]:
        """What the ledger says of each key of a feed."""
        found: dict[str, Known] = {}
        for file_id, key, etag, _, status in self._files(source):
            one = found.get(key, Known())
            if status == FileStatus.LOADED:
                one = one._replace(loaded_id=file_id, loaded_etag=etag)
            elif status == FileStatus.FAILED:
                one = one._replace(failed_etag=etag)
            found[key] = one
        return found

    def loaded(self, source: Source) -> list[tuple[int, str, str, int]]:
        """file_id, key, ETag and size of the files whose rows are in a feed's table."""
        return [
            (file_id, key, etag, size) for file_id, key, etag, size, status in self._files(source) if status == "loaded"
        ]

    def failed(self, source: Source) -> list[tuple[int, str]]:
        """file_id and key of failures that nothing has ended."""
        return [(file_id, key) for file_id, key, _, _, status in self._files(source) if status == "failed"]

    def ids(self, source: Source) -> set[int]:
        """All file_ids that were ever given in a feed, whatever bucket it had."""
        return {row[0] for row in self._session.rows(f"select file_id from {self._current()} where {_of(source)}")}

    def next_ids(self, count: int) -> list[int]:
        """So many file_ids that no file has."""
        first = self._last_id + 1
        self._last_id += count
        return list(range(first, first + count))

    def write(self, new: Sequence[Entry], statuses: Mapping[int, str]) -> None:
        """The next state, and let everybody see it.

        Args:
            new: files that the state before doesn't have.
            statuses: what becomes of those that it has, by file_id.
        """
        # a number that no killed load can have begun
        state = max(int(time.time() * 1000), (self._states[-1] if self._states else 0) + 1)
        names = ", ".join(map(quoted, COLUMNS))
        changed = "status"
        if statuses:
            cases = " ".join(f"when file_id = {one} then {literal(str(status))}" for one, status in statuses.items())
            changed = f"case {cases} else status end"
        before = ", ".join(changed + " as status" if name == "status" else quoted(name) for name in COLUMNS)
        parts = [f"select {before} from {self._current()}"]
        if new:
            values = ", ".join(f"({', '.join(literal(value) for value in astuple(entry))})" for entry in new)
            given = ", ".join(f"cast({quoted(name)} as {COLUMNS[name]})" for name in COLUMNS)
            parts.append(
                f"select {given} from values {values} as given ({', '.join(quoted(one.name) for one in fields(Entry))})"
            )
        self._session.rows(
            f"insert into {STATES} partition (state = {state}) "
            f"select /*+ coalesce(1) */ {names} from ({' union all '.join(parts)})"
        )
        self._states.append(state)
        self._show()

    def end_run(self, status: RunStatus, selected: str, host: str, version: str) -> None:
        """Note the run."""
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        values = ", ".join(map(literal, (self.run_id, self.began, now, str(status), selected, host)))
        self._session.rows(f"insert into loader.runs select {values}, false, {literal(version)}")

    def note_changes(self, source: Source, changes: Mapping[tuple[str, str, str], Sequence[str]]) -> None:
        """Note how files differ from what is declared.

        Args:
            source: the feed.
            changes: keys of the files that showed it, by change, column and detail.
        """
        there = {
            (row[0], row[1])
            for row in self._session.rows(f"select change, column_name from loader.schema_changes where {_of(source)}")
        }
        new = [
            (change, column, detail, keys)
            for (change, column, detail), keys in changes.items()
            if (change, column) not in there
        ]
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        for change, column, detail, keys in new:
            values = (source.schema, source.table, column, change, detail, keys[0], now, keys[-1], now)
            self._session.rows(
                f"insert into loader.schema_changes select {', '.join(map(literal, values))}, cast(null as timestamp)"
            )

    def _files(self, source: Source) -> list[tuple[int, str, str, int, str]]:
        rows: list[tuple[Any, ...]] = self._session.rows(
            f"select file_id, key, etag, size_bytes, status from {self._current()} "
            f"where {_of(source)} and bucket = {literal(source.bucket)} order by file_id"
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def _current(self) -> str:
        return f"(select * from {STATES} where state = {self._states[-1] if self._states else 0})"

    def _show(self) -> None:
        """Point the view at the newest state, and take away those that nobody reads any more."""
        names = ", ".join(map(quoted, COLUMNS))
        self._session.rows(f"create or replace view `loader`.`files` as select {names} from {self._current()}")
        for state in self._states[:-KEPT_STATES]:
            self._session.rows(f"alter table {STATES} drop if exists partition (state = {state})")
        self._states = self._states[-KEPT_STATES:]


def _of(source: Source) -> str:
    return f"schema_name = {literal(source.schema)} and table_name = {literal(source.table)}"
