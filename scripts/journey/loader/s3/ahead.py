"""Chunks, or batches, made in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from queue import Queue
from typing import TypeVar

AHEAD = 3  # chunks of 1 MB, or batches of about as much

Item = TypeVar("Item")


def read_ahead(chunks: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """The same items, made in a thread of its own, a few ahead. Closing it stops the thread at its next chunk."""
    queue: Queue[Item | BaseException | None] = Queue(AHEAD)
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
