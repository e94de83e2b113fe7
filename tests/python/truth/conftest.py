"""A database of their own for the worlds, and how many of them to draw."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest
from psycopg import sql

from dbt_runs import Dbt, administer
from journey import settings
from journey.services.state import State
from truth.chain import Chain

ESTIMATES = int(os.environ.get("ESTIMATES", "60"))  # of each kind: make truth makes 4,000, CI a few
FULL = "ESTIMATES" in os.environ
SEED = int(os.environ.get("SEED", "1"))  # another one draws other worlds


@pytest.fixture(scope="package")
def chain_of(embedded: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Sequence[str]], Chain]]:
    """Builds a chain of models over worlds; dbt is parsed once."""
    name = f"truth_{uuid.uuid4().hex[:12]}"
    administer(f"create database {name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", name)
        dbt = Dbt(tmp_path_factory.mktemp("target"))

        def made(models: Sequence[str]) -> Chain:
            with settings.connect(autocommit=True) as connection:  # what the chain before left
                for (schema,) in connection.execute(
                    "select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$|^public$'"
                ).fetchall():
                    connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
            return Chain(dbt, models)

        yield made
    administer(f"drop database {name} with (force)")


@pytest.fixture
def world_database(chain_of: object) -> Iterator[psycopg.Connection]:
    """A connection to the worlds' database."""
    with settings.connect(autocommit=True) as connection:
        yield connection
