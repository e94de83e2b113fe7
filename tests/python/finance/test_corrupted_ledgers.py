"""Every way in which a ledger goes wrong is caught, and the message says which journal, period and amount."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from dbt_runs import Ran

from .conftest import REBUILD, TESTS, Books

Corrupted = Callable[..., Ran]
LINES = "raw_erp.journal_lines"
RENT = "journal_id = 'RNT-170201-01'"  # 15,000.00 from cash to rent, February
UTILITIES = "journal_id = 'UTL-170220-01'"
SALE = "journal_id = 'SAL-170110-07'"  # GROCERY, January 10


class Case(NamedTuple):
    """A way to corrupt a ledger.

    Attributes:
        sql: what breaks it.
        test: the test that must fail.
        message: what it must say, as a regular expression.
    """

    sql: tuple[str, ...]
    test: str
    message: str


def double(where: str, **changes: str) -> str:
    """SQL that copies lines, with some columns changed."""
    columns = [
        "journal_id", "line_number", "journal_type", "posting_date", "entry_date", "fiscal_period", "account_id",
        "department", "description", "debit_amount", "credit_amount", "reverses_journal_id", "_file_id",
    ]  # fmt: skip
    chosen = ", ".join(changes.get(column, column) for column in columns)
    return f"insert into {LINES} ({', '.join(columns)}) select {chosen} from {LINES} where {where}"


def recent(where: str, cents: int) -> str:
    """SQL that adds cents to both sides of two lines, so that their journal still balances."""
    return f"""update {LINES} set
        debit_amount = case when debit_amount = 0 then 0 else debit_amount + {cents / 100} end,
        credit_amount = case when credit_amount = 0 then 0 else credit_amount + {cents / 100} end
        where {where}"""


ON_ARRIVAL = {  # tests of the journals themselves: nothing need be built for them, and they block what follows
    "assert_journal_lines_arrive_once",
    "assert_journal_lines_have_one_side",
    "assert_journals_balance",
    "assert_journals_belong_to_their_period",
    "assert_journals_post_to_posting_accounts",
}
SWAPPED = "debit_amount = credit_amount, credit_amount = debit_amount"
CASES = {
    "line dropped": Case(
        (f"delete from {LINES} where {RENT} and line_number = 2",),
        "assert_journals_balance",
        r"journal RNT-170201-01, period 2017-02: debits 15000.00, credits 0.00, off by 15000.00",
    ),
    "line doubled": Case(
        (double(f"{RENT} and line_number = 1"),),
        "assert_journal_lines_arrive_once",
        r"journal RNT-170201-01, line 1, period 2017-02: came 2 times, amount 15000.00",
    ),
    "line doubled under another number": Case(
        (double(f"{RENT} and line_number = 1", line_number="3"),),
        "assert_journals_balance",
        r"journal RNT-170201-01, period 2017-02: debits 30000.00, credits 15000.00, off by 15000.00",
    ),
    "journal dropped": Case(
        (f"delete from {LINES} where {UTILITIES}",),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-02, account 6200 Utilities: different, .* off by -8\d{3}.\d\d .*one may be missing",
    ),
    "sales journal dropped": Case(
        (f"delete from {LINES} where {SALE}",),
        "assert_tills_tie_to_ledger",
        r"period 2017-01, 2017-01-10, GROCERY, no journal: ledger less tills, net sales -\d{4}.\d\d",
    ),
    "journal doubled": Case(
        (double(UTILITIES, journal_id="'UTL-170220-02'"),),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-02, account 6200 Utilities: different, .* by 8\d{3}.\d\d .*journal UTL-170220-01 has just that",
    ),
    "sales journal doubled": Case(
        (double(SALE, journal_id="'SAL-170110-99'"),),
        "assert_tills_tie_to_ledger",
        r"period 2017-01, 2017-01-10, GROCERY, journal SAL-170110-07 and others: .* net sales \d{4}.\d\d",
    ),
    "wrong account": Case(
        (f"update {LINES} set account_id = 6600 where {RENT} and account_id = 6100",),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-02, account 6600 Repairs and maintenance: different, .* off by 15000.00 .*"
        r"journal RNT-170201-01 has just that amount",
    ),
    "wrong account in a sales journal": Case(
        (f"update {LINES} set account_id = 4200 where {SALE} and account_id = 4100",),
        "assert_tills_tie_to_ledger",
        r"period 2017-01, 2017-01-10, GROCERY, journal SAL-170110-07: .* loyalty discount -\d+.\d\d, coupon match \d+",
    ),
    "wrong department in a sales journal": Case(
        (f"update {LINES} set department = 'TOYS' where {SALE}",),
        "assert_tills_tie_to_ledger",
        r"period 2017-01, 2017-01-10, TOYS, journal SAL-170110-07: ledger less tills, net sales \d{4}.\d\d",
    ),
    "account that the chart doesn't have": Case(
        (f"update {LINES} set account_id = 9999 where {RENT} and account_id = 6100",),
        "assert_journals_post_to_posting_accounts",
        r"journal RNT-170201-01, period 2017-02: amount 15000.00 is posted to account 9999, which the chart does not",
    ),
    "posted to a heading": Case(
        (f"update {LINES} set account_id = 6 where {RENT} and account_id = 6100",),
        "assert_journals_post_to_posting_accounts",
        r"journal RNT-170201-01, period 2017-02: amount 15000.00 is posted to account 6 \(Operating expenses\), which",
    ),
    "wrong period on a line": Case(
        (f"update {LINES} set fiscal_period = '2017-03' where {RENT} and line_number = 1",),
        "assert_journals_belong_to_their_period",
        r"journal RNT-170201-01, line 1, period 2017-03: amount 15000.00 is dated 2017-02-01",
    ),
    "wrong period and date": Case(
        (f"update {LINES} set fiscal_period = '2017-03', posting_date = '2017-03-20' where {UTILITIES}",),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-03, account 6200 Utilities: tied, .* off by 8\d{3}.\d\d .*journal UTL-170220-01 has just that",
    ),
    "wrong sign on a line": Case(
        (f"update {LINES} set {SWAPPED} where {RENT} and line_number = 1",),
        "assert_journals_balance",
        r"journal RNT-170201-01, period 2017-02: debits 0.00, credits 30000.00, off by -30000.00",
    ),
    "wrong sign on all lines": Case(
        (f"update {LINES} set {SWAPPED} where {RENT}",),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-02, account 6100 Rent: different, .* by -30000.00 .*journal RNT-170201-01 moves every account",
    ),
    "negative amount": Case(
        (f"update {LINES} set debit_amount = -debit_amount where {RENT} and line_number = 1",),
        "assert_journal_lines_have_one_side",
        r"journal RNT-170201-01, line 1, period 2017-02: debit -15000.00, credit 0.00",
    ),
    "off by a cent": Case(
        (f"update {LINES} set debit_amount = 15000.01 where {RENT} and line_number = 1",),
        "assert_journals_balance",
        r"journal RNT-170201-01, period 2017-02: debits 15000.01, credits 15000.00, off by 0.01",
    ),
    "off by a cent on both sides": Case(
        (recent(RENT, 1),),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-02, account 6100 Rent: different, .* off by 0.01 .*journal RNT-170201-01 moves every account",
    ),
    "off by a cent on both sides of a sale": Case(
        (recent(f"{SALE} and account_id in (1000, 4000)", 1),),
        "assert_tills_tie_to_ledger",
        r"period 2017-01, 2017-01-10, GROCERY, journal SAL-170110-07: ledger less tills, net sales 0.01, gross sales 0",
    ),
    "new account without a statement line": Case(
        (
            "insert into raw_erp.chart_of_accounts (account_id, account_name, parent_account_id, account_type,"
            " statement, normal_balance, is_posting, _file_id)"
            " values (6700, 'Training', 6, 'expense', 'income_statement', 'debit', 'Y', 1)",
        ),
        "assert_accounts_have_statement_lines",
        r"account 6700 Training \(expense\) has no line in seed statement_accounts",
    ),
    "control totals of a period missing": Case(
        ("delete from raw_erp.control_totals where fiscal_period = '2017-03' and account_id = 6100",),
        "assert_closing_balances_tie_to_control_totals",
        r"period 2017-03, account 6100 Rent: missing in ERP",
    ),
}


SELDOM = {  # caught by a test that another case provokes too, and most of them a build of finance
    "account that the chart doesn't have",
    "journal doubled",
    "line doubled under another number",
    "off by a cent on both sides",
    "sales journal doubled",
    "sales journal dropped",
    "wrong account",
    "wrong account in a sales journal",
    "wrong department in a sales journal",
    "wrong period and date",
    "wrong sign on a line",
    "wrong sign on all lines",
}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=pytest.mark.long if name in SELDOM else ()) for name, case in CASES.items()],
)
def test_a_corrupted_ledger_is_caught_and_named(corrupted: Corrupted, case: Case) -> None:
    ran = corrupted(*case.sql, arguments=("test", "--select", case.test) if case.test in ON_ARRIVAL else REBUILD)
    assert case.test in ran.failed
    assert re.search(case.message, ran.about(case.test)), ran.about(case.test)


def test_what_is_wrong_on_arrival_reaches_no_mart(corrupted: Corrupted) -> None:
    ran = corrupted(f"delete from {LINES} where {RENT} and line_number = 2")
    assert ran.failed == {"assert_journals_balance"}
    assert {"fct_journal_lines", "general_ledger", "income_statement", "balance_sheet"} <= ran.skipped


def test_the_untouched_ledger_passes(corrupted: Corrupted) -> None:
    assert corrupted() == Ran()


@pytest.mark.parametrize(
    ("files", "reasons"),
    [
        ("2017-03", {"tied none": None, "explained not yet posted": 1, "not yet posted not yet posted": None}),
        ("2017-0[1-3]", {"not yet posted not yet posted": None}),
    ],
    ids=["before a late entry arrived", "before any journal arrived"],
)
def test_a_ledger_that_has_not_arrived_is_no_difference(
    books: Books, corrupted: Corrupted, files: str, reasons: dict[str, int | None]
) -> None:
    """What the ERP hasn't delivered yet is not yet posted; nothing fails and nothing is false."""
    late = f"_file_id in (select file_id from loader.files where key ~ '{files}.csv')"
    ran = corrupted(f"delete from {LINES} where {late}", f"delete from raw_erp.control_totals where {late}")
    assert ran == Ran()
    found = {
        f"{row['status']} {row['reason']}": row["days"]
        for row in books.rows(
            "select status, reason, count(*) as days from finance.sales_ledger_reconciliation group by status, reason",
            books.database,
        )
    }
    assert found.keys() == reasons.keys()
    assert all(days in (None, found[reason]) for reason, days in reasons.items())


