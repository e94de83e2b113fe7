"""The simulated books: balanced, tied to the tills and to the ERP's own totals, wrong only where it is said."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from deliveries.ledger.chart import CHART
from deliveries.ledger.corrections import CLOSING_DAY, LATE, TWICE_DAY, WRONG_DAY, corrected
from deliveries.ledger.journals import post
from deliveries.ledger.running import cost_of, sales
from deliveries.ledger.tills import Takings
from deliveries.timeline import next_month

from .conftest import Landed, money

NET_SALES = "account_id in (4000, 4100, 4200)"
# The department of a sale, worked out anew, by none of the code that posted it.
TILL = """
    with first_version as (
        select product_id, min_by(department, extract_date) as department from product group by product_id
    ),
    classified as (
        select sale.*, coalesce(version.department, first_version.department, 'UNKNOWN') as department
        from sale
        asof left join product version
            on sale.product_id = version.product_id and sale.business_date >= version.extract_date
        left join first_version on sale.product_id = first_version.product_id
    )
    select business_date as day, department, sum(sales_value) as net,
        sum(sales_value + retail_disc + coupon_match_disc) as gross, sum(retail_disc) as discounts,
        sum(coupon_match_disc) as match, sum(coupon_disc) as coupons, sum(sales_value - coupon_disc) as cash
    from classified
    group by business_date, department
"""


@pytest.fixture(scope="module")
def books(sql: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The landed files, and `till`: takings by business date and department."""
    sql.execute(f"create or replace table till as {TILL}")
    return sql


def test_every_journal_balances_and_each_line_is_a_debit_or_a_credit(books: duckdb.DuckDBPyConnection) -> None:
    unbalanced = "select journal_id from journal_line group by journal_id having sum(debit) <> sum(credit)"
    assert books.sql(unbalanced).fetchall() == []
    one_sided = (
        "select journal_id from journal_line where not ((debit > 0) <> (credit > 0) and debit >= 0 and credit >= 0)"
    )
    assert books.sql(one_sided).fetchall() == []
    numbered = """select journal_id from journal_line group by journal_id
                  having list(line_number order by line_number) <> range(1, count(*) + 1)
                  or count(distinct (month, posting_date, entry_date, journal_type)) > 1"""
    assert books.sql(numbered).fetchall() == []


def test_the_ledger_is_the_tills_by_date_and_department_to_the_cent(books: duckdb.DuckDBPyConnection) -> None:
    different = f"""
        with ledger as (
            select posting_date as day, department,
                sum(credit - debit) filter ({NET_SALES}) as net,
                sum(credit - debit) filter (account_id = 4000) as gross,
                sum(debit - credit) filter (account_id = 4100) as discounts,
                sum(debit - credit) filter (account_id = 4200) as match,
                sum(debit - credit) filter (account_id = 1100) as coupons,
                sum(debit - credit) filter (account_id = 1000) as cash
            from journal_line where journal_type = 'sales'
            group by posting_date, department
        )
        select * from till full join ledger using (day, department)
        where coalesce(till.net, 0) <> coalesce(ledger.net, 0)
            or coalesce(till.gross, 0) <> coalesce(ledger.gross, 0)
            or coalesce(till.discounts, 0) <> coalesce(ledger.discounts, 0)
            or coalesce(till.match, 0) <> coalesce(ledger.match, 0)
            or coalesce(till.coupons, 0) <> coalesce(ledger.coupons, 0)
            or coalesce(till.cash, 0) <> coalesce(ledger.cash, 0)"""
    assert books.sql(different).fetchall() == []
    total = books.sql(f"select sum(credit - debit) from journal_line where {NET_SALES}").fetchall()
    assert total == books.sql("select sum(net) from till").fetchall() == [(Decimal("4596039.58"),)]
    unknown = "select sum(net), sum(coupons) from till where department = 'UNKNOWN'"
    assert books.sql(unknown).fetchall() == [(Decimal("172.57"), Decimal("6529.81"))]


