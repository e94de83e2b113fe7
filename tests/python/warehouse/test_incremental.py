"""An incremental build gives what a full refresh gives, row for row, whatever was delivered and whatever went wrong."""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dbt_runs import ROOT
from journey.loader.declaration.sources import Source
from journey.loader.repairing import repair
from journey.loader.replaying import replay
from journey.loader.retyping import retype
from journey.loader.run import load
from journey.loader.views import put_back, take_away, views_on
from warehouse.conftest import STATEFUL, Warehouse, beside
from warehouse.histories import DAYS, FIRST_DAY, Change, Step, content, histories, key
from warehouse.test_turns import WAITS

PROVE = "HISTORIES" in os.environ  # `make prove`: that many, drawn anew, and the marts too
HISTORIES = int(os.environ.get("HISTORIES", "25"))
MARTS = tuple(folder.name for folder in (ROOT / "models" / "marts").iterdir() if folder.is_dir())


def drawn(count: int) -> settings:
    """So many histories; CI tries the same ones each time."""
    return settings(
        max_examples=count,
        derandomize=not PROVE,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if PROVE else [])),
        suppress_health_check=list(HealthCheck),
    )


@drawn(min(HISTORIES, 10))
@given(histories)
def test_incremental_is_full_refresh(warehouse: Warehouse, history: list[Step]) -> None:
    build_and_compare(warehouse, history)


@pytest.mark.long
@drawn(HISTORIES)
@given(histories)
def test_incremental_is_full_refresh_in_more_histories(warehouse: Warehouse, history: list[Step]) -> None:
    build_and_compare(warehouse, history)


def build_and_compare(warehouse: Warehouse, history: list[Step]) -> None:
    """Load and build it step by step; no row may then differ from a full refresh."""
    warehouse.restart()
    for step in history:
        warehouse.take(step)
    if PROVE:
        everything = "path:models/warehouse path:models/marts"
        assert warehouse.build(select=everything) == []
        assert_is_full_refresh(warehouse, everything, "built", *MARTS)
    else:
        if history[-1].build != "whole":
            assert warehouse.build() == []
        warehouse.keep_full_refresh()
        assert warehouse.differences("warehouse", "built") == {}


def test_a_file_that_is_committed_late_with_a_lower_number_counts(warehouse: Warehouse) -> None:
    """Loaders commit out of order: nothing may ask for what is newer than the newest it has seen."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("transactions", 1, 2)), "none"))
    with psycopg.connect(dbname=warehouse.database) as connection:
        late = connection.execute("select min(file_id) from loader.files where status = 'loaded'").fetchone()
        connection.execute("create table public.late as select * from loader.files where file_id = %s", late)
        connection.execute("create table public.rows as select * from raw_pos.transactions where _file_id = %s", late)
        connection.execute("delete from loader.files where file_id = %s", late)
        connection.execute("delete from raw_pos.transactions where _file_id = %s", late)
    assert warehouse.build() == []
    before = warehouse.count("fct_sales")
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("insert into loader.files select * from public.late")
        came = connection.execute("insert into raw_pos.transactions select * from public.rows").rowcount
    assert came > 0
    assert warehouse.build() == []
    assert warehouse.count("fct_sales") == before + came
    assert_is_full_refresh(warehouse)


@pytest.mark.parametrize("moment", ["begin_alone", "write_whole"])
@pytest.mark.parametrize(
    ("model", "came"), [("fct_sales", Change("transactions", 5, 1)), ("dim_product", Change("products", 1, 1))]
)
def test_a_file_that_is_loaded_while_all_is_written_is_known_or_not_in_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, model: str, came: Change, moment: str
) -> None:
    """Else nobody would take its rows away when it goes."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("products", 0, 1)), "whole"))
    macro = warehouse.dbt.manifest.macros[f"macro.data_journey.{moment}"]
    stops = "{% do run_query('select pg_advisory_xact_lock(1)') %}"
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:

        def arrives() -> None:
            while connection.execute(WAITS).fetchone() == (0,):
                time.sleep(0.05)
            deliver(warehouse, came, content(came))
            warehouse.load()
            connection.execute("select pg_advisory_unlock(1)")

        connection.execute("select pg_advisory_lock(1)")
        with monkeypatch.context() as slow, beside(arrives):
            comment, body = macro.macro_sql.split("-#}", 1)
            slow.setattr(macro, "macro_sql", f"{comment}-#}}{stops}{body}")
            assert warehouse.build("--full-refresh", select=model) == []
        [(loaded,)] = connection.execute("select count(*) from loader.files where status = 'loaded'").fetchall()
    assert loaded == 3
    warehouse.take(Step((Change(came.feed, came.slot, None),), "whole"))
    warehouse.keep_full_refresh()
    assert warehouse.differences("warehouse", "built") == {}


