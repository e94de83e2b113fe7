"""Which PostgreSQL and which S3: what the environment says. (Commands let `embedded` name the embedded services there.)

PostgreSQL is named by libpq's own variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE …), S3 by
boto3's own (AWS_ENDPOINT_URL_S3, AWS_PROFILE, AWS_ACCESS_KEY_ID …).
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import psycopg
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError, SSLError
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session
from psycopg.conninfo import make_conninfo

from journey.errors import UsageError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

REGION = "us-east-1"  # where none is named: servers that have no regions take any

POSTGRES_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE")
S3_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN",
                "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")  # fmt: skip

SILENT_SECONDS = 10.0  # so long S3 may be silent before a person hears of it

# A connection whose other end has vanished breaks after a minute, waiting or sending, and not when TCP gives up.
NETWORK: dict[str, Any] = {
    "connect_timeout": 10, "keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}  # fmt: skip
LOCAL_HOST = re.compile(r"|/.*|@.*|localhost|127\.\d+\.\d+\.\d+|::1")  # a socket is local, too
# What a server says that will soon let us in; libpq keeps no code of it.
NOT_YET = re.compile(
    "starting up|shutting down|in recovery mode|not yet accepting connections|too many clients|"
    "connection slots are reserved"
)


def connect(
    *,
    application: str = "journey",
    autocommit: bool = False,
    patience: float = 30.0,
    kind: type[psycopg.Connection[Any]] = psycopg.Connection,
    as_login: bool = False,
) -> psycopg.Connection[Any]:
    """Open a connection to the PostgreSQL that the environment names; one that nobody answers any more breaks.

    To a host that isn't this machine it is encrypted, unless PGSSLMODE or a service says otherwise.

    Args:
        application: how the connection is called in `pg_stat_activity`.
        autocommit: each statement is a transaction of its own.
        patience: how long a server may start up, recover or have no connection left, seconds.
        kind: class of the connection.
        as_login: with the rights of the login itself, where it acts as its group (`alter role … set role`): only a
            login sees and ends its own sessions.

    Raises:
        UsageError: it isn't there, or doesn't let us in.
    """
    if not any(name in os.environ for name in POSTGRES_VARIABLES):
        raise UsageError(
            "no PostgreSQL is named: start the embedded one with `journey services up`, or set PGHOST and its like"
        )
    address = make_conninfo(application_name=application, client_encoding="UTF8", **NETWORK, **encryption())
    end = time.monotonic() + patience
    while True:
        try:
            connection = kind.connect(address, autocommit=autocommit)
        except psycopg.OperationalError as error:
            if NOT_YET.search(str(error)) and time.monotonic() < end:
                time.sleep(0.5)
                continue
            host = os.environ.get("PGHOST", "?")
            said = _one_line(error).replace("resolve host None", f"resolve host {host}")  # psycopg knows no PGHOST
            raise UsageError(
                f"PostgreSQL at {host}:{os.environ.get('PGPORT', '5432')} does not let us in: {said}"
                f"{_postgres_advice(error)}"
            ) from error
        _check_encoding(connection)
        if as_login:
            connection.execute("set role none")
        return connection


def _check_encoding(connection: psycopg.Connection[Any]) -> None:
    """Texts are loaded as UTF-8: in another encoding, a database would keep some of them wrong, or refuse them.

    Raises:
        UsageError: the database is of another one; the connection is closed.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):  # a pooler may not say it
        name = connection.info.dbname
        connection.close()
        raise UsageError(
            f"the database {name} has the encoding {encoding}, and must have UTF8, which is chosen when a database is "
            f"made: createdb --template template0 --encoding UTF8 {name}"
        )


