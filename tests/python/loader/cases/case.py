"""What a case is: files as they come, the declaration, and what must become of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

Row: TypeAlias = tuple[Any, ...]
Words: TypeAlias = "str | tuple[str, ...]"
Files: TypeAlias = "Mapping[str, bytes | str] | bytes | str"

ID_NAME = {"id": "integer", "name": "text"}


@dataclass(frozen=True)
class Bad:
    """A row that must be refused.

    Attributes:
        line: where it begins.
        column: which is to blame, if one is.
        words: what the reason must contain: the value, and the option that would read it.
        key: its file, if there are several.
    """

    line: int
    column: str | None
    words: tuple[str, ...]
    key: str = ""


def bad(line: int, column: str | None, *words: str, key: str = "") -> Bad:
    """A row that must be refused."""
    return Bad(line, column, words, key)


@dataclass(frozen=True)
class Case:
    """Files, and what becomes of them.

    Attributes:
        cause: the kind of fault that it guards against, A to L (see the package).
        name: what is special about it.
        files: bytes by key, below the location's prefix; a file alone is called `file`.
        rows: what the table then holds, in any order.
        columns: declared.
        format: declared.
        options: declared. Where rows are refused, max_reject_rate is 1 if nothing else is said.
        bad: the rows that are refused.
        failed: the files that are refused as a whole, with what the message must say.
        unseen: the files that are no data, and don't come into the ledger.
        select: what is read of the table, if not the declared columns.
        drift: the drift that is recorded: what and which column; None: whatever it is.
        pattern: behind `in/`, the location's.
    """

    cause: str
    name: str
    files: Mapping[str, bytes | str]
    rows: Sequence[Row]
    columns: Mapping[str, str] = field(default_factory=lambda: ID_NAME)
    format: str = "csv"
    options: Mapping[str, Any] = field(default_factory=dict)
    bad: Sequence[Bad] = ()
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: Sequence[str] = ()
    select: str = ""
    drift: Sequence[tuple[str, str]] | None = None
    pattern: str = ""


def case(
    cause: str,
    name: str,
    files: Files,
    columns: Mapping[str, str] | None = None,
    *,
    rows: Sequence[Row] = (),
    failed: Words | Mapping[str, Words] = (),
    options: Mapping[str, Any] | None = None,
    bad: Sequence[Bad] = (),
    **more: Any,
) -> Case:
    """A case; see there."""
    files = {"file": files} if isinstance(files, (bytes, str)) else files
    if not isinstance(failed, Mapping):
        failed = dict.fromkeys(files, failed) if failed else {}
    words = {key: (said,) if isinstance(said, str) else said for key, said in failed.items()}
    options = {**({"max_reject_rate": 1} if bad else {}), **(options or {})}
    return Case(cause, name, files, rows, columns or ID_NAME, options=options, bad=bad, failed=words, **more)


def needs(
    cause: str,
    name: str,
    files: Files,
    columns: Mapping[str, str] | None = None,
    *,
    option: Mapping[str, Any],
    rows: Sequence[Row],
    without: Sequence[Bad] | Words | Mapping[str, Words] = (),
    left: Sequence[Row] = (),
    options: Mapping[str, Any] | None = None,
    bad: Sequence[Bad] = (),
    **more: Any,
) -> list[Case]:
    """A case that needs an option: once with it, and once without.

    Args:
        option: what reads it.
        rows: what loads with the option.
        without: what is refused where the option isn't declared: rows or files.
        left: what loads then.
        options: what is declared both times.
        bad: what is refused with the option.
        more: as in Case.
    """
    with_it = case(cause, name, files, columns, rows=rows, bad=bad, options={**(options or {}), **option}, **more)
    refuses_rows = bool(without) and not isinstance(without, (str, Mapping)) and isinstance(without[0], Bad)
    refused: dict[str, Any] = {"bad": without} if refuses_rows else {"failed": without}
    more.pop("drift", None), more.pop("select", None)
    return [
        with_it,
        case(cause, f"{name}, without {' and '.join(option)}", files, columns, rows=left, options=options,
             **refused, **more),
    ]  # fmt: skip


def parquet(columns: Mapping[str, Any], **options: Any) -> bytes:
    """A Parquet file of these columns: lists or Arrow arrays."""
    out = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), out, **options)
    return out.getvalue()


def stored(name: str) -> bytes:
    """A file that others wrote, as it came."""
    return (Path(__file__).parent / "files" / name).read_bytes()
