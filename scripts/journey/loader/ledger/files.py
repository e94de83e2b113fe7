"""The ledger of files: which version of which object gave which rows. One row of loader.files is one version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from journey.loader.declaration.sources import Source
from journey.loader.s3.listing import Listed
from journey.loader.tables import identifier

_dumps = partial(json.dumps, default=str)  # times as text
CONTENT_SECONDS = "10min"  # as long may another run take to load the same bytes under another key


class Known(NamedTuple):
    """What the ledger says of a key.

    Attributes:
        loaded_id: file_id of the version whose rows are in the table; None if none are.
        loaded_etag: its ETag.
        duplicate_etag: version that was passed over for its content, as long as what it repeats is still loaded.
        failed_etag: version that failed and wasn't loaded since.
        settled_etags: versions that a person has settled: they aren't tried again.
    """

    loaded_id: int | None = None
    loaded_etag: str | None = None
    duplicate_etag: str | None = None
    failed_etag: str | None = None
    settled_etags: Sequence[str] = ()


def known(connection: Connection[Any], source: Source, keys: Sequence[str]) -> dict[str, Known]:
    """What the ledger says of these keys; nothing of a key means that it's new."""
    rows = connection.execute(
        """select key, max(file_id) filter (where status = 'loaded'), max(etag) filter (where status = 'loaded'),
               max(etag) filter (where status = 'duplicate' and exists (
                   select from loader.files as original
                   where original.file_id = files.duplicate_of and original.status = 'loaded')),
               max(etag) filter (where status = 'failed'),
               coalesce(array_agg(etag) filter (where status = 'settled' and settled_by <> 'journey load'), '{}')
           from loader.files
           where table_name = %(table)s and schema_name = %(schema)s and bucket = %(bucket)s and key = any(%(keys)s)
             and status in ('loaded', 'failed', 'duplicate', 'settled')
           group by key""",
        {**source.ids, "keys": list(keys)},
    )
    return {key: Known(*rest) for key, *rest in rows}


def loaded_files(connection: Connection[Any], source: Source) -> Iterable[Listed]:
    """Every file whose rows are in the source's table."""
    rows = connection.execute(
        """select key, etag, size_bytes from loader.files where table_name = %(table)s and schema_name = %(schema)s
             and bucket = %(bucket)s and status = 'loaded'""",
        source.ids,
    )
    return [Listed(*row) for row in rows]


def overlap_key(connection: Connection[Any], source: Source) -> str | None:
    """The key after which listing starts: the last loaded but `list_overlap`, but no failed file is left behind."""
    row = connection.execute(
        """select key from loader.files where table_name = %(table)s and schema_name = %(schema)s
             and bucket = %(bucket)s and status = 'loaded' and starts_with(key, %(prefix)s)
           order by key desc offset %(overlap)s limit 1""",
        {**source.ids, "prefix": source.prefix, "overlap": source.options.list_overlap},
    ).fetchone()
    failed = connection.execute(
        """select min(key) from loader.files where table_name = %(table)s and schema_name = %(schema)s
             and bucket = %(bucket)s and status = 'failed' and starts_with(key, %(prefix)s)""",
        {**source.ids, "prefix": source.prefix},
    ).fetchone()
    # Without its last character a key comes before itself, and after whatever comes before it and isn't its beginning.
    before_failed = failed[0][:-1] if failed and failed[0] else None
    return min(row[0], before_failed or row[0]) if row else None


def loaded_by(connection: Connection[Any], file_id: int | None, run_id: int) -> tuple[int, int] | None:
    """Rows and rejects of a file, if this run has loaded it."""
    statement = "select row_count, rejected_count from loader.files where file_id = %s and run_id = %s"
    return connection.execute(statement, [file_id, run_id]).fetchone()


class Taken(NamedTuple):
    """A file that a transaction wants to load.

    Attributes:
        is_ours: whether we have its lock until the transaction ends, or else another run.
        file_id: a new one, which COPY gives to every row from here to the end of the transaction.
        loaded_id: file_id of the version that is loaded, if any is.
        loaded_etag: its ETag.
        forgotten: how many persons were forgotten; nobody is until the transaction ends.
    """

    is_ours: bool
    file_id: int
    loaded_id: int | None
    loaded_etag: str | None
    forgotten: int = 0


def take(connection: Connection[Any], source: Source, keys: Sequence[str]) -> dict[str, Taken]:
    """Lock files, and then look what is loaded of them."""
    rows = connection.execute(
        """select key, taken.* from unnest(%(keys)s::text[]) as key,
               loader.begin_file(%(schema)s, %(table)s, %(bucket)s, key) as taken""",
        {**source.ids, "keys": list(keys)},
    )
    return {key: Taken(*rest) for key, *rest in rows}


def same_content(connection: Connection[Any], source: Source, content_hash: str | None, key: str) -> int | None:
    """The loaded file of the table that has the same content under another key, if any.

    Waits for the content's lock, which goes with the transaction: the same bytes under two keys are looked at one after
    the other.
    """
    if content_hash is None:
        return None
    names = {**source.ids, "key": key, "hash": content_hash}
    connection.execute("select set_config('lock_timeout', %s, true)", [CONTENT_SECONDS])
    connection.execute(
        """select pg_advisory_xact_lock(hashtextextended(
               concat_ws(' ', %(schema)s::text, %(table)s::text, %(hash)s::text), 7310004)),
               set_config('lock_timeout', '60s', true)""",
        names,
    )
    row = connection.execute(
        """select file_id from loader.files where content_hash = %(hash)s and schema_name = %(schema)s
             and table_name = %(table)s and key <> %(key)s and status = 'loaded' limit 1""",
        names,
    ).fetchone()
    return int(row[0]) if row else None