def test_whatever_changes_a_files_rows_is_built_as_by_a_full_refresh(warehouse: Warehouse) -> None:
    """Repair, with and without the file in S3, and reload: each gives the file a new file_id."""
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, slot + 1) for slot in range(4)), "whole"))
    source = transactions(warehouse)

    def lose_half_of_the_first_file() -> str:
        with psycopg.connect(dbname=warehouse.database) as connection:
            first = "select min(file_id) from loader.files where table_name = 'transactions' and status = 'loaded'"
            connection.execute(f"delete from raw_pos.transactions where _file_id = ({first}) and basket_id % 2 = 0")
            [(key,)] = connection.execute(f"select key from loader.files where file_id = ({first})").fetchall()
        return str(key)

    whole = warehouse.count("fct_sales")
    lose_half_of_the_first_file()
    repair(warehouse.client, source, yes=True)
    warehouse.load()
    assert builds_as_full_refresh(warehouse)
    assert warehouse.count("fct_sales") == whole
    warehouse.client.delete_object(Bucket=source.bucket, Key=lose_half_of_the_first_file())
    repair(warehouse.client, source, yes=True)
    assert builds_as_full_refresh(warehouse)
    assert 0 < warehouse.count("fct_sales") < whole
    assert load(sources=[source], reload_all=True).failures == []
    assert builds_as_full_refresh(warehouse)


def test_replayed_rows_are_built_as_by_a_full_refresh(warehouse: Warehouse) -> None:
    """Refused rows come in after a mended declaration: of a file that is in S3, and of one that is gone from it."""
    warehouse.restart()
    source = transactions(warehouse)
    slots = [Change("transactions", slot, 7) for slot in (0, 2)]
    for change in slots:
        deliver(warehouse, change, with_quantities(content(change), lambda at, text: text + ".0" * (at % 2)))
    lenient = replace(source, options=replace(source.options, max_reject_rate=1))
    assert load(sources=[lenient], threads=2).failures == []
    assert builds_as_full_refresh(warehouse)
    before = warehouse.count("fct_sales")
    warehouse.client.delete_object(Bucket=source.bucket, Key=key(slots[1]))
    mended = replace(lenient, meaning=replace(source.meaning, whole_decimals=True))
    summary, said = replay([mended])
    assert (summary.failures, len(said), len(summary.tables)) == ([], 1, 1)
    assert builds_as_full_refresh(warehouse)
    rows = sum(content(change).count(b"\n") - 1 for change in slots)
    assert 0 < before < warehouse.count("fct_sales") == rows


def test_a_retyped_column_is_built_as_by_a_full_refresh(warehouse: Warehouse) -> None:
    """Quantities came as texts, which staging casts; what is none by the declaration leaves the table, and the fact."""
    warehouse.restart()
    source, change = transactions(warehouse), Change("transactions", 0, 7)
    with psycopg.connect(dbname=warehouse.database) as connection:
        views = views_on(connection, source)
        take_away(connection, source, views)
        connection.execute("alter table raw_pos.transactions alter quantity type text")
        last = re.compile(r"(.*\s)((?:\w+\.)?quantity),", re.DOTALL)
        cast = r"\1cast(\2 as integer) as quantity,"
        staging = [
            view._replace(definition=last.sub(cast, view.definition)) for view in views if view.schema == "staging"
        ]
        assert len(staging) == 1
        put_back(connection, staging)  # developers' masked view is made anew by a build
    deliver(warehouse, change, with_quantities(content(change), lambda at, text: " " * (at % 2) + text))
    assert load(sources=[source], threads=2).failures == []
    assert builds_as_full_refresh(warehouse)
    rows = warehouse.count("fct_sales")
    assert rows == content(change).count(b"\n") - 1
    retype(source, yes=True)
    assert builds_as_full_refresh(warehouse)
    assert warehouse.count("fct_sales") == rows - rows // 2


def test_a_day_builds_that_day_alone(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, 7) for slot in range(6)), "whole"))
    was = warehouse.builds("fct_sales")
    warehouse.take(Step((Change("transactions", 8, 7),), "whole"))
    now = warehouse.builds("fct_sales")
    touched = {day for day in now if now[day] != was.get(day)}
    assert touched
    assert touched <= {FIRST_DAY + timedelta(7), FIRST_DAY + timedelta(8)}  # a UTC day is of two business dates
    assert warehouse.build() == []
    assert warehouse.builds("fct_sales") == now
    assert warehouse.count("fct_sales where business_date > '2017-03-12'") > 0
    warehouse.take(Step((Change("transactions", 8, None),), "whole"))
    assert warehouse.count("fct_sales where business_date > '2017-03-12'") == 0
    assert warehouse.builds("fct_sales") == was
    assert_is_full_refresh(warehouse)


def test_a_partition_that_comes_out_the_same_touches_nothing(warehouse: Warehouse) -> None:
    """Files come again with the same rows; a fact with keys of versions says that it was built all the same."""
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, 3) for slot in range(4)), "whole"))
    models = ("int_visits_observed", "int_store_days_summed", "fct_sales", "fct_baskets")
    was = {model: (warehouse.builds(model), warehouse.rows(model)) for model in models}
    assert load(sources=[transactions(warehouse)], reload_all=True).failures == []
    assert warehouse.build() == []
    now = {model: (warehouse.builds(model), warehouse.rows(model)) for model in models}
    assert [model for model in models if now[model][0] == was[model][0]] == list(models[:2])
    assert [model for model in models if now[model][1] == was[model][1]] == [models[1]]
    assert_is_full_refresh(warehouse)


