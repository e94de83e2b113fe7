"""A column's texts, read as values of a type by the loader's own reading of values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from journey.loader.declaration.options import make
from journey.loader.values.meaning import Column, Meaning
from journey.loader.values.text import parse
from journey.scaffold.proposal import Field, Note, words

FEW = 20
NULLS = (
    "NULL", "null", "N/A", "n/a", "NA", "na", "-", "--", " --", "\\N", "NaN", "nan", "NaT", "None", "none", "?",
    "#N/A", "#DIV/0!", "#REF!", "#VALUE!", "(null)", "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """What a type makes of the values.

    Attributes:
        values: by text.
        refused: texts that it refuses, and why.
    """

    values: Mapping[str, Any]
    refused: Mapping[str, str]


class Texts:
    """A column's texts, each once."""

    def __init__(self, name: str, values: Sequence[str | None], *, empty_is_null: bool = True) -> None:
        self.name, self.empty_is_null = name, empty_is_null
        self.counts = Counter(value for value in values if value is not None and (value or not empty_is_null))
        self.rows, self.total = len(values), sum(self.counts.values())
        self.quoted_empty = sum(value == "" for value in values)
        self.nulls: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        """Those that aren't null."""
        return [text for text in self.counts if text not in self.nulls]

    def share(self, texts: Mapping[str, object] | Sequence[str]) -> int:
        """How many values these texts are."""
        return sum(self.counts[text] for text in texts)

    def read(self, kind: str, some: Sequence[str] | None = None, **meaning: Any) -> Read:
        """Read them, or some of them, as a type."""
        texts = self.texts if some is None else some
        column = Column(
            self.name, words(kind), make(Meaning, {name: given for name, given in meaning.items() if given is not None})
        )
        array, refused = parse(pa.array(texts, pa.string()), column)
        values = array.to_pylist()
        return Read(
            {text: value for row, (text, value) in enumerate(zip(texts, values, strict=True)) if row not in refused},
            {texts[row]: why for row, why in refused.items()},
        )

    def all_read(self, kind: str, **meaning: Any) -> bool:
        """Whether each is a value of a type; a few are tried first."""
        few = self.texts[:FEW]
        return bool(few) and not self.read(kind, few, **meaning).refused and not self.read(kind, **meaning).refused


def put(
    field: Field, kind: str, note: str, options: Mapping[str, Any] | None = None, *, is_doubt: bool = False
) -> bool:
    """Give a column its type, and say what it rests on."""
    field.type = kind
    field.options |= options or {}
    field.notes.append(Note(note, is_doubt))
    return True


def all_of(texts: Texts) -> str:
    """The values, in words."""
    values = sum(texts.counts[text] for text in texts.counts if text not in texts.nulls)
    return "its one value" if values == 1 else f"all {values:,} sampled values"


def are(texts: Texts, one: str, many: str) -> str:
    """The values with what they are."""
    return f"{all_of(texts)} {one}" if all_of(texts).startswith("its") else f"{all_of(texts)} {many}"


def match(texts: Texts) -> str:
    """That they match something."""
    return f"{all_of(texts)} match{'es' if all_of(texts).startswith('its') else ''}"
