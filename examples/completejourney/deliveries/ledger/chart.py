"""The chart of accounts: headings with one or two digits, posting accounts with four."""

from __future__ import annotations

from dataclasses import dataclass

CASH, COUPONS_RECEIVABLE, INVENTORY, EQUIPMENT, DEPRECIATED = 1000, 1100, 1200, 1500, 1590
PAYABLE, ACCRUED_PAYROLL, TAX_PAYABLE, DEBT = 2000, 2100, 2200, 2500
CAPITAL, RETAINED = 3000, 3100
GROSS_SALES, LOYALTY_DISCOUNTS, COUPON_MATCH = 4000, 4100, 4200
COST_OF_GOODS = 5000
PAYROLL, RENT, UTILITIES, DEPRECIATION, MAILING, REMODELLING, REPAIRS = 6000, 6100, 6200, 6300, 6400, 6500, 6600
INTEREST, INCOME_TAX = 7000, 8000


@dataclass(frozen=True)
class Account:
    """One account.

    Attributes:
        number: account number.
        name: its name.
        parent: the heading that it rolls up to; None at the top.
        type: asset, liability, equity, revenue, contra_revenue or expense.
        is_posting: takes postings; a heading doesn't.
    """

    number: int
    name: str
    parent: int | None
    type: str
    is_posting: bool = True

    @property
    def statement(self) -> str:
        """The statement that it stands in: balance_sheet or income_statement."""
        return "balance_sheet" if self.type in ("asset", "liability", "equity") else "income_statement"

    @property
    def normal_balance(self) -> str:
        """The side on which it usually stands: debit or credit."""
        if self.number == DEPRECIATED:
            return "credit"
        return "debit" if self.type in ("asset", "contra_revenue", "expense") else "credit"


CHART = (
    Account(1, "Assets", None, "asset", is_posting=False),
    Account(10, "Current assets", 1, "asset", is_posting=False),
    Account(CASH, "Cash", 10, "asset"),
    Account(COUPONS_RECEIVABLE, "Manufacturer coupons receivable", 10, "asset"),
    Account(INVENTORY, "Merchandise inventory", 10, "asset"),
    Account(15, "Fixed assets", 1, "asset", is_posting=False),
    Account(EQUIPMENT, "Property and equipment", 15, "asset"),
    Account(DEPRECIATED, "Accumulated depreciation", 15, "asset"),
    Account(2, "Liabilities", None, "liability", is_posting=False),
    Account(20, "Current liabilities", 2, "liability", is_posting=False),
    Account(PAYABLE, "Accounts payable", 20, "liability"),
    Account(ACCRUED_PAYROLL, "Accrued payroll", 20, "liability"),
    Account(TAX_PAYABLE, "Income tax payable", 20, "liability"),
    Account(25, "Long-term liabilities", 2, "liability", is_posting=False),
    Account(DEBT, "Long-term debt", 25, "liability"),
    Account(3, "Equity", None, "equity", is_posting=False),
    Account(CAPITAL, "Share capital", 3, "equity"),
    Account(RETAINED, "Retained earnings", 3, "equity"),
    Account(4, "Net sales", None, "revenue", is_posting=False),
    Account(GROSS_SALES, "Gross sales", 4, "revenue"),
    Account(LOYALTY_DISCOUNTS, "Loyalty discounts", 4, "contra_revenue"),
    Account(COUPON_MATCH, "Coupon match", 4, "contra_revenue"),
    Account(5, "Cost of sales", None, "expense", is_posting=False),
    Account(COST_OF_GOODS, "Cost of goods sold", 5, "expense"),
    Account(6, "Operating expenses", None, "expense", is_posting=False),
    Account(PAYROLL, "Payroll", 6, "expense"),
    Account(RENT, "Rent", 6, "expense"),
    Account(UTILITIES, "Utilities", 6, "expense"),
    Account(DEPRECIATION, "Depreciation", 6, "expense"),
    Account(MAILING, "Campaign mailing", 6, "expense"),
    Account(REMODELLING, "Store remodelling – façades and cafés", 6, "expense"),
    Account(REPAIRS, "Repairs and maintenance", 6, "expense"),
    Account(7, "Financial result", None, "expense", is_posting=False),
    Account(INTEREST, "Interest expense", 7, "expense"),
    Account(8, "Taxes", None, "expense", is_posting=False),
    Account(INCOME_TAX, "Income tax", 8, "expense"),
)
POSTING = tuple(account.number for account in CHART if account.is_posting)
BY_NUMBER = {account.number: account for account in CHART}
