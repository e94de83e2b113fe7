"""What to load: dbt's manifest, made anew when the project's YAML is newer, is the only place that says it. Each
table's `external:` block and typed columns are checked once, here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journey.errors import UsageError
from journey.loader.declaration.options import Options, check_names, check_together, make, names
from journey.loader.declaration.persons import Person, personal, persons
from journey.loader.formats import MODULES, check, options_of, options_of_others, without
from journey.loader.values.meaning import Column, Meaning, meanings
from journey.text import did_you_mean

FILE_ID = "_file_id"
GLOB = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
WILDCARDS = re.compile(r"[*?]")
DATA_TYPE = re.compile(r"[a-z_][a-z0-9_ ]*(\([0-9]+( *, *-?[0-9]+)?\))?( with(out)? time zone)?(\[\])*", re.IGNORECASE)
IDENTIFIER_BYTES = 63  # PostgreSQL cuts longer names off in silence
EXTERNAL = ("location", "file_format", "options")
OF_A_COLUMN = {
    "name", "description", "meta", "data_type", "constraints", "quote", "config", "tags", "granularity", "dimension",
    "doc_blocks", "data_tests",
}  # fmt: skip
NOT_OURS = {"target", "logs", "dbt_packages", "node_modules", "build"}


@dataclass(frozen=True)
class Source:
    """One raw table and where its files are.

    Attributes:
        name: `source.table`, as dbt's selectors say it.
        schema: PostgreSQL schema of the raw table.
        table: its name there.
        columns: declared type by column, in order.
        bucket: S3 bucket.
        pattern: key, prefix ending in `/`, or glob.
        format: of its files, as `formats` calls it.
        options: how to treat its files.
        format_options: how to read them, of the class that the format's reader names.
        meaning: what values mean.
        own_meanings: of columns whose values are read otherwise than the feed's.
        declared_in: YAML file, relative to the project.
        persons: whose ids columns hold, by column.
        personal: other columns with a person's values.
    """

    name: str
    schema: str
    table: str
    columns: Mapping[str, str]
    bucket: str
    pattern: str
    format: str
    options: Options
    format_options: Any
    meaning: Meaning
    own_meanings: Mapping[str, Meaning]
    declared_in: str = ""
    persons: Mapping[str, Person] = field(default_factory=dict)
    personal: Sequence[str] = ()

    @property
    def ids(self) -> dict[str, str]:
        """What the ledger knows it by."""
        return {"schema": self.schema, "table": self.table, "bucket": self.bucket}

    def column(self, name: str, kind: str, oid: int = 25, modifier: int = -1) -> Column:
        """A column of the table with what is declared of its values."""
        return Column(name, kind, self.own_meanings.get(name, self.meaning), oid, modifier)

    @property
    def prefix(self) -> str:
        """What every key begins with: the pattern up to its first wildcard."""
        return WILDCARDS.split(self.pattern, maxsplit=1)[0]


def key_pattern(pattern: str) -> re.Pattern[str]:
    """The keys that a location's path means.

    A key without wildcards is itself; `prefix/` is everything below; `*` and `?` stop at `/`, `**` doesn't. Below the
    last folder that is named, whatever has a path part that begins with a dot or an underscore isn't data (`_SUCCESS`,
    `.part`, `_temporary/…`, `_delta_log/…`), nor are keys that end in `/`.
    """
    named = WILDCARDS.split(pattern, maxsplit=1)[0]
    if named == pattern and pattern and not pattern.endswith("/"):
        return re.compile(re.escape(pattern))
    folder = re.escape(named[: named.rfind("/") + 1])
    parts = re.findall(r"\*\*/?|[*?]|[^*?]+", pattern)
    regex = "".join(GLOB.get(part) or re.escape(part) for part in parts)
    if pattern.endswith("/") or not pattern:
        regex += ".*"
    return re.compile(rf"(?!{folder}(?:.*/)?[._]){regex}(?<!/)", re.DOTALL)


def parse_source(node: Mapping[str, Any]) -> Source:
    """Read one source of dbt's manifest.

    Args:
        node: entry of the manifest's `sources` that has an `external:` block.

    Raises:
        UsageError: something in it is wrong; the message names YAML file, table and remedy.
    """
    name, file = f"{node['source_name']}.{node['name']}", str(node.get("original_file_path", ""))
    external = node["external"]
    columns = {str(column["name"]): column.get("data_type") for column in node.get("columns", {}).values()}
    try:
        _check_keys(external, node.get("columns", {}))
        bucket, pattern = _location(external.get("location"))
        kind = external.get("file_format")
        if kind not in MODULES:
            raise ValueError(f"external.file_format must be one of {', '.join(MODULES)}, not {kind!r}")
        _check_columns(columns)
        options, format_options, meaning, own = _options(external.get("options") or {}, kind, columns)
        given = node.get("columns", {})
        found = persons(given, options, pattern)
    except ValueError as error:
        raise UsageError(f"{file}: source {name}: {error}") from error
    table, types = str(node.get("identifier") or node["name"]), {name: kind.strip() for name, kind in columns.items()}
    return Source(
        name, str(node["schema"]), table, types, bucket, pattern, kind, options, format_options, meaning, own, file,
        found, personal(given),
    )  # fmt: skip


def _location(location: str | None) -> tuple[str, str]:
    """Bucket and pattern. Raises ValueError, as do the next two, with a message for people."""
    match = re.fullmatch(r"s3://([a-z0-9][a-z0-9._-]+)/(.*)", location or "")
    if match:
        return match[1], match[2]
    raise ValueError(f"external.location must be like s3://bucket/prefix/ or s3://bucket/part_*.csv, not {location!r}")


def _check_keys(external: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what dbt takes without a word and nobody reads: `option:` for `options:` would leave all out."""
    for name, value in external.items():
        if name not in EXTERNAL and value is not None:  # null: dbt's own keys that aren't given
            raise ValueError(
                f"external.{name} is nothing that a load reads; there are {', '.join(EXTERNAL)}"
                f"{did_you_mean(name, EXTERNAL)}"
            )
    for column, given in columns.items():
        for name in given.keys() - OF_A_COLUMN:
            raise ValueError(
                f"column {column} has a key {name}, which nobody reads{did_you_mean(name, OF_A_COLUMN)}"
                "; what its values mean stands under external.options.columns"
            )


