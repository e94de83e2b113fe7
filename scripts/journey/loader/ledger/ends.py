"""How failures end: the next load settles what is over, a person settles the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from journey.loader.declaration.sources import Source, key_pattern

LOAD = "journey load"  # who settled what nobody had to; such a version is tried again if it comes back


class Failed(NamedTuple):
    """A file that failed and wasn't loaded since.

    Attributes:
        file_id: of the failed version.
        bucket: of the object.
        key: of the object.
        etag: of the failed version.
        size: of the object, bytes.
        loaded_etag: of the version that is loaded, if one is.
    """

    file_id: int
    bucket: str
    key: str
    etag: str
    size: int
    loaded_etag: str | None = None


def failed(connection: Connection[Any], source: Source) -> list[Failed]:
    """The failed files of a raw table, wherever they were found."""
    rows = connection.execute(
        """select files.file_id, files.bucket, files.key, files.etag, files.size_bytes, loaded.etag
           from loader.files left join loader.files as loaded
               on loaded.table_name = files.table_name and loaded.schema_name = files.schema_name
               and loaded.bucket = files.bucket and loaded.key = files.key and loaded.status = 'loaded'
           where files.table_name = %(table)s and files.schema_name = %(schema)s and files.status = 'failed'
           order by files.key""",
        source.ids,
    )
    return [Failed(*row) for row in rows]


def over(
    failures: Collection[Failed], source: Source, listed: Mapping[str, str], after: str | None = None
) -> dict[int, str]:
    """Which failures are over, and why.

    Args:
        failures: of the source's table.
        source: as it is declared now.
        listed: ETags by key, of a complete listing; those of failed files are enough.
        after: the key after which the listing began, if not at the beginning: of what is before it nothing is known.

    Returns:
        Reasons by file_id.
    """
    is_file, reasons = key_pattern(source.pattern), dict[int, str]()
    for one in failures:
        if one.bucket != source.bucket or not is_file.fullmatch(one.key):
            reasons[one.file_id] = "the declared location no longer means it"
        elif after is not None and one.key <= after:
            continue
        elif one.key not in listed:
            reasons[one.file_id] = "it is no longer in S3"
        elif listed[one.key] == one.loaded_etag:
            reasons[one.file_id] = "S3 has the version again that is loaded"
    return reasons


def settle(connection: Connection[Any], reasons: Mapping[int, str], by: str = LOAD) -> int:
    """End failures that nobody has loaded meanwhile; whatever rows they had are waived.

    Args:
        reasons: by file_id.
        by: who did it.

    Returns:
        How many were settled.
    """
    if not reasons:
        return 0
    done = connection.execute(
        """update loader.files set status = 'settled', settled_at = clock_timestamp(), settled_by = %(by)s,
               settled_because = %(reasons)s::jsonb ->> file_id::text,
               waived_count = coalesce(delivered_count, rejected_count), rejected_count = 0
           where file_id = any(%(ids)s) and status = 'failed'""",
        {"by": by, "ids": list(reasons), "reasons": Jsonb({str(key): value for key, value in reasons.items()})},
    )
    return done.rowcount


def settle_gone(
    connection: Connection[Any], source: Source, listed: Mapping[str, str], after: str | None = None
) -> dict[str, str]:
    """Settle what a complete listing shows to be over.

    Args:
        source: as it is declared now.
        listed: ETags by key; those of failed files are enough.
        after: the key after which the listing began, if not at the beginning.

    Returns:
        Reasons by key.
    """
    failures = failed(connection, source)
    reasons = over(failures, source, listed, after)
    settle(connection, reasons)
    return {one.key: reasons[one.file_id] for one in failures if one.file_id in reasons}
