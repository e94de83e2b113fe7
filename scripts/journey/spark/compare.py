"""`journey spark compare`: is every table that dbt built on Spark, row for row, the one that it built in PostgreSQL?

Spark writes a table's rows out as Parquet, PostgreSQL takes them into a temporary table, and says in SQL what differs.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from journey import dbt, settings
from journey.errors import JourneyError, UsageError
from journey.project import local_dir
from journey.spark.session import Session, literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

CLOSE = 1e-9  # of ratios and statistics, relative; of what is smaller than 1, absolute
# what is divided: the last of its digits is each engine's own. Amounts have two places, costs six.
INEXACT = re.compile(r"double precision|real|numeric|numeric\(\d+,([7-9]|\d\d)\)")
BUILT = ("model", "seed", "snapshot")
OWN = (  # each one's own: under what number a file was loaded, and when; when a snapshot was taken
    "_file_id", "first_loaded_at", "last_loaded_at", "dbt_scd_id", "dbt_updated_at", "dbt_valid_from"
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """How a table differs.

    Attributes:
        name: of the node.
        rows: that PostgreSQL has.
        only_postgres: rows that only PostgreSQL has.
        only_spark: rows that only Spark has.
        example: one of them, or why it can't be compared.
    """

    name: str
    rows: int = 0
    only_postgres: int = 0
    only_spark: int = 0
    example: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether there is none."""
        return not (self.only_postgres or self.only_spark or self.example)


def compare(root: Path, *, target: str, spark_target: str, selected: Sequence[str] = ()) -> Iterator[Difference]:
    """Compare what two targets hold, table by table.

    Args:
        root: of the project.
        target: PostgreSQL's.
        spark_target: Spark's.
        selected: names of nodes; all models that are tables, seeds and snapshots if empty.

    Raises:
        UsageError: a name is no table.
        JourneyError: dbt can't parse, or one of the two can't be asked.
    """
    place = local_dir() / "spark"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compared-", dir=place) as named:
        folder = Path(named)
        ours, theirs = (_relations(root, one, folder / one) for one in (target, spark_target))
        unknown = sorted(set(selected) - ours.keys())
        if unknown:
            raise UsageError(f"target {target} has no table {unknown[0]}: name models, seeds and snapshots of dbt")
        names = [name for name in ours if not selected or name in selected]
        with settings.connect(application="journey spark compare") as connection, Session() as session:
            for name in names:
                if name not in theirs:
                    yield Difference(name, example=f"target {spark_target} has no such node")
                    continue
                yield compare_table(connection, session, name, ours[name], theirs[name], folder / "rows")
                connection.rollback()  # with the temporary table


def _relations(root: Path, target: str, folder: Path) -> dict[str, tuple[str, str]]:
    """Schema and name of each table of a target, by its node's name."""
    import json

    dbt.run(["parse", "--target", target, "--target-path", str(folder)], root=root)
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return {
        node["name"]: (node["schema"], node["alias"])
        for node in manifest["nodes"].values()
        if node["resource_type"] in BUILT and node["config"]["materialized"] not in ("view", "ephemeral")
    }


def compare_table(
    connection: psycopg.Connection[Any],
    session: Session,
    name: str,
    ours: tuple[str, str],
    theirs: tuple[str, str],
    folder: Path,
) -> Difference:
    """Compare one table.

    Args:
        connection: to PostgreSQL, in a transaction, which keeps a temporary table.
        session: to Spark.
        name: of the node.
        ours: PostgreSQL's schema and name.
        theirs: Spark's.
        folder: where Spark may write the rows, and we read them.
    """
    columns = {
        row[0]: row[1]
        for row in connection.execute(
            """select attname, format_type(atttypid, atttypmod) from pg_attribute
               where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum""",
            [sql.Identifier(*ours).as_string(connection)],
        )
        if row[0] not in OWN
    }
    if not columns:
        return Difference(name, example=f"PostgreSQL has no {'.'.join(ours)}")
    try:
        there = [row[0] for row in session.rows(f"show columns in {quoted(*theirs)}")]
    except JourneyError as error:
        return Difference(name, example=str(error)[:300])
    missing = set(map(str.lower, columns)) ^ (set(map(str.lower, there)) - set(OWN))
    if missing:
        return Difference(name, example=f"columns that only one of them has: {', '.join(sorted(missing))}")
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    connection.execute(
        sql.SQL("create temporary table theirs on commit drop as select {} from {} limit 0").format(
            listed, sql.Identifier(*ours)
        )
    )
    with _exported(session, theirs, list(columns), folder) as batches:
        statement = sql.SQL("copy theirs ({}) from stdin (format csv)").format(listed)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in batches:
                copy.write(_csv(batch))
    inexact = [column for column, kind in columns.items() if INEXACT.fullmatch(kind)]
    return _differ(connection, name, ours, [column for column in columns if column not in inexact], inexact)


