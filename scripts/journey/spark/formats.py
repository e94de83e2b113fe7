"""How Spark reads a feed's files: an external table for each way in which they are laid out, and a query on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from journey.loader.columns import match_columns
from journey.loader.declaration.options import Options
from journey.loader.declaration.paths import columns_of_key, folder
from journey.loader.declaration.sources import Source
from journey.loader.errors import FileRefusedError
from journey.loader.formats import reader
from journey.loader.formats.dialect import CsvOptions
from journey.loader.formats.jsonoptions import JsonLinesOptions
from journey.loader.s3.asking import Retry
from journey.loader.s3.file import S3File
from journey.loader.s3.listing import Listed
from journey.loader.s3.objects import S3Object
from journey.spark.session import listed, literal, quoted
from journey.spark.values import Expression, check, nulls, of_text, spark_type

if TYPE_CHECKING:
    import pyarrow as pa
    from types_boto3_s3 import S3Client

CORRUPT = "_corrupt"
EMPTY = "\u0001"  # stands for an empty text in quotes
# options of a feed that do on Spark what they do in the loader
READ = {"required", "key_columns", "new_columns", "missing_columns", "max_columns", "max_reject_rate", "on_delete",
        "max_remove_rate", "etag_is_md5", "hive_partitions", "key_pattern", "key_column", "list_overlap"}  # fmt: skip
READ_CSV = {"header", "delimiter", "quote", "encoding", "skip_blank_lines"}
ENCODINGS = {"utf-8": "UTF-8", "utf8": "UTF-8", "ascii": "US-ASCII", "us-ascii": "US-ASCII", "latin-1": "ISO-8859-1"}
NOT_UNPACKED = (".zip", ".xz", ".lz4", ".br", ".zstd", ".gzip")  # it goes by the ending: .gz, .bz2 and .zst
NUMBERS = {"int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "float": "float",
           "double": "double", "bool": "boolean", "string": "string", "large_string": "string",
           "date32[day]": "date"}  # fmt: skip
WIDER = {("tinyint", "smallint"), ("tinyint", "int"), ("tinyint", "bigint"), ("smallint", "int"),
         ("smallint", "bigint"), ("int", "bigint"), ("float", "double")}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What the files of an external table have.

    Attributes:
        fields: name and Spark type of each, in the files' order.
        targets: the column that each fills; None: it is ignored.
    """

    fields: tuple[tuple[str, str], ...]
    targets: tuple[str | None, ...]


@dataclass(frozen=True)
class Fitting:
    """A file as it is to be read.

    Attributes:
        layout: of its fields; None if it hasn't a byte.
        from_key: texts that its key says, by column.
        changes: how it differs from what is declared: change, column, detail.
    """

    layout: Layout | None
    from_key: tuple[tuple[str, str | None], ...]
    changes: tuple[tuple[str, str, str], ...]


def check_feed(source: Source) -> None:
    """Refuse a feed that Spark would read otherwise than the loader.

    Args:
        source: the feed.

    Raises:
        ValueError: with the option, the type or the format.
    """
    for rule in fields(Options):
        if rule.name not in READ and getattr(source.options, rule.name) != rule.default:
            raise ValueError(f"external.options.{rule.name} is not read on Spark")
    own: dict[str, type] = {"csv": CsvOptions, "jsonl": JsonLinesOptions}
    if source.format not in ("csv", "jsonl", "parquet"):
        raise ValueError(f"external.file_format {source.format} is not read on Spark: csv, jsonl and parquet are")
    read = READ_CSV if source.format == "csv" else {"encoding"}
    for rule in fields(own.get(source.format, type(source.format_options))):
        if rule.name not in read and getattr(source.format_options, rule.name) != rule.default:
            raise ValueError(f"external.options.{rule.name} is not read on Spark")
    if source.format != "parquet":
        charset(source)
    check(source)


def charset(source: Source) -> str:
    """What Java calls the encoding of a feed's files.

    Raises:
        ValueError: Spark doesn't read it as the loader does.
    """
    name = source.format_options.encoding.lower().replace("_", "-")
    if name in ENCODINGS:
        found = ENCODINGS[name]
    elif name.startswith(("windows-125", "iso-8859-")):
        found = name
    elif name.startswith("cp125"):
        found = f"windows-{name[2:]}"
    else:
        raise ValueError(f"external.options.encoding {name} is not read on Spark")
    if source.format == "jsonl" and found != "UTF-8":
        raise ValueError("external.options.encoding: JSON is read as UTF-8 on Spark")
    return found


