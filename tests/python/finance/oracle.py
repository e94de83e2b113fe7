"""The finance mart by another route: from the landed files, in integer cents, with no SQL of the project's.

The files are read by DuckDB and Python; the tills are summed by DuckDB; everything else is loops over journal lines.
The layout of the statements is written down here once more, account by account.
"""

from __future__ import annotations

import calendar
import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

Key = tuple[Any, ...]
Rows = dict[Key, dict[str, Any]]

SALES, DISCOUNTS, MATCH, GOODS = {4000}, {4100}, {4200}, {5000}
NET_SALES = SALES | DISCOUNTS | MATCH
COSTS = {6000, 6100, 6200, 6300, 6400, 6500, 6600}
INCOME = NET_SALES | GOODS | COSTS | {7000, 8000}
INCOME_STATEMENT = {
    "gross_sales": SALES, "loyalty_discounts": DISCOUNTS, "coupon_match": MATCH, "net_sales": NET_SALES,
    "cost_of_goods_sold": GOODS, "gross_profit": NET_SALES | GOODS, "payroll": {6000}, "rent": {6100},
    "utilities": {6200}, "depreciation": {6300}, "campaign_mailing": {6400}, "remodelling_and_repairs": {6500, 6600},
    "operating_expenses": COSTS, "operating_income": NET_SALES | GOODS | COSTS, "interest_expense": {7000},
    "income_before_tax": INCOME - {8000}, "income_tax": {8000}, "net_income": INCOME,
}  # fmt: skip
CURRENT_ASSETS, FIXED_ASSETS, CURRENT_DEBTS = {1000, 1100, 1200}, {1500, 1590}, {2000, 2100, 2200}
EQUITY = {3000, 3100} | INCOME
ASSET_LINES = {
    "cash": {1000}, "coupons_receivable": {1100}, "inventory": {1200}, "current_assets": CURRENT_ASSETS,
    "property_and_equipment": {1500}, "accumulated_depreciation": {1590}, "fixed_assets": FIXED_ASSETS,
    "total_assets": CURRENT_ASSETS | FIXED_ASSETS,
}  # fmt: skip
CLAIM_LINES = {
    "accounts_payable": {2000}, "accrued_payroll": {2100}, "income_tax_payable": {2200},
    "current_liabilities": CURRENT_DEBTS, "long_term_debt": {2500}, "total_liabilities": CURRENT_DEBTS | {2500},
    "share_capital": {3000}, "retained_earnings": {3100}, "unappropriated_earnings": INCOME, "total_equity": EQUITY,
    "total_liabilities_and_equity": CURRENT_DEBTS | {2500} | EQUITY,
}  # fmt: skip
OPERATING = INCOME | {1100, 1200, 1590} | CURRENT_DEBTS
CASH_FLOW = {
    "net_income": INCOME, "depreciation": {1590}, "change_in_receivables": {1100}, "change_in_inventory": {1200},
    "change_in_payables": {2000}, "change_in_accrued_payroll": {2100}, "change_in_tax_payable": {2200},
    "operating_cash_flow": OPERATING, "equipment_purchases": {1500}, "investing_cash_flow": {1500}, "debt": {2500},
    "share_capital": {3000}, "distributions": {3100}, "financing_cash_flow": {2500, 3000, 3100},
    "net_change_in_cash": OPERATING | {1500, 2500, 3000, 3100},
}  # fmt: skip
FLOOR = 500_00  # a smaller budget has no rate
TILL = ("gross_sales", "loyalty_discount", "coupon_match", "net_sales", "manufacturer_coupon", "customer_paid")
TILL_SQL = """
    with product as (from read_parquet('{folder}/pos/products/*.parquet')),
    first_version as (
        select product_id, min_by(department, extract_date) as department,
            min_by(product_category, extract_date) as category
        from product group by product_id
    ),
    sale as (
        select *, cast(transaction_timestamp at time zone 'America/New_York' as date) as business_date
        from read_csv('{folder}/pos/transactions/*.csv.gz', types = {{'sales_value': 'decimal(12,2)',
            'retail_disc': 'decimal(12,2)', 'coupon_disc': 'decimal(12,2)', 'coupon_match_disc': 'decimal(12,2)',
            'transaction_timestamp': 'timestamptz'}})
    ),
    classified as (
        select sale.*, coalesce(version.department, first_version.department, 'UNKNOWN') as department,
            coalesce(version.product_category, first_version.category, '') as category,
            coalesce(first_version.product_id, 0) as item
        from sale
        asof left join product version
            on sale.product_id = version.product_id and sale.business_date >= version.extract_date
        left join first_version on sale.product_id = first_version.product_id
    )
    select {key}, department,
        cast(100 * sum(sales_value + retail_disc + coupon_match_disc) as bigint),
        cast(100 * sum(retail_disc) as bigint), cast(100 * sum(coupon_match_disc) as bigint),
        cast(100 * sum(sales_value) as bigint), cast(100 * sum(coupon_disc) as bigint),
        cast(100 * sum(sales_value - coupon_disc) as bigint),
        cast(coalesce(sum(quantity) filter (where department not in ('UNKNOWN', 'COUPON', 'FUEL')
            and category <> 'COUPON/MISC ITEMS'), 0) as bigint)
    from classified group by {key}, department
"""
BY_LINE = "business_date, product_id, item, store_id, household_id"
BY_PRODUCT = "strftime(business_date, '%Y-%m'), item"


def money(cents: int | None) -> Decimal | None:
    """US dollars of cents."""
    return None if cents is None else Decimal(cents) / 100


