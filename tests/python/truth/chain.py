"""A mart's own SQL, compiled by dbt, over one generated world after another.

Worlds begin at the facts: what the models of a chain read and no model of it makes is an empty table with the columns
of its contract, and a world fills it. dbt builds the chain once, so that tables, types and constraints are its own;
from then on a world costs a COPY and the SQL.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from dbt_runs import Dbt
from journey import settings


class Chain:
    """Models that are built over worlds.

    Args:
        dbt: parsed for the database that PGDATABASE names, which has nothing in it yet.
        models: names of the models to build, in any order; a seed that they read is built as it is.

    Raises:
        AssertionError: if dbt can't build them over empty tables.
    """

    def __init__(self, dbt: Dbt, models: Sequence[str]) -> None:
        nodes = {node.name: node for node in dbt.manifest.nodes.values() if node.resource_type in ("model", "seed")}
        by_id = {node.unique_id: node.name for node in nodes.values()}
        made = [nodes[name] for name in models]
        read = {by_id[one] for node in made for one in node.depends_on.nodes if one in by_id}
        self._relations = {name: _relation(nodes[name]) for name in {*read, *models}}
        self._columns = {name: list(nodes[name].columns) for name in models}
        self.inputs = sorted(name for name in read - set(models) if nodes[name].resource_type == "model")
        with settings.connect(autocommit=True) as connection:
            make_empty(connection, [nodes[name] for name in self.inputs])
        seeds = [name for name in read if nodes[name].resource_type == "seed"]
        ran = dbt("seed", "--select", *seeds) if seeds else None
        assert ran is None or not ran.errors, ran.errors
        ran = dbt("run", "--select", *models)
        assert not ran.errors, ran.errors
        self._sql = ran.sql
        with settings.connect(autocommit=True) as connection:
            for name in models:
                if _is_mart(nodes[name]):  # a table in the place of the view on its newest rows
                    connection.execute(_raw(f"drop view {self._relations[name]} cascade"))
                    make_empty(connection, [nodes[name]])

    def build(self, connection: psycopg.Connection, world: Mapping[str, pa.Table]) -> None:
        """Fill the inputs with a world, and build the models over it.

        Args:
            connection: to the database; commits as it likes.
            world: by input its rows; columns that it leaves out are null, inputs that it leaves out are empty, what
                this chain doesn't read is left.
        """
        for name in self.inputs:
            connection.execute(_raw(f"truncate {self._relations[name]}"))
            if name in world:
                _copy(connection, self._relations[name], world[name])
            connection.execute(_raw(f"analyze {self._relations[name]}"))
        for name, select in self._sql.items():
            columns = ", ".join(f'"{column}"' for column in self._columns[name])
            connection.execute(_raw(f"truncate {self._relations[name]}"))
            connection.execute(
                _raw(f"insert into {self._relations[name]} ({columns}) select {columns} from ({select}\n) as made")
            )
            connection.execute(_raw(f"analyze {self._relations[name]}"))

    def read(self, connection: psycopg.Connection, model: str, columns: Iterable[str]) -> list[tuple[Any, ...]]:
        """Rows of a model over the last world; numbers with decimals come as floats.

        Args:
            connection: to the database.
            model: a model of the chain, or an input.
            columns: to read.
        """
        wanted = ", ".join(f'"{column}"' for column in columns)
        rows = connection.execute(_raw(f"select {wanted} from {self._relations[model]}")).fetchall()
        return [tuple(float(value) if _is_decimal(value) else value for value in row) for row in rows]


def make_empty(connection: psycopg.Connection, nodes: Iterable[Any]) -> None:
    """Make tables without rows that have the columns of the models' contracts.

    Args:
        connection: to the database.
        nodes: the models, as in dbt's manifest.
    """
    for node in nodes:
        columns = ", ".join(f'"{column.name}" {column.data_type}' for column in node.columns.values())
        connection.execute(_raw(f'create schema if not exists "{"built" if _is_mart(node) else node.schema}"'))
        connection.execute(_raw(f"create table {_relation(node)} ({columns})"))


def _is_mart(node: Any) -> bool:
    return "marts" in node.fqn and "intermediate" not in node.fqn


def _relation(node: Any) -> str:
    """What a build reads of a model: of a mart, its newest rows."""
    return f'"built"."{node.name}"' if _is_mart(node) else str(node.relation_name)


def _copy(connection: psycopg.Connection, relation: str, rows: pa.Table) -> None:
    """COPY rows into a table, by name."""
    buffer = io.BytesIO()
    csv.write_csv(rows, buffer, csv.WriteOptions(include_header=False))
    columns = ", ".join(f'"{column}"' for column in rows.column_names)
    with connection.cursor().copy(_raw(f"copy {relation} ({columns}) from stdin (format csv)")) as copy:
        copy.write(buffer.getbuffer())


def _raw(text: str) -> sql.SQL:
    """SQL whose names come from the project."""
    return sql.SQL(text)


def _is_decimal(value: object) -> bool:
    return type(value).__name__ == "Decimal"
