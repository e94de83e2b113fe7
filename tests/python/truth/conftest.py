"""A database of its own for each chain of models, and how many worlds to draw."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest

from dbt_runs import Dbt, administer
from journey import settings
from journey.services.state import State
from truth.chain import Chain

FULL = "JOURNEY_TRUTH" in os.environ  # make truth: enough worlds for 4,000 estimates; else a few
SEED = int(os.environ.get("SEED", "1"))  # another one draws other worlds


@pytest.fixture(scope="package")
def chain_of(embedded: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Sequence[str]], Chain]]:
    """Builds a chain of models over worlds; dbt is parsed once."""
    name = f"truth_{uuid.uuid4().hex[:12]}"
    administer(f"create database {name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", name)
        dbt = Dbt(tmp_path_factory.mktemp("target"))
        yield lambda models: Chain(dbt, models)
    administer(f"drop database {name} with (force)")


@pytest.fixture
def world_database(chain_of: object) -> Iterator[psycopg.Connection]:
    """A connection to the worlds' database."""
    with settings.connect(autocommit=True) as connection:
        yield connection
