"""A feed's tables on Spark: the rows of its files, and the view that staging reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from journey.errors import JourneyError
from journey.loader.declaration.sources import FILE_ID, Source
from journey.spark.formats import Fitting, Layout, external_table, query, value_of
from journey.spark.session import Session, literal, quoted
from journey.spark.values import spark_type

REFUSED = ("_refused_column", "_refused_reason", "_refused_text")


class ToRead(NamedTuple):
    """A file to read.

    Attributes:
        file_id: that its rows get.
        path: as Spark says it.
        fitting: how it is laid out.
    """

    file_id: int
    path: str
    fitting: Fitting


class Count(NamedTuple):
    """What a file gave.

    Attributes:
        good: rows.
        refused: rows.
        first: column and reason of one that was refused.
    """

    good: int = 0
    refused: int = 0
    first: tuple[str | None, str] | None = None


def rows_table(source: Source) -> str:
    """The name of the table that has the rows of all versions of a feed's files, and those that were refused.

    A partition is what one load read at once, `batch`: the first of its file_ids.
    """
    return quoted(source.schema, f"{source.table}__rows")


def make(session: Session, source: Source) -> None:
    """Make a feed's table and view, or give the table the columns that were declared since.

    Raises:
        JourneyError: a column has another type now.
    """
    session.rows(f"create schema if not exists {quoted(source.schema)}")
    wanted = {
        **{name: spark_type(kind) for name, kind in source.columns.items()},
        FILE_ID: "int",
        **dict.fromkeys(REFUSED, "string"),
    }
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted.items())
    name = rows_table(source)
    session.rows(f"create table if not exists {name} ({columns}, batch int) using parquet partitioned by (batch)")
    there = {row[0]: row[1] for row in session.rows(f"describe table {name}") if row[0] and not row[0].startswith("#")}
    added = {column: kind for column, kind in wanted.items() if column.lower() not in there}
    if added:
        said = ", ".join(f"{quoted(column)} {kind}" for column, kind in added.items())
        session.rows(f"alter table {name} add columns ({said})")
    for column, kind in wanted.items():
        if there.get(column.lower(), kind) != kind:
            raise JourneyError(
                f"{source.name}: column {column} is {there[column.lower()]} in {name} and declared as {kind}: drop the "
                f"table, and all files of {source.name} are loaded anew"
            )
    shown = ", ".join(map(quoted, [*source.columns, FILE_ID]))
    session.rows(
        f"create or replace view {quoted(source.schema, source.table)} as select {shown} from {name} "
        f"where _refused_reason is null and {FILE_ID} in (select file_id from loader.files "
        f"where schema_name = {literal(source.schema)} and table_name = {literal(source.table)} and status = 'loaded')"
    )


def clean(session: Session, source: Source, known: set[int]) -> None:
    """Take away what a load that was killed has left: no view shows it, and its file_ids will be given again.

    Args:
        session: to Spark.
        source: the feed.
        known: file_ids that the ledger has of it.
    """
    name = rows_table(source)
    batches = {int(row[0].split("=")[1]) for row in session.rows(f"show partitions {name}")}
    for batch in batches - known:
        session.rows(f"alter table {name} drop if exists partition (batch = {batch})")


def read(session: Session, source: Source, files: Sequence[ToRead]) -> None:
    """Read files into a batch, in the place of what a load that failed or was killed has left where it lies.

    Args:
        session: to Spark.
        source: the feed.
        files: with at least a byte; the first's file_id is the number of the batch.

    Raises:
        JourneyError: Spark can't read one of them, and read none; or it is gone.
    """
    layouts: dict[Layout, list[ToRead]] = {}
    for file in files:
        if file.fitting.layout is not None:
            layouts.setdefault(file.fitting.layout, []).append(file)
    parts: list[str] = []
    made: list[str] = []
    try:
        for number, (layout, ours) in enumerate(layouts.items(), 1):
            name = quoted(source.schema, f"{source.table}__files_{number}")
            session.rows(f"drop table if exists {name}")
            session.rows(external_table(source, name, layout))
            made.append(name)
            parts.append(_select(source, name, layout, ours))
        session.rows(
            f"insert overwrite {rows_table(source)} partition (batch = {files[0].file_id}) {' union all '.join(parts)}"
        )
    finally:
        for name in made:
            session.rows(f"drop table if exists {name}")


def counts(session: Session, source: Source, first: int, last: int) -> Mapping[int, Count]:
    """What each file gave, from a file_id to another."""
    rows = session.rows(
        f"select {FILE_ID}, count_if(_refused_reason is null), count(_refused_reason), "
        f"min(_refused_column), min(_refused_reason) from {rows_table(source)} "
        f"where batch between {first} and {last} group by {FILE_ID}"
    )
    return {row[0]: Count(row[1], row[2], (row[3], row[4]) if row[2] else None) for row in rows}


def show_refused(session: Session, sources: Sequence[Source]) -> None:
    """Let `loader.rejected_rows` show the refused rows of all feeds that have a table."""
    schemas = {source.schema for source in sources}
    there = {
        (schema, row[1])
        for (schema,) in session.rows("show schemas")
        if schema in schemas
        for row in session.rows(f"show tables in {quoted(schema)}")
    }
    parts = [
        f"select {FILE_ID} as file_id, cast(null as bigint) as line_number, _refused_column as column_name, "
        f"_refused_reason as reason, _refused_text as raw_text, cast(null as timestamp) as waived_at "
        f"from {rows_table(source)} where _refused_reason is not null "
        f"and {FILE_ID} in (select file_id from loader.files)"
        for source in sources
        if (source.schema, f"{source.table}__rows") in there
    ]
    session.rows(f"create or replace view `loader`.`rejected_rows` as {' union all '.join(parts)}")


def _select(source: Source, name: str, layout: Layout, files: Sequence[ToRead]) -> str:
    """The rows of files, as the table has them."""
    keyed = [column for column, _ in files[0].fitting.from_key]
    rows, values, whole = query(source, name, layout, [file.path for file in files])
    values = {**values, **{column: value_of(source, column, f"_key.{quoted(column)}") for column in keyed}}
    said = []
    for column, one in values.items():
        reason = f"concat('it is no ', {literal(one.what)})"
        said.append(f"when not ({one.is_good}) then named_struct('c', {literal(column)}, 'r', {reason})")
    bad = (
        f"case when {whole} is not null then named_struct('c', cast(null as string), 'r', {whole}) {' '.join(said)} end"
    )
    shown = ", ".join(
        f"{values[column].value if column in values else 'null'} as {quoted(column)}" for column in source.columns
    )
    names = ["_path", FILE_ID, *keyed]
    given = ", ".join(
        f"({', '.join(map(literal, [file.path, file.file_id, *(text for _, text in file.fitting.from_key)]))})"
        for file in files
    )
    fitted = f"(values {given} as given ({', '.join(map(quoted, names))}))"
    columns = ", ".join([*map(quoted, source.columns), FILE_ID])
    return (
        f"select {columns}, _bad.c, _bad.r, case when _bad is not null then left(_raw, 65536) end from ("
        f"select {shown}, _key.{FILE_ID}, {bad} as _bad, _raw from ({rows}) as _row "
        f"inner join {fitted} as _key on _row._path = _key._path)"
    )
