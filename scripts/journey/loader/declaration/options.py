"""The `options` of an `external:` block: what they are called, what they must be, and what holds where none is given.

Options of a format stand beside its reader (`formats/`), those that say what a value means in `values/meaning.py`;
here is what every feed has, and how any of them is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from journey.text import did_you_mean

Made = TypeVar("Made")
RENAMED = {"list": "listing", "null_string": "null_values"}


def option(default: Any, what: str, is_right: Callable[[Any], bool]) -> Any:
    """A dataclass field that is an option.

    Args:
        default: what holds where nothing is declared.
        what: what it must be, in words.
        is_right: the same as a check.
    """
    return field(default=default, metadata={"what": what, "is_right": is_right})


def flag(*, default: bool) -> Any:
    """An option that is true or false."""
    return option(default, "true or false", lambda value: isinstance(value, bool))


def one_of(*values: str, default: str | None = "") -> Any:
    """An option that is one of some words; the first is the default if none is named."""
    chosen = values[0] if default == "" else default
    return option(chosen, " or ".join(values), lambda value: value in values)


def whole(default: int | None, *, least: int) -> Any:
    """An option that is a whole number."""
    return option(default, f"a whole number from {least} on", lambda value: type(value) is int and value >= least)


def text(default: str | None = None) -> Any:
    """An option that is a text."""
    return option(default, "a text", lambda value: isinstance(value, str) and bool(value))


def texts(default: tuple[str, ...] | None = ()) -> Any:
    """An option that is a text or a list of texts; it becomes a tuple."""
    return option(
        default, "a text or a list of texts", lambda value: all(isinstance(one, str) for one in listed(value))
    )


def listed(value: Any) -> list[Any]:
    """A list as it is; anything else as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


@dataclass(frozen=True)
class Options:
    """What every feed has.

    Attributes:
        required: a location under which nothing is found fails the load; else it warns.
        key_columns: columns that every file must have.
        new_columns: what happens to a field that nobody declared: `add` it to the table as text, `ignore` it, or
            `refuse` the file (JSON: the row).
        missing_columns: a declared column that a file lacks is `null`, or the file is to `refuse`.
        max_columns: a file with more fields is refused.
        max_reject_rate: largest share of refused rows (0..1) at which the rest of a file still loads.
        max_bytes: largest size of a file, decompressed.
        max_ratio: how many times as large as the object its decompressed bytes may be, from 16 MB on; a zip bomb ends
            here.
        deduplicate: `none`, or `content`: the same bytes under another key don't load again.
        on_delete: `keep` or `remove` the rows of a file that is no longer in S3.
        max_remove_rate: largest share of a table's files (0..1) that one load may remove; one file always may go.
        listing: `all`, or `since_last_key` where keys come in order: the past is not listed again.
        list_overlap: with `listing: since_last_key`, how many of the last known files are listed again.
        request_payer: `requester` for a bucket whose readers pay.
        anonymous: requests aren't signed, for a bucket that is open to everybody.
        etag_is_md5: an ETag of 32 hexadecimal digits is the MD5 of the object, as on S3; a few other servers' isn't.
        zip_members: names, with wildcards, of the members of a zip archive that are read, as one file; an archive is
            refused where nothing is declared.
        hive_partitions: `name=value` folders of the key fill the columns of those names.
        key_pattern: a pattern with `{column}` where a column's value stands, of what the key has below the last folder
            that `location` names.
        key_column: the column that takes the whole key.
    """

    required: bool = flag(default=False)
    key_columns: tuple[str, ...] = texts()
    new_columns: str = one_of("add", "ignore", "refuse")
    missing_columns: str = one_of("null", "refuse")
    max_columns: int = whole(500, least=1)
    max_reject_rate: float = option(0.01, "a number between 0 and 1", lambda value: is_share(value))
    max_bytes: int = option(2**40, "a whole number from 1 on", lambda value: _is_number(value) and value >= 1)
    max_ratio: int = whole(1000, least=1)
    deduplicate: str = one_of("none", "content")
    on_delete: str = one_of("keep", "remove")
    max_remove_rate: float = option(0.1, "a number between 0 and 1", lambda value: is_share(value))
    listing: str = one_of("all", "since_last_key")
    list_overlap: int = whole(32, least=0)
    request_payer: str | None = one_of("requester", default=None)
    anonymous: bool = flag(default=False)
    etag_is_md5: bool = flag(default=True)
    zip_members: str | None = text()
    hive_partitions: bool = flag(default=False)
    key_pattern: str | None = option(
        None, "a pattern like {country}/{day}/*.csv", lambda value: isinstance(value, str) and "{" in value
    )
    key_column: str | None = text()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_share(value: Any) -> bool:
    """Whether a value is a number between 0 and 1."""
    return _is_number(value) and 0 <= value <= 1


def names(*kinds: type) -> list[str]:
    """The options that these dataclasses have."""
    return [each.name for kind in kinds for each in fields(kind)]


def make(kind: type[Made], given: Mapping[str, Any], where: str = "external.options") -> Made:
    """A dataclass of options, from what is declared of it.

    Args:
        kind: the dataclass.
        given: declared values; names that it hasn't are passed over.
        where: where they are declared, for messages.

    Raises:
        ValueError: a value isn't what it must be.
    """
    values: dict[str, Any] = {}
    for rule in fields(kind):  # type: ignore[arg-type]
        if rule.name not in given:
            continue
        value = given[rule.name]
        if not rule.metadata["is_right"](value):
            raise ValueError(f"{where}.{rule.name} must be {rule.metadata['what']}, not {value!r}")
        if isinstance(rule.default, tuple) or rule.metadata["what"].endswith("list of texts"):
            value = tuple(listed(value))
        values[rule.name] = value
    return kind(**values)


def check_names(given: Iterable[str], known: Sequence[str], others: Mapping[str, str]) -> None:
    """Refuse what is no option.

    Args:
        given: the names that are declared.
        known: options of this feed.
        others: options of other formats, and whose they are.

    Raises:
        ValueError: with the names that there are.
    """
    for name in given:
        if name in known:
            continue
        if name in RENAMED:
            raise ValueError(f"external.options.{name} is called {RENAMED[name]} now")
        if name in others:
            raise ValueError(f"external.options.{name} is for {others[name]}, and this isn't")
        raise ValueError(
            f"external.options.{name} is not an option; there are {', '.join(sorted(known))}{did_you_mean(name, known)}"
        )


def check_together(options: Options, columns: Sequence[str]) -> None:
    """Refuse options that don't go together.

    Raises:
        ValueError: with the reason.
    """
    for column in options.key_columns:
        if column not in columns:
            raise ValueError(f"external.options.key_columns names {column!r}, which is not a declared column")
    if options.listing == "since_last_key" and options.on_delete == "remove":
        raise ValueError("external.options.listing since_last_key doesn't see what is gone: on_delete must be keep")
    if options.key_column and options.key_column not in columns:
        raise ValueError(f"external.options.key_column names {options.key_column!r}, which is not a declared column")
    for name in re.findall(r"\{(\w*)\}", options.key_pattern or ""):
        if name not in columns:
            raise ValueError(f"external.options.key_pattern names {name!r}, which is not a declared column")
