"""The ledger: which file gave which rows, what was refused, how files drifted, and how each of these ends.

`migrations/` makes its tables, `upgrade` applies them, and beside them is all SQL about them. dbt documents the tables,
in models/staging/loader/_loader__sources.yml.
"""

from __future__ import annotations

from journey.loader.ledger.drift import close_changes, record_changes, record_declared_since, record_table
from journey.loader.ledger.ends import LOAD, Failed, failed, over, settle, settle_gone
from journey.loader.ledger.files import (
    Known,
    Taken,
    known,
    loaded_by,
    loaded_files,
    overlap_key,
    remove_rows,
    renew,
    same_content,
    take,
    write,
)
from journey.loader.ledger.rejects import kept, redeem, waive, with_rejects, write_rejected
from journey.loader.ledger.runs import begin_run, end_run
from journey.loader.ledger.state import Drift, TableStatus, table_status
from journey.loader.ledger.upgrade import migrations, set_up, version
from journey.loader.postgres import backend, end_backend, is_usable
from journey.loader.tables import (
    add_columns,
    ensure_table,
    finish_table,
    refused_type,
    table_columns,
    take_types,
    type_changes,
)

__all__ = [
    "LOAD",
    "Drift",
    "Failed",
    "Known",
    "TableStatus",
    "Taken",
    "add_columns",
    "backend",
    "begin_run",
    "close_changes",
    "end_backend",
    "end_run",
    "ensure_table",
    "failed",
    "finish_table",
    "is_usable",
    "kept",
    "known",
    "loaded_by",
    "loaded_files",
    "migrations",
    "over",
    "overlap_key",
    "record_changes",
    "record_declared_since",
    "record_table",
    "redeem",
    "refused_type",
    "remove_rows",
    "renew",
    "same_content",
    "set_up",
    "settle",
    "settle_gone",
    "table_columns",
    "table_status",
    "take",
    "take_types",
    "type_changes",
    "version",
    "waive",
    "with_rejects",
    "write",
    "write_rejected",
]
