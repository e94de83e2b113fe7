"""What the materialization does besides: hooks, grants, indexes, descriptions, and which data tests run again."""

from __future__ import annotations

import psycopg
import pytest
from dbt.artifacts.resources.v1.config import Hook

from dbt_runs import administer
from warehouse.conftest import Warehouse
from warehouse.histories import Change, Step
from warehouse.test_incremental import changes

KEPT = "assert_sales_keep_every_line"


def test_hooks_run_and_grants_hold(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.restart()
    config = warehouse.dbt.manifest.nodes["model.data_journey.dim_product"].config
    for when, inside in (("pre", False), ("pre", True), ("post", True), ("post", False)):
        hook = Hook(f"insert into public.ran values ('{when} {inside}')", transaction=inside)
        monkeypatch.setattr(config, f"{when}_hook", [*getattr(config, f"{when}_hook"), hook])
    administer("drop role if exists reader_of_tests", "create role reader_of_tests")
    monkeypatch.setattr(config, "grants", {"select": ["reader_of_tests"]})
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:
        connection.execute("create table public.ran (hook text)")
        assert warehouse.build("--full-refresh", select="dim_product") == []
        ran = [hook for (hook,) in connection.execute("select hook from public.ran").fetchall()]
        assert ran == ["pre False", "pre True", "post True", "post False"]
        may = "select has_table_privilege('reader_of_tests', 'warehouse.dim_product', 'select')"
        assert connection.execute(may).fetchall() == [(True,)]
        connection.execute("revoke select on warehouse.dim_product from reader_of_tests")
        assert warehouse.build(select="dim_product") == []  # with nothing new
        assert connection.execute("select count(*) from public.ran").fetchone() == (8,)
        assert connection.execute(may).fetchall() == [(True,)]
        connection.execute("revoke select on warehouse.dim_product from reader_of_tests")
        monkeypatch.setattr(config, "grants", {})  # hooks alone
        assert warehouse.build(select="dim_product") == []
        assert connection.execute("select count(*) from public.ran").fetchone() == (12,)
    administer("drop role reader_of_tests")


def test_a_table_has_its_indexes(warehouse: Warehouse) -> None:
    warehouse.restart()
    assert warehouse.build("--full-refresh", select="fct_sales") == []
    with psycopg.connect(dbname=warehouse.database) as connection:
        indexes = connection.execute("select indexdef from pg_indexes where tablename = 'fct_sales'").fetchall()
    assert any(index.endswith("USING btree (business_date)") for (index,) in indexes)


def test_a_changed_description_is_written_without_a_build(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.restart()
    node = warehouse.dbt.manifest.nodes["model.data_journey.dim_product"]
    monkeypatch.setattr(node.config, "persist_docs", {"relation": True, "columns": True})
    was = warehouse.everything()
    for text in ("one", "two"):
        monkeypatch.setattr(node, "description", text)
        assert warehouse.build(select="dim_product") == []
        with psycopg.connect(dbname=warehouse.database) as connection:
            said = connection.execute("select obj_description('warehouse.dim_product'::regclass)").fetchall()
        assert said == [(text,)]
    assert changes(was, warehouse) == set()


def test_a_table_that_comes_out_the_same_touches_nothing(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("products", 0, 1), Change("coupons", 0, 1)), "whole"))
    was = warehouse.everything()
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("delete from build_state.models where model_name in ('dim_product', 'dim_coupon')")
    assert warehouse.build() == []
    assert changes(was, warehouse) == set()


def test_what_was_changed_by_hand_is_mended_when_asked(warehouse: Warehouse) -> None:
    """By --full-refresh; and a table that was dropped is there again without it."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    rows = warehouse.count("fct_baskets")
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("delete from warehouse.fct_baskets")
    assert warehouse.build() == []
    assert warehouse.count("fct_baskets") == 0
    assert warehouse.build("--full-refresh", select="fct_baskets") == []
    assert warehouse.count("fct_baskets") == rows > 0
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("drop table warehouse.fct_baskets cascade")  # developers have a view on it
    assert warehouse.build() == []
    assert warehouse.count("fct_baskets") == rows


def test_more_than_half_of_many_partitions_are_one_whole_build(warehouse: Warehouse) -> None:
    """Up to ten are replaced, however few there are."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("products", 0, 1)), "whole"))
    rows, memory = warehouse.count("fct_sales"), warehouse.memory()
    tables = []
    for gone in (0, 10, 11):
        with psycopg.connect(dbname=warehouse.database) as connection:
            connection.execute(
                "insert into build_state.partitions select 'fct_sales', date '2000-01-01' + day, 'files', 'rows' "
                "from generate_series(1, %s) as day",
                [gone],
            )
            connection.execute("update build_state.models set seen = 'other rows' where model_name = 'fct_sales'")
        assert warehouse.build() == []
        with psycopg.connect(dbname=warehouse.database) as connection:
            [(table,)] = connection.execute("select 'warehouse.fct_sales'::regclass::oid").fetchall()
        tables.append(table)
        assert (warehouse.count("fct_sales"), warehouse.memory()) == (rows, memory)
    assert tables[0] == tables[1] != tables[2]


def test_state_of_an_earlier_version_is_made_anew(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    was = warehouse.everything()
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("comment on schema build_state is 'version 0'")
        connection.execute("create table build_state.older (model_name text)")
    assert warehouse.build() == []
    with psycopg.connect(dbname=warehouse.database) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'build_state'").fetchall()
    assert ("older",) not in tables
    assert "fct_sales" in changes(was, warehouse)


def test_state_of_which_a_table_is_gone_is_made_anew(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    was = warehouse.everything()
    members = {row for row in warehouse.memory() if row[0] == "fct_sales"}
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("drop table build_state.members")
    assert warehouse.build() == []
    assert "fct_sales" in changes(was, warehouse)
    assert {row for row in warehouse.memory() if row[0] == "fct_sales"} == members


def test_a_model_that_reads_something_unknown_is_built_each_time(warehouse: Warehouse) -> None:
    """As a table that was cloned, or deferred to."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    assert warehouse.build(select="fct_sales") == []
    was = warehouse.everything()
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("delete from build_state.models where model_name = 'dim_store'")
    for _ in range(2):
        assert warehouse.build(select="fct_sales") == []
        assert "fct_sales" in changes(was, warehouse)
        was = warehouse.everything()


def test_partitions_that_spans_list_are_not_of_a_staging_view(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.restart()
    config = warehouse.dbt.manifest.nodes["model.data_journey.fct_sales"].config
    spans = {"table": "dim_store", "first": "valid_from", "last": "valid_to"}
    monkeypatch.setitem(config._extra, "partition_by", {**config["partition_by"], "spans": spans})
    [error] = warehouse.build(select="fct_sales")
    assert "fct_sales reads the staging view stg_pos__transactions, and its partitions are listed by spans" in error


def test_a_data_test_runs_until_it_has_passed_on_the_rows_that_are_there(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))

    def fails(*command: str) -> bool:
        return warehouse.dbt(*command, "--select", KEPT).failed == {KEPT}

    assert not fails("build")
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:
        connection.execute("delete from warehouse.fct_sales")  # which no build can see
        for command in (["test"], ["build", "--full-refresh"]):
            assert not fails("build")
            assert fails(*command)
            connection.execute("update build_state.tests set has_passed = true")  # as before
    assert not fails("build")
    warehouse.take(Step((Change("transactions", 5, 1),), "whole"))  # other rows, and the deleted ones are still gone
    assert fails("build")
    assert fails("build")
    assert warehouse.build("--full-refresh") == []
    assert not fails("build")
