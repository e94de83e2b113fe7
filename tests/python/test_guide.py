"""docs/analysts.md: its queries and commands give what it shows; its worked questions are the analyses'."""

from __future__ import annotations

import re
import shlex

import psycopg
from click.testing import CliRunner

from conftest import ROOT, Demo
from journey.cli import cli
from journey.metrics import Answer
from oracle.answers import FOLDER, read

PAGE = (ROOT / "docs" / "analysts.md").read_text()
SHOWN = re.compile(r"```(sql|sh)\n([^`]*)```\n\n```text\n(.*?)\n```", re.DOTALL)


def test_what_is_asked_gives_what_is_shown(demo: Demo) -> None:
    shown = SHOWN.findall(PAGE)
    assert [language for language, _, _ in shown] == ["sql", "sql", "sh"]
    with psycopg.connect() as connection:
        for language, asked, answer in shown:
            if language == "sql":
                found = connection.execute(asked.encode())
                columns = [column.name for column in found.description or ()]
                assert Answer(columns, found.fetchall()).table() == answer
            else:
                done = CliRunner().invoke(cli, shlex.split(asked.replace("\\\n", ""))[1:])
                assert done.output.rstrip() == answer


def test_the_worked_questions_are_those_of_the_analyses() -> None:
    """Whose answers tests/python/oracle computes."""
    told = re.findall(r"^- \*\*([^*]*)\*\* \(`(\w+)`\) (.*?)(?=\n- |\n\Z)", PAGE, re.MULTILINE | re.DOTALL)
    plain = [tuple(" ".join(part.split()) for part in one) for one in told]
    analyses = [read(file) for file in sorted(FOLDER.glob("*.sql"))]
    assert plain == [(one.question, one.name, " ".join(one.answer.split())) for one in analyses]
