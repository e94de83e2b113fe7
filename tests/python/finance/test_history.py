"""What the ledger's sources overwrite in place, and what the books keep of it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from dbt_runs import Ran

from .conftest import LEDGER, TESTS, Books

Corrupted = Callable[..., Ran]
CHART, SEED = "raw_erp.chart_of_accounts", "seeds.statement_accounts"
HISTORIES = ("chart_of_accounts_history", "statement_accounts_history")
BUILD = ("build", "--select", *HISTORIES, *LEDGER, *TESTS)
GONE = (f"delete from {CHART} where account_id in (6, 6100)", f"delete from {SEED} where account_id = 6100")


def test_an_account_that_is_gone_from_the_chart_keeps_its_place_in_the_books(
    books: Books, corrupted: Corrupted
) -> None:
    """The chart drops an account with postings, and its heading; finance drops its line. No figure changes."""
    assert corrupted(*GONE, arguments=BUILD) == Ran()
    for mart in ("general_ledger", "income_statement", "balance_sheet", "cash_flow_statement", "ledger_control_totals"):
        query = f"select * from finance.{mart} order by 1, 2"
        assert books.rows(query, books.database) == books.rows(query), mart
    [account] = books.rows("select * from warehouse.dim_account where account_id = 6100", books.database)
    [before] = books.rows("select * from warehouse.dim_account where account_id = 6100")
    assert account == {**before, "is_withdrawn": True}
    states = books.rows(_states("account_id in (6, 6100)"), books.database)
    assert [(state["account_id"], state["holds"]) for state in states] == [(6, False), (6100, False)]


def test_a_database_that_never_saw_the_account_says_so(books: Books, corrupted: Corrupted) -> None:
    """Without the snapshots' memory the postings go to no account that the books know, and a test names them."""
    forget = [f"delete from snapshots.{history} where account_id in (6, 6100)" for history in HISTORIES]
    ran = corrupted(*GONE, *forget, arguments=BUILD)
    assert "assert_journals_post_to_posting_accounts" in ran.failed
    assert "to account 6100, which the chart does not have" in ran.about("assert_journals_post_to_posting_accounts")


def test_an_account_that_comes_back_is_no_longer_withdrawn(books: Books, corrupted: Corrupted) -> None:
    """A renamed account has two states, one that was gone and came back too; the dimension has today's."""
    keep = f"create table public.kept as select * from {CHART} where account_id in (6, 6100)"
    assert corrupted(keep, GONE[0], arguments=BUILD) == Ran()
    with psycopg.connect(dbname=books.database) as connection:
        connection.execute(f"insert into {CHART} select * from public.kept")
        connection.execute(
            f"update {CHART} set account_name = 'Leases', parent_account_id = null where account_id = 6100"
        )
        connection.execute("drop table public.kept")
    assert books.dbt(*BUILD) == Ran()
    [account] = books.rows("select * from warehouse.dim_account where account_id = 6100", books.database)
    assert (account["account_name"], account["account_path"], account["is_withdrawn"]) == ("Leases", "Leases", False)
    states = books.rows(_states("account_id = 6100"), books.database)
    assert [(state["account_name"], state["holds"]) for state in states] == [
        ("Rent", False),
        ("Leases", True),
    ]


def test_an_unused_account_that_is_gone_leaves_the_books(books: Books, corrupted: Corrupted) -> None:
    """A typing error in the chart that nothing was posted to doesn't stay for ever."""
    columns = "account_id, account_name, parent_account_id, account_type, statement, normal_balance, is_posting"
    values = columns.replace("account_id", "66000", 1)
    typed = f"insert into {CHART} ({columns}, _file_id) select {values}, _file_id from {CHART}"
    ran = corrupted(f"{typed} where account_id = 6100", arguments=("build", "--select", HISTORIES[0]))
    assert ran == Ran()
    with psycopg.connect(dbname=books.database) as connection:
        connection.execute(f"delete from {CHART} where account_id = 66000")
    assert books.dbt(*BUILD) == Ran()
    states = books.rows(_states("account_id = 66000"), books.database)
    assert [state["holds"] for state in states] == [False]
    assert books.rows("select * from warehouse.dim_account where account_id = 66000", books.database) == []


def test_a_new_target_leaves_the_periods_before_it_alone(books: Books, corrupted: Corrupted) -> None:
    """A dated row changes the periods from it on. Overwriting changes all periods, and the record keeps what was."""
    build = ("build", "--select", "kpi_targets_by_period_history", "int_kpi_targets_dated", "financial_kpis")
    raised = "insert into seeds.kpi_targets select * from seeds.kpi_targets where kpi_code = 'cash'"
    raised = raised.replace(
        "select *", "select kpi_code, '2017-03', kpi_order, kpi_name, unit, better_when, judged_on, 1e6, 9e5"
    )
    assert corrupted(raised, arguments=build) == Ran()
    with psycopg.connect(dbname=books.database) as connection:
        connection.execute("update seeds.kpi_targets set target_value = 0.5 where kpi_code = 'gross_margin'")
    assert books.dbt(*build) == Ran()
    query = "select fiscal_period, target_value from finance.financial_kpis where kpi_code = '{}' order by 1"
    cash = {row["fiscal_period"]: row["target_value"] for row in books.rows(query.format("cash"), books.database)}
    assert {period for period, target in cash.items() if target == 1_000_000} == {p for p in cash if p >= "2017-03"}
    assert {period for period, target in cash.items() if target == 200_000} == {"2017-01", "2017-02"}
    margin = books.rows(query.format("gross_margin"), books.database)
    assert {float(row["target_value"]) for row in margin} == {0.5}
    states = books.rows(
        "select target_value from snapshots.kpi_targets_by_period_history"
        " where kpi_code = 'gross_margin' order by dbt_valid_from",
        books.database,
    )
    assert [float(state["target_value"]) for state in states] == [0.27, 0.5]


def _states(where: str) -> str:
    return f"""
        select account_id, account_name, dbt_valid_to = '9999-12-31' as holds
        from snapshots.chart_of_accounts_history where {where} order by account_id, dbt_valid_from
    """
