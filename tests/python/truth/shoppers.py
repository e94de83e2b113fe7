"""Customers who spend like those of the default data, and campaigns that were sent to some of them.

Heavy-tailed spending per customer and per basket, a drift of weeks and months around each customer's own level, a
weekly rhythm, a season that heavy and light buyers feel unlike, customers who come late or stop. Campaigns are sent to
heavy buyers, judged now by what they lately spent (so that they spend less afterwards whatever happens), now by what
they are known for since long, and they overlap. Each has an effect of none, 5 or 20 % of what its audience spends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FIRST = date(2017, 1, 1)
DAYS = 365
EARLIER = 182  # days before the data begins: known to whoever sends campaigns, unknown to the marts
CUSTOMERS = 2469
WEEKDAYS = np.array([1.26, 0.95, 0.91, 0.85, 0.88, 0.95, 1.20])  # from Sunday
EFFECTS = (0.0, 0.0, 0.05, 0.2)
BROAD, NARROW = 3, 17  # campaigns to nearly half of the customers, and to a few


@dataclass(frozen=True)
class Campaigns:
    """A world of customers and campaigns.

    Attributes:
        baskets: of customers by day: `customer`, `day` (0 is the first) and `amount`, US dollars.
        starts: of each campaign the first day.
        ends: of each campaign the last day; may lie past the data.
        audience: campaign by customer, whether it was sent to them.
        effect: of each campaign, planted: 0.2 is 20 % more.
        uplift: of each campaign, US dollars per customer of its audience and day in the data: what it brought, given
            all other campaigns.
    """

    baskets: dict[str, NDArray[np.float64]]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    audience: NDArray[np.bool_]
    effect: NDArray[np.float64]
    uplift: NDArray[np.float64]

    def tables(self) -> dict[str, pa.Table]:
        """The facts and dimensions of this world."""
        days = np.array([FIRST + timedelta(days=n) for n in range(DAYS + 200)])
        campaign, customer = np.nonzero(self.audience)
        return {
            "int_customer_days_summed": pa.table(
                {
                    "customer_id": self.baskets["customer"] + 1,
                    "business_date": days[self.baskets["day"].astype(int)],
                    "net_sales_amount": np.round(self.baskets["amount"], 2),
                }
            ),
            "dim_campaign": pa.table(
                {
                    "campaign_key": np.arange(len(self.starts)) + 1,
                    "campaign_id": np.arange(len(self.starts)) + 1,
                    "campaign_type": ["Type A"] * len(self.starts),
                    "start_date": days[self.starts],
                    "end_date": days[self.ends],
                    "observed_start_date": days[self.starts],
                    "observed_end_date": days[np.minimum(self.ends, DAYS - 1)],
                    "is_start_cut": np.zeros(len(self.starts), dtype=bool),
                    "is_end_cut": self.ends >= DAYS,
                }
            ),
            "fct_campaign_contacts": pa.table({"campaign_id": campaign + 1, "customer_id": customer + 1}),
            "dim_date": pa.table({"date_key": days[:DAYS]}),
            "int_sales_window_measured": pa.table({"first_business_date": [days[0]], "as_of_date": [days[DAYS - 1]]}),
        }


def draw(chance: np.random.Generator) -> Campaigns:
    """A world.

    Args:
        chance: what it is drawn with.
    """
    trips, basket = _customers(chance)
    starts, ends, sizes = _calendar(chance)
    effect = chance.choice(EFFECTS, len(starts))
    taste = chance.gamma(4, 1 / 4, (len(starts), CUSTOMERS))  # who likes a campaign how much
    audience = np.zeros((len(starts), CUSTOMERS), dtype=bool)
    running = np.ones_like(trips)
    lines = [_trade(chance, trips * running, basket, 0, EARLIER)]
    sold = [_by_day(lines[0], 0, EARLIER)]
    done = EARLIER
    for one in range(len(starts)):
        first, last = EARLIER + starts[one], EARLIER + min(ends[one] + 1, DAYS)
        until = max(first - 7, done)  # it takes a week to print
        if until > done:
            lines.append(_trade(chance, trips * running, basket, done, until))
            sold.append(_by_day(lines[-1], done, until))
            done = until
        known = np.concatenate(sold, axis=1)[:, -chance.choice([28, 56, 182]) :].sum(axis=1)
        liking = np.log(known + 5) + chance.gumbel(0, chance.uniform(0.3, 1.2), CUSTOMERS)
        audience[one, np.argsort(-liking)[: sizes[one]]] = True
        running[:, first:last] *= 1 + (effect[one] * taste[one] * audience[one])[:, None]
    lines.append(_trade(chance, trips * running, basket, done, EARLIER + DAYS))
    customer, day, amount = (np.concatenate(part) for part in zip(*lines, strict=True))
    seen = day >= EARLIER
    expected = trips * running * basket[:, None]
    uplift = np.empty(len(starts))
    for one in range(len(starts)):
        first, last = EARLIER + starts[one], EARLIER + min(ends[one] + 1, DAYS)
        theirs = expected[audience[one], first:last]
        more = effect[one] * taste[one][audience[one]]
        uplift[one] = (theirs * (more / (1 + more))[:, None]).mean()
    baskets = {"customer": customer[seen], "day": day[seen] - EARLIER, "amount": amount[seen]}
    return Campaigns(baskets, starts, ends, audience, effect, uplift)


Lines = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _customers(chance: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected baskets of each customer on each day, and what one of them is worth on average."""
    span = EARLIER + DAYS
    weeks = span // 7 + 1
    heavy = 0.9 * np.log(chance.gamma(1.3, 1 / 1.3, CUSTOMERS))
    level = np.log(0.16) + heavy
    basket = 27 * chance.lognormal(0, 0.5, CUSTOMERS)
    drift = _wander(chance, CUSTOMERS, weeks, 0.8, 0.2) + _wander(chance, CUSTOMERS, weeks, 0.98, 0.2)
    drift *= np.minimum(np.exp(-0.5 * heavy), 2)[:, None]  # and heavy ones wander less
    season = np.cumsum(chance.normal(0, 0.012, weeks)) + chance.normal(0, 0.03, weeks)
    feeling = chance.lognormal(0, 0.3, CUSTOMERS) * np.minimum(np.exp(-0.3 * heavy), 2)  # light buyers feel it more
    weekly = np.exp(level[:, None] + drift + feeling[:, None] * season)
    trips = np.repeat(weekly, 7, axis=1)[:, :span] * WEEKDAYS[np.arange(span) % 7]
    days = np.arange(span)
    comes = np.where(chance.random(CUSTOMERS) < 0.12, chance.integers(0, span, CUSTOMERS), 0)
    goes = np.where(chance.random(CUSTOMERS) < 0.12, chance.integers(0, span, CUSTOMERS), span)
    return trips * ((days >= comes[:, None]) & (days < goes[:, None])), basket


