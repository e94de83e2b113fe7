"""What is remembered of builds outlives a build."""

from __future__ import annotations

from journey.spark.session import Session
from spark.copies import Copy

BUILD = ("build", "--resource-type=seed", "--select", "rfm_segments")


def test_the_next_build_finds_the_state(copies: tuple[Copy, Copy]) -> None:
    copy = copies[0]
    state = f"{copy.schema}_build_state"
    with Session() as session:
        copy.drop(session)
    assert not copy.run(*BUILD).errors
    with Session() as session:
        session.rows(f"alter schema {state} set dbproperties ('marked' = 'yes')")
    assert not copy.run(*BUILD).errors
    with Session() as session:
        said = dict(row[:2] for row in session.rows(f"describe schema extended {state}"))
        copy.drop(session)
    assert "marked" in said["Properties"]  # else it was made anew
