"""`make mutate`: broken versions of macros/incremental_table, one at a time, and whether a test notices.

The tests run in this process, on the services of the tests. A mutation takes place in dbt's parsed manifest, no file is
touched: what was built beforehand is good, and a broken version costs the tests up to the first that fails.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from dbt_runs import ROOT
from warehouse.conftest import Warehouse
from warehouse.mutations import MUTATIONS, Mutation

FOLDER = ROOT / "macros" / "incremental_table"
TESTS = ("test_incremental.py", "test_materialization.py", "test_narrowed_tests.py", "test_turns.py")
LAST = "test_incremental_is_full_refresh"  # random histories: what nothing else finds


@dataclass
class Campaign:
    """A plugin of pytest's that runs the tests against each mutation.

    Attributes:
        mutations: to try.
        is_quick: try only the tests that a mutation's guard names, and none without a mutation.
        survived: names of those that no test noticed, and that aren't said to be equivalent.
        mutation: the one that is tried now.
    """

    mutations: list[Mutation]
    is_quick: bool = False
    survived: list[str] = field(default_factory=list)
    mutation: Mutation | None = None

    @pytest.fixture(autouse=True)
    def mutated(self, prepared: Warehouse) -> Iterator[None]:
        """The macros, one of them broken."""
        with self._applied(prepared):
            yield

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run tests until one fails, for each mutation; pytest's own loop is left out."""
        if len({item.path for item in session.items}) != len(TESTS):
            raise SystemExit("there are no tests of " + " or ".join(TESTS))
        if not self.is_quick and (noticed := self._noticed_by(session.items, "")):
            raise SystemExit(f"{noticed} fails without a mutation")
        for number, mutation in enumerate(self.mutations, 1):
            self.mutation, begun = mutation, time.monotonic()
            tried = [item for item in session.items if not self.is_quick or mutation.guard in item.name]
            noticed = self._noticed_by(tried, mutation.guard)
            verdict = f"caught by {noticed}" if noticed else "survived"
            if mutation.equivalent:
                verdict += f", is equivalent: {mutation.equivalent}"
            elif not noticed:
                self.survived.append(mutation.name)
            took = time.monotonic() - begun
            print(
                f"{number}/{len(self.mutations)} {mutation.file}: {mutation.name}: {verdict} ({took:.0f} s)", flush=True
            )
        self.mutation = None
        if noticed := self._noticed_by(session.items[:1], ""):  # with services that are gone, all are caught
            raise SystemExit(f"{noticed} fails without a mutation: what was caught says nothing")
        return True

    @contextmanager
    def _applied(self, prepared: Warehouse) -> Iterator[None]:
        if self.mutation is None:
            yield
            return
        old, new = self.mutation.old, self.mutation.new
        [macro] = [
            macro
            for macro in prepared.dbt.manifest.macros.values()
            if macro.original_file_path.endswith(f"incremental_table/{self.mutation.file}") and old in macro.macro_sql
        ]
        was = macro.macro_sql
        macro.macro_sql = was.replace(old, new)
        try:
            yield
        finally:
            macro.macro_sql = was

    def _noticed_by(self, items: list[pytest.Item], guard: str) -> str:
        """The first test that fails; those that the guard names come first, random histories last."""
        order = sorted(items, key=lambda item: (not guard or guard not in item.name, LAST in item.name))
        for item in order:
            following = next(other for other in item.session.items if other.path != item.path)  # what was made stays
            reports = runtestprotocol(item, log=False, nextitem=following)
            if any(report.failed for report in reports):
                if self.mutation is None:
                    print(*(report.longreprtext for report in reports if report.failed), sep="\n")
                return item.name
        return ""


def check(mutations: list[Mutation]) -> None:
    """Each mutation changes its file in one place.

    Args:
        mutations: all of them.

    Raises:
        SystemExit: one doesn't; nothing was tried.
    """
    wrong = [
        f"{mutation.file}: {mutation.name}: its old text is there {count} times"
        for mutation in mutations
        if (count := (FOLDER / mutation.file).read_text().count(mutation.old)) != 1
    ]
    names = [mutation.name for mutation in mutations]
    wrong += [
        f"{name}: there are two of this name" for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if wrong:
        raise SystemExit("\n".join(wrong))


def main() -> None:
    """Try the mutations and print what became of each; exit status 1 if one survived."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="mutations whose file or name matches")
    parser.add_argument("--quick", action="store_true", help="only the tests that are named beside a mutation")
    parser.add_argument("--check", action="store_true", help="only look whether each changes its file in one place")
    options = parser.parse_args()
    check(MUTATIONS)
    if options.check:
        return
    named = [one for one in MUTATIONS if one.guard or not options.quick]
    chosen = [one for one in named if re.search(options.only, f"{one.file}: {one.name}")]
    campaign = Campaign(chosen, options.quick)
    tests = [str(ROOT / "tests" / "python" / "warehouse" / name) for name in TESTS]
    plugins: list[Any] = [campaign]
    status = pytest.main(["-q", "-s", "-p", "no:cacheprovider", "--durations=0", "--no-summary", *tests], plugins)
    survived = ", ".join(campaign.survived) or "none"
    print(f"{len(campaign.mutations)} mutations, {len(campaign.survived)} survived: {survived}")
    sys.exit(1 if campaign.survived else int(status))


if __name__ == "__main__":
    main()