def remove_rows(connection: Connection[Any], source: Source, file_id: int, status: str) -> None:
    """Take a file's rows out of its table; its ledger row stays, as `replaced`, `removed` or `lost`."""
    connection.execute(sql.SQL("delete from {} where _file_id = %s").format(identifier(source)), [file_id])
    connection.execute("update loader.files set status = %s where file_id = %s", [status, file_id])


def write(connection: Connection[Any], source: Source, files: Sequence[tuple[Listed, Mapping[str, Any]]]) -> list[int]:
    """Write files' ledger rows; earlier failures of the same keys are settled by it.

    A loaded file's `delivered_count` is what its reader counted; PostgreSQL refuses it if it isn't row_count (what COPY
    counted), rejected_count and withheld_count together. Where it isn't given it is that sum. A failed file's is given
    if it is known.

    Args:
        files: each with the other columns of loader.files; without a file_id it gets one.

    Returns:
        Their file_ids.
    """
    rows = [
        {"key": file.key, "etag": file.etag, "size_bytes": file.size, "row_count": 0, "rejected_count": 0, **columns}
        for file, columns in files
    ]
    written = connection.execute(
        """with written as (
               select * from jsonb_populate_recordset(null::loader.files, %(rows)s)),
           settled as (
               update loader.files set status = 'retried'
               where table_name = %(table)s and schema_name = %(schema)s and bucket = %(bucket)s
                 and key = any(%(keys)s) and status in ('failed', 'duplicate'))
           insert into loader.files
               (file_id, schema_name, table_name, bucket, key, etag, version_id, content_hash, duplicate_of, size_bytes,
                row_count, rejected_count, withheld_count, delivered_count, replaces, field_names, run_id, started_at,
                status, error)
           select coalesce(file_id, nextval('loader.files_file_id_seq')), %(schema)s, %(table)s, %(bucket)s, key, etag,
               version_id, content_hash, duplicate_of, size_bytes, row_count, rejected_count,
               coalesce(withheld_count, 0),
               coalesce(delivered_count, case when status = 'loaded' then row_count + rejected_count end),
               case when status = 'loaded' then (
                   select max(file_id) from loader.files as earlier
                   where earlier.table_name = %(table)s and earlier.schema_name = %(schema)s
                     and earlier.bucket = %(bucket)s and earlier.key = written.key
                     and earlier.status in ('replaced', 'removed', 'lost')) end,
               field_names, run_id, started_at, status, error
           from written
           returning file_id""",
        {**source.ids, "keys": [file.key for file, _ in files], "rows": Jsonb(rows, dumps=_dumps)},
    )
    return [file_id for (file_id,) in written]


def renew(
    connection: Connection[Any],
    file_ids: Sequence[int],
    run_id: int,
    lost: Mapping[int, int],
    become: Literal["rejected", "waived", "withheld"] = "rejected",
) -> dict[int, int]:
    """Give loaded files new versions, because what is in their tables changes in the same transaction.

    They keep their order, and the time at which they came, by which freshness is measured.

    Args:
        file_ids: of the loaded versions; they become `replaced`, and their refused rows go over to the new ones.
        run_id: of the run that does it.
        lost: rows that a file has no more, by its file_id.
        become: as what they count.

    Returns:
        The new file_id of each; the caller gives it to the rows.
    """
    connection.execute("update loader.files set status = 'replaced' where file_id = any(%s)", [list(file_ids)])
    rows = connection.execute(
        """insert into loader.files
               (schema_name, table_name, bucket, key, etag, version_id, content_hash, size_bytes, row_count,
                rejected_count, waived_count, withheld_count, delivered_count, replaces, moved_from, field_names,
                run_id, started_at, finished_at, status, settled_at, settled_by, settled_because)
           select schema_name, table_name, bucket, key, etag, version_id, content_hash, size_bytes, row_count - lost,
               rejected_count + case when %(become)s = 'rejected' then lost else 0 end,
               waived_count + case when %(become)s = 'waived' then lost else 0 end,
               withheld_count + case when %(become)s = 'withheld' then lost else 0 end,
               delivered_count, file_id, moved_from, field_names, %(run)s, started_at, finished_at, 'loaded',
               settled_at, settled_by, settled_because
           from loader.files,
               lateral (select coalesce((%(lost)s::jsonb ->> file_id::text)::bigint, 0) as lost) as counted
           where file_id = any(%(ids)s)
           order by file_id
           returning replaces, file_id""",
        {"ids": list(file_ids), "run": run_id, "lost": Jsonb({str(k): v for k, v in lost.items()}), "become": become},
    ).fetchall()
    connection.cursor().executemany(
        "update loader.rejected_rows set file_id = %s where file_id = %s", [(new, old) for old, new in rows]
    )
    return dict(rows)
