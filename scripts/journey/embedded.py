"""How a command finds the embedded services where the environment names no others. Libraries don't look for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from journey.errors import UsageError
from journey.project import local_dir
from journey.settings import POSTGRES_VARIABLES, REGION, S3_VARIABLES

if TYPE_CHECKING:
    from journey.services.state import State

EMBEDDED_DATABASE = "journey"
LOADER, TRANSFORMER = "journey_load", "journey_build"  # logins of the embedded PostgreSQL
DEVELOPER = "journey_dev"  # reads masked, and makes schemas of its own
RETYPER = "journey_retype"  # is both: a raw table's columns change their types only under dbt's views
ADMIN = "journey"  # its superuser: makes databases and roles


def environment(state: State, login: str = TRANSFORMER) -> dict[str, str]:
    """The variables with which dbt, psql and the AWS CLI find the embedded services.

    Args:
        state: ports and secrets.
        login: to PostgreSQL.
    """
    is_admin = login == state.postgres_user
    if not is_admin and login not in state.logins:
        raise UsageError(f"the embedded PostgreSQL has no login {login} yet: `journey services up` makes it")
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(state.ports["postgres"]),
        "PGUSER": login,
        "PGPASSWORD": state.postgres_password if is_admin else state.logins[login],
        "PGDATABASE": EMBEDDED_DATABASE,
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{state.ports['s3']}",
        "AWS_ACCESS_KEY_ID": state.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": state.s3_secret_key,
        "AWS_DEFAULT_REGION": REGION,
    }


def use_embedded(login: str | None = None, *, only: bool = False) -> None:
    """Put what names the embedded services into this process's environment where it names no others.

    dbt, started in this process, then finds the same database as the loader does.

    Args:
        login: to the embedded PostgreSQL, also in place of another of its own logins that the environment names (but
            not of its superuser, whom only a person names); None: what is named, else the one that dbt builds as.
        only: forget whatever else the environment names: nothing then reaches anybody's cloud.
    """
    names_postgres, names_s3 = (any(one in os.environ for one in names) for names in (POSTGRES_VARIABLES, S3_VARIABLES))
    if names_postgres and names_s3 and not only and login is None:
        return
    try:
        folder = local_dir()
    except UsageError:
        return  # outside a project there are none
    if not (folder / "services.json").exists():
        return
    from journey.services.state import State  # with it come the servers' launchers, which production doesn't need

    state = State.read(folder)
    if state is None:
        return
    if not state.logins:
        login = ADMIN  # of an earlier version, until the next `services up`
    variables = environment(state, login or TRANSFORMER)
    if only:
        for name in [name for name in os.environ if name.startswith(("PG", "AWS_"))]:
            del os.environ[name]
    if only or not names_postgres:
        os.environ.update({name: value for name, value in variables.items() if name.startswith("PG")})
    elif login and _names_ours(variables):
        os.environ.update({name: variables[name] for name in ("PGUSER", "PGPASSWORD")})
    if only or not names_s3:
        os.environ.update({name: value for name, value in variables.items() if name.startswith("AWS_")})


def embedded_in_use() -> State | None:
    """The embedded services' state, if the environment names their PostgreSQL."""
    from journey.services.state import State

    state = State.read(local_dir())
    if state is None or os.environ.get("PGPORT") != str(state.ports["postgres"]):
        return None
    return state if os.environ.get("PGHOST") == "127.0.0.1" else None


def _names_ours(variables: dict[str, str]) -> bool:
    """Whether the environment names the embedded PostgreSQL, by one of the logins that commands choose between."""
    is_there = all(os.environ.get(name) == variables[name] for name in ("PGHOST", "PGPORT"))
    return is_there and os.environ.get("PGUSER") in (LOADER, TRANSFORMER, RETYPER)
