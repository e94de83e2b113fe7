"""The questions that each mart's `meta` asks are answered by the queries beside them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import yaml

from conftest import ROOT
from oracle.conftest import FULL

# why eight weeks of data have no rows for a question
EMPTY_IN_EIGHT_WEEKS = {
    "the first ledger file brings no late entry": {
        "Which accounts were changed after their period had closed?",
        "Where do late entries belong, and when did they arrive?",
        "What was entered after its period had closed?",
        "By how much did late entries change the profit of each period?",
        "When did the late entries arrive?",
        "Which balances did the ERP restate after it had reported them?",
    },
    "all balances tie, as they should": {"In which period did a difference arise?"},
    "January is the only period that is posted": {
        "In which months did operations burn cash?",
        "What was invested and what went to lenders and shareholders?",
        "Where did prices rise most against the month before, and how far can it be told?",
        "Which products' prices moved sales most in the newest period?",
        "How much do products that are new or gone move?",
        "Which categories did customers turn to, prices and volume aside?",
    },
    "the revised budget comes in July": {
        "What did we spend without a budget?",
        "Where does the year end up, account by account?",
        "Which departments lost most volume against the revised budget?",
    },
    "one campaign can be measured, and chance explains it": {"Which campaigns moved sales by more than chance?"},
    "no campaign can be judged before 90 days": {"What did campaigns cost, and what did they bring back?"},
    "no change of one month is beyond chance": {
        "Which products lost most against the month before?",
        "Which stores lost most against the month before?",
    },
    "the first cohort is two months old": {
        "How many customers stay after three months?",
        "What is a new customer worth within half a year?",
    },
}
EMPTY_ALWAYS = EMPTY_IN_EIGHT_WEEKS["all balances tie, as they should"]
EMPTY = EMPTY_ALWAYS if FULL else frozenset[str]().union(*EMPTY_IN_EIGHT_WEEKS.values())


def questions() -> Iterator[tuple[str, str, str]]:
    """Mart, question, query."""
    for file in sorted((ROOT / "models" / "marts").glob("*/*.yml")):
        for model in yaml.safe_load(file.read_text()).get("models", []):
            for one in model["config"]["meta"]["questions"]:
                yield model["name"], one["question"], one["query"]


@pytest.mark.parametrize(("mart", "question", "query"), list(questions()))
def test_the_query_answers(postgres: psycopg.Connection, mart: str, question: str, query: str) -> None:
    assert f".{mart}" in query
    with postgres.transaction(force_rollback=True):
        postgres.execute("set transaction read only")
        rows = postgres.execute(query.encode()).fetchall()
    assert bool(rows) != (question in EMPTY)


def test_every_mart_asks_and_no_exception_is_out_of_date() -> None:
    marts = {file.stem for file in (ROOT / "models" / "marts").glob("*/*.sql")}
    assert {mart for mart, _, _ in questions()} == marts
    assert {question for _, question, _ in questions()} >= EMPTY
