"""Each metric, by all that it may be asked by, is what plain SQL says of the published marts, as an analyst."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from conftest import ROOT, Demo, run
from journey import settings
from journey.embedded import LOADER, TRANSFORMER, environment
from journey.errors import JourneyError, UsageError
from journey.metrics import Answer, Metrics, Question
from journey.services.state import State

MONTH = "date_trunc('month', {})"
SALES = {"metric_time__day": "business_date", "store": "store_id", "department": "department"}
STORES = {"metric_time__month": "month_start_date", "store": "store_id"}
COHORTS = {
    "metric_time__month": "cohort_month_start_date",
    **{f"cohort_month__{name}": name for name in ("months_since_count", "is_cohort_cut", "is_partial_month")},
}
SEGMENTS = {"metric_time__month": "month_start_date", "segment": "segment_name"}
CAMPAIGNS = {
    "metric_time__day": "start_date", "campaign": "campaign_id", "campaign__campaign_type": "campaign_type"
}  # fmt: skip
MARGINS = {"metric_time__month": "period_start_date", "department": "member", "margin_month__breakdown": "breakdown"}
BUDGETS = {
    "metric_time__day": "period_start_date",
    "department": "department",
    **{f"budget_line__{name}": name for name in ("fiscal_period", "account_name", "account_type", "budget_version")},
}
LAST = "month_start_date = (select max(month_start_date) from {})"


@dataclass(frozen=True)
class Plain:
    """A metric in SQL.

    Attributes:
        value: what is computed.
        mart: from which table.
        by: each name that it may be asked by, and its column.
        where: of which rows.
        last: of which rows, where it isn't asked by month.
    """

    value: str
    mart: str
    by: Mapping[str, str]
    where: str = "true"
    last: str = "true"


def retained(months: int) -> Plain:
    return Plain(
        "sum(active_customers_count) / sum(cohort_customers_count)::double precision", "marketing.cohort_retention",
        COHORTS, f"months_since_count = {months} and not is_cohort_cut and not is_partial_month",
    )  # fmt: skip


def sales(value: str) -> Plain:
    return Plain(value, "sales.sales_performance", SALES)


def campaigns(value: str) -> Plain:
    return Plain(value, "marketing.campaign_performance", CAMPAIGNS)


def margins(value: str) -> Plain:
    return Plain(value, "finance.gross_margin", MARGINS, "breakdown = 'department'")


def budgets(value: str) -> Plain:
    return Plain(value, "finance.budget_vs_actual", BUDGETS, "budget_version = 'original'")


PLAIN = {
    "net_sales": sales("sum(net_sales_amount)"),
    "gross_sales": sales("sum(gross_sales_amount)"),
    "discounts": sales("sum(gross_sales_amount - net_sales_amount)"),
    "discount_rate": sales("1 - sum(net_sales_amount) / nullif(sum(gross_sales_amount), 0)"),
    "units": sales("sum(units_count)"),
    "baskets": Plain("sum(baskets_count)", "sales.store_performance", STORES),
    "average_basket": Plain("sum(net_sales_amount) / nullif(sum(baskets_count), 0)", "sales.store_performance", STORES),
    "new_customers": Plain(
        "count(first_purchase_date)", "marketing.customer_profiles",
        {
            "metric_time__day": "first_purchase_date", "customer": "customer_id", "segment": "segment_name",
            "customer__lifecycle_stage": "lifecycle_stage",
        },
    ),
    "active_customers": Plain(
        "sum(active_customers_count)", "marketing.cohort_retention",
        {**COHORTS, "metric_time__month": "month_start_date"}, last=LAST.format("marketing.cohort_retention"),
    ),
    "segment_customers": Plain(
        "sum(customers_count)", "marketing.customer_segments", SEGMENTS,
        last=LAST.format("marketing.customer_segments"),
    ),
    "active_customer_months": Plain("sum(active_customers_count)", "marketing.cohort_retention", COHORTS),
    "cohort_customer_months": Plain("sum(cohort_customers_count)", "marketing.cohort_retention", COHORTS),
    "retention_after_1_month": retained(1),
    "retention_after_3_months": retained(3),
    "retention_after_6_months": retained(6),
    "campaign_contacts": campaigns("sum(contacts_count)"),
    "campaign_cost": campaigns("sum(campaign_cost_amount)"),
    "redeeming_contacts": campaigns("sum(redeeming_customers_count)"),
    "redemption_rate": campaigns("sum(redeeming_customers_count) / nullif(sum(contacts_count), 0)::double precision"),
    "gross_margin": margins("sum(gross_margin_amount)"),
    "costed_net_sales": margins("sum(costed_net_sales_amount)"),
    "cost_of_goods": margins("sum(cost_of_goods_amount)"),
    "gross_margin_rate": margins("sum(gross_margin_amount) / nullif(sum(costed_net_sales_amount), 0)"),
    "net_income": budgets("sum(case when account_type = 'revenue' then 1 else -1 end * actual_amount)"),
    "budget_variance": budgets("sum(variance_amount)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def analyst(demo: Demo) -> Iterator[str]:
    """A login that reads the published marts and nothing else; the environment names it."""
    password = "a-password-of-the-tests"
    with psycopg.connect(autocommit=True) as admin, pytest.MonkeyPatch.context() as patch:
        admin.execute(SQL("create role test_asks login password {} in role analyst").format(password))
        patch.setenv("PGUSER", "test_asks")
        patch.setenv("PGPASSWORD", password)
        yield "test_asks"
        admin.execute(SQL("drop role {}").format(Identifier("test_asks")))


@pytest.fixture(scope="module")
def metrics(analyst: str) -> Metrics:
    return Metrics(ROOT, "demo")


@pytest.fixture(scope="module")
def connection(analyst: str) -> Iterator[psycopg.Connection[Any]]:
    with settings.connect(autocommit=True) as connection:
        yield connection


def test_each_metric_is_compared_by_all_that_it_may_be_asked_by(metrics: Metrics) -> None:
    assert {name: set(groups) for name, _, groups in metrics.listed()} == {
        name: set(plain.by) for name, plain in PLAIN.items()
    }


@pytest.mark.parametrize("name", PLAIN)
def test_a_metric_is_what_the_mart_says(metrics: Metrics, connection: psycopg.Connection[Any], name: str) -> None:
    plain = PLAIN[name]
    month = "metric_time__month"
    longer = {**plain.by, month: MONTH.format(plain.by.get(month) or plain.by["metric_time__day"])}
    seen = 0
    others = [one for one in plain.by if not one.startswith("metric_time")]
    for by in {(), *((one,) for one in [*plain.by, month]), tuple(plain.by), (month, *others)}:
        columns = [f"{longer[one]}{'::date' if one.startswith('metric_time') else ''}" for one in by]
        of = plain.where if any(one.startswith("metric_time") for one in by) else f"{plain.where} and {plain.last}"
        grouped = f"group by {', '.join(columns)}" if by else ""
        query = f"select {', '.join([*columns, plain.value])} from {plain.mart} where {of} {grouped}"
        expected = {tuple(row[:-1]): number(row[-1]) for row in connection.execute(query.encode())}
        found = {tuple(row[:-1]): number(row[-1]) for row in metrics.ask(Question([name], by)).rows}
        assert found.keys() == expected.keys(), by
        assert [key for key in found if not is_same(found[key], expected[key])] == [], by
        seen += sum(value is not None for value in found.values())
    assert seen or name.startswith("retention_after")  # eight weeks have no whole month after the second


def test_baskets_and_customers_are_those_of_the_facts(metrics: Metrics, embedded: State) -> None:
    """One that marts count apart is one, whatever metrics are asked by."""
    login = environment(embedded, TRANSFORMER)
    with psycopg.connect(user=login["PGUSER"], password=login["PGPASSWORD"]) as builder:
        found = builder.execute("""
            select
                date_trunc('month', business_date)::date,
                count(distinct basket_id) filter (where line_kind = 'sale'),
                count(distinct customer_key) filter (where customer_key not in (0, -1) and line_kind = 'sale')
            from warehouse.fct_sales
            group by 1
            order by 1
        """).fetchall()
    assert metrics.ask(Question(["baskets", "active_customers"], ["metric_time__month"])).rows == found


@pytest.mark.parametrize(
    ("names", "by", "told"),
    [
        (["baskets"], ["department"], "can't be asked by department, only by metric_time__month, store"),
        (["net_sales", "average_basket"], ["metric_time__day"], "only by metric_time__month, store"),
        (["active_customers"], ["store"], "can't be asked by store"),
        (["sales"], [], "there is no metric sales: `journey metrics` lists "),
    ],
)
def test_what_no_mart_can_tell_is_refused(metrics: Metrics, names: list[str], by: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        metrics.ask(Question(names, by))


def test_saved_queries_answer(metrics: Metrics) -> None:
    answers = [metrics.ask(Question(saved=name)) for name, _ in metrics.saved()]
    assert len(answers) >= 4
    assert all(answer.rows for answer in answers)
    with pytest.raises(UsageError, match="there is no saved query"):
        metrics.ask(Question(saved="nosuch"))


def test_conditions_order_and_limit_are_the_databases(metrics: Metrics, connection: psycopg.Connection[Any]) -> None:
    conditions = ["{{ TimeDimension('metric_time', 'month') }} = '2017-01-01'", "{{ Entity('department') }} <> 'FUEL'"]
    asked = Question(["net_sales"], ["department"], where=conditions, order=["-net_sales"], limit=3)
    assert (
        metrics.ask(asked).rows
        == connection.execute("""
        select department, sum(net_sales_amount) from sales.sales_performance
        where date_trunc('month', business_date) = '2017-01-01' and department <> 'FUEL'
        group by department order by 2 desc limit 3
    """).fetchall()
    )
    with pytest.raises(UsageError, match=r'PostgreSQL refuses the query: column "nosuch" does not exist'):
        metrics.ask(Question(["net_sales"], where=["nosuch = 1"]))


def test_who_may_not_read_a_mart_gets_no_figure(
    metrics: Metrics, embedded: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment(embedded, LOADER).items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(JourneyError, match=r"permission denied .*: log in as an analyst"):
        metrics.ask(Question(["net_sales"]))


def test_an_answer_is_shown_as_a_table_and_as_csv() -> None:
    answer = Answer(["day", "name", "rate"], [(date(2017, 1, 2), "a\x1b,b", 0.25), (None, "c", None)])
    assert answer.table().splitlines() == [
        "day         name         rate",
        "2017-01-02  a\\x1b,b  0.250000",
        "            c",
    ]
    assert answer.csv() == 'day,name,rate\n2017-01-02,"a\x1b,b",0.25\n,c,'


def test_the_command_answers(analyst: str) -> None:
    done = run("metrics", "net_sales", "--by", "metric_time__year", "--csv", "--target", "demo")
    assert done.stdout.startswith("metric_time__year,net_sales\n2017-01-01,"), done.stderr
    assert run("metrics", "--by", "store").stderr == "journey: of which metric? `journey metrics` lists them\n"


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def is_same(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else math.isclose(one, other, rel_tol=1e-9)
