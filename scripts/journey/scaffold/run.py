"""`journey scaffold`: look, propose, and write what isn't there yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journey import settings
from journey.contracts import contracts
from journey.errors import UsageError
from journey.loader.declaration.sources import Source, load_sources
from journey.project import read_yaml
from journey.scaffold.naming import snake
from journey.scaffold.proposal import Proposal
from journey.scaffold.proposing import FILES, propose
from journey.scaffold.staging import Staging, staging
from journey.scaffold.writing import scalar, source_yaml, summary

NAME = re.compile(r"[a-z][a-z0-9_]*")
MEANT = ("date_format", "timestamp_format", "decimal_mark", "thousands_mark", "quoted_nulls", "trim")
SEEN = ("zip_members", "hive_partitions")  # options of every feed that files show
PLACEHOLDERS = "placeholders"  # a folder of views without rows, whose place a company's own take
ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9._-]+)/?(.*)")


@dataclass
class Scaffolded:
    """What came of it.

    Attributes:
        proposal: the feed.
        files: text by path, relative to the project; none of them is there yet.
        kept: those that are there already, and stay as they are.
        removed: placeholders whose place the view takes.
        said: what a person should know.
        differs: how an existing feed's declaration differs from the proposal; None: there is none.
    """

    proposal: Proposal
    files: dict[Path, str] = field(default_factory=dict)
    kept: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    differs: list[str] | None = None


def scaffold(root: Path, address: str, source: str, *, table: str | None = None, files: int = FILES) -> Scaffolded:
    """Propose a feed for files, and its staging view.

    Args:
        root: the project.
        address: `s3://bucket/prefix`, as a location has it.
        source: dbt's name of the source.
        table: name of the table; None: what the last folder is called.
        files: how many are looked at.

    Raises:
        UsageError: a name or the address can't be so, or nothing can be read there.
    """
    place = ADDRESS.fullmatch(address)
    if not place:
        raise UsageError(f"{address} is no address like s3://bucket/prefix/")
    table = table or _table(place[2])
    for name in (source, table):
        if not NAME.fullmatch(name) or len(name) > 40:
            raise UsageError(f"{name!r} can't be a name: small letters, digits and _ (--source, --table)")
    project = read_yaml(root / "dbt_project.yml")
    beside = _declared(root, project, source)
    known = next((one for one in load_sources(root) if one.name == f"{source}.{table}"), None) if beside else None
    proposal = propose(settings.s3_client(), place[1], place[2], source=source, table=table, files=files)
    done = Scaffolded(proposal)
    if known is not None:
        done.differs = list(differences(known, proposal)) or ["the files are as they are declared"]
        done.said.append(f"{known.name} is declared in {known.declared_in}: nothing is written")
        return done
    view = staging(proposal, contracts(root), _models(root, project))
    _write_down(done, root, project, view, beside, address)
    return done


def _write_down(
    done: Scaffolded, root: Path, project: dict[str, Any], view: Staging, beside: dict[str, Any] | None, address: str
) -> None:
    """The files' texts; beside a source's other tables, the new one has a YAML of its own."""
    proposal = done.proposal
    folder = Path(_own_models(root, project)) / "staging" / proposal.source
    command = f"journey scaffold {address} --source {proposal.source}"
    text = source_yaml(proposal, project.get("vars", {}).get("landing_bucket"), command)
    if beside:
        text = text.replace(
            f"    schema: raw_{proposal.source}\n", f"    schema: {beside.get('schema', proposal.source)}\n"
        )
    name = f"_{proposal.source}__{proposal.table}.yml" if beside else f"_{proposal.source}__sources.yml"
    wanted = {folder / name: text, folder / f"{view.name}.sql": view.sql, folder / f"{view.name}.yml": view.yaml}
    for path, content in wanted.items():
        if (root / path).exists():
            done.kept.append(path)
        else:
            done.files[path] = content
    done.removed = [path.relative_to(root) for path in _placeholders(root, project) if path.stem == view.name]
    done.said += [*summary(proposal), *view.said]
    done.said += [f"{path} is there, and stays as it is" for path in done.kept]


def write(root: Path, done: Scaffolded) -> None:
    """Write the files, and take away placeholders; a file that is there by now is left alone.

    Raises:
        UsageError: somebody else wrote one meanwhile.
    """
    for path, text in done.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            with (root / path).open("x") as file:
                file.write(text)
        except FileExistsError as error:
            raise UsageError(f"{path} is there by now, and stays as it is") from error
    for path in done.removed:
        (root / path).unlink(missing_ok=True)


def differences(declared: Source, proposal: Proposal) -> Iterator[str]:
    """How a declaration differs from what the files seem to be."""
    seen = proposal.declaration()
    if declared.format != seen.format:
        yield f"file_format: {declared.format} is declared, the files seem to be {seen.format}"
    yield from _other("", declared.options, seen.options, only=SEEN)
    yield from _other("", declared.format_options, seen.format_options)
    known = {name.lower(): name for name in declared.columns}
    for field_ in proposal.fields:
        name = known.pop(field_.name.lower(), "")
        if not name:
            yield f"column {field_.name}: isn't declared; {field_.type} by what was sampled"
        elif _kind(declared.columns[name]) != _kind(field_.type):
            why = "; ".join(note.text for note in field_.notes)
            yield f"column {name}: {declared.columns[name]} is declared, {field_.type} by what was sampled ({why})"
        elif field_.type != "text":
            here, there = declared.column(name, "text").meaning, seen.column(field_.name, "text").meaning
            yield from _other(f"column {name}: ", here, there, only=(*MEANT, *field_.options))
    from_key = {*re.findall(r"\{(\w+)\}", declared.options.key_pattern or ""), declared.options.key_column}
    gone = [name for name in known.values() if name not in from_key]
    yield from (f"column {name}: is declared, and no sampled file has it" for name in gone)


def _other(where: str, one: Any, other: Any, only: Iterable[str] | None = None) -> Iterator[str]:
    """Options that differ; of those alone that files can show."""
    for name in vars(one) if type(one) is type(other) else ():
        if (only is None or name in only) and getattr(one, name) != getattr(other, name):
            said = f"{scalar(getattr(one, name))} is declared, the files seem to need {scalar(getattr(other, name))}"
            yield f"{where}{name}: {said}"


def _declared(root: Path, project: dict[str, Any], source: str) -> dict[str, Any] | None:
    """A source as some YAML of the project declares it. (dbt can't say while views are still to be written.)"""
    for path in project.get("model-paths", ["models"]):
        for file in sorted((root / path).rglob("*.yml")):
            for one in read_yaml(file).get("sources") or ():
                if one.get("name") == source:
                    return dict(one)
    return None


def _kind(kind: str) -> str:
    """A type without its limits and other spellings, which a sample can't know."""
    plain = re.sub(r"\(.*\)", "", kind.lower())
    plain = plain.replace(" with time zone", "tz").replace(" without time zone", "").strip()
    numbers = {"smallint": "integer", "bigint": "integer", "int": "integer", "decimal": "numeric"}
    return numbers.get(plain, "text" if plain in ("varchar", "character varying") else plain)


def _table(path: str) -> str:
    """The last folder's name, or the file's."""
    parts = [part for part in path.split("/") if part and not re.search(r"[*?={]", part)]
    name = snake(parts[-1].split(".")[0], 1) if parts else ""
    if not name or name == "column_1":
        raise UsageError("no folder names the table: say --table NAME")
    return name


def _own_models(root: Path, project: dict[str, Any]) -> str:
    """The project's own folder of models, where it has others', too."""
    paths: list[str] = project.get("model-paths", ["models"])
    return next((path for path in paths if (root / path).resolve().is_relative_to(root.resolve())), paths[0])


def _models(root: Path, project: dict[str, Any]) -> set[str]:
    """The names of models that there are, but for placeholders."""
    paths: list[str] = project.get("model-paths", ["models"])
    return {file.stem for path in paths for file in (root / path).rglob("*.sql") if file.parent.name != PLACEHOLDERS}


def _placeholders(root: Path, project: dict[str, Any]) -> list[Path]:
    """The files of views without rows, in the project's own folder."""
    return sorted((root / _own_models(root, project)).rglob(f"{PLACEHOLDERS}/*"))
