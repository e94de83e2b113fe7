"""What to load, as dbt's source YAML declares it: each table's `external:` block and typed columns, checked once."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from journey.errors import UsageError

FORMATS = ("csv", "jsonl", "parquet")
FILE_ID = "_file_id"
WILDCARDS = re.compile(r"[*?\[]")
DATA_TYPE = re.compile(r"[a-z_][a-z0-9_ ]*(\([0-9]+( *, *-?[0-9]+)?\))?( with(out)? time zone)?(\[\])*", re.IGNORECASE)
IDENTIFIER_BYTES = 63  # PostgreSQL cuts longer names off in silence


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
    """

    header: bool = True
    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    encoding: str = "utf-8"
    null_string: str = ""
    key_columns: tuple[str, ...] = ()
    max_reject_rate: float = 0.01
    max_bytes: int = 2**40
    deduplicate: str = "none"
    on_delete: str = "keep"
    list: str = "all"
    list_overlap: int = 32
    request_payer: str | None = None


CSV_ONLY = ("header", "delimiter", "quote", "escape", "encoding", "null_string")
CHOICES = {"deduplicate": ("none", "content"), "on_delete": ("keep", "remove"), "list": ("all", "since_last_key"),
           "request_payer": ("requester",)}  # fmt: skip
KINDS: dict[str, tuple[type, ...]] = {"header": (bool,), "key_columns": (list,), "max_reject_rate": (int, float),
                                      "max_bytes": (int,), "list_overlap": (int,)}  # fmt: skip


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
    options: Options = field(default_factory=Options)
    declared_in: str = ""

    @property
    def prefix(self) -> str:
        """What every key begins with: the pattern up to its first wildcard."""
        return WILDCARDS.split(self.pattern, maxsplit=1)[0]


def key_pattern(pattern: str) -> re.Pattern[str]:
    """The keys that a location's path means.

    A key without wildcards is itself; `prefix/` is everything below; `*` and `?` stop at `/`, `**` doesn't. Names
    that begin with a dot or an underscore aren't data (`_SUCCESS`, `.part`), nor are names that end in `/`.
    """
    regex = ""
    for part in re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|.", pattern, re.DOTALL):
        if part == "**/":
            regex += "(?:.*/)?"
        elif part == "**":
            regex += ".*"
        elif part == "*":
            regex += "[^/]*"
        elif part == "?":
            regex += "[^/]"
        elif part.startswith("[") and len(part) > 1:
            regex += "[" + re.sub(r"^[!^]", "^", part[1:-1]).replace("\\", r"\\") + "]"
        else:
            regex += re.escape(part)
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

    def wrong(what: str) -> UsageError:
        return UsageError(f"{file}: source {name}: {what}")

    external = node["external"]
    location = external.get("location")
    match = re.fullmatch(r"s3://([a-z0-9][a-z0-9._-]+)/(.*)", location or "")
    try:
        key_pattern(match[2] if match else "")
    except re.error:
        match = None
    if not match:
        raise wrong(f"external.location must be like s3://bucket/prefix/ or s3://bucket/part_*.csv, not {location!r}")
    file_format = external.get("file_format")
    if file_format not in FORMATS:
        raise wrong(f"external.file_format must be one of {', '.join(FORMATS)}, not {file_format!r}")
    columns = {str(column["name"]): column.get("data_type") for column in node.get("columns", {}).values()}
    if not columns:
        raise wrong("no columns are declared: the raw table gets exactly the declared ones")
    for column, data_type in columns.items():
        if not isinstance(data_type, str) or not DATA_TYPE.fullmatch(data_type.strip()):
            raise wrong(f"column {column} needs a PostgreSQL type as its data_type, not {data_type!r}")
        if column == FILE_ID or not 0 < len(column.encode()) <= IDENTIFIER_BYTES:
            raise wrong(f"a column can't be called {column!r}: {FILE_ID} is the loader's, and 63 bytes the limit")
    given = external.get("options") or {}
    if not isinstance(given, Mapping):
        raise wrong(f"external.options must be a mapping, not {given!r}")
    try:
        options = _options(given, file_format, list(columns))
    except ValueError as error:
        raise wrong(f"external.options.{error}") from error
    return Source(
        name=name,
        schema=str(node["schema"]),
        table=str(node.get("identifier") or node["name"]),
        columns={column: data_type.strip() for column, data_type in columns.items()},
        bucket=match[1],
        pattern=match[2],
        format=file_format,
        options=options,
        declared_in=file,
    )


def _options(given: Mapping[str, Any], file_format: str, columns: Sequence[str]) -> Options:
    """Check each option.

    Raises:
        ValueError: one is wrong; the message begins with its name.
    """
    known = {option.name for option in fields(Options)}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{name} is not an option; there are {', '.join(sorted(known))}")
        if name in CSV_ONLY and file_format != "csv":
            raise ValueError(f"{name} is for csv, and this is {file_format}")
        kinds = KINDS.get(name, (str,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} must be {' or '.join(kind.__name__ for kind in kinds)}, not {value!r}")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"{name} must be {' or '.join(CHOICES[name])}, not {value!r}")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    options = Options(**values)
    for name in ("delimiter", "quote", "escape"):
        character = getattr(options, name)
        if character is not None and (len(character) != 1 or not character.isascii() or character in "\r\n"):
            raise ValueError(f"{name} must be one ASCII character, not {character!r}")
    if options.delimiter in (options.quote, options.escape) or options.delimiter in options.null_string:
        raise ValueError(f"delimiter {options.delimiter!r} is also the quote, the escape or in null_string")
    if "\r" in options.null_string or "\n" in options.null_string or options.quote in options.null_string:
        raise ValueError("null_string must have no line end and no quote")
    try:
        codecs.lookup(options.encoding)
        b"".decode(options.encoding)
    except LookupError:
        raise ValueError(f"encoding {options.encoding!r} is unknown; utf-8 and windows-1252 are two") from None
    if not 0 <= options.max_reject_rate <= 1:
        raise ValueError(f"max_reject_rate must be between 0 and 1, not {options.max_reject_rate}")
    if options.max_bytes < 1 or options.list_overlap < 0:
        raise ValueError("max_bytes must be at least 1, list_overlap at least 0")
    missing = [column for column in options.key_columns if column not in columns]
    if missing:
        raise ValueError(f"key_columns names {missing[0]!r}, which is not a declared column")
    if options.list == "since_last_key" and options.on_delete == "remove":
        raise ValueError("list since_last_key doesn't see what is gone: on_delete must be keep")
    return options
