"""An upgrade never touches what is the company's own, whatever a version does to the files there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest

from conftest import ROOT

Git = Callable[..., str]
FIRST = {
    "models/staging/pos/stg_a.sql": "a\n",
    "models/staging/pos/stg_moved.sql": "a long enough text, so that it would be found\nagain elsewhere\n",
    "models/staging/loader/stg_files.sql": "files\n",
    "models/marts/sales/sales.sql": "sales\n",
    "models/marts/sales/kept.sql": "kept\n",
    "seeds/codes.csv": "code\n",
    "seeds/theirs.csv": "code\n",
    "analyses/question.sql": "question\n",
}
COMPANY: dict[str, str | None] = {
    "seeds/theirs.csv": None,
    "models/staging/pos/stg_a.sql": "ours\n",
    "models/staging/pos/stg_moved.sql": "ours, and\n" + FIRST["models/staging/pos/stg_moved.sql"],
    "models/staging/till/stg_till.sql": "till\n",
    "models/marts/people/headcount.sql": "headcount\n",
}
SECOND: dict[str, str | None] = {
    "models/staging/pos/stg_a.sql": "theirs\n",
    "models/staging/pos/stg_moved.sql": None,
    "examples/default/stg_moved.sql": FIRST["models/staging/pos/stg_moved.sql"],
    "models/staging/new/stg_new.sql": "new\n",
    "models/staging/loader/stg_files.sql": "more files\n",
    "models/marts/sales/sales.sql": "better sales\n",
    "seeds/codes.csv": None,
    "seeds/theirs.csv": "changed, where the company has none\n",
    "analyses/question.sql": "another question\n",
}


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A company's clone: the first version is tagged v1 and adapted on main, the second one is tagged v2."""
    person = {f"GIT_{who}_{what}": "t@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **person, "GIT_CONFIG_GLOBAL": os.devnull}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    def write(files: dict[str, str] | dict[str, str | None], message: str) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                (tmp_path / name).unlink()
            else:
                (tmp_path / name).write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message", message)

    git("init", "--quiet", "--initial-branch", "main")
    (tmp_path / "scripts").mkdir()
    for name in (".company", "scripts/upgrade", "Makefile"):
        copy(ROOT / name, tmp_path / name)
    write(FIRST, "v1")
    git("tag", "v1")
    git("checkout", "--quiet", "-b", "product")
    write(SECOND, "v2")
    git("tag", "v2")
    git("checkout", "--quiet", "main")
    write(COMPANY, "ours")
    return git


def upgrade(folder: Path, to: str) -> subprocess.CompletedProcess[str]:
    person = {f"GIT_{who}_{what}": "t@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    # not what `make test` hands on: a make that another one started speaks of itself in other words
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--silent", "upgrade", f"TO={to}"],  # noqa: S607
        cwd=folder, env={**outside, **person}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_companys_folders_stay_and_the_rest_is_upgraded(git: Git, tmp_path: Path) -> None:
    done = upgrade(tmp_path, "v2")
    assert done.returncode == 0, done.stderr
    changed = git("diff", "--no-renames", "--name-only", "HEAD^1", "HEAD").split()
    assert changed == [
        "examples/default/stg_moved.sql",
        "models/marts/sales/sales.sql",
        "models/staging/loader/stg_files.sql",
    ]
    moved = "examples/default/stg_moved.sql"
    assert (tmp_path / moved).read_text() == SECOND[moved]  # and nothing of the company's went along
    assert git("status", "--porcelain") == ""
    assert upgrade(tmp_path, "v2").stdout == "upgrade: v2 is here already\n"


def test_what_both_changed_waits_for_a_decision_and_the_companys_folders_stay(git: Git, tmp_path: Path) -> None:
    (tmp_path / "models/marts/sales/sales.sql").write_text("our sales\n")
    git("commit", "--quiet", "--all", "--message", "ours, too")
    done = upgrade(tmp_path, "v2")
    assert done.returncode == 2  # make's, for any failure
    said = done.stderr.splitlines()  # before and after it, make may say something of its own
    told = said.index("upgrade: changed by you and by v2; decide, git add, git commit:")
    assert [line for line in said[told + 1 :] if "make" not in line] == ["models/marts/sales/sales.sql"], done.stderr
    assert git("diff", "--no-renames", "--name-only", "HEAD").split() == [
        "examples/default/stg_moved.sql",
        "models/marts/sales/sales.sql",
        "models/staging/loader/stg_files.sql",
    ]


@pytest.mark.parametrize(("change", "to", "says"), [(True, "v2", "commit or stash"), (False, "v9", "no version v9")])
def test_nothing_is_tried_where_work_would_be_at_risk(
    git: Git, tmp_path: Path, change: bool, to: str, says: str
) -> None:
    if change:
        (tmp_path / "models/marts/sales/kept.sql").write_text("not committed\n")
    before = git("rev-parse", "HEAD"), git("status", "--porcelain")
    done = upgrade(tmp_path, to)
    assert done.returncode == 2
    assert says in done.stderr
    assert (git("rev-parse", "HEAD"), git("status", "--porcelain")) == before
