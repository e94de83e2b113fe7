"""A standalone Spark cluster on this machine: a master, workers and the Thrift server, each a process, on loopback."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from journey.errors import JourneyError, UsageError
from journey.project import local_dir, project_root
from journey.services import Status
from journey.services.state import free_ports, is_free, write_private
from journey.spark import classes, settings
from journey.spark.wheels import java_home, s3a_jars, spark_home

FOLDER = "spark"
PORTS = ("master", "master_ui", "thrift")
WORKERS = 2
START_SECONDS = 240  # of a machine that is busy
STOP_SECONDS = 30
MEMORY = {"daemon": "512m", "driver": "3g", "executor": "2g"}
DEPLOY = "org.apache.spark.deploy"
THRIFT = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"


@dataclass
class Cluster:
    """What is remembered between starts.

    Attributes:
        ports: by what listens there, all on 127.0.0.1.
        processes: pid, and when it was created, by name; in the order in which they were started.
    """

    ports: dict[str, int]
    processes: dict[str, tuple[int, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Cluster | None:
        """What an earlier start wrote; None if nothing.

        Raises:
            UsageError: it can't be read.
        """
        file = folder / "cluster.json"
        try:
            found = json.loads(file.read_text())
            return cls(found["ports"], {name: (pid, born) for name, (pid, born) in found["processes"].items()})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{file} can't be read ({error}): remove {folder} to start anew") from error

    def write(self, folder: Path) -> None:
        """Keep it."""
        write_private(folder / "cluster.json", json.dumps(asdict(self), indent=2) + "\n")

    def process(self, name: str) -> psutil.Process | None:
        """The process of this name, if it still is the one that was started."""
        pid, born = self.processes.get(name, (0, 0.0))
        try:
            process = psutil.Process(pid)
            same = pid > 0 and abs(process.create_time() - born) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if same else None


def up(*, workers: int = WORKERS) -> list[Status]:
    """Start what isn't running, and wait until SQL is answered.

    Args:
        workers: how many there are to be; each has one core.

    Raises:
        UsageError: Spark isn't installed, or no S3 server is named.
        JourneyError: something doesn't start; the message names its log.
    """
    if "AWS_ENDPOINT_URL_S3" not in os.environ:
        raise UsageError("no S3 server is named: start the embedded one with `journey services up`")
    folder = local_dir() / FOLDER
    with _locked(folder):
        (folder / "log").mkdir(mode=0o700, exist_ok=True)
        cluster = Cluster.read(folder) or Cluster(
            dict(zip(("master", "master_ui", "thrift"), free_ports(3), strict=True))
        )
        if _is_up(cluster, workers):
            return status()
        _stop(folder, cluster)
        home = spark_home(project_root())
        jars = os.pathsep.join((s3a_jars(project_root()), str(classes.write(folder))))
        conf = settings.write(folder, (folder / "warehouse").as_uri(), jars, secrets.token_urlsafe(24), os.environ)
        environment = _environment(folder, home, conf)
        for name, port in cluster.ports.items():
            if not is_free(port, wait_seconds=10):
                raise JourneyError(
                    f"port {port} (Spark, {name}) is taken by another program: stop it, or remove "
                    f"{folder / 'cluster.json'} so that other ports are chosen"
                )
        _start_all(folder, cluster, home, environment, workers)
    return status()


def down() -> list[Status]:
    """Stop what runs; tables stay."""
    folder = local_dir() / FOLDER
    cluster = Cluster.read(folder)
    if cluster is not None:
        with _locked(folder):
            _stop(folder, cluster)
    return status()


def status() -> list[Status]:
    """Each process of the cluster; none if it was never started here."""
    folder = local_dir() / FOLDER
    cluster = Cluster.read(folder)
    if cluster is None:
        return []
    addresses = {
        "master": f"spark://127.0.0.1:{cluster.ports['master']}",
        "thrift": f"127.0.0.1:{cluster.ports['thrift']}",
    }
    names = list(dict.fromkeys(["master", *sorted(cluster.processes.keys() - {"master", "thrift"}), "thrift"]))
    return [
        Status(f"Spark {name}", addresses.get(name, ""), cluster.process(name) is not None, f"log {_log(folder, name)}")
        for name in names
    ]


def environment() -> dict[str, str]:
    """By what dbt finds the Thrift server of this machine; nothing if it was never started here."""
    cluster = Cluster.read(local_dir() / FOLDER)
    return {} if cluster is None else {"SPARK_HOST": "127.0.0.1", "SPARK_PORT": str(cluster.ports["thrift"])}


def use_cluster() -> None:
    """Put the cluster of this machine into this process's environment where it names no other."""
    if "SPARK_HOST" not in os.environ:
        os.environ.update(environment())


