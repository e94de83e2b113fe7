"""The cluster on this machine: real processes, on loopback alone."""

from __future__ import annotations

import psutil

from journey.project import local_dir
from journey.spark import cluster
from journey.spark.session import Session


def processes() -> dict[str, psutil.Process]:
    """The cluster's processes, by name."""
    known = cluster.Cluster.read(local_dir() / cluster.FOLDER)
    assert known is not None
    return {name: process for name in known.processes if (process := known.process(name))}


def test_everything_listens_on_loopback_alone(spark: None) -> None:
    found = processes()
    assert list(found) == ["master", "worker_1", "worker_2", "thrift"]
    everyone = [each for process in found.values() for each in (process, *process.children(recursive=True))]
    listening = [
        connection.laddr.ip
        for process in everyone
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_the_thrift_server_has_what_a_driver_needs(spark: None) -> None:
    """It is started as a daemon, and would have a daemon's 512 MB."""
    assert f"-Xmx{cluster.MEMORY['driver']}" in processes()["thrift"].cmdline()


def test_hive_can_list_its_functions(session: Session) -> None:
    """Else the Thrift server breaks a connection that it closes, now and then."""
    found = session.rows(
        "select reflect('java.lang.Class', 'forName', 'org.apache.hadoop.hive.ql.exec.FunctionRegistry')"
    )
    assert found == [("class org.apache.hadoop.hive.ql.exec.FunctionRegistry",)]


def test_no_other_user_reads_its_secrets(spark: None) -> None:
    folder = local_dir() / cluster.FOLDER
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "conf" / "spark-defaults.conf").stat().st_mode & 0o077 == 0


def test_a_table_is_files_that_no_other_user_reads_and_nothing_beside(session: Session) -> None:
    """Hadoop's own would start a chmod for each, and put one of checksums beside it."""
    session.rows("create table default.written using parquet partitioned by (day) as select 1 as number, 'a' as day")
    try:
        folder = local_dir() / cluster.FOLDER / "warehouse" / "written"
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert [(path.parent.name, path.suffix) for path in files] == [("day=a", ".parquet")]
        assert {path.stat().st_mode & 0o077 for path in [folder, *folder.rglob("*")]} == {0}
    finally:
        session.rows("drop table default.written")


def test_what_runs_is_left_and_what_was_killed_comes_again(spark: None) -> None:
    found = processes()
    before = {name: process.pid for name, process in found.items()}
    cluster.up()
    assert {name: process.pid for name, process in processes().items()} == before

    found["worker_1"].kill()
    psutil.wait_procs([found["worker_1"]], timeout=30)
    cluster.up()
    assert all(service.running for service in cluster.status())
    with Session() as session:
        assert session.rows("select 1") == [(1,)]
