"""Every row and measure of the marketing and sales marts against their computation from the source.

In CI on what `journey demo --weeks 8` built; `make oracle` compares the full data that `make demo` built.
"""

from __future__ import annotations

import duckdb
import psycopg
import pytest

from conftest import ROOT
from oracle.compare import Compared
from oracle.conftest import FULL
from oracle.marts import MARTS

NEEDS_TWO_YEARS = {  # the default data is one
    "sales_trends": {"seasonal_index"},
    "sales_forecast": {"error_to_seasonal_naive_rate"},
}
NEEDS_A_LONGER_HISTORY = {
    "campaign_performance": {"adjusted_p_value", "placebo_p_value", "placebo_uplift_rate"},
    "sales_trends": {
        "is_change_beyond_chance",
        "moving_average_13_weeks_amount",
        "moving_average_3_months_amount",
    },
    "sales_forecast": {f"{end}_{level}_amount" for end in ("lower", "upper") for level in (80, 95)},
    "customer_value": {
        f"{kind}_{measure}"
        for kind in (
            *("expected", "typical", "lower_80", "upper_80", "lower_95", "upper_95"),
            *("holdout_expected", "holdout_typical", "holdout_naive", "holdout_actual"),
        )
        for measure in ("baskets_count", "value_amount")
    }
    | {f"is_{measure}_in_holdout_{level}" for measure in ("baskets", "value") for level in (80, 95)},
}


def test_every_mart_has_a_computation() -> None:
    found = {file.stem for folder in ("marketing", "sales") for file in (ROOT / "models/marts" / folder).glob("*.sql")}
    assert found == set(MARTS)


@pytest.fixture(scope="module", params=MARTS)
def compared(
    request: pytest.FixtureRequest,
    shop: duckdb.DuckDBPyConnection,
    postgres: psycopg.Connection,
    tmp_path_factory: pytest.TempPathFactory,
) -> Compared:
    """One mart after the other, beside its computation."""
    return Compared(postgres, shop, request.param, MARTS[request.param], tmp_path_factory.mktemp(request.param))


def test_mart_equals_its_computation_from_the_source(compared: Compared) -> None:
    assert compared.rows > 0
    assert compared.differences() == {}


def test_only_what_needs_a_longer_history_is_empty(compared: Compared) -> None:
    """Two empty columns are equal, which proves nothing: what a slice can't show is listed."""
    longer = set() if FULL else NEEDS_A_LONGER_HISTORY.get(compared.name, set())
    assert compared.empty() == longer | NEEDS_TWO_YEARS.get(compared.name, set())


def test_the_smallest_change_in_any_column_and_a_lost_row_are_found(compared: Compared) -> None:
    """After the comparison, for it spoils the copy."""
    changed = {column for column in compared.columns if compared.change(column)}
    assert compared.differences() == dict.fromkeys(changed, 1)
    compared.lose_a_row()
    assert compared.differences()["rows"] == 1