def _is_up(cluster: Cluster, workers: int) -> bool:
    names = ["master", *(f"worker_{number}" for number in range(1, workers + 1)), "thrift"]
    running = sum(cluster.process(name) is not None for name in cluster.processes)
    return running == len(names) and _alive(cluster) == workers and _answers(cluster)


def _start_all(folder: Path, cluster: Cluster, home: Path, environment: Mapping[str, str], workers: int) -> None:
    port, ui = str(cluster.ports["master"]), str(cluster.ports["master_ui"])
    address = f"spark://127.0.0.1:{port}"
    spark_class = str(home / "bin" / "spark-class")

    def start(name: str, command: Sequence[str], memory: str = MEMORY["daemon"]) -> None:
        with _log(folder, name).open("ab") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=folder,
                env={**environment, "SPARK_DAEMON_MEMORY": memory},
                umask=0o077,
                start_new_session=True,  # Ctrl-C in a terminal stops the command, not the cluster
            )
        cluster.processes[name] = (process.pid, psutil.Process(process.pid).create_time())
        cluster.write(folder)

    here = ["--host", "127.0.0.1"]
    start("master", [spark_class, f"{DEPLOY}.master.Master", *here, "--port", port, "--webui-port", ui])
    _wait(folder, cluster, "master", lambda: _alive(cluster) is not None)
    for number in range(1, workers + 1):
        size = ["--cores", "1", "--memory", MEMORY["executor"]]
        place = [*here, "--work-dir", str(folder / "work"), "--webui-port", "0"]
        start(f"worker_{number}", [spark_class, f"{DEPLOY}.worker.Worker", *size, *place, address])
    _wait(folder, cluster, f"worker_{workers}", lambda: _alive(cluster) == workers)
    start(
        "thrift",
        [
            str(home / "bin" / "spark-submit"), "--master", address, "--name", "journey",
            "--executor-memory", MEMORY["executor"], "--executor-cores", "1",
            "--class", THRIFT,
            "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1",
            "--hiveconf", f"hive.server2.thrift.port={cluster.ports['thrift']}",
            "spark-internal",
        ],
        MEMORY["driver"],  # as a daemon's: the Thrift server takes no --driver-memory
    )  # fmt: skip
    _wait(folder, cluster, "thrift", lambda: _answers(cluster))


def _wait(folder: Path, cluster: Cluster, name: str, is_ready: Callable[[], bool]) -> None:
    """Wait for one of them; if it doesn't come, stop all.

    Raises:
        JourneyError: it ended, or time is up.
    """
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if cluster.process(name) is None or time.monotonic() > deadline:
            _stop(folder, cluster)
            raise JourneyError(f"Spark's {name} does not start: see its log, {_log(folder, name)}")
        time.sleep(0.5)


def _stop(folder: Path, cluster: Cluster) -> None:
    """End what runs, what was started last first."""
    for name in reversed(list(cluster.processes)):
        process = cluster.process(name)
        if process is not None:
            children = process.children(recursive=True)  # executors of a worker
            for each in (process, *children):
                with suppress(psutil.Error):
                    each.terminate()
            for each in psutil.wait_procs([process, *children], STOP_SECONDS)[1]:
                with suppress(psutil.Error):
                    each.kill()
    cluster.processes = {}
    cluster.write(folder)
    shutil.rmtree(folder / "work", ignore_errors=True)  # of executors that are gone


def _alive(cluster: Cluster) -> int | None:
    """How many workers the master has; None if it doesn't answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{cluster.ports['master_ui']}/json/", timeout=5) as answer:
            return int(json.load(answer)["aliveworkers"])
    except (OSError, ValueError, KeyError):
        return None


def _answers(cluster: Cluster) -> bool:
    """Whether the Thrift server answers a query, for which it needs executors."""
    if is_free(cluster.ports["thrift"]):
        return False
    from pyhive import hive
    from thrift.transport.TTransport import TTransportException

    try:
        with closing(hive.connect("127.0.0.1", cluster.ports["thrift"])) as connection:
            cursor = connection.cursor()
            cursor.execute("select 1")
            return bool(cursor.fetchall() == [(1,)])
    except (OSError, hive.Error, TTransportException):
        return False


def _environment(folder: Path, home: Path, conf: Path) -> dict[str, str]:
    """Of the cluster's processes; of ours, only what any program needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "JAVA_HOME": str(java_home(project_root(), folder)),
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(conf),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_NO_DAEMONIZE": "1",
    }


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one start or stop at a time touch the folder, which nobody else may read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _log(folder: Path, name: str) -> Path:
    return folder / "log" / f"{name}.log"
