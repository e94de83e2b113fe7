"""The marts of the full data against their computation from the source. `make oracle` runs it on what is built."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from journey import settings
from oracle.compare import differences
from oracle.marts import MARTS
from oracle.shop import open_shop

pytestmark = pytest.mark.skipif("JOURNEY_ORACLE" not in os.environ, reason="needs the full data: make oracle")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The source in DuckDB."""
    settings.use_embedded()
    with open_shop(settings.s3_client(), "landing", tmp_path_factory.mktemp("products")) as connection:
        yield connection


@pytest.fixture(scope="module")
def postgres(shop: duckdb.DuckDBPyConnection) -> Iterator[psycopg.Connection]:
    """The database with the marts."""
    with settings.connect() as connection:
        yield connection


@pytest.mark.parametrize("name", MARTS)
def test_mart_equals_its_computation_from_the_source(
    name: str, shop: duckdb.DuckDBPyConnection, postgres: psycopg.Connection, tmp_path: Path
) -> None:
    rows, different = differences(postgres, shop, name, MARTS[name], tmp_path)
    assert rows > 0
    assert different == {}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("update marketing.customer_value set expected_value_amount = expected_value_amount + 0.01", "value"),
        ("update marketing.customer_value set expected_baskets_count = null", "baskets"),
        ("delete from marketing.customer_value", "rows"),
    ],
)
def test_one_changed_cell_and_one_lost_row_are_found(
    change: str, where: str, shop: duckdb.DuckDBPyConnection, postgres: psycopg.Connection, tmp_path: Path
) -> None:
    row = "where customer_id = (select max(customer_id) from marketing.customer_value)"
    with postgres.transaction(force_rollback=True):
        postgres.execute(f"{change} {row}".encode())
        _, different = differences(postgres, shop, "customer_value", MARTS["customer_value"], tmp_path)
    column = {"value": "expected_value_amount", "baskets": "expected_baskets_count", "rows": "rows"}[where]
    assert different[column] == 1
