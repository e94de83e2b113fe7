"""Fixtures of the loader's tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from journey import settings
from journey.services.state import State
from loader.support import Landing, empty

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
    with psycopg.connect(autocommit=True) as connection:
        yield loader_database
        connection.execute(
            """do $$ declare name text; begin
                 for name in select nspname from pg_namespace where nspname ~ '^raw_|^loader$' loop
                   execute format('drop schema %I cascade', name);
                 end loop;
                 drop view if exists seen;
               end $$"""
        )


@pytest.fixture(scope="session")
def loader_bucket(embedded: State) -> Iterator[str]:
    """One bucket for all of these tests."""
    s3, name = settings.s3_client(), f"test-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    yield name
    empty(s3, name)
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def bucket(loader_bucket: str, s3: S3Client) -> Iterator[str]:
    """That bucket, emptied after the test."""
    yield loader_bucket
    empty(s3, loader_bucket)


@pytest.fixture
def landing(database: str, bucket: str, s3: S3Client) -> Iterator[Landing]:
    """An empty bucket and an empty database."""
    with psycopg.connect(autocommit=True) as connection:
        yield Landing(s3, bucket, connection)
