"""What else happens in the year: buying, paying, wages, rent and the rest. SIMULATED; all amounts stand here.

Scaled so that a retailer with 4.6 million net sales makes a small profit and never runs out of cash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from deliveries.draws import draw
from deliveries.ledger.chart import BY_NUMBER
from deliveries.ledger.journals import Journal, post
from deliveries.ledger.tills import Takings
from deliveries.timeline import FIRST_DAY, LAST_DAY, LAST_WEEK, monday, month_end, next_month, period

MONTHS = tuple(date(2017, month, 1) for month in range(1, 13))
QUARTER_ENDS = (date(2017, 3, 31), date(2017, 6, 30), date(2017, 9, 30), LAST_DAY)

# Cost of goods per department, basis points of net sales: one minus the margin.
COST_RATES = {
    "CHEF SHOPPE": 5600, "COSMETICS": 6500, "COUPON": 10000, "DELI": 6000, "DRUG GM": 7000, "FLORAL": 5800,
    "FUEL": 9200, "GARDEN CENTER": 6200, "GROCERY": 7400, "MEAT": 7300, "MEAT-PCKGD": 7200, "MISCELLANEOUS": 8500,
    "NUTRITION": 6900, "PASTRY": 5500, "PRODUCE": 6600, "RESTAURANT": 5400, "SALAD BAR": 5200, "SEAFOOD": 7200,
    "SEAFOOD-PCKGD": 7100, "SPIRITS": 7600, "TRAVEL & LEISURE": 7000,
}  # fmt: skip
OTHER_COST_RATE = 7500

# Who delivers what; the first one delivers everything that no other does. Invented names.
SUPPLIERS = {
    "Müller & Söhne Großhandel": (),
    "Brønsted Drugs – Østerbro": ("DRUG GM", "COSMETICS", "NUTRITION"),
    "Jalapeño Fresh Farms": ("PRODUCE", "SALAD BAR", "FLORAL", "GARDEN CENTER"),
    "Boucherie Lefèvre": ("MEAT", "MEAT-PCKGD", "SEAFOOD", "SEAFOOD-PCKGD"),
    "L’Épicerie Dubois": ("DELI", "PASTRY", "CHEF SHOPPE", "RESTAURANT"),
    "Peñasco Fuels; Terminal 4": ("FUEL",),
}
PAYMENT_DAYS = 30

OPENING_INVOICES = {  # December 2016's, by the day on which they are paid
    date(2017, 1, 4): 65_200_00,
    date(2017, 1, 11): 68_400_00,
    date(2017, 1, 18): 71_900_00,
    date(2017, 1, 25): 69_500_00,
}
OPENING = {
    "cash": 180_000_00,
    "coupons": 2_180_00,
    "inventory": 390_000_00,
    "equipment": 1_450_000_00,
    "depreciated": 560_000_00,
    "payable": sum(OPENING_INVOICES.values()),
    "tax": 8_500_00,
    "debt": 600_000_00,
    "capital": 400_000_00,
}
WITHHELD_IN_2016 = 14_200_00

FIRST_PAYDAY = date(2017, 1, 6)
FORTNIGHT = timedelta(days=14)
WAGES = 25_400_00  # per 14 days
WITHHELD_PERCENT = 28

RENT = (15_000_00, 15_300_00)  # a month, first and second half-year
UTILITIES = (8_900_00, 8_600_00, 8_000_00, 7_400_00, 7_300_00, 8_100_00, 9_000_00, 9_100_00, 8_200_00, 7_500_00,
             7_700_00, 8_700_00)  # fmt: skip
UTILITIES_DAY = 20
REPAIRS = {date(2017, 9, 11): 6_480_00}
DEPRECIATION = 10_900_00  # a month, of what was there on the first day
EQUIPMENT = {
    date(2017, 5, 10): ("Refrigerated display cases", 42_000_00),
    date(2017, 9, 18): ("Self-checkout tills", 30_240_00),
}
EQUIPMENT_MONTHS = 84
MAILING_CENTS = 85  # per household contacted
INTEREST_PER_MILLE = 4  # a month, of the debt at the month's start
REPAYMENT = 12_000_00  # a quarter
DIVIDEND = {date(2017, 6, 15): 20_000_00}
TAX_PERCENT = 25
DUE_DAY = 15  # of the next month: withheld taxes, coupon refunds, income tax


def opening() -> Iterator[Journal]:
    """What 2016 left, on the first day."""
    wages = _earned_unpaid(FIRST_DAY - timedelta(days=1)) + WITHHELD_IN_2016
    yield post("opening", FIRST_DAY, OPENING | {"accrued_payroll": wages})


def sales(tills: dict[tuple[date, str], Takings]) -> Iterator[Journal]:
    """A journal per business date and department."""
    for (day, department), number, took in _numbered(tills):
        amounts = {"cash": took.sales - took.coupons, "coupons": took.coupons, "discounts": took.discounts}
        yield post("sale", day, amounts | {"match": took.match}, number=number, department=department)


def costs(tills: dict[tuple[date, str], Takings]) -> Iterator[Journal]:
    """A journal per business date and department that sold for at least a cent of cost."""
    for (day, department), number, took in _numbered(tills):
        cost = cost_of(department, took.sales)
        if cost:
            yield post("cost", day, {"cost": cost}, number=number, department=department)


def cost_of(department: str, net_sales: int) -> int:
    """What the goods sold had cost, by the department's fixed rate, to the nearest cent.

    Args:
        department: as the point of sale names it.
        net_sales: US cents.
    """
    return (net_sales * COST_RATES.get(department, OTHER_COST_RATE) + 5000) // 10000


def merchandise(tills: dict[tuple[date, str], Takings]) -> Iterator[Journal]:
    """On Mondays each supplier replaces what the week before sold, give or take 2 %, and is paid 30 days later."""
    for number, (day, invoice) in enumerate(OPENING_INVOICES.items(), start=1):
        yield post("payment", day, {"invoice": invoice}, number=80 + number, supplier="for deliveries of 2016")
    deliverer = {department: name for name, departments in SUPPLIERS.items() for department in departments}
    everything_else = next(iter(SUPPLIERS))
    sold: dict[tuple[date, str], int] = defaultdict(int)
    for (day, department), took in tills.items():
        delivery = day + timedelta(days=7 - day.weekday())
        sold[delivery, deliverer.get(department, everything_else)] += cost_of(department, took.sales)
    for week in range(2, LAST_WEEK + 1):
        day = monday(week)
        for number, supplier in enumerate(SUPPLIERS, start=1):
            invoice = round(sold[day, supplier] * (0.98 + 0.04 * draw("invoice", day, supplier)) / 100) * 100
            if invoice:
                yield post("purchase", day, {"invoice": invoice}, number=number, supplier=supplier)
                yield from _paid_later(day, invoice, number, supplier)


def coupons(tills: dict[tuple[date, str], Takings]) -> Iterator[Journal]:
    """Manufacturers refund a month's coupons on the 15th of the next."""
    used: dict[str, int] = defaultdict(int)
    for (day, _), took in tills.items():
        used[period(day)] += took.coupons
    yield post("coupons_collected", FIRST_DAY.replace(day=DUE_DAY), {"coupons": OPENING["coupons"]}, period="2016-12")
    for month in MONTHS[:-1]:
        refund = {"coupons": used[period(month)]}
        yield post("coupons_collected", next_month(month, DUE_DAY), refund, period=period(month))


