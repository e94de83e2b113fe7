"""`journey why`: each figure adds up again, and what doesn't is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from conftest import ROOT, Demo, run
from journey.errors import UsageError
from journey.loader.declaration.sources import load_manifest
from journey.tracing import declared, report
from tracing.proving import drawn, marts, numbers

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MART = "sales.sales_performance"
MEASURE = "net_sales_amount"


@pytest.fixture(scope="module")
def manifest(demo: Demo) -> declared.Node:
    """dbt's manifest of what the demo built."""
    return load_manifest(ROOT)


@pytest.fixture(scope="module")
def keys(demo: Demo) -> dict[str, str]:
    """The row of sales_performance with the most sales, as a person would name it."""
    with psycopg.connect() as connection:
        row = connection.execute(
            f"select business_date::text, store_id::text, department from {MART} order by {MEASURE} desc limit 1"
        ).fetchone()
    assert row
    return dict(zip(("business_date", "store_id", "department"), row, strict=True))


def test_each_mart_says_how_it_is_traced_or_why_not(manifest: declared.Node) -> None:
    nodes = {node["name"]: node for node in manifest["nodes"].values()}
    said = {name: declared.trace(node) for name, node in marts(manifest).items()}
    for name, node in marts(manifest).items():
        if "why_not" in said[name]:
            assert set(said[name]) == {"why_not"}, name
            continue
        told = [*declared.measures(said[name]), *declared.not_additive(said[name])]
        assert sorted(told) == sorted(set(told)), f"{name} says a column twice"
        assert set(numbers(node)) <= set(told), f"{name} doesn't say how these come about"
        assert set(told) <= set(node["columns"]), f"{name} has no such columns"
    for fact in {one["fact"] for trace in said.values() for one in trace.get("sums", [])}:
        assert set(declared.trace(nodes[fact])["columns"]) <= set(nodes[fact]["columns"]), fact


def test_each_measure_adds_up(manifest: declared.Node) -> None:
    with psycopg.connect(autocommit=True) as connection:
        figures = list(drawn(connection, manifest, each=1, seed=7))
    assert len({one.mart for one in figures}) > 15
    wrong, found = [], 0
    for one in figures:
        traced = report.trace(ROOT, one.mart, one.measure, one.keys, limit=20)
        found += traced.lines.rows
        if not traced.agrees or any(file.problem for file in traced.files):
            wrong += report.lines(traced, one.measure, one.keys, limit=1)
    assert not wrong, "\n".join(wrong)
    assert found > len(figures)
    with psycopg.connect() as connection:
        kept = connection.execute("select relname from pg_class where relname like 'journey_traced%'").fetchall()
    assert kept == []


def test_a_figure_is_traced_to_each_line(keys: dict[str, str], tmp_path: Path) -> None:
    done = run("why", MART, *(f"{name}={value}" for name, value in keys.items()), MEASURE, "--csv", str(tmp_path / "f"))
    assert done.returncode == 0, done.stderr
    assert "It adds up, to the last digit." in done.stdout
    assert "files in S3" in done.stdout or "file in S3" in done.stdout
    with psycopg.connect() as connection:
        row = connection.execute(
            "select count(*) from warehouse.fct_sales inner join warehouse.dim_store using (store_key)"
            " inner join warehouse.dim_product using (product_key)" + WHERE,
            keys,
        ).fetchone()
    lines = (tmp_path / "f").read_text().splitlines()
    assert lines[0] == "value,address,etag,line,row"
    assert row == (len(lines) - 1,)


def test_a_figure_that_is_not_what_its_rows_add_up_to_is_said(keys: dict[str, str]) -> None:
    with changed("update built.sales_performance set net_sales_amount = net_sales_amount {} 0.01" + WHERE, keys):
        done = run("why", MART, *(f"{name}={value}" for name, value in keys.items()), MEASURE)
    assert done.returncode == 1
    assert "IT DOESN'T ADD UP: facts differ by -0.01 and raw rows differ by -0.01" in done.stdout


def test_a_raw_row_that_is_not_what_the_fact_says_is_said(keys: dict[str, str]) -> None:
    """The mart and the fact agree, and yet the figure isn't what was delivered."""
    row = "(basket_id, product_id) = (select basket_id, product_id from warehouse.fct_sales inner join"
    row += " warehouse.dim_store using (store_key) inner join warehouse.dim_product using (product_key)"
    row += WHERE.replace("product_id", "fct_sales.product_id") + " order by basket_id, fct_sales.product_id limit 1)"
    row = row.replace("select basket_id, product_id", "select basket_id, fct_sales.product_id")
    with changed(f"update raw_pos.transactions set sales_value = sales_value {{}} 0.01 where {row}", keys):
        done = run("why", MART, *(f"{name}={value}" for name, value in keys.items()), MEASURE)
    assert done.returncode == 1
    assert "IT DOESN'T ADD UP: raw rows differ by 0.01. Nothing was loaded since" in done.stdout


