"""Every row of the finance mart is what an independent computation from the landed files says, to the cent."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import DEFAULT

from .conftest import Books
from .oracle import Oracle, Rows

KEYS = {
    "income_statement": ("fiscal_period", "line_code"),
    "balance_sheet": ("fiscal_period", "line_code"),
    "cash_flow_statement": ("fiscal_period", "line_code"),
    "budget_vs_actual": ("budget_version", "fiscal_period", "department", "account_id"),
    "financial_kpis": ("fiscal_period", "kpi_code"),
    "general_ledger": ("fiscal_period", "account_id"),
    "sales_ledger_reconciliation": ("business_date", "department"),
    "ledger_control_totals": ("fiscal_period", "account_id"),
    "sales_variance": ("comparison", "fiscal_period", "department"),
    "product_sales_variance": ("comparison", "fiscal_period", "department", "product_id"),
    "late_entries": ("journal_id",),
    "gross_margin": ("breakdown", "member", "period_start_date"),
    "cash_forecast": ("week_start_date", "line_code"),
}

NAMES = {  # columns that say in words what the key says
    "line_order", "line_name", "line_kind", "account_name", "statement_line_code", "kpi_order", "kpi_name", "unit",
    "better_when", "journal_type", "description", "product_category", "period_start_date",
}  # fmt: skip


@pytest.fixture(scope="module")
def oracle(books: Books) -> Oracle:
    found = Oracle(books.folder, DEFAULT / "seeds")
    scores = books.rows("select month_start_date, customer_id, segment_name from built.int_customer_rfm_scored")
    found.segments = {(row["month_start_date"], row["customer_id"]): row["segment_name"] for row in scores}
    sales = books.rows(
        "select week_start_date, forecast_amount, lower_80_amount, upper_80_amount from sales.sales_forecast"
        " where is_all_departments"
    )
    found.forecasts = {week: tuple(amounts) for week, *amounts in (row.values() for row in sales)}
    return found


@pytest.mark.parametrize("mart", KEYS)
def test_every_row_is_what_the_files_say(books: Books, oracle: Oracle, mart: str) -> None:
    expected: Rows = getattr(oracle, mart)()
    found = {tuple(row[key] for key in KEYS[mart]): row for row in books.rows(f"select * from finance.{mart}")}
    assert found.keys() == expected.keys()
    assert differences(found, expected) == []
    unchecked = set(next(iter(found.values()))) - set(next(iter(expected.values()))) - set(KEYS[mart])
    assert unchecked <= NAMES


def differences(found: Rows, expected: Rows) -> list[tuple[Any, ...]]:
    """Row, column, what the mart says, what the files say."""
    return [
        (*key, column, found[key][column], value)
        for key, row in expected.items()
        for column, value in row.items()
        if found[key][column] != value
    ]


def test_the_quarter_has_what_makes_ledgers_hard(books: Books, oracle: Oracle) -> None:
    """The slice would be too easy without a late entry, a reversal, and periods of all three states."""
    assert {oracle.status(period) for period in oracle.periods} == {"closed", "open", "not yet posted"}
    assert any(line.is_late for line in oracle.lines)
    assert any(line.reverses for line in oracle.lines)
    shown = books.rows("select distinct reason from finance.sales_ledger_reconciliation")
    assert {row["reason"] for row in shown} >= {"none", "late entry", "not yet posted"}
