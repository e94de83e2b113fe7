"""H: decimal and thousands marks are what is declared, and stand where they must."""

from __future__ import annotations

from decimal import Decimal

from loader.cases.case import Case, bad, case, needs

BUDGET = {
    "version": "text",
    "fiscal_period": "text",
    "department": "text",
    "account_id": "integer",
    "amount": "numeric(14,2)",
}
LINES = [
    "CHEF SHOPPE;4000;161.00", "CHEF SHOPPE;4100;6,00", "CHEF SHOPPE;5000;85,00", "COSMETICS;4000;1969,00",
    "COSMETICS;4100;360,00", "COSMETICS;5000;992,00", "DELI;4000;13,179.00", "DELI;4100;1121,00", "DELI;5000;7486,00",
    "DRUG GM;4000;50986,00", "DRUG GM;4100;4636,00",
]  # fmt: skip
BUDGETS = [
    ("original", "2017-01", name, int(account), Decimal(amount.replace(",", ".")))
    for name, account, amount in (line.split(";") for line in LINES)
    if "." not in amount
]
ID_NET = {"id": "integer", "net": "numeric(12,2)"}
COMMA = {"delimiter": ";", "decimal_mark": ","}


def amounts(*texts: str) -> str:
    """A file of one amount a line."""
    return "id;net\n" + "".join(f"{i};{text}\n" for i, text in enumerate(texts, 1))


BESIDE = ("$18.50", "18.50 EUR", "EUR 18.50", "(1.50)", "12 %", "5kg", "7-")

