"""What is proposed: a format, options and columns, each with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from journey.loader.declaration.sources import Source, parse_source
from journey.loader.values.meaning import Column

WORDS = {  # types as PostgreSQL says them, where we write them shorter
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
}


class Note(NamedTuple):
    """Something to say beside what is proposed.

    Attributes:
        text: in plain words, with figures.
        is_doubt: it couldn't be decided, or rests on little: a person must look.
    """

    text: str
    is_doubt: bool = False


@dataclass
class Field:
    """A column that is proposed.

    Attributes:
        name: as the file has it.
        type: its PostgreSQL type.
        options: what is declared of its values, if not the feed's.
        notes: what that rests on.
        values: the sampled values as texts, in the files' order.
        is_key: it is one of the columns that tell rows apart.
    """

    name: str
    type: str = "text"
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    values: Sequence[str | None] = ()
    is_key: bool = False

    @property
    def doubts(self) -> list[str]:
        """What a person must look at."""
        return [note.text for note in self.notes if note.is_doubt]

    @property
    def is_never_null(self) -> bool:
        """Whether each sampled row has a value."""
        return bool(self.values) and self.nulls == 0

    @property
    def nulls(self) -> int:
        """Sampled rows without a value, by what is declared."""
        nulls = {None, *self.options.get("null_values", ())}
        if self.type != "text":
            nulls.add("")
        return sum(value in nulls for value in self.values)


@dataclass
class Proposal:
    """A feed as it is proposed.

    Attributes:
        source: dbt's name of the source.
        table: name of the table.
        bucket: of the files.
        pattern: the location's path.
        format: of the files.
        options: of the feed.
        fields: its columns.
        notes: about the feed as a whole.
        tried: what became of each sampled file: key, rows that were read, refused ones.
        keys: columns that tell its rows apart; none if that wasn't found.
        delivery: how files come, in words.
    """

    source: str
    table: str
    bucket: str
    pattern: str
    format: str = "csv"
    options: dict[str, Any] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    delivery: str = ""

    @property
    def name(self) -> str:
        """As dbt's selectors say it."""
        return f"{self.source}.{self.table}"

    def declared_options(self) -> dict[str, Any]:
        """The options as they are declared, those of columns included."""
        own = {one.name: one.options for one in self.fields if one.options}
        return {**self.options, **({"columns": own} if own else {})}

    def declaration(self) -> Source:
        """As the loader would read it.

        Raises:
            UsageError: it can't be declared so.
        """
        return parse_source(
            {
                "source_name": self.source,
                "name": self.table,
                "schema": f"raw_{self.source}",
                "identifier": self.table,
                "original_file_path": "the proposal",
                "external": {
                    "location": f"s3://{self.bucket}/{self.pattern}",
                    "file_format": self.format,
                    "options": self.declared_options(),
                },
                "columns": {one.name: {"name": one.name, "data_type": one.type} for one in self.fields},
            }
        )


class Tried(NamedTuple):
    """What became of a sampled file when it was read as proposed.

    Attributes:
        key: of the file.
        rows: that were read.
        refused: line, column and reason of the rows that weren't.
        error: why the file wasn't read; "" if it was.
        is_whole: it was read to its end.
    """

    key: str
    rows: int
    refused: Sequence[tuple[int, str | None, str]] = ()
    error: str = ""
    is_whole: bool = True


def words(kind: str) -> str:
    """A type as PostgreSQL says it."""
    return WORDS.get(kind, kind)


def table_columns(source: Source) -> list[Column]:
    """The columns that the raw table will have."""
    return [source.column(name, words(kind)) for name, kind in source.columns.items()]


def shortened(text: str, most: int = 30) -> str:
    """A value that is shown, cut and in quotes of its own."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def count(number: int, what: str) -> str:
    """A number of things: `1 row`, `1,000 rows`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


Options = Mapping[str, Any]
