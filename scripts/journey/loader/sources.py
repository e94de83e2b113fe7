"""What to load: dbt's manifest, made anew when the project's YAML is newer, is the only place that says it. Each
table's `external:` block and typed columns are checked once, here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from journey.errors import UsageError

FORMATS = ("csv", "jsonl", "parquet")
FILE_ID = "_file_id"
GLOB = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
WILDCARDS = re.compile(r"[*?]")
DATA_TYPE = re.compile(r"[a-z_][a-z0-9_ ]*(\([0-9]+( *, *-?[0-9]+)?\))?( with(out)? time zone)?(\[\])*", re.IGNORECASE)
IDENTIFIER_BYTES = 63  # PostgreSQL cuts longer names off in silence
NOT_OURS = {"target", "logs", "dbt_packages", "node_modules", "build"}


def _is_character(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1 and value.isascii() and value not in "\r\n"


def _is_encoding(value: Any) -> bool:
    try:
        b" ".decode(value)
    except (LookupError, TypeError):
        return False
    except UnicodeError:  # half a character of UTF-16
        pass
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _option(default: Any, what: str, is_right: Callable[[Any], bool], *, csv: bool = False) -> Any:
    """An option's default, what it must be, in words and as a check, and whether only CSV has it."""
    return field(default=default, metadata={"what": what, "is_right": is_right, "csv": csv})


def _flag(*, default: bool, csv: bool = False) -> Any:
    return _option(default, "true or false", lambda value: isinstance(value, bool), csv=csv)


def _one_of(*values: str) -> Any:
    return _option(values[0], " or ".join(values), lambda value: value in values)