def rounded(number: Decimal | None, places: int = 6) -> Decimal | None:
    """A number to some places, halves away from zero."""
    return None if number is None else number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def ratio(numerator: int | None, denominator: int | None) -> Decimal | None:
    """A share, unrounded; None if either is missing or the denominator is 0."""
    if numerator is None or not denominator:
        return None
    with localcontext() as context:
        context.prec = 50
        return Decimal(numerator) / Decimal(denominator)


def whole(number: Fraction) -> int:
    """A number without decimals, halves away from zero."""
    return int(abs(number) + Fraction(1, 2)) * (1 if number > 0 else -1)


def _sum(numbers: Iterable[Any]) -> Any:
    """A sum that is unknown if a part is."""
    parts = list(numbers)
    return None if None in parts else sum(parts)


def _three(cents: Iterable[int | None]) -> dict[str, Any]:
    """The columns of cash with sales as forecast, low and high."""
    names = ("cash_amount", "cash_if_sales_low_amount", "cash_if_sales_high_amount")
    return {name: money(one) for name, one in zip(names, cents, strict=True)}


def _months_later(day: date, months: int) -> date:
    """The same day of a later month; a month's last day stays the last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, month + 1, length if is_last else min(day.day, length))


def effect(gain: int | None) -> str:
    """What a variance does to profit."""
    if gain is None:
        return "not yet posted"
    return "on budget" if gain == 0 else "favourable" if gain > 0 else "unfavourable"


@dataclass(frozen=True)
class Line:
    """A journal line; cents are debits less credits."""

    journal: str
    kind: str
    posted: date
    entered: date
    period: str
    account: int
    department: str | None
    cents: int
    reverses: str | None

    @property
    def entry_period(self) -> str:
        """Period of the day on which it was entered."""
        return f"{self.entered:%Y-%m}"

    @property
    def is_late(self) -> bool:
        """Whether it was entered in a later period."""
        return self.entry_period > self.period


class Oracle:
    """What each finance mart must say, given a folder of landed files."""

    def __init__(self, folder: Path, seeds: Path) -> None:
        self.folder = folder
        self.segments: dict[
            tuple[date, int], str
        ] = {}  # by month and customer: marketing's, which has an oracle of its own
        self.forecasts: dict[
            date, tuple[Decimal | None, ...]
        ] = {}  # by Monday, of all departments, and its 80 %: the same
        self.cash_rules = list(csv.DictReader((seeds / "cash_rules.csv").open()))
        self.targets = {row["kpi_code"]: row for row in csv.DictReader((seeds / "kpi_targets.csv").open())}
        self.chart = {int(row["account_id"]): row for row in self._erp("chart_of_accounts")}
        self.posting = [account for account, row in self.chart.items() if row["is_posting"] == "Y"]
        self.lines = [
            Line(
                row["journal_id"], row["journal_type"], date.fromisoformat(row["posting_date"]),
                date.fromisoformat(row["entry_date"]), row["fiscal_period"], int(row["account_id"]),
                row["department"] or None, _cents(row["debit_amount"]) - _cents(row["credit_amount"]),
                row["reverses_journal_id"] or None,
            )
            for row in self._erp("journal_lines")
        ]  # fmt: skip
        self.budgets = {
            (row["version"], row["fiscal_period"], row["department"] or "NO DEPARTMENT", int(row["account_id"])):
                _cents(row["amount"])
            for row in self._erp("budgets")
        }  # fmt: skip
        self.budget_units = {
            (row["version"], row["fiscal_period"], row["department"]): int(row["units"])
            for row in self._erp("budgets")
            if row["units"]
        }
        self.totals = self._erp("control_totals")
        covered = {key[1] for key in self.budgets} | {line.period for line in self.lines}
        self.periods = [
            f"2017-{month:02}" for month in range(1, 13) if min(covered) <= f"2017-{month:02}" <= max(covered)
        ]
        self.posted = [period for period in self.periods if period <= max(line.period for line in self.lines)]
        self.exported = max(date.fromisoformat(row["exported_on"]) for row in self.totals)

    def _erp(self, prefix: str) -> list[dict[str, str]]:
        files = sorted((self.folder / "erp" / prefix).glob("*.csv"))
        text = (file.read_bytes().decode("cp1252") for file in files)
        return [row for part in text for row in csv.DictReader(io.StringIO(part, newline=""), delimiter=";")]

    @cached_property
    def tills(self) -> dict[tuple[date, str], tuple[int, ...]]:
        """Cents by day and department, in the order of `TILL`, and the units."""
        found = self._sum_tills("business_date")
        return {(day, department): tuple(rest) for day, department, *rest in found}

    @cached_property
    def products(self) -> dict[tuple[str, str], dict[int, tuple[int, int]]]:
        """Cents and units of each product, by period and department."""
        found: dict[tuple[str, str], dict[int, tuple[int, int]]] = defaultdict(dict)
        for period, product, department, *sums in self._sum_tills(BY_PRODUCT):
            found[period, department][product] = sums[3], sums[6]
        return found

    def _sum_tills(self, key: str) -> list[Any]:
        sql = TILL_SQL.format(folder=self.folder, key=key)
        return duckdb.connect(config={"threads": 2}).execute(sql).fetchall()

    def closes(self, period: str) -> date:
        """The 10th of the month after."""
        end = self.end(period)
        return end + timedelta(days=10)

    def end(self, period: str) -> date:
        """The last day of a period."""
        year, month = int(period[:4]), int(period[5:])
        return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)

    def status(self, period: str) -> str:
        """closed, open or not yet posted."""
        if period not in self.posted:
            return "not yet posted"
        return "closed" if self.closes(period) <= self.exported else "open"

    def sum(self, accounts: Iterable[int], where: Callable[[Line], bool]) -> int:
        """Debits less credits of some accounts' lines."""
        chosen = set(accounts)
        return sum(line.cents for line in self.lines if line.account in chosen and where(line))

    @cached_property
    def _moved(self) -> dict[tuple[str, int], int]:
        moved: dict[tuple[str, int], int] = defaultdict(int)
        for line in self.lines:
            if line.kind != "opening":
                moved[line.period, line.account] += line.cents
        return moved

    @cached_property
    def _opened(self) -> dict[int, int]:
        opened: dict[int, int] = defaultdict(int)
        for line in self.lines:
            if line.kind == "opening":
                opened[line.account] += line.cents
        return opened

    def moved(self, period: str, accounts: Iterable[int]) -> int | None:
        """Movement of accounts in a period, debits less credits; None if not posted."""
        return sum(self._moved[period, one] for one in accounts) if period in self.posted else None

    def closing(self, period: str, accounts: Iterable[int]) -> int | None:
        """Closing balance of accounts, debits less credits; None if not posted."""
        if period not in self.posted:
            return None
        return sum(
            self._opened[one] + sum(self._moved[at, one] for at in self.periods if at <= period) for one in accounts
        )

    def opening(self, period: str, accounts: Iterable[int]) -> int | None:
        """Opening balance of accounts, debits less credits; None if not posted."""
        chosen = set(accounts)
        closing, moved = self.closing(period, chosen), self.moved(period, chosen)
        return None if closing is None or moved is None else closing - moved

    def late(self, period: str, accounts: Iterable[int], sign: int = 1) -> int | None:
        """What of a period was entered later."""
        return (
            sign * self.sum(accounts, lambda line: line.period == period and line.is_late)
            if period in self.posted
            else None
        )

    def arrived(self, period: str, accounts: Iterable[int], sign: int = 1) -> int | None:
        """What was entered in a period for earlier ones."""
        if period not in self.posted:
            return None
        return sign * self.sum(accounts, lambda line: line.entry_period == period and line.is_late)

    def in_force(self, period: str) -> str | None:
        """The newest budget version of a period."""
        versions = {version for version, at, *_ in self.budgets if at == period}
        return "revised" if "revised" in versions else "original" if versions else None

    def budget(self, version: str | None, period: str, accounts: Iterable[int]) -> int | None:
        """Budget as a contribution to profit."""
        chosen = set(accounts)
        if version is None:
            return None
        return sum(
            cents if account in SALES else -cents
            for (its, at, _, account), cents in self.budgets.items()
            if its == version and at == period and account in chosen
        )

    def before(self, period: str) -> str | None:
        """The period before."""
        place = self.periods.index(period)
        return self.periods[place - 1] if place else None

    def so_far(self, period: str) -> list[str]:
        """The year's periods up to this one."""
        return [at for at in self.periods if at <= period and at[:4] == period[:4]]

    def profit(self, period: str | None, accounts: Iterable[int]) -> int | None:
        """Movement as a contribution to profit."""
        moved = None if period is None else self.moved(period, accounts)
        return None if moved is None else -moved

    def income_statement(self) -> Rows:
        rows: Rows = {}
        for period in self.periods:
            version = self.in_force(period)
            for code, accounts in INCOME_STATEMENT.items():
                actual, budget = self.profit(period, accounts), self.budget(version, period, accounts)
                before = self.profit(self.before(period), accounts)
                year = None if actual is None else sum(self.profit(at, accounts) or 0 for at in self.so_far(period))
                plan = sum(self.budget(self.in_force(at), at, accounts) or 0 for at in self.so_far(period))
                variance = None if actual is None or budget is None else actual - budget
                smallest: float = FLOOR
                if len(accounts) > 1 and code != "remodelling_and_repairs":  # a subtotal
                    smallest = max(FLOOR, abs(self.budget(version, period, NET_SALES) or 0) / 100)
                has_rate = budget is not None and abs(budget) >= smallest
                rows[period, code] = {
                    "period_status": self.status(period),
                    "budget_version": version,
                    "actual_amount": money(actual),
                    "budget_amount": money(budget),
                    "variance_amount": money(variance),
                    "variance_rate": rounded(ratio(variance, abs(budget or 0))) if has_rate else None,
                    "variance_effect": effect(variance),
                    "prior_period_amount": money(before),
                    "prior_period_change_amount": money(None if None in (actual, before) else actual - before),  # type: ignore[operator]
                    "year_to_date_amount": money(year),
                    "year_to_date_budget_amount": money(plan),
                    "year_to_date_variance_amount": money(None if year is None else year - plan),
                    "net_sales_rate": rounded(ratio(actual, self.profit(period, NET_SALES))),
                    "late_entry_amount": money(self.late(period, accounts, -1)),
                    "late_arrival_amount": money(self.arrived(period, accounts, -1)),
                }
        return rows

    def balance_sheet(self) -> Rows:
        rows: Rows = {}
        for period in self.periods:
            total = self.closing(period, ASSET_LINES["total_assets"])
            for sign, lines in ((1, ASSET_LINES), (-1, CLAIM_LINES)):
                for code, accounts in lines.items():
                    opening, closing = self.opening(period, accounts), self.closing(period, accounts)
                    signed = None if opening is None or closing is None else (sign * opening, sign * closing)
                    rows[period, code] = {
                        "period_status": self.status(period),
                        "period_end_date": self.end(period),
                        "opening_amount": money(signed and signed[0]),
                        "closing_amount": money(signed and signed[1]),
                        "change_amount": money(signed and signed[1] - signed[0]),
                        "total_assets_rate": rounded(ratio(signed and signed[1], total)),
                        "late_entry_amount": money(self.late(period, accounts, sign)),
                    }
        return rows

    def cash_flow_statement(self) -> Rows:
        rows: Rows = {}
        for period in self.periods:
            flows = {code: self.profit(period, accounts) for code, accounts in CASH_FLOW.items()}
            flows["change_in_cash_accounts"] = self.moved(period, {1000})
            flows["opening_cash"], flows["closing_cash"] = self.opening(period, {1000}), self.closing(period, {1000})
            for code, flow in flows.items():
                rows[period, code] = {"period_status": self.status(period), "cash_flow_amount": money(flow)}
        for (period, code), row in rows.items():
            earlier, year = self.before(period), self.so_far(period)
            row["prior_period_amount"] = rows[earlier, code]["cash_flow_amount"] if earlier else None
            amounts = [rows[at, code]["cash_flow_amount"] for at in year]
            if amounts[-1] is None:
                row["year_to_date_amount"] = None
            else:
                row["year_to_date_amount"] = {"opening_cash": amounts[0], "closing_cash": amounts[-1]}.get(
                    code, sum(amounts)
                )
        return rows

    @cached_property
    def _actuals(self) -> dict[tuple[str, str, int], int]:
        """In the account's normal direction, by period, department and account."""
        actuals: dict[tuple[str, str, int], int] = defaultdict(int)
        for line in self.lines:
            if line.account in INCOME:
                sign = -1 if line.account in SALES else 1
                actuals[line.period, line.department or "NO DEPARTMENT", line.account] += sign * line.cents
        return dict(actuals)

    def budget_vs_actual(self) -> Rows:
        rows: Rows = {}
        cells = {key[2:] for key in self.budgets} | {key[1:] for key in self._actuals}
        for version in {key[0] for key in self.budgets}:
            for department, account in cells:
                budgets = [self.budgets.get((version, period, department, account), 0) for period in self.periods]
                actuals = [
                    self._actuals.get((period, department, account), 0) if period in self.posted else None
                    for period in self.periods
                ]
                outlook = sum(plan if real is None else real for plan, real in zip(budgets, actuals, strict=True))
                for place, period in enumerate(self.periods):
                    plan, real = budgets[place], actuals[place]
                    up = 1 if account in SALES else -1  # less cost is more profit
                    variance = None if real is None else up * (real - plan)
                    plans = sum(budgets[: place + 1])
                    reals = None if real is None else sum(one or 0 for one in actuals[: place + 1])
                    has = (
                        (version, period, department, account) in self.budgets,
                        (period, department, account) in self._actuals,
                    )
                    rows[version, period, department, account] = {
                        "account_name": self.chart[account]["account_name"],
                        "account_type": self.chart[account]["account_type"],
                        "period_status": self.status(period),
                        "coverage": {
                            (True, True): "budget and actual", (True, False): "budget only",
                            (False, True): "actual only", (False, False): "neither",
                        }[has],
                        "budget_amount": money(plan),
                        "actual_amount": money(real),
                        "variance_amount": money(variance),
                        "variance_rate": rounded(ratio(variance, abs(plan))) if abs(plan) >= FLOOR else None,
                        "variance_effect": effect(variance),
                        "year_to_date_budget_amount": money(plans),
                        "year_to_date_actual_amount": money(reals),
                        "year_to_date_variance_amount": money(None if reals is None else up * (reals - plans)),
                        "full_year_budget_amount": money(sum(budgets)),
                        "full_year_outlook_amount": money(outlook),
                        "full_year_variance_amount": money(up * (outlook - sum(budgets))),
                    }  # fmt: skip
        return rows

    def general_ledger(self) -> Rows:
        rows: Rows = {}
        for period in self.periods:
            is_posted = period in self.posted
            for account in self.posting:
                own = [line for line in self.lines if line.account == account and line.period == period]
                moving = [line for line in own if line.kind != "opening"]
                rows[period, account] = {
                    "account_name": self.chart[account]["account_name"],
                    "account_path": self._path(account),
                    "account_type": self.chart[account]["account_type"],
                    "statement_name": self.chart[account]["statement"],
                    "period_status": self.status(period),
                    "opening_amount": money(self.opening(period, {account})),
                    "debit_amount": money(sum(max(line.cents, 0) for line in moving) if is_posted else None),
                    "credit_amount": money(sum(max(-line.cents, 0) for line in moving) if is_posted else None),
                    "movement_amount": money(self.moved(period, {account})),
                    "closing_amount": money(self.closing(period, {account})),
                    "late_entry_amount": money(self.late(period, {account})),
                    "closed_period_entry_amount": money(
                        sum(line.cents for line in own if line.entered > self.closes(period)) if is_posted else None
                    ),
                    "reversal_amount": money(sum(line.cents for line in own if line.reverses) if is_posted else None),
                    "late_arrival_amount": money(self.arrived(period, {account})),
                }
        return rows

    def _path(self, account: int) -> str:
        row = self.chart[account]
        parent = row["parent_account_id"]
        return (f"{self._path(int(parent))} > " if parent else "") + row["account_name"]

    def ledger_control_totals(self) -> Rows:
        stated: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
        for row in self.totals:
            key = row["fiscal_period"], int(row["account_id"])
            stated[key].append((row["exported_on"], _cents(row["closing_balance"])))
        rows: Rows = {}
        for period in self.periods:
            for account in self.posting:
                ours, theirs = self.closing(period, {account}), sorted(stated[period, account])
                newest, first = (theirs[-1][1], theirs[0][1]) if theirs else (None, None)
                rows[period, account] = {
                    "period_status": self.status(period),
                    "exported_on": date.fromisoformat(theirs[-1][0]) if theirs else None,
                    "closing_amount": money(ours),
                    "erp_closing_amount": money(newest),
                    "difference_amount": money((ours or 0) - (newest or 0)),
                    "new_difference_amount": Decimal(0),
                    "first_erp_closing_amount": money(first),
                    "restated_amount": money(None if newest is None or first is None else newest - first),
                    "status": "not yet posted" if ours is None else "tied",
                }
        return rows

    def sales_ledger_reconciliation(self) -> Rows:
        by_day: dict[tuple[date, str], list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.account in NET_SALES or (line.kind == "sales" and line.account in (1000, 1100)):
                by_day[line.posted, line.department or "NO DEPARTMENT"].append(line)
        reversed_journals = {line.reverses for line in self.lines}
        rows: Rows = {}
        for key in set(by_day) | set(self.tills):
            lines, till = by_day.get(key, []), self.tills.get(key, (0,) * 7)[:6]
            period = f"{key[0]:%Y-%m}"

            parts = ((SALES, -1), (DISCOUNTS, 1), (MATCH, 1), (NET_SALES, -1), ({1100}, 1), ({1000}, 1))
            ledger = [_total(lines, accounts, sign) for accounts, sign in parts]
            in_time = sum(-line.cents for line in lines if line.account in NET_SALES and not line.is_late)
            off = sum(
                abs(one - other) for place, (one, other) in enumerate(zip(ledger, till, strict=True)) if place != 3
            )
            journals = {line.journal for line in lines if not line.reverses and line.journal not in reversed_journals}
            if self.status(period) == "not yet posted":
                reason = status = "not yet posted"
            elif off == 0:
                late = any(line.is_late and not line.reverses for line in lines)
                reason = "late entry" if late else "reversal" if any(line.reverses for line in lines) else "none"
                status = "tied"
            else:
                status = "explained"
                reason = "not yet posted" if not lines else "posted twice"
            rows[key] = {
                "fiscal_period": period,
                "period_status": self.status(period),
                **{f"till_{name}_amount": money(cents) for name, cents in zip(TILL, till, strict=True)},
                **{f"ledger_{name}_amount": money(cents) for name, cents in zip(TILL, ledger, strict=True)},
                "difference_amount": money(ledger[3] - till[3]),
                "absolute_difference_amount": money(off),
                "period_end_difference_amount": money(in_time - till[3]),
                "journals_count": len(journals),
                "reason": reason,
                "status": status,
            }
        return rows

    @cached_property
    def _split(self) -> dict[tuple[str, str], dict[int, dict[str, Any]]]:
        """By period, department and product, what price, mix and volume did against the period before, in cents."""
        return {
            (period, department): _price_mix_volume(
                self.products.get((period, department), {}),
                self.products.get((self.before(period) or "", department), {}),
            )
            for period in self.posted[1:]
            for department in {department for _, department in self.products}
        }

    def product_sales_variance(self) -> Rows:
        return {
            ("prior period", period, department, item): {
                "base_fiscal_period": self.before(period),
                "product_status": row["status"],
                "units_count": row["units"],
                "base_units_count": row["old_units"],
                "net_sales_amount": money(row["cents"]),
                "base_net_sales_amount": money(row["old_cents"]),
                "variance_amount": money(row["cents"] - row["old_cents"]),
                "unit_price_amount": rounded(ratio(row["cents"], 100 * row["units"]), 4),
                "base_unit_price_amount": rounded(ratio(row["old_cents"], 100 * row["old_units"]), 4),
                "price_effect_amount": money(row.get("price")),
                "price_at_base_units_amount": money(row.get("then")),
                "mix_effect_amount": money(row.get("mix")),
                "volume_effect_amount": money(row.get("volume")),
                "unsplit_amount": None if "price" in row else money(row["cents"] - row["old_cents"]),
            }
            for (period, department), items in self._split.items()
            for item, row in items.items()
        }

    def sales_variance(self) -> Rows:
        sold: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for (day, department), till in self.tills.items():
            sold[f"{day:%Y-%m}", department][0] += till[3]
            sold[f"{day:%Y-%m}", department][1] += till[6]

        def net(found: dict[Any, int], *key: str) -> int:
            return sum(found.get((*key, one), 0) * (1 if one in SALES else -1) for one in NET_SALES)

        posted = {key[1] for key in self._actuals if key[2] in NET_SALES}
        planned = {key[2] for key in self.budgets if key[3] in NET_SALES}
        rows: Rows = {}
        for period in self.posted[1:]:
            before = self.before(period) or ""
            parts = {}
            for department in posted:
                own = list(self._split.get((period, department), {}).values())
                split = [row for row in own if "price" in row]
                part: dict[str, Any] = {
                    name: sum(row[name] for row in split) if split else None
                    for name in ("price", "then", "mix", "volume")
                }
                part["base units"] = sum(row["old_units"] for row in own) if own else None
                part["units of"] = [sum(row[name] for row in split) for name in ("units", "old_units", "old_cents")]
                part["matched"] = sum(row["cents"] for row in split if row["status"] == "in both") if own else None
                part["money"] = net(self._actuals, period, department), net(self._actuals, before, department)
                parts[department] = part
            rows |= self._varied("prior period", period, before, parts, sold)
        for version in {key[0] for key in self.budgets}:
            for period in self.periods:
                parts = {}
                for department in posted | planned:
                    real = net(self._actuals, period, department) if period in self.posted else None
                    plan = net(self.budgets, version, period, department)
                    base = self.budget_units.get((version, period, department))
                    cents, units = sold[period, department]
                    part = {"money": (real, plan), "base units": base, "units of": [0, 0, 0]}
                    if real is not None and base and (units > 0 or not cents):
                        part["units of"] = [units, base, plan]
                        part["volume"] = whole(Fraction(plan * (units - base), base))
                        part["price"] = cents - plan - part["volume"]
                    parts[department] = part
                rows |= self._varied(f"budget {version}", period, period, parts, sold)
        return rows

    def _varied(
        self, comparison: str, period: str, base: str, parts: dict[str, dict[str, Any]], sold: dict[Any, list[int]]
    ) -> Rows:
        """The rows of one comparison and period."""
        units, old_units = (sum(part["units of"][place] for part in parts.values()) for place in (0, 1))
        rows: Rows = {}
        for department, part in parts.items():
            real, plan = part["money"]
            variance = None if real is None else real - plan
            volume = part.get("volume")
            shared = Fraction(part["units of"][2] * (units - old_units), old_units) if old_units else Fraction(0)
            split = [part[name] for name in ("price", "mix", "volume") if part.get(name) is not None]
            by = "product" if comparison == "prior period" else "department"
            matched = part.get("matched")
            rows[comparison, period, department] = {
                "base_fiscal_period": base,
                "period_status": self.status(period),
                "actual_net_sales_amount": money(real),
                "base_net_sales_amount": money(plan),
                "variance_amount": money(variance),
                "variance_effect": "no difference" if variance == 0 else effect(variance),
                "units_count": sold[period, department][1],
                "base_units_count": part["base units"],
                "split_by": "not yet posted" if variance is None else by if split else "not split",
                "price_effect_amount": money(part.get("price")),
                "price_at_base_units_amount": money(part.get("then")),
                "mix_effect_amount": money(part.get("mix")),
                "volume_effect_amount": money(volume),
                "department_mix_amount": money(None if volume is None else whole(volume - shared)),
                "unsplit_amount": money(None if variance is None else variance - sum(split)),
                "matched_sales_rate": rounded(ratio(matched, sold[period, department][0]), 8),
            }
        return rows

    def gross_margin(self) -> Rows:
        """Each line bears its part of what its department's goods cost on its day."""
        day_costs: dict[tuple[date, str], int] = defaultdict(int)
        for line in self.lines:
            if line.account in GOODS:
                day_costs[line.posted, line.department or "NO DEPARTMENT"] += line.cents
        campaigns = self._campaigns()
        spans = {day: (day.replace(day=1), min(self.end(f"{day:%Y-%m}"), self.last_day)) for day, _ in self.tills}
        cells: dict[Key, dict[tuple[date, str], int]] = defaultdict(lambda: defaultdict(int))
        for day, product, item, store, customer, department, *sums in self._sum_tills(BY_LINE):
            span, at = spans[day], (day, department)
            segment = self.segments.get((span[0], customer), "NO SEGMENT")
            for breakdown, member in (("department", department), ("product", item), ("store", store),
                                      ("customer", customer), ("segment", segment)):  # fmt: skip
                cells[(breakdown, str(member), *span)][at] += sums[3]
            for campaign, opens, closes, promoted in campaigns[customer]:
                if opens <= day <= closes and product in promoted:
                    cells["campaign", str(campaign), opens, closes][at] += sums[3]
        rows: Rows = {}
        for (breakdown, member, opens, closes), days in cells.items():
            costed = {at: cents for at, cents in days.items() if at in day_costs and self.tills[at][3]}
            net, goods = sum(costed.values()), None
            if costed:
                with localcontext() as context:
                    context.prec = 50
                    goods = sum(
                        (Decimal(cents * day_costs[at]) / self.tills[at][3] for at, cents in costed.items()), Decimal(0)
                    )
            margin = None if goods is None else net - goods
            rows[breakdown, member, opens] = {
                "period_end_date": closes,
                "net_sales_amount": money(sum(days.values())),
                "costed_net_sales_amount": money(net),
                "cost_of_goods_amount": rounded(None if goods is None else goods / 100),
                "gross_margin_amount": rounded(None if margin is None else margin / 100),
                "gross_margin_rate": rounded(margin / net if margin is not None and net else None),
            }
        return rows

    @cached_property
    def last_day(self) -> date:
        """The tills' last day."""
        return max(day for day, _ in self.tills)

    def _campaigns(self) -> dict[int, list[tuple[int, date, date, set[int]]]]:
        """By household, the campaigns sent to it: window, as far as the tills go, and the products promoted."""
        shop, at = duckdb.connect(), f"{self.folder}/loyalty"
        sent = shop.execute(f"select distinct campaign_id, household_id from read_json('{at}/campaign_households/*')")
        contacts = sent.fetchall()
        promoted: dict[int, set[int]] = defaultdict(set)
        coupons = shop.execute(f"select campaign_id, product_id from read_csv('{at}/coupons/*.csv.zst')")
        for campaign, product in coupons.fetchall():
            promoted[campaign].add(product)
        first = min(day for day, _ in self.tills)
        windows = {
            campaign: (max(opens, first), min(closes, self.last_day))
            for campaign, opens, closes in shop.execute(
                f"""select campaign_id, cast(start_date as date), cast(end_date as date)
                from read_json('{at}/campaigns/*')"""
            ).fetchall()
        }
        found: dict[int, list[tuple[int, date, date, set[int]]]] = defaultdict(list)
        for campaign, household in contacts:
            if campaign in windows:
                found[household].append((campaign, *windows[campaign], promoted[campaign]))
        return found

    def cash_forecast(self) -> Rows:
        """Week by week, what is due by the books, by what came so far, and by sales to come."""
        last = max(line.posted for line in self.lines)
        due = [*self._sales_due(last), *self._repeated_due(last)]
        monday = last + timedelta(days=1) - timedelta(days=(last.weekday() + 1) % 7)
        balance: list[int | None] = [self.sum({1000}, lambda _: True)] * 3
        rows: Rows = {}
        for week in range(13):
            start = monday + timedelta(days=7 * week)
            shared = {"weeks_ahead": week + 1, "ledger_date": last}
            for rule in self.cash_rules:
                flows = [
                    cents for kind, day, cents in due if kind == rule["journal_type"] and 0 <= (day - start).days < 7
                ]
                sums = [_sum(flow[place] for flow in flows) for place in range(3)]
                balance = [_sum(pair) for pair in zip(balance, sums, strict=True)]
                rows[start, rule["journal_type"]] = shared | {"rule": rule["rule"]} | _three(sums)
            rows[start, "closing_cash"] = shared | {"rule": "sum"} | _three(balance)
        return rows

    def _sales_due(self, last: date) -> Iterable[tuple[str, date, list[int | None]]]:
        """Kind, day and cents (with sales as forecast, low and high) of what hangs on sales, and of open invoices."""
        [invoices] = [rule for rule in self.cash_rules if rule["rule"] == "invoices"]
        wait = timedelta(days=int(invoices["every_count"]))
        recent = [line for line in self.lines if (last - line.posted).days <= 90]
        sold = sum(till[3] for (day, _), till in self.tills.items() if 0 <= (last - day).days <= 90)
        paid = Fraction(sum(line.cents for line in recent if line.account == 1000 and line.kind == "sales"), sold)
        billed = Fraction(sum(min(line.cents, 0) for line in recent if line.account == 2000), sold)
        flows: dict[tuple[str, date], list[list[Fraction | None]]] = defaultdict(lambda: [[], [], []])
        for monday, sales in (self._whole_weeks() | self.forecasts).items():
            after = (monday - last).days
            shares = [
                ("sales", max(monday, last + timedelta(days=1)), paid * min(max(after + 6, 0), 7) / 7),
                ("payment", monday + timedelta(days=7) + wait, billed if after > -7 else Fraction(0)),
            ]
            for kind, day, share in shares:
                for place, one in enumerate(sales if share else ()):
                    flows[kind, day][place].append(None if one is None else Fraction(one) * 100 * share)
        for line in self.lines:
            if line.account == 2000 and line.cents < 0:
                for part in flows["payment", line.posted + wait]:
                    part.append(Fraction(line.cents))
        for (kind, day), parts in flows.items():
            if day > last:
                sums = (_sum(part) for part in parts)
                yield kind, day, [None if cents is None else whole(cents) for cents in sums]

    def _whole_weeks(self) -> dict[date, tuple[Decimal | None, ...]]:
        """Net sales of each whole week by its Monday, three times."""
        days: dict[date, int] = defaultdict(int)
        for (day, _), till in self.tills.items():
            days[day] += till[3]
        mondays = {day - timedelta(days=day.weekday()) for day in days}
        whole_weeks = (
            monday for monday in mondays if monday >= min(days) and monday + timedelta(days=6) <= self.last_day
        )
        return {
            monday: (Decimal(sum(days[monday + timedelta(days=n)] for n in range(7))) / 100,) * 3
            for monday in whole_weeks
        }

    def _repeated_due(self, last: date) -> Iterable[tuple[str, date, list[int | None]]]:
        """Kind, day and cents, three times, of what is paid again and again."""
        accounts = {"coupons_receivable": {1100}, "income_tax_payable": {2200}}
        for rule in self.cash_rules:
            if not rule["rule"].startswith("every"):
                continue
            paid: dict[date, int] = defaultdict(int)
            for line in self.lines:
                if line.account == 1000 and line.kind == rule["journal_type"]:
                    paid[line.posted] += line.cents
            days = sorted((day for day, cents in paid.items() if cents), reverse=True)[: int(rule["averaged_count"])]
            for time in range(1, 14) if days else ():
                count = int(rule["every_count"]) * time
                day = days[0] + timedelta(days=count) if rule["rule"] == "every days" else _months_later(days[0], count)
                cents = whole(Fraction(sum(paid[one] for one in days), len(days)))
                if time == 1 and rule["balance_line_code"]:
                    cents = self.sum(accounts[rule["balance_line_code"]], lambda _: True)
                if 0 < (day - last).days <= 182:
                    yield rule["journal_type"], day, [cents] * 3

    def late_entries(self) -> Rows:
        rows: Rows = {}
        for journal in {line.journal for line in self.lines if line.is_late}:
            lines = [line for line in self.lines if line.journal == journal]
            rows[(journal,)] = {
                "fiscal_period": lines[0].period,
                "entry_fiscal_period": lines[0].entry_period,
                "posting_date": lines[0].posted,
                "entry_date": lines[0].entered,
                "department": lines[0].department or "NO DEPARTMENT",
                "closes_on": self.closes(lines[0].period),
                "is_closed_period_entry": lines[0].entered > self.closes(lines[0].period),
                "reverses_journal_id": lines[0].reverses,
                "journal_amount": money(sum(max(line.cents, 0) for line in lines)),
                "profit_amount": money(-sum(line.cents for line in lines if line.account in INCOME)),
            }
        return rows

    def financial_kpis(self) -> Rows:
        rows: Rows = {}
        for period in self.periods:
            months = self.so_far(period)
            now, year = self._figures([period]), self._figures(months)
            place = self.periods.index(period)
            quarter = self._figures([self.periods[at] if at >= 0 else "" for at in range(place - 2, place + 1)])
            before = self._figures([self.before(period) or ""])
            for code in now:
                target, watch = (Decimal(self.targets[code][name]) for name in ("target_value", "watch_value"))
                judged_on = self.targets[code]["judged_on"]
                judged = rounded({"period": now, "trailing quarter": quarter, "year to date": year}[judged_on][code])
                rows[period, code] = {
                    "period_status": self.status(period),
                    "target_value": target,
                    "watch_value": watch,
                    "status": self._judged(period, judged, target, watch),
                    "judged_on": judged_on,
                    "judged_value": judged,
                    "trailing_quarter_value": rounded(quarter[code]),
                    "kpi_value": rounded(now[code]),
                    "prior_period_value": rounded(before[code]),
                    "year_to_date_value": rounded(year[code]),
                }
        return rows

    def _judged(self, period: str, value: Decimal | None, target: Decimal, watch: Decimal) -> str:
        if period not in self.posted:
            return "not yet posted"
        if value is None:
            return "not defined"
        up = 1 if target > watch else -1
        return "on track" if up * (value - target) >= 0 else "watch" if up * (value - watch) >= 0 else "off track"

    def _figures(self, months: list[str]) -> dict[str, Decimal | None]:
        def flow(accounts: set[int]) -> int | None:
            found = [self.profit(month, accounts) if month else None for month in months]
            return None if None in found else sum(one for one in found if one is not None)

        def stock(accounts: set[int]) -> int | None:
            return self.closing(months[-1], accounts)

        sales, net, days = flow(SALES), flow(NET_SALES), sum(self.end(month).day for month in months if month)
        given, goods = flow(DISCOUNTS | MATCH), flow(GOODS)
        current, owed, inventory = stock(CURRENT_ASSETS), stock(CURRENT_DEBTS), stock({1200})
        owed_to_suppliers, coupons, equity = stock({2000}), stock({1100}), stock(EQUITY)
        interest, margin, debt = flow({7000}), flow(NET_SALES | GOODS), stock({2500})

        def days_of(balance: int | None, of: int | None) -> Decimal | None:
            return ratio(None if balance is None else balance * days, of)

        def minus(amount: int | None) -> int | None:
            return None if amount is None else -amount

        def a_year(amount: int | None) -> Decimal | None:
            if amount is None or not inventory:
                return None
            return ratio(amount * 365, inventory * days)

        cycle = (days_of(inventory, minus(goods)), days_of(coupons, net), days_of(owed_to_suppliers, minus(goods)))
        found = {
            "days_payable": days_of(minus(owed_to_suppliers), minus(goods)),
            "cash_conversion_cycle": None
            if None in cycle
            else sum((one for one in cycle if one is not None), Decimal(0)),
            "inventory_turns": a_year(minus(goods)),
            "margin_return_on_inventory": a_year(margin),
            "debt_to_equity": ratio(debt, equity),
            "interest_cover": ratio(flow(NET_SALES | GOODS | COSTS), minus(interest)),
            "gross_margin": ratio(margin, net),
            "operating_margin": ratio(flow(NET_SALES | GOODS | COSTS), net),
            "net_margin": ratio(flow(INCOME), net),
            "cost_of_goods_rate": ratio(goods, net),
            "payroll_rate": ratio(flow({6000}), net),
            "rent_rate": ratio(flow({6100}), net),
            "operating_expense_rate": ratio(flow(COSTS), net),
            "discount_rate": ratio(given, sales),
            "working_capital": None if current is None or owed is None else Decimal(current + owed) / 100,
            "current_ratio": ratio(current, None if owed is None else -owed),
            "inventory_days": ratio(None if inventory is None else inventory * days, None if goods is None else -goods),
            "cash": money(stock({1000})),
        }
        for cost in ("cost_of_goods_rate", "payroll_rate", "rent_rate", "operating_expense_rate", "discount_rate"):
            value = found[cost]
            found[cost] = None if value is None else -value
        return found


def _price_mix_volume(now: dict[int, tuple[int, int]], then: dict[int, tuple[int, int]]) -> dict[int, dict[str, Any]]:
    """By product, from cents and units: exact fractions of cents, whose running sums are rounded."""
    both = {item: (now.get(item, (0, 0)), then.get(item, (0, 0))) for item in sorted({*now, *then})}
    priced = {item for item, sides in both.items() if all(units > 0 or cents == units == 0 for cents, units in sides)}
    units_now, units_then = (sum(both[item][side][1] for item in priced) for side in (0, 1))
    carried = {"price": Fraction(0), "volume": Fraction(0)}
    rows: dict[int, dict[str, Any]] = {}
    for item, ((cents, units), (old_cents, old_units)) in both.items():
        sells_now, sold_then = (cents, units) != (0, 0), (old_cents, old_units) != (0, 0)
        row = rows[item] = {
            "units": units, "old_units": old_units, "cents": cents, "old_cents": old_cents,
            "status": "in both" if sells_now and sold_then else "gone" if sold_then else "new",
        }  # fmt: skip
        if item not in priced or not units_then:
            continue
        is_matched = units > 0 and old_units > 0
        row["then"] = whole(Fraction(cents * old_units, units) - old_cents) if is_matched else 0
        exact = {
            "price": cents - Fraction(old_cents * units, old_units) if is_matched else Fraction(0),
            "volume": Fraction(old_cents * (units_now - units_then), units_then),
        }
        for name, change in exact.items():
            row[name] = whole(carried[name] + change) - whole(carried[name])
            carried[name] += change
        row["mix"] = cents - old_cents - row["price"] - row["volume"]
    return rows


def _total(lines: Iterable[Line], accounts: set[int], sign: int) -> int:
    return sign * sum(line.cents for line in lines if line.account in accounts)


def _cents(text: str) -> int:
    return round(Decimal(text.replace(".", "").replace(",", ".")) * 100)
