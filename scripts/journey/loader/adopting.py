"""Files that were moved: recognised by their content, and taken over into the ledger by `journey adopt`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger, postgres
from journey.loader.declaration.sources import Source, key_pattern
from journey.loader.errors import TableStoppedError
from journey.loader.s3.asking import Retry
from journey.loader.s3.listing import Listed, list_objects

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHARE = 0.5  # of the new files must be old ones, to call it a move
LEAST = 2  # files that must have moved within the declared location; elsewhere one is enough
SHOWN = 20


class Place(NamedTuple):
    """Where a loaded file was when it was loaded."""

    file_id: int
    bucket: str
    key: str
    etag: str
    size: int


Moves = Sequence[tuple[Place, Listed]]


def gone(connection: Connection[Any], source: Source, new: Sequence[Listed], present: Collection[int]) -> list[Place]:
    """Loaded files of the table that are as large as some new file, and that a complete listing didn't show.

    Args:
        new: files that the ledger doesn't know.
        present: file_ids of the loaded files that were listed.
    """
    rows = connection.execute(
        """select file_id, bucket, key, etag, size_bytes from loader.files
           where schema_name = %(schema)s and table_name = %(table)s and status = 'loaded'
             and size_bytes = any(%(sizes)s) and size_bytes > 0 order by file_id""",
        {**source.ids, "sizes": list({file.size for file in new})},
    )
    seen = set(present)
    return [Place(*row) for row in rows if row[0] not in seen]


def pairs(new: Sequence[Listed], places: Sequence[Place]) -> Moves:
    """Which new file is which old one: same size and ETag; of large files, whose ETag tells the parts, the same name.

    Each file goes into one pair; among files of the same content those of the same name.
    """
    left, found = dict.fromkeys(new), dict[Place, Listed]()
    for marks in (_exactly, _by_name, _by_content):
        waiting: dict[object, list[Listed]] = {}
        for file in left:
            waiting.setdefault(marks(file), []).append(file)
        for place in places:
            if place not in found and (mark := marks(place)) and (same := waiting.get(mark)):
                found[place] = same.pop(0)
                del left[found[place]]
    return list(found.items())


def _exactly(file: Place | Listed) -> object:
    return file.size, file.etag, _name(file.key)


def _by_content(file: Place | Listed) -> object:
    return file.size, file.etag


def _by_name(file: Place | Listed) -> object:
    return (file.size, _name(file.key)) if "-" in file.etag else None


def _name(key: str) -> str:
    return key.rsplit("/", 1)[-1]


def looks_moved(source: Source, new: Sequence[Listed], moves: Moves, loaded: int) -> bool:
    """Whether files were moved, and not delivered once more with the same content.

    Args:
        new: files that the ledger doesn't know.
        moves: which of them are which loaded files that are gone.
        loaded: how many files of the table are loaded.
    """
    is_file = key_pattern(source.pattern)
    elsewhere = [old for old, _ in moves if old.bucket != source.bucket or not is_file.fullmatch(old.key)]
    if elsewhere and len(elsewhere) >= SHARE * len(new):
        return True
    same_name = [old for old, file in moves if _name(old.key) == _name(file.key)]
    is_most = len(same_name) >= SHARE * max(len(new), loaded)
    return source.options.on_delete == "keep" and len(same_name) >= LEAST and is_most


def refuse_moved(
    connection: Connection[Any], source: Source, new: Sequence[Listed], present: Collection[int], after: str | None
) -> None:
    """Stop a table whose files seem to have been moved: loading them would double their rows.

    Args:
        new: files that the ledger doesn't know; some of them are enough.
        present: file_ids of the loaded files that were listed.
        after: the key after which the listing began, if not at the beginning.

    Raises:
        TableStoppedError: they do.
    """
    is_file = key_pattern(source.pattern)

    def was_asked_for(place: Place) -> bool:
        is_ours = place.bucket == source.bucket and bool(is_file.fullmatch(place.key))
        return not is_ours or after is None or place.key > after

    moves = pairs(new, [place for place in gone(connection, source, new, present) if was_asked_for(place)])
    if not moves:
        return
    [(loaded,)] = connection.execute(
        """select count(*) from loader.files where schema_name = %(schema)s and table_name = %(table)s
             and status = 'loaded'""",
        source.ids,
    ).fetchall()
    if looks_moved(source, new, moves, loaded):
        old, file = moves[0]
        raise TableStoppedError(
            f"{source.name}: {len(moves):,} of {len(new):,} new files have the content of loaded files that are no "
            f"longer where they were (s3://{old.bucket}/{old.key} is now s3://{source.bucket}/{file.key}). Nothing is "
            f"loaded, because it may be loaded already: `journey adopt {source.name}` takes over files that were "
            f"moved, `journey load --select {source.name} --as-new` loads them beside the old ones"
        )


def adopt(client: S3Client, source: Source, *, yes: bool = False) -> list[str]:
    """Let the ledger know where moved files are now. Their rows, and their file_ids, stay as they are.

    Args:
        client: of S3.
        source: whose files.
        yes: do it; else only say it.

    Returns:
        Lines for people.

    Raises:
        JourneyError: a load has just loaded one of them, or PostgreSQL or S3 fails.
    """
    listed = [file for page in list_objects(client, source, None, Retry()) for file in page.files]
    is_file = key_pattern(source.pattern)
    listed = [file for file in listed if is_file.fullmatch(file.key)]
    with postgres.connect("journey adopt") as connection, postgres.told("moved files were taken over"):
        ledger.set_up(connection)
        known = ledger.known(connection, source, [file.key for file in listed])
        present = [one.loaded_id for one in known.values() if one.loaded_id is not None]
        new = [file for file in listed if file.key not in known or known[file.key].loaded_id is None]
        moves = pairs(new, gone(connection, source, new, present))
        if yes and moves:
            _adopt(connection, source, moves)
    said = [f"{source.name}: s3://{old.bucket}/{old.key} is now s3://{source.bucket}/{file.key}" for old, file in moves]
    said = said[:SHOWN] + ([f"{source.name}: and {len(said) - SHOWN:,} more"] if len(said) > SHOWN else [])
    done = "the ledger knows it now" if yes else "nothing is done yet: add --yes"
    return [*said, done] if moves else [f"{source.name}: no new file has the content of a loaded one that is gone"]


def _adopt(connection: Connection[Any], source: Source, moves: Moves) -> None:
    try:
        with connection.transaction():
            connection.cursor().executemany(
                """update loader.files
                   set moved_from = 's3://' || bucket || '/' || key, bucket = %s, key = %s, etag = %s
                   where file_id = %s and status = 'loaded'""",
                [(source.bucket, file.key, file.etag, old.file_id) for old, file in moves],
            )
    except psycopg.errors.UniqueViolation as error:
        raise JourneyError(f"{source.name}: a load has just brought one of these files: run again") from error
