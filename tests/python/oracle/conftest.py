"""What is built, and the source that it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from journey import settings
from journey.embedded import ADMIN, use_embedded
from oracle.shop import landed, open_shop

FULL = "JOURNEY_ORACLE" in os.environ  # make oracle: what `make demo` built; else the slice that the tests build


@pytest.fixture(scope="package")
def built(request: pytest.FixtureRequest) -> None:
    """The built marts, and the landing that they come from."""
    if FULL:
        use_embedded(ADMIN)  # who sees persons' columns as they are
    else:
        request.getfixturevalue("demo")


@pytest.fixture(scope="package")
def shop(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The landed source in DuckDB."""
    folder = tmp_path_factory.mktemp("extracts")
    with open_shop(landed(settings.s3_client(), "landing", folder), folder) as connection:
        yield connection


@pytest.fixture(scope="package")
def postgres(built: None) -> Iterator[psycopg.Connection]:
    """The database with the marts."""
    with settings.connect(autocommit=True) as connection:
        yield connection