def _wander(chance: np.random.Generator, many: int, weeks: int, keeps: float, spread: float) -> NDArray[np.float64]:
    """Autoregressive paths, one a row."""
    steps = chance.normal(0, spread, (many, weeks))
    path = np.empty_like(steps)
    path[:, 0] = steps[:, 0]
    for week in range(1, weeks):
        path[:, week] = keeps * path[:, week - 1] + np.sqrt(1 - keeps**2) * steps[:, week]
    return path


def _calendar(chance: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First and last days and sizes of the audiences, in order of time."""
    narrow = np.clip(chance.lognormal(np.log(130), 0.6, NARROW), 12, 300).astype(int)
    broad = (CUSTOMERS * chance.uniform(0.3, 0.45, BROAD)).astype(int)
    sizes = np.concatenate([narrow, broad])
    starts = chance.integers(60, DAYS - 21, len(sizes))
    starts[NARROW:] = 80 + 90 * np.arange(BROAD) + chance.integers(0, 40, BROAD)
    order = np.argsort(starts, kind="stable")
    ends = starts + chance.choice([33, 33, 33, 47, 64], len(sizes)) - 1
    return starts[order], ends[order], sizes[order]


def _trade(
    chance: np.random.Generator, trips: NDArray[np.float64], basket: NDArray[np.float64], first: int, until: int
) -> Lines:
    """Baskets of some days: customer, day and amount."""
    counts = chance.poisson(trips[:, first:until])
    who, when = np.nonzero(counts)
    times = counts[who, when]
    who, when = np.repeat(who, times), np.repeat(when, times)
    return who, when + first, basket[who] * chance.lognormal(-0.1, 0.45, len(who))


def _by_day(lines: Lines, first: int, until: int) -> NDArray[np.float64]:
    """Amounts by customer and day."""
    sold = np.zeros((CUSTOMERS, until - first))
    np.add.at(sold, (lines[0], lines[1] - first), lines[2])
    return sold
