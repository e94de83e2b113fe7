"""A column that came as text and is then declared gets its type in one command; views stay, misfits are kept."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from journey.errors import JourneyError, UsageError
from journey.loader import ledger, reconcile
from journey.loader.columns import Change
from journey.loader.retyping import retype
from journey.loader.values.meaning import Meaning
from loader.seeding import Seed, declared, query
from loader.support import Landing

BEFORE = declared(columns={"id": "integer", "discount": "text", "day": "text"})
AFTER = declared(columns={"id": "integer", "discount": "numeric(8,2)", "day": "date"})


@pytest.fixture
def seed(database: str) -> Iterator[Seed]:
    """Three files: the second has a value that is no number, the third no value at all."""
    with psycopg.connect(autocommit=True) as connection:
        seed = Seed(connection)
        seed.bring(BEFORE, "in/a.csv", [(1, "1.50", "2024-06-01"), (2, None, None)])
        seed.bring(BEFORE, "in/b.csv", [(3, "oops", "2024-06-01"), (4, "2.25", "today"), (5, "7", "2024-06-02")])
        seed.bring(BEFORE, "in/c.csv", [(6, None, None)])
        yield seed


def types(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Of the raw table's columns."""
    return {column.name: column.type for column in ledger.table_columns(connection, AFTER)}


def test_it_is_dry_by_default_and_says_what_it_would_do(seed: Seed) -> None:
    seed.connection.execute("create view seen as select * from raw_shop.sales")
    said = retype(AFTER)
    assert said[0] == (
        "shop.sales: column 'discount': text becomes numeric(8,2): 4 values in 2 files, which get a new version"
    )
    assert any(line.startswith("shop.sales: in/b.csv: 1 rows are refused: `oops` is no") for line in said)
    assert any(line.startswith("shop.sales: in/b.csv: 1 rows are refused: `today` is no") for line in said)
    assert "shop.sales: views are kept: public.seen" in said
    assert said[-1].endswith("add --yes to do it; while it is done, nobody can read the table")
    assert types(seed.connection)["discount"] == "text"
    assert query(seed.connection, "select count(*) from loader.rejected_rows") == [(0,)]
    assert query(seed.connection, "select count(*) from loader.runs") == [(1,)]


def test_columns_get_their_types_and_what_does_not_fit_is_kept(seed: Seed) -> None:
    retype(AFTER, yes=True)
    connection = seed.connection
    assert list(types(connection).items()) == [
        ("id", "integer"),
        ("discount", "numeric(8,2)"),
        ("day", "date"),
        ("_file_id", "integer"),
    ]
    assert query(connection, "select id, discount, day::text from raw_shop.sales order by id") == [
        (1, Decimal("1.50"), "2024-06-01"),
        (2, None, None),
        (5, Decimal("7.00"), "2024-06-02"),
        (6, None, None),
    ]
    files = query(
        connection,
        """select key, file_id, replaces, row_count, rejected_count, delivered_count from loader.files
           where status = 'loaded' order by key""",
    )
    assert files == [("in/a.csv", 4, 1, 2, 0, 2), ("in/b.csv", 5, 2, 1, 2, 3), ("in/c.csv", 3, None, 1, 0, 1)]
    assert query(
        connection,
        "select file_id, line_number, column_name, raw_text::jsonb from loader.rejected_rows order by column_name",
    ) == [
        (5, None, "day", {"id": 4, "discount": "2.25", "day": "today"}),
        (5, None, "discount", {"id": 3, "discount": "oops", "day": "2024-06-01"}),
    ]
    assert reconcile.differences(connection, AFTER) == []
    known = ledger.known(connection, AFTER, ["in/a.csv"])
    assert known["in/a.csv"].loaded_etag == "e1"  # so the next load leaves it alone
    assert retype(AFTER) == ["shop.sales: every column of raw_shop.sales has its declared type"]


def test_values_are_read_as_declared_and_not_as_the_server_would(seed: Seed) -> None:
    meaning = Meaning(date_format=("%d/%m/%Y",), decimal_mark=",", null_values=("", "N/A"))
    before = declared("shop.other", columns={"id": "integer", "amount": "text", "day": "text"})
    after = declared("shop.other", columns={"id": "integer", "amount": "numeric(8,2)", "day": "date"}, meaning=meaning)
    rows = [(1, "1,50", "03/02/2024"), (2, "N/A", "31/01/2024"), (3, "1.50", "01/01/2024"), (4, "9", "2024-01-01")]
    seed.bring(before, "in/a.csv", rows)
    retype(after, yes=True)
    assert query(seed.connection, "select id, amount, day::text from raw_shop.other order by id") == [
        (1, Decimal("1.50"), "2024-02-03"),
        (2, None, "2024-01-31"),
    ]
    assert query(seed.connection, "select count(*) from loader.rejected_rows") == [(2,)]


