"""Which files are looked at, and how: a few of them, from their beginning, decompressed as the loader does it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import click

from journey.errors import UsageError
from journey.loader.declaration.paths import COMPRESSED
from journey.loader.declaration.sources import Source, key_pattern, parse_source
from journey.loader.errors import FileRefusedError
from journey.loader.formats import File
from journey.loader.s3.asking import Retry
from journey.loader.s3.decompress import Limit, decompress
from journey.loader.s3.file import S3File
from journey.loader.s3.kinds import ARCHIVE, HEAD, kind_of
from journey.loader.s3.listing import Listed, list_objects
from journey.loader.s3.objects import S3Object
from journey.loader.s3.ranges import RangeReader
from journey.loader.s3.zipped import Archive
from journey.text import shown

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_BYTES = 4 * 2**20  # of a text that are looked at
MOST_KEYS = 20_000  # that are listed
LIKELY = ("csv", "tsv", "psv", "txt", "dat", "parquet", "parq", "jsonl", "ndjson", "avro", "xlsx", "json", "log", "")
TYPED = {"parquet", "avro", "xlsx"}


class Head:
    """A text file's beginning, kept: it is read many times.

    Attributes:
        key: of the file.
        data: decompressed.
        is_whole: it is all of the file.
    """

    def __init__(self, key: str, data: bytes, *, is_whole: bool) -> None:
        self.key, self.data, self.is_whole = key, data, is_whole

    def stream(self) -> Iterator[bytes]:
        """Its bytes; not those of a line that is cut."""
        yield self.data

    def seekable(self) -> IO[bytes]:
        """Nobody seeks in texts."""
        raise NotImplementedError

    def first(self, size: int) -> Head:
        """A shorter beginning, for what is tried often."""
        if len(self.data) <= size:
            return self
        return Head(self.key, _whole_lines(self.data[:size]), is_whole=False)


@dataclass
class Sample:
    """A file that is looked at.

    Attributes:
        key: of the object.
        format: parquet, avro or xlsx, told by its first bytes; `text` otherwise; "" if it can't be read.
        files: what a reader reads: itself, or the members of an archive.
        error: why it can't be read.
        members: names of an archive's members; none if it is no archive.
    """

    key: str
    format: str = ""
    files: Sequence[File] = ()
    error: str = ""
    members: list[str] = field(default_factory=list)

    @property
    def heads(self) -> list[Head]:
        """The texts."""
        return [one for one in self.files if isinstance(one, Head)]


@dataclass
class Listing:
    """What lies in S3.

    Attributes:
        pattern: a location's path that means the files.
        files: those that it means.
        others: some keys that lie there and are left out.
        is_all: the listing was read to its end.
    """

    pattern: str
    files: list[Listed]
    others: list[str]
    is_all: bool = True


def bare(bucket: str, pattern: str, file_format: str = "jsonl") -> Source:
    """A source to list and read with, of which nothing is known yet."""
    external = {"location": f"s3://{bucket}/{pattern}", "file_format": file_format}
    columns = {"any": {"name": "any", "data_type": "text"}}
    return parse_source({"source_name": "scaffold", "name": "sample", "schema": "raw", "external": external,
                         "columns": columns})  # fmt: skip


def listing(client: S3Client, bucket: str, path: str) -> Listing:
    """List what a path means: a key, a folder, or a pattern.

    Raises:
        UsageError: nothing is there, or S3 can't be asked.
    """
    pattern, found, is_all = path, list[Listed](), True
    for page in list_objects(client, bare(bucket, path), None, Retry(), _say):
        found += page.files
        if len(found) >= MOST_KEYS:
            is_all = False
            break
    if path and not re.search(r"[*?]", path) and not path.endswith("/") and path not in {one.key for one in found}:
        pattern = f"{path}/" if any(one.key.startswith(f"{path}/") for one in found) else f"{path}*"
    is_file = key_pattern(pattern)
    files = [one for one in found if is_file.fullmatch(one.key) and not one.key.endswith("_$folder$")]
    if not any(one.size for one in files):
        there = f"there are {_keys(found)}" if found else _beside(client, bucket, path)
        raise UsageError(f"s3://{bucket}/{path}: no file with data lies there; {there}")
    if not (pattern.endswith(("/", "*")) or not pattern):
        return Listing(pattern, files, [], is_all)
    return _of_one_kind(pattern, files, is_all)


def _say(text: str) -> None:
    """Tell a person that S3 is silent."""
    click.echo(shown(text), err=True)


def _of_one_kind(pattern: str, files: list[Listed], is_all: bool) -> Listing:
    """The files of the commonest ending; where there are several, the location is narrowed to it."""
    endings = Counter(ending(one.key) for one in files if one.size)
    best = max(endings, key=lambda one: (one in LIKELY, endings[one], -_rank(one)))
    chosen = [one for one in files if ending(one.key) == best]
    others = [one.key for one in files if ending(one.key) != best]
    if others and pattern.endswith("/"):
        compressed = any(not one.key.lower().endswith(f".{best}") for one in chosen)
        pattern += f"**/*.{best}{'*' if compressed else ''}" if best else "**"
    is_file = key_pattern(pattern)
    return Listing(pattern, [one for one in chosen if is_file.fullmatch(one.key)], others, is_all)


def ending(key: str) -> str:
    """A key's ending, without that of a compression; "" if it has none that looks like one."""
    parts = [part for part in key.rsplit("/", 1)[-1].lower().split(".")[1:] if part not in COMPRESSED]
    return parts[-1] if parts and re.fullmatch("[a-z][a-z0-9]{1,9}", parts[-1]) else ""


