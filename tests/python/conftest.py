"""The real services, started once a test run in a folder of their own; each test gets its own database and bucket.

With several workers (`make test` has two), each has services of its own, so that tests find what they would find alone.
What is built once for many tests is built in one worker: they are of one group.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from journey import services, settings
from journey.embedded import ADMIN, environment
from journey.project import project_root
from journey.services.state import State
from loader.support import empty

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from xdist.remote import Producer

ROOT = project_root(Path(__file__).parent)
DEFAULT = ROOT / "examples" / "completejourney"  # the company of the root project
WEEKS = 8  # of the default data; the first ledger arrives after four
GROUPS = (
    "warehouse",
    "demo",
    "areas",
    "finance",
    "truth",
    "land",
    "alone",
    "loader",
    "scaffold",
)  # in order: what can't be divided and takes long begins


ALONE = {
    "test_contracts.py",
    "test_examples.py",
    "test_layout.py",
    "test_pages.py",
    "test_upgrade.py",
}  # they need no demo


def group(nodeid: str) -> str:
    """What one worker runs: a folder, or a file where those take long; what needs the demo is one."""
    folder, _, file = nodeid.removeprefix("tests/python/").split("::", 1)[0].partition("/")
    if folder in ALONE:
        return f"alone/{folder}"
    return f"{folder}/{file}" if folder in ("loader", "warehouse") else folder if folder in GROUPS else "demo"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let groups begin in order."""
    items.sort(key=lambda item: GROUPS.index(group(item.nodeid).split("/")[0]))


def pytest_sessionstart() -> None:
    """Let Ctrl-C interrupt, which a worker is made deaf to: a test interrupts a load."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out groups; a worker that has done its own takes the next."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    """What `pytest -n 2` asks for."""
    config.option.loadscopereorder = False
    return Groups(config, log)


@pytest.fixture(scope="session")
def embedded() -> Iterator[State]:
    """PostgreSQL and S3 under `.local/test`, named by this process's environment as `journey env` would."""
    folder = Path(os.environ.get("JOURNEY_LOCAL_DIR", ROOT / ".local" / "test"))
    folder /= os.environ.get("PYTEST_XDIST_WORKER", "")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PG", "AWS_", "DBT_"))]:
            patch.delenv(name)
        patch.setenv("JOURNEY_LOCAL_DIR", str(folder))
        patch.setenv("DBT_PUBLISHING", "always")  # also what a test builds in part; tests/python/publishing has its own
        services.up()
        state = State.read(folder)
        assert state is not None
        for name, value in environment(state, ADMIN).items():
            patch.setenv(name, value)
        yield state
        services.down()


@pytest.fixture
def database(embedded: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new, empty database; PGDATABASE names it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    monkeypatch.setenv("PGDATABASE", name)
    yield name
    with psycopg.connect(dbname="journey", autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def s3(embedded: State) -> S3Client:
    """A client of the real S3 server."""
    return settings.s3_client()


@pytest.fixture
def bucket(s3: S3Client) -> Iterator[str]:
    """A new, empty bucket, removed after the test: the server has room for a limited number of buckets."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    yield name
    empty(s3, name)
    s3.delete_bucket(Bucket=name)


@dataclass(frozen=True)
class Demo:
    """What `journey demo` left.

    Attributes:
        said: what it printed.
        page: the front page of the site.
        owners: whose its relations are, by schema; tests that come later may build as somebody else.
        manifest: dbt's, of its target; tests that come later may write another.
    """

    said: str
    page: Path
    owners: frozenset[tuple[str, str]]
    manifest: dict[str, Any]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The `journey` command, as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "journey", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def demo(embedded: State) -> Demo:
    """`journey demo --weeks 8`, once a test run, in the database and the bucket that everybody else leaves alone."""
    done = run("demo", "--weeks", str(WEEKS))
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect() as connection:
        owners = connection.execute(
            "select distinct relnamespace::regnamespace::text, pg_get_userbyid(relowner) from pg_class"
        ).fetchall()
    manifest = json.loads((ROOT / "target" / "manifest.json").read_text())
    return Demo(done.stdout, ROOT / "site" / "index.html", frozenset(owners), manifest)
