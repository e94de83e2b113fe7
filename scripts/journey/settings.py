"""Which PostgreSQL and which S3: the environment where it says so, else the embedded services.

PostgreSQL is named by libpq's own variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE …), S3 by
boto3's own (AWS_ENDPOINT_URL_S3, AWS_PROFILE, AWS_ACCESS_KEY_ID …). One of each group in the environment, and the
embedded service of that kind is left alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import psycopg
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.session import Session
from psycopg.conninfo import make_conninfo

from journey.errors import UsageError
from journey.project import local_dir
from journey.services.state import REGION, State

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DATABASE = "journey"

POSTGRES_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE")
S3_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN",
                "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")  # fmt: skip


def environment(state: State) -> dict[str, str]:
    """The variables with which dbt, psql and the AWS CLI find the embedded services."""
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(state.ports["postgres"]),
        "PGUSER": state.postgres_user,
        "PGPASSWORD": state.postgres_password,
        "PGDATABASE": DATABASE,
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
    state = State.read(local_dir())
    if state is None:
        return
    variables = environment(state)
    if only:
        for name in [name for name in os.environ if name.startswith(("PG", "AWS_"))]:
            del os.environ[name]
    if not any(name in os.environ for name in POSTGRES_VARIABLES):
        os.environ.update({name: value for name, value in variables.items() if name.startswith("PG")})
    if not any(name in os.environ for name in S3_VARIABLES):
        os.environ.update({name: value for name, value in variables.items() if name.startswith("AWS_")})


def connect(*, application: str = "journey", autocommit: bool = False) -> psycopg.Connection[Any]:
    """Open a connection to the PostgreSQL that the environment names.

    Args:
        application: how the connection is called in `pg_stat_activity`.
        autocommit: each statement is a transaction of its own.

    Raises:
        UsageError: it isn't there, or doesn't let us in.
    """
    use_embedded()
    if not any(name in os.environ for name in POSTGRES_VARIABLES):
        raise UsageError(
            "no PostgreSQL is named: start the embedded one with `journey services up`, or set PGHOST and its like"
        )
    try:
        return psycopg.connect(make_conninfo(application_name=application, connect_timeout=10), autocommit=autocommit)
    except psycopg.OperationalError as error:
        raise UsageError(
            f"PostgreSQL at {os.environ.get('PGHOST', '?')}:{os.environ.get('PGPORT', '5432')} "
            f"does not let us in: {_one_line(error)} (the embedded one starts with `journey services up`)"
        ) from error


def s3_client(
    *, connections: int = 10, attempts: int = 5, read_seconds: float = 60, anonymous: bool = False
) -> S3Client:
    """An S3 client, configured from the environment as boto3 is; times in its answers stay texts.

    Args:
        connections: how many requests may be under way at once.
        attempts: how often boto3 tries a request by itself.
        read_seconds: how long an answer may be silent.
        anonymous: requests aren't signed.

    Raises:
        UsageError: boto3's configuration can't be used.
    """
    use_embedded()
    session = Session()  # boto3 itself would take twice as long to import
    parsers: Any = session.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=str)  # 0.07 s for each 1,000 listed objects, and unused
    try:
        client = session.create_client(
            "s3",
            region_name=None if "AWS_DEFAULT_REGION" in os.environ or "AWS_PROFILE" in os.environ else REGION,
            config=Config(
                max_pool_connections=connections,
                connect_timeout=10,
                read_timeout=read_seconds,
                retries={"mode": "standard", "total_max_attempts": attempts},
                signature_version=UNSIGNED if anonymous else None,
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"S3 is not configured: {_one_line(error)}") from error
    return cast("S3Client", client)


def s3_failure(error: Exception, where: str) -> str:
    """Say what S3 refused, and what to do.

    Args:
        error: what botocore raised.
        where: the `s3://` address that was asked for.
    """
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            f"{where}: no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, "
            "or start the embedded server with `journey services up`"
        )
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        remedy = {
            "NoSuchBucket": "no such bucket: `landing_bucket` in dbt_project.yml names it",
            "InvalidAccessKeyId": "S3 does not know this access key",
            "SignatureDoesNotMatch": "the secret access key is wrong",
            "AccessDenied": "access denied: these credentials may not read there",
            "403": "access denied: these credentials may not read there",
            "ExpiredToken": "the credentials have expired: get new ones and run again",
        }.get(code)
        return f"{where}: {remedy or _one_line(error)}"
    return f"{where}: S3 does not answer: {_one_line(error)} (the embedded one starts with `journey services up`)"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