def chosen(files: Sequence[Listed], most: int) -> list[Listed]:
    """Some files from the first to the last, evenly; the first that has something in it is among them."""
    full = [one for one in files if one.size]
    if len(full) <= most:
        return full
    return [full[round(i * (len(full) - 1) / max(1, most - 1))] for i in range(most)]


def sample(client: S3Client, bucket: str, file: Listed) -> Sample:
    """Look at a file."""
    opened = S3Object(client, bare(bucket, ""), file, Retry(), lambda _: None)
    try:
        kind = kind_of(b"".join(opened.chunks(0, min(HEAD, file.size))))
        if kind is not None and kind.format in TYPED:
            return Sample(file.key, kind.format, [S3File(bare(bucket, "", kind.format), file.key, opened)])
        if kind == ARCHIVE:
            return _archive(file.key, opened)
        if kind is not None and kind.name != "compressed once more":
            return Sample(file.key, error=f"it is {kind.name}: {kind.remedy}")
        return _of_stream(file.key, opened, bucket)
    except FileRefusedError as error:
        return Sample(file.key, error=str(error))


def _of_stream(key: str, opened: S3Object, bucket: str) -> Sample:
    try:
        return Sample(key, "text", [_head(key, decompress(opened.chunks(), Limit(2**40)))])
    except FileRefusedError as error:
        if "Avro" in str(error):
            return Sample(key, "avro", [S3File(bare(bucket, "", "avro"), key, opened)])
        raise


def _archive(key: str, opened: S3Object) -> Sample:
    """An archive's members of the commonest ending."""
    archive = Archive(RangeReader(opened), Limit(2**40))
    names = archive.members("**")
    endings = Counter(map(ending, names))
    best = max(endings, key=lambda one: (one in LIKELY, endings[one], -_rank(one)))
    wanted = [name for name in names if ending(name) == best]
    heads = [_head(name, decompress(archive.stream(name), Limit(2**40))) for name in wanted[:3]]
    return Sample(key, "text", heads, members=names)


def zip_members(names: Sequence[str], wanted: Sequence[str]) -> str:
    """The option that means these members of an archive."""
    if len(names) == 1 or not (best := ending(wanted[0])):
        return wanted[0]
    return f"**/*.{best}" if any("/" in name for name in wanted) else f"*.{best}"


def _head(key: str, chunks: Iterator[bytes]) -> Head:
    data = b""
    for chunk in chunks:
        data += chunk
        if len(data) > MOST_BYTES:
            return Head(key, _whole_lines(data[:MOST_BYTES]), is_whole=False)
    return Head(key, data, is_whole=True)


def _whole_lines(data: bytes) -> bytes:
    end = data.rfind(b"\n") + 1
    if b"\0" in data[:64]:  # of UTF-16, a line feed is two bytes
        end += end % 2
    return data[:end] if end else data


def _rank(one: str) -> int:
    return LIKELY.index(one) if one in LIKELY else len(LIKELY)


def _beside(client: S3Client, bucket: str, path: str) -> str:
    """What lies where an address begins that leads to nothing."""
    folder = path.rstrip("/").rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=10)
    names = [one["Prefix"] for one in page.get("CommonPrefixes", [])] + [one["Key"] for one in page.get("Contents", [])]
    return f"s3://{bucket}/{prefix} has {', '.join(names[:10])}" if names else f"s3://{bucket}/{prefix} is empty"


def _keys(found: Sequence[Listed]) -> str:
    return ", ".join(one.key for one in found[:3])
