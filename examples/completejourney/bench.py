"""What `make bench-load` and `make bench-build` measure with: the public transactions, and a history before them."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from deliveries.source import read

MONEY = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
# of the table that `rows` gives, by name
COLUMNS = {
    "household_id": "integer", "store_id": "integer", "basket_id": "bigint", "product_id": "integer",
    "quantity": "integer", **dict.fromkeys(MONEY, "numeric(12,2)"), "week": "smallint",
    "transaction_timestamp": "timestamptz",
}  # fmt: skip
MOMENT = "transaction_timestamp"  # by which its rows are divided into days and months
ROWS = 1_469_307
FULL = date(2017, 12, 12)  # a Tuesday: the next five days bring no weekly or monthly file, nor do those a week later


def rows() -> pa.Table:
    """The public transactions with exact amounts and times in UTC."""
    table = read("transactions").select(list(COLUMNS))
    for position, name in enumerate(COLUMNS):
        column = table[name]
        if name in MONEY:
            column = pc.round(column, 2).cast(pa.decimal128(12, 2), safe=False)
        elif name == MOMENT:
            column = column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        else:
            column = column.cast(pa.int64())
        table = table.set_column(position, name, column)
    return table.combine_chunks()


def earlier_years(connection: psycopg.Connection[Any], years: int) -> None:
    """Years arrive that lie before the one that is there: copies of its files, each 52 weeks before the next.

    Of their promotions one product in ten: nine times 20.9 million rows would make the bench far too long, and what a
    day reads of earlier weeks, the placements that stores used, hardly shrinks with them.

    Args:
        connection: to a database with the raw tables, in no transaction.
        years: how many.
    """
    year = f"generate_series(1, {years}) as year"
    for table, some, moved in (
        (
            "transactions",
            "true",
            {
                "basket_id": "basket_id + 1000000000000 * year",
                "week": "week - 52 * year",
                "transaction_timestamp": "transaction_timestamp - year * interval '364 days'",
            },
        ),
        ("promotions", "product_id % 10 = 0", {"week": "week - 52 * year"}),
    ):
        moved["_file_id"] = "_file_id + 1000000 * year"
        names = [row[0] for row in connection.execute(f"select * from raw_pos.{table} limit 0").description or ()]
        values = ", ".join(moved.get(name, name) for name in names)
        connection.execute(
            f"insert into raw_pos.{table} select {values} from (select * from raw_pos.{table} where {some}) as now "
            f"cross join {year} order by _file_id"
        )
        connection.execute(
            f"""insert into loader.files (file_id, schema_name, table_name, bucket, key, etag, size_bytes,
                    row_count, delivered_count, run_id, started_at, status)
                select copies._file_id, schema_name, table_name, 'earlier', key || copies._file_id, etag, size_bytes,
                    copies.row_count, copies.row_count, run_id, started_at, status
                from (select _file_id, count(*) as row_count from raw_pos.{table} where _file_id > 1000000
                      group by _file_id) as copies
                inner join loader.files on file_id = copies._file_id % 1000000"""
        )
        connection.execute(f"vacuum (analyze) raw_pos.{table}")
    connection.execute("select setval('loader.files_file_id_seq', max(file_id)) from loader.files")
