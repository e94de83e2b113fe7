"""A database of their own for the worlds, and how many of them to draw."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import pytest

from dbt_runs import Dbt, administer
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
        yield lambda models: Chain(dbt, models)
    administer(f"drop database {name} with (force)")
