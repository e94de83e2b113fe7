"""A load that has nothing to do is over soon: it imports what it needs, and ends with all that it had to say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from journey.loader.formats import MODULES, OPTIONS, options_of, reader

PLANNING = """
from journey.lean import prepare
prepare()
import sys
import journey.loader.run
from journey.loader.formats import OPTIONS, options_of
made = [options_of(name) for name in OPTIONS]
print([name for name in ("numpy", "pyarrow", "pandas", "boto3", "rich", "fastavro") if name in sys.modules])
"""
LEAVING = """
import atexit, sys
from journey.lean import leave
atexit.register(print, "tidied up", file=sys.stderr)
print("said")
leave(3)
print("not said")
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    """What a process of its own says."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)


def test_what_is_to_be_loaded_is_found_out_without_arrow() -> None:
    done = python(PLANNING)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_process_that_leaves_has_said_everything() -> None:
    done = python(LEAVING)
    assert (done.stdout, done.stderr, done.returncode) == ("said\n", "tidied up\n", 3)


@pytest.mark.parametrize("name", MODULES)
def test_a_formats_options_are_its_readers(name: str) -> None:
    assert options_of(name) is reader(name).Options
    assert set(OPTIONS) <= set(MODULES)
