"""The embedded services: started once, private, and none the worse for a kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, run
from journey import services, settings
from journey.embedded import ADMIN, environment
from journey.errors import UsageError
from journey.services import postgres
from journey.services import s3 as s3_server
from journey.services.state import State


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Services of this test alone, in a folder of their own."""
    folder = ROOT / ".local" / "test-services"
    shutil.rmtree(folder, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith(("PG", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JOURNEY_LOCAL_DIR", str(folder))
    yield folder
    services.down()
    shutil.rmtree(folder, ignore_errors=True)


def pids(folder: Path) -> tuple[int, int]:
    return (
        int((folder / postgres.DATA / "postmaster.pid").read_text().split()[0]),
        int((folder / s3_server.PROCESS).read_text().split()[0]),
    )


def test_killed_services_come_back_with_their_data(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services.up()
    state = State.read(private)
    assert state is not None
    for name, value in environment(state, ADMIN).items():
        monkeypatch.setenv(name, value)
    with settings.connect(autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    client = settings.s3_client()
    client.put_object(Bucket="landing", Key="kept", Body=b"42")

    before = pids(private)
    services.up()
    assert pids(private) == before, "a second start started something"

    for pid in before:
        os.kill(pid, signal.SIGKILL)
    services.up()

    assert set(pids(private)).isdisjoint(before)
    with settings.connect() as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)
    assert client.get_object(Bucket="landing", Key="kept")["Body"].read() == b"42"
    assert State.read(private) == state, "ports or secrets changed"


def test_secrets_are_private_and_servers_listen_on_loopback_only(private: Path) -> None:
    assert [service.running for service in services.up()] == [True, True]
    for file in ("services.json", "s3.json"):
        assert stat.S_IMODE((private / file).stat().st_mode) == 0o600
    state = State.read(private)
    assert state is not None
    addresses = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}
    for address in addresses:
        for port in state.ports.values():
            with socket.socket(socket.AF_INET6 if ":" in str(address) else socket.AF_INET) as probe:
                assert probe.connect_ex((str(address), port)) != 0, f"port {port} answers on {address}"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host="127.0.0.1", port=state.ports["postgres"], user="journey", password="wrong", dbname="journey"
        )
    assert state.postgres_password not in repr(services.status())


def test_a_port_in_use_is_one_clear_line(private: Path) -> None:
    private.mkdir(parents=True)
    state = State.read_or_create(private)
    with socket.create_server(("127.0.0.1", state.ports["postgres"])):
        done = run("services", "up")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"port {state.ports['postgres']} (PostgreSQL) is taken" in done.stderr


def test_status_and_env_say_what_is_there(private: Path) -> None:
    assert run("services", "status").returncode == 1
    missing = run("env")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.count("\n") == 1
    assert "journey services up" in missing.stderr

    assert run("services", "up").returncode == 0
    assert run("services", "status").returncode == 0
    exports = run("env").stdout
    shell = subprocess.run(
        ["bash", "-c", 'eval "$(cat)"; psql -tAc "select current_user"'],  # noqa: S607
        input=exports,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shell.stdout == "transformer\n", shell.stderr
    assert f"export JOURNEY_LOCAL_DIR={private}\n" in exports  # so that `journey load` there chooses these logins, too
    assert run("psql", "-tAc", "select 6 * 7").stdout == "42\n"

    assert run("services", "down").returncode == 0
    stopped = run("load")
    assert stopped.returncode == 2
    assert "Traceback" not in stopped.stderr
    assert "does not let us in" in stopped.stderr


def test_an_encrypted_connection_takes_the_machines_own_psql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in the packages can't encrypt."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE", "JOURNEY_POSTGRES_BIN"):
        monkeypatch.delenv(name, raising=False)
    bundled = postgres.bin_dir() / "psql"
    own = tmp_path / "psql"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bundled.parent}:{tmp_path}")
    assert postgres.psql() == bundled
    monkeypatch.setenv("PGHOST", "warehouse.example.invalid")
    assert postgres.psql() == own
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert postgres.psql() == bundled
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert postgres.psql() == own
    own.unlink()
    with pytest.raises(UsageError, match=r"\(sslmode verify-full\).* install PostgreSQL's client"):
        postgres.psql()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as somebody else")
def test_root_starts_it_from_a_folder_that_is_closed_to_others(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = postgres.bin_dir().parent.parent
    for part in package.parent.glob(f"{package.name}*"):  # the package, and the libraries that it was linked with
        shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("pginstall"))
    monkeypatch.setenv("JOURNEY_POSTGRES_BIN", str(closed / package.name / "pginstall18" / "bin"))
    monkeypatch.setenv("JOURNEY_LOCAL_DIR", str(closed / "local"))
    services.up()
    pid = int((closed / "local" / postgres.DATA / "postmaster.pid").read_text().split()[0])
    status = Path(f"/proc/{pid}/status").read_text()
    assert "Uid:\t0" not in status
    assert "CapEff:\t0000000000000002" in status, "more than the one capability to pass folders"
