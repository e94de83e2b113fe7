"""What a delivery has wrong is told by the name of its file."""

from __future__ import annotations

import io

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.conftest import Warehouse
from warehouse.histories import Change, Step, content, key


def test_a_row_that_comes_twice_is_told_with_its_file(warehouse: Warehouse) -> None:
    warehouse.restart()
    change, other = Change("campaigns", 0, 1), Change("campaigns", 1, 1)
    warehouse.take(Step((change,), "none"))
    warehouse.client.put_object(Bucket=warehouse.sources[0].bucket, Key=key(other), Body=content(change))
    warehouse.take(Step((), "none"))  # a load of its own, so that the copy is the newest file
    test = "assert_stg_loyalty__campaigns_fulfils_its_contract"
    told = warehouse.dbt("test", "--select", test).about(test)
    assert f"1 times the same campaign_id, as in {key(other)} (journey contract loyalty)" in told


def test_a_product_that_is_twice_in_one_extract_is_told_and_always_the_same_is_taken(warehouse: Warehouse) -> None:
    """Whichever of its rows comes first."""
    change = Change("products", 0, 1)
    extract = pq.read_table(io.BytesIO(content(change)))
    first = extract.slice(0, 1)
    brand = pc.if_else(pc.equal(first["brand"], "National"), "Private", "National")
    other = first.set_column(extract.column_names.index("brand"), "brand", brand)
    taken = set()
    for rows in ([extract, other], [other, extract]):
        warehouse.restart()
        body = io.BytesIO()
        pq.write_table(pa.concat_tables(rows), body)
        warehouse.client.put_object(Bucket=warehouse.sources[0].bucket, Key=key(change), Body=body.getvalue())
        warehouse.take(Step((), "none"))
        assert warehouse.build(select="dim_product") == []
        with psycopg.connect(dbname=warehouse.database) as connection:
            taken |= set(connection.execute("select product_id, brand from warehouse.dim_product").fetchall())
        test = "warn_members_twice_in_an_extract"
        told = warehouse.dbt("test", "--select", test).about(test)
        product = first["product_id"][0].as_py()
        assert told == f"{test}: {key(change)}: product {product} is there 2 times"
    assert len(taken) == extract.num_rows + 1  # and the unknown member
