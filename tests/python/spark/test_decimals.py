"""Spark keeps every place of a product after the point, and what 38 digits leave before it may be too few."""

from __future__ import annotations

import re

import pytest

from journey.spark.session import Session
from spark.copies import Copy

DIGITS, NEEDED = 38, 8  # of a decimal in all; before the point
PLACES = re.compile(rf"\b{DIGITS}, (\d+)\b")  # in the Java that Spark makes of a query: precision and scale


def too_narrow(session: Session, sql: str) -> list[int]:
    """The places after the point of a query's decimals that have too few digits before it.

    Args:
        session: to Spark, which doesn't plan adaptively.
        sql: the query.
    """
    java = "\n".join(str(line) for (line,) in session.rows(f"explain codegen {sql}"))
    assert "WholeStageCodegen subtrees" in java, java[:500]
    return sorted({places for places in map(int, PLACES.findall(java)) if DIGITS - places < NEEDED})


@pytest.mark.long
def test_no_product_leaves_too_little_room_before_the_point(built: tuple[Copy, Copy], session: Session) -> None:
    session.rows("set spark.sql.adaptive.enabled = false")
    found = {}
    for folder in ("warehouse", "marts"):
        for path in sorted((built[0].folder / "compiled" / "data_journey" / "models" / folder).rglob("*.sql")):
            if places := too_narrow(session, path.read_text()):
                found[path.stem] = places
    product = "cast(sum(id) as decimal(24, 12)) * cast(max(id) as decimal(24, 12)) * cast(min(id) as decimal(24, 12))"
    assert too_narrow(session, f"select {product} from range(9)") == [36]
    assert found == {}
