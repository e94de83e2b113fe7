"""The catalogue of the marts: each mart's grain, owner, questions and queries on one page, from dbt's manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --quiet: light-dark(#5b6570, #9aa4ae); --line: light-dark(#d9dee3, #3a4149);
  --code: light-dark(#f4f6f8, #20252b); --accent: light-dark(#8a560a, #e0a458) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 3rem; text-transform: capitalize; border-bottom: 2px solid var(--accent) }
h3 { margin: 2.5rem 0 0; font-family: ui-monospace, monospace }
nav { columns: 16rem; margin: 1rem 0 } nav a { display: block; font-family: ui-monospace, monospace; font-size: .9rem }
nav b { display: block; break-after: avoid; text-transform: capitalize } nav section { break-inside: avoid }
a { color: var(--accent) } .facts { color: var(--quiet); margin: 0 } summary { cursor: pointer; padding: .2rem 0 }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem;
  margin: .2rem 0 .6rem; white-space: pre-wrap; font-size: .85rem } p { margin: .5rem 0 }
"""


def page(manifest: Mapping[str, Any]) -> str:
    """The page.

    Args:
        manifest: dbt's manifest of the project; what is disabled in it has no place on the page.

    Returns:
        HTML that asks nobody for anything; its links lead to the models in dbt's own page, `models.html`.
    """
    nodes = sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
    by_mart: dict[str, list[Mapping[str, Any]]] = {}
    for node in sorted(filter(_is_mart, nodes), key=_folder):
        by_mart.setdefault(_folder(node), []).append(node)
    worked = [node for node in nodes if node["resource_type"] == "analysis"]
    contents = "".join(_contents(mart, [node["name"] for node in models]) for mart, models in by_mart.items())
    contents += _contents("worked questions", [node["name"] for node in worked])
    return "\n".join(
        [
            f"<!doctype html><html lang=en><meta charset=utf-8><title>The marts</title><style>{STYLE}</style>",
            "<meta name=viewport content='width=device-width'><h1>The marts</h1>",
            "<p class=facts>What one row is, who owns it, and the questions that it answers, each with its query. "
            "Columns and lineage are in <a href=models.html>the models' own pages</a>.</p>",
            f"<nav>{contents}</nav>",
            *(f"<h2>{escape(mart)}</h2>" + "\n".join(map(_model, models)) for mart, models in by_mart.items()),
            "<h2>worked questions</h2>",
            *map(_worked, worked),
            "</html>",
        ]
    )


def questions(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Mart, question and query of each question that a mart answers."""
    for node in filter(_is_mart, manifest["nodes"].values()):
        for one in node["config"]["meta"].get("questions", []):
            yield node["name"], one["question"], one["query"]


def _is_mart(node: Mapping[str, Any]) -> bool:
    """Whether readers open it: a model below models/marts that is no step on the way to another."""
    return node["resource_type"] == "model" and node["fqn"][1] == "marts" and not node["name"].startswith("int_")


def _folder(node: Mapping[str, Any]) -> str:
    """The folder below models/marts that a mart is in; `marts` if in none."""
    return str(node["fqn"][2]) if len(node["fqn"]) > 3 else "marts"


def _contents(title: str, names: list[str]) -> str:
    links = "".join(f"<a href='#{escape(name)}'>{escape(name)}</a>" for name in names)
    return f"<section><b>{escape(title)}</b>{links}</section>"


def _model(node: Mapping[str, Any]) -> str:
    meta = node["config"]["meta"]
    table = escape(f"{node['schema']}.{node['name']}")
    said = (("one row", meta.get("grain")), ("owner", meta.get("owner")))  # a new mart may not say it yet
    facts = [f"{word}: {escape(text)}" for word, text in said if text] + [f"{len(node['columns'])} columns"]
    return "\n".join(
        [
            f"<h3 id={node['name']}><a href='models.html#!/model/{node['unique_id']}'>{table}</a></h3>",
            f"<p class=facts>{' · '.join(facts)}</p>",
            f"<p>{escape(node['description'])}</p>",
            *(_asked(one["question"], one["query"]) for one in meta.get("questions", [])),
        ]
    )


def _asked(question: str, query: str) -> str:
    return f"<details><summary>{escape(question)}</summary><pre>{escape(query)}</pre></details>"


def _worked(node: Mapping[str, Any]) -> str:
    """A worked question: its header says how to read it and what the answer is on the default data."""
    header, query = re.split(r"\n(?!--)", node["raw_code"], maxsplit=1)
    told = dict(re.findall(r"-- ([a-z ]+): (.*(?:\n--   .*)*)", header))
    paragraphs = "".join(
        f"<p><b>{escape(name.capitalize())}:</b> {escape(text.replace(f'{chr(10)}--  ', ''))}</p>"
        for name, text in told.items()
        if name != "question"
    )
    return (
        f"<h3 id={node['name']}>{node['name']}</h3><p>{escape(node['description'])}</p>{paragraphs}"
        f"<details><summary>Query</summary><pre>{escape(query)}</pre></details>"
    )