CASES: list[Case] = [
    case("H", "what stands beside a number", amounts("1.50", *BESIDE), ID_NET,
         options={"delimiter": ";", "max_reject_rate": 1}, rows=[(1, Decimal("1.50"))],
         bad=[bad(line, "net", text, "declare text") for line, text in enumerate(BESIDE, 3)]),
    case("H", "a currency and marks", amounts("1.50", "$1,234.50"), ID_NET,
         options={"delimiter": ";", "thousands_mark": ","}, rows=[(1, Decimal("1.50"))],
         bad=[bad(3, "net", "$1,234.50", "declare text")]),
    case("H", "a dot where a comma is declared",
         "version;fiscal_period;department;account_id;amount\r\n" + "\r\n".join(f"original;2017-01;{line}"
         for line in LINES),
         BUDGET, options=COMMA, rows=BUDGETS,
         bad=[bad(2, "amount", "161.00", "decimal_mark"), bad(8, "amount", "13,179.00", "decimal_mark")]),

    *needs("H", "German amounts", amounts("1.234,56", "-1.234.567,00", "12,5", "7", "1234,56"), ID_NET,
           option={"decimal_mark": ",", "thousands_mark": "."}, options={"delimiter": ";"},
           rows=[(1, Decimal("1234.56")), (2, Decimal("-1234567.00")), (3, Decimal("12.5")), (4, Decimal(7)),
           (5, Decimal("1234.56"))],
           without=[bad(2, "net", "1.234,56"), bad(3, "net", "-1.234.567,00"), bad(4, "net", "12,5", "decimal_mark"),
                    bad(6, "net", "1234,56", "decimal_mark")], left=[(4, Decimal(7))]),
    case("H", "marks where none may be", amounts("1.23,4", "12.34", ".123,00", "1..234,00", "1234.567,00", "1.234.56",
         "1.2345",
                                                 "1,234.56", "1.234,5.6", "1.", "-.234", "1.234", "12.345,678"), ID_NET,
         options={"delimiter": ";", "decimal_mark": ",", "thousands_mark": ".", "extra_digits": "round"},
         rows=[(12, Decimal(1234)), (13, Decimal("12345.68"))], bad=[bad(line, "net") for line in range(2, 13)]),
    case("H", "Swiss amounts", amounts("1'234.50", "1’234.50", "12'34.50", "1'234'567.05"), ID_NET,
         options={"delimiter": ";", "thousands_mark": "'"}, rows=[(1, Decimal("1234.50")), (4, Decimal("1234567.05"))],
         bad=[bad(3, "net", "1’234.50"), bad(4, "net", "12'34.50")]),
    case("H", "Swiss amounts with the mark that Windows writes", amounts("1’234.50", "2.05"), ID_NET,
         options={"delimiter": ";", "thousands_mark": "’"}, rows=[(1, Decimal("1234.50")), (2, Decimal("2.05"))]),
    case("H", "French amounts: a narrow blank that doesn't break",
         amounts("1\u202f234,56", "1 234,56", "1\u00a0234,56"), ID_NET,
         options={**COMMA, "thousands_mark": "\u202f"}, rows=[(1, Decimal("1234.56"))],
         bad=[bad(3, "net"), bad(4, "net")]),
    case("H", "a blank as thousands mark isn't trimmed", amounts("1 234", " 1234", "1234 ", "1  234"), ID_NET,
         options={"delimiter": ";", "thousands_mark": " "}, rows=[(1, Decimal(1234))],
         bad=[bad(line, "net") for line in (3, 4, 5)]),
    *needs("H", "American amounts in quotes", 'id,net\n1,"1,234.56"\n2,"-12,345,678.90"\n3,5\n', ID_NET,
           option={"thousands_mark": ","}, rows=[(1, Decimal("1234.56")), (2, Decimal("-12345678.90")),
           (3, Decimal(5))],
           without=[bad(2, "net", "1,234.56", "thousands_mark"), bad(3, "net", "-12,345,678.90", "thousands_mark")],
           left=[(3, Decimal(5))]),
    case("H", "Indian groups aren't of three", 'id,net\n1,"12,34,567.00"\n2,"1,234,567.00"\n', ID_NET,
         options={"thousands_mark": ","}, rows=[(2, Decimal(1234567))], bad=[bad(2, "net", "12,34,567.00")]),
    *needs("H", "marks in whole and floating numbers", "id;whole;ratio\n1.234;5.000.000;0,25\n2;7;1.000,5\n",
           {"id": "integer", "whole": "bigint", "ratio": "double precision"},
           option={"decimal_mark": ",", "thousands_mark": "."}, options={"delimiter": ";"},
           rows=[(1234, 5_000_000, 0.25), (2, 7, 1000.5)],
           without=[bad(2, "id", "1.234"), bad(3, "ratio", "1.000,5")]),
    case("H", "one column has its own", "id;net;rate\n1;12,50;0.19\n2;12.50;0,19\n",
         {**ID_NET, "rate": "numeric(6,4)"}, options={**COMMA, "columns": {"rate": {"decimal_mark": "."}}},
         rows=[(1, Decimal("12.50"), Decimal("0.19"))], bad=[bad(3, "net", "12.50", "decimal_mark")]),
    case("H", "JSON: a number is a number, a text has the declared mark",
         '{"id": 1, "net": 1.5}\n{"id": 2, "net": "1,5"}\n{"id": 3, "net": "1.5"}\n', ID_NET, format="jsonl",
         options={"decimal_mark": ","}, rows=[(1, Decimal("1.5")), (2, Decimal("1.5"))],
         bad=[bad(3, "net", "1.5", "decimal_mark")]),
    case("H", "SAP's minus stands behind, and nobody declared that",
         amounts("100,00-", "-100,00", "- 100,00", "\u2212100,00"), ID_NET,
         options=COMMA, rows=[(2, Decimal(-100))], bad=[bad(2, "net", "100,00-"), bad(4, "net"), bad(5, "net")]),
    case("H", "dates and texts keep their dots", "id;net;day;name\n1;1,5;2024-06-01;1.5\n",
         {**ID_NET, "day": "date", "name": "text"}, options=COMMA, select="id, net, day::text, name",
         rows=[(1, Decimal("1.5"), "2024-06-01", "1.5")]),
]  # fmt: skip
