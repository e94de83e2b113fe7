"""A server that isn't this machine has to encrypt, for the loader and for dbt; whoever says otherwise is heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.cli.main import dbtRunner

from conftest import ROOT
from dbt_runs import QUIETLY
from journey import settings
from journey.errors import UsageError
from journey.services.state import State

# another name of this machine, which isn't one of its own; the embedded server has no certificate
ELSEWHERE = "0.0.0.0"  # noqa: S104
REFUSED = "does not support SSL, but SSL was required"


def test_the_loader_asks_for_encryption(embedded: State, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.connect().close()
    monkeypatch.setenv("PGHOST", "localhost")
    settings.connect().close()
    monkeypatch.setenv("PGHOST", ELSEWHERE)
    psycopg.connect().close()  # libpq's own default does without
    with pytest.raises(UsageError, match=REFUSED):
        settings.connect()
    monkeypatch.setenv("PGHOST", f"localhost,{ELSEWHERE}")
    with pytest.raises(UsageError, match=REFUSED):
        settings.connect()
    monkeypatch.setenv("PGHOST", ELSEWHERE)
    monkeypatch.setenv("PGSSLMODE", "prefer")
    settings.connect().close()


@pytest.mark.parametrize("target", ["dev", "ci", "prod"])
def test_dbt_asks_for_encryption(embedded: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str) -> None:
    (tmp_path / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    (tmp_path / "dbt_project.yml").write_text(
        "{name: one, profile: data_journey, config-version: 2, flags: {send_anonymous_usage_stats: false}}"
    )

    def said() -> str:
        places = ["--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path), "--target", target]
        ran: Any = dbtRunner().invoke([*QUIETLY, "show", "--inline", "select 1 as one", *places])
        return "" if ran.success else str(ran.exception or [one.message for one in ran.result.results])

    assert said() == ""
    monkeypatch.setenv("PGHOST", ELSEWHERE)
    assert REFUSED in said()
    monkeypatch.setenv("PGSSLMODE", "prefer")
    assert said() == ""
