"""The command line as such: its help."""

from __future__ import annotations

import pytest
from click import Group
from click.testing import CliRunner

from journey.cli import cli


@pytest.mark.parametrize("columns", [60, 80])
def test_help_is_not_cut(columns: int) -> None:
    said = CliRunner().invoke(cli, ["-h"], terminal_width=columns).output
    assert isinstance(cli, Group)
    assert "..." not in said.partition("Commands:")[2]
    assert all(name in said for name in cli.commands)
