"""Fixtures of the loader's tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from journey.services.state import State
from loader.support import Landing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def loader_database(embedded: State) -> Iterator[str]:
    """One database for all of these tests: making one takes longer than most of them."""
    name = f"loader_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield name
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def database(loader_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """That database, emptied after the test; PGDATABASE names it."""
    monkeypatch.setenv("PGDATABASE", loader_database)
    yield loader_database
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(
            """do $$ declare name text; begin
                 for name in select nspname from pg_namespace where nspname ~ '^raw_|^loader$' loop
                   execute format('drop schema %I cascade', name);
                 end loop;
                 drop view if exists seen;
               end $$"""
        )


@pytest.fixture
def landing(database: str, bucket: str, s3: S3Client) -> Iterator[Landing]:
    """An empty bucket and an empty database."""
    with psycopg.connect(autocommit=True) as connection:
        yield Landing(s3, bucket, connection)
