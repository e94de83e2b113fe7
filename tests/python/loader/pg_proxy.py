"""What may stand between a loader and PostgreSQL: a network that swallows, a server that starts up, a pooler."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import psycopg

STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


class Between:
    """Listens on a free port of 127.0.0.1 and passes on to a server; the connections are the subclass's."""

    def __init__(self, target: int) -> None:
        """Listen.

        Args:
            target: port of the real server.
        """
        self.target = target
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close everything."""
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError

    def _connect(self) -> socket.socket:
        server = socket.create_connection(("127.0.0.1", self.target))
        self._open.append(server)
        return server


class BlackHole(Between):
    """Passes on until it swallows, without closing anything: neither end learns that the other no longer hears it."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self._swallows: set[int] = set()
        self.swallows_new = False
        self.swallow_after: bytes | None = None

    def swallow(self, *, new: bool = False) -> None:
        """Swallow whatever comes over the connections that are open now.

        Args:
            new: and over those to come.
        """
        self._swallows |= {id(one) for one in self._open}
        self.swallows_new = new

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        if self.swallows_new:
            self._swallows |= {id(client), id(server)}
        threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
        self._pass(client, server)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if id(source) in self._swallows:
                    threading.Event().wait()  # nothing is read any more, so what is sent piles up
                if self.swallow_after and self.swallow_after in data:
                    self.swallow_after = None
                    self._swallows |= {id(source), id(target)}
                    continue
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


class Starting(Between):
    """A server that starts up while it is asked: the first connections are told so."""

    refusals = 3

    def _serve(self, client: socket.socket) -> None:
        if self.connections <= self.refusals:
            client.recv(65536)
            client.sendall(b"E" + struct.pack("!i", len(STARTING) + 4) + STARTING)
            client.close()
            return
        server = self._connect()
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        _copy(client, server)


class Pooler(Between):
    """A pooler in transaction mode: each transaction of a client goes to whichever session is free.

    It turns round among its sessions, so that whatever a client leaves in one is missed at once. Like PgBouncer, it
    tells its clients process numbers of its own.
    """

    def __init__(self, target: int, sessions: int = 6) -> None:
        """Open the sessions.

        Args:
            target: port of the real server.
            sessions: how many.
        """
        self._real = [
            psycopg.connect(port=target, sslmode="disable", application_name="pooled") for _ in range(sessions)
        ]
        self._free = [socket.socket(fileno=os.dup(one.fileno())) for one in self._real]
        for one in self._free:
            one.setblocking(True)
        self.pids = [one.info.backend_pid for one in self._real]
        self._is_free = threading.Condition()
        super().__init__(target)

    def close(self) -> None:
        """End the sessions."""
        super().close()
        for one in self._free:
            one.close()
        for real in self._real:
            with suppress(psycopg.Error):
                real.pgconn.finish()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError):
            [length] = struct.unpack("!i", _exactly(client, 4))
            _exactly(client, length - 4)
            client.sendall(_message(b"R", struct.pack("!i", 0)))
            for name, value in (("client_encoding", "UTF8"), ("server_version", "18.0"), ("TimeZone", "UTC"),
                                ("standard_conforming_strings", "on"), ("DateStyle", "ISO, MDY")):  # fmt: skip
                client.sendall(_message(b"S", f"{name}\0{value}\0".encode()))
            key = struct.pack("!ii", 1_000_000 + self.connections, 7)
            client.sendall(_message(b"K", key) + _message(b"Z", b"I"))
            while True:
                first = client.recv(65536)
                if not first or first[:1] == b"X":
                    return
                self._transaction(client, first)

    def _transaction(self, client: socket.socket, first: bytes) -> None:
        with self._is_free:
            while not self._free:
                self._is_free.wait()
            server = self._free.pop(0)
        ended = threading.Event()
        server.sendall(first)

        def requests() -> None:
            client.settimeout(0.02)
            with suppress(OSError):
                while not ended.is_set():
                    try:
                        data = client.recv(65536)
                    except TimeoutError:
                        continue
                    if not data:
                        ended.set()
                    server.sendall(data)

        thread = threading.Thread(target=requests, daemon=True)
        thread.start()
        for kind, message in _messages(server):
            is_over = kind == b"Z" and message[-1:] == b"I"
            if is_over:  # the session is free before the client knows, so that the next transaction takes another
                ended.set()
                thread.join()
                client.settimeout(None)
                with self._is_free:
                    self._free.append(server)
                    self._is_free.notify()
            client.sendall(message)
            if is_over:
                return


def _messages(server: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    while True:
        head = _exactly(server, 5)
        yield head[:1], head + _exactly(server, struct.unpack("!i", head[1:])[0] - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _exactly(one: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = one.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