def test_a_model_that_reads_earlier_partitions_is_touched_by_them(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day with the one before it, and with all before it; in both, what comes late reaches the days after."""
    node = warehouse.dbt.manifest.nodes["model.data_journey.int_store_days_summed"]
    code = (
        "select days.business_date, days.store_id, cast(sum(earlier.net_sales_amount) as numeric(14, 2)) as "
        "net_sales_amount from (select distinct business_date, store_id from {{ ref('int_visits_observed') }}) as days "
        "inner join {{ ref('int_visits_observed') }} as earlier on days.store_id = earlier.store_id and "
        "earlier.business_date <= days.business_date EDGE group by days.business_date, days.store_id"
    )
    for before, edge, reached in ((1, "and earlier.business_date >= days.business_date - 1", 3), ("all", "", 99)):
        warehouse.restart()
        monkeypatch.setattr(node, "raw_code", code.replace("EDGE", edge))
        monkeypatch.setitem(
            node.config._extra,
            "partition_by",
            {"field": "business_date", "granularity": "day", "reads_before": {"int_visits_observed": before}},
        )
        warehouse.take(Step(tuple(Change("transactions", slot, 7) for slot in (0, 1, 4, 5, 6)), "whole"))
        was = warehouse.rows("int_store_days_summed")
        warehouse.take(Step((Change("transactions", 1, 9),), "whole"))
        now = warehouse.rows("int_store_days_summed")
        touched = {(day - FIRST_DAY).days for day in now if now[day] != was.get(day)}
        assert touched
        assert touched <= set(range(reached))
        assert before != "all" or {4, 5, 6} & touched
        # other sales before a day that sold in the same store; then a day that did after one that stays as it is
        for change in (Change("transactions", 0, 14), Change("transactions", 6, 10)):
            warehouse.take(Step((change,), "whole"))
        assert_is_full_refresh(warehouse)


def test_weeks_and_months_that_are_over_stay(warehouse: Warehouse) -> None:
    """Both lists are made anew each time; what reads them is touched by what is new in them."""
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, 7) for slot in range(5)), "whole"))
    lists = ("int_weeks_completed", "int_months_begun")
    was = [warehouse.builds(model) for model in lists]
    warehouse.take(Step(tuple(Change("transactions", slot, 7) for slot in range(5, DAYS)), "whole"))
    now = [warehouse.builds(model) for model in lists]
    assert FIRST_DAY not in was[0]
    assert set(now[0]) == {FIRST_DAY}
    march = FIRST_DAY.replace(day=1)
    assert {month for month in now[1] if now[1][month] != was[1].get(month)} == {march}
    assert len(now[1]) > 1
    assert_is_full_refresh(warehouse)


def test_a_version_that_is_rewritten_reaches_who_reads_it_by_its_key(warehouse: Warehouse) -> None:
    """An extract comes again with other brands and categories, which no fact has: versions begin as before."""
    warehouse.restart()
    change = Change("products", 0, 2)
    warehouse.take(Step((*(Change("transactions", slot, 7) for slot in range(4)), change), "whole"))
    extract = pq.read_table(io.BytesIO(content(change)))
    for name, other in (("brand", "Private"), ("product_category", "STEW")):
        values = pa.array([other] * extract.num_rows)
        extract = extract.set_column(extract.column_names.index(name), name, values)
    body = io.BytesIO()
    pq.write_table(extract, body)
    warehouse.client.put_object(Bucket=warehouse.sources[0].bucket, Key=key(change), Body=body.getvalue())
    warehouse.take(Step((), "whole"))
    assert_is_full_refresh(warehouse)


def test_a_view_that_shows_several_raw_tables_loses_no_rows(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As sales and what came back of them, in files of two feeds."""
    manifest = warehouse.dbt.manifest
    reads = manifest.nodes["model.data_journey.stg_pos__transactions"].depends_on
    monkeypatch.setattr(reads, "nodes", [*reads.nodes, "source.data_journey.pos.promotions"])
    graph = manifest.flat_graph
    manifest.build_flat_graph()
    try:
        warehouse.restart()
        warehouse.take(Step((Change("transactions", 0, 3), Change("promotions", 0, 3)), "whole"))
        warehouse.take(Step((Change("transactions", 1, 5),), "whole"))
        assert_is_full_refresh(warehouse)
    finally:
        manifest.flat_graph = graph


NEWEST = """
    with shown as ({shown}),
    newest as (
        select *, row_number() over (partition by basket_id, product_id order by _file_id desc) as place from shown
    )
    select {columns} from newest where place = 1
"""
HEADED = """
    with shown as ({shown}),
    headers as (  -- as if the receipts' moments came in a feed of their own
        select basket_id, sold_at, business_date, _file_id,
            row_number() over (partition by basket_id order by _file_id desc) as place
        from shown
    ),
    lines as (
        select *, row_number() over (partition by basket_id, product_id order by _file_id) as place from shown
    )
    select {joined} from lines inner join headers on lines.basket_id = headers.basket_id and headers.place = 1
    where lines.place = 1
"""


@pytest.mark.parametrize("shape", [NEWEST, HEADED])
def test_a_view_that_shows_the_newest_state_is_built_as_by_a_full_refresh(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    """A correction takes a receipt from a date that keeps others, and withdrawn, gives it back."""
    view = warehouse.dbt.manifest.nodes["model.data_journey.stg_pos__transactions"]
    columns = [*view.columns, *({"_file_id"} - view.columns.keys())]
    joined = {name: f"headers.{name}" for name in ("sold_at", "business_date")}
    joined |= {"_file_id": "greatest(lines._file_id, headers._file_id) as _file_id"}
    texts = {
        "shown": view.raw_code,
        "columns": ", ".join(columns),
        "joined": ", ".join(joined.get(name, f"lines.{name}") for name in columns),
    }
    monkeypatch.setattr(view, "raw_code", shape.format_map(texts))
    warehouse.restart()
    assert warehouse.build(select="stg_pos__transactions") == []
    first = Change("transactions", 0, 7)
    header, *lines = content(first).decode().splitlines()
    basket, moment = (header.split(",").index(name) for name in ("basket_id", "transaction_timestamp"))

    def at(day: int, baskets: set[str]) -> bytes:
        rows = [line.split(",") for line in lines if line.split(",")[basket] in baskets]
        rows = [[*row[:moment], f"{FIRST_DAY + timedelta(day)}T12:00:00Z"] for row in rows]
        return "\n".join([header, *map(",".join, rows), ""]).encode()

    baskets = sorted({line.split(",")[basket] for line in lines})
    assert len(baskets) > 1
    deliver(warehouse, first, at(0, set(baskets)))
    warehouse.load()
    assert builds_as_full_refresh(warehouse)
    whole, days = warehouse.count("fct_sales"), set(warehouse.builds("fct_sales"))
    correction = Change("transactions", 9, 1)
    deliver(warehouse, correction, at(5, {baskets[0]}))
    warehouse.load()
    assert builds_as_full_refresh(warehouse)
    assert warehouse.count("fct_sales") == whole
    assert set(warehouse.builds("fct_sales")) > days
    warehouse.client.delete_object(Bucket=transactions(warehouse).bucket, Key=key(correction))
    warehouse.load()
    assert builds_as_full_refresh(warehouse)
    assert set(warehouse.builds("fct_sales")) == days


def test_a_file_that_is_withdrawn_leaves_what_others_brought_of_its_dates(warehouse: Warehouse) -> None:
    """The newest file of a date is still there."""
    warehouse.restart()
    for slot, build in ((0, "none"), (1, "whole")):
        warehouse.take(Step((Change("transactions", slot, 5),), build))
    with psycopg.connect(dbname=warehouse.database) as connection:
        shared = connection.execute(
            "select business_date from staging.stg_pos__transactions group by 1 having count(distinct _file_id) > 1"
        ).fetchall()
    assert shared
    warehouse.take(Step((Change("transactions", 0, None),), "whole"))
    assert_is_full_refresh(warehouse)


def test_sales_that_came_before_their_product_find_it(warehouse: Warehouse) -> None:
    """One was sold on the very day that its product's second version begins; a day that sold none of them stays."""
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, 3) for slot in range(DAYS)), "whole"))
    unknown = "fct_sales where product_key = 0"
    assert warehouse.count(unknown) == warehouse.count("fct_sales") > 0
    seventh, was = FIRST_DAY + timedelta(7), warehouse.builds("fct_sales")
    warehouse.take(Step((Change("products", 0, 6), Change("products", 1, 21)), "whole"))
    assert warehouse.builds("fct_sales")[seventh] == was[seventh]
    assert 0 < warehouse.count(unknown) < warehouse.count("fct_sales")
    assert_is_full_refresh(warehouse)
    warehouse.take(Step((Change("products", 1, None),), "whole"))  # that version goes, and a product with it
    assert_is_full_refresh(warehouse)


