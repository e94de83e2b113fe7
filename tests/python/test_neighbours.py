"""Another user of this machine, while the embedded services run: no file, port or socket gives or takes anything."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import socket
import ssl
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from journey import settings
from journey.services.state import BUCKET, State

PLANTED = b"id,name\n1,only-the-owner-reads-this\n"
PORTS = ("master", "volume", "filer", "admin")
GRPC = ("master_grpc", "volume_grpc", "filer_grpc", "s3_grpc", "admin_grpc")
# what takes, changes or tells something where nobody is asked for a key
REQUESTS = (
    ("GET", "/"),
    ("GET", "/?pretty=y"),
    ("GET", "/dir/assign"),
    ("GET", "/dir/status"),
    ("GET", "/dir/lookup?volumeId=1"),
    ("GET", "/vol/status"),
    ("GET", "/cluster/status"),
    ("GET", "/status"),
    ("GET", "/ui/index.html"),
    ("GET", "/metrics"),
    ("GET", "/api/config"),
    ("GET", "/buckets/"),
    ("GET", f"/buckets/{BUCKET}/planted.csv"),
    ("PUT", f"/buckets/{BUCKET}/evil.csv"),
    ("POST", f"/buckets/{BUCKET}/evil.csv"),
    ("DELETE", f"/buckets/{BUCKET}/planted.csv"),
    ("DELETE", f"/buckets/{BUCKET}?recursive=true"),
    ("GET", f"/col/delete?collection={BUCKET}"),
    ("GET", "/vol/grow?count=1"),
    ("GET", "/1,01"),
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # of gRPC's HTTP/2


def as_neighbour(work: Callable[[], list[str]]) -> list[str]:
    """What `work` returns in a process of another user; of ours, where we may not become another one."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        try:
            if os.geteuid() == 0:
                user = pwd.getpwnam("daemon")
                os.setgroups([])
                os.setgid(user.pw_gid)
                os.setuid(user.pw_uid)
            said = work()
        except BaseException:  # whatever it is, the test shall say it
            said = [traceback.format_exc()]
        with os.fdopen(writes, "w") as out:
            json.dump(said, out)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as answer:
        found: list[str] = json.load(answer)
    os.waitpid(child, 0)
    return found


def unverified() -> ssl.SSLContext:
    """TLS of somebody who has no certificate and takes any."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def answered(port: int, method: str, path: str, *, tls: bool) -> str | None:
    """What a server does for whoever asks it over HTTP; None if it refuses."""
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=unverified())
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    )
    try:
        connection.request(method, path, body=PLANTED if method in ("PUT", "POST") else None)
        answer = connection.getresponse()
        body = answer.read(200)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return None if answer.status in (400, 401, 403, 405) else f"{answer.status} {body!r}"


def speaks_grpc(port: int, *, tls: bool) -> bool:
    """Whether a server speaks HTTP/2 with whoever comes."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            end = unverified().wrap_socket(plain) if tls else plain
            end.sendall(PREFACE)
            return end.recv(9)[3:4] == b"\x04"  # its own settings
    except OSError:
        return False


@pytest.fixture
def planted(embedded: State) -> State:
    """The services, with a row that only their owner may see."""
    settings.s3_client().put_object(Bucket=BUCKET, Key="planted.csv", Body=PLANTED)
    return embedded


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_no_file_and_no_socket_is_open_to_another_user(planted: State) -> None:
    folder = Path(os.environ["JOURNEY_LOCAL_DIR"])
    files = [folder, *folder.rglob("*")]
    assert any(file.suffix == ".dat" for file in files), "the server's files are elsewhere"
    sockets = [file for port in planted.ports.values() for file in Path("/tmp").glob(f"*-{port}.sock")]  # noqa: S108

    def work() -> list[str]:
        opened = [str(file) for file in files if os.access(file, os.R_OK) or os.access(file, os.W_OK)]
        for file in sockets:
            with socket.socket(socket.AF_UNIX) as end:
                if end.connect_ex(str(file)) == 0:
                    opened.append(str(file))
        return opened

    assert as_neighbour(work) == []


def test_the_folder_is_its_owners_alone(planted: State) -> None:
    folder = Path(os.environ["JOURNEY_LOCAL_DIR"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "tls" / "key.pem").stat().st_mode) == 0o600


def test_no_port_of_the_s3_server_does_anything_without_keys(planted: State) -> None:
    def work() -> list[str]:
        said = [
            f"{name} {'https' if tls else 'http'} {method} {path}: {found}"
            for name in PORTS
            for method, path in REQUESTS
            for tls in (False, True)
            if (found := answered(planted.ports[name], method, path, tls=tls)) is not None
        ]
        said += [f"{name}: speaks gRPC" for name in GRPC for tls in (False, True)
                 if speaks_grpc(planted.ports[name], tls=tls)]  # fmt: skip
        said += [
            f"s3 {method} {path}: {found}"
            for method, path in (
                ("GET", "/"), ("GET", f"/{BUCKET}"), ("GET", f"/{BUCKET}/planted.csv"), ("PUT", f"/{BUCKET}/evil.csv"),
                ("POST", f"/{BUCKET}/evil.csv"), ("DELETE", f"/{BUCKET}/planted.csv"), ("PUT", "/evil"),
                ("DELETE", f"/{BUCKET}"), ("GET", f"/{BUCKET}?acl"), ("PUT", f"/{BUCKET}?policy"),
            )
            if (found := answered(planted.ports["s3"], method, path, tls=False)) is not None
        ]  # fmt: skip
        return said

    assert as_neighbour(work) == []
    assert settings.s3_client().get_object(Bucket=BUCKET, Key="planted.csv")["Body"].read() == PLANTED


def test_a_page_of_a_browser_is_told_nothing(planted: State) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", planted.ports["s3"], timeout=10)
    connection.request("GET", f"/{BUCKET}", headers={"Origin": "http://evil.example"})
    assert connection.getresponse().getheader("Access-Control-Allow-Origin") in (None, "")


@pytest.mark.parametrize("user", ["journey", "postgres", "nobody", "daemon", "root"])
def test_postgresql_lets_nobody_in_without_a_password(planted: State, user: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=planted.ports["postgres"], user=user, password="", dbname="journey")