def _check_columns(columns: Mapping[str, Any]) -> None:
    if not columns:
        raise ValueError("no columns are declared: the raw table gets exactly the declared ones")
    for column, data_type in columns.items():
        if not isinstance(data_type, str) or not DATA_TYPE.fullmatch(data_type.strip()):
            raise ValueError(f"column {column} needs a PostgreSQL type as its data_type, not {data_type!r}")
        if column == FILE_ID or not 0 < len(column.encode()) <= IDENTIFIER_BYTES:
            raise ValueError(f"a column can't be called {column!r}: {FILE_ID} is the loader's, and 63 bytes the limit")


def _options(
    given: Mapping[str, Any], file_format: str, columns: Mapping[str, str]
) -> tuple[Options, Any, Meaning, dict[str, Meaning]]:
    if not isinstance(given, Mapping):
        raise ValueError(f"external.options must be a mapping, not {given!r}")
    kind = options_of(file_format)
    known = [name for name in names(Options, Meaning, kind) if name not in without(file_format)]
    if set(given) - {"columns", *known}:
        check_names(given, ["columns", *known], options_of_others(file_format))
    options = make(Options, given)
    format_options: Any = make(kind, given)
    check_together(options, list(columns))
    meaning, own = meanings(given, columns)
    for column, values in (given.get("columns") or {}).items():
        for name in without(file_format) & set(values):
            whose = options_of_others(file_format)[name]
            raise ValueError(f"external.options.columns.{column}.{name} is for {whose}, and this isn't")
    check(file_format, format_options, [Column(name, types, own.get(name, meaning)) for name, types in columns.items()])
    return options, format_options, meaning, own


def load_sources(root: Path) -> list[Source]:
    """All sources with an `external:` block, ordered by name.

    Args:
        root: the dbt project.

    Raises:
        UsageError: dbt can't parse the project, an `external:` block is wrong or missing, or two mean one raw table.
    """
    manifest = load_manifest(root)
    _check_loaders(manifest)
    sources = sorted(
        (parse_source(node) for node in manifest["sources"].values() if node.get("external")),
        key=lambda source: source.name,
    )
    _check_tables(sources)
    return sources


