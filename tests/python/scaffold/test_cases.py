"""Files as companies write them: what is proposed loads them right, or says what it couldn't know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from journey import settings
from loader.cases import CASES, Case
from loader.support import Landing, empty
from scaffold.judging import judge

# What no look at a file can tell, and what a case declares against what its file says of itself
WISHES = {
    "numeric(8,2) extra_digits: round": "digits are rounded because somebody wants it",
    "finer decimals, rounded": "the same",
    "days since 1970 for a date": "whole numbers, by the file's own type, in a column called v",
}
FIGURE = {"right": 149, "said": 86}
found: dict[tuple[str, str], str] = {}


def files() -> list[Case]:
    """The first case of each set of files that gives rows: it has the options that they need."""
    chosen: dict[object, Case] = {}
    for case in CASES:
        if case.rows and case.name not in WISHES:
            chosen.setdefault(tuple(sorted((key, str(body)) for key, body in case.files.items())), case)
    return list(chosen.values())


@pytest.fixture(scope="module")
def database_of_cases(loader_database: str) -> Iterator[psycopg.Connection[object]]:
    """One ledger for all of them: making one takes longer than most cases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", loader_database)
        with psycopg.connect(autocommit=True, prepare_threshold=None) as connection:
            yield connection
            connection.execute("drop schema if exists loader cascade")


@pytest.fixture
def landing(database_of_cases: psycopg.Connection[object], loader_bucket: str) -> Iterator[Landing]:
    """An empty bucket, an empty ledger, no table."""
    client = settings.s3_client()
    yield Landing(client, loader_bucket, database_of_cases)
    empty(client, loader_bucket)
    database_of_cases.execute("drop schema if exists raw_shop cascade")
    if database_of_cases.execute("select to_regclass('loader.files') is not null").fetchone() == (True,):
        database_of_cases.execute("truncate loader.files, loader.runs cascade")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case.cause}: {case.name}", marks=pytest.mark.long if number % 6 else ())
        for number, case in enumerate(files())
    ],
)
def test_what_is_proposed_loads_right_or_says_what_it_could_not_know(landing: Landing, case: Case) -> None:
    verdict, _ = judge(landing, case)
    found[case.cause, case.name] = verdict.kind
    assert verdict.kind != "wrong", verdict.why


@pytest.mark.long
def test_the_figure() -> None:
    """How many of all: docs/add-a-feed.md tells it."""
    if len(found) < len(files()):
        pytest.skip("not all cases were tried")
    assert dict(Counter(found.values())) == FIGURE
