"""One run at a time builds a target's schemas; tests/python/test_building.py has real processes."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from dbt_common.exceptions import DbtBaseException

from warehouse.conftest import Warehouse

OTHER = "insert into build_state.builds values ('other', '2017-03-06 14:03:11+00', 'anna', 'build')"
WAITS = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


def test_a_run_that_is_there_keeps_others_out(warehouse: Warehouse) -> None:
    warehouse.restart()
    was = warehouse.everything()
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:
        connection.execute(OTHER)
        connection.execute("/* dbt other, model.x */ select 1")
        with pytest.raises(
            DbtBaseException, match=r"anna builds demo since 14:03:11 \S+ \(dbt build\): wait for its end"
        ):
            warehouse.dbt("run", "--select", "dim_product")
        assert connection.execute("select run_id from build_state.builds").fetchall() == [("other",)]
    assert warehouse.everything() == was


def test_a_run_that_is_gone_keeps_nobody_out(warehouse: Warehouse) -> None:
    warehouse.restart()
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:
        connection.execute(OTHER)
        connection.execute("/* dbt elsewhere, model.x */ select 1")  # a run in other schemas
        assert warehouse.build(select="dim_product") == []
        assert connection.execute("select run_id from build_state.builds").fetchall() == []


def test_a_table_is_built_by_one_at_a_time(warehouse: Warehouse) -> None:
    """Whatever comes of turns."""
    warehouse.restart()
    [node] = [node for node in warehouse.dbt.manifest.nodes.values() if node.name == "dim_product"]
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [node.relation_name])
            building = threading.Thread(target=lambda: warehouse.build("--full-refresh", select="dim_product"))
            building.start()
            until = time.monotonic() + 60
            while not (waits := connection.execute(WAITS).fetchone() == (1,)) and building.is_alive():
                assert time.monotonic() < until
                time.sleep(0.1)
        building.join()
    assert waits
