"""What a key says of its rows: Hive partitions, parts of the key by a pattern, the key itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from journey.loader.declaration.options import Options
from journey.loader.declaration.sources import GLOB, WILDCARDS, Source
from journey.loader.errors import FileRefusedError, TableStoppedError

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
USUAL = {  # endings of a format's files, the commonest first; of others, its name
    "csv": ("csv", "tsv", "psv", "txt", "dat", "log"),
    "jsonl": ("jsonl", "json", "ndjson", "log", "txt"),
    "parquet": ("parquet", "parq", "pq"),
}
COMPRESSED = ("gz", "gzip", "zst", "zstd", "bz2", "zip")


def columns_of_key(options: Options, location: str, key: str) -> dict[str, str | None]:
    """The columns that a key fills, as texts, which are then read as any text of those columns; None is null.

    Args:
        options: of the feed.
        location: its pattern, without the bucket.
        key: of the object.

    Raises:
        FileRefusedError: the key isn't what `key_pattern` says, or says two things of one column.
    """
    columns: dict[str, str | None] = {}
    if options.hive_partitions:
        for part in key.split("/")[:-1]:
            name, equals, value = part.partition("=")
            if equals and name:
                _add(columns, _decoded(name, key), None if value == HIVE_NULL else _decoded(value, key), key)
    if options.key_pattern:
        below = key[len(folder(location)) :]
        match = pattern_of_key(options.key_pattern).fullmatch(below)
        if not match:
            raise FileRefusedError(f"its key is not what key_pattern says: {below} is no {options.key_pattern}")
        for name, value in match.groupdict().items():
            _add(columns, name, value, key)
    if options.key_column:
        _add(columns, options.key_column, key, key)
    return columns


def refuse_persons(source: Source, keys: Iterable[str]) -> None:
    """Stop a feed whose folders name persons: an id in a key can't be taken out of the bucket, nor of the ledger.

    Args:
        source: the feed.
        keys: that were listed; the ledger doesn't know the new ones yet.

    Raises:
        TableStoppedError: a folder fills a column that is declared to hold persons' ids.
    """
    if not source.options.hive_partitions or not source.persons:
        return
    for key in keys:
        for part in key.split("/")[:-1]:
            name, equals, _ = part.partition("=")
            if equals and unquote(name) in source.persons:
                raise TableStoppedError(
                    f"{source.name}: folders {name}=… name persons, who could not be forgotten: keys in S3, and in the "
                    "ledger, stay. Nothing is loaded: let files be delivered that have the id in their rows, or take "
                    f"config.meta.person from column {unquote(name)}"
                )


def folder(location: str) -> str:
    """The last folder that a location names, with its `/`: the part before its first wildcard, up to a `/`."""
    named = WILDCARDS.split(location, maxsplit=1)[0]
    return named[: named.rfind("/") + 1]


def pattern_of_key(pattern: str) -> re.Pattern[str]:
    """A `key_pattern` as a regular expression.

    `{column}` takes as little as fits, and nothing beyond a `/`; where it stands twice, both must be the same; `{}`
    and the wildcards `*`, `**` and `?` pass something over.
    """
    regex, seen = "", set[str]()
    for part in re.findall(r"\{\w*\}|\*\*/?|[*?]|[^*?{]+|\{", pattern):
        name = part[1:-1] if re.fullmatch(r"\{\w*\}", part) else None
        if name is None:
            regex += GLOB.get(part) or re.escape(part)
        elif not name:
            regex += "[^/]+?"
        else:
            regex += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
    return re.compile(regex, re.DOTALL)


def how_to_leave_out(file_format: str, bucket: str, location: str, key: str) -> str:
    """Advice for a file that failed and isn't called as such files are; "" if it is, or the location has a suffix.

    Args:
        file_format: what is declared.
        bucket: of the feed.
        location: its pattern, without the bucket.
        key: of the file.
    """
    endings = [ending for ending in key.rsplit("/", 1)[-1].lower().split(".")[1:] if ending not in COMPRESSED]
    usual = USUAL.get(file_format, (file_format,))
    if not endings or endings[-1] in usual or not (location.endswith(("/", "*")) or not location):
        return ""
    narrow = f"{location.rstrip('*')}**/*" if location.endswith("/") or not location else location
    return f"; if it is no data, leave it out by external.location: s3://{bucket}/{narrow}.{usual[0]}"


def _add(columns: dict[str, str | None], name: str, value: str | None, key: str) -> None:
    if columns.setdefault(name, value) != value:
        raise FileRefusedError(f"its key says two things of column {name}: {columns[name]} and {value}, in {key}")


def _decoded(text: str, key: str) -> str:
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        plain = "\0"
    if "\0" in plain:
        raise FileRefusedError(f"its key has a part that is no text once its % signs are read: {text}, in {key}")
    return plain
