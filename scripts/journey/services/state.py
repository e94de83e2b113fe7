"""What the embedded services remember between starts: ports and secrets, in one file that only its owner reads."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from journey.errors import UsageError

BUCKET = "landing"
REGION = "us-east-1"
# and the groups that each is in; it acts as the first, unless what it makes is its own
LOGINS = {
    "journey_load": ("loader",),
    "journey_build": ("transformer", "analyst"),  # acts as the first; `journey site` reads as the second
    "journey_retype": ("loader", "transformer"),
    "journey_dev": ("developer",),
}
OWN = "journey_dev"
PORTS = ("postgres", "s3", "s3_grpc", "master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc",
         "admin", "admin_grpc")  # fmt: skip
PORT_RANGE = range(20_000, 32_000)  # below every system's range for outgoing connections


@dataclass(frozen=True)
class State:
    """Ports and secrets of the embedded services.

    Attributes:
        ports: port number by service, all on 127.0.0.1.
        postgres_user: superuser of the embedded PostgreSQL.
        postgres_password: its password.
        s3_access_key: access key of the embedded S3 server.
        s3_secret_key: its secret.
        logins: passwords of the logins that aren't superusers, by name; none in a file of an earlier version.
    """

    ports: dict[str, int]
    postgres_user: str
    postgres_password: str
    s3_access_key: str
    s3_secret_key: str
    logins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> State | None:
        """What an earlier start wrote into the folder; None if nothing.

        Raises:
            UsageError: the file is there and can't be read.
        """
        file = folder / "services.json"
        try:
            return cls(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{file} can't be read ({error}): remove {folder} to start anew") from error

    @classmethod
    def read_or_create(cls, folder: Path) -> State:
        """What an earlier start wrote, else new secrets and free ports, written with mode 600."""
        known = cls.read(folder)
        if known and known.logins.keys() >= LOGINS.keys():
            return known
        logins = {login: secrets.token_urlsafe(24) for login in LOGINS}
        state = (
            replace(known, logins=logins)
            if known
            else cls(
                ports=dict(zip(PORTS, free_ports(len(PORTS)), strict=True)),
                postgres_user="journey",
                postgres_password=secrets.token_urlsafe(24),
                s3_access_key=secrets.token_hex(10).upper(),
                s3_secret_key=secrets.token_urlsafe(30),
                logins=logins,
            )
        )
        write_private(folder / "services.json", json.dumps(asdict(state), indent=2) + "\n")
        return state


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(file)


def is_free(port: int, *, wait_seconds: float = 0.0) -> bool:
    """Whether a server could listen on 127.0.0.1 at this port.

    Args:
        port: to try.
        wait_seconds: how long to wait for it; a killed server's threads may hold it a moment longer than its process.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if time.monotonic() >= deadline:
                    return False
            else:
                return True
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """So many ports of 127.0.0.1 at which nothing listens now."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = PORT_RANGE[secrets.randbelow(len(PORT_RANGE))]
        if port not in chosen and is_free(port):
            chosen.append(port)
    return chosen
