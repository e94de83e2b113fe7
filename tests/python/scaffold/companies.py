"""Two companies that scaffold wasn't made for: a web shop's export, and the postings of a German ERP."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from decimal import Decimal

SHOP = (
    "Name", "Email", "Financial Status", "Paid at", "Currency", "Subtotal", "Total", "Created at", "Lineitem quantity",
    "Lineitem name", "Lineitem price", "Lineitem sku", "Lineitem discount", "Notes", "Id",
)  # fmt: skip
ERP = "Mandant;Belegnr.;Pos;Buchungsdatum;Sachkonto;Kontobezeichnung;Kostenstelle;Betrag;Menge;S/H;Erfasst am"


def shop_orders(day: int, rows: int = 60) -> bytes:
    """A day's orders, as a web shop exports them: quotes where they are needed, notes of two lines, a zone."""
    draw, out = random.Random(day), io.StringIO()  # noqa: S311 - not secret, and the same each time
    writer = csv.writer(out)
    writer.writerow(SHOP)
    for i in range(rows):
        at = f"2024-06-{day:02} {8 + i % 12:02}:{i % 60:02}:03 +0200"
        price, many = Decimal(draw.choice([1250, 890, 3400, 75])) / 100, draw.randint(1, 3)
        what = draw.choice([("Tea, green", "00123"), ('Mug "blue"', "A-7"), ("Soap", "00456")])
        note = draw.choice(["", "leave at\ndoor 2"])
        who = f"p{draw.randint(1, 40)}@example.test"
        writer.writerow([f"#{day}{i:03}", who, "paid", at, "EUR", price * many, price * many, at, many, what[0],
                         f"{price:.2f}", what[1], "0.00", note, 5_400_000_000_000 + day * 1000 + i])  # fmt: skip
    return out.getvalue().encode()


def erp_postings(month: int, journals: int = 80) -> bytes:
    """A month's postings: semicolons, windows-1252, decimal commas with dots between thousands, dates with dots."""
    draw, rows = random.Random(month), [ERP]  # noqa: S311
    for i in range(journals):
        day = dt.date(2024, month, 1 + i % 28)
        amount = f"{Decimal(draw.choice([125050, 1234567, 9900, 50])) / 100:,.2f}"
        amount = amount.translate(str.maketrans(",.", ".,"))
        account = draw.choice(["4000;Erlöse 19 %", "4100;Löhne", "1200;Fördermittel"])
        head, tail = f"001;{month:02}{i:05}", f"{day:%d.%m.%Y} {8 + i % 10:02}:15"
        quantity = draw.choice(["1,000", "12,500", "0,250"])
        rows.append(f"{head};1;{day:%d.%m.%Y};{account};K10;{amount};{quantity};S;{tail}")
        rows.append(f"{head};2;{day:%d.%m.%Y};1800;Bank;;{amount};;H;{tail}")
    return ("\r\n".join(rows) + "\r\n").encode("cp1252")
