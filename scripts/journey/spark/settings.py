"""How the cluster on this machine is configured: files that only their owner reads, for the S3 secret is in one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from journey.services.state import write_private
from journey.spark import classes

SESSION = {  # of whoever connects, whatever the cluster's own settings are; profiles.yml has dbt's
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.legacy.javaCharsets": "true",  # feeds declare what encoding they have
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
    "spark.sql.csv.parser.columnPruning.enabled": "false",  # else a row with too few fields isn't seen as one
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # else quotients keep six digits
}

# hadoop-aws is older than Spark's own Hadoop, which says durations as 60s: that reads numbers alone
S3A_NUMBERS = {
    "threads.keepalivetime": 60,
    "connection.timeout": 200_000,
    "connection.establish.timeout": 30_000,
    "connection.request.timeout": 0,
    "connection.ttl": 300_000,
    "connection.idle.time": 60_000,
    "multipart.purge.age": 86_400,
    "retry.interval": 500,
    "retry.throttle.interval": 500,
    "assumed.role.session.duration": 1_800,
    "socket.send.buffer": 8_192,
    "socket.recv.buffer": 8_192,
}

# Spark's own writes lines for each task, file and broadcast: a sixth of the executors' time while a table with a folder
# a day is written.
LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n%ex
logger.settings.name = org.apache.hadoop.hive.conf.HiveConf
logger.settings.level = error
logger.statistics.name = hive.log
logger.statistics.level = error
"""


def write(folder: Path, warehouse: str, jars: str, secret: str, environment: Mapping[str, str]) -> Path:
    """Write the configuration.

    Args:
        folder: of the cluster.
        warehouse: where its tables are.
        jars: what Spark needs beside its own, as a class path.
        secret: by which the parts of the cluster know each other.
        environment: which names the S3 server and its keys.

    Returns:
        The folder that SPARK_CONF_DIR names.
    """
    conf = folder / "conf"
    conf.mkdir(mode=0o700, exist_ok=True)
    values = {**_spark(folder, warehouse, jars, secret), **_s3a(environment)}
    write_private(conf / "spark-defaults.conf", "".join(f"{name} {value}\n" for name, value in values.items()))
    write_private(conf / "log4j2.properties", LOGGING)
    metastore = {
        "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        "datanucleus.schema.autoCreateAll": "true",
        "hive.metastore.schema.verification": "false",
        "hive.server2.enable.doAs": "false",
        "hive.exec.scratchdir": str(folder / "scratch"),
    }
    properties = "".join(
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        for name, value in metastore.items()
    )
    write_private(conf / "hive-site.xml", f"<configuration>{properties}</configuration>\n")
    return conf


def _spark(folder: Path, warehouse: str, jars: str, secret: str) -> dict[str, object]:
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": jars,
        "spark.executor.extraClassPath": jars,
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={folder / 'log' / 'derby.log'}",
        "spark.ui.enabled": "false",
        "spark.ui.killEnabled": "false",  # on the master's page, which asks nobody who it is
        "spark.master.rest.enabled": "false",  # a port at which anybody on this machine could start programs as us
        "spark.authenticate": "true",
        "spark.authenticate.secret": secret,
        "spark.sql.warehouse.dir": warehouse,
        "spark.sql.catalogImplementation": "hive",
        **SESSION,
        "spark.sql.autoBroadcastJoinThreshold": "1MB",  # 5 MB of Parquet are 3 million rows: too many for a driver
        "spark.sql.hive.metastorePartitionPruningFallbackOnException": "true",  # Derby's loses a result
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",  # else a task lists each folder
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.coalescePartitions.initialPartitionNum": "4",
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.hadoop.fs.file.impl": classes.LOCAL_FILES.replace("/", "."),
    }


def _s3a(environment: Mapping[str, str]) -> dict[str, object]:
    endpoint = environment["AWS_ENDPOINT_URL_S3"]
    return {
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.access.key": environment["AWS_ACCESS_KEY_ID"],
        "spark.hadoop.fs.s3a.secret.key": environment["AWS_SECRET_ACCESS_KEY"],
        "spark.hadoop.fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(urlsplit(endpoint).scheme == "https").lower(),
        "spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        **{f"spark.hadoop.fs.s3a.{name}": value for name, value in S3A_NUMBERS.items()},
    }


def address() -> tuple[str, int]:
    """Host and port of the Thrift server that the environment names (SPARK_HOST, SPARK_PORT)."""
    return os.environ.get("SPARK_HOST", "127.0.0.1"), int(os.environ.get("SPARK_PORT", "10000"))