def test_views_on_the_table_are_what_they_were(seed: Seed) -> None:
    connection = seed.connection
    connection.execute(
        """drop role if exists reader;
           create role reader;
           create view raw_shop.low with (security_barrier = true) as
               select id, discount, day from raw_shop.sales where id > 0;
           create view seen as select low.id, sales.discount from raw_shop.low join raw_shop.sales using (id);
           grant select on seen to reader;
           grant select (id) on raw_shop.low to reader with grant option;
           comment on view seen is 'what''s seen';
           comment on column seen.id is 'its number'"""
    )
    try:
        retype(AFTER, yes=True)
        assert query(connection, "select id, discount from seen order by id") == [
            (1, Decimal("1.50")),
            (2, None),
            (5, Decimal("7.00")),
            (6, None),
        ]
        assert query(
            connection,
            """select has_table_privilege('reader', 'seen', 'select'),
                   has_column_privilege('reader', 'raw_shop.low', 'id', 'select with grant option'),
                   has_column_privilege('reader', 'raw_shop.low', 'day', 'select'),
                   obj_description('seen'::regclass), col_description('seen'::regclass, 1)""",
        ) == [(True, True, False, "what's seen", "its number")]
        assert query(connection, "select reloptions from pg_class where relname = 'low'") == [
            (["security_barrier=true"],)
        ]
    finally:
        connection.execute("drop view if exists seen; drop owned by reader cascade; drop role reader")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            "create view seen as select trim(discount) as it from raw_shop.sales",
            "view public.seen can't stand on the new",
        ),
        (
            "create materialized view raw_shop.made as select discount from raw_shop.sales",
            "materialized views stand on it",
        ),
        (
            """create view raw_shop.low as select discount from raw_shop.sales;
               create function raw_shop.f() returns setof raw_shop.low language sql as 'select * from raw_shop.low'""",
            "a view on it can't be put back",
        ),
    ],
)
def test_a_view_that_can_not_be_kept_stops_it_and_nothing_is_done(seed: Seed, make: str, words: str) -> None:
    seed.connection.execute(make)
    with pytest.raises(JourneyError, match=words) as caught:
        retype(AFTER, yes=True)
    assert "\n" not in str(caught.value)
    assert types(seed.connection)["discount"] == "text"
    assert query(seed.connection, "select count(*), count(distinct _file_id) from raw_shop.sales") == [(6, 3)]
    assert query(seed.connection, "select distinct status from loader.files") == [("loaded",)]
    assert query(seed.connection, "select status from loader.runs order by run_id desc limit 1") == [("failed",)]


