"""The worked questions of `analyses/`: their text, their SQL, and their answers.

`python -m oracle.answers` writes the answers that the database gives now.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import yaml
from jinja2 import Environment, StrictUndefined

from journey import settings
from journey.embedded import ADMIN, use_embedded
from journey.project import project_root

ROOT = project_root(Path(__file__).parent)
FOLDER = ROOT / "examples" / "completejourney" / "analyses"
MARTS = {file.stem: file for file in (ROOT / "models" / "marts").glob("*/*.sql")}
HEADER = re.compile(
    r"-- question: (?P<question>.*?)\n-- how to read it: (?P<reading>.*?)\n"
    r"-- answer on the default data: (?P<answer>.*?)\n(?!--)",
    re.DOTALL,
)
Table = list[list[str]]


@dataclass(frozen=True)
class Analysis:
    """A worked question.

    Attributes:
        name: of its file.
        question: what is asked.
        reading: how to read the rows.
        answer: what they say on the default data.
        query: its SQL, with the marts' names filled in.
        marts: the marts that it reads.
    """

    name: str
    question: str
    reading: str
    answer: str
    query: str
    marts: frozenset[str]

    @property
    def answers(self) -> Path:
        """Where its rows on the default data are kept."""
        return FOLDER / "answers" / f"{self.name}.csv"


def read(file: Path) -> Analysis:
    """Read an analysis.

    Raises:
        KeyError: it refers to something that is no mart.
    """
    text, marts = file.read_text(), set[str]()

    def ref(name: str) -> str:
        marts.add(name)
        return f"{MARTS[name].parent.name}.{name}"

    query = Environment(undefined=StrictUndefined, autoescape=False).from_string(text).render(ref=ref)  # noqa: S701
    told = HEADER.match(text)
    assert told, f"{file}: the header tells question, how to read it, and answer"
    parts = {name: re.sub(r"\n-- +", " ", part) for name, part in told.groupdict().items()}
    return Analysis(file.stem, query=query, marts=frozenset(marts), **parts)


def descriptions() -> dict[str, Any]:
    """What the YAML says, by name of the analysis."""
    told: dict[str, list[dict[str, Any]]] = yaml.safe_load((FOLDER / "_analyses.yml").read_text())
    return {one["name"]: one for one in told["analyses"]}


def contract(mart: str) -> dict[str, str]:
    """The types of a mart's columns, by column."""
    told = yaml.safe_load(MARTS[mart].with_suffix(".yml").read_text())["models"][0]
    variables = yaml.safe_load((project_root(Path(__file__).parent) / "dbt_project.yml").read_text())["vars"]
    template = Environment(autoescape=False).from_string  # noqa: S701
    return {
        column["name"]: template(column["data_type"]).render(var=variables.__getitem__) for column in told["columns"]
    }


def ask_postgres(connection: psycopg.Connection, query: str) -> Table:
    """The answer of the database, column names first."""
    cursor = connection.execute(query.encode())
    assert cursor.description
    return _table([column.name for column in cursor.description], cursor.fetchall())


def ask_duckdb(shop: duckdb.DuckDBPyConnection, query: str) -> Table:
    """The answer of marts computed in DuckDB, column names first."""
    result = shop.execute(query)
    assert result.description
    return _table([column[0] for column in result.description], result.fetchall())


def _table(names: list[str], rows: Iterable[tuple[Any, ...]]) -> Table:
    return [names, *([_text(value) for value in row] for row in rows)]


def _text(value: object) -> str:
    """The same text for the same value, whichever database it comes from."""
    if value is None or isinstance(value, bool | str | date):
        return {None: "", True: "true", False: "false"}.get(value, str(value))  # type: ignore[arg-type]
    return f"{Decimal(str(value)).normalize():f}"


if __name__ == "__main__":
    use_embedded(ADMIN)  # who sees persons' columns as they are
    with settings.connect() as database:
        for path in sorted(FOLDER.glob("*.sql")):
            analysis = read(path)
            with analysis.answers.open("w", newline="") as out:
                csv.writer(out, lineterminator="\n").writerows(ask_postgres(database, analysis.query))