def test_a_late_extract_moves_the_sales_after_it_to_its_version(warehouse: Warehouse) -> None:
    """From the very day of the extract on; a day that sold nothing of what changed stays as it is."""
    warehouse.restart()
    extracts = [Change("products", slot, seed) for slot, seed in ((0, 2), (2, 2), (1, 9))]
    sales = tuple(Change("transactions", slot, 3) for slot in range(DAYS))
    warehouse.take(Step((*sales, *extracts[:2]), "whole"))
    was, rows = warehouse.builds("fct_sales"), warehouse.rows("int_department_days_summed")
    warehouse.take(Step((extracts[2],), "whole"))
    now = warehouse.builds("fct_sales")
    touched = {(day - FIRST_DAY).days for day in now if now[day] != was[day]}
    assert 2 in touched
    assert not touched & {1, 7}
    summed = warehouse.rows("int_department_days_summed")  # reads the versions by the fact's keys
    assert {(day - FIRST_DAY).days for day in rows if summed.get(day) != rows[day]} == touched
    assert_is_full_refresh(warehouse)
    # a key whose version begins later than it did: no dimension has such keys now, for valid_from is in them
    with psycopg.connect(dbname=warehouse.database) as connection:
        moved = connection.execute(
            "update warehouse.fct_sales set product_key = later.product_key from warehouse.dim_product as later "
            "where later.product_id = fct_sales.product_id and later.valid_from = '2017-03-08' "
            "and business_date < '2017-03-08'"
        ).rowcount
        connection.execute("update build_state.members set valid_from = '1900-01-01' where valid_from = '2017-03-08'")
        connection.execute("delete from build_state.dimensions where dimension_name = 'dim_product'")
        connection.execute("update build_state.models set seen = 'other rows'")
    assert moved > 0
    assert warehouse.build() == []
    assert_is_full_refresh(warehouse)


