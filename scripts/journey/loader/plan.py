"""What to do with each file: what S3 has against what the ledger knows, page by page, so in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import HTTPClientError
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader import ledger
from journey.loader.adopting import refuse_moved
from journey.loader.declaration.paths import refuse_persons
from journey.loader.declaration.sources import Source, key_pattern
from journey.loader.ledger import Known
from journey.loader.s3.asking import Retry, Say
from journey.loader.s3.listing import Listed, Page, list_objects

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


SMALL = 2**18  # bytes of a file that may share its COPY
COMPARED = 1000  # new files of a source that are compared with loaded ones that are gone
TOGETHER = 32  # files in one COPY: if one has a bad row, all are taken again one by one


LISTERS = 8  # feeds that are listed at the same time: a listing is mostly waiting
EXAMPLES = 3  # keys that a message names


class Action(NamedTuple):
    """One file and what to do with it.

    Attributes:
        kind: load, replace, remove or settle (a failure that is over); skip is only counted.
        file: the object; for remove and settle, as the ledger knew it.
        reason: why, for people.
        loaded_id: file_id of the version that was loaded when this was decided; for settle, of the one that failed.
    """

    kind: str
    file: Listed
    reason: str
    loaded_id: int | None = None


@dataclass
class Plan:
    """What to do for one source.

    Attributes:
        actions: file by file.
        skipped: files with which nothing is to be done.
        failures: what can't be done, and the remedy: a key that can't be loaded, rows that weren't taken out.
        listed: keys that lie under the location's prefix.
        matched: those of them that the location means.
        others: some keys that it doesn't mean.
        partial: only what came after a known key was listed.
    """

    actions: list[Action] = field(default_factory=list)
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    listed: int = 0
    matched: int = 0
    others: list[str] = field(default_factory=list)
    partial: bool = False


def plan_all(
    clients: Mapping[bool, S3Client],
    connection: Connection[Any],
    sources: Sequence[Source],
    reload: Mapping[str, Collection[str]],
    retry: Retry,
    say: Say,
    *,
    reload_all: bool = False,
    as_new: bool = False,
) -> dict[str, Plan | JourneyError]:
    """What to do for each source, in their order, several listed at the same time; why, if one can't be listed.

    Args:
        clients: of S3: that don't sign their requests (true), and that do.
        connection: to the ledger; it may be used by several threads.
        sources: what to list.
        reload: by source, keys to load again.
        retry: how patient to be with S3.
        say: hears of a long silence.
        reload_all: load every file again.
        as_new: files that seem to have been moved are other files.
    """

    silent: dict[str, JourneyError] = {}  # buckets: who waited for one long enough has waited for all of its feeds

    def plan(source: Source) -> Plan | JourneyError:
        if source.bucket in silent:
            return silent[source.bucket]
        try:
            client, keys = clients[source.options.anonymous], reload.get(source.name, ())
            return plan_source(client, connection, source, keys, retry, say, reload_all=reload_all, as_new=as_new)
        except JourneyError as error:
            if isinstance(error.__cause__, HTTPClientError):
                silent[source.bucket] = error
            return error

    with ThreadPoolExecutor(LISTERS, "list") as pool:
        return {source.name: found for source, found in zip(sources, pool.map(plan, sources), strict=True)}


def plan_source(
    client: S3Client,
    connection: Connection[Any],
    source: Source,
    reload: Collection[str],
    retry: Retry,
    say: Say = lambda _: None,
    *,
    reload_all: bool = False,
    as_new: bool = False,
) -> Plan:
    """What to do with each file of a source, with each loaded file that is gone, and with failures that are over.

    Args:
        client: of S3.
        connection: to the ledger; the source's table need not exist.
        source: what to list.
        reload: keys to load again, changed or not.
        retry: how patient to be with S3.
        say: hears of a long silence.
        reload_all: load every file again.
        as_new: files that seem to have been moved are other files.

    Raises:
        UsageError: S3 doesn't let us list, isn't there, or its listing can't be one.
        JourneyError: files seem to have been moved, or their keys name persons.
    """
    partly = source.options.listing == "since_last_key" and not reload and not reload_all
    start_after = ledger.overlap_key(connection, source) if partly else None
    remove = source.options.on_delete == "remove"
    is_file, seen, plan = key_pattern(source.pattern), set[str](), Plan(partial=start_after is not None)
    failures = ledger.failed(connection, source)
    failed_keys, still_there = {one.key for one in failures}, dict[str, str]()
    present, new = array("i"), list[Listed]()
    for page in list_objects(client, source, start_after, retry, say):
        files = [file for file in page.files if is_file.fullmatch(file.key) and not is_folder(file)]
        refused = [(key, reason) for key, reason in page.refused if is_file.fullmatch(key)]
        refuse_persons(source, (file.key for file in files))
        plan.listed += len(page.files) + len(page.refused)
        plan.matched += len(files) + len(refused)
        plan.failures += [f"{key}: {reason}" for key, reason in refused]
        if not plan.matched and len(plan.others) < EXAMPLES:
            plan.others += [file.key for file in page.files[: EXAMPLES - len(plan.others)]]
        known = ledger.known(connection, source, [file.key for file in files])
        present.extend(one.loaded_id for one in known.values() if one.loaded_id is not None)
        new += [file for file in files if file.key not in known][: COMPARED - len(new)]
        decided = [decide(file, known.get(file.key, Known()), reload_all or file.key in reload) for file in files]
        plan.actions += [action for action in decided if action.kind != "skip"]
        plan.skipped += sum(action.kind == "skip" for action in decided)
        still_there.update({file.key: file.etag for file in files if file.key in failed_keys})
        still_there.update({key: "" for key, _ in refused if key in failed_keys})
        if remove:
            seen.update(file.key for file in files)
            seen.update(key for key, _ in refused)
    if new and not as_new:
        refuse_moved(connection, source, new, present, start_after)
    if remove:
        _plan_removals(plan, connection, source, seen, lambda: list_objects(client, source, None, retry, say))
    reasons = ledger.over(failures, source, still_there, start_after)  # of a complete listing: here it is at its end
    for over in failures:
        if over.file_id in reasons:
            file = Listed(over.key, over.etag, over.size)
            plan.actions.append(Action("settle", file, reasons[over.file_id], over.file_id))
    return plan


def _plan_removals(
    plan: Plan, connection: Connection[Any], source: Source, seen: Set[str], list_again: Callable[[], Iterator[Page]]
) -> None:
    """Plan to take out the rows of files that are gone."""
    is_file = key_pattern(source.pattern)
    loaded = [file for file in ledger.loaded_files(connection, source) if is_file.fullmatch(file.key)]
    again = seen
    if any(file.key not in seen for file in loaded):
        again = {file.key for page in list_again() for file in page.files}
    gone, refusal = removals(loaded, seen, again, source.options.max_remove_rate)
    plan.actions += [Action("remove", file, "it is no longer in S3, and on_delete is remove") for file in gone]
    plan.failures += [refusal] if refusal else []


def removals(
    loaded: Sequence[Listed], seen: Set[str], again: Set[str], max_rate: float
) -> tuple[list[Listed], str | None]:
    """The loaded files whose rows are to be taken out, because S3 said twice that they are gone.

    Args:
        loaded: what is loaded and would be listed if it were there.
        seen: keys that S3 listed.
        again: keys that it listed when it was asked once more.
        max_rate: largest share of the loaded files that may go; one may always.

    Returns:
        The files; and if they are more than may go, or S3 contradicts itself, none, and why.
    """
    gone = [file for file in loaded if file.key not in seen]
    back = sum(file.key in again for file in gone)
    if back:
        return [], (
            f"S3's listing left out {back:,} files that it had when it was asked again: no rows are taken out, "
            "the next load asks anew"
        )
    allowed = max(1, int(max_rate * len(loaded))) if seen and max_rate else int(max_rate) * len(loaded)
    if len(gone) > allowed:
        return [], (
            f"{len(gone):,} of {len(loaded):,} loaded files are no longer in S3, more than max_remove_rate "
            f"({max_rate:g}) lets one load take out: none is; if it is right that they are gone, raise max_remove_rate "
            "for one load, else put external.location or the files right"
        )
    return gone, None


def nothing_found(source: Source, plan: Plan) -> str | None:
    """That a location means no file, and what lies there instead; None if it means some.

    Args:
        source: whose location.
        plan: what was listed.
    """
    if plan.matched or plan.partial:
        return None
    where, prefix = f"s3://{source.bucket}/{source.pattern}", f"s3://{source.bucket}/{source.prefix}"
    if not plan.listed:
        return f"{where}: nothing lies under {prefix}"
    there = "1 key lies" if plan.listed == 1 else f"{plan.listed:,} keys lie"
    more = ", …" if plan.listed > len(plan.others) else ""
    found = f"{there} under {prefix} ({', '.join(plan.others)}{more})"
    if source.pattern.endswith("/") or not source.pattern:
        return f"{where}: {found}, but path parts that begin with `_` or `.`, and folder markers, are no data"
    if source.prefix == source.pattern:
        return f"{where}: {found}, but no object of just this name: end the location in `/` to mean what is below"
    return f"{where}: {found}, and none matches the pattern"


def is_folder(file: Listed) -> bool:
    """Whether it only marks a folder, as Hadoop makes them; those that end in `/` are no files by their name."""
    return file.key.endswith("_$folder$") and not file.size


def decide(file: Listed, known: Known, reload: bool) -> Action:
    """What to do with a file.

    Args:
        file: as S3 lists it.
        known: what the ledger says of its key.
        reload: load it again, changed or not.
    """
    if known.loaded_id is not None:
        if reload:
            return Action("replace", file, "reload was asked for", known.loaded_id)
        if known.loaded_etag == file.etag:
            return Action("skip", file, "already loaded", known.loaded_id)
        if file.etag in known.settled_etags:
            return Action("skip", file, "somebody has settled it", known.loaded_id)
        return Action("replace", file, "it has changed since it was loaded", known.loaded_id)
    if known.duplicate_etag == file.etag and not reload:
        return Action("skip", file, "same content as another file")
    if file.etag in known.settled_etags and not reload:
        return Action("skip", file, "somebody has settled it")
    return Action("load", file, "it failed before" if known.failed_etag == file.etag else "new")


def batches(plan: Sequence[tuple[Source, Action]], threads: int) -> Iterator[tuple[Source, list[Action]]]:
    """What a thread takes at a time: one file, or some small new files of a source.

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
    return is_new and action.file.size <= SMALL
