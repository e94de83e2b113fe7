"""The catalogue of the marts tells what the models' YAML tells."""

from __future__ import annotations

import html
import re

import yaml

from conftest import DEFAULT, ROOT, Demo

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
            assert target.split("#")[0] == "index.html"
    assert not re.search(r"https?://", page)


def test_the_overview_names_marts_that_exist() -> None:
    """The ones that come with the project; a company's own stand in the catalogue."""
    overview = (ROOT / "docs" / "overview.md").read_text()
    rows = [line for line in overview.split("**Where to begin.**")[1].splitlines() if line.startswith("| `")]
    named = [name for line in rows for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert len(named) >= 20
    assert set(named) <= {file.stem for file in MARTS}
