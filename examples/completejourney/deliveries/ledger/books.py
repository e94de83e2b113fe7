"""The whole year's books."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from deliveries import loyalty
from deliveries.ledger import running
from deliveries.ledger.chart import POSTING
from deliveries.ledger.corrections import corrected
from deliveries.ledger.journals import Journal
from deliveries.ledger.tills import takings
from deliveries.products import ProductHistory
from deliveries.timeline import next_month, period

EXPORT_DAY = 3  # of the month after: journals and control totals leave the ERP
EXPORTED_MONTHS = (*running.MONTHS, date(2018, 1, 1))  # the last with late entries for 2017 only


def exported_on(month: date) -> date:
    """The day on which a month's files leave the ERP and arrive."""
    return next_month(month, EXPORT_DAY)


@dataclass(frozen=True)
class Balance:
    """What an account stands at.

    Attributes:
        fiscal_period: at whose end.
        account: account number.
        cents: debits less credits since the books began, US cents.
    """

    fiscal_period: str
    account: int
    cents: int


@dataclass(frozen=True)
class Books:
    """All journals of the year.

    Attributes:
        journals: ordered by entry date and number.
    """

    journals: tuple[Journal, ...]

    def released(self, month: date) -> list[Journal]:
        """The journals of a month's file.

        Args:
            month: first day of the month.
        """
        return [journal for journal in self.journals if journal.released == month]

    def balances(self, month: date) -> list[Balance]:
        """Closing balances of all periods so far, as the ERP knows them when it exports a month.

        Late entries change periods that were exported before, so each export states all of them again.

        Args:
            month: first day of the month that is exported.
        """
        moved: dict[tuple[str, int], int] = defaultdict(int)
        for journal in self.journals:
            if journal.released <= month:
                for line in journal.lines:
                    moved[period(journal.posting_date), line.account] += line.cents
        found = []
        standing = dict.fromkeys(POSTING, 0)
        for ended in running.MONTHS:
            if ended <= month:
                for account in POSTING:
                    standing[account] += moved[period(ended), account]
                    found.append(Balance(period(ended), account, standing[account]))
        return found


def keep_books(products: ProductHistory) -> Books:
    """Post the year: the tills' real takings, and what else is simulated.

    Args:
        products: says which department a product belonged to on a date.
    """
    tills = takings(products)
    journals = corrected(
        [
            *running.opening(),
            *running.sales(tills),
            *running.costs(tills),
            *running.merchandise(tills),
            *running.coupons(tills),
            *running.payroll(),
            *running.premises(),
            *running.mailings(loyalty.campaign_starts(), loyalty.contacts()),
            *running.financing(),
        ]
    )
    journals = [*journals, *running.taxes(journals)]
    return Books(tuple(sorted(journals, key=lambda journal: (journal.entry_date, journal.journal_id))))