def fit(client: S3Client, source: Source, file: Listed, retry: Retry) -> Fitting:
    """How a file is laid out, by the loader's own reading of its header or footer.

    Args:
        client: of S3.
        source: whose file.
        file: as it was listed.
        retry: how patient to be with S3.

    Raises:
        FileRefusedError: it can't be read as declared.
    """
    if file.key.lower().endswith(NOT_UNPACKED):
        raise FileRefusedError("Spark unpacks .gz, .bz2 and .zst alone: deliver it so, or unpacked")
    from_key = columns_of_key(source.options, source.pattern, file.key)
    declared = [source.column(name, kind) for name, kind in source.columns.items() if name not in from_key]
    if source.format == "jsonl":
        names = [column.name for column in declared]
        kinds = [_json_type(source.columns[name]) for name in names]
        layout = Layout(tuple(zip(names, kinds, strict=True)), tuple(names))
        return Fitting(layout, tuple(from_key.items()), ())
    found = S3Object(client, source, file, retry, lambda _: None)
    opened = reader(source.format)(
        S3File(source, file.key, found), source.format_options, declared, max_columns=source.options.max_columns
    )
    names = opened.names() or []
    if not names:
        return Fitting(None, tuple(from_key.items()), ())
    matched = match_columns(source, list(source.columns), names, from_key)
    if matched.new:
        raise FileRefusedError(
            f"field {matched.new[0]!r} isn't declared, and no column is added on Spark: declare it, "
            "or new_columns: ignore"
        )
    if source.format == "parquet":
        types = [_parquet_type(kind) for kind in opened.types()]  # type: ignore[attr-defined]
        _check_types(source, names, types, matched.targets)
    else:
        types = ["string"] * len(names)
        names = [f"field_{position}" for position in range(1, len(names) + 1)]  # Spark goes by position
    layout = Layout(tuple(zip(names, types, strict=True)), tuple(matched.targets))
    return Fitting(layout, tuple(from_key.items()), tuple(tuple(change) for change in matched.changes))  # type: ignore[misc]


def external_table(source: Source, name: str, layout: Layout) -> str:
    """The statement that makes an external table over a feed's files.

    Args:
        source: the feed.
        name: of the table, quoted.
        layout: of the files that it is for.
    """
    location = literal(f"s3a://{source.bucket}/{folder(source.pattern)}")
    columns = ", ".join(f"{quoted(field)} {kind}" for field, kind in layout.fields)
    options: dict[str, str] = {"recursiveFileLookup": "true"}
    kind = "parquet"
    if source.format == "jsonl":
        kind, columns = "text", "value string"
    elif source.format == "csv":
        kind = "csv"
        columns += f", {CORRUPT} string"
        csv = source.format_options
        options |= {
            "header": str(csv.header).lower(),
            "sep": csv.delimiter,
            "quote": csv.quote or "",
            "escape": csv.quote or "",
            "encoding": charset(source),
            "multiLine": "true" if csv.quote else "false",  # a text in quotes may have lines
            "mode": "PERMISSIVE",
            "columnNameOfCorruptRecord": CORRUPT,
            "nullValue": "",
            "emptyValue": EMPTY,
            "maxCharsPerColumn": "-1",
        }
    said = ", ".join(f"{option} {literal(value)}" for option, value in options.items())
    return f"create table {name} ({columns}) using {kind} options ({said}) location {location}"