def test_promotions_that_came_after_the_sales_touch_their_whole_week(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, 3) for slot in range(DAYS)), "whole"))
    was = warehouse.builds("fct_sales")
    warehouse.take(Step((Change("promotions", 0, 3),), "whole"))
    now = warehouse.builds("fct_sales")
    week = {day for day in now if FIRST_DAY <= day < FIRST_DAY + timedelta(7)}
    assert len(week) > 1
    assert {day for day in now if now[day] != was.get(day)} == week
    assert warehouse.count("fct_sales where placement_key <> 0") > 0
    warehouse.take(Step((Change("transactions", 3, 4),), "whole"))  # a Wednesday comes again, alone
    assert_is_full_refresh(warehouse)


def test_a_week_that_is_touched_is_read_with_its_sunday(warehouse: Warehouse) -> None:
    """A model by week above one by day."""
    select = f"{STATEFUL} +int_product_placements_sold"
    warehouse.restart()
    warehouse.take(Step(tuple(Change("transactions", slot, 7) for slot in range(DAYS)), "none"))
    assert warehouse.build(select=select) == []
    assert warehouse.count("fct_sales where business_date = '2017-03-12'") > 0
    warehouse.take(Step((Change("transactions", 2, 9),), "none"))
    assert warehouse.build(select=select) == []
    assert_is_full_refresh(warehouse, select, "built")


def test_a_file_that_comes_after_its_dimensions_were_built_is_repaired(warehouse: Warehouse) -> None:
    """The loader commits while dbt runs: the fact sees stores and customers that its dimensions missed."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 1, 3),), "whole"))
    warehouse.take(Step((Change("transactions", 3, 3),), "none"))
    assert warehouse.build(select="fct_sales") == []
    assert warehouse.count("fct_sales where store_key = 0") > 0
    assert warehouse.build() == []
    assert warehouse.count("fct_sales where store_key = 0 or customer_key = 0") == 0
    assert_is_full_refresh(warehouse)


def test_what_looks_back_is_built_as_by_a_full_refresh(warehouse: Warehouse) -> None:
    """A month's scores hang on the year before it, its moves on the month before; a month without a sale has both."""
    select = f"{STATEFUL} +int_segment_moves_counted"
    january, february, march, april = (date(2017, month, 1) for month in range(1, 5))

    def arrive(*slots: int, seed: int | None = 7) -> tuple[set[date], set[date]]:
        """The months whose scores and moves are built anew."""
        models = ("int_customer_rfm_scored", "int_segment_moves_counted")
        was = [warehouse.builds(model) for model in models]
        warehouse.take(Step(tuple(Change("transactions", slot, seed) for slot in slots), "none"))
        assert warehouse.build(select=select) == []
        scores, moves = (
            {month for month in {**before, **now} if before.get(month) != now.get(month)}
            for before, now in ((before, warehouse.builds(model)) for before, model in zip(was, models, strict=True))
        )
        return scores, moves

    warehouse.restart()
    arrive(-40, 0, 30)
    assert set(warehouse.builds("int_customer_rfm_scored")) == {january, february, march, april}
    for touched in arrive(31):
        assert april in touched
        assert not touched & {january, february}
    for touched in arrive(-38):
        assert touched >= {january, february}
    assert_is_full_refresh(warehouse, select, "built")
    assert april in arrive(30, 31, seed=None)[0]
    assert april not in warehouse.builds("int_customer_rfm_scored")
    assert_is_full_refresh(warehouse, select, "built")


def test_a_day_leaves_the_months_before_it_added_up(warehouse: Warehouse) -> None:
    """Eleven closed months are summed when the month begins, and again only if one of them gets other sales."""
    select = f"{STATEFUL} +product_performance"
    january, february, march, april = (date(2017, month, 1) for month in range(1, 5))

    def arrive(*slots: int) -> tuple[set[date], set[date]]:
        """The months whose sums of before, and whose rows, are built anew."""
        models = ("int_product_months_trailed", "product_performance")
        was = [warehouse.builds(model) for model in models]
        warehouse.take(Step(tuple(Change("transactions", slot, 7) for slot in slots), "none"))
        assert warehouse.build(select=select) == []
        sums, rows = (
            {month for month in {**before, **now} if before.get(month) != now.get(month)}
            for before, now in ((before, warehouse.builds(model)) for before, model in zip(was, models, strict=True))
        )
        return sums, rows

    warehouse.restart()
    arrive(-40, 0, 30)
    sums, rows = arrive(31)  # April goes on
    assert sums == set()
    assert rows == {april}
    sums, rows = arrive(-38)
    assert sums == {february, march, april}
    assert rows == {january, february, march, april}
    assert_is_full_refresh(warehouse, select, "built")


