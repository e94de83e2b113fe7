"""When things happen: the stores' own days, the source's retail weeks, the extracts, and when a file arrives."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

STORE_ZONE = ZoneInfo("America/New_York")
WEEK_ONE = date(2016, 12, 26)  # Monday of the source's retail week 1
LAST_WEEK = 53
FIRST_DAY = date(2017, 1, 1)  # first business date, and first day on which anything but an extract is delivered
LAST_DAY = date(2017, 12, 31)
EXTRACT_DATES = (
    date(2016, 12, 31),
    *(date(2017, month + 1, 1) - timedelta(days=1) for month in range(1, 12)),
    LAST_DAY,
)
HOUR = 3600
_EPOCH = date(1970, 1, 1)


def monday(week: int) -> date:
    """The first day of a retail week (1 to 53)."""
    return WEEK_ONE + timedelta(weeks=week - 1)


def week_of(day: date) -> int:
    """The retail week (1 to 53) of a business date."""
    return (day - WEEK_ONE).days // 7 + 1


def next_month(day: date, day_of_month: int = 1) -> date:
    """A day of the month after the one that `day` is in."""
    return date(day.year + day.month // 12, day.month % 12 + 1, day_of_month)


def month_end(day: date) -> date:
    """The last day of the month that `day` is in."""
    return next_month(day) - timedelta(days=1)


def period(day: date) -> str:
    """The fiscal period of a posting date, such as 2017-01: the calendar month."""
    return f"{day:%Y-%m}"


def day_number(day: date) -> int:
    """Days since 1970-01-01, as numpy's datetime64[D] counts them."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day that is `number` days after 1970-01-01."""
    return _EPOCH + timedelta(days=int(number))


def business_days(seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Business dates of instants: the day in the stores' own time zone.

    Args:
        seconds: UTC, seconds since 1970-01-01.

    Returns:
        Days since 1970-01-01.
    """
    if not len(seconds):
        return seconds // (24 * HOUR)
    hours = seconds // HOUR  # New York changes its clocks on the hour
    first = int(hours.min())
    offsets = np.array(
        [
            int(datetime.fromtimestamp(hour * HOUR, timezone.utc).astimezone(STORE_ZONE).utcoffset().total_seconds())  # type: ignore[union-attr]
            for hour in range(first, int(hours.max()) + 1)
        ],
        dtype=np.int64,
    )
    days: np.ndarray[Any, Any] = (seconds + offsets[hours - first]) // (24 * HOUR)
    return days
