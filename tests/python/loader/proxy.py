"""A TCP proxy between the loader and a real server, which breaks connections, and lies, as networks and servers do."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

OBJECT_REQUEST = re.compile(rb"GET /[^/ ?]+/[^ ?]+ ")
LISTING_REQUEST = re.compile(rb"GET /[^/ ?]+/?\?list-type")
SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


@dataclass
class Fault:
    """What happens to one answer.

    Attributes:
        kind: cut (an orderly end), reset, stall (nothing more comes), trickle (a byte now and then), an HTTP status,
            call (`action` runs, and the answer goes on), lie (the client gets what `lie` makes of the answer), or pass.
        after: bytes of the answer that get through first.
        action: for call.
        lie: for lie: from an answer's head and body, what the client gets.
    """

    kind: str
    after: int = 0
    action: Callable[[], object] | None = None
    lie: Callable[[bytes, bytes], bytes] | None = None


def lie(made: Callable[[bytes, bytes], bytes]) -> Fault:
    """An answer that was tampered with."""
    return Fault("lie", lie=made)


PASS = Fault("pass", after=2**60)


def answer(status: str, body: bytes, headers: Mapping[str, object] | None = None) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def rewritten(head: bytes, body: bytes, headers: Mapping[str, object | None] | None = None) -> bytes:
    """An answer with another body, some of its headers replaced, or left out where they are None."""
    changed = {name.lower(): value for name, value in {**(headers or {}), "Content-Length": len(body)}.items()}
    first, *lines = head.split(b"\r\n")
    kept = [line for line in lines if line.split(b":")[0].decode().lower() not in changed]
    new = [f"{name}: {value}".encode() for name, value in changed.items() if value is not None]
    return b"\r\n".join([first, *kept, *new]) + b"\r\n\r\n" + body


@dataclass
class Proxy:
    """Listens on a free port of 127.0.0.1 and passes on to `target`.

    Attributes:
        target: port of the real server.
        faults: for each request of an object (or, with every_connection, each connection) the next one happens.
        every_connection: faults are for connections that speak another protocol than HTTP.
        meant: the requests that faults are for; None: those of objects.
        requests: the first line of every HTTP request, in order.
    """

    target: int
    faults: list[Fault] = field(default_factory=list)
    every_connection: bool = False
    meant: re.Pattern[bytes] | None = None
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close everything."""
        _close(self._listener)
        self.drop()

    def drop(self, *, reset: bool = True) -> None:
        """Break every open connection."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            _close(one, reset=reset)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self._sockets += [client, server]
            state: dict[str, Fault | None] = {"fault": self._next() if self.every_connection else None}
            threading.Thread(target=self._requests, args=(client, server, state), daemon=True).start()
            threading.Thread(target=self._answers, args=(server, client, state), daemon=True).start()

    def _next(self) -> Fault | None:
        return self.faults.pop(0) if self.faults else None

    def _requests(self, client: socket.socket, server: socket.socket, state: dict[str, Fault | None]) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                line = data.split(b"\r\n", 1)[0]
                if line.endswith(b"HTTP/1.1"):
                    self.requests.append(line + (b" " + _range(data) if b"Range:" in data else b""))
                    if (self.meant or OBJECT_REQUEST).match(line) and not self.every_connection:
                        fault = self._next()
                        if fault and fault.kind.isdigit():
                            head = f"HTTP/1.1 {fault.kind} Fault\r\nContent-Length: {len(SLOW_DOWN)}\r\n\r\n"
                            client.sendall(head.encode() + SLOW_DOWN)
                            continue
                        state["fault"] = fault
                server.sendall(data)
        _close(server)

    def _answers(self, server: socket.socket, client: socket.socket, state: dict[str, Fault | None]) -> None:
        fault, passed, held = None, 0, b""
        with suppress(OSError):
            while data := server.recv(65536):
                if state["fault"] is not fault:
                    fault, passed, held = state["fault"], 0, b""
                if fault and fault.lie:
                    held += data
                    head, ended, body = held.partition(b"\r\n\r\n")
                    if ended and len(body) == _length(head):
                        client.sendall(fault.lie(head, body))
                        fault = state["fault"] = None
                    continue
                if fault and passed + len(data) > fault.after:
                    allowed = max(0, fault.after - passed)
                    client.sendall(data[:allowed])
                    if fault.kind in ("cut", "reset"):
                        _close(client, reset=fault.kind == "reset")
                        break
                    if fault.kind == "stall":
                        threading.Event().wait(60)
                        break
                    if fault.kind == "trickle":
                        for byte in data[allowed:]:
                            client.sendall(bytes([byte]))
                            time.sleep(0.2)
                    if fault.action:
                        fault.action()
                    fault = state["fault"] = None
                    data = data[allowed:]
                client.sendall(data)
                passed += len(data)
        _close(server)
        _close(client)


def _length(head: bytes) -> int:
    match = re.search(rb"(?i)content-length: (\d+)", head)
    return int(match[1]) if match else 0


def _range(data: bytes) -> bytes:
    match = re.search(rb"Range: ([^\r]+)", data)
    return match[1] if match else b""


def _close(one: socket.socket, *, reset: bool = False) -> None:
    with suppress(OSError):
        if reset:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads from it, which would keep it open
    one.close()
