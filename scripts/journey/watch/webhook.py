"""Alerts on their way to whoever listens: one POST of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from journey.errors import JourneyError, UsageError
from journey.settings import LOCAL_HOST
from journey.watch.figures import Figure, plain

SECONDS = 10.0  # that the other end may be silent


class _NoRedirects(HTTPRedirectHandler):
    """A POST that is sent elsewhere arrives nowhere: urllib would make a GET of it."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def checked(url: str) -> str:
    """The URL, if it can be one of a webhook.

    Raises:
        UsageError: it is none, or would send figures in the clear; the message doesn't show it, for it may be a secret.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("the webhook is no URL: it begins with https:// and names a host")
    if parts.scheme == "http" and not LOCAL_HOST.fullmatch(parts.hostname):
        raise UsageError(f"the webhook at {parts.hostname} is not encrypted: https://, or a server on this machine")
    return url


def post(url: str, alerts: Sequence[Figure]) -> None:
    """Send alerts, all in one request: `text` is for people, `alerts` has the figures.

    Args:
        url: that `checked` returned.
        alerts: at least one.

    Raises:
        JourneyError: it didn't arrive. The message names the host alone: a webhook's path and query are secrets.
    """
    body = {"text": "\n".join(alert.message for alert in alerts), "alerts": [plain(alert) for alert in alerts]}
    headers = {"Content-Type": "application/json", "User-Agent": "journey"}
    request = Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - `checked` saw the scheme
    host = urlsplit(url).hostname
    try:
        with build_opener(_NoRedirects).open(request, timeout=SECONDS):
            return
    except HTTPError as error:
        why = f"it answered {error.code}"
    except (URLError, OSError, HTTPException) as error:
        why = str(getattr(error, "reason", error)) or type(error).__name__
    raise JourneyError(f"the webhook at {host} did not take {len(alerts)} alerts: {why}")