def _differ(
    connection: psycopg.Connection[Any], name: str, ours: tuple[str, str], exact: list[str], inexact: list[str]
) -> Difference:
    """Pair the rows of both by their exact columns, and among equal ones in the order of the others."""
    row = sql.SQL("md5(row({})::text)").format(sql.SQL(", ").join(map(sql.Identifier, exact)))
    others = sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(column)) for column in inexact)
    order = sql.SQL(", ").join([sql.SQL("1"), *map(sql.Identifier, inexact)])
    side = sql.SQL(
        "select {row} as mark, row_number() over (partition by {row} order by {order}) as nth, {shown} as shown "
        "{others} from {table}"
    )
    shown = sql.SQL("left(row({})::text, 300)").format(sql.SQL(", ").join(map(sql.Identifier, [*exact, *inexact])))
    near = "(a.{c} is not distinct from b.{c} or abs(a.{c} - b.{c}) <= {e} * greatest(1, abs(a.{c}), abs(b.{c})))"
    close = [sql.SQL(near).format(c=sql.Identifier(column), e=sql.Literal(CLOSE)) for column in inexact]
    statement = sql.SQL(
        """with a as ({ours}), b as ({theirs}),
            pairs as (
                select a.mark is not null as is_ours, b.mark is not null as is_theirs, a.shown as ours,
                    b.shown as theirs,
                    a.mark is not null and b.mark is not null and {close} as is_equal
                from a full join b on a.mark = b.mark and a.nth = b.nth
            )
        select count(*) filter (where is_ours), count(*) filter (where is_ours and is_equal is not true),
            count(*) filter (where is_theirs and is_equal is not true),
            min('PostgreSQL ' || coalesce(ours, 'nothing') || ' / Spark ' || coalesce(theirs, 'nothing'))
                filter (where is_equal is not true)
        from pairs"""
    ).format(
        ours=side.format(row=row, order=order, shown=shown, others=others, table=sql.Identifier(*ours)),
        theirs=side.format(row=row, order=order, shown=shown, others=others, table=sql.Identifier("theirs")),
        close=sql.SQL(" and ").join(close) if close else sql.SQL("true"),
    )  # fmt: skip
    [(rows, only_ours, only_theirs, example)] = connection.execute(statement).fetchall()
    return Difference(name, rows, only_ours, only_theirs, example or "")


@contextmanager
def _exported(
    session: Session, table: tuple[str, str], columns: Sequence[str], folder: Path
) -> Iterator[Iterator[pa.RecordBatch]]:
    """A table's rows, which Spark writes into a folder that it and we see."""
    import pyarrow.dataset as ds

    shutil.rmtree(folder, ignore_errors=True)
    names = ", ".join(map(quoted, columns))
    session.rows(
        f"insert overwrite directory {literal(folder.as_uri())} using parquet select {names} from {quoted(*table)}"
    )
    in_micros = ds.ParquetFileFormat(coerce_int96_timestamp_unit="us")  # nanoseconds end in 2262, open ends in 9999
    try:
        yield ds.dataset(folder, format=in_micros).to_batches(columns=list(columns))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _csv(batch: pa.RecordBatch) -> bytes:
    """Rows as COPY reads them: a null is nothing, an empty text is quotes."""
    import pyarrow.csv as csv

    out = io.BytesIO()
    csv.write_csv(batch, out, csv.WriteOptions(include_header=False))
    return out.getvalue()
