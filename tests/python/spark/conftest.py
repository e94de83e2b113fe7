"""A Spark cluster beside the tests' services. It takes a minute and 2 GB, so only `make test-spark` has one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from journey.services.state import State
from journey.spark import cluster
from journey.spark.session import Session
from loader.support import Landing

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
