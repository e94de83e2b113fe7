"""Change the marts' SQL in many small ways, one after the other: each time a unit test of the model must fail.

`make mutate-marts` runs it. The tables that unit tests ask for the types of their columns are empty ones with the
columns of the contracts, so nothing is landed, loaded or built.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path

import click
import pytest

from dbt_runs import Dbt, administer
from journey import services, settings
from journey.embedded import ADMIN, use_embedded
from mutation.marts import MART_MUTATIONS
from truth.chain import make_empty

Mutation = tuple[str, str, str]


def survivors(dbt: Dbt, only: str) -> list[Mutation]:
    """Mutations that no unit test sees.

    Args:
        dbt: parsed, for a database with the tables that unit tests ask for.
        only: part of the names of the models to change; all if empty.

    Raises:
        AssertionError: if a unit test fails without a mutation, or what is to be changed doesn't stand there once.
    """
    nodes = {node.name: node for node in dbt.manifest.nodes.values() if node.resource_type == "model"}
    model_of = {test.name: test.model for test in dbt.manifest.unit_tests.values()}
    by_model: dict[str, list[Mutation]] = defaultdict(list)
    for mutation in MART_MUTATIONS:
        if only in mutation[0]:
            by_model[mutation[0]].append(mutation)
            times = nodes[mutation[0]].raw_code.count(mutation[1])
            assert times == 1, f"{mutation[0]}: {mutation[1]!r} stands there {times} times"
    failing = _failing(dbt, by_model, model_of)
    assert not failing, f"fail as they are: {failing}"
    left = []
    for mutations in zip_longest(*by_model.values()):  # one of each model at a time, for a run of dbt takes its time
        changed = [mutation for mutation in mutations if mutation]
        kept = {model: nodes[model].raw_code for model, _, _ in changed}
        try:
            for model, old, new in changed:
                nodes[model].raw_code = kept[model].replace(old, new)
            failing = _failing(dbt, kept, model_of)
        finally:
            for model, code in kept.items():
                nodes[model].raw_code = code
        for model, old, new in changed:
            click.echo(f"{'seen' if model in failing else 'SURVIVES':9}{model}: {_short(old)} -> {_short(new)}")
        left += [mutation for mutation in changed if mutation[0] not in failing]
    total = sum(map(len, by_model.values()))
    click.echo(f"{total - len(left)} of {total} mutations are seen")
    return left


def _failing(dbt: Dbt, models: Iterable[str], model_of: Mapping[str, str]) -> set[str]:
    """Models of which a unit test fails or breaks."""
    ran = dbt("test", "--select", *(f"{model},test_type:unit" for model in models))
    return {model_of[test] for test in (*ran.failed, *(error.split(": ")[0] for error in ran.errors))}


def _short(text: str) -> str:
    return " ".join(text.split()) or "(nothing)"


def main(only: str = "") -> int:
    """Run all mutations, or those of models whose names contain a text; 1 if any survives."""
    services.up()
    use_embedded(ADMIN)
    database = f"mutations_{uuid.uuid4().hex[:12]}"
    administer(f"create database {database}")
    try:
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as target:
            patch.setenv("PGDATABASE", database)
            dbt = Dbt(Path(target))
            with settings.connect(autocommit=True) as connection:
                models = (node for node in dbt.manifest.nodes.values() if node.resource_type == "model")
                make_empty(connection, (model for model in models if model.contract.enforced))
            assert not dbt("seed").errors
            return 1 if survivors(dbt, only) else 0
    finally:
        administer(f"drop database {database} with (force)")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
