"""A shop whose feeds say whose a row is, files in which a person is, and how to look for what is left of the person."""

from __future__ import annotations

from typing import Any

from journey.loader.declaration.sources import Source, parse_source
from journey.loader.forgetting import Forgot, forget
from loader.support import Landing, node

HERE = "4711"  # who is forgotten
MEMBERS = {"member_id": "integer", "email": "text"}
SALES = {"sale_id": "integer", "member_id": "integer", "address": "text", "amount": "integer"}
METAS = {
    ("members", "member_id"): {"person": "member", "forget": "remove"},
    ("sales", "member_id"): {"person": "member", "forget": "pseudonym"},
    ("sales", "address"): {"pii": "hidden"},
}


def feed(landing: Landing, table: str, kind: str, columns: dict[str, str], **options: Any) -> Source:
    """A feed whose columns say whose they are."""
    found = node(f"shop.{table}", f"s3://{landing.bucket}/{table}/", kind, columns, max_reject_rate=0.9, **options)
    for (of, column), meta in METAS.items():
        if of == table:
            found["columns"][column]["config"] = {"meta": meta}
    return parse_source(found)


def feeds(landing: Landing) -> list[Source]:
    """Members, whose rows go, and sales, which stay."""
    return [feed(landing, "members", "csv", MEMBERS), feed(landing, "sales", "jsonl", SALES)]


def sale(number: int, member: str, address: str, amount: int = 1) -> str:
    return f'{{"sale_id": {number}, "member_id": {member}, "address": "{address}", "amount": {amount}}}\n'


def deliver(landing: Landing) -> list[Source]:
    """Files in which the person is, and one in which nobody is."""
    landing.put("members/a.csv", f"member_id,email\n1,one@x\n{HERE},zoe@planted\n14711,two@x\n")
    landing.put("members/b.csv", "member_id,email\n2,other@x\n")
    landing.put("sales/a", sale(1, "1", "Alley") + sale(2, HERE, "Planted Road", 5) + sale(3, HERE, "Planted Road", 7))
    landing.put("sales/b", sale(4, HERE, "Planted Road", 2))
    landing.put("sales/c", sale(5, "1", "Alley", 3))
    declared = feeds(landing)
    assert landing.load(*declared).failures == []
    return declared


def out(declared: list[Source], value: str = HERE, **more: Any) -> Forgot:
    return forget(declared, "member", value, yes=True, **more)


def named(landing: Landing, *texts: str) -> list[tuple[str, str]]:
    """Rows of raw tables, the ledger and statistics that have one of these texts as a word."""
    tables = landing.query(
        "select quote_ident(nspname) || '.' || quote_ident(relname) from pg_class join pg_namespace on "
        "pg_namespace.oid = relnamespace where relkind = 'r' and nspname ~ '^(raw_.*|loader)$'"
    )
    tables.append(("pg_stats",))
    word = rf"(^|\W)({'|'.join(texts)})(\W|$)"
    found = []
    for (table,) in tables:
        where = " where schemaname ~ '^(raw_.*|loader)$'" if table == "pg_stats" else ""
        rows = landing.query(f"select row::text from (select * from {table}{where}) as row where row::text ~ %s", word)
        found += [(table, row) for (row,) in rows]
    return found


def accounts(landing: Landing) -> list[tuple[Any, ...]]:
    """Key, delivered, loaded, rejected and withheld rows of loaded files."""
    return landing.query(
        """select key, delivered_count, row_count, rejected_count, withheld_count from loader.files
           where status = 'loaded' order by key"""
    )


def agree(landing: Landing) -> bool:
    return landing.agree("raw_shop.members") and landing.agree("raw_shop.sales")


def members(landing: Landing) -> list[tuple[Any, ...]]:
    return landing.rows("raw_shop.members", "member_id, email")


def sales(landing: Landing) -> list[tuple[Any, ...]]:
    return landing.rows("raw_shop.sales", "sale_id, member_id, address, amount")
