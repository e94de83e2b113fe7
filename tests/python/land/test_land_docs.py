"""The example's ledger.md says what the code posts."""

from __future__ import annotations

import re
from decimal import Decimal

import duckdb

from conftest import DEFAULT
from deliveries.ledger.chart import BY_NUMBER
from deliveries.ledger.corrections import LATE
from deliveries.ledger.rules import EVENTS

TEXT = (DEFAULT / "ledger.md").read_text()
TABLES = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| ")]


def test_each_posting_rule_is_documented() -> None:
    documented = {(row[0], row[1], int(row[2][:4]), int(row[3][:4])) for row in TABLES
                  if len(row) == 6 and row[2][:4].isdigit() and row[3][:4].isdigit()}  # fmt: skip
    rules = {
        (event.journal_type, event.code, rule.debit, rule.credit)
        for event in EVENTS.values()
        for rule in event.rules
        if event.journal_type != "opening"
    }
    assert documented == rules
    assert {row[1] for row in TABLES if len(row) == 6} >= {event.code for event in EVENTS.values()}
    assert all(debit in BY_NUMBER and credit in BY_NUMBER for _, _, debit, credit in rules)


def test_each_oddity_is_documented_with_its_amount(sql: duckdb.DuckDBPyConnection) -> None:
    oddities = [row for row in TABLES if len(row) == 6 and row[0].split(",")[0].split(":")[0] in
                ("late", "wrong account", "wrong department", "posted twice")]  # fmt: skip
    assert len(oddities) == len(LATE) + 3
    for _, journals, net, posted, entered, month in oddities:
        numbers = re.findall(r"[A-Z]{3}-\d{6}-\d\d", journals)
        if "reversed by" in journals:
            assert numbers[1] in reversals(sql, numbers[0])
        found = sql.execute(
            f"""select sum(credit - debit) filter (account_id in (4000, 4100, 4200)), min(posting_date),
                    max(entry_date), max(month), count(distinct journal_id)
                from journal_line where journal_id in ({", ".join(f"'{number}'" for number in numbers)})"""
        ).fetchall()[0]
        if net and not numbers[1].endswith("92"):  # a wrong journal and its reversal add up to nothing
            assert found[0] == Decimal(net.replace(",", ""))
        assert [str(value) for value in found[1:]] == [posted, entered, month, str(len(numbers))]


def reversals(sql: duckdb.DuckDBPyConnection, journal: str) -> set[str]:
    """The numbers of the journals that reverse one."""
    found = sql.sql(f"select distinct journal_id from journal_line where reverses = '{journal}'").fetchall()
    return {number for (number,) in found}


def test_the_totals_are_those_of_the_books(sql: duckdb.DuckDBPyConnection) -> None:
    query = """select count(distinct journal_id), count(*), sum(credit - debit) filter (account_id >= 4000),
                   sum(debit - credit) filter (account_id = 1000), sum(debit - credit) filter (account_id = 5000)
               from journal_line"""
    journals, lines, profit, cash, cost = sql.sql(query).fetchall()[0]
    for said in (
        f"{journals:,} journals, {lines:,} lines",
        f"net profit {profit:,}",
        f"cash {cash:,}",
        f"goods sold {cost:,}",
    ):
        assert said in TEXT, said
