"""A worker, the Thrift server or dbt is killed while it builds, or has left a table half written: the next is right.

Right is what a full refresh gives beside it. Only processes are killed that these tests started.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from conftest import ROOT
from journey.project import local_dir
from journey.spark import cluster
from journey.spark.session import Session
from spark.copies import FACT, PART, READERS, Copy, differences
from spark.deliveries import Delivery, body_of, feed, rows_of
from spark.slices import Slice

PATIENCE = 600  # seconds until a build has begun to write the fact


def restate(slice_: Slice, seed: str) -> None:
    """Some days come with other rows."""
    draw = random.Random(seed)  # noqa: S311
    days = draw.sample([key for key in sorted(slice_.present) if feed(key) == "transactions"], 3)
    for key in days:
        kept = [row for row in rows_of(key, slice_.present[key]) if draw.random() > 0.3]
        slice_.deliver([Delivery("restated", key, body_of(key, kept, slice_.present[key]))])
    slice_.load()


def assert_next_build_is_right(pair: tuple[Copy, Copy]) -> None:
    """Build on what is there, and compare it with a full refresh."""
    killed, whole = pair
    assert killed.build(select=PART).unchanged  # else it was a full refresh itself
    whole.build("--full-refresh", select=PART)
    with Session() as session:
        facts = {row[1] for row in session.rows(f"show tables in {whole.schema}_warehouse")}
        assert facts >= {FACT, "fct_promotions", "dim_product"}
        assert differences(session, killed, whole, [*facts, *READERS]) == {}


def place(copy: Copy, layer: str, table: str) -> Path:
    """The folder of a table."""
    return local_dir() / "spark" / "warehouse" / f"{copy.schema}_{layer}.db" / table


def is_begun(copy: Copy) -> bool:
    """Whether the fact's state was taken away."""
    return not (place(copy, "build_state", "models__kept") / f"model_name={FACT}").exists()


def is_writing(copy: Copy) -> bool:
    """Whether rows of the fact are on their way into their partitions."""
    return any(place(copy, "warehouse", FACT).glob(".spark-staging-*"))


def start_build(copy: Copy, folder: Path) -> subprocess.Popen[bytes]:
    """Start dbt as a process of its own."""
    command = [str(Path(sys.executable).parent / "dbt"), "run", "--target", "spark", "--project-dir", str(ROOT)]
    where = ["--profiles-dir", str(ROOT), "--target-path", str(folder), "--log-path", str(folder)]
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [*command, *where, "--select", *PART.split()],
            cwd=ROOT,
            env={**os.environ, "DBT_SCHEMA": copy.schema},
            stdout=said,
            stderr=said,
        )


def wait_until(is_so: Callable[[Copy], bool], copy: Copy, build: subprocess.Popen[bytes]) -> None:
    """Wait for a moment of a build."""
    deadline = time.monotonic() + PATIENCE
    while not is_so(copy):
        assert build.poll() is None, "the build ended before that moment"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def kill(process: psutil.Process) -> None:
    """End a process and what it started, at once."""
    everyone = [process, *process.children(recursive=True)]
    for one in everyone:
        one.kill()
    psutil.wait_procs(everyone, timeout=60)


@pytest.mark.long
@pytest.mark.parametrize("moment", [is_begun, is_writing])
@pytest.mark.parametrize("victim", ["worker_1", "thrift", "dbt"])
def test_a_build_after_a_kill_is_right(
    victim: str, moment: Callable[[Copy], bool], delivered: Slice, pair: tuple[Copy, Copy], tmp_path: Path
) -> None:
    restate(delivered, f"{victim} {moment.__name__}")
    build = start_build(pair[0], tmp_path)
    try:
        wait_until(moment, pair[0], build)
        if victim == "dbt":
            build.kill()  # not as the others are: whoever waits for our child first is told its status
        else:
            known = cluster.Cluster.read(local_dir() / cluster.FOLDER)
            assert known is not None
            process = known.process(victim)
            assert process is not None
            kill(process)
        status = build.wait(PATIENCE)
    finally:
        if build.poll() is None:
            build.kill()
    assert (status == 0) == (victim == "worker_1"), (tmp_path / "said").read_text()  # the other worker goes on
    cluster.up()
    assert_next_build_is_right(pair)


def forget(session: Session, copy: Copy, table: str = "models", model: str = FACT) -> None:
    """Take a model's state away, as a build does before it writes."""
    session.rows(f"alter table {copy.schema}_build_state.{table}__kept drop partition (model_name = '{model}')")


def test_partitions_that_were_replaced_in_part_are_built_again(delivered: Slice, pair: tuple[Copy, Copy]) -> None:
    copy = pair[0]
    fact = f"{copy.schema}_warehouse.{FACT}"
    with Session() as session:
        forget(session, copy)
        days = ["{}='{}'".format(*row[0].split("=")) for row in session.rows(f"show partitions {fact}")]
        session.rows(f"alter table {fact} drop partition ({days[3]})")
        session.rows(f"insert into {fact} select * from {fact} where {days[5]}")
    assert_next_build_is_right(pair)


def test_a_table_that_was_dropped_or_made_and_not_filled_is_built_again(
    delivered: Slice, pair: tuple[Copy, Copy]
) -> None:
    copy = pair[0]
    with Session() as session:
        forget(session, copy)
        forget(session, copy, model="fct_promotions")
        session.rows(f"drop table {copy.schema}_warehouse.{FACT}")
        session.rows(f"truncate table {copy.schema}_warehouse.fct_promotions")
    assert_next_build_is_right(pair)


def test_a_folder_that_a_dropped_table_left_does_not_stop_a_build(
    delivered: Slice, pair: tuple[Copy, Copy], tmp_path: Path
) -> None:
    """The metastore forgets a table first and deletes its files then: what is killed between leaves them."""
    copy, models = pair[0], {"fct_sales": "warehouse", "dim_store": "warehouse"}
    copy.build("--full-refresh", select=PART)  # each table was begun once when it was there
    with Session() as session:
        for model, layer in models.items():
            forget(session, copy, model=model)
            shutil.copytree(place(copy, layer, model), tmp_path / model)
            session.rows(f"drop table {copy.schema}_{layer}.{model}")
            shutil.copytree(tmp_path / model, place(copy, layer, model))
    assert_next_build_is_right(pair)


def test_members_whose_state_was_lost_are_looked_at_anew(delivered: Slice, pair: tuple[Copy, Copy]) -> None:
    """A build that found nothing to write was killed while it remembered a dimension; then the dimension changed."""
    with Session() as session:
        forget(session, pair[0], table="members")
    key = max(key for key in delivered.present if feed(key) == "products")
    rows = [{**row, "department": "OTHER"} for row in rows_of(key, delivered.present[key])]
    delivered.deliver([Delivery("changed", key, body_of(key, rows, delivered.present[key]))])
    delivered.load()
    assert_next_build_is_right(pair)