@dataclass(frozen=True)
class Options:
    """The `options` of an `external:` block.

    Attributes:
        header: CSV: the first line names the columns.
        delimiter: CSV: one ASCII character between fields.
        quote: CSV: one ASCII character around fields.
        escape: CSV: what comes before a quote inside quotes; None: the quote itself.
        encoding: CSV: Python's or IANA's name of the text encoding.
        null_string: CSV: unquoted field that means null.
        key_columns: columns that every file must have.
        max_reject_rate: largest share of refused rows (0..1) at which the rest of a file still loads.
        max_bytes: largest size of a file, decompressed; a zip bomb ends here.
        deduplicate: `none`, or `content`: the same bytes under another key don't load again.
        on_delete: `keep` or `remove` the rows of a file that is no longer in S3.
        list: `all`, or `since_last_key` where keys come in order: the past is not listed again.
        list_overlap: with `since_last_key`, how many of the last known files are listed again.
        request_payer: `requester` for a bucket whose readers pay.
        anonymous: requests aren't signed, for a bucket that is open to everybody.
    """

    header: bool = _flag(default=True, csv=True)
    delimiter: str = _option(",", "one ASCII character", _is_character, csv=True)
    quote: str = _option('"', "one ASCII character", _is_character, csv=True)
    escape: str | None = _option(None, "one ASCII character", _is_character, csv=True)
    encoding: str = _option("utf-8", "a known encoding like utf-8 or windows-1252", _is_encoding, csv=True)
    null_string: str = _option(
        "", "a text without line ends", lambda value: isinstance(value, str) and not set(value) & set("\r\n"), csv=True
    )
    key_columns: tuple[str, ...] = _option((), "a list of columns", lambda value: isinstance(value, list))
    max_reject_rate: float = _option(
        0.01, "a number between 0 and 1", lambda value: _is_number(value) and 0 <= value <= 1
    )
    max_bytes: int = _option(2**40, "a whole number from 1 on", lambda value: _is_number(value) and value >= 1)
    deduplicate: str = _one_of("none", "content")
    on_delete: str = _one_of("keep", "remove")
    list: str = _one_of("all", "since_last_key")
    list_overlap: int = _option(32, "a whole number from 0 on", lambda value: type(value) is int and value >= 0)
    request_payer: str | None = _option(None, "requester", lambda value: value == "requester")
    anonymous: bool = _flag(default=False)


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
        format: csv, jsonl or parquet.
        options: how to read and treat its files.
        declared_in: YAML file, relative to the project.
    """

    name: str
    schema: str
    table: str
    columns: Mapping[str, str]
    bucket: str
    pattern: str
    format: str
    options: Options = Options()
    declared_in: str = ""

    @property
    def ids(self) -> dict[str, str]:
        """What the ledger knows it by."""
        return {"schema": self.schema, "table": self.table, "bucket": self.bucket}

    @property
    def prefix(self) -> str:
        """What every key begins with: the pattern up to its first wildcard."""
        return WILDCARDS.split(self.pattern, maxsplit=1)[0]


def key_pattern(pattern: str) -> re.Pattern[str]:
    """The keys that a location's path means.

    A key without wildcards is itself; `prefix/` is everything below; `*` and `?` stop at `/`, `**` doesn't. Names
    that begin with a dot or an underscore aren't data (`_SUCCESS`, `.part`), nor are names that end in `/`.
    """
    parts = re.findall(r"\*\*/?|[*?]|[^*?]+", pattern)
    regex = "".join(GLOB.get(part) or re.escape(part) for part in parts)
    if pattern.endswith("/") or not pattern:
        regex += ".*"
    return re.compile(rf"(?!(?:.*/)?[._][^/]*\Z){regex}(?<!/)", re.DOTALL)


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
        bucket, pattern = _location(external.get("location"))
        if external.get("file_format") not in FORMATS:
            raise ValueError(
                f"external.file_format must be one of {', '.join(FORMATS)}, not {external.get('file_format')!r}"
            )
        _check_columns(columns)
        options = _options(external.get("options") or {}, external["file_format"], list(columns))
    except ValueError as error:
        raise UsageError(f"{file}: source {name}: {error}") from error
    table, types = str(node.get("identifier") or node["name"]), {name: kind.strip() for name, kind in columns.items()}
    return Source(name, str(node["schema"]), table, types, bucket, pattern, external["file_format"], options, file)


def _location(location: str | None) -> tuple[str, str]:
    """Bucket and pattern. Raises ValueError, as do the next two, with a message for people."""
    match = re.fullmatch(r"s3://([a-z0-9][a-z0-9._-]+)/(.*)", location or "")
    if match:
        return match[1], match[2]
    raise ValueError(f"external.location must be like s3://bucket/prefix/ or s3://bucket/part_*.csv, not {location!r}")


def _check_columns(columns: Mapping[str, Any]) -> None:
    if not columns:
        raise ValueError("no columns are declared: the raw table gets exactly the declared ones")
    for column, data_type in columns.items():
        if not isinstance(data_type, str) or not DATA_TYPE.fullmatch(data_type.strip()):
            raise ValueError(f"column {column} needs a PostgreSQL type as its data_type, not {data_type!r}")
        if column == FILE_ID or not 0 < len(column.encode()) <= IDENTIFIER_BYTES:
            raise ValueError(f"a column can't be called {column!r}: {FILE_ID} is the loader's, and 63 bytes the limit")


def _options(given: Mapping[str, Any], file_format: str, columns: Sequence[str]) -> Options:
    if not isinstance(given, Mapping):
        raise ValueError(f"external.options must be a mapping, not {given!r}")
    rules = {option.name: option.metadata for option in fields(Options)}
    for name, value in given.items():
        if name not in rules:
            raise ValueError(f"external.options.{name} is not an option; there are {', '.join(sorted(rules))}")
        if rules[name]["csv"] and file_format != "csv":
            raise ValueError(f"external.options.{name} is for csv, and this is {file_format}")
        if not rules[name]["is_right"](value):
            raise ValueError(f"external.options.{name} must be {rules[name]['what']}, not {value!r}")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    options = Options(**values)
    if options.delimiter in (options.quote, options.escape) or options.delimiter in options.null_string:
        raise ValueError(
            f"external.options: delimiter {options.delimiter!r} is also the quote, the escape or in null_string"
        )
    if options.quote in options.null_string:
        raise ValueError("external.options: null_string must have no quote")
    for column in options.key_columns:
        if column not in columns:
            raise ValueError(f"external.options: key_columns names {column!r}, which is not a declared column")
    if options.list == "since_last_key" and options.on_delete == "remove":
        raise ValueError("external.options: list since_last_key doesn't see what is gone: on_delete must be keep")
    return options


def load_sources(root: Path) -> list[Source]:
    """All sources with an `external:` block, ordered by name.

    Args:
        root: the dbt project.

    Raises:
        UsageError: dbt can't parse the project, or an `external:` block is wrong.
    """
    manifest = _manifest(root)
    return sorted(
        (parse_source(node) for node in manifest["sources"].values() if node.get("external")),
        key=lambda source: source.name,
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
            known = ", ".join(source.name for source in sources)
            raise UsageError(f"--select {selector}: no such source with an external: block; there are {known}")
        chosen |= found
    return [source for source in sources if not chosen or source.name in chosen]


def _manifest(root: Path) -> dict[str, Any]:
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
        newest = max(newest, *(file.stat().st_mtime for file in yaml), 0.0)
    return newest


def _parse(root: Path) -> None:
    """Let dbt write its manifest, in a process of its own: dbt's memory and threads go with it."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    command += ["--quiet", "--no-use-colors", "--log-path", str(root / "logs"), "parse", "--project-dir", str(root)]
    if not (root / "profiles.yml").exists() and (root / "profiles.yml.example").exists() and not _profiles_elsewhere():
        raise UsageError(f"{root}/profiles.yml is missing: run `make setup`, or copy profiles.yml.example")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).split("-----", 1)[0].split()  # then dbt quotes the file
        raise UsageError(f"dbt can't parse the project: {' '.join(said)[:1000] or 'it says nothing'}")


def _profiles_elsewhere() -> bool:
    return "DBT_PROFILES_DIR" in os.environ or (Path.home() / ".dbt" / "profiles.yml").exists()