def query(source: Source, name: str, layout: Layout, paths: Sequence[str]) -> tuple[str, Mapping[str, Expression], str]:
    """What is read from an external table.

    Args:
        source: the feed.
        name: of the table, quoted.
        layout: of the files.
        paths: of the files that are read.

    Returns:
        A query with the files' rows and `_path`; the value of each column that the files fill; and SQL for why a row
        as a whole is none, null if it is one.
    """
    here = f"_metadata.file_path in ({listed(paths)})"
    if source.format == "jsonl":
        schema = ", ".join([*(f"{quoted(field)} {kind}" for field, kind in layout.fields), f"{CORRUPT} string"])
        options = f"map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', {literal(CORRUPT)})"
        rows = (
            f"select value as _raw, from_json(value, {literal(schema)}, {options}) as _object, "
            f"json_object_keys(value) as _keys, _metadata.file_path as _path from {name} where {here}"
        )
        unknown = f"array_except(_keys, array({listed([field for field, _ in layout.fields])}))"
        whole = [
            ("_object is null or _keys is null", "'it is no JSON object'"),
            ("size(_keys) <> size(array_distinct(_keys))", "'a key comes twice'"),
            (f"_object.{CORRUPT} is not null", "'a value is not what is declared'"),
        ]
        if source.options.new_columns != "ignore":
            whole.append((f"size({unknown}) > 0", f"concat({unknown}[0], ' is no declared column')"))
        texts = {
            target: f"_object.{quoted(field)}" for (field, _), target in zip(layout.fields, layout.targets, strict=True)
        }
    elif source.format == "csv":
        names = ", ".join(quoted(field) for field, _ in layout.fields)
        texts_ = ", ".join(
            f"case when {quoted(field)} = {literal(EMPTY)} then '' else {quoted(field)} end as {quoted(field)}"
            for field, _ in layout.fields
        )
        rows = (
            f"select {texts_}, coalesce({CORRUPT}, to_json(struct({names}))) as _raw, {CORRUPT}, "
            f"_metadata.file_path as _path from {name} where {here}"
        )
        whole = [(f"{CORRUPT} is not null", f"'it has not {len(layout.fields)} fields, or its quotes do not end'")]
        texts = {target: quoted(field) for (field, _), target in zip(layout.fields, layout.targets, strict=True)}
    else:
        names = ", ".join(quoted(field) for field, _ in layout.fields)
        rows = (
            f"select {names}, to_json(struct({names})) as _raw, _metadata.file_path as _path from {name} where {here}"
        )
        whole = []
        texts = {target: quoted(field) for (field, _), target in zip(layout.fields, layout.targets, strict=True)}
    kinds = {target: kind for (_, kind), target in zip(layout.fields, layout.targets, strict=True)}
    values = {
        target: value_of(source, target, text, kinds[target]) for target, text in texts.items() if target is not None
    }
    cases = "".join(f" when {condition} then {reason}" for condition, reason in whole)
    return rows, values, f"case{cases} end" if whole else "cast(null as string)"


def value_of(source: Source, column: str, found: str, kind: str = "string") -> Expression:
    """A column's value of what a file has.

    Args:
        source: the feed.
        column: its name.
        found: SQL of what the file has.
        kind: Spark's type of that.
    """
    declared = source.columns[column]
    meaning, wanted = source.column(column, declared).meaning, spark_type(declared)
    if kind == "string":
        return of_text(found, declared, meaning, nulls(meaning, is_text=wanted == "string", file_format=source.format))
    if kind == wanted or (kind, wanted) in WIDER:
        return Expression(f"cast({found} as {wanted})", "true", declared)
    value = f"try_cast({found} as {wanted})"
    return Expression(value, f"{found} is null or ({value} is not null and {value} = {found})", declared)


def _json_type(declared: str) -> str:
    """As what Spark is to read a JSON value: numbers with a fraction exactly, all else as texts."""
    return "decimal(38,18)" if spark_type(declared).startswith("decimal") else "string"


def _parquet_type(kind: pa.DataType) -> str:
    """Spark's type of a Parquet column; of others than these the name is no type of Spark's."""
    said = str(kind)
    if said.startswith("decimal128("):
        return said.replace("decimal128", "decimal").replace(" ", "")
    if said.startswith("timestamp["):
        return "timestamp" if "tz=" in said else "timestamp_ntz"
    return NUMBERS.get(said, said)


def _check_types(source: Source, names: Sequence[str], types: Sequence[str], targets: Sequence[str | None]) -> None:
    """Refuse a Parquet file whose types aren't read into the declared ones as the loader does.

    Raises:
        FileRefusedError: it has such a column.
    """
    exact = ("tinyint", "smallint", "int", "bigint")
    for name, kind, target in zip(names, types, targets, strict=True):
        if target is None:
            continue
        wanted = spark_type(source.columns[target])
        is_number = kind in exact or kind.startswith("decimal(")
        if kind in ("string", wanted) or (kind, wanted) in WIDER:
            continue
        if not is_number or not (wanted in exact or wanted.startswith("decimal(")):
            raise FileRefusedError(f"column {name} is {kind}, which is not read into {source.columns[target]} on Spark")
