"""dbt in this process, on copies of databases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from dbt.adapters.base import impl
from dbt.cli.main import dbtRunner

from journey.loader.declaration.sources import Source, parse_source
from journey.project import project_root

ROOT = project_root(Path(__file__).parent)
QUIETLY = ("--log-level", "none", "--log-level-file", "none", "--no-write-json", "--cache-selected-only")


class Flags(list[Any]):
    """dbt's list of its adapters' flags, which each run in a process makes longer by what it holds already.

    For each entry dbt looks through the whole call stack: below pytest, after fifty runs, half a second at each run.
    """

    def extend(self, more: Iterable[Any]) -> None:
        """Add what isn't there."""
        super().extend([one for one in more if one not in self])


impl.DEFAULT_BASE_BEHAVIOR_FLAGS = Flags(impl.DEFAULT_BASE_BEHAVIOR_FLAGS)


@dataclass
class Ran:
    """What a dbt run did.

    Attributes:
        failed: names of the tests that failed.
        errors: messages of nodes that broke.
        skipped: names of what was not built, because a test before it failed.
        unchanged: names of the incremental tables of which nothing was written.
        said: lines printed at the end of the run.
        sql: of each model that was built, in order, what its table was selected with.
    """

    failed: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set, compare=False)
    said: list[str] = field(default_factory=list)
    sql: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def about(self, test: str) -> str:
        """What a failed test said of the rows it found."""
        return "\n".join(line for line in self.said if line.startswith(f"{test}: "))


class Dbt:
    """dbt in this process, parsed once; the database is always the one that PGDATABASE names.

    Args:
        target: folder for what dbt writes.
        project: the dbt project.
        comments: write descriptions into the database, a quarter of a run's time; the demo's build does.
        variables: of the project, in place of what `dbt_project.yml` says.
        by_hand: raw tables are changed past the loader, which no build can see: each run builds all that it selects.
        into: the profile's target; demo has plain schemas.
    """

    def __init__(
        self,
        target: Path,
        project: Path = ROOT,
        *,
        comments: bool = False,
        variables: Mapping[str, object] | None = None,
        by_hand: bool = False,
        into: str = "demo",
    ) -> None:
        self.by_hand = by_hand
        self.folders = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target)]
        self.folders += ["--target", into]
        self.folders += ["--vars", json.dumps(variables)] if variables else []
        parsed: Any = dbtRunner().invoke(["--quiet", "parse", "--no-partial-parse", *self.folders])
        self.manifest = parsed.result
        for node in self.manifest.nodes.values() if not comments else ():
            if node.config.get("persist_docs"):
                node.config.persist_docs = {}

    def sources(self, bucket: str) -> list[Source]:
        """What the project declares for the loader.

        Args:
            bucket: to read instead of the declared one.
        """
        declared = (source.to_dict() for source in self.manifest.sources.values() if source.external)
        return [replace(parse_source(source), bucket=bucket) for source in declared]

    def __call__(self, *arguments: str) -> Ran:
        """Run a dbt command.

        Args:
            arguments: as on dbt's command line.
        """
        ran = Ran()
        if self.by_hand:
            with psycopg.connect(autocommit=True) as connection:
                connection.execute("drop schema if exists build_state cascade")

        def listen(event: Any) -> None:
            if event.info.name == "PrintEvent":
                ran.said.append(event.info.msg)

        result: Any = dbtRunner(manifest=self.manifest, callbacks=[listen]).invoke(
            [*QUIETLY, *arguments, "--threads", "2", *self.folders]
        )
        if result.exception is not None:
            raise result.exception
        for one in result.result.results:
            if one.status == "fail":
                ran.failed.add(one.node.name)
            elif one.status in ("error", "runtime error"):
                ran.errors.append(f"{one.node.name}: {one.message}")
            elif one.status == "skipped":
                ran.skipped.add(one.node.name)
            elif one.node.resource_type == "model":
                ran.sql[one.node.name] = one.node.compiled_code
                if one.adapter_response.get("code") == "UNCHANGED":
                    ran.unchanged.add(one.node.name)
        return ran


def recreate(database: str, template: str) -> None:
    """Make a database, in place of the one of that name, as a copy of another that nobody is connected to."""
    administer(f"drop database if exists {database} with (force)", f"create database {database} template {template}")


def administer(*statements: str) -> None:
    """Run statements that stand in no transaction."""
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