def test_identities_catch_a_mart_that_says_something_else(corrupted: Corrupted) -> None:
    """The marts' own tests don't lean on the ledger's: a single wrong amount in a mart is seen, and named."""
    where = "where fiscal_period = '2017-02' and "
    ran = corrupted(
        f"update finance.general_ledger set closing_amount = closing_amount + 1 {where} account_id = 1000",
        f"update finance.balance_sheet set closing_amount = closing_amount + 2 {where} line_code = 'total_assets'",
        f"update finance.balance_sheet set change_amount = change_amount + 3 {where} line_code = 'retained_earnings'",
        "update finance.cash_flow_statement set cash_flow_amount = cash_flow_amount + 4"
        f" {where} line_code = 'net_change_in_cash'",
        f"update finance.income_statement set actual_amount = actual_amount + 5 {where} line_code = 'rent'",
        f"update finance.income_statement set actual_amount = actual_amount + 6 {where} line_code = 'net_sales'",
        f"update finance.budget_vs_actual set budget_amount = budget_amount + 7 {where} account_id = 6100",
        "update finance.gross_margin set cost_of_goods_amount = cost_of_goods_amount + 9"
        " where breakdown = 'department' and member = 'DELI' and period_start_date = '2017-02-01'",
        f"update finance.sales_variance set price_effect_amount = price_effect_amount + 8 {where} department = 'DELI'",
        arguments=("test", "--select", *TESTS),
    )
    expected = {
        "assert_trial_balance_is_zero": "period 2017-02: closing balances add up to 1.00",
        "assert_balance_sheet_balances": "period 2017-02: .* off by 2.00",
        "assert_net_income_moves_equity": "period 2017-02: net income",
        "assert_cash_flow_explains_cash": "period 2017-02: net change in cash",
        "assert_income_statement_ties_to_ledger": "period 2017-02: net income .*, its lines add up to",
        "assert_net_sales_are_the_tills": "period 2017-02: tills",
        "assert_budgets_are_complete": "budget original, period 2017-02",
        "assert_sales_variance_adds_up": "budget original, period 2017-02",
        "assert_gross_margin_ties_to_ledger": "department, month 2017-02-01: cost of goods",
    }
    assert ran.failed == set(expected)
    for test, message in expected.items():
        assert re.search(message, ran.about(test)), ran.about(test)


