"""Chunks made in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from queue import Queue

AHEAD = 2  # chunks


def read_ahead(chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """The same chunks, made in a thread of its own, a few ahead. Closing it stops the thread at its next chunk."""
    queue: Queue[bytes | BaseException | None] = Queue(AHEAD)
    stopped = threading.Event()

    def run() -> None:
        try:
            with closing(chunks):
                for data in chunks:
                    queue.put(data)
                    if stopped.is_set():
                        return
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    threading.Thread(target=run, daemon=True, name="read ahead").start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        while not queue.empty():  # a thread that waits for room goes on, and sees it
            queue.get_nowait()
