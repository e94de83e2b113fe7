"""A Spark cluster beside the tests' services. It takes a minute and 7 GB, so only `make test-spark` has one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from journey import settings
from journey.project import local_dir
from journey.services.state import State
from journey.spark import cluster
from journey.spark.session import Session
from loader.support import Landing, empty
from spark.copies import PART, Copy
from spark.slices import Slice

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def spark(embedded: State) -> Iterator[None]:
    """The cluster; SPARK_HOST and SPARK_PORT name it."""
    if "SPARK" not in os.environ:
        pytest.skip("needs a Spark cluster: make test-spark")
    if "SPARK_HOST" in os.environ:  # one that runs already, while tests are written
        yield
        return
    cluster.up()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment().items():
            patch.setenv(name, value)
        yield
    cluster.down()


@pytest.fixture
def session(spark: None) -> Iterator[Session]:
    """A connection to Spark."""
    with Session() as session:
        yield session


@pytest.fixture
def feed(session: Session) -> Iterator[str]:
    """The name of a source that no other test has; its tables go after the test."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    yield name
    session.rows(f"drop schema if exists raw_{name} cascade")


@pytest.fixture
def landing(database: str, bucket: str, s3: S3Client) -> Iterator[Landing]:
    """An empty bucket and an empty database."""
    with psycopg.connect(autocommit=True) as connection:
        yield Landing(s3, bucket, connection)


@pytest.fixture(scope="session")
def copies(spark: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, Copy]:
    """Two copies of warehouse and marts, of which nothing is built."""
    folder = tmp_path_factory.mktemp("copies")
    return Copy("test_incremental", folder / "incremental"), Copy("test_refreshed", folder / "refreshed")


@pytest.fixture(scope="session")
def own_spark(spark: None) -> None:
    """The cluster, which is the tests' own: it may be killed, and the raw tables of the project may go."""
    known = cluster.Cluster.read(local_dir() / cluster.FOLDER)
    if known is None or known.process("thrift") is None:
        pytest.skip("SPARK_HOST names a cluster that isn't the tests' own")


@pytest.fixture(scope="session")
def delivered(own_spark: None, copies: tuple[Copy, Copy]) -> Iterator[Slice]:
    """The slice, but for what comes late, in Spark's raw tables."""
    client, bucket = settings.s3_client(connections=8), f"test-{uuid.uuid4().hex[:12]}"
    sources = [
        replace(source, options=replace(source.options, on_delete="remove", max_remove_rate=1))
        for source in copies[0].dbt.sources(bucket)
    ]
    made = Slice(client, sources)
    with Session() as session:
        made.drop(session)
    made.land()
    made.load()
    yield made
    cluster.up()  # one that was killed
    with Session() as session:
        made.drop(session)
    empty(client, bucket)
    client.delete_bucket(Bucket=bucket)


@pytest.fixture(scope="session")
def built(delivered: Slice, copies: tuple[Copy, Copy]) -> Iterator[tuple[Copy, Copy]]:
    """Both copies, the first of them built from what is delivered."""
    with Session() as session:
        for copy in copies:
            copy.drop(session)
            copy.begin()
    copies[0].build()
    yield copies
    cluster.up()
    with Session() as session:
        for copy in copies:
            copy.drop(session)


@pytest.fixture(scope="session")
def pair(delivered: Slice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Copy, Copy]]:
    """Two copies of a part of the tables, the first of them built: its builds may be killed, or its rows spoilt."""
    folder = tmp_path_factory.mktemp("pair")
    made = (Copy("test_killed", folder / "killed"), Copy("test_whole", folder / "whole"))
    with Session() as session:
        for copy in made:
            copy.drop(session)
            copy.begin()
    made[0].build(select=PART)
    yield made
    cluster.up()
    with Session() as session:
        for copy in made:
            copy.drop(session)