def test_identities_fail_when_a_row_is_missing(corrupted: Corrupted) -> None:
    """No identity passes because one of its sides isn't there."""
    where = "where fiscal_period = '2017-02' and "
    ran = corrupted(
        f"delete from finance.general_ledger {where} account_id = 6500",  # 0.00 all year: no sum changes
        f"delete from finance.balance_sheet {where} line_code = 'total_liabilities_and_equity'",
        f"delete from finance.cash_flow_statement {where} line_code in ('distributions', 'opening_cash')",
        f"delete from finance.income_statement {where} line_code in ('net_income', 'net_sales')",
        f"delete from finance.ledger_control_totals {where} account_id = 6500",
        f"delete from finance.sales_ledger_reconciliation {where} department = 'DELI' and business_date = '2017-02-02'",
        "delete from finance.gross_margin where breakdown = 'store' and period_start_date = '2017-02-01'",
        "delete from finance.budget_vs_actual where fiscal_period = '2017-02' and budget_version = 'original'",
        arguments=("test", "--select", *TESTS),
    )
    assert ran.failed == {
        "assert_trial_balance_is_zero",
        "assert_balance_sheet_balances",
        "assert_net_income_moves_equity",
        "assert_cash_flow_explains_cash",
        "assert_income_statement_ties_to_ledger",
        "assert_net_sales_are_the_tills",
        "assert_budgets_are_complete",
        "assert_sales_variance_adds_up",
        "assert_gross_margin_ties_to_ledger",
        "assert_control_totals_are_complete",
        "assert_tills_tie_to_ledger",
        "assert_finance_rows_are_complete",
    }
    assert "2017-02-02, DELI" in ran.about("assert_tills_tie_to_ledger")


def test_a_layout_that_loses_a_line_is_caught(corrupted: Corrupted) -> None:
    """Finance owns the layout; a subtotal that leaves tax out, or a line that the models need and is gone, is seen."""
    ran = corrupted(
        "update seeds.statement_lines set last_line_order = 490"
        " where statement_name = 'income_statement' and line_code = 'net_income'",
        "delete from seeds.statement_lines where line_code = 'change_in_inventory'",
        "update seeds.statement_lines set line_code = 'turnover' where line_code = 'net_sales'",
    )
    assert {"assert_accounts_have_statement_lines", "assert_statement_layout_has_what_models_need"} <= ran.failed
    said = ran.about("assert_accounts_have_statement_lines")
    assert "account 1200 Merchandise inventory (asset) has no line of the cash-flow statement" in said
    said = ran.about("assert_statement_layout_has_what_models_need")
    assert "line net_sales stands 0 times in the layout of income_statement" in said