def test_until_a_correction_arrives_exactly_the_named_days_differ(books: duckdb.DuckDBPyConnection) -> None:
    for month in range(1, 13):
        exported = date(2017, month, 1)
        found = books.sql(
            f"""with ledger as (
                    select posting_date as day, department, sum(credit - debit) as net from journal_line
                    where {NET_SALES} and month <= '{exported:%Y-%m}' group by all
                )
                select day, department, coalesce(ledger.net, 0) - coalesce(till.net, 0) from till
                full join ledger using (day, department)
                where day < '{next_month(exported)}' and coalesce(ledger.net, 0) <> coalesce(till.net, 0)"""
        ).fetchall()
        expected = {(late.day, late.department) for late in LATE if late.day < next_month(exported) <= late.released}
        if month == 10:
            expected.add(TWICE_DAY)
        assert {(day, department) for day, department, _ in found} == expected, exported


def test_there_are_late_entries_and_one_into_a_closed_period(books: duckdb.DuckDBPyConnection) -> None:
    late = books.sql(
        """select distinct journal_type, posting_date, department, entry_date, month from journal_line
           where strftime(entry_date, '%Y-%m') > fiscal_period and reverses is null"""
    ).fetchall()
    assert set(late) == {
        (kind, case.day, case.department, case.entered, f"{case.released:%Y-%m}")
        for case in LATE
        for kind in ("sales", "cost_of_goods")
    }
    closed = [case for case in LATE if case.entered > next_month(case.day, CLOSING_DAY)]
    assert [(case.day, case.department) for case in closed] == [(date(2017, 4, 22), "NUTRITION")]
    parked = [case for case in LATE if case.released > case.entered.replace(day=1)]
    assert [(case.day, case.department) for case in parked] == [(date(2017, 8, 19), "FUEL")]
    early = "select count(*) from journal_line where month < strftime(entry_date, '%Y-%m') or entry_date < posting_date"
    assert books.sql(early).fetchall() == [(0,)]
    last = "select count(distinct journal_id), max(posting_date) from journal_line where month = '2018-01'"
    assert books.sql(last).fetchall() == [(4, date(2017, 12, 31))]


def test_reversals_take_back_the_whole_journal(books: duckdb.DuckDBPyConnection) -> None:
    pairs = books.sql(
        """select reversal.journal_id, bool_and(wrong.debit = reversal.credit and wrong.credit = reversal.debit
               and wrong.account_id = reversal.account_id and wrong.posting_date = reversal.posting_date
               and wrong.department is not distinct from reversal.department and wrong.entry_date < reversal.entry_date)
           from journal_line reversal left join journal_line wrong
               on wrong.journal_id = reversal.reverses and wrong.line_number = reversal.line_number
           where reversal.reverses is not null
           group by reversal.journal_id"""
    ).fetchall()
    assert sorted(pairs) == [("RNT-170320-92", True), ("SAL-170708-92", True), ("SAL-171006-92", True)]


def test_control_totals_tie_to_the_journals_exported_so_far(landed: Landed) -> None:
    exports = landed.erp("control_totals")
    assert len(exports) == 13
    posting = {account.number for account in CHART if account.is_posting}
    moved: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for key, lines in sorted(landed.erp("journal_lines").items()):
        for line in lines:
            amount = money(line["debit_amount"]) - money(line["credit_amount"])
            moved[line["fiscal_period"], int(line["account_id"])] += amount
        month = key[-11:-4]
        periods = [f"2017-{number:02}" for number in range(1, 13) if f"2017-{number:02}" <= month]
        stated = {
            (row["fiscal_period"], int(row["account_id"])): money(row["closing_balance"])
            for row in exports[key.replace("journal_lines", "control_totals")]
        }
        assert stated == {
            (period, account): sum((moved[before, account] for before in periods if before <= period), Decimal())
            for period in periods
            for account in posting
        }, month
        for period in periods:
            assert sum(stated[period, account] for account in posting) == 0


def test_an_export_is_stated_as_of_the_day_it_arrives(landed: Landed) -> None:
    for key, rows in landed.erp("control_totals").items():
        month = date.fromisoformat(f"{key[-11:-4]}-01")
        assert {row["exported_on"] for row in rows} == {next_month(month, 3).isoformat()}


def test_the_chart_has_every_account_and_heading_that_is_used(landed: Landed, books: duckdb.DuckDBPyConnection) -> None:
    (chart,) = landed.erp("chart_of_accounts").values()
    by_number = {row["account_id"]: row for row in chart}
    assert len(by_number) == len(chart)
    for row in chart:
        assert row["account_type"] in ("asset", "liability", "equity", "revenue", "contra_revenue", "expense")
        assert row["normal_balance"] in ("debit", "credit")
        on_balance_sheet = row["account_type"] in ("asset", "liability", "equity")
        assert row["statement"] == ("balance_sheet" if on_balance_sheet else "income_statement")
        if row["parent_account_id"]:
            assert by_number[row["parent_account_id"]]["is_posting"] == "N"
        else:
            assert row["is_posting"] == "N"
    assert by_number["1590"]["normal_balance"] == "credit"
    posting = {int(number) for number, row in by_number.items() if row["is_posting"] == "Y"}
    used = {number for (number,) in books.sql("select distinct account_id from journal_line").fetchall()}
    assert posting - used == {6500}  # store remodelling is budgeted and never happens
    assert used <= posting


