"""The ERP's files: SIMULATED books, exported on the 3rd of the month after.

CSV with semicolons, Windows-1252, decimal commas and CRLF, as its export has always been.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date
from functools import partial

from deliveries import formats
from deliveries.ledger.books import EXPORTED_MONTHS, Books, exported_on
from deliveries.ledger.budgets import ARRIVES, budgets
from deliveries.ledger.chart import CHART
from deliveries.timeline import FIRST_DAY, period
from journey.land.feeds import Encode, Feed, Planned, feed_of

CHART_OF_ACCOUNTS, JOURNAL_LINES = "erp/chart_of_accounts", "erp/journal_lines"
BUDGETS, CONTROL_TOTALS = "erp/budgets", "erp/control_totals"

_ACCOUNT = ("account_id", "account_name", "parent_account_id", "account_type", "statement", "normal_balance",
            "is_posting")  # fmt: skip
_LINE = ("journal_id", "line_number", "journal_type", "posting_date", "entry_date", "fiscal_period", "account_id",
         "department", "description", "debit_amount", "credit_amount", "reverses_journal_id")  # fmt: skip
_BUDGET = ("version", "fiscal_period", "department", "account_id", "amount", "units")
_TOTAL = ("exported_on", "fiscal_period", "account_id", "closing_balance")


def feeds(books: Callable[[], Books]) -> list[Feed]:
    """All of the ERP's feeds.

    Args:
        books: gives the simulated books; asked only if a file needs them.
    """
    chart = Planned(f"{CHART_OF_ACCOUNTS}/chart_of_accounts.csv", FIRST_DAY)
    return [
        feed_of(CHART_OF_ACCOUNTS, {chart: _chart_file}),
        _monthly(JOURNAL_LINES, "journal_lines", _journal_file, books),
        feed_of(
            BUDGETS,
            {
                Planned(f"{BUDGETS}/budgets_{version}.csv", day): partial(_budget_file, version)
                for version, day in ARRIVES.items()
            },
        ),
        _monthly(CONTROL_TOTALS, "control_totals", _control_file, books),
    ]


def _monthly(prefix: str, name: str, encode: Callable[[Books, date], bytes], books: Callable[[], Books]) -> Feed:
    months = {f"{prefix}/{name}_{period(month)}.csv": month for month in EXPORTED_MONTHS}

    def make(wanted: Collection[str]) -> Iterator[tuple[str, Encode]]:
        kept = books()
        return ((key, partial(encode, kept, month)) for key, month in months.items() if key in wanted)

    return Feed(prefix, tuple(Planned(key, exported_on(month)) for key, month in months.items()), make)


def _chart_file() -> bytes:
    return formats.erp_csv(
        _ACCOUNT,
        (
            (
                one.number,
                one.name,
                one.parent,
                one.type,
                one.statement,
                one.normal_balance,
                "Y" if one.is_posting else "N",
            )
            for one in CHART
        ),
    )


def _journal_file(books: Books, month: date) -> bytes:
    rows = []
    for journal in books.released(month):
        for number, line in enumerate(journal.lines, start=1):
            debit, credit = max(line.cents, 0), max(-line.cents, 0)
            rows.append(
                (journal.journal_id, number, journal.journal_type, journal.posting_date, journal.entry_date,
                 period(journal.posting_date), line.account, journal.department, journal.text,
                 formats.decimal_comma(debit), formats.decimal_comma(credit), journal.reverses)
            )  # fmt: skip
    return formats.erp_csv(_LINE, rows)


def _budget_file(version: str) -> bytes:
    return formats.erp_csv(
        _BUDGET,
        (
            (one.version, one.fiscal_period, one.department, one.account, formats.decimal_comma(one.cents), one.units)
            for one in budgets(version)
        ),
    )


def _control_file(books: Books, month: date) -> bytes:
    day = exported_on(month)
    return formats.erp_csv(
        _TOTAL,
        (
            (day, balance.fiscal_period, balance.account, formats.decimal_comma(balance.cents))
            for balance in books.balances(month)
        ),
    )