def test_rows_that_add_most_are_looked_up_first(keys: dict[str, str]) -> None:
    whole = report.trace(ROOT, MART, MEASURE, keys, limit=None)
    some = report.trace(ROOT, MART, MEASURE, keys, limit=5)
    amounts = sorted((line.row.value or 0 for file in whole.files for line in file.lines), reverse=True)
    assert sorted((line.row.value or 0 for file in some.files for line in file.lines), reverse=True) == amounts[:5]
    assert some.finding.raw == whole.finding.raw == whole.lines
    assert some.agrees


def test_a_figure_of_the_whole_time_is_that_of_its_days(demo: Demo) -> None:
    """Of few files these are read, of most the whole raw table."""
    days = "select business_date::text from warehouse.fct_sales group by 1 order by 1"
    with psycopg.connect() as connection:
        dates = [date for (date,) in connection.execute(days)]
        all_rows = connection.execute("select count(*), sum(sales_value) from raw_pos.transactions").fetchone()
    traced = [report.trace(ROOT, MART, MEASURE, {"business_date": date}, limit=0) for date in dates]
    whole = report.trace(ROOT, MART, MEASURE, {}, limit=0)
    assert whole.finding.raw == all_rows
    assert whole.finding.raw.rows == sum(one.finding.raw.rows for one in traced)
    assert whole.finding.raw.total == sum(one.finding.raw.total or 0 for one in traced)
    assert all(one.agrees for one in (whole, *traced))


def test_a_row_that_adds_several_times_is_one_row(demo: Demo) -> None:
    """A line of the journal counts in a statement's lines and in their totals; each of its raw rows is one."""
    keys = {"fiscal_period": "2017-01"}
    traced = report.trace(ROOT, "finance.income_statement", "actual_amount", keys, limit=None)
    with psycopg.connect() as connection:
        row = connection.execute(
            "select count(distinct (journal_id, line_number)) from warehouse.fct_journal_lines as facts inner join"
            " warehouse.int_statement_lines_expanded as lines using (account_key)"
            " where facts.fiscal_period = '2017-01' and lines.statement_name = 'income_statement'"
        ).fetchone()
    assert row == (traced.finding.facts.rows,) == (traced.finding.raw.rows,) == (traced.lines.rows,)
    assert traced.finding.shared > 0
    assert traced.agrees
    assert traced.lines.total == traced.finding.figure.total
    both, once = (
        report.trace(ROOT, "sales.sales_trends", MEASURE, {"period_type": "month", **more}, limit=3)
        for more in ({}, {"department": "ALL DEPARTMENTS"})
    )
    assert both.finding.facts.rows == both.finding.raw.rows == once.finding.facts.rows >= both.finding.shared > 0
    assert both.finding.raw.total == 2 * (once.finding.raw.total or 0)
    assert both.agrees


