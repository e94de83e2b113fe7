"""Every file of `cases/` has its outcome: rows, refused rows, ledger and drift, whole, and nothing beside."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from psycopg import sql

from journey.loader.declaration.sources import parse_source
from loader.cases import CASES, Case
from loader.support import Landing, node

TECHNICAL = re.compile(r"\b\w+(Error|Exception)\b|Traceback|<class|\bpyarrow\b|\bNone\b")


def same(rows: Any) -> Any:
    """Rows to compare: a true isn't a 1, and a NaN equals itself."""
    if isinstance(rows, (list, tuple)):
        return [same(row) for row in rows]
    if isinstance(rows, dict):
        return {key: same(value) for key, value in rows.items()}
    return type(rows).__name__, "NaN" if isinstance(rows, float) and math.isnan(rows) else rows


def is_plain(text: str) -> bool:
    """Whether a message is one line of words for people, and harmless on a terminal."""
    return text.isprintable() and not TECHNICAL.search(text)


def read(landing: Landing, case: Case) -> list[tuple[Any, ...]]:
    """What the table holds."""
    if landing.query("select to_regclass('raw_shop.sales')") == [(None,)]:
        return []
    columns = sql.SQL(case.select) if case.select else sql.SQL(", ").join(map(sql.Identifier, case.columns))
    return landing.connection.execute(sql.SQL("select {} from raw_shop.sales").format(columns)).fetchall()


def check_refused_rows(landing: Landing, case: Case) -> None:
    """Each refused row is there with file, line, column and reason, and no other one."""
    found = landing.query(
        """select key, line_number, column_name, reason, raw_text
           from loader.rejected_rows join loader.files using (file_id)
           where status = 'loaded' order by key, line_number"""
    )
    first = next(iter(case.files))
    assert [(key, line, column) for key, line, column, *_ in found] == [
        (f"in/{bad.key or first}", bad.line, bad.column) for bad in case.bad
    ], [row[1:4] for row in found]
    for bad, (_, _, _, reason, raw) in zip(case.bad, found, strict=True):
        assert [word for word in bad.words if word not in reason] == [], reason
        assert is_plain(reason), reason
        assert raw is not None


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.cause}: {case.name}") for case in CASES])
def test_outcome(landing: Landing, case: Case) -> None:
    for key, body in case.files.items():
        landing.put(f"in/{key}", body)
    declared = node("shop.sales", f"s3://{landing.bucket}/in/{case.pattern}", case.format, case.columns)
    declared["external"]["options"] = dict(case.options)
    source = parse_source(declared)
    summary = landing.load(source, threads=1)

    errors = dict(landing.query("select key, error from loader.files where status = 'failed'"))
    assert set(errors) == {f"in/{key}" for key in case.failed}, errors
    for key, words in case.failed.items():
        error = errors[f"in/{key}"]
        assert [word for word in words if word not in error] == [], error
        assert is_plain(error), error
    assert summary.exit_status == (1 if case.failed else 0)
    assert len(summary.failures) == len(case.failed)

    check_refused_rows(landing, case)
    assert sorted(same(read(landing, case)), key=repr) == sorted(same(list(case.rows)), key=repr)
    loaded = {f"in/{key}" for key in case.files if key not in case.failed and key not in case.unseen}
    ledger = landing.query("select key, rejected_count from loader.files where status = 'loaded'")
    assert {key for key, _ in ledger} == loaded
    assert sum(count for _, count in ledger) == len(case.bad)
    if loaded:
        assert landing.agree()
    if case.drift is not None:
        drift = landing.query("select change, column_name from loader.schema_changes order by 1, 2")
        assert drift == sorted(case.drift)
    if not case.failed:
        assert landing.load(source, threads=1).run_id is None


def test_each_cause_has_its_cases() -> None:
    """And their names tell them apart."""
    assert len({(case.cause, case.name) for case in CASES}) == len(CASES)
    assert {case.cause for case in CASES} == set("ABCDEFHIJKL")
