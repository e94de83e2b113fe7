"""SQL on the Spark that the environment names (SPARK_HOST, SPARK_PORT), through its Thrift server."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any

from journey.errors import JourneyError, UsageError
from journey.spark.settings import SESSION


class GoneError(JourneyError):
    """Spark doesn't answer any more."""


class Session:
    """One connection, for one statement at a time."""

    def __init__(self) -> None:
        """Connect.

        Raises:
            UsageError: nothing answers there, or dbt's adapter, of which the client is, isn't installed.
        """
        try:
            from pyhive import hive
            from thrift.transport.TTransport import TTransportException
        except ModuleNotFoundError as error:
            raise UsageError("the client of Spark is not installed: run `make setup-spark`") from error

        host, port = os.environ.get("SPARK_HOST"), int(os.environ.get("SPARK_PORT", "10000"))
        if host is None:
            raise UsageError("no Spark is named: start one here with `journey spark up`, or set SPARK_HOST, SPARK_PORT")
        self._error: type[Exception] = hive.Error
        try:
            self._connection = hive.connect(
                host, port, configuration={f"set:hiveconf:{name}": value for name, value in SESSION.items()}
            )
        except (OSError, TTransportException, hive.Error) as error:
            raise UsageError(
                f"Spark's Thrift server at {host}:{port} does not let us in: {_said(error)} "
                "(that of this machine starts with `journey spark up`)"
            ) from error

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement.

        Args:
            statement: of SQL.

        Returns:
            Its rows; none if it has no result.

        Raises:
            GoneError: Spark doesn't answer any more.
            JourneyError: it refuses.
        """
        from thrift.transport.TTransport import TTransportException

        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        except self._error as error:
            raise JourneyError(f"Spark refused ({_said(error)}): {statement[:200]}") from error
        except (OSError, TTransportException) as error:
            raise GoneError(f"Spark went away ({_said(error)}): run again once it is back") from error


def _said(error: Exception) -> str:
    """An error of Spark's in one line, without the plan that it repeats."""
    found = re.search(r"errorMessage=(['\"])(.*?)(?:\\n'|;\\n|\1, operationHandle|$)", str(error), re.DOTALL)
    said = found[2] if found else str(error) or type(error).__name__
    return " ".join(said.replace("\\n", " ").split())[:600]


def quoted(*names: str) -> str:
    """A name, with those of what it is in before it."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)


def literal(value: object) -> str:
    """A value in SQL."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, (int, float)):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\0", "\\0")
    return f"'{escaped}'"


def listed(values: Sequence[str]) -> str:
    """Texts between commas."""
    return ", ".join(map(literal, values))
