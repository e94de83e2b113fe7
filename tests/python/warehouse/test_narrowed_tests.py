"""Data tests that look at new partitions and files alone find what they would find in everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from dbt_runs import administer, recreate
from warehouse.conftest import Warehouse
from warehouse.histories import FIRST_DAY, Change, Step, content
from warehouse.test_incremental import deliver

UNITS = "assert_units_are_merchandise"
STORES = "relationships_fct_sales_store_key__store_key__ref_dim_store_"
PLACED = "not_null_fct_sales_placement_key"
CONTRACT = "assert_stg_pos__transactions_fulfils_its_contract"
WRONG = "units_count = units_count + 1"
DELIVERED = (Change("transactions", 0, 1), Change("transactions", 5, 1))
SALES = "model_name = 'fct_sales' and partition_start"


def failed(warehouse: Warehouse, test: str, *command: str) -> bool:
    """Whether a test fails, in a build if nothing else is said."""
    ran = warehouse.dbt(*(command or ("build",)), "--select", test)
    assert ran.errors == []
    return ran.failed == {test}


def change(warehouse: Warehouse, sql: str) -> int:
    """Change what was built by hand, which no build can see; returns the number of rows."""
    with psycopg.connect(dbname=warehouse.database) as connection:
        return connection.execute(sql.encode()).rowcount


def sales(warehouse: Warehouse, day: date, what: str) -> None:
    """Change the sales of a date by hand."""
    assert change(warehouse, f"update warehouse.fct_sales set {what} where business_date = '{day}'") > 0


def build(warehouse: Warehouse, sql: str) -> None:
    """As if a build had left the state of one date like this."""
    assert change(warehouse, sql) == 1
    told = "update build_state.models set content_id = 'a build ' || random() where model_name = 'fct_sales'"
    assert change(warehouse, told) == 1


def touch(warehouse: Warehouse, day: date) -> None:
    """As if a build had written these very rows."""
    build(warehouse, f"update build_state.partitions set content_id = 'a build ' || random() where {SALES} = '{day}'")


@pytest.fixture(scope="session")
def passed(prepared: Warehouse) -> Iterator[tuple[str, list[date]]]:
    """A database in which tests have passed on two dates with sales, and the dates."""
    template = f"{prepared.database}_passed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", prepared.database)
        prepared.restart()
        prepared.take(Step(DELIVERED, "whole"))
        built = sorted(day for day in prepared.builds("fct_sales") if day >= FIRST_DAY)
        assert len(built) >= 2
        assert not failed(prepared, UNITS)
        assert not failed(prepared, CONTRACT)
    recreate(template, prepared.database)
    yield template, [built[0], built[-1]]
    administer(f"drop database {template} with (force)")


@pytest.fixture
def days(warehouse: Warehouse, passed: tuple[str, list[date]]) -> list[date]:
    """The two dates, in a copy of that database."""
    template, dates = passed
    warehouse.restart()
    for change in DELIVERED:
        deliver(warehouse, change, content(change))
    recreate(warehouse.database, template)
    return dates


def test_a_narrowed_test_looks_at_touched_dates_alone(warehouse: Warehouse, days: list[date]) -> None:
    old, new = days
    sales(warehouse, old, WRONG)
    assert not failed(warehouse, UNITS)
    touch(warehouse, new)
    assert not failed(warehouse, UNITS)
    assert failed(warehouse, UNITS, "test")
    assert failed(warehouse, UNITS, "build", "--full-refresh")
    assert failed(warehouse, UNITS)  # what failed is due, whoever ran it


def test_a_date_is_due_until_its_narrowed_test_has_passed(warehouse: Warehouse, days: list[date]) -> None:
    old, new = days
    sales(warehouse, new, WRONG)
    touch(warehouse, new)
    assert failed(warehouse, UNITS)
    assert failed(warehouse, UNITS)  # with nothing new
    touch(warehouse, old)
    assert failed(warehouse, UNITS)
    sales(warehouse, new, "units_count = units_count - 1")
    assert not failed(warehouse, UNITS)
    sales(warehouse, old, WRONG)  # that it has passed on
    assert not failed(warehouse, UNITS)
    touch(warehouse, new)
    assert not failed(warehouse, UNITS)


def test_a_narrowed_test_of_a_killed_build_is_run_by_the_next(
    warehouse: Warehouse, days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = days
    sales(warehouse, old, WRONG)
    touch(warehouse, old)
    assert not failed(warehouse, PLACED)  # a build that ended before it came to the test
    assert failed(warehouse, UNITS)
    sales(warehouse, old, "units_count = units_count - 1")
    remember = warehouse.dbt.manifest.macros["macro.data_journey.remember_passed_tests"]
    with monkeypatch.context() as killed:  # after the test, and before it was remembered
        killed.setattr(remember, "macro_sql", "{% macro remember_passed_tests(results) %}{% endmacro %}")
        assert not failed(warehouse, UNITS)
    sales(warehouse, old, WRONG)
    assert failed(warehouse, UNITS)
    touch(warehouse, new)
    assert failed(warehouse, UNITS)


def test_what_another_run_tests_is_not_passed_by_this_one(
    warehouse: Warehouse, days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dbt test` ends after a build beside it began the same test."""
    began = (
        "{% do run_query(\"update build_state.tests set run_id = 'another', may_publish = false, has_passed = false; "
        'update build_state.tested_pieces set has_passed = false") %}'
    )
    remember = warehouse.dbt.manifest.macros["macro.data_journey.remember_passed_tests"]
    with monkeypatch.context() as beside:
        beside.setattr(remember, "macro_sql", remember.macro_sql.replace("{{ return(", began + "{{ return(", 1))
        assert not failed(warehouse, UNITS, "test")
    sales(warehouse, days[1], WRONG)
    assert failed(warehouse, UNITS)


