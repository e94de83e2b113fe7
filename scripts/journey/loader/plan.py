"""What to do with each file: what S3 has against what the ledger knows, page by page, so in little memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import Connection

from journey.loader import ledger
from journey.loader.ledger import Known
from journey.loader.sources import Source, key_pattern
from journey.loader.storage import Listed, Retry, list_objects

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


SMALL = 2**18  # bytes of a file that may share its COPY
TOGETHER = 32  # files in one COPY: if one has a bad row, all are taken again one by one


class Action(NamedTuple):
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


def plan_source(
    client: S3Client, connection: Connection[Any], source: Source, reload: Collection[str], retry: Retry
) -> Iterator[Action]:
    """What to do with each file of a source, and with each loaded file that is gone.

    Args:
        client: of S3.
        connection: to the ledger; the source's table need not exist.
        source: what to list.
        reload: keys to load again, changed or not.
        retry: how patient to be with S3.

    Raises:
        UsageError: S3 doesn't let us list, or isn't there.
    """
    partly = source.options.list == "since_last_key" and not reload
    remove = source.options.on_delete == "remove"
    is_file, seen = key_pattern(source.pattern), set[str]()
    start_after = ledger.overlap_key(connection, source) if partly else None
    for page in list_objects(client, source, start_after, retry):
        files = [file for file in page if is_file.fullmatch(file.key)]
        known = ledger.known(connection, source, [file.key for file in files])
        for file in files:
            yield _decide(file, known.get(file.key, Known()), file.key in reload)
        if remove:
            seen.update(file.key for file in files)
    if seen:  # an empty listing is rather a wrong address than a wish to lose everything
        for file in ledger.loaded_files(connection, source):
            if file.key not in seen and is_file.fullmatch(file.key):
                yield Action("remove", file, "it is no longer in S3, and on_delete is remove")


def _decide(file: Listed, known: Known, reload: bool) -> Action:
    if known.loaded_id is not None:
        if reload:
            return Action("replace", file, "reload was asked for", known.loaded_id)
        if known.loaded_etag == file.etag:
            return Action("skip", file, "already loaded", known.loaded_id)
        return Action("replace", file, "it has changed since it was loaded", known.loaded_id)
    if known.duplicate_etag == file.etag and not reload:
        return Action("skip", file, "same content as another file")
    return Action("load", file, "it failed before" if known.failed_etag == file.etag else "new")


def batches(plan: Sequence[tuple[Source, Action]], threads: int) -> Iterator[tuple[Source, list[Action]]]:
    """What a thread takes at a time: one file, or some small new CSV files of a source.

    Args:
        plan: everything, source by source.
        threads: how many there will be.
    """
    for (_, small), group in groupby(plan, key=lambda item: (item[0].name, _is_small(*item))):
        items = list(group)
        size = max(1, min(TOGETHER, len(items) // (2 * threads))) if small else 1
        for first in range(0, len(items), size):
            yield items[0][0], [action for _, action in items[first : first + size]]


def _is_small(source: Source, action: Action) -> bool:
    is_new = action.kind == "load" and source.options.deduplicate == "none"
    return is_new and source.format == "csv" and action.file.size <= SMALL
