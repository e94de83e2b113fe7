"""What a server that isn't there is answered with: the embedded services are advised where they could be meant."""

from __future__ import annotations

import socket

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError, SSLError

from dbt_runs import administer
from journey import settings
from journey.errors import UsageError
from journey.services.state import State

ADVICE = "journey services up"


@pytest.mark.parametrize(
    ("host", "is_here"), [("127.0.0.1", True), ("/nowhere", True), ("database.example.invalid", False)]
)
def test_embedded_services_are_advised_on_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, host: str, is_here: bool
) -> None:
    for name in ("PGHOSTADDR", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGHOST", host)
    monkeypatch.setenv("PGPORT", "1")
    with pytest.raises(UsageError, match="does not let us in") as caught:
        settings.connect(patience=0)
    assert (ADVICE in str(caught.value)) == is_here
    assert "None" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PGPASSWORD", "wrong", r"\(PGUSER and PGPASSWORD name the login, or PGPASSFILE a file with a line for it\)"),
        ("PGDATABASE", "nowhere", r"\(PGDATABASE names it; createdb makes it\)"),
        ("PGSSLMODE", "required", 'invalid sslmode value: "required"$'),
    ],
)
def test_a_server_that_is_there_is_not_to_be_started(
    embedded: State, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=told) as caught:
        settings.connect(patience=0)
    assert ADVICE not in str(caught.value)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_of_another_encoding_is_refused(
    embedded: State, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """Its rows would be kept wrong, without a word: copied texts are UTF-8."""
    administer(f"create database of_old template template0 encoding '{encoding}' locale 'C'")
    monkeypatch.setenv("PGDATABASE", "of_old")
    try:
        with pytest.raises(UsageError, match=f"of_old has the encoding {encoding}, and must have UTF8.* createdb"):
            settings.connect()
    finally:
        administer("drop database of_old with (force)")


def test_texts_are_utf_8_whatever_the_shell_speaks(embedded: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with settings.connect() as connection:
        assert connection.execute("show client_encoding").fetchone() == ("UTF8",)


@pytest.mark.parametrize(
    ("address", "is_here"), [("http://127.0.0.1:8333", True), ("https://s3.eu-central-1.amazonaws.com", False)]
)
def test_the_same_for_s3(address: str, is_here: bool) -> None:
    error = EndpointConnectionError(endpoint_url=address)
    assert (ADVICE in settings.s3_failure(error, "s3://landing")) == is_here


def test_https_where_the_server_speaks_http(embedded: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"https://127.0.0.1:{embedded.ports['s3']}")
    with pytest.raises(SSLError) as caught:
        settings.s3_client(attempts=1).list_buckets()
    told = settings.s3_failure(caught.value, "s3://landing")
    assert told.startswith("s3://landing: no encrypted connection to S3: it speaks http and not https: AWS_ENDPOINT")
    assert ADVICE not in told


def test_an_endpoint_without_a_scheme_is_refused_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "127.0.0.1:8333")
    with pytest.raises(UsageError, match="begins with http:// or https://"):
        settings.s3_client()


def test_a_server_that_is_silent_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "SILENT_SECONDS", 0.2)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        for tells in (True, False):
            client = settings.s3_client(attempts=1, read_seconds=1, tells_silence=tells)
            with pytest.raises(ReadTimeoutError):
                client.list_objects_v2(Bucket="landing")
            said = capsys.readouterr().err
            assert said == (f"journey: S3 at {address} has not answered for 0.2 s; still trying\n" if tells else "")
