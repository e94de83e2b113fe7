"""The posting rules: every event and what it debits and credits. Nothing is posted that does not stand here.

A rule moves one amount from its credit account to its debit account, so a journal balances whatever the amounts are.
A negative amount moves the other way: the cash of a day on which customers were refunded more than they paid.
"""

from __future__ import annotations

from dataclasses import dataclass

from deliveries.ledger import chart as a


@dataclass(frozen=True)
class Rule:
    """One amount of an event.

    Attributes:
        debit: account that takes the amount.
        credit: account that gives it.
        amount: the amount's name.
    """

    debit: int
    credit: int
    amount: str


@dataclass(frozen=True)
class Event:
    """Something that is posted as one journal.

    Attributes:
        journal_type: as the ERP calls it.
        code: first part of the journal's number.
        text: posting text; {name}s are filled in.
        rules: what it posts.
    """

    journal_type: str
    code: str
    text: str
    rules: tuple[Rule, ...]


EVENTS = {
    # ---------- from the tills, per business date and department
    "sale": Event("sales", "SAL", "Till sales {day} – {department}", (
        Rule(a.CASH, a.GROSS_SALES, "cash"),  # sales_value - coupon_disc: what customers paid
        Rule(a.COUPONS_RECEIVABLE, a.GROSS_SALES, "coupons"),  # coupon_disc: what manufacturers refund
        Rule(a.LOYALTY_DISCOUNTS, a.GROSS_SALES, "discounts"),  # retail_disc
        Rule(a.COUPON_MATCH, a.GROSS_SALES, "match"),  # coupon_match_disc
    )),
    "cost": Event("cost_of_goods", "COG", "Cost of goods sold {day} – {department}", (
        Rule(a.COST_OF_GOODS, a.INVENTORY, "cost"),
    )),
    "coupons_collected": Event("coupon_collection", "CPN", "Manufacturers’ refunds for coupons of {period}", (
        Rule(a.CASH, a.COUPONS_RECEIVABLE, "coupons"),
    )),
    # ---------- merchandise
    "purchase": Event("purchase", "PUR", "Delivery {supplier}", (Rule(a.INVENTORY, a.PAYABLE, "invoice"),)),
    "payment": Event("payment", "PAY", "Payment {supplier}", (Rule(a.PAYABLE, a.CASH, "invoice"),)),
    # ---------- running the stores
    "payroll": Event("payroll", "WAG", "Wages for 14 days to {day}", (
        Rule(a.PAYROLL, a.CASH, "paid"),
        Rule(a.PAYROLL, a.ACCRUED_PAYROLL, "withheld"),
    )),
    "payroll_accrual": Event("payroll_accrual", "WAC", "Wages earned and not yet paid, change in {period}", (
        Rule(a.PAYROLL, a.ACCRUED_PAYROLL, "accrued"),
    )),
    "payroll_remittance": Event("payroll_remittance", "WRM", "Taxes and contributions withheld in {period}", (
        Rule(a.ACCRUED_PAYROLL, a.CASH, "withheld"),
    )),
    "rent": Event("rent", "RNT", "Rent {period} – Krämer Immobilien", (Rule(a.RENT, a.CASH, "rent"),)),
    "utilities": Event("utilities", "UTL", "Electricity, gas, water {period}", (Rule(a.UTILITIES, a.CASH, "bill"),)),
    "repairs": Event("repairs", "REP", "Roof after the storm; labour and matériel", (Rule(a.REPAIRS, a.CASH, "bill"),)),
    "depreciation": Event("depreciation", "DEP", "Depreciation {period}", (
        Rule(a.DEPRECIATION, a.DEPRECIATED, "depreciation"),
    )),
    "mailing": Event("mailing", "MAI", "Mailing campaign {campaign} – {households} households", (
        Rule(a.MAILING, a.PAYABLE, "invoice"),
    )),
    "equipment": Event("equipment", "EQP", "{item}", (Rule(a.EQUIPMENT, a.CASH, "price"),)),
    # ---------- money and taxes
    "interest": Event("interest", "INT", "Interest {period}", (Rule(a.INTEREST, a.CASH, "interest"),)),
    "repayment": Event("loan_repayment", "LOA", "Loan repayment", (Rule(a.DEBT, a.CASH, "repayment"),)),
    "dividend": Event("dividend", "DIV", "Dividend for 2016", (Rule(a.RETAINED, a.CASH, "dividend"),)),
    "income_tax": Event("income_tax", "TAX", "Income tax, quarter to {period}", (
        Rule(a.INCOME_TAX, a.TAX_PAYABLE, "tax"),
    )),
    "tax_payment": Event("tax_payment", "TXP", "Income tax, quarter before", (Rule(a.TAX_PAYABLE, a.CASH, "tax"),)),
    # ---------- the year before; what assets exceed liabilities and capital by is retained earnings
    "opening": Event("opening", "OPN", "Opening balance – carried over from 2016", (
        Rule(a.CASH, a.RETAINED, "cash"),
        Rule(a.COUPONS_RECEIVABLE, a.RETAINED, "coupons"),
        Rule(a.INVENTORY, a.RETAINED, "inventory"),
        Rule(a.EQUIPMENT, a.RETAINED, "equipment"),
        Rule(a.RETAINED, a.DEPRECIATED, "depreciated"),
        Rule(a.RETAINED, a.PAYABLE, "payable"),
        Rule(a.RETAINED, a.ACCRUED_PAYROLL, "accrued_payroll"),
        Rule(a.RETAINED, a.TAX_PAYABLE, "tax"),
        Rule(a.RETAINED, a.DEBT, "debt"),
        Rule(a.RETAINED, a.CAPITAL, "capital"),
    )),
}  # fmt: skip
