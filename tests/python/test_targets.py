"""Which schemas a target writes: a copy of one's own by default, the plain ones only where that is said by name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from shutil import copytree

import psycopg
import pytest
import yaml
from dbt.artifacts.resources.types import NodeType
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from conftest import ROOT, Demo, run
from dbt_runs import Dbt
from journey.services.state import State
from journey.site import catalogue

SHARED = ("dbt_project.yml", "macros", "seeds", "snapshots", "tests", "docs")
HEADCOUNT = (
    "-- one row: one store\nselect store_key, 7 as people_count from {{ ref('dim_store') }} where store_key <> 0\n"
)
HEADCOUNT_YAML = """models:
  - name: headcount
    description: Who works where.
    columns:
      - {name: store_key, data_type: bigint, description: Store., constraints: [{type: not_null}]}
      - {name: people_count, data_type: integer, description: People.}
"""
COLOUR = "      - {name: colour, data_type: text, description: The customer's favourite colour.}\n"
SCHEMAS = "select nspname from pg_namespace where nspname not like 'pg\\_%' order by 1"


def dbt(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The `dbt` command, as a person runs it."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def project(folder: Path) -> Path:
    """The project, with models that a test may change."""
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    for name in ("models", "examples/completejourney"):
        copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with a mart folder of a company's own."""
    folder = project(tmp_path_factory.mktemp("company"))
    (folder / "models" / "marts" / "people").mkdir()
    (folder / "models" / "marts" / "people" / "headcount.sql").write_text(HEADCOUNT)
    (folder / "models" / "marts" / "people" / "headcount.yml").write_text(HEADCOUNT_YAML)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's settings, profile and macros around three models, which are parsed in no time."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("dbt_project.yml", "macros"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    for model in (
        "staging/shop/stg_shop__sales",
        "warehouse/fct_visits",
        "marts/sales/day",
        "marts/sales/steps/int_day",
    ):
        (folder / "models" / f"{model}.sql").parent.mkdir(parents=True, exist_ok=True)
        (folder / "models" / f"{model}.sql").write_text("select 1 as one")
        (folder / "models" / f"{model}.yml").write_text(
            f"models: [{{name: {Path(model).name}, columns: [{{name: one, data_type: integer}}]}}]"
        )
    return folder


@pytest.fixture
def parse(small: Path, embedded: State, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Where the small project's models go, in order; or what dbt says against it."""

    def schemas(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
        for name in ("USER", "PGUSER", "PGHOST"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        folders = ["--project-dir", str(small), "--profiles-dir", str(small), "--log-path", str(small / "logs")]
        parsed = dbtRunner().invoke(["--quiet", "--warn-error-options", "{}", "parse", *folders, *arguments])
        if isinstance(parsed.result, Manifest):
            models = (node for node in parsed.result.nodes.values() if node.resource_type == NodeType.Model)
            return " ".join(sorted(node.schema for node in models))
        return str(parsed.exception)

    return schemas


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {"USER": "anna"}, "dev_anna"),
        ([], {"USER": "Anna.Smith"}, "dev_anna_smith"),
        ([], {"PGUSER": "analyst"}, "dev_analyst"),  # in a container there may be no USER
        ([], {}, "dev_journey"),
        ([], {"USER": "anna", "DBT_SCHEMA": "try"}, "try"),
        ([], {"USER": "anna", "DBT_SCHEMA": ""}, "dev_anna"),
        (["--target", "ci"], {"USER": "anna"}, "ci"),
        (["--target", "ci"], {"DBT_SCHEMA": "ci_17"}, "ci_17"),
    ],
)
def test_a_target_that_is_not_named_production_prefixes_its_schemas(
    parse: Callable[..., str], arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    layers = ("sales", "sales", "staging", "warehouse")
    assert parse(arguments, environment) == " ".join(f"{expected}_{layer}" for layer in layers)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--target", "prod"], {"PGHOST": "db.example"}),
        ([], {"DBT_TARGET": "prod", "PGHOST": "db.example"}),
        (["--target", "demo"], {"DBT_SCHEMA": "try"}),
    ],
)
def test_plain_schemas_are_asked_for_by_name(
    parse: Callable[..., str], arguments: list[str], environment: dict[str, str]
) -> None:
    assert parse(arguments, {"USER": "anna", **environment}) == "sales sales staging warehouse"


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--target", "prod"], {}, "Env var required but not provided: 'PGHOST'"),
        (
            ["--target", "prod"],
            {"PGHOST": "db.example", "DBT_SCHEMA": "try"},
            "leave out --target prod, or unset DBT_SCHEMA",
        ),
        ([], {"DBT_SCHEMA": "feature/x"}, "no name for a schema: feature/x_"),
        ([], {"DBT_SCHEMA": "x" * 60}, "together 63 at most"),
    ],
)
def test_what_would_write_somewhere_else_than_meant_is_refused(
    parse: Callable[..., str], arguments: list[str], environment: dict[str, str], says: str
) -> None:
    assert says in parse(arguments, environment)


