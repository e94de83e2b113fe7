"""`journey scaffold`, from files of companies that it wasn't made for to a staging view that is built and tested."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from conftest import ROOT
from journey.cli import cli
from journey.errors import UsageError
from journey.loader.declaration.sources import load_sources
from journey.loader.run import load
from journey.scaffold.run import Scaffolded, scaffold, write
from loader.support import Landing
from scaffold.companies import erp_postings, shop_orders

HOFLADEN = ROOT / "examples" / "hofladen"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company's project beside the product's folders, without a staging view for its sales."""
    declared = yaml.safe_load((HOFLADEN / "dbt_project.yml").read_text())
    for name in [name for name in declared if name.endswith("-paths")]:
        declared[name] = [str(ROOT / one[6:]) if one.startswith("../../") else one for one in declared[name]]
    shutil.copytree(HOFLADEN / "models", tmp_path / "models")
    shutil.copytree(HOFLADEN / "seeds", tmp_path / "seeds")
    for file in (tmp_path / "models").rglob("stg_pos__transactions.*"):
        file.unlink()
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(declared, sort_keys=False))
    shutil.copy(ROOT / "profiles.yml.example", tmp_path / "profiles.yml")
    shutil.copy(ROOT / ".sqlfluff", tmp_path / ".sqlfluff")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def companies(landing: Landing) -> Landing:
    """What the two companies have delivered."""
    for day in (3, 4, 5):
        landing.put(f"shopify/orders/orders_export_2024-06-{day:02}.csv", shop_orders(day))
    for month in (1, 2):
        landing.put(f"erp_de/postings/FIBU_2024{month:02}.csv", erp_postings(month))
    return landing


@pytest.fixture
def built(landing: Landing) -> Iterator[None]:
    """Take away what dbt made."""
    yield
    for schema in ("staging", "build_state"):
        landing.connection.execute(f"drop schema if exists scaffold_test_{schema} cascade")


