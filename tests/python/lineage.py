"""Which columns of a select carry on values of its tables' columns, told from its SQL alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

# aggregates that give a value of one row on; all others make a new one of many
ONE_ROW_S = (exp.Max, exp.Min, exp.ArrayAgg, exp.GroupConcat, exp.AnyValue, exp.First, exp.Last, exp.FirstValue,
             exp.LastValue, exp.NthValue, exp.Lag, exp.Lead, exp.JSONObjectAgg, exp.JSONArrayAgg)  # fmt: skip
Tables = Mapping[str, Mapping[str, bool]]


def untagged(manifest: Mapping[str, Any]) -> list[str]:
    """`model.column` of each column that carries a person's on and doesn't say so in YAML.

    Args:
        manifest: dbt's, with compiled SQL.
    """
    nodes = [*manifest["sources"].values(), *manifest["nodes"].values()]
    tables = {
        f"{node['schema']}.{node.get('identifier') or node.get('alias')}": {
            name: column["config"]["meta"].get("pii", "none") != "none" for name, column in node["columns"].items()
        }
        for node in nodes
        if node["resource_type"] in ("source", "model", "seed", "snapshot")
    }
    return [
        f"{node['name']}.{name}"
        for node in nodes
        if node["resource_type"] in ("model", "snapshot")
        for name in sorted(carrying(node["compiled_code"], tables))
        if "pii" not in (node["columns"].get(name) or {"config": {"meta": {}}})["config"]["meta"]
    ]


def carrying(sql: str, tables: Tables) -> set[str]:
    """The select's columns that carry a marked one on.

    Args:
        sql: a select of PostgreSQL's.
        tables: by `schema.name`, their columns, each with whether it is marked.
    """
    nested: dict[str, Any] = {}
    for name, columns in tables.items():
        schema, table = name.split(".")
        nested.setdefault(schema, {})[table] = dict.fromkeys(columns, "text")
    tree = qualify(
        parse_one(sql, dialect="postgres"), schema=nested, dialect="postgres", validate_qualify_columns=False,
        quote_identifiers=False,
    )  # fmt: skip
    root = build_scope(tree)
    assert root is not None
    return {name for name, is_marked in _columns(root, tables, {}).items() if is_marked}


def _columns(scope: Scope, tables: Tables, known: dict[int, dict[str, bool]]) -> dict[str, bool]:
    """A scope's columns, in order, each with whether it carries a marked one."""
    if id(scope) not in known:
        known[id(scope)] = {}  # a recursive one sees nothing of itself
        if scope.set_operation_scopes:
            first, *others = ([*_columns(one, tables, known).items()] for one in scope.set_operation_scopes)
            known[id(scope)] = {
                name: is_marked or any(other[i][1] for other in others) for i, (name, is_marked) in enumerate(first)
            }
        elif scope.is_udtf:  # a lateral subquery, or a function that gives rows
            given = [_columns(one, tables, known) for one in scope.subquery_scopes or scope.derived_table_scopes]
            if not given and isinstance(inner := scope.sources.get(""), Scope):
                given = [_columns(inner, tables, known)]
            is_marked = _carries(scope.expression, scope, tables, known) if not given else False
            names = scope.expression.alias_column_names or [scope.expression.alias_or_name]
            known[id(scope)] = given[0] if given else dict.fromkeys(names, is_marked)
        else:
            assert isinstance(scope.expression, exp.Query)
            known[id(scope)] = {
                one.alias_or_name: _carries(one, scope, tables, known) for one in scope.expression.selects
            }
    return known[id(scope)]


def _carries(expression: exp.Expr, scope: Scope, tables: Tables, known: dict[int, dict[str, bool]]) -> bool:
    for part in _given_on(expression):
        if isinstance(part, exp.Column):
            if _is_marked(part, scope, tables, known):
                return True
        else:  # a subquery
            inner = next(one for one in scope.subquery_scopes if one.expression is part)
            if any(_columns(inner, tables, known).values()):
                return True
    return False


def _is_marked(column: exp.Column, scope: Scope, tables: Tables, known: dict[int, dict[str, bool]]) -> bool:
    source = scope.sources.get(column.table)
    if isinstance(source, Scope):
        columns = _columns(source, tables, known)
        return columns.get(column.name, any(columns.values()))
    if isinstance(source, exp.Table):
        return tables.get(f"{source.db}.{source.name}", {}).get(column.name, False)
    return scope.parent is not None and _is_marked(column, scope.parent, tables, known)


def _given_on(node: exp.Expr) -> Iterator[exp.Expr]:
    """The columns and subqueries whose values an expression gives on."""
    if isinstance(node, exp.Column):
        yield node
    elif isinstance(node, exp.Query):
        yield node.unnest() if isinstance(node, exp.Subquery) else node
    elif isinstance(node, (exp.Window, exp.Filter, exp.WithinGroup)):
        yield from _given_on(node.this)
    elif isinstance(node, exp.AggFunc) and not isinstance(node, ONE_ROW_S):
        return
    else:
        for child in node.iter_expressions():
            yield from _given_on(child)
