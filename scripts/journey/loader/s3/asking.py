"""How S3 is asked: how often, how long, and what is said when it is silent."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import urllib3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import ResponseParserError

from journey.loader.declaration.sources import Source
from journey.settings import SILENT_SECONDS

Say: TypeAlias = Callable[[str], None]

TRANSIENT_CODES = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeoutException",
                   "InternalError", "ServiceUnavailable", "RequestLimitExceeded", "BandwidthLimitExceeded"}  # fmt: skip


class WrongAnswerError(Exception):
    """S3, or what stands between, answers something else than was asked for; the next try may be answered rightly."""


FAULTS = (BotoCoreError, ClientError, ResponseParserError, urllib3.exceptions.HTTPError, OSError, WrongAnswerError)


@dataclass(frozen=True)
class Retry:
    """How patient to be.

    Attributes:
        attempts: tries in a row without a byte of progress.
        base_seconds: first pause; it doubles, up to 10 s.
        stall_seconds: a chunk of 1 MB that takes longer counts as a broken stream.
        busy_seconds: so long a file may be in another run's hands before it counts as not loaded.
    """

    attempts: int = 6
    base_seconds: float = 0.2
    stall_seconds: float = 60.0
    busy_seconds: float = 300.0

    def pause(self, attempt: int) -> None:
        """Wait before the next try, with jitter."""
        time.sleep(min(10.0, self.base_seconds * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311


def may_pass(error: Exception) -> bool:
    """Whether S3's refusal, or its silence, may be over at the next try."""
    if not isinstance(error, ClientError):
        return not isinstance(error, (NoCredentialsError, PartialCredentialsError))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or status == 429 or error.response.get("Error", {}).get("Code") in TRANSIENT_CODES


def payer(source: Source) -> dict[str, Any]:
    """What each request says where readers pay."""
    return {"RequestPayer": source.options.request_payer} if source.options.request_payer else {}


@contextmanager
def silence_told(say: Say, where: str, seconds: float | None = None) -> Iterator[None]:
    """While something is asked: after a while without an answer, say once that we still wait.

    Args:
        say: takes the message; called from another thread.
        where: what is asked for.
        seconds: how long the while is; SILENT_SECONDS if None.
    """
    seconds = SILENT_SECONDS if seconds is None else seconds
    timer = threading.Timer(seconds, say, (f"{where}: S3 has not answered for {seconds:g} s; still trying",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
