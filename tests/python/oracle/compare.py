"""Compares a mart with its computation from the source, row by row and column by column."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg

from oracle.marts import Mart

# half a unit of the last stored place, plus 1e-9 of the figure: money to the cent, ratios to what the column holds
PLACES = {0: "0", 2: "0.00500001", 6: "0.00000050001", 8: "0.0000000050001"}


def differences(
    postgres: psycopg.Connection, shop: duckdb.DuckDBPyConnection, name: str, mart: Mart, folder: Path
) -> tuple[int, dict[str, int]]:
    """Compare one mart.

    Args:
        postgres: connection to the database with the marts.
        shop: the source.
        name: the mart's table.
        mart: how to compute it.
        folder: where to put the copy of the mart.

    Returns:
        Number of rows compared, and by column the number of rows that differ; rows of one side only count as `rows`.
    """
    columns = {
        column: (kind, scale or 0)
        for column, kind, scale in postgres.execute(
            """select column_name, data_type, numeric_scale from information_schema.columns
               where table_schema = %s and table_name = %s order by ordinal_position""",
            (mart.schema, name),
        ).fetchall()
    }
    file = folder / f"{name}.csv"
    with (
        file.open("wb") as out,
        postgres.cursor().copy(f"copy {mart.schema}.{name} to stdout (format csv, header)") as copy,
    ):
        for chunk in copy:
            out.write(chunk)
    types = ", ".join(f"'{column}': '{_duckdb_type(kind)}'" for column, (kind, _) in columns.items())
    copied = f"read_csv('{file}', header = true, types = {{{types}}}, nullstr = '')"
    shop.execute(f"create or replace temp table mart as from {copied}")
    if mart.first:
        shop.execute(mart.first)
    shop.execute(f"create or replace temp table expected as {mart.query}")
    computed = {row[0] for row in shop.execute("describe expected").fetchall()}
    assert computed == columns.keys() - mart.left_out, computed ^ (columns.keys() - mart.left_out)
    on = " and ".join(f"mart.{key} is not distinct from expected.{key}" for key in mart.key)
    tests = ["count(*) filter (where mart.{0} is null or expected.{0} is null)".format(mart.key[0])]
    compared = [column for column in columns if column in computed and column not in mart.key]
    tests += [f"count(*) filter (where not ({_same(column, *columns[column])}))" for column in compared]
    counts = shop.execute(f"select count(*), {', '.join(tests)} from mart full join expected on {on}").fetchone()
    assert counts is not None
    return counts[0], {column: count for column, count in zip(["rows", *compared], counts[1:], strict=True) if count}


def _duckdb_type(kind: str) -> str:
    return {"text": "varchar", "numeric": "double"}.get(kind, kind)


def _same(column: str, kind: str, scale: int) -> str:
    mart, expected = f"mart.{column}", f"expected.{column}"
    if kind != "numeric":
        return f"{mart} is not distinct from {expected}"
    tolerance = f"{PLACES[scale]} + 1e-9 * abs({mart})"
    return f"({mart} is null and {expected} is null) or coalesce(abs({mart} - {expected}) <= {tolerance}, false)"
