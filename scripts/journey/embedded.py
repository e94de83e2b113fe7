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


def environment(state: State) -> dict[str, str]:
    """The variables with which dbt, psql and the AWS CLI find the embedded services."""
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(state.ports["postgres"]),
        "PGUSER": state.postgres_user,
        "PGPASSWORD": state.postgres_password,
        "PGDATABASE": EMBEDDED_DATABASE,
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{state.ports['s3']}",
        "AWS_ACCESS_KEY_ID": state.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": state.s3_secret_key,
        "AWS_DEFAULT_REGION": REGION,
    }


def use_embedded(*, only: bool = False) -> None:
    """Put what names the embedded services into this process's environment where it names no others.

    dbt, started in this process, then finds the same database as the loader does.

    Args:
        only: forget whatever else the environment names: nothing then reaches anybody's cloud.
    """
    names_postgres, names_s3 = (any(one in os.environ for one in names) for names in (POSTGRES_VARIABLES, S3_VARIABLES))
    if names_postgres and names_s3 and not only:
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
    variables = environment(state)
    if only:
        for name in [name for name in os.environ if name.startswith(("PG", "AWS_"))]:
            del os.environ[name]
    if only or not names_postgres:
        os.environ.update({name: value for name, value in variables.items() if name.startswith("PG")})
    if only or not names_s3:
        os.environ.update({name: value for name, value in variables.items() if name.startswith("AWS_")})
