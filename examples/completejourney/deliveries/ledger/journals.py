"""What a journal is, and how an event becomes one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from deliveries.ledger.rules import EVENTS
from deliveries.timeline import period


@dataclass(frozen=True)
class Line:
    """One line of a journal.

    Attributes:
        account: account number.
        cents: US cents; a debit is positive, a credit negative.
    """

    account: int
    cents: int


@dataclass(frozen=True)
class Journal:
    """One journal; its lines add up to zero.

    Attributes:
        journal_id: its number.
        journal_type: kind of posting.
        posting_date: business date that it belongs to.
        entry_date: day on which it was entered.
        released: month (its first day) in whose file it is exported.
        department: department of all its lines; None where none applies.
        text: posting text.
        lines: its lines, none of them zero.
        reverses: number of the journal that it reverses.
    """

    journal_id: str
    journal_type: str
    posting_date: date
    entry_date: date
    released: date
    department: str | None
    text: str
    lines: tuple[Line, ...]
    reverses: str | None = None

    def entered(self, day: date, released: date | None = None) -> Journal:
        """The same journal, entered on another day.

        Args:
            day: day on which it is entered.
            released: month in whose file it is exported; the month of `day` if None.
        """
        return replace(self, entry_date=day, released=(released or day).replace(day=1))

    def reversal(self, number: int, day: date) -> Journal:
        """The journal that takes this one back, dated back to it.

        Args:
            number: last part of its number.
            day: day on which it is entered.
        """
        lines = tuple(Line(line.account, -line.cents) for line in self.lines)
        code, posted, _ = self.journal_id.split("-")
        undone = replace(
            self,
            journal_id=f"{code}-{posted}-{number:02}",
            text=f"Reversal of {self.journal_id}",
            lines=lines,
            reverses=self.journal_id,
        )
        return undone.entered(day)


def post(
    event: str, day: date, amounts: dict[str, int], *, number: int = 1, department: str | None = None, **words: object
) -> Journal:
    """Post an event by its rules, entered on the day that it belongs to.

    Args:
        event: which of `EVENTS`.
        day: posting date.
        amounts: US cents by amount name; the rules' amounts, no more and no less.
        number: tells the journals of one kind and day apart.
        department: department of all lines.
        words: what else the posting text mentions.
    """
    found = EVENTS[event]
    if set(amounts) != {rule.amount for rule in found.rules}:
        raise ValueError(f"{event} takes the amounts {[rule.amount for rule in found.rules]}, not {list(amounts)}")
    net: dict[int, int] = {}
    for rule in found.rules:
        net[rule.debit] = net.get(rule.debit, 0) + amounts[rule.amount]
        net[rule.credit] = net.get(rule.credit, 0) - amounts[rule.amount]
    text = found.text.format(**{"day": day, "period": period(day), "department": department} | words)
    return Journal(
        journal_id=f"{found.code}-{day:%y%m%d}-{number:02}",
        journal_type=found.journal_type,
        posting_date=day,
        entry_date=day,
        released=day.replace(day=1),
        department=department,
        text=text,
        lines=tuple(Line(account, cents) for account, cents in net.items() if cents),
    )