def test_the_demos_target_never_leaves_this_machine() -> None:
    """Whatever the environment names: `demo` writes plain schemas."""
    targets = yaml.safe_load((ROOT / "profiles.yml.example").read_text())["data_journey"]["outputs"]
    assert targets["demo"]["host"] == "127.0.0.1"
    assert "PGHOST" in targets["dev"]["host"]


@pytest.fixture
def shell(demo: Demo) -> Iterator[dict[str, str]]:
    """What `journey env` exports, for a copy `try_…` of the demo's marts; the copy is dropped."""
    variables = dict(
        line.removeprefix("export ").split("=", 1)
        for line in run("env").stdout.splitlines()
        if not line.startswith("export PATH")
    )
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "DBT_"))}
    yield {**ours, **{name: value.strip("'") for name, value in variables.items()}, "DBT_SCHEMA": "try"}
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        for (schema,) in connection.execute(SCHEMAS).fetchall():
            if schema.startswith("try_"):
                connection.execute(f"drop schema {schema} cascade".encode())


def test_one_mart_in_a_new_schema_from_a_folder_below(shell: dict[str, str]) -> None:
    """No test of a model that wasn't built runs, each of the built ones' does, and the demo's tables stay."""
    state = "select oid, relfilenode from pg_class where relnamespace = 'finance'::regnamespace order by 1"
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        before = connection.execute(SCHEMAS).fetchall(), connection.execute(state).fetchall()
        done = dbt("build", "--select", "+income_statement", cwd=ROOT / "models" / "marts", env=shell)
        assert done.returncode == 0, done.stdout
        assert "PASS income_statement::" in done.stdout
        assert "PASS assert_income_statement_ties_to_ledger" in done.stdout
        new = {schema for (schema,) in connection.execute(SCHEMAS).fetchall()} - {schema for (schema,) in before[0]}
        assert {"try_staging", "try_warehouse", "try_finance", "try_build_state"} <= new
        assert all(schema.startswith("try_") for schema in new)
        assert connection.execute(state).fetchall() == before[1]


def test_a_new_mart_folder_has_its_schema_and_its_place_on_the_page(demo: Demo, company: Path, tmp_path: Path) -> None:
    built = Dbt(tmp_path, company)
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        try:
            assert built("build", "--select", "headcount").errors == []
            [(stores,)] = connection.execute("select count(*) from people.headcount").fetchall()
        finally:
            connection.execute("drop schema if exists people cascade")
    assert stores > 0
    page = catalogue.page(built.manifest.to_dict(omit_none=False))
    assert "<h2>people</h2>" in page
    assert ">people.headcount</a>" in page
    assert page.index("<h2>finance</h2>") < page.index("<h2>people</h2>") < page.index("<h2>sales</h2>")


def test_a_new_attribute_of_dim_customer_breaks_no_test(shell: dict[str, str], tmp_path: Path) -> None:
    folder = project(tmp_path)
    dimension = folder / "models" / "warehouse" / "dimensions" / "dim_customer"
    view = folder / "examples/completejourney/models/staging/loyalty" / "stg_loyalty__households.sql"
    for file, was, now in (
        (dimension.with_suffix(".sql"), "    'kids_count',\n", "    'kids_count',\n    'colour',\n"),
        (
            dimension.with_suffix(".yml"),
            "      - name: has_demographics\n",
            f"{COLOUR}      - name: has_demographics\n",
        ),
        (view, "    _file_id\n", "    case when household_id % 2 = 0 then 'red' end as colour,\n    _file_id\n"),
    ):
        text = file.read_text()
        assert was in text
        file.write_text(text.replace(was, now))
    folders = {"DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
    done = dbt("build", "--select", "+dim_customer", cwd=folder, env={**shell, **folders})
    assert done.returncode == 0, done.stdout
    assert "PASS dim_customer::" in done.stdout
