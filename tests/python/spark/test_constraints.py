"""What Spark doesn't enforce is checked as a model is written: one whose rows break a constraint fails."""

from __future__ import annotations

import pytest
from dbt_common.contracts.constraints import ConstraintType, ModelLevelConstraint

from journey.spark.session import Session
from spark.copies import Copy
from spark.slices import Slice

READ, STARTED, MART = "int_store_months_summed", "int_stores_started", "store_performance"


@pytest.mark.long
def test_rows_that_break_a_constraint_fail_the_model(
    delivered: Slice, pair: tuple[Copy, Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = pair[0]
    copy.build(select=f"+{MART}")
    tables = {name: copy.tables()[name].in_copy(copy.schema) for name in (READ, STARTED)}
    with Session() as session:
        try:
            session.rows(f"insert into {tables[READ]} (month_start_date, store_key) values (date '2017-03-01', null)")
            ran = copy.run("run", "--full-refresh", "--select", STARTED)
            assert f"{STARTED} breaks its contract: store_key is null (rows: 1)" in " ".join(ran.errors)
            session.rows(f"insert into {tables[STARTED]} select * from {tables[STARTED]} where store_key is not null")
            ran = copy.run("run", "--full-refresh", "--select", MART)
            said = f"{MART} breaks its contract: month_start_date, store_id isn't unique (rows: "
            assert said in " ".join(ran.errors)
            node = copy.dbt.manifest.nodes[f"model.data_journey.{READ}"]
            check = ModelLevelConstraint(type=ConstraintType.check, expression="month_start_date is null")
            monkeypatch.setattr(node, "constraints", [*node.constraints, check])
            ran = copy.run("run", "--full-refresh", "--select", READ)
            assert f"{READ} breaks its contract: month_start_date is null isn't so (rows: " in " ".join(ran.errors)
        finally:
            monkeypatch.undo()
            copy.build("--full-refresh", select=f"{READ} {STARTED} {MART}")
