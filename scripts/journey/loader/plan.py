"""What to do with each file, decided from what S3 lists and what the ledger knows. Nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as S3 lists it."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a key.

    Attributes:
        loaded_id: file_id of the version whose rows are in the table; None if none are.
        loaded_etag: its ETag.
        duplicate_etag: version that was passed over for its content, as long as what it repeats is still loaded.
        failed_etag: version that failed and wasn't loaded since.
    """

    loaded_id: int | None = None
    loaded_etag: str | None = None
    duplicate_etag: str | None = None
    failed_etag: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One file and what to do with it.

    Attributes:
        kind: load, replace, skip or remove.
        file: the object; for remove, as the ledger knew it.
        reason: why, for people.
        loaded_id: file_id of the version that was loaded when this was decided.
    """

    kind: str
    file: Listed
    reason: str
    loaded_id: int | None = None


def decide(file: Listed, known: Known, *, reload: bool = False) -> Action:
    """Decide what to do with a listed object.

    Args:
        file: the object as S3 lists it.
        known: what the ledger says of its key.
        reload: load it even though it is loaded.
    """
    if known.loaded_etag is not None:
        if reload:
            return Action("replace", file, "reload was asked for", known.loaded_id)
        if known.loaded_etag == file.etag:
            return Action("skip", file, "already loaded", known.loaded_id)
        return Action("replace", file, "it has changed since it was loaded", known.loaded_id)
    if known.duplicate_etag == file.etag and not reload:
        return Action("skip", file, "same content as another file")
    if known.failed_etag == file.etag:
        return Action("load", file, "it failed before")
    return Action("load", file, "new")
