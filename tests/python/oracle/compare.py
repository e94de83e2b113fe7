"""Compares a mart with its computation from the source, row by row and column by column."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg

from oracle.marts import Mart

# half a unit of the last stored place, plus 1e-9 of the figure: money to the cent, ratios to what the column holds
PLACES = {0: "0", 2: "0.00500001", 4: "0.000050001", 6: "0.00000050001", 8: "0.0000000050001"}


class Compared:
    """A mart as it is built and as the source says it should be, side by side in DuckDB.

    Attributes:
        name: the mart's table.
        rows: how many it has.
        columns: what is compared, by name: type, and places after the point.
    """

    def __init__(
        self, postgres: psycopg.Connection, shop: duckdb.DuckDBPyConnection, name: str, mart: Mart, folder: Path
    ) -> None:
        """Copy the mart, and compute it.

        Args:
            postgres: connection to the database with the marts.
            shop: the source.
            name: the mart's table.
            mart: how to compute it.
            folder: where to put the copy of the mart.
        """
        self.name, self._shop, self._key = name, shop, mart.key
        built = _columns(postgres, mart.schema, name)
        _copy(postgres, shop, f"{mart.schema}.{name}", built, folder / f"{name}.csv")
        if mart.first:
            shop.execute(mart.first)
        shop.execute(f"create or replace temp table expected as {mart.query}")
        computed = {row[0] for row in shop.execute("describe expected").fetchall()}
        assert computed == built.keys(), computed ^ built.keys()
        self.columns = {name: built[name] for name in built if name not in mart.key}
        self.rows = self._numbers("count(*)")[0]

    def differences(self) -> dict[str, int]:
        """By column the number of rows that differ; rows that only one side has count as `rows`."""
        one_sided = f"count(*) filter (where mart.{self._key[0]} is null or expected.{self._key[0]} is null)"
        tests = [f"count(*) filter (where not ({_same(name, *kind)}))" for name, kind in self.columns.items()]
        on = " and ".join(f"mart.{key} is not distinct from expected.{key}" for key in self._key)
        counts = self._numbers(", ".join([one_sided, *tests]), f"full join expected on {on}")
        return {name: count for name, count in zip(["rows", *self.columns], counts, strict=True) if count}

    def empty(self) -> set[str]:
        """Columns without any value."""
        counts = self._numbers(", ".join(f"count({name})" for name in self.columns))
        return {name for name, count in zip(self.columns, counts, strict=True) if count == 0}

    def change(self, column: str) -> bool:
        """Change the smallest thing in one row of the copy: a value by a cent or a few last places.

        Returns:
            Whether a row has a value there.
        """
        kind, scale = self.columns[column]
        changed = {
            "boolean": f"not {column}",
            "text": f"{column} || '.'",
            "numeric": f"{column} + {10.0**-scale * 2} + 3e-9 * abs({column})",
        }.get(kind, f"{column} + 1")
        row = f"(select max(rowid) from mart where {column} is not null)"
        done = self._shop.execute(f"update mart set {column} = {changed} where rowid = {row}").fetchone()
        return done == (1,)

    def lose_a_row(self) -> None:
        """Delete one row of the copy."""
        self._shop.execute("delete from mart where rowid = (select max(rowid) from mart)")

    def _numbers(self, select: str, join: str = "") -> tuple[int, ...]:
        found = self._shop.execute(f"select {select} from mart {join}").fetchone()
        assert found is not None
        return found


def _columns(postgres: psycopg.Connection, schema: str, table: str) -> dict[str, tuple[str, int]]:
    found = postgres.execute(
        """select column_name, data_type, coalesce(numeric_scale, 0) from information_schema.columns
           where table_schema = %s and table_name = %s order by ordinal_position""",
        (schema, table),
    )
    return {column: (kind, scale) for column, kind, scale in found}


def _copy(
    postgres: psycopg.Connection,
    shop: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, tuple[str, int]],
    file: Path,
) -> None:
    with (
        file.open("wb") as out,
        postgres.cursor().copy(f"copy (select * from {table}) to stdout (format csv, header)".encode()) as rows,
    ):
        for chunk in rows:
            out.write(chunk)
    types = ", ".join(f"'{column}': '{_duckdb_type(kind)}'" for column, (kind, _) in columns.items())
    copied = f"read_csv('{file}', header = true, types = {{{types}}}, nullstr = '')"
    shop.execute(f"create or replace temp table mart as from {copied}")


def _duckdb_type(kind: str) -> str:
    return {"text": "varchar", "numeric": "double"}.get(kind, kind)


def _same(column: str, kind: str, scale: int) -> str:
    mart, expected = f"mart.{column}", f"expected.{column}"
    if kind != "numeric":
        return f"{mart} is not distinct from {expected}"
    tolerance = f"{PLACES[scale]} + 1e-9 * abs({mart})"
    return f"({mart} is null and {expected} is null) or coalesce(abs({mart} - {expected}) <= {tolerance}, false)"
