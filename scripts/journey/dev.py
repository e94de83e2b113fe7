"""`journey dev`: schemas of one's own, which hold what one has changed; everything else is read from production's.

dbt defers to production's manifest (`--defer --state`): what isn't built in one's own schemas is read where production
has it. Whoever is only a `developer` reads production masked, in the views that its builds make for developers.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.errors import LockNotAvailable

from journey import dbt, settings
from journey.errors import JourneyError, UsageError
from journey.project import local_dir
from journey.roles.names import names_of

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
OF_DBT = ("DBT_SCHEMA", "DBT_MASKED", "DBT_STATE", "DBT_DEFER", "DBT_TARGET")


@dataclass(frozen=True)
class Opened:
    """A development environment.

    Attributes:
        variables: that dbt and `journey` need in the shell.
        schemas: what its schemas' names begin with.
        revision: the code that is taken for production's.
        is_masked: whether persons' columns are read masked.
    """

    variables: dict[str, str]
    schemas: str
    revision: str
    is_masked: bool


def name_of(name: str | None) -> str:
    """Whose schemas; as the profile's target `dev` has it if nobody is named.

    Args:
        name: as it was given.

    Raises:
        UsageError: it can't be a part of a schema's name.
    """
    name = name or re.sub("[^a-z0-9]+", "_", (os.environ.get("USER") or getpass.getuser()).lower())
    if not NAME.fullmatch(name):
        raise UsageError(f"{name} is no name for schemas: small letters, digits and _, such as `journey dev alice`")
    return name


def open_for(root: Path, name: str, *, base: str, revision: str | None = None) -> Opened:
    """Save what production is, and say what a shell needs to build on it.

    Args:
        root: the project's folder.
        name: whose schemas.
        base: the target that production is built by, `prod` or `demo`.
        revision: of git, the code that production is built from; else that of the branch main, or of HEAD.

    Raises:
        UsageError: the login may not develop, or there is no such revision.
        JourneyError: dbt can't parse that revision.
    """
    is_masked = _is_masked(root)
    revision = revision or next(one for one in ("origin/main", "main", "HEAD") if one == "HEAD" or _is_there(root, one))
    state = local_dir() / "dev" / name
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    code = _export(root, revision, state / "code")
    with _environment_of_production(root):
        dbt.run(["parse", "--target", base, "--target-path", str(state)], root=code)
    shutil.rmtree(state / "code")
    manifest = state / "manifest.json"
    manifest.write_text(json.dumps(_where_read(json.loads(manifest.read_text()), root, is_masked)))
    variables = {
        "DBT_TARGET": "dev",
        "DBT_SCHEMA": f"dev_{name}",
        "DBT_STATE": str(state),
        "DBT_DEFER": "true",
        "DBT_MASKED": "1" if is_masked else "0",
        "DBT_PROJECT_DIR": str(root),
        "DBT_PROFILES_DIR": os.environ.get("DBT_PROFILES_DIR", str(root)),
    }
    return Opened(variables, f"dev_{name}", revision, is_masked)


def clean(root: Path, name: str) -> list[str]:
    """Drop somebody's development schemas, and forget what production was.

    Args:
        root: the project's folder.
        name: whose schemas; none is dropped that isn't called so, to the letter, or that another role owns.

    Returns:
        The schemas that were dropped.

    Raises:
        UsageError: a schema of that name is another role's.
        JourneyError: somebody uses them.
    """
    ours = [f"dev_{name}_{layer}" for layer in names_of(root).built] + [f"dev_{name}"]
    with settings.connect() as connection:
        found = connection.execute(
            "select nspname, pg_get_userbyid(nspowner), current_user from pg_namespace "
            "where nspname = any(%s) order by 1",
            [ours],
        ).fetchall()
        for schema, owner, user in found:
            if owner != user:
                raise UsageError(f"{schema} is {owner}'s, and not {user}'s: nothing was dropped; ask {owner} to do it")
        try:
            connection.execute("set local lock_timeout = '10s'")
            for schema, _, _ in found:
                connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
        except LockNotAvailable as error:
            raise JourneyError(f"somebody uses dev_{name}_…: wait for its build, and run it again") from error
    shutil.rmtree(local_dir() / "dev" / name, ignore_errors=True)
    return [schema for schema, _, _ in found]


def _is_masked(root: Path) -> bool:
    """Whether the login reads production as developers do.

    Raises:
        UsageError: it doesn't read it at all, or nothing was built for developers yet.
    """
    prefix = names_of(root).prefix
    with settings.connect() as connection:
        may = dict(
            connection.execute(
                "select rolname, pg_has_role(oid, 'usage') from pg_roles where rolname = any(%s)",
                [[f"{prefix}developer", f"{prefix}transformer"]],
            ).fetchall()
        )
        [(user, is_built)] = connection.execute(
            "select session_user, to_regnamespace('masked_built') is not null"
        ).fetchall()
    if may.get(f"{prefix}transformer"):
        return False
    if not may.get(f"{prefix}developer"):
        raise UsageError(f"{user} is no {prefix}developer: ask a DBA for `grant {prefix}developer to {user}`")
    if not is_built:
        raise UsageError("production isn't built for developers yet: its next `journey build` does so (masked_built)")
    return True


def _is_there(root: Path, revision: str) -> bool:
    return _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").returncode == 0


def _export(root: Path, revision: str, folder: Path) -> Path:
    """The project as a revision has it, in a folder of its own.

    Raises:
        UsageError: there is no such revision, or the project wasn't in it.
    """
    if not _is_there(root, revision):
        raise UsageError(f"git has no revision {revision} here: name one that production is built from (--from)")
    top = Path(_git(root, "rev-parse", "--show-toplevel").stdout.decode().strip())
    archive = _git(top, "archive", "--format=tar", revision).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        if hasattr(tarfile, "data_filter"):  # Python has none before 3.10.12 and 3.11.4
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)  # noqa: S202
    project = folder / root.relative_to(top)
    if not (project / "dbt_project.yml").exists():
        raise UsageError(f"{revision} has no dbt_project.yml in {root.relative_to(top)}: name another one (--from)")
    return project


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S607
    except FileNotFoundError as error:
        raise UsageError("git isn't installed: it says what production is built from") from error


@contextmanager
def _environment_of_production(root: Path) -> Iterator[None]:
    """Without what a development shell sets; with the profile that the revision doesn't have."""
    kept = {name: os.environ.pop(name) for name in OF_DBT if name in os.environ}
    had = os.environ.get("DBT_PROFILES_DIR")
    os.environ.setdefault("DBT_PROFILES_DIR", str(root))
    try:
        yield
    finally:
        os.environ.update(kept)
        if had is None:
            del os.environ["DBT_PROFILES_DIR"]


def _where_read(manifest: dict[str, Any], root: Path, is_masked: bool) -> dict[str, Any]:
    """Production's manifest, in which each node stands where a build of one's own may read it.

    Of a mart these are its newest rows, for readers' views show only what is published, masked.
    """
    marts = set(names_of(root).built) - {"staging", "warehouse", "seeds", "snapshots", "built"}
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed", "snapshot"):
            schema = "built" if node["schema"] in marts else node["schema"]
            node["schema"] = f"masked_{schema}" if is_masked else schema
            if node.get("relation_name"):
                node["relation_name"] = ".".join(
                    f'"{one}"' for one in (node["database"], node["schema"], node["alias"])
                )
    return manifest
