"""The tutorial, and the pages on production and upgrades, are followed literally in a project that `make new` makes.

Each page's blocks of commands are one script. What can't be run here says so in its first line, or is replaced below.
`make test` leaves out what costs minutes: builds of the tutorial whose work a later one does, too, and the page on
production; `make pages` follows everything.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from journey.embedded import ADMIN, LOADER, environment
from journey.services.state import State
from links import broken_links

EVERYTHING = "PAGES" in os.environ  # `make pages`
NOT_RUN = "# Not run here:"
PERSON = {f"GIT_{who}_{what}": "t@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
# The packages are there already: an environment of their own would take minutes. A profile that is the same from one
# command to the next, without an application's name and of one login, lets dbt parse the project once, not each time.
LOGIN = "" if EVERYTHING else "-e 's/ user: .*/ user: journey_build/'"
PROFILE = f"sed -e '/application_name/d' {LOGIN} profiles.yml.example > profiles.yml"
SETUP = {
    "make setup": f'[ -e .venv ] || ln -s "$TEST_VENV" .venv; {PROFILE}',
    "cmp profiles.yml.example profiles.yml || cp profiles.yml.example profiles.yml": "",
}
MORNINGS = """
 business_date | store_id | net_sales_amount | morning_sales_amount
---------------+----------+------------------+----------------------
 2026-06-01    | Market   |            16.20 |                 7.80
 2026-06-01    | Station  |             6.20 |                 3.80
 2026-06-02    | Market   |            10.20 |                 6.00
 2026-06-02    | Station  |             5.00 |                 5.00
"""
THE_NEXT_DAY = """ 2026-06-03    | Market   |             4.80 |                 4.80
 2026-06-03    | Station  |             6.90 |                 6.90
