"""What a server that isn't there is answered with: the embedded services are advised where they could be meant."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from journey import settings
from journey.errors import UsageError

ADVICE = "journey services up"


@pytest.mark.parametrize(
    ("host", "is_here"), [("127.0.0.1", True), ("/nowhere", True), ("database.example.invalid", False)]
)
def test_embedded_services_are_advised_on_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, host: str, is_here: bool
) -> None:
    for name in ("PGHOSTADDR", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGHOST", host)
    monkeypatch.setenv("PGPORT", "1")
    with pytest.raises(UsageError, match="does not let us in") as caught:
        settings.connect(patience=0)
    assert (ADVICE in str(caught.value)) == is_here


@pytest.mark.parametrize(
    ("address", "is_here"), [("http://127.0.0.1:8333", True), ("https://s3.eu-central-1.amazonaws.com", False)]
)
def test_the_same_for_s3(address: str, is_here: bool) -> None:
    error = EndpointConnectionError(endpoint_url=address)
    assert (ADVICE in settings.s3_failure(error, "s3://landing")) == is_here
