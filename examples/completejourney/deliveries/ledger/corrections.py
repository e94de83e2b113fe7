"""What goes wrong in every ledger: late entries, reversals. SIMULATED; each one stands here by name.

After the last file all of it has been put right: the ledger's net sales are the tills', to the cent.
A period closes on the 10th of the month after it. What is entered later is an entry into a closed period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from deliveries.ledger.journals import Journal, post
from deliveries.ledger.running import UTILITIES_DAY, utilities_bill

CLOSING_DAY = 10


@dataclass(frozen=True)
class Late:
    """A day's sales and cost of one department that reach the ledger in a later month.

    Attributes:
        day: posting date.
        department: department.
        entered: entry date.
        released: month (its first day) in whose file they come.
    """

    day: date
    department: str
    entered: date
    released: date


LATE = (
    Late(date(2017, 2, 14), "DRUG GM", date(2017, 3, 3), date(2017, 3, 1)),
    Late(date(2017, 4, 22), "NUTRITION", date(2017, 6, 20), date(2017, 6, 1)),  # April had closed on May 10
    Late(date(2017, 5, 30), "PRODUCE", date(2017, 6, 6), date(2017, 6, 1)),
    Late(date(2017, 8, 19), "FUEL", date(2017, 9, 5), date(2017, 10, 1)),  # parked, released a month later
    Late(date(2017, 11, 24), "MEAT", date(2017, 12, 4), date(2017, 12, 1)),
    Late(date(2017, 12, 30), "MEAT", date(2018, 1, 4), date(2018, 1, 1)),
    Late(date(2017, 12, 31), "GROCERY", date(2018, 1, 5), date(2018, 1, 1)),
)

BILL_DAY = date(2017, 3, UTILITIES_DAY)  # the bill that was first posted as rent
BILL_FOUND = date(2017, 3, 23)
WRONG_DAY, WRONG_AS, WRONG_FOUND = (date(2017, 7, 8), "PASTRY"), "DELI", date(2017, 7, 12)
TWICE_DAY, TWICE_FOUND = (date(2017, 10, 6), "SEAFOOD"), date(2017, 11, 3)
WRONG, REVERSAL = 91, 92  # last part of the numbers of a wrong journal and of the one that takes it back


def corrected(journals: list[Journal]) -> list[Journal]:
    """The journals as clerks enter them: some late, some wrong first and put right afterwards.

    Args:
        journals: the right ones, each entered on its posting date.
    """
    late = {(case.day, case.department): case for case in LATE}
    found = []
    for journal in journals:
        where = journal.posting_date, journal.department or ""
        if journal.journal_type in ("sales", "cost_of_goods") and where in late:
            found.append(journal.entered(late[where].entered, late[where].released))
        elif journal.journal_type == "utilities" and journal.posting_date == BILL_DAY:
            wrong = post("rent", BILL_DAY, {"rent": utilities_bill(BILL_DAY.replace(day=1))}, number=WRONG)
            found += [wrong, wrong.reversal(REVERSAL, BILL_FOUND), journal.entered(BILL_FOUND)]
        elif journal.journal_type == "sales" and where == WRONG_DAY:
            wrong = replace(journal, journal_id=_renumbered(journal), department=WRONG_AS)
            found += [wrong, wrong.reversal(REVERSAL, WRONG_FOUND), journal.entered(WRONG_FOUND)]
        elif journal.journal_type == "sales" and where == TWICE_DAY:
            twice = replace(journal, journal_id=_renumbered(journal))
            found += [journal, twice, twice.reversal(REVERSAL, TWICE_FOUND)]
        else:
            found.append(journal)
    return found


def _renumbered(journal: Journal) -> str:
    return f"{journal.journal_id.rsplit('-', 1)[0]}-{WRONG}"
