"""`make new TO=DIR`: a company's own project, in a new folder: a clone without the examples, with what it will fill.

It shares its history with this repository, so that `make upgrade` merges later versions into it. Python's own library
is enough, for this runs before anything is installed. Exit status: 0 it is made, 2 nothing was done.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EMPTY = Path("examples/empty")  # what a company begins with
SHOWN = Path("examples/completejourney")  # whose seeds say what a company's seeds look like
NOT_OURS = ("examples", "tests/python", "tests/mutation", "product.mk")

# What dbt_project.yml says of the company that the product is shown with, and what it says of one with nothing yet.
SAID = (
    (r"# The product's folders, and those of[^\n]*\n#[^\n]*\n", "# The product's folders, with the company's own files "
     "among them: .company says which.\n"),
    (rf", {SHOWN}/\w+\]", "]"),
    (rf"vars: # of the company: those of {SHOWN}\n", "vars: # of the company\n"),
    (r"business_timezone: \S+ #", "business_timezone: UTC # to be set:"),
    (r"currency: US dollars # of", "currency: units of currency # to be set: of"),
    (r"campaign_mailing_unit_cost: \S+ # US dollars per household contacted[^\n]*",
     "campaign_mailing_unit_cost: 0 # per household contacted"),
    (r'first_week_start_date: "[^"]*"', "first_week_start_date: null"),
    (r"quantity_type: integer # numeric\(14,3\) where goods are weighed",
     "quantity_type: numeric(14,3) # integer where nothing is weighed"),
    (r"(_id_type): \w+\n", r"\1: text\n"),
    (r"(promotions|loyalty|coupons|ledger|control_totals): true #", r"\1: false #"),
    (r"\nsnapshots:\n  data_journey:", "\nunit_tests:\n  data_journey: {+enabled: false} # they speak of ids of other "
     "types; one of your own says `config: {enabled: true}`\n\nsnapshots:\n  data_journey:"),
)  # fmt: skip


class NewError(Exception):
    """It can't be done; the message says why and what to do."""


def new(folder: Path) -> None:
    """Make the project.

    Args:
        folder: where; it must not be there yet, or be empty.

    Raises:
        NewError: it can't be made there, or from here.
    """
    if not (ROOT / EMPTY).is_dir():
        raise NewError("this is a company's project itself: run it in a clone of the product")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NewError(f"{folder} is there already: name a folder that isn't")
    try:
        product = git(ROOT, "remote", "get-url", "origin")
    except NewError:
        product = str(ROOT)  # a clone of none: versions come from here
    git(ROOT, "clone", "--quiet", "--origin", "product", str(ROOT), str(folder))
    try:
        git(folder, "remote", "set-url", "product", product)
        git(folder, "checkout", "--quiet", "--no-track", "-B", "main")
        empty(folder)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", f"{folder.name}: a project of our own")
    except NewError:
        shutil.rmtree(folder)
        raise


def empty(folder: Path) -> None:
    """Take out what isn't the company's, and put in what it begins with."""
    for seed in (folder / SHOWN / "seeds").glob("*.csv"):
        (folder / "seeds" / seed.name).write_text(seed.read_text().partition("\n")[0] + "\n")
    for file in (folder / SHOWN / "seeds").glob("*.yml"):
        shutil.copy(file, folder / "seeds" / f"_company{file.name}")
    shutil.copytree(folder / EMPTY, folder, dirs_exist_ok=True)
    readme = folder / "README.md"
    readme.write_text(readme.read_text().replace("# NAME\n", f"# {folder.name}\n", 1))
    for name in NOT_OURS:
        git(folder, "rm", "-r", "--quiet", "--force", name)
    project = folder / "dbt_project.yml"
    project.write_text(said(project.read_text()))
    overview = folder / "docs" / "overview.md"
    text = overview.read_text().replace("| finance (simulated ledger) |", "| finance |")
    overview.write_text(re.sub(r"\*\*The data\.\*\*.*?\n\n", "", text, flags=re.DOTALL))


def said(text: str) -> str:
    """What a dbt_project.yml says, of a company with nothing yet.

    Raises:
        NewError: it isn't the product's.
    """
    for pattern, replacement in SAID:
        text, found = re.subn(pattern, replacement, text)
        if not found:
            raise NewError(f"dbt_project.yml isn't as this program knows it: nothing in it is like {pattern!r}")
    return text


def git(folder: Path, *arguments: str) -> str:
    """Run git.

    Raises:
        NewError: git fails.
    """
    who = {f"GIT_{role}_{what}": "data-journey" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    named = subprocess.run(["git", "config", "user.email"], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    environment = os.environ if named.returncode == 0 else {**who, **os.environ}  # a machine where git knows nobody
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NewError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        if len(sys.argv) != 2:
            raise NewError("which folder? make new TO=../mycompany")
        new(Path(sys.argv[1]).resolve())
    except NewError as error:
        print(f"new: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"new: {sys.argv[1]} is a project of its own. Next, in it: make setup, and docs/tutorial.md")