def test_a_partition_that_comes_again_is_new_to_a_narrowed_test(warehouse: Warehouse, days: list[date]) -> None:
    old = days[0]
    change(warehouse, "create table public.kept as select * from build_state.partitions")
    build(warehouse, f"delete from build_state.partitions where {SALES} = '{old}'")
    assert not failed(warehouse, UNITS)
    sales(warehouse, old, WRONG)
    build(warehouse, "insert into build_state.partitions select * from public.kept on conflict do nothing")
    assert failed(warehouse, UNITS)


def test_what_a_narrowed_test_reads_besides_runs_it_on_everything(
    warehouse: Warehouse, days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own SQL, a seed, a table that isn't known: not an attribute of a dimension that it doesn't read."""
    sales(warehouse, days[0], WRONG)
    change(warehouse, "update warehouse.dim_product set brand = 'Another'")
    change(warehouse, "update build_state.models set content_id = 'another' where model_name = 'dim_product'")
    assert not failed(warehouse, UNITS)
    node = warehouse.dbt.manifest.nodes[f"test.data_journey.{UNITS}"]
    with monkeypatch.context() as edited:
        edited.setattr(node, "raw_code", node.raw_code.replace("where units_count is", "where true and units_count is"))
        assert failed(warehouse, UNITS)
        sales(warehouse, days[0], "units_count = units_count - 1")
        assert not failed(warehouse, UNITS)
    sales(warehouse, days[0], WRONG)
    change(warehouse, "update seeds.non_merchandise set department = 'OTHER' where ctid = '(0,1)'")
    assert failed(warehouse, UNITS)
    sales(warehouse, days[0], "units_count = units_count - 1")
    assert not failed(warehouse, UNITS)
    sales(warehouse, days[0], WRONG)
    assert not failed(warehouse, UNITS)
    change(warehouse, "delete from build_state.models where model_name = 'fct_sales'")
    assert failed(warehouse, UNITS)


def test_a_parent_that_goes_fails_the_narrowed_relationship(warehouse: Warehouse, days: list[date]) -> None:
    """Though no partition of the child is touched."""
    assert not failed(warehouse, STORES)
    sales(warehouse, days[0], "store_key = store_key + 1")
    change(warehouse, "update warehouse.dim_store set volume_class = 'another'")
    touch(warehouse, days[1])
    assert not failed(warehouse, STORES)
    sales(warehouse, days[0], "store_key = store_key - 1")
    parent = f"(select min(store_key) from warehouse.fct_sales where business_date = '{days[0]}')"
    assert change(warehouse, f"update warehouse.dim_store set store_key = -1 where store_key = {parent}") == 1
    assert failed(warehouse, STORES)
    assert failed(warehouse, STORES)


def test_a_narrowed_test_finds_null_in_a_touched_date(warehouse: Warehouse, days: list[date]) -> None:
    assert not failed(warehouse, PLACED)
    change(warehouse, "update warehouse.fct_sales set placement_key = null")
    assert not failed(warehouse, PLACED)
    touch(warehouse, days[1])
    assert failed(warehouse, PLACED)


def test_a_narrowed_test_of_files_compares_a_new_one_with_all(warehouse: Warehouse, days: list[date]) -> None:
    """A line that an earlier file has, and names the file; a basket that was in another store."""
    assert days
    body = content(Change("transactions", 5, 1))
    said = ("line_number, as in pos/transactions/06.csv", "a basket_id with more than one store_id")
    for other, message in zip((body, with_stores(body)), said, strict=True):
        deliver(warehouse, Change("transactions", 6, 1), other)
        warehouse.take(Step((), "none"))
        assert failed(warehouse, CONTRACT)
        assert failed(warehouse, CONTRACT)
        told = warehouse.dbt("build", "--select", CONTRACT).about(CONTRACT)
        assert message in told
        warehouse.take(Step((Change("transactions", 6, None),), "none"))
        assert not failed(warehouse, CONTRACT)


def test_a_narrowed_test_of_files_looks_at_all_when_one_is_gone(warehouse: Warehouse, days: list[date]) -> None:
    assert days
    change(warehouse, "update raw_pos.transactions set store_id = null")
    assert not failed(warehouse, CONTRACT)
    warehouse.take(Step((Change("transactions", 3, 1),), "none"))
    assert not failed(warehouse, CONTRACT)  # the new one is as it must be
    warehouse.take(Step((Change("transactions", 3, None),), "none"))
    assert failed(warehouse, CONTRACT)


def with_stores(body: bytes) -> bytes:
    """A file of sales with other products, in other stores."""
    header, *lines = body.decode().splitlines()
    rows = [line.split(",") for line in lines]
    return "".join(
        f"{line}\n" for line in (header, *(",".join([row[0], "7", row[2], f"9{row[3]}", *row[4:]]) for row in rows))
    ).encode()