def test_departments_are_those_of_the_products_and_unknown(books: duckdb.DuckDBPyConnection) -> None:
    strangers = """select distinct department from journal_line where department is not null
                   except select department from public_products"""
    assert books.sql(strangers).fetchall() == [("UNKNOWN",)]
    missing = (
        "select count(*) from journal_line where (department is null) = (journal_type in ('sales', 'cost_of_goods'))"
    )
    assert books.sql(missing).fetchall() == [(0,)]


def test_the_retailer_is_plausible(books: duckdb.DuckDBPyConnection) -> None:
    cash = """select min(standing) from (select sum(sum(debit - credit)) over (order by posting_date) as standing
              from journal_line where account_id = 1000 group by posting_date)"""
    assert books.sql(cash).fetchall()[0][0] > 100_000
    (profit,) = books.sql("select sum(credit - debit) from journal_line where account_id >= 4000").fetchall()[0]
    assert Decimal("0.01") < profit / Decimal("4596039.58") < Decimal("0.03")
    inventory = """select min(standing) from (select sum(sum(debit - credit)) over (order by posting_date) as standing
                   from journal_line where account_id = 1200 group by posting_date)"""
    assert books.sql(inventory).fetchall()[0][0] > 200_000


def test_income_tax_is_a_quarter_of_the_profit_known_at_the_year_end(books: duckdb.DuckDBPyConnection) -> None:
    query = """select sum(credit - debit) filter (account_id < 8000 and entry_date <= '2017-12-31'),
                   sum(debit - credit) filter (account_id = 8000)
               from journal_line where account_id >= 4000"""
    profit, tax = books.sql(query).fetchall()[0]
    assert abs(profit / 4 - tax) < Decimal("0.01")


def test_the_mailing_is_85_cents_a_household_of_campaigns_that_start_in_the_year(
    books: duckdb.DuckDBPyConnection,
) -> None:
    posted = "select posting_date, sum(debit) from journal_line where account_id = 6400 group by all order by all"
    expected = """select cast(start_date as date), cast(count(*) * 0.85 as decimal(14,2)) from public_campaigns
                  join public_campaign_descriptions using (campaign_id) where start_date >= '2017-01-01'
                  group by all order by all"""
    assert books.sql(posted).fetchall() == books.sql(expected).fetchall()


def test_invoices_are_paid_after_thirty_days(books: duckdb.DuckDBPyConnection) -> None:
    unpaid = """select posting_date + 30 as due, sum(credit) from journal_line where account_id = 2000 and credit > 0
                    and journal_type in ('purchase', 'mailing') and posting_date + 30 <= '2017-12-31' group by all"""
    paid = """select posting_date as due, sum(debit) from journal_line where account_id = 2000 and debit > 0
                  and description not like '%deliveries of 2016' group by all"""
    assert sorted(books.sql(unpaid).fetchall()) == sorted(books.sql(paid).fetchall())
    carried = (
        """select sum(debit) from journal_line where account_id = 2000 and description like '%deliveries of 2016'"""
    )
    opening = "select sum(credit) from journal_line where account_id = 2000 and journal_type = 'opening'"
    assert books.sql(carried).fetchall() == books.sql(opening).fetchall()


def test_texts_need_windows_1252_and_survive_it(landed: Landed) -> None:
    rows = [row for file in landed.erp("journal_lines").values() for row in file]
    texts = {row["description"] for row in rows}
    assert {
        "Delivery Müller & Söhne Großhandel",
        "Delivery L’Épicerie Dubois",
        "Delivery Peñasco Fuels; Terminal 4",
        "Till sales 2017-01-01 – GROCERY",
    } <= texts
    raw = b"".join(landed.under("erp/journal_lines").values())
    assert b"M\xfcller & S\xf6hne Gro\xdfhandel" in raw
    assert b"L\x92\xc9picerie" in raw  # Latin-1 has no such apostrophe
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
    assert raw.count(b"\n") == raw.count(b"\r\n")