def encryption() -> dict[str, str]:
    """`sslmode`, where the environment doesn't say it; libpq's own default is to do without if the server likes."""
    if "PGSSLMODE" in os.environ or "PGSERVICE" in os.environ:
        return {}
    hosts = (os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR") or "").split(",")
    return {} if all(LOCAL_HOST.fullmatch(host) for host in hosts) else {"sslmode": "require"}


def s3_client(
    *,
    connections: int = 10,
    attempts: int = 5,
    read_seconds: float = 60,
    anonymous: bool = False,
    tells_silence: bool = True,
) -> S3Client:
    """An S3 client, configured from the environment as boto3 is; times in its answers stay texts.

    Args:
        connections: how many requests may be under way at once.
        attempts: how often boto3 tries a request by itself.
        read_seconds: how long an answer may be silent.
        anonymous: requests aren't signed.
        tells_silence: standard error hears of an answer that doesn't come.

    Raises:
        UsageError: boto3's configuration can't be used.
    """
    session = Session()  # boto3 itself would take twice as long to import
    session.register_component("data_loader", _descriptions(session.get_config_variable("data_path")))
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
        remedy = " (AWS_ENDPOINT_URL_S3 begins with http:// or https://)" if "Invalid endpoint" in str(error) else ""
        raise UsageError(f"S3 is not configured: {_one_line(error)}{remedy}") from error
    if tells_silence:
        _tell_silence(client)
    return cast("S3Client", client)


@cache
def _descriptions(search_path: str | None) -> Loader:
    """What botocore knows of services and endpoints, read once a process: that is most of what a client costs.

    Args:
        search_path: where it looks besides its own folder.
    """
    return create_loader(search_path)


def _tell_silence(client: Any) -> None:
    """Let a person know, once a request, that we still wait for its answer."""
    said = f"journey: S3 at {client.meta.endpoint_url} has not answered for {SILENT_SECONDS:g} s; still trying\n"
    asking = threading.local()  # a client serves several threads, each with one request at a time

    def begin(**_: Any) -> None:
        asking.timer = threading.Timer(SILENT_SECONDS, sys.stderr.write, (said,))
        asking.timer.daemon = True
        asking.timer.start()

    def end(**_: Any) -> None:
        asking.timer.cancel()

    for event, do in (("before-call", begin), ("after-call", end), ("after-call-error", end)):
        client.meta.events.register(f"{event}.s3", do)


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
    if isinstance(error, ResponseParserError) or _is_a_page(error):
        return (
            f"{where}: what answers is not S3, it sends a page or sends us elsewhere: check AWS_ENDPOINT_URL_S3, and "
            "whether a proxy or a login page stands between"
        )
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        remedy = {
            "NoSuchBucket": "no such bucket; that of feeds is `landing_bucket` in dbt_project.yml",
            "InvalidAccessKeyId": "S3 does not know this access key",
            "SignatureDoesNotMatch": "the secret access key is wrong",
            "AccessDenied": "access denied: these credentials may not read there",
            "403": "access denied: these credentials may not read there",
            "ExpiredToken": "the credentials have expired: get new ones and run again",
            "301": "the bucket is in another region (AWS_DEFAULT_REGION)",
            "PermanentRedirect": "the bucket is in another region (AWS_DEFAULT_REGION)",
        }.get(code)
        return f"{where}: {remedy or _one_line(error)}"
    if isinstance(error, SSLError):
        plain = "WRONG_VERSION_NUMBER" in str(error)
        remedy = (
            "it speaks http and not https: AWS_ENDPOINT_URL_S3 says which"
            if plain
            else "AWS_CA_BUNDLE names the certificates that are trusted"
        )
        return f"{where}: no encrypted connection to S3: {remedy} ({_one_line(error)})"
    endpoint = getattr(error, "kwargs", {}).get("endpoint_url") or os.environ.get("AWS_ENDPOINT_URL_S3", "")
    return f"{where}: S3 does not answer: {_one_line(error)}{_advice(urlsplit(endpoint).hostname or '')}"


def _postgres_advice(error: psycopg.OperationalError) -> str:
    """What to do about the commonest reasons; libpq keeps no code of what a server says while it lets nobody in."""
    said = str(error)
    if "password authentication failed" in said or "no password supplied" in said:
        return " (PGUSER and PGPASSWORD name the login, or PGPASSFILE a file with a line for it)"
    if re.search('database ".*" does not exist', said):
        return " (PGDATABASE names it; createdb makes it)"
    if re.search("refused|No such file|timeout expired|could not translate|Name or service", said):
        return _advice(os.environ.get("PGHOST", ""))
    return ""


def _advice(host: str) -> str:
    """How the embedded services are started, where the host could be theirs: on this machine."""
    is_here = not host or host.startswith(("/", "127.")) or host in ("localhost", "::1")
    return " (the embedded one starts with `journey services up`)" if is_here else ""


def _is_a_page(error: Exception) -> bool:
    """Whether what refused is some web server: botocore takes its pages for errors of S3 without a code."""
    if not isinstance(error, ClientError):
        return False
    said = error.response.get("ResponseMetadata", {})
    kind = said.get("HTTPHeaders", {}).get("content-type", "")
    return kind.startswith("text/html") or said.get("HTTPStatusCode") in (302, 303, 307, 308)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