def test_coupons_that_came_before_their_campaign_find_it(warehouse: Warehouse) -> None:
    """A model without a date is one piece: it follows its files and its dimensions."""
    warehouse.restart()
    warehouse.take(Step((Change("coupons", 0, 1), Change("coupons", 1, 1), Change("campaigns", 1, 1)), "whole"))
    unknown = "bridge_coupon_products where campaign_key = 0"
    assert 0 < warehouse.count(unknown) < warehouse.count("bridge_coupon_products")
    was = warehouse.remembered("bridge_coupon_products")
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    assert warehouse.remembered("bridge_coupon_products") == was
    warehouse.take(Step((Change("campaigns", 0, 1),), "whole"))
    assert warehouse.count(unknown) == 0
    warehouse.take(Step((Change("coupons", 0, None),), "whole"))
    assert warehouse.count("bridge_coupon_products where campaign_id = 1") == 0


def test_a_model_that_is_not_remembered_is_rebuilt(warehouse: Warehouse) -> None:
    """And so are the dates of the models that read it."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("delete from build_state.models where model_name = 'fct_sales'")
        for table, column in (("fct_sales", "quantity"), ("fct_baskets", "lines_count")):
            assert connection.execute(f"update warehouse.{table} set {column} = {column} + 1").rowcount > 0
    assert warehouse.build() == []
    assert_is_full_refresh(warehouse)


@dataclass
class Edit:
    """A change that somebody makes to the project.

    Attributes:
        node: whose code it is.
        old: a piece of the code.
        new: what stands there then.
        rebuilt: models that must be built anew; others may be that hang on it, and no more.
    """

    node: str
    old: str
    new: str
    rebuilt: set[str]


EDITS = {
    "a model": Edit(
        "model.data_journey.fct_baskets", "count(*) as integer", "count(*) + 1 as integer", {"fct_baskets"}
    ),
    "a macro": Edit(
        "macro.data_journey.versions_from_extracts", "{%- endmacro %}", " -- other{% endmacro %}",
        {"dim_product", "dim_customer"},
    ),
    "a view": Edit(
        "model.data_journey.stg_loyalty__coupons", "from", ", 1 as other from", {"bridge_coupon_products"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_what_is_edited_is_rebuilt(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Nobody thinks of --full-refresh."""
    edit, manifest = EDITS[what], warehouse.dbt.manifest
    feeds = ("transactions", "promotions", "products", "coupons")
    warehouse.restart()
    warehouse.take(Step(tuple(Change(feed, 0, 1) for feed in feeds), "whole"))
    was = warehouse.everything()
    node = manifest.macros[edit.node] if edit.node in manifest.macros else manifest.nodes[edit.node]
    attribute = "macro_sql" if edit.node in manifest.macros else "raw_code"
    code = getattr(node, attribute)
    assert edit.old in code
    monkeypatch.setattr(node, attribute, edit.new.join(code.rsplit(edit.old, 1)))
    assert warehouse.build(select=f"config.materialized:view {STATEFUL}") == []
    assert edit.rebuilt <= changes(was, warehouse) <= hanging_on(warehouse, edit.node)


def test_a_variable_that_is_set_otherwise_rebuilds_what_reads_it(warehouse: Warehouse) -> None:
    select = f"{STATEFUL} +dim_date,path:models/warehouse"
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("products", 0, 1)), "none"))
    assert warehouse.build(select=select) == []
    was = warehouse.everything()
    assert warehouse.build("--vars", "{fiscal_year_start_month: 7}", select=select) == []
    macro = "macro.data_journey.fiscal_calendar"
    assert {"dim_date"} <= changes(was, warehouse) <= hanging_on(warehouse, "model.data_journey.dim_date", macro)


