"""The data: a chain of farm shops, simulated: six weeks of receipts, day by day, and a product list a week.

Its shape is another one than the default data's: German words, semicolons, decimal commas, ISO-8859-15, receipts and
articles with texts for ids, local times without a zone, weighed goods, returns, voids, and customers who mostly don't
say who they are.
"""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import NamedTuple
from uuid import UUID

from journey.land.feeds import Encode, Feed, Planned, feed_of

FIRST_DAY, DAYS = date(2024, 3, 4), 42  # a Monday; the clocks change on March 31
SHOPS = {"MUC-1": 60, "MUC-2": 45, "ROS-1": 30, "TOELZ": 25, "WEB": 20}  # receipts a day
GOODS = {  # a price per piece or kilogram, and whether it is weighed
    "Gemüse": ["Kartoffeln", "Möhren", "Rote Bete", "Zwiebeln", "Spinat", "Feldsalat", "Wirsing", "Kürbis"],
    "Obst": ["Äpfel Boskoop", "Äpfel Elstar", "Birnen", "Pflaumen", "Walnüsse"],
    "Käse": ["Bergkäse", "Weichkäse", "Ziegenfrischkäse", "Butterkäse"],
    "Fleisch & Wurst": ["Leberkäs", "Salami", "Schinken", "Weißwürste"],
    "Brot": ["Bauernbrot", "Dinkelbrot", "Semmel", "Brezn"],
    "Molkerei": ["Vollmilch 1l", "Joghurt 500g", "Butter 250g", "Quark 250g"],
    "Pfand": ["Pfandflasche"],
}
BY_PIECE = {"Brot", "Molkerei", "Pfand"}
CENT, GRAM = Decimal("0.01"), Decimal("0.001")


class Article(NamedTuple):
    """An article of the list."""

    number: str
    name: str
    group: str
    price: Decimal
    is_weighed: bool
    farm: str


def feeds() -> list[Feed]:
    """What the tills and the office deliver; the same each time."""
    draw = random.Random(20240304)  # noqa: S311
    articles = _articles(draw)
    receipts: dict[Planned, Encode] = {}
    lists: dict[Planned, Encode] = {}
    for day in (FIRST_DAY + timedelta(days=number) for number in range(DAYS)):
        if day.weekday() == 0:
            lists[Planned(f"hofladen/artikel/{day:%Y-%m-%d}.json", day)] = partial(_article_list, articles, day)
        if day.weekday() != 6:
            receipts[Planned(f"hofladen/bons/bons_{day:%Y%m%d}.csv", day)] = partial(_receipts, articles, day)
    return [feed_of("hofladen/artikel", lists), feed_of("hofladen/bons", receipts)]


def _articles(draw: random.Random) -> list[Article]:
    found = []
    for group, names in GOODS.items():
        for number, name in enumerate(names, 1):
            price = Decimal(25) if group == "Pfand" else Decimal(draw.randrange(120, 2400))
            farm = draw.choice(["Huber", "Lechner", "Moosgrund", "Sonnleiten"])
            found.append(
                Article(f"{group[:2].upper()}-{number:03}", name, group, price / 100, group not in BY_PIECE, farm)
            )
    return found


def _article_list(articles: list[Article], day: date) -> bytes:
    """The list as one JSON document; two articles move to another group in the fourth week."""
    moved = (day - FIRST_DAY).days >= 21
    rows = [
        {
            "artikelnummer": article.number,
            "bezeichnung": article.name,
            "warengruppe": "Nüsse & Trockenobst" if moved and article.name == "Walnüsse" else article.group,
            "erzeuger": article.farm,
            "einheit": "kg" if article.is_weighed else "Stück",
        }
        for article in articles
    ]
    return json.dumps({"stand": f"{day:%d.%m.%Y}", "artikel": rows}, ensure_ascii=False, indent=1).encode()


def _receipts(articles: list[Article], day: date) -> bytes:
    draw = random.Random(day.toordinal())  # noqa: S311
    lines = ["Bon;Position;Vorgang;Filiale;Zeitpunkt;Kunde;Artikelnummer;Menge;Betrag;Rabatt"]
    for shop, often in SHOPS.items():
        for _ in range(draw.randrange(often // 2, often * 3 // 2)):
            moment = datetime(day.year, day.month, day.day, draw.randrange(7, 19), draw.randrange(60))
            head = (
                str(UUID(int=draw.getrandbits(128), version=4)),
                shop,
                f"{moment:%d.%m.%Y %H:%M}",
                _customer(draw, shop),
            )
            kind = draw.choices(["Verkauf", "Retoure"], [97, 3])[0]
            positions = range(1, draw.randrange(2, 8))
            lines += [_line(draw, head, position, kind, draw.choice(articles)) for position in positions]
    return ("\r\n".join(lines) + "\r\n").encode("iso-8859-15")


def _customer(draw: random.Random, shop: str) -> str:
    """A customer's number; empty for whoever pays at the till without a word."""
    return f"K{draw.randrange(1, 400):05}" if shop == "WEB" or draw.random() < 0.3 else ""


def _line(draw: random.Random, head: tuple[str, str, str, str], position: int, kind: str, article: Article) -> str:
    receipt, shop, moment, customer = head
    quantity = Decimal(draw.randrange(80, 2500)) / 1000 if article.is_weighed else Decimal(draw.randrange(1, 5))
    kind = "Storno" if kind == "Verkauf" and draw.random() < 0.01 else kind
    amount = (quantity * article.price).quantize(CENT)
    discount = (amount / 10).quantize(CENT) if customer and draw.random() < 0.2 else Decimal("0.00")
    sign = -1 if kind == "Retoure" else 1
    numbers = (sign * quantity.quantize(GRAM), sign * (amount - discount), sign * discount)
    told = (f"{number}".replace(".", ",") for number in numbers)
    return ";".join((receipt, str(position), kind, shop, moment, customer, article.number, *told))
