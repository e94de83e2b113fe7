"""The embedded S3: SeaweedFS, one process on loopback, with the landing bucket and one pair of keys."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from journey.errors import JourneyError, UsageError
from journey.services import mutual_tls
from journey.services.state import BUCKET, PORTS, REGION, State, is_free, write_private

DATA = "s3"
LOG = "log/s3.log"
PROCESS = "s3.process"
START_SECONDS = 60


def start(folder: Path, state: State) -> None:
    """Start the server if it doesn't run.

    Args:
        folder: private folder of the services.
        state: ports and secrets.

    Raises:
        JourneyError: a port is taken, or the server doesn't start.
    """
    if _process(folder) and answers(state) and mutual_tls.is_set_up(folder):
        return
    stop(folder, state)  # one that runs but doesn't answer, or lets everybody in past S3's keys
    for name in PORTS[1:]:
        if not is_free(state.ports[name], wait_seconds=3):
            raise JourneyError(
                f"port {state.ports[name]} (S3 server, {name}) is taken by another program: stop it, "
                f'or write a free port into {folder / "services.json"} under "{name}"'
            )
    data, log = folder / DATA, folder / LOG
    data.mkdir(mode=0o700, exist_ok=True)
    log.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(folder / "s3.json", json.dumps(_identities(state)))
    with log.open("ab") as out:
        process = subprocess.Popen(
            [_weed(), *_options(folder, state)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=mutual_tls.set_up(folder),
            start_new_session=True,  # Ctrl-C in a terminal stops the command, not the service
        )
    (folder / PROCESS).write_text(f"{process.pid} {psutil.Process(process.pid).create_time()}")
    deadline = time.monotonic() + START_SECONDS
    while not _serves(state):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(folder, state)
            raise JourneyError(f"the S3 server does not start: see its log, {log}")
        time.sleep(0.1)


def stop(folder: Path, state: State) -> None:
    """Stop the server, if it runs, and take away the sockets that it leaves in the system's temporary folder."""
    process = _process(folder)
    if process:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
    (folder / PROCESS).unlink(missing_ok=True)
    for port in state.ports.values():
        for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 - where the server puts them
            with contextlib.suppress(PermissionError):
                socket.unlink()


def answers(state: State) -> bool:
    """Whether an S3 server answers at our port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{state.ports['s3']}/status", timeout=5):
            return True
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except OSError:
        return False


def _serves(state: State) -> bool:
    """Whether it knows our keys, has the bucket and finds what lies in it: each takes it longer than to answer."""
    if not answers(state):
        return False
    import boto3  # half a second, so only where a server is started
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{state.ports['s3']}",
        aws_access_key_id=state.s3_access_key,
        aws_secret_access_key=state.s3_secret_key,
        region_name=REGION,
    )
    try:
        for item in client.list_objects_v2(Bucket=BUCKET, MaxKeys=1).get("Contents", ()):
            client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read(1)
    except (BotoCoreError, ClientError):
        return False
    return True


def _process(folder: Path) -> psutil.Process | None:
    """The server that an earlier start left, if that process still is the same one."""
    try:
        pid, started = (folder / PROCESS).read_text().split()
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return None
    return process if same else None


def _weed() -> str:
    """The server's program, from the wheel."""
    beside = Path(sys.executable).parent / "weed"
    program = str(beside) if beside.exists() else shutil.which("weed")
    if not program:
        raise UsageError("the embedded S3 server is not installed: run `make setup`")
    return program


def _identities(state: State) -> dict[str, object]:
    return {
        "identities": [
            {
                "name": "journey",
                "credentials": [{"accessKey": state.s3_access_key, "secretKey": state.s3_secret_key}],
                "actions": ["Admin", "Read", "List", "Tagging", "Write"],
            }
        ]
    }


def _options(folder: Path, state: State) -> list[str]:
    ports = state.ports
    return [
        "-logtostderr=true",  # which is our log file; its own files would go to the system's temporary folder
        "mini",
        f"-dir={folder / DATA}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.config={folder / 's3.json'}",
        f"-s3.port={ports['s3']}",
        f"-s3.port.grpc={ports['s3_grpc']}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        "-s3.allowedOrigins=http://127.0.0.1",  # no page of a browser
        f"-master.port={ports['master']}",
        f"-master.port.grpc={ports['master_grpc']}",
        "-master.telemetry=false",  # tells nobody anything
        f"-volume.port={ports['volume']}",
        f"-volume.port.grpc={ports['volume_grpc']}",
        f"-filer.port={ports['filer']}",
        f"-filer.port.grpc={ports['filer_grpc']}",
        f"-admin.port={ports['admin']}",
        f"-admin.port.grpc={ports['admin_grpc']}",
        "-admin.ui=false",
        f"-bucket={BUCKET}",
        "-webdav=false",
    ]