def _check_loaders(manifest: Mapping[str, Any]) -> None:
    """Refuse a table that nobody loads: dbt takes `extern:` for `external:`, and says nothing of it.

    Raises:
        UsageError: with the YAML file and what to write.
    """
    project = manifest["metadata"].get("project_name")
    for node in manifest["sources"].values():
        if node["package_name"] == project and not (node.get("external") or node.get("loader")):
            raise UsageError(
                f"{node['original_file_path']}: source {node['source_name']}.{node['name']} has no external: block, so "
                "nothing loads it (is it misspelled?); if another program does, name that as the source's `loader:`"
            )


def _check_tables(sources: Sequence[Source]) -> None:
    """Refuse two sources of one raw table: each would settle the other's failures and take out the other's files.

    Raises:
        UsageError: with the names of both.
    """
    first: dict[tuple[str, str], Source] = {}
    for source in sources:
        other = first.setdefault((source.schema, source.table), source)
        if other is not source:
            raise UsageError(
                f"{source.declared_in}: source {source.name}: {source.schema}.{source.table} is the raw table of "
                f"{other.name}, too ({other.declared_in}): give one of them another identifier or schema, or declare "
                "one location for both"
            )


def select(sources: Sequence[Source], selected: Sequence[str]) -> list[Source]:
    """The sources that `--select` means; all if it says nothing.

    Args:
        sources: what there is.
        selected: `source` or `source.table`, with or without dbt's `source:` before it.

    Raises:
        UsageError: a selector means nothing.
    """
    chosen: set[str] = set()
    for selector in (part for text in selected for part in text.split()):
        name = selector.removeprefix("source:").removesuffix(".*")
        found = {source.name for source in sources if name in (source.name, source.name.split(".")[0])}
        if not found:
            feeds = [source.name for source in sources]
            near = did_you_mean(name, [*feeds, *(feed.split(".")[0] for feed in feeds)])
            raise UsageError(
                f"there is no feed {selector}: {', '.join(feeds) or 'none'} {'are' if len(feeds) > 1 else 'is'} "
                f"declared with an external: block{near}"
            )
        chosen |= found
    return [source for source in sources if not chosen or source.name in chosen]


def load_manifest(root: Path) -> dict[str, Any]:
    """dbt's manifest, made anew where the project's YAML is newer.

    Args:
        root: the dbt project.

    Raises:
        UsageError: dbt can't parse the project.
    """
    target = Path(os.environ.get("DBT_TARGET_PATH", "target"))
    file = (target if target.is_absolute() else root / target) / "manifest.json"
    if not file.exists() or file.stat().st_mtime < _newest_yaml(root):
        _parse(root)
    manifest: dict[str, Any] = json.loads(file.read_bytes())
    project = manifest["metadata"].get("project_name")
    ours = [node for node in manifest["sources"].values() if node["package_name"] == project]
    if not all((root / node["original_file_path"]).exists() for node in ours):  # YAML was removed
        _parse(root)
        manifest = json.loads(file.read_bytes())
    return manifest


def _newest_yaml(root: Path) -> float:
    newest = 0.0
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".") and name not in NOT_OURS]
        yaml = (Path(folder, name) for name in files if name.endswith((".yml", ".yaml")))
        for stat in (file.stat() for file in yaml):
            newest = max(newest, stat.st_mtime, stat.st_ctime)  # a file that is put back keeps the time of its content
    return newest


def _parse(root: Path) -> None:
    """Let dbt write its manifest, in a process of its own: dbt's memory and threads go with it."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    command += ["--quiet", "--no-use-colors", "--log-path", str(root / "logs"), "parse", "--project-dir", str(root)]
    if not (root / "profiles.yml").exists() and (root / "profiles.yml.example").exists() and not _profiles_elsewhere():
        raise UsageError(f"{root}/profiles.yml is missing: run `make setup`, or copy profiles.yml.example")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        head, *quoted = (done.stdout + done.stderr).split("-----", 1)  # then dbt quotes the file, and says why
        why = re.findall(
            r"^ *((?:found|did not find|expected|mapping values|could not) .*)", "".join(quoted), re.MULTILINE
        )
        tab = (
            " (a tab: YAML is indented by spaces)"
            if re.search(r"^ *[0-9]+ +\| *\t", "".join(quoted), re.MULTILINE)
            else ""
        )
        said = " ".join([*head.split(), *why[-1:]])[:1000]
        raise UsageError(f"dbt can't parse the project: {said or 'it says nothing'}{tab}")


def _profiles_elsewhere() -> bool:
    return "DBT_PROFILES_DIR" in os.environ or (Path.home() / ".dbt" / "profiles.yml").exists()
