"""A load from end to end: what to load, several files side by side, and what came of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection

from journey import settings
from journey.errors import JourneyError, UsageError
from journey.loader import ledger, postgres, reconcile
from journey.loader.declaration.sources import Source, load_sources, select
from journey.loader.errors import TableStoppedError
from journey.loader.ledger import TableStatus
from journey.loader.outcome import Summary, TableSummary
from journey.loader.plan import Action, Plan, batches, nothing_found, plan_all
from journey.loader.report import Report
from journey.loader.s3.asking import Retry
from journey.loader.statuses import RunStatus
from journey.project import project_root

if TYPE_CHECKING:
    from journey.loader.pool import Pool


NOTHING = "no feed is declared yet, so nothing was loaded: `journey scaffold` declares one (docs/add-a-feed.md)"


def load(
    selected: Sequence[str] = (),
    *,
    root: Path | None = None,
    sources: Sequence[Source] | None = None,
    threads: int = 4,
    dry_run: bool = False,
    reload: Sequence[str] = (),
    reload_all: bool = False,
    as_new: bool = False,
    only: Collection[str] | None = None,
    max_files: int | None = None,
    retry: Retry | None = None,
    report: Report | None = None,
) -> Summary:
    """Load what is in S3 and not yet in PostgreSQL.

    Args:
        selected: `source` or `source.table`; everything if empty.
        root: the dbt project; found from the current folder if None.
        sources: what to load, in place of what the project declares.
        threads: files loaded side by side.
        dry_run: only say what would be done.
        reload: keys, or s3:// addresses, to load again though they are loaded.
        reload_all: load every file again.
        as_new: files that seem to have been moved are loaded beside the old ones.
        only: keys of the files to do something with; everything if None.
        max_files: load at most so many files.
        retry: how patient to be with S3 and PostgreSQL.
        report: told of everything.

    Raises:
        UsageError: the declaration, the configuration or the surroundings are wrong; nothing was loaded.
        JourneyError: PostgreSQL went away for good; what was committed stays.
    """
    begun, report, retry = time.monotonic(), report or Report(), retry or Retry()
    chosen = select(load_sources(root or project_root()) if sources is None else sources, selected)
    summary = Summary({source.name: TableSummary(source.name) for source in chosen})

    def say(said: str) -> None:
        report.said("waiting", said)

    def connect() -> Connection[Any]:
        return postgres.connect("journey load", say=say)

    keeper = postgres.Keeper(connect, retry.attempts, retry.pause)
    with closing(keeper), report:
        keeper.do(ledger.set_up, "the ledger was set up")
        if not chosen:
            report.said("undeclared", NOTHING)
            return summary
        # Listing and streams have their own patience, and know what they have read: botocore tries once.
        patience: Any = {"connections": 3 * threads, "attempts": 1, "read_seconds": retry.stall_seconds,
                         "tells_silence": False}  # fmt: skip
        kinds = {source.options.anonymous for source in chosen}
        clients = {anonymous: settings.s3_client(anonymous=anonymous, **patience) for anonymous in kinds}
        keys = {source.name: {key.removeprefix(f"s3://{source.bucket}/") for key in reload} for source in chosen}
        plans = keeper.do(
            lambda connection: plan_all(
                clients, connection, chosen, keys, retry, say, reload_all=reload_all, as_new=as_new,
            ),
            "files were listed",
        )  # fmt: skip
        _check_reload(reload, keys, plans)
        if any(isinstance(plan, Plan) and plan.actions for plan in plans.values()) and not dry_run:
            threading.Thread(target=_import_pool).start()  # while PostgreSQL looks at the tables
        again = reload_all or bool(reload)
        ready = [source for source in chosen if _is_ready(keeper, source, plans[source.name], summary, report,
                                                         reloads=again, dry_run=dry_run)]  # fmt: skip
        todo = _todo(ready, plans, only)[:max_files]
        if dry_run:
            summary.actions = [(source.name, action) for source, action in todo]
            return summary
        report.planned(len(todo), sum(action.file.size for _, action in todo if action.kind in ("load", "replace")))
        if todo:
            pool = _import_pool()(connect, clients, batches(todo, threads), summary, retry, report)
            _work(keeper, pool, selected, threads, summary)
    summary.seconds = time.monotonic() - begun
    return summary


def status(
    selected: Sequence[str] = (), *, root: Path | None = None, sources: Sequence[Source] | None = None
) -> dict[str, TableStatus]:
    """How the raw tables stand, by source.

    Args:
        selected: `source` or `source.table`; everything if empty.
        root: the dbt project; found from the current folder if None.
        sources: in place of what the project declares.

    Raises:
        UsageError: the declaration or the surroundings are wrong.
    """
    chosen = select(load_sources(root or project_root()) if sources is None else sources, selected)
    with postgres.connect("journey status") as connection, postgres.told("the ledger was read"):
        ledger.set_up(connection)
        return {source.name: ledger.table_status(connection, source) for source in chosen}


def _check_reload(
    reload: Sequence[str], keys: Mapping[str, set[str]], plans: Mapping[str, Plan | JourneyError]
) -> None:
    """Refuse to reload what isn't there.

    Raises:
        UsageError: it isn't; or no source can be listed, which has one cause and one line.
    """
    listed = [plan for plan in plans.values() if isinstance(plan, Plan)]
    failures = [plan for plan in plans.values() if isinstance(plan, JourneyError)]
    if not listed and isinstance(failures[0], UsageError):
        raise failures[0]
    planned = {action.file.key for plan in listed for action in plan.actions}
    for key in reload:
        if not any(key.endswith(one) and one in planned for ones in keys.values() for one in ones):
            raise UsageError(f"--reload {key}: no selected source has such a file in S3")


def _is_ready(
    keeper: postgres.Keeper,
    source: Source,
    plan: Plan | JourneyError,
    summary: Summary,
    report: Report,
    *,
    reloads: bool,
    dry_run: bool,
) -> bool:
    """Whether a source can be loaded: it was listed, its table agrees with the ledger, and is there now.

    Staging views need every table, with or without files.

    Args:
        reloads: files are loaded again, so that rows which are missing are no reason to stop.

    Raises:
        UsageError: a declared type isn't one, or the table can't be made.
        JourneyError: PostgreSQL went away for good.
    """
    failure: str | None = None
    if isinstance(plan, JourneyError):
        failure = str(plan)
    else:
        summary.tables[source.name].skipped = plan.skipped
        for said in plan.failures:
            _fail(source, said, summary, report)
        empty = nothing_found(source, plan)
        if empty and source.options.required:
            _fail(source, f"{empty} (required: true)", summary, report)
        elif empty:
            report.said("empty", f"{source.name}: {empty}", source=source.name)
        try:
            keeper.do(lambda connection: reconcile.check(connection, source, reload_all=reloads), "it was compared")
        except TableStoppedError as error:
            failure = str(error)
    if failure is not None:
        _fail(source, failure, summary, report)
        return False
    if not dry_run:
        keeper.do(lambda connection: _prepare(connection, source, report, reloads), "raw tables were made")
    return True


def _fail(source: Source, said: str, summary: Summary, report: Report) -> None:
    line = said if said.startswith(f"{source.name}: ") else f"{source.name}: {said}"
    summary.failures.append(line)
    report.said("unloaded", line, source=source.name)


def _prepare(connection: Connection[Any], source: Source, report: Report, reloads: bool) -> None:
    """Make the table, and see whether it is what is declared.

    Raises:
        UsageError: a declared type isn't one, or the table can't be made.
    """
    try:
        before = ledger.table_columns(connection, source)
        changes = ledger.type_changes(connection, source, ledger.ensure_table(connection, source))
        if ledger.take_types(connection, source, changes):
            changes = []
    except psycopg.errors.LockNotAvailable:
        return  # each file tries again
    except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue, psycopg.errors.SyntaxError) as error:
        raise ledger.refused_type(connection, source, error) from error
    ledger.record_table(connection, source, changes)
    late = [] if reloads else ledger.record_declared_since(connection, source, before)
    for change in [*changes, *late]:
        said = f"{source.name}: column {change.column!r}: {change.detail}"
        report.said("drift", said, source=source.name, column=change.column)


def _import_pool() -> type[Pool]:
    """The threads' module, and Arrow with it, which takes 0.2 s and which nothing before needs."""
    from journey.loader.pool import Pool

    return Pool


def _todo(
    sources: Sequence[Source], plans: Mapping[str, Plan | JourneyError], only: Collection[str] | None
) -> list[tuple[Source, Action]]:
    planned = ((source, plans[source.name]) for source in sources)
    actions = ((source, action) for source, plan in planned if isinstance(plan, Plan) for action in plan.actions)
    return [(source, action) for source, action in actions if only is None or action.file.key in only]


def _work(keeper: postgres.Keeper, pool: Pool, selected: Sequence[str], threads: int, summary: Summary) -> None:
    """Let the pool work, as a run of the ledger."""
    what = " ".join(selected) or "everything"
    summary.run_id = keeper.do(
        lambda connection: ledger.begin_run(connection, what, socket.gethostname()), "the run was opened"
    )
    status = RunStatus.INTERRUPTED
    try:
        pool.run(keeper.connection, threads)
        status = RunStatus.FAILED if summary.failures else RunStatus.LOADED
    finally:
        run_id = summary.run_id
        with suppress(JourneyError):
            keeper.do(lambda connection: ledger.end_run(connection, run_id, status), "the run was closed")
