"""Whatever is delivered, mended, damaged and commanded, in whatever order: table and ledger are what they must be.

A model of a few lines follows the commands; the table's rows and the ledger's counts are compared with it after each.
`SEQUENCES=500` draws more.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from journey.loader.declaration.sources import Source
from journey.loader.repairing import repair
from journey.loader.replaying import replay
from journey.loader.settling import settle
from loader.support import QUICK, Landing, empty

KEYS = ("in/a.csv", "in/b.csv", "in/c.csv")
DAYS = {"iso": "2024-02-03", "mended": "03/02/2024", "bad": "soon"}
SEQUENCES = int(os.environ.get("SEQUENCES", "4"))

Step = tuple[str, int, tuple[str, ...]]  # what is done, with which file, and the kinds of its rows if it is delivered


@dataclass
class Version:
    """What an object holds: the kind of each row, by id."""

    rows: dict[int, str]


@dataclass
class Entry:
    """What is loaded of a file.

    Attributes:
        version: that it was loaded from.
        good: ids in the table.
        refused: ids that are neither in the table nor waived.
        is_lost: rows were damaged, and a repair took the rest out.
    """

    version: Version
    good: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    is_lost: bool = False


class Company:
    """A bucket and a table, and what must be in them."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._objects: dict[str, Version] = {}
        self._entries: dict[str, Entry] = {}
        self._next_id = 0
        self._is_mended = False
        self._is_damaged = False
        landing.connection.execute("drop schema if exists raw_shop, loader cascade")
        empty(landing.client, landing.bucket)

    @property
    def _source(self) -> Source:
        formats = ["iso", "%d/%m/%Y"] if self._is_mended else ["iso"]
        columns = {"id": "integer", "sold_on": "date"}
        return self._landing.source("in/", "csv", columns, max_reject_rate=0.99, date_format=formats)

    def _read(self, key: str) -> None:
        """A file is loaded as it is now."""
        version = self._objects[key]
        good = {row for row, kind in version.rows.items() if self._is_good(kind)}
        self._entries[key] = Entry(version, good, set(version.rows) - good)

    def _is_good(self, kind: str) -> bool:
        return kind == "iso" or (kind == "mended" and self._is_mended)

    def deliver(self, key: str, kinds: tuple[str, ...]) -> None:
        """A file comes, or another version of it. Its first row is good, lest all of it be refused."""
        rows = {self._next_id + i: kind for i, kind in enumerate(("iso", *kinds))}
        self._next_id += len(rows)
        self._landing.put(key, "id,sold_on\n" + "".join(f"{row},{DAYS[kind]}\n" for row, kind in rows.items()))
        self._objects[key] = Version(rows)

    def withdraw(self, key: str) -> None:
        """A file goes; its rows stay, for on_delete is keep."""
        self._landing.client.delete_object(Bucket=self._landing.bucket, Key=key)
        self._objects.pop(key, None)

    def mend(self) -> None:
        """The declaration is put right."""
        self._is_mended = True

    def load(self) -> None:
        """`journey load`."""
        if self._is_damaged:
            assert self._landing.load(self._source).exit_status == 1
            return
        assert self._landing.load(self._source).failures == []
        for key, version in self._objects.items():
            entry = self._entries.get(key)
            if entry is None or entry.version is not version or entry.is_lost:
                self._read(key)

    def reload(self, key: str) -> None:
        """`journey load --reload KEY`, which loads all else that is new."""
        if key not in self._objects or self._is_damaged:
            return
        self.load()
        assert self._landing.load(self._source, reload=[key]).failures == []
        self._read(key)

    def replay(self) -> None:
        """`journey replay`."""
        if self._is_damaged:
            return
        summary, _ = replay([self._source], retry=QUICK)
        assert summary.failures == []
        for key, entry in self._entries.items():
            if entry.refused and self._objects.get(key) is entry.version:
                self._read(key)
            elif entry.refused:
                good = {row for row in entry.refused if self._is_good(entry.version.rows[row])}
                entry.good |= good
                entry.refused -= good

    def waive(self, key: str) -> None:
        """`journey settle KEY`."""
        entry = self._entries.get(key)
        if entry is None or not entry.refused:
            return
        assert settle([self._source], key, "a test", "anna") != []
        entry.refused = set()

    def damage(self, key: str) -> None:
        """Somebody deletes a row of a file."""
        entry = self._entries.get(key)
        if entry is None or not entry.good or self._is_damaged:
            return
        self._landing.query("delete from raw_shop.sales where id = %s returning id", max(entry.good))
        entry.good.discard(max(entry.good))
        entry.is_lost = True
        self._is_damaged = True

    def repair(self) -> None:
        """`journey repair --yes`: what is in S3 comes anew with the next load, whatever version it is now."""
        if not self._entries:
            return
        repair(self._landing.client, self._source, yes=True)
        for key, entry in self._entries.items():
            if entry.is_lost and key in self._objects:
                entry.good, entry.refused = set(), set()
            elif entry.is_lost:
                entry.is_lost = False
        self._is_damaged = False

    def check(self) -> None:
        """Compare."""
        if not self._entries:
            return
        found = {row for (row,) in self._landing.query("select id from raw_shop.sales")}
        count = self._landing.query("select count(*) from raw_shop.sales")[0][0]
        expected = [row for entry in self._entries.values() for row in entry.good]
        assert (found, count) == (set(expected), len(expected))
        if self._is_damaged:
            return
        assert self._landing.agree()
        ledger = {
            row[0]: row[1:]
            for row in self._landing.query(
                """select key, delivered_count, row_count, rejected_count, delivered_count - row_count - rejected_count
                       - waived_count from loader.files where status = 'loaded'"""
            )
        }
        assert ledger == {
            key: (len(entry.version.rows), len(entry.good), len(entry.refused), 0)
            for key, entry in self._entries.items()
            if not entry.is_lost
        }


STEPS = st.tuples(
    st.sampled_from(
        ("deliver", "deliver", "load", "load", "withdraw", "mend", "reload", "replay", "waive", "damage", "repair")
    ),
    st.sampled_from(range(len(KEYS))),
    st.lists(st.sampled_from(tuple(DAYS)), max_size=4).map(tuple),
)


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=6, max_size=25))
@example(
    [("deliver", 0, ("mended", "bad")), ("load", 0, ()), ("damage", 0, ()), ("withdraw", 0, ()), ("repair", 0, ()),
     ("mend", 0, ()), ("replay", 0, ()), ("deliver", 0, ("bad",)), ("load", 0, ())]
)  # fmt: skip
@example(
    [("deliver", 0, ("mended", "bad")), ("load", 0, ()), ("damage", 0, ()), ("repair", 0, ()), ("withdraw", 0, ()),
     ("load", 0, ())]
)  # fmt: skip
def test_any_sequence_of_commands_ends_right(landing: Landing, steps: list[Step]) -> None:
    company = Company(landing)
    for what, position, kinds in steps:
        key = KEYS[position]
        commands: dict[str, Callable[[], None]] = {
            "deliver": lambda key=key, kinds=kinds: company.deliver(key, kinds),  # type: ignore[misc]
            "withdraw": lambda key=key: company.withdraw(key),  # type: ignore[misc]
            "mend": company.mend,
            "load": company.load,
            "reload": lambda key=key: company.reload(key),  # type: ignore[misc]
            "replay": company.replay,
            "waive": lambda key=key: company.waive(key),  # type: ignore[misc]
            "damage": lambda key=key: company.damage(key),  # type: ignore[misc]
            "repair": company.repair,
        }
        commands[what]()
        company.check()