def run(project: Path, *command: str) -> str:
    """A program of the environment, which must go well."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "DBT_SCHEMA": "scaffold_test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def from_files(project: Path, landing: Landing, path: str, source: str) -> Scaffolded:
    """Scaffold and write."""
    done = scaffold(project, f"s3://{landing.bucket}/{path}", source)
    write(project, done)
    return done


def test_two_foreign_companies_from_files_to_built_staging_views(
    project: Path, companies: Landing, built: None
) -> None:
    """dbt parses what is written, the loader loads all of it, the views are built, their tests pass, lint is clean."""
    shop = from_files(project, companies, "shopify/orders/", "shopify")
    erp = from_files(project, companies, "erp_de/postings/", "erp_de")
    views = {path.stem for path in (*shop.files, *erp.files) if path.suffix == ".sql"}
    assert views == {"stg_pos__transactions", "stg_erp_de__postings"}

    sources = [one for one in load_sources(project) if one.name in ("shopify.orders", "erp_de.postings")]
    summary = load(sources=sources, threads=1)
    assert summary.exit_status == 0
    connection = companies.connection
    assert connection.execute('select count(*), count(distinct "Name") from raw_shopify.orders').fetchone() == (
        180,
        180,
    )
    kinds = """select string_agg(format('%s %s', column_name, data_type), ', ' order by ordinal_position)
        from information_schema.columns where table_schema = 'raw_erp_de' and column_name <> '_file_id'"""
    assert connection.execute(kinds).fetchone() == (
        "Mandant text, Belegnr. text, Pos integer, Buchungsdatum date, Sachkonto integer, Kontobezeichnung text, "
        "Kostenstelle text, Betrag numeric, Menge numeric, S/H text, Erfasst am timestamp without time zone",
    )
    totals = 'select sum("Betrag"), sum("Menge"), max("Mandant"), count("Kostenstelle") from raw_erp_de.postings'
    rows = [row.split(";") for month in (1, 2) for row in erp_postings(month).decode("cp1252").splitlines()[1:]]
    numbers = [[Decimal(row[at].replace(".", "").replace(",", ".") or 0) for row in rows] for at in (7, 8)]
    assert connection.execute(totals).fetchone() == (sum(numbers[0]), sum(numbers[1]), "001", 160)

    run(project, "dbt.cli.main", "build", "--target", "ci", "--select", "stg_pos__transactions", "stg_erp_de__postings",
        "--exclude", "test_type:singular", "not_null_stg_pos__transactions_basket_id",
        "not_null_stg_pos__transactions_line_number")  # fmt: skip
    assert connection.execute("select count(*) from scaffold_test_staging.stg_erp_de__postings").fetchone() == (320,)
    lines = connection.execute(
        "select count(*), count(product_id), sum(net_sales_amount), count(distinct business_date), count(basket_id) "
        "from scaffold_test_staging.stg_pos__transactions"
    ).fetchone()
    assert lines is not None
    assert (lines[0], lines[1], lines[3], lines[4]) == (180, 180, 3, 0)
    run(project, "sqlfluff", "lint", "--disable-progress-bar", "models/staging/shopify", "models/staging/erp_de")


def test_a_contracts_columns_are_mapped_or_left_to_fill_in(project: Path, companies: Landing) -> None:
    done = from_files(project, companies, "shopify/orders/", "shopify")
    sql = (project / "models/staging/shopify/stg_pos__transactions.sql").read_text()
    assert '"Lineitem sku" as product_id' in sql
    assert '"Created at" as sold_at' in sql
    assert "cast({{ business_time('\"Created at\"') }} as date) as business_date" in sql
    assert "-- to fill in: sale, return or void.\n    cast(null as text) as line_kind" in sql
    assert any("to fill in: basket_id, line_number, line_kind" in line for line in done.said)
    assert max(map(len, sql.splitlines())) <= 120


def test_a_view_that_is_there_already_is_not_written_again(project: Path, companies: Landing) -> None:
    (project / "models" / "stg_pos__transactions.sql").write_text("select 1 as one\n")
    done = from_files(project, companies, "shopify/orders/", "shopify")
    assert {path.name for path in done.files} >= {"stg_shopify__orders.sql", "stg_shopify__orders.yml"}
    assert any("look like stg_pos__transactions" in line for line in done.said)


def test_names_unlike_a_contracts_are_said_with_what_to_do(project: Path, companies: Landing) -> None:
    companies.put(
        "till/lines/all.csv", "Bon Kennung,Artikel,Menge\n" + "".join(f"{n},P-{n},{n % 3}\n" for n in range(30))
    )
    done = from_files(project, companies, "till/lines/", "till")
    assert Path("models/staging/till/stg_till__lines.sql") in done.files
    [line] = [line for line in done.said if "called unlike those of a contract" in line]
    assert "nearest is stg_pos__transactions, with 2 of its 17 (`journey contract sales`)" in line
    assert "docs/tutorial.md, `If the names weren't enough`" in line
    assert "### If the names weren't enough" in (ROOT / "docs" / "tutorial.md").read_text()


def test_no_file_is_overwritten(project: Path, companies: Landing) -> None:
    kept = project / "models/staging/erp_de/stg_erp_de__postings.sql"
    kept.parent.mkdir(parents=True)
    kept.write_text("-- mine\n")
    done = from_files(project, companies, "erp_de/postings/", "erp_de")
    assert kept.read_text() == "-- mine\n"
    assert [path.name for path in done.kept] == [kept.name]
    assert (kept.parent / "_erp_de__sources.yml").exists()


def test_yaml_is_read_as_dbt_reads_it(project: Path, companies: Landing) -> None:
    """libyaml takes `Which?` in a flow mapping, which Python's own parser refuses; what nobody can read is named."""
    question = "{question: Which?, query: select 1}"
    asked = project / "models" / "asked.yml"
    asked.write_text(f"models:\n  - name: asked\n    config: {{meta: {{questions: [{question}]}}}}\n")
    address = f"s3://{companies.bucket}/erp_de/postings/"
    command = ["scaffold", address, "--source", "erp_de", "--dry-run"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    asked.write_text("models: {")
    done = CliRunner().invoke(cli, command)
    assert isinstance(done.exception, UsageError)
    assert f"{asked} can't be read: while parsing a flow" in str(done.exception)


def test_a_dry_run_prints_and_writes_nothing(project: Path, companies: Landing) -> None:
    before = sorted(project.rglob("*"))
    address = f"s3://{companies.bucket}/erp_de/postings/"
    done = CliRunner().invoke(cli, ["scaffold", address, "--source", "erp_de", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert sorted(project.rglob("*")) == before
    assert "models/staging/erp_de/_erp_de__sources.yml" in done.output
    assert 'decimal_mark: ","' in done.output


def test_of_an_existing_feed_the_difference_is_said_and_nothing_changed(project: Path, companies: Landing) -> None:
    from_files(project, companies, "shopify/orders/", "shopify")
    from_files(project, companies, "erp_de/postings/", "erp_de")
    again = scaffold(project, f"s3://{companies.bucket}/erp_de/postings/", "erp_de")
    assert (again.differs, again.files) == (["the files are as they are declared"], {})
    file = project / "models/staging/erp_de/_erp_de__sources.yml"
    text = file.read_text().replace("data_type: date", "data_type: text").replace('delimiter: ";"', 'delimiter: ","')
    file.write_text(text.replace("- name: S/H", "- name: SH"))
    again = scaffold(project, f"s3://{companies.bucket}/erp_de/postings/", "erp_de")
    assert again.files == {}
    told = "\n".join(again.differs or ())
    assert 'delimiter: "," is declared, the files seem to need ";"' in told
    assert "column Buchungsdatum: text is declared, date by what was sampled (all 320 sampled values match" in told
    assert "column S/H: isn't declared" in told
    assert "column SH: is declared, and no sampled file has it" in told


def test_a_second_table_of_a_source_has_a_yaml_of_its_own(project: Path, companies: Landing) -> None:
    """dbt takes both files for one source."""
    from_files(project, companies, "shopify/orders/", "shopify")
    companies.put(
        "shopify/customers/all.csv", "id,mail,since\n1,a@example.test,2024-01-01\n2,b@example.test,2024-01-02\n"
    )
    done = from_files(project, companies, "shopify/customers/", "shopify")
    assert Path("models/staging/shopify/_shopify__customers.yml") in done.files
    assert {"shopify.orders", "shopify.customers"} <= {one.name for one in load_sources(project)}
