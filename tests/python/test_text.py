"""Nothing that comes from outside reaches a terminal as it is: what has no picture is written out."""

from __future__ import annotations

import json

import pytest

from journey.loader.errors import FileRefusedError, one_line
from journey.loader.report import JsonReport, TextReport
from journey.text import shown, shown_json

HOSTILE = [
    ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
    ("a\rb\nc\td", r"a\rb\nc\td"),
    ("\x9b31m", r"\x9b31m"),
    ("\x7f\x00\x08", r"\x7f\x00\x08"),
    ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
    ("\u2066x\u2069\u200e\u200f\u061c", r"\u2066x\u2069\u200e\u200f\u061c"),
    ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
    ("line\u2028end\u2029", r"line\u2028end\u2029"),
    ("soft\u00adhyphen", r"soft\xadhyphen"),
    ("half \ud800", r"half \ud800"),
    ("tag \U000e0041", r"tag \U000e0041"),
]
FINE = ["", "a b", "Zürich, Ærø", "наименование", "名前", "שלום", "مرحبا", "👍🏽", "C:\\x1b", "é"]


@pytest.mark.parametrize(("text", "expected"), HOSTILE)
def test_what_has_no_picture_is_written_out(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown(f"vor {text} nach") == f"vor {expected} nach"
    assert shown(text).isprintable()


@pytest.mark.parametrize("text", FINE)
def test_what_has_one_stays(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize("text", [text for text, _ in HOSTILE] + FINE)
def test_json_keeps_the_value_and_shows_nothing_raw(text: str) -> None:
    line = shown_json(json.dumps({text: text}, ensure_ascii=False))
    assert json.loads(line) == {text: text}
    assert line.isprintable()
    assert line.isascii() or text in FINE


def test_what_a_load_says_is_safe_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    TextReport().said("", "in/\x1b[31m.csv: failed")
    JsonReport().said("failed", "in/\x1b[31m\u202e.csv: failed")
    text, as_json = capsys.readouterr().err.splitlines()
    assert text == r"in/\x1b[31m.csv: failed"
    assert json.loads(as_json)["message"] == "in/\x1b[31m\u202e.csv: failed"
    assert as_json.isprintable()


def test_a_failure_is_one_line_that_is_safe_to_show() -> None:
    assert one_line(FileRefusedError("in/\x1b[31m\u202e.csv:\n no\tgood")) == r"in/\x1b[31m\u202e.csv: no good"
