"""History of the households: the public data knows only their last state, so earlier extracts are SIMULATED.

The last extract equals the public data. About 1 % of the households were otherwise at the year's start: five had
the income band beside theirs, four were one child (and so one person) fewer. Each changes once, at a drawn month.
"""

from __future__ import annotations

from typing import Any

from deliveries import source
from deliveries.draws import draw, pick, shuffled
from deliveries.timeline import EXTRACT_DATES

INCOME_CHANGES = 5
SIZE_CHANGES = 4
INCOME_BANDS = ("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K", "150-174K",
                "175-199K", "200-249K", "250K+")  # fmt: skip
# (household_size, household_comp, kids_count) before the last child came, for the states that have one such before.
ONE_CHILD_FEWER = {
    ("3", "2 Adults Kids", "1"): ("2", "2 Adults No Kids", "0"),
    ("4", "2 Adults Kids", "2"): ("3", "2 Adults Kids", "1"),
    ("5+", "2 Adults Kids", "3+"): ("4", "2 Adults Kids", "2"),
    ("2", "1 Adult Kids", "1"): ("1", "1 Adult No Kids", "0"),
    ("3", "1 Adult Kids", "2"): ("2", "1 Adult Kids", "1"),
}
_SIZE = ("household_size", "household_comp", "kids_count")

Household = dict[str, Any]


def extract(index: int) -> list[Household]:
    """One full extract, by household_id.

    Args:
        index: which of `EXTRACT_DATES`.
    """
    public = source.read("demographics").sort_by("household_id").to_pylist()
    earlier = _earlier_states(public)
    day = EXTRACT_DATES[index].isoformat()
    rows = []
    for row in public:
        changes_at, before = earlier.get(row["household_id"], (0, {}))
        rows.append({"extract_date": day, **row, **(before if index < changes_at else {})})
    return rows


def _earlier_states(public: list[Household]) -> dict[int, tuple[int, Household]]:
    """By household: the extract from which on the public state holds, and what differs before it."""
    by_id = {row["household_id"]: row for row in public}
    queue = shuffled(by_id, "household changes")
    size_known = [key for key in queue if tuple(by_id[key][name] for name in _SIZE) in ONE_CHILD_FEWER]
    sizes = size_known[:SIZE_CHANGES]
    incomes = [key for key in queue if key not in sizes][:INCOME_CHANGES]
    found: dict[int, tuple[int, Household]] = {}
    for key in sizes:
        now = tuple(by_id[key][name] for name in _SIZE)
        found[key] = _changes_at(key), dict(zip(_SIZE, ONE_CHILD_FEWER[now], strict=True))
    for key in incomes:
        band = INCOME_BANDS.index(by_id[key]["income"])
        beside = band - 1 if band == len(INCOME_BANDS) - 1 or (band and draw("raise", key) < 0.7) else band + 1
        found[key] = _changes_at(key), {"income": INCOME_BANDS[beside]}
    return found


def _changes_at(household: int) -> int:
    return pick(range(1, len(EXTRACT_DATES)), "household changes at", household)