def test_a_join_that_finds_several_rows_is_counted_and_said(
    keys: dict[str, str], manifest: declared.Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace that is declared wrongly: each line is added up once for each department."""
    node = deepcopy(manifest["nodes"]["model.data_journey.sales_performance"])
    [said] = node["config"]["meta"]["trace"]["sums"]
    said["joins"] = {"dim_department": "dim_department.department_key <> fct_sales.department_key"}
    said["rows"] += " and dim_department.department is not null"
    mine = {**manifest, "nodes": {**manifest["nodes"], node["unique_id"]: node}}
    plain = report.trace(ROOT, MART, MEASURE, keys, limit=3)
    monkeypatch.setattr(report, "load_manifest", lambda _: mine)
    traced = report.trace(ROOT, MART, MEASURE, keys, limit=3)
    assert (traced.finding.facts.rows, traced.finding.raw.rows) == (plain.finding.facts.rows,) * 2
    assert (traced.finding.facts.total or 0) > (plain.finding.facts.total or 0)
    assert traced.finding.raw.total == traced.finding.facts.total
    assert not traced.agrees
    assert traced.lines.rows == 3


def test_values_are_values_whatever_stands_in_them(keys: dict[str, str]) -> None:
    """A department may be called anything; its row then has no facts, for theirs are called otherwise."""
    odd = "O'Brien''s \\' %s {nobody} mart.store_id; --"
    given = {**keys, "department": odd}
    with psycopg.connect(autocommit=True) as connection:
        rename = "update built.sales_performance set department = %(new)s" + WHERE
        connection.execute(rename.encode(), {**keys, "new": odd})
        try:
            traced = report.trace(ROOT, MART, MEASURE, given, limit=1)
        finally:
            connection.execute(rename.encode(), {**given, "new": keys["department"]})
    assert traced.finding.figure.rows == 1
    assert (traced.finding.facts, traced.finding.raw) == ((0, None), (0, None))
    assert not traced.agrees


def test_a_file_that_is_gone_or_changed_is_said_and_the_rest_is_traced(keys: dict[str, str], s3: S3Client) -> None:
    whole = report.trace(ROOT, MART, MEASURE, keys, limit=None)
    bucket, _, key = whole.files[0].address.removeprefix("s3://").partition("/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"another")
        other = report.trace(ROOT, MART, MEASURE, keys, limit=None)
        s3.delete_object(Bucket=bucket, Key=key)
        gone = report.trace(ROOT, MART, MEASURE, keys, limit=None)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert other.files[0].problem.startswith("it has changed since it was loaded: its ETag is ")
    assert gone.files[0].problem == "it is no longer in S3, or S3 doesn't give it"
    assert other.agrees
    assert gone.agrees
    assert not gone.are_found
    assert whole.are_found
    assert whole.lines.total == whole.finding.figure.total


@pytest.mark.parametrize(
    ("mart", "measure", "given", "said"),
    [
        ("sales.nothing", MEASURE, {}, "there is no mart sales.nothing: it may be "),
        ('x"; drop schema sales; --sales.sales_performance', MEASURE, {}, "it is sales.sales_performance"),
        ("sales.sales_perfomance", MEASURE, {}, ". Did you mean sales.sales_performance?"),
        ("sales_performance", MEASURE, {}, ". Did you mean sales.sales_performance?"),
        (MART, "net_sales", {}, "has no column net_sales: it has business_date, "),
        (MART, "net_sales", {}, ". Did you mean net_sales_amount?"),
        (MART, MEASURE, {"shop": "1"}, "has no column shop: it has business_date, "),
        (MART, MEASURE, {"store_id": "1; drop table x"}, "invalid input syntax for type integer"),
        (MART, MEASURE, {"business_date": "yesterday"}, "is a date, as 2017-03-01, and not 'yesterday'"),
        (MART, MEASURE, {"department": "' or true --"}, "has no row with department=' or true --"),
        (MART, "baskets_count", {}, "baskets_count can't be traced to rows: "),
        (MART, "store_id", {}, "store_id is no measure that adds up rows; these are: gross_sales_amount, "),
        ("sales.sales_forecast", "forecast_amount", {}, "can't be traced to rows: it is a forecast"),
    ],
)
def test_what_cannot_be_traced_is_one_line(
    demo: Demo, mart: str, measure: str, given: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        report.trace(ROOT, mart, measure, given, limit=1)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mart_without_a_trace_says_how_to_declare_one(manifest: declared.Node) -> None:
    """A mart of one's own, to begin with."""
    node = manifest["nodes"]["model.data_journey.sales_performance"]
    meta = {key: value for key, value in node["config"]["meta"].items() if key != "trace"}
    bare = {**node, "config": {**node["config"], "meta": meta}}
    mart = declared.Mart({**manifest, "nodes": {**manifest["nodes"], node["unique_id"]: bare}}, MART)
    with pytest.raises(UsageError, match=r"sales_performance declares no trace: docs/trace\.md"):
        mart.sum_of(MEASURE)


def test_rows_that_overlap_are_no_amount(demo: Demo) -> None:
    """A statement's totals hold their lines again; days don't hold one another."""

    def traced(mart: str, measure: str, **keys: str) -> report.Traced:
        return report.trace(ROOT, mart, measure, keys, limit=0)

    [_, _, told, *_] = report.lines(traced("finance.income_statement", "actual_amount"), "actual_amount", {}, limit=0)
    assert re.match(r"BUT THESE ROWS OVERLAP: [\d,]+ rows of fct_journal_lines count .* fiscal_period, line_code", told)
    assert traced("finance.income_statement", "actual_amount", line_code="net_sales").finding.shared == 0
    assert traced("sales.sales_performance", "net_sales_amount", store_id="367").finding.shared == 0


def test_a_newer_warehouse_is_said(keys: dict[str, str]) -> None:
    other = "update build_state.models set content_id = substring(content_id || 'x', 1, length(content_id) {} 1)"
    with changed(other + " where model_name = 'sales_performance'", {}):
        traced = report.trace(ROOT, MART, MEASURE, keys, limit=1)
    assert traced.agrees
    assert "The warehouse is newer than what is published" in report.verdict(traced)
    assert "newer" not in report.verdict(report.trace(ROOT, MART, MEASURE, keys, limit=1))


WHERE = " where business_date = %(business_date)s and store_id = %(store_id)s and department = %(department)s"


@contextmanager
def changed(statement: str, parameters: dict[str, str]) -> Iterator[None]:
    """Something in the database is otherwise meanwhile: the statement has {} for + and for -, which takes it back."""
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(statement.format("+").encode(), parameters)
        try:
            yield
        finally:
            connection.execute(statement.format("-").encode(), parameters)