def test_budgets_are_a_plan_with_gaps_on_both_sides(landed: Landed, books: duckdb.DuckDBPyConnection) -> None:
    versions = {rows[0]["version"]: rows for rows in landed.erp("budgets").values()}
    assert set(versions) == {"original", "revised"}
    periods = {f"2017-{month:02}" for month in range(1, 13)}
    actual = {
        (department, str(account))
        for department, account in books.sql(
            "select distinct department, account_id from journal_line where account_id >= 4000"
        ).fetchall()
    }
    for version, rows in versions.items():
        assert {row["version"] for row in rows} == {version}
        assert {row["fiscal_period"] for row in rows} == periods
        cells = [(row["fiscal_period"], row["department"], row["account_id"]) for row in rows]
        assert len(set(cells)) == len(cells)
        assert all(money(row["amount"]) > 0 for row in rows)
        counted = {(row["department"], row["account_id"]) for row in rows if row["units"]}
        everywhere = {(row["department"], "4000") for row in rows if row["department"]}
        assert counted == everywhere - {("FUEL", "4000"), ("MISCELLANEOUS", "4000")}
        assert all(0.5 < money(row["amount"]) / int(row["units"]) < 15 for row in rows if row["units"])
        planned = {(row["department"] or None, row["account_id"]) for row in rows}
        assert planned - actual == {
            ("HOUSEWARES", "4000"), ("HOUSEWARES", "4100"), ("HOUSEWARES", "5000"), (None, "6500")
        }  # fmt: skip
        assert {("UNKNOWN", "4000"), ("AUTOMOTIVE", "4000"), (None, "6600")} <= actual - planned
        net = sum(money(row["amount"]) * {"4000": 1, "4100": -1, "4200": -1}.get(row["account_id"], 0) for row in rows)
        assert 0.9 < net / Decimal("4596039.58") < 1.1
        assert net != Decimal("4596039.58")
    first_half = [
        [list(row.values())[1:] for row in rows if row["fiscal_period"] < "2017-07"] for rows in versions.values()
    ]
    assert first_half[0] == first_half[1]
    assert versions["original"][-1]["amount"] != versions["revised"][-1]["amount"]


# ---------- the rules on rows worked out by hand


def test_a_sale_posts_what_was_paid_refunded_and_given_up() -> None:
    amounts = {"cash": 950, "coupons": 50, "discounts": 200, "match": 25}
    journal = post("sale", date(2017, 1, 2), amounts, number=3, department="DELI")
    assert journal.journal_id == "SAL-170102-03"
    assert [(line.account, line.cents) for line in journal.lines] == [
        (1000, 950), (4000, -1225), (1100, 50), (4100, 200), (4200, 25)
    ]  # fmt: skip


def test_a_day_on_which_more_is_refunded_than_paid_credits_cash() -> None:
    day = (date(2017, 1, 2), "UNKNOWN")
    (journal,) = sales({day: Takings(sales=100, discounts=0, coupons=350, match=0)})
    assert [(line.account, line.cents) for line in journal.lines] == [(1000, -250), (4000, -100), (1100, 350)]


def test_an_amount_that_no_rule_posts_is_refused() -> None:
    with pytest.raises(ValueError, match="rent takes the amounts"):
        post("rent", date(2017, 1, 1), {"rent": 1, "tip": 1})


@pytest.mark.parametrize(
    ("department", "net_sales", "cost"),
    [("GROCERY", 10_000, 7_400), ("FUEL", 1, 1), ("DELI", 1, 1), ("DELI", 0, 0), ("TOYS", 10, 8), ("PASTRY", 333, 183)],
)
def test_cost_is_the_departments_rate_of_net_sales_to_the_nearest_cent(
    department: str, net_sales: int, cost: int
) -> None:
    assert cost_of(department, net_sales) == cost


def test_a_sale_under_the_wrong_department_is_taken_back_and_posted_right() -> None:
    right = list(sales({WRONG_DAY: Takings(sales=100, discounts=0, coupons=0, match=0)}))
    found = corrected(right)
    assert [(journal.department, journal.entry_date.day, journal.reverses) for journal in found] == [
        ("DELI", 8, None), ("DELI", 12, "SAL-170708-91"), ("PASTRY", 12, None)
    ]  # fmt: skip