def payroll() -> Iterator[Journal]:
    """Wages every second Friday, accrued at the month's end; what is withheld goes out on the 15th after."""
    withheld: dict[str, int] = defaultdict(int, {"2016-12": WITHHELD_IN_2016})
    payday = FIRST_PAYDAY
    while payday <= LAST_DAY:
        kept = _wages(payday) * WITHHELD_PERCENT // 100
        withheld[period(payday)] += kept
        yield post("payroll", payday, {"paid": _wages(payday) - kept, "withheld": kept})
        payday += FORTNIGHT
    for month in MONTHS:
        before = month - timedelta(days=1)
        change = _earned_unpaid(month_end(month)) - _earned_unpaid(before)
        yield post("payroll_accrual", month_end(month), {"accrued": change})
        due = {"withheld": withheld[period(before)]}
        yield post("payroll_remittance", month.replace(day=DUE_DAY), due, period=period(before))


def premises() -> Iterator[Journal]:
    """Rent, utilities, repairs, equipment and its depreciation."""
    for month in MONTHS:
        yield post("rent", month, {"rent": RENT[month.month > 6]})
        yield post("utilities", month.replace(day=UTILITIES_DAY), {"bill": utilities_bill(month)})
        running = sum(price // EQUIPMENT_MONTHS for bought, (_, price) in EQUIPMENT.items() if bought < month)
        yield post("depreciation", month_end(month), {"depreciation": DEPRECIATION + running})
    for day, bill in REPAIRS.items():
        yield post("repairs", day, {"bill": bill})
    for day, (item, price) in EQUIPMENT.items():
        yield post("equipment", day, {"price": price}, item=item)


def utilities_bill(month: date) -> int:
    """A month's electricity, gas and water, US cents: by the season, give or take 3 %."""
    return round(UTILITIES[month.month - 1] * (0.97 + 0.06 * draw("utilities", month)))


def mailings(starts: dict[int, date], contacts: dict[int, int]) -> Iterator[Journal]:
    """Each campaign's mailing at its start, paid 30 days later. Campaigns that started earlier belong to 2016.

    Args:
        starts: first day by campaign.
        contacts: households contacted by campaign.
    """
    for campaign, start in starts.items():
        if FIRST_DAY <= start <= LAST_DAY:
            invoice = MAILING_CENTS * contacts[campaign]
            words: dict[str, Any] = {"campaign": campaign, "households": contacts[campaign]}
            yield post("mailing", start, {"invoice": invoice}, number=campaign, **words)
            yield from _paid_later(start, invoice, 50 + campaign, f"Nürnberger Druckhaus, campaign {campaign}")


def financing() -> Iterator[Journal]:
    """Interest monthly, a repayment each quarter, one dividend."""
    debt = OPENING["debt"]
    for month in MONTHS:
        yield post("interest", month_end(month), {"interest": debt * INTEREST_PER_MILLE // 1000})
        if month_end(month) in QUARTER_ENDS:
            debt -= REPAYMENT
            yield post("repayment", month_end(month), {"repayment": REPAYMENT})
    for day, paid in DIVIDEND.items():
        yield post("dividend", day, {"dividend": paid})


def taxes(journals: list[Journal]) -> Iterator[Journal]:
    """Income tax: 25 % of the year's profit so far, as far as it was entered by the quarter's end.

    Args:
        journals: all others.
    """
    yield post("tax_payment", FIRST_DAY.replace(day=DUE_DAY), {"tax": OPENING["tax"]})
    accrued = 0
    for quarter_end in QUARTER_ENDS:
        profit = -sum(
            line.cents
            for journal in journals
            if journal.posting_date <= quarter_end and journal.entry_date <= quarter_end
            for line in journal.lines
            if BY_NUMBER[line.account].statement == "income_statement"
        )
        tax = max(profit, 0) * TAX_PERCENT // 100 - accrued
        accrued += tax
        yield post("income_tax", quarter_end, {"tax": tax})
        if quarter_end != LAST_DAY:
            yield post("tax_payment", next_month(quarter_end, DUE_DAY), {"tax": tax})


def _numbered(tills: dict[tuple[date, str], Takings]) -> Iterator[tuple[tuple[date, str], int, Takings]]:
    """The takings, numbered within each day."""
    current, number = None, 0
    for (day, department), took in tills.items():
        number = number + 1 if day == current else 1
        current = day
        yield (day, department), number, took


def _paid_later(day: date, invoice: int, number: int, supplier: str) -> Iterator[Journal]:
    due = day + timedelta(days=PAYMENT_DAYS)
    if due <= LAST_DAY:
        yield post("payment", due, {"invoice": invoice}, number=number, supplier=supplier)


def _wages(payday: date) -> int:
    """Gross wages of the 14 days to a payday, US cents: more before the holidays."""
    season = 1.05 if date(2017, 11, 17) <= payday <= date(2017, 12, 29) else 1.0
    return round(WAGES * season * (0.985 + 0.03 * draw("wages", payday)))


def _earned_unpaid(day: date) -> int:
    """Wages earned since the last payday, US cents."""
    payday = FIRST_PAYDAY
    while payday <= day:
        payday += FORTNIGHT
    return _wages(payday) * (14 - (payday - day).days) // 14
