"""`journey metrics`: figures by declared metrics (`models/marts/*/_*__metrics.yml`), of what is published.

MetricFlow writes the SQL, and the login of the environment runs it. Its own command, `mf`, isn't used: it reads
whatever target dbt parsed last, asks a server for newer versions at each call, and unpickles a file in the shared
temporary folder.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedTable

from journey import dbt, settings
from journey.errors import JourneyError, UsageError
from journey.text import shown

TIMES = tuple(f"metric_time__{length}" for length in ("day", "week", "month", "quarter", "year"))


@dataclass(frozen=True)
class Question:
    """What is asked, in MetricFlow's words.

    Attributes:
        metrics: their names.
        by: what rows are told apart by, such as `metric_time__month` or `store`.
        where: conditions, such as `{{ Entity('department') }} = 'GROCERY'`.
        order: names of columns; a minus before one begins with the largest. As `by` has them if empty.
        limit: so many rows at most; all if None.
        saved: a saved query, in place of metrics.
    """

    metrics: Sequence[str] = ()
    by: Sequence[str] = ()
    where: Sequence[str] = ()
    order: Sequence[str] = ()
    limit: int | None = None
    saved: str | None = None


@dataclass(frozen=True)
class Answer:
    """A table.

    Attributes:
        columns: their names.
        rows: in the order that was asked for.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def csv(self) -> str:
        """CSV with a header, values as they are."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return file.getvalue().rstrip("\n")

    def table(self) -> str:
        """A table for a terminal, numbers to the right."""
        cells = [self.columns, *([_cell(value) for value in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        numeric = [
            any(isinstance(value, (int, float, Decimal)) for value in column) for column in zip(*self.rows, strict=True)
        ]
        lines = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(row, widths, numeric or [False] * len(row), strict=True)
            ).rstrip()
            for row in cells
        ]
        return "\n".join(lines) if self.rows else lines[0] + "\n(no rows)"


class Metrics:
    """The metrics of a project, as dbt parses it for a target.

    Args:
        root: the project's folder.
        target: of the profile, whose marts are read; dbt's own choice if None.

    Raises:
        JourneyError: dbt can't parse the project.
    """

    def __init__(self, root: Path, target: str | None = None) -> None:
        dbt.run(["parse", *(["--target", target] if target else [])], root=root)
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
        from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        self._target = target
        text = (root / os.environ.get("DBT_TARGET_PATH", "target") / "semantic_manifest.json").read_text()
        lookup = SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(manifest_json_string=text))
        # all that it asks of a client while it writes SQL
        client: Any = SimpleNamespace(
            sql_engine_type=SqlEngine.POSTGRES, sql_plan_renderer=PostgresSQLSqlPlanRenderer()
        )
        self._engine = MetricFlowEngine(semantic_manifest_lookup=lookup, sql_client=client)

    def listed(self) -> list[tuple[str, str, list[str]]]:
        """Each metric's name, what it means, and what it may be asked by."""
        return [(one.name, str(one.description), self.groups(one.name)) for one in self._declared()]

    def groups(self, *names: str) -> list[str]:
        """What metrics may be asked by together. Of times the shortest is named: `metric_time__month` says that a
        quarter and a year may be asked for, too.

        Args:
            names: of metrics.
        """
        from metricflow_semantic_interfaces.type_enums.dimension_type import DimensionType

        found: set[str] = set()
        times: set[str] = set()
        for item in self._engine.list_group_bys(list(names), include_derived_time_granularities=True):
            name = getattr(item, "dunder_name", item.name)
            is_time = getattr(item, "type", None) is DimensionType.TIME
            (times if is_time else found).add(name)
        return sorted({*found, *[time for time in TIMES if time in times][:1]})

    def saved(self) -> list[tuple[str, str]]:
        """Each saved query's name, and what it shows."""
        return [(one.name, str(one.description)) for one in self._engine.list_saved_queries()]

    def sql(self, question: Question) -> str:
        """The SQL that answers a question.

        Args:
            question: what is asked.

        Raises:
            UsageError: a name is unknown, or a metric can't be asked so.
        """
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
        from metricflow_semantics.errors.error_classes import MetricFlowException

        declared = self._engine.list_saved_queries() if question.saved else self._declared()
        known = [one.name for one in declared]
        for name in [question.saved] if question.saved else question.metrics:
            if name not in known:
                kind = "saved query" if question.saved else "metric"
                raise UsageError(f"there is no {kind} {name}: `journey metrics` lists {', '.join(known)}")
        try:
            request = MetricFlowQueryRequest.create(
                saved_query_name=question.saved,
                metric_names=list(question.metrics) or None,
                group_by_names=list(question.by) or None,
                where_constraints=list(question.where) or None,
                order_by_names=list(question.order or question.by) or None,
                limit=question.limit,
            )
            return str(self._engine.explain(request).sql_statement.without_descriptions.sql)
        except (MetricFlowException, ValueError) as error:
            raise UsageError(self._cannot(question, error)) from error

    def ask(self, question: Question) -> Answer:
        """Answer a question from what is published, as the login that the environment names.

        Args:
            question: what is asked.

        Raises:
            UsageError: a name is unknown, a metric can't be asked so, or PostgreSQL isn't there.
            JourneyError: the mart isn't there, or the login may not read it.
        """
        query = self.sql(question)
        with settings.connect(application="journey metrics") as connection:
            connection.read_only = True
            connection.execute("set time zone 'UTC'")  # MetricFlow makes times of dates
            try:
                found = connection.execute(query.encode())
            except (UndefinedTable, InvalidSchemaName) as error:
                hint = "build it, or name the target whose marts you mean (--target prod, --target demo)"
                raise JourneyError(f"{_first_line(error)}: {hint}") from error
            except InsufficientPrivilege as error:
                raise JourneyError(f"{_first_line(error)}: log in as an analyst of this database (PGUSER)") from error
            except psycopg.Error as error:  # of a condition that is the user's own
                raise UsageError(f"PostgreSQL refuses the query: {_first_line(error)} (--sql shows it)") from error
            rows = [tuple(one.date() if isinstance(one, datetime) else one for one in row) for row in found]
            return Answer([column.name for column in found.description or ()], rows)

    def _declared(self) -> Sequence[Any]:
        return self._engine.list_metrics(include_dimensions=False)

    def _cannot(self, question: Question, error: Exception) -> str:
        """What can't be asked, and what can."""
        if question.saved or not question.metrics:
            return " ".join(str(error).split())
        groups = self.groups(*question.metrics)
        unknown = [name for name in question.by if name not in groups and not _is_longer(name, groups)]
        if not unknown:
            return " ".join(str(error).split())
        what = f"{', '.join(question.metrics)} can't be asked by {', '.join(unknown)}, only by {', '.join(groups)}"
        return f"{what}; `journey metrics` says why"


def _is_longer(name: str, groups: Sequence[str]) -> bool:
    """Whether it is a time, and not shorter than the one that the metrics have."""
    finest = [TIMES.index(group) for group in groups if group in TIMES]
    return bool(finest) and name in TIMES[finest[0] :]


def _cell(value: Any) -> str:
    """A value as a person reads it: a quotient has six places."""
    if isinstance(value, float):
        return f"{value:.6f}"
    return "" if value is None else shown(str(value))


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).splitlines()[0]