"""


def blocks(page: str, replaced: Mapping[str, str] = SETUP) -> list[str]:
    """A page's commands, as they are run here.

    Args:
        page: its path.
        replaced: other lines for those that can't be run here.
    """
    found = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    lines = [
        [replaced.get(line, line) for line in block.splitlines()] for block in found if not block.startswith(NOT_RUN)
    ]
    return ["\n".join(block) for block in lines]


@dataclass
class Company:
    """A clone of the product, and a project that was made of it.

    Attributes:
        product: the clone.
        folder: the project.
        env: variables of every command.
    """

    product: Path
    folder: Path
    env: dict[str, str]

    @classmethod
    def make(cls, base: Path, name: str) -> Company:
        """Say where both will be, and put `journey` and `dbt` into a folder of programs, as `make setup` would.

        Args:
            base: an empty folder.
            name: of the project's folder in it.
        """
        programs = base / "venv" / "bin"
        programs.mkdir(parents=True)
        for program, module in (("journey", "journey"), ("dbt", "dbt.cli.main")):
            (programs / program).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
            (programs / program).chmod(0o755)
        (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
        ours = ("PG", "AWS_", "DBT_", "JOURNEY_")
        env = {variable: value for variable, value in os.environ.items() if not variable.startswith(ours)}
        env |= {**PERSON, "HOME": str(base), "GIT_CONFIG_GLOBAL": os.devnull, "TEST_VENV": str(base / "venv")}
        return cls(base / "product", base / name, {**env, "PYTHONPATH": str(base / name / "scripts")})

    def run(self, commands: list[str], cwd: Path, **more: str) -> str:
        """A script, which must go well; what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],  # noqa: S607
            cwd=cwd, env={**self.env, **more}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """What git says."""
        return subprocess.run(
            ["git", *arguments],  # noqa: S607
            cwd=cwd or self.folder, env=self.env, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A clone of what is committed, on a machine whose user has nothing yet."""
    made = Company.make(tmp_path_factory.mktemp("newcomer"), "bakery")
    made.git("clone", "--quiet", str(ROOT), str(made.product), cwd=ROOT)
    made.git("remote", "remove", "origin", cwd=made.product)  # versions come from the clone
    yield made
    if (made.folder / ".local").exists():
        made.run(["source .venv/bin/activate", "journey services down"], made.folder)


@pytest.fixture(scope="module")
def bakery(company: Company) -> str:
    """What following the tutorial printed."""
    found = blocks("docs/tutorial.md")
    if not EVERYTHING:
        builds = [number for number, block in enumerate(found) if "\njourney build" in block]
        for number in (builds[1], builds[3]):  # the first builds nothing, the third the mart: these are needed
            found[number] = found[number].replace("\njourney build", "")
        found = [block.replace("\njourney docs", "") for block in found]
    return company.run(
        [block for block in found if "sales.store_performance" not in block or EVERYTHING], company.product
    )


def test_the_tutorial_leads_to_a_mart_of_ones_own(company: Company, bakery: str) -> None:
    first, second = bakery.split("business_date | store_id")[1:]
    assert MORNINGS.strip().splitlines()[1:] == first.splitlines()[1:6]
    after = MORNINGS + THE_NEXT_DAY if EVERYTHING else MORNINGS  # else the build after the upgrade brings the next day
    assert after.strip().splitlines()[1:] == second.splitlines()[1 : after.count("\n") - 1]
    assert company.git("status", "--porcelain").split() == ["??", "deliveries/"]
    assert not list((company.folder / "models/staging/placeholders").glob("*"))
    if EVERYTHING:
        assert "bakery.morning_sales" in (company.folder / "site" / "marts.html").read_text()


def test_the_new_project_is_the_product_without_the_examples(company: Company, bakery: str) -> None:
    mine = company.git("log", "-1", "--format=%H", "--grep", "a project of our own").strip()
    files = set(company.git("ls-tree", "-r", "--name-only", mine).split())
    product = set(company.git("ls-tree", "-r", "--name-only", "HEAD", cwd=company.product).split())
    shown = re.compile(r"(examples|tests/python|tests/mutation)/|product\.mk$")
    assert not any(map(shown.match, files))
    assert {file for file in product if not shown.match(file)} <= files
    assert "examples/" not in company.git("show", f"{mine}:dbt_project.yml")
    assert broken_links(company.folder) == []
    theirs = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    own = yaml.safe_load(company.git("show", f"{mine}:dbt_project.yml"))
    assert own["vars"].keys() == theirs["vars"].keys()
    assert {key: own[key] for key in theirs if key != "vars" and not key.endswith("-paths")} == {
        key: value for key, value in theirs.items() if key != "vars" and not key.endswith("-paths")
    }
    for seed in (ROOT / "examples/completejourney/seeds").glob("*.csv"):
        head = seed.read_text().partition("\n")[0]
        assert company.git("show", f"{mine}:seeds/{seed.name}") == f"{head}\n"


@pytest.mark.skipif(not EVERYTHING, reason="make pages")
def test_the_commands_of_production_work(company: Company, bakery: str) -> None:
    """All of them in one night: rights, load and build, watching, two backups and what is made of them."""
    company.run(["source .venv/bin/activate", "journey services up"], company.folder)
    [said_of_freshness] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/production.md").read_text(), re.DOTALL)
    for file in (company.folder / "models/staging").glob("*/_*__sources.yml"):
        if file.parent.name != "loader":
            file.write_text(file.read_text().replace("    loader: journey load\n", said_of_freshness))
    company.git("commit", "--all", "--quiet", "--message", "How old files may be")
    state = State.read(company.folder / ".local")
    assert state is not None
    commands = ["source .venv/bin/activate", 'eval "$(journey env)"', *blocks("docs/production.md")]
    for role, login in {"postgres": ADMIN, "load_nightly": LOADER}.items():  # whom the embedded server has
        password = environment(state, login)["PGPASSWORD"]
        commands = [one.replace(f"PGUSER={role} ", f"PGUSER={login} PGPASSWORD={password} ") for one in commands]
    look = "select * from bakery.morning_sales order by business_date, store_id"
    files = "select count(*), sum(row_count) from loader.files where status = 'loaded'"
    for name in ("journey", "restored", "remade"):
        commands += [f'PGDATABASE={name} psql -c "{query}"' for query in (look, files)]
    said = company.run(commands, company.folder)
    figures = (MORNINGS + THE_NEXT_DAY).strip().splitlines()
    assert said.count("\n".join(figures[2:])) == 3
    assert re.findall(r"^ +(\d+) \| +(\d+)$", said, re.MULTILINE)[-3:] == [("4", "16")] * 3
    assert len(re.findall(r"^0 rows loaded", said, re.MULTILINE)) == 2  # after either restore


@pytest.mark.long
def test_an_upgrade_brings_what_is_new_and_leaves_what_is_ours(company: Company, bakery: str) -> None:
    product = company.product
    (product / "models/marts/sales/sales_by_hour.yml").write_text(
        (product / "models/marts/sales/sales_by_hour.yml")
        .read_text()
        .replace("Says when the", "Says at which hour the")
    )
    (product / "models/staging/new").mkdir()
    (product / "models/staging/new/stg_new.sql").write_text("select 1 as one\n")
    (product / "models/staging/README.md").write_text("# Another page\n")
    (product / "examples/completejourney/README.md").write_text("Another example.\n")
    (product / "examples/hofladen/land.py").unlink()
    (product / "product.mk").write_text("# other targets\n")
    project = product / "dbt_project.yml"
    project.write_text(project.read_text().replace("kept_publications: 3", "kept_publications: 4"))
    company.git("add", "--all", cwd=product)
    company.git("commit", "--quiet", "--message", "A later version", cwd=product)
    company.git("tag", "v0.2.0", cwd=product)
    before = company.git("rev-parse", "HEAD").strip()

    begin = ["source .venv/bin/activate", "journey services up", 'eval "$(journey env)"']
    said = company.run([*begin, *blocks("docs/upgrade.md")], company.folder)
    assert company.git("diff", "--name-only", before, "HEAD").split() == [
        "dbt_project.yml",
        "models/marts/sales/sales_by_hour.yml",
        "models/staging/README.md",
    ]
    assert company.git("status", "--porcelain", "--untracked-files=no") == ""
    assert re.search("^0 rows loaded", said, re.MULTILINE)
    look = "journey psql -c 'select * from bakery.morning_sales order by business_date, store_id'"
    figures = (MORNINGS + THE_NEXT_DAY).strip().splitlines()[2:]
    assert "\n".join(figures) in company.run(["source .venv/bin/activate", look], company.folder)


def test_what_is_deployed_can_be_read() -> None:
    """As far as this machine can tell: policies, workflows, units, scripts and recipes are well formed."""
    deploy = ROOT / "deploy"
    page = (ROOT / "docs" / "production.md").read_text()
    policy = (deploy / "iam-load.json").read_text()
    assert policy in page
    actions = [statement["Action"] for statement in json.loads(policy)["Statement"]]
    assert actions == ["s3:ListBucket", "s3:GetObject"]
    workflow = yaml.safe_load((deploy / "github-actions.yml").read_text())
    assert [step["run"] for step in workflow["jobs"]["nightly"]["steps"] if "run" in step][3] == "deploy/nightly"
    compile((deploy / "journey_dag.py").read_text(), "journey_dag.py", "exec")
    recipe = (deploy / "Containerfile").read_text()
    assert 'ENTRYPOINT ["deploy/nightly"]' in recipe
    for copied in re.findall(r"^COPY --chown=journey (.+) \S+$", recipe, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split())
    for file in re.findall(r"^PG(?:PASSFILE|SSLROOTCERT)=(.+)$", (deploy / "journey.env.example").read_text(), re.M):
        assert all(f"-v {file}:{file}:ro" in text for text in (recipe, page))
    assert not (ROOT / ".containerignore").exists()  # podman would read it in place of .dockerignore
    [line] = [line for line in (deploy / "crontab").read_text().splitlines() if line.startswith("30 3 * * * ")]
    for script in ((deploy / "nightly").read_text(), line.split(" ", 5)[5]):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607
    named = re.findall(r"\.\./deploy/([\w.-]+)", page)
    assert {file.name for file in deploy.iterdir()} <= set(named)


def test_the_units_are_systemds(tmp_path: Path) -> None:
    for unit in (ROOT / "deploy" / "systemd").iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace("/srv/journey", str(ROOT)))
    verify = ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("journey.*"))]
    try:
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no systemd-analyze here")
    assert (done.returncode, done.stderr) == (0, "")