def test_a_changed_contract_rebuilds(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column's type, and a constraint of a column or of the model, which is made with the table alone."""
    manifest = warehouse.dbt.manifest
    names = ("int_department_days_summed", "int_store_days_summed", "int_visits_observed", "fct_baskets")
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    was = [warehouse.remembered(name) for name in names]
    retyped, freed = (manifest.nodes[f"model.data_journey.{name}"].columns for name in names[:2])
    monkeypatch.setattr(retyped["business_date"], "data_type", "pg_catalog.date")
    monkeypatch.setattr(freed["net_sales_amount"], "constraints", [])
    monkeypatch.setattr(manifest.nodes[f"model.data_journey.{names[2]}"], "constraints", [])
    assert warehouse.build() == []
    now = [warehouse.remembered(name) for name in names]
    assert [before == after for before, after in zip(was, now, strict=True)] == [False, False, False, True]


def test_another_time_zone_rebuilds_all_dates(warehouse: Warehouse) -> None:
    """In the table, and what is remembered of the files: their rows are of other dates."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("transactions", 1, 2)), "whole"))
    was = warehouse.count("fct_sales where business_date < '2017-03-06'")
    zone = ("--vars", "{business_timezone: Asia/Tokyo}")
    assert warehouse.build(*zone, select=f"config.materialized:view {STATEFUL}") == []
    assert warehouse.count("fct_sales where business_date < '2017-03-06'") != was
    warehouse.take(Step((Change("transactions", 1, None),), "none"))  # of the 8th in Tokyo, and of no other date
    assert warehouse.build(*zone) == []
    assert warehouse.keep("warehouse") > 0
    assert warehouse.build("--full-refresh", *zone) == []
    assert warehouse.differences("warehouse") == {}
    assert warehouse.build(select=f"config.materialized:view {STATEFUL}") == []


def test_a_seed_whose_rows_changed_rebuilds_what_reads_it(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("products", 0, 1)), "whole"))
    was = warehouse.everything()
    with psycopg.connect(dbname=warehouse.database) as connection:
        first = "(select min(ctid) from seeds.non_merchandise)"  # as many rows as before
        connection.execute(f"update seeds.non_merchandise set department = 'OTHER' where ctid = {first}".encode())
    assert warehouse.build() == []
    assert {"dim_product"} <= changes(was, warehouse) <= hanging_on(warehouse, "seed.data_journey.non_merchandise")


def test_an_attribute_that_a_model_reads_touches_its_dates(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a dimension without versions; one that it doesn't read touches none."""
    warehouse.restart()
    sales = (Change("transactions", 0, 1), Change("transactions", 4, 1))
    warehouse.take(Step((*sales, Change("promotions", 0, 1)), "whole"))
    fact, store = (warehouse.dbt.manifest.nodes[f"model.data_journey.{name}"] for name in ("fct_sales", "dim_store"))
    reading = fact.raw_code.replace(
        "dated.business_hour,", "dated.business_hour + length(stores.volume_class) as business_hour,"
    )
    assert reading != fact.raw_code
    monkeypatch.setattr(fact, "raw_code", reading)
    assert warehouse.build() == []
    was, everything = warehouse.builds("fct_sales"), warehouse.everything()
    hours = warehouse.count("fct_sales where business_hour > 30")
    monkeypatch.setattr(store, "raw_code", store.raw_code.replace("days_open_count, 0)", "days_open_count, 1)"))
    assert warehouse.build() == []
    assert warehouse.builds("fct_sales") == was
    monkeypatch.setattr(
        store,
        "raw_code",
        store.raw_code.replace("    volume_class,", "    volume_class || repeat('+', 40) as volume_class,"),
    )
    assert warehouse.build() == []
    assert hours == 0
    assert warehouse.count("fct_sales where business_hour <= 30 and store_key <> 0") == 0
    changed = changes(everything, warehouse)
    assert {"dim_store", "fct_sales"} <= changed <= hanging_on(warehouse, "model.data_journey.dim_store")
    assert "fct_promotions" not in changed  # it takes the store's key alone


@pytest.mark.parametrize("model", ["int_months_begun", "int_periods_observed"])
def test_an_attribute_that_no_model_reads_rebuilds_nothing(warehouse: Warehouse, model: str) -> None:
    """Of a dimension whose key the model doesn't keep; the second has no partitions."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    was = warehouse.remembered(model)
    another = "update build_state.models set content_id = 'another' where model_name = 'dim_date'"
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("update warehouse.dim_date set weekday_name = 'Someday'")
        connection.execute(another.encode())
    assert warehouse.build(select=model) == []
    assert warehouse.remembered(model) == was
    with psycopg.connect(dbname=warehouse.database) as connection:
        connection.execute("update warehouse.dim_date set month_start_date = month_start_date - 31")
    assert warehouse.build(select=model) == []
    assert warehouse.remembered(model) != was


def test_a_new_member_touches_the_dates_of_its_rows_alone(warehouse: Warehouse) -> None:
    """Of a dimension without versions that a model joins, and whose key it doesn't keep; a changed one rebuilds it."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1), Change("transactions", 1, 1)), "whole"))
    assert warehouse.build(select="sales_performance") == []
    another = "update build_state.models set content_id = content_id || '+' where model_name = 'dim_store'"
    written = "select xmin, ctid from built.sales_performance__1 where to_publication is null"
    with psycopg.connect(dbname=warehouse.database) as connection:
        was = connection.execute(written).fetchall()
        [(store,)] = connection.execute("select max(store_id) from built.sales_performance").fetchall()
        forgotten = connection.execute(
            "delete from build_state.members where model_name = 'sales_performance' and member_key ="
            " (select store_key from warehouse.dim_store where store_id = %s)", [store]
        )  # fmt: skip
        assert forgotten.rowcount == 1
        connection.execute(another)
    assert warehouse.build(select="sales_performance") == []
    with psycopg.connect(dbname=warehouse.database) as connection:
        assert connection.execute(written).fetchall() == was
        connection.execute("update warehouse.dim_store set store_id = store_id + 1000000 where store_id = %s", [store])
        connection.execute(another)
    assert warehouse.build(select="sales_performance") == []
    with psycopg.connect(dbname=warehouse.database) as connection:
        stores = connection.execute("select max(store_id) from built.sales_performance").fetchall()
    assert stores == [(store + 1000000,)]


def test_an_empty_run_is_not_remembered(warehouse: Warehouse) -> None:
    """`--empty` leaves empty tables, as dbt says; the next run fills them."""
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    rows = warehouse.count("fct_sales")
    assert warehouse.build("--empty", select="fct_sales") == []
    assert warehouse.count("fct_sales") == 0
    assert warehouse.build() == []
    assert warehouse.count("fct_sales") == rows > 0
    assert_is_full_refresh(warehouse)


def test_a_build_that_is_killed_leaves_the_tables_as_they_were(warehouse: Warehouse) -> None:
    warehouse.restart()
    warehouse.take(Step((Change("transactions", 0, 1),), "whole"))
    warehouse.take(Step((Change("transactions", 1, 1), Change("promotions", 0, 1)), "none"))
    with psycopg.connect(dbname=warehouse.database, autocommit=True) as connection:
        connection.execute(
            "create function public.die() returns trigger language plpgsql as "
            "$$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$; "
            "create trigger die after insert on warehouse.fct_sales execute function public.die()"
        )
        was = warehouse.builds("fct_sales"), warehouse.count("fct_sales")
        failed = warehouse.build()
        assert any(line.startswith("fct_sales: ") for line in failed)
        assert (warehouse.builds("fct_sales"), warehouse.count("fct_sales")) == was
        connection.execute("drop trigger die on warehouse.fct_sales")
    assert warehouse.build() == []
    assert warehouse.count("fct_sales") > was[1]
    assert_is_full_refresh(warehouse)


def test_every_declared_constraint_is_in_the_database(warehouse: Warehouse) -> None:
    """dbt doesn't know whether our materialization makes them, and no longer warns.

    A mart's table has rows of several publications: its keys are unique among the newest.
    """
    warehouse.restart()
    declared, there = set(), set()
    for node in warehouse.dbt.manifest.nodes.values():
        if node.resource_type == "model" and node.config.materialized == "incremental_table" and node.config.enabled:
            is_published = node.schema in MARTS
            table = f"built.{node.name}" if is_published else f"{node.schema}.{node.name}"
            declared |= {(table, column.name, "n") for column in node.columns.values() for one in column.constraints
                         if one.type.value == "not_null"}  # fmt: skip
            declared |= {(table, ",".join(one.columns), one.type.value[0]) for one in node.constraints if one.columns}
            declared |= {(table, column.name, one.type.value[0]) for column in node.columns.values()
                         for one in column.constraints if one.type.value in ("primary_key", "unique")}  # fmt: skip
    with psycopg.connect(dbname=warehouse.database) as connection:
        there |= set(
            connection.execute(
                """select regexp_replace(conrelid::regclass::text, '__[0-9]+$', ''),
                       string_agg(attname, ',' order by place), contype::text
                   from pg_constraint, unnest(conkey) with ordinality as keys (attnum, place), pg_attribute
                   where attrelid = conrelid and pg_attribute.attnum = keys.attnum and contype in ('p', 'u', 'n')
                   group by pg_constraint.oid, conrelid, contype
                   union all
                   select regexp_replace(indrelid::regclass::text, '__[0-9]+$', ''),
                       string_agg(attname, ',' order by place), contype
                   from pg_index, unnest(indkey) with ordinality as keys (attnum, place), pg_attribute,
                       (values ('p'), ('u')) as types (contype)
                   where attrelid = indrelid and pg_attribute.attnum = keys.attnum and indisunique
                       and pg_get_expr(indpred, indrelid) = '(to_publication IS NULL)'
                   group by indexrelid, indrelid, contype"""
            ).fetchall()
        )
    assert len(declared) > 100
    assert declared - there == set()


def assert_is_full_refresh(warehouse: Warehouse, select: str = STATEFUL, *schemas: str) -> None:
    """What was built is kept, everything is built anew, and both are compared, row for row; and what is remembered."""
    assert warehouse.keep("warehouse", *schemas) > 0
    remembered = warehouse.memory()
    assert warehouse.build("--full-refresh", select=select) == []
    assert warehouse.differences("warehouse", *schemas) == {}
    assert warehouse.memory() == remembered


def changes(was: dict[str, set[str]], warehouse: Warehouse) -> set[str]:
    """Models that were built since, whole or in part."""
    now = warehouse.everything()
    return {model for model in was.keys() | now.keys() if now.get(model) != was.get(model)}


def hanging_on(warehouse: Warehouse, *names: str) -> set[str]:
    """Models that read some nodes or macros, directly or through others; and those themselves."""
    reading, found = warehouse.dbt.manifest.nodes, set(names)
    reads = {name: {*getattr(node.depends_on, "nodes", ()), *node.depends_on.macros} for name, node in reading.items()}
    while more := {name for name in reads if found & reads[name]} - found:
        found |= more
    return {reading[name].name for name in found if name in reading}


def transactions(warehouse: Warehouse) -> Source:
    """The feed of sales."""
    return next(source for source in warehouse.sources if source.name == "pos.transactions")


def with_quantities(body: bytes, written: Callable[[int, str], str]) -> bytes:
    """A file of sales whose quantities are written otherwise.

    Args:
        body: the file.
        written: how a quantity is written, by its row, from 0, and its text.
    """
    header, *lines = body.decode().splitlines()
    at = header.split(",").index("quantity")
    rows = [line.split(",") for line in lines]
    rows = [[*row[:at], written(i, row[at]), *row[at + 1 :]] for i, row in enumerate(rows)]
    return "".join(f"{line}\n" for line in (header, *(",".join(row) for row in rows))).encode()


def deliver(warehouse: Warehouse, change: Change, body: bytes) -> None:
    """Put a change's file into the bucket, with other bytes."""
    warehouse.client.put_object(Bucket=transactions(warehouse).bucket, Key=key(change), Body=body)


def builds_as_full_refresh(warehouse: Warehouse) -> bool:
    """Build what is new, and compare with what a full refresh would make."""
    assert warehouse.build() == []
    warehouse.keep_full_refresh()
    return warehouse.differences("warehouse", "built") == {}