def test_a_table_in_use_is_not_waited_for_for_ever(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journey.loader.postgres.LOCK_TIMEOUT", "200ms")
    with psycopg.connect(application_name="a report") as reader:
        reader.execute("select * from raw_shop.sales")
        with pytest.raises(JourneyError, match=r"raw_shop\.sales is locked: pid .* a report"):
            retype(AFTER, yes=True)
    assert types(seed.connection)["discount"] == "text"


def test_types_that_only_the_server_reads_and_types_that_were_no_text(seed: Seed) -> None:
    before = declared("shop.other", columns={"id": "integer", "address": "text", "amount": "integer"})
    after = declared("shop.other", columns={"id": "bigint", "address": "inet", "amount": "numeric(10,2)"})
    seed.bring(before, "in/a.csv", [(1, "10.0.0.1", 7), (2, "nowhere", 8), (3, None, None)])
    retype(after, yes=True)
    assert query(seed.connection, "select id, address::text, amount from raw_shop.other order by id") == [
        (1, "10.0.0.1/32", Decimal("7.00")),
        (3, None, None),
    ]
    assert ledger.type_changes(seed.connection, after, ledger.table_columns(seed.connection, after)) == []


def test_a_table_that_is_not_there_is_said(seed: Seed) -> None:
    with pytest.raises(UsageError, match=r"there is no table raw_shop\.none yet"):
        retype(declared("shop.none"))


def test_drift_that_is_over_is_closed_and_opens_again(seed: Seed) -> None:
    connection = seed.connection

    def record() -> None:
        changes = ledger.type_changes(connection, AFTER, ledger.table_columns(connection, AFTER))
        ledger.record_table(connection, AFTER, changes)

    def open_ones() -> list[tuple[Any, ...]]:
        statement = "select change, column_name from loader.schema_changes where closed_at is null order by 1, 2"
        return query(connection, statement)

    ledger.record_changes(connection, BEFORE, "in/a.csv", [Change("new", "discount", "added as text")])
    record()
    assert open_ones() == [("new", "discount"), ("type", "day"), ("type", "discount")]
    retype(AFTER, yes=True)
    record()
    assert open_ones() == []
    status = ledger.table_status(connection, AFTER)
    assert [drift.closed_at is not None for drift in status.changes] == [True, True, True]
    ledger.record_changes(connection, AFTER, "in/z.csv", [Change("new", "discount", "added as text")])
    assert open_ones() == [("new", "discount")]


def test_drift_that_no_newer_file_shows_is_closed(seed: Seed) -> None:
    connection = seed.connection
    missing = Change("missing", "day", "loaded as null")
    ledger.record_changes(connection, BEFORE, "in/a.csv", [missing])
    ledger.close_changes(connection, BEFORE, seed.run_id)  # the run that saw it
    later = Seed(connection)
    ledger.close_changes(connection, BEFORE, later.run_id)  # a run that loaded nothing
    assert query(connection, "select closed_at is null from loader.schema_changes") == [(True,)]
    later.bring(BEFORE, "in/d.csv", [(7, None, None)])
    ledger.close_changes(connection, BEFORE, later.run_id)
    assert query(connection, "select closed_at is null from loader.schema_changes") == [(False,)]


def test_case_40_a_column_that_came_undeclared_gets_its_type(landing: Landing) -> None:
    landing.put("in/1.csv", "id,name,discount\n1,a,1.50\n")
    landing.put("in/2.csv", "id,name,discount\n2,b,oops\n")
    landing.load(landing.source())
    landing.connection.execute("create view seen as select id, discount from raw_shop.sales")
    source = landing.source(columns={"id": "integer", "name": "text", "discount": "numeric(8,2)"})
    landing.load(source)
    [drift] = landing.query("select detail from loader.schema_changes where change = 'type' and closed_at is null")
    assert "`journey retype shop.sales`" in drift[0]
    retype(source, yes=True)
    landing.put("in/3.csv", "id,name,discount\n3,c,2.25\n")
    assert landing.load(source).failures == []
    assert landing.query("select id, discount from seen order by id") == [(1, Decimal("1.50")), (3, Decimal("2.25"))]
    assert landing.query("select count(*) from loader.schema_changes where closed_at is null") == [(0,)]
    assert landing.query("select key, column_name from loader.rejected_rows join loader.files using (file_id)") == [
        ("in/2.csv", "discount")
    ]
    assert landing.agree()


def test_a_column_declared_in_another_spelling_is_not_added_beside_the_old_one(landing: Landing) -> None:
    landing.put("in/a.csv", "id,InvoiceId\n1,x\n")
    landing.load(landing.source(columns={"id": "integer", "InvoiceId": "text"}))
    source = landing.source(columns={"id": "integer", "invoiceid": "text"})
    with pytest.raises(UsageError, match=r'alter table .* rename column "InvoiceId" to "invoiceid"'):
        landing.load(source)
    landing.connection.execute('alter table raw_shop.sales rename column "InvoiceId" to "invoiceid"')
    assert landing.load(source).failures == []
    assert landing.rows(columns="id, invoiceid") == [(1, "x")]


def test_a_table_without_rows_takes_the_declared_types(landing: Landing) -> None:
    landing.put("in/a.csv", "id,day\nx1,2024-06-01\n")
    assert landing.load(landing.source("in/", columns={"id": "integer", "day": "date"}, max_reject_rate=0)).failures
    assert not landing.load(landing.source("in/", columns={"id": "text", "day": "date"})).failures
    assert landing.query("select id, day::text from raw_shop.sales") == [("x1", "2024-06-01")]
    assert landing.query("select from loader.schema_changes where closed_at is null") == []


@pytest.mark.parametrize("kept_by", ["a row", "a view"])
def test_a_table_with_rows_or_a_view_keeps_its_types(landing: Landing, kept_by: str) -> None:
    if kept_by == "a row":
        landing.put("in/a.csv", "id,day\n1,2024-06-01\n")
    landing.load(landing.source("in/", columns={"id": "integer", "day": "date"}))
    if kept_by == "a view":
        landing.connection.execute("create view seen as select id from raw_shop.sales")
    landing.load(landing.source("in/", columns={"id": "text", "day": "date"}))
    assert types(landing.connection) == {"id": "integer", "day": "date", "_file_id": "integer"}
    assert landing.query("select change, column_name from loader.schema_changes where closed_at is null") == [
        ("type", "id")
    ]
