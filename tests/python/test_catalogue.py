"""The catalogue of the marts tells what the models' YAML tells, and no page obeys what came with data."""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import yaml

from conftest import DEFAULT, ROOT, Demo
from journey.site import inlined

MARTS = sorted((ROOT / "models" / "marts").glob("*/*.sql"))


def test_every_mart_and_every_question_stands_in_it(demo: Demo) -> None:
    page = demo.page.with_name("marts.html").read_text()
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
    for file in MARTS:
        model = yaml.safe_load(file.with_suffix(".yml").read_text())["models"][0]
        meta = model["config"]["meta"]
        assert f"{file.parent.name}.{file.stem} one row: {meta['grain']} · owner: {meta['owner']}" in text
        for one in meta["questions"]:
            assert " ".join(f"{one['question']} {one['query']}".split()).replace(" ", "") in text.replace(" ", "")
    for analysis in (DEFAULT / "analyses").glob("*.sql"):
        question = re.match(r"-- question: (.*)", analysis.read_text())
        assert question
        assert question[1] in text


def test_its_links_lead_somewhere_and_nothing_comes_from_outside(demo: Demo) -> None:
    page = demo.page.with_name("marts.html").read_text()
    targets = re.findall(r"href=['\"]?([^'\" >]+)", page)
    assert len(targets) > 2 * len(MARTS)
    for target in targets:
        if target.startswith("#"):
            assert f"id={target[1:]}>" in page
        else:
            assert target.split("#")[0] == "models.html"
    assert not re.search(r"https?://", page)


def test_the_overview_names_marts_that_exist() -> None:
    """The ones that come with the project; a company's own stand in the catalogue."""
    overview = (ROOT / "docs" / "overview.md").read_text()
    rows = [line for line in overview.split("**Where to begin.**")[1].splitlines() if line.startswith("| `")]
    named = [name for line in rows for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert len(named) >= 20
    assert set(named) <= {file.stem for file in MARTS}


class Scripts(HTMLParser):
    """What a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        """A script begins."""
        if tag == "script":
            self.found.append("")

    def handle_data(self, data: str) -> None:
        """Of a script, or of the page."""
        if self.lasttag == "script" and self.found:
            self.found[-1] += data


def scripts(page: str) -> list[str]:
    parser = Scripts()
    parser.feed(page)
    return parser.found


def test_a_column_that_came_with_a_file_ends_no_script(demo: Demo, tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script><!-- <script>"
    for name in ("index.html", "manifest.json", "catalog.json"):
        shutil.copyfile(ROOT / "target" / name, tmp_path / name)
    catalog = json.loads((tmp_path / "catalog.json").read_text())
    table = next(iter(catalog["sources"].values()))
    table["columns"][hostile] = {"type": "text", "index": 99, "name": hostile, "comment": hostile}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    page = inlined(tmp_path)
    assert hostile not in page
    assert len(scripts(page)) == len(scripts((tmp_path / "index.html").read_text()))
    assert "INLINE DATA" not in page
    assert json.dumps(hostile).replace("<", "\\u003c") in page  # it is there, as a text
