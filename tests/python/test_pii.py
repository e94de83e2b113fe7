"""A person's columns: masked for whoever isn't one of pii_reader, and tagged wherever they are carried on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.cli.main import dbtRunner
from psycopg import Connection

from conftest import ROOT, Demo
from dbt_runs import QUIETLY
from journey.services.state import State
from lineage import carrying, untagged

PASSWORD = "a-password-of-the-tests"
PROFILES = """
    {%- set node = graph.nodes['model.data_journey.MODEL'] -%}
    create view VIEW as select
    {% for column in node.columns.values() %}
    {{ published_column(column) }} as {{ column.name }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ built_relation(node) }}
"""
HIDDEN = ("home_ownership", "marital_status", "household_size", "household_composition", "kids_count")


def dbt(folder: Path, target: Path, *arguments: str, of: str = "demo") -> Any:
    """A dbt command's result, in this process.

    Args:
        folder: the project.
        target: folder for what dbt writes.
        arguments: as on dbt's command line.
        of: the profile's target.
    """
    quietly = [argument for argument in QUIETLY if argument != "--no-write-json"]
    places = ["--project-dir", str(folder), "--profiles-dir", str(ROOT), "--target", of]
    places += ["--target-path", str(target), "--log-path", str(target)]
    ran: Any = dbtRunner().invoke([*quietly, *arguments, *places])
    if not ran.success:
        raise AssertionError(str(ran.exception or [one.message for one in ran.result.results]))
    return ran.result


@pytest.fixture(scope="module")
def readers(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Connection[Any]]]:
    """Connections of an analyst, of one who may read persons' columns, and of one who is both; views to read."""
    target = tmp_path_factory.mktemp("inline")
    views = {"customer_profiles": "marketing.profiles_seen", "gross_margin": "finance.margin_seen"}
    groups = {"analyst": "analyst", "pii": "pii_reader", "developer": "developer"}
    views_sql = "; ".join(PROFILES.replace("MODEL", model).replace("VIEW", view) for model, view in views.items())
    compiled = dbt(ROOT, target, "compile", "--inline", views_sql).results[0].node.compiled_code
    with psycopg.connect(autocommit=True) as admin:
        for login, group in groups.items():
            admin.execute(f"create role see_{login} login password '{PASSWORD}' in role {group}".encode())
        admin.execute(f"create role see_quiet login noinherit password '{PASSWORD}' in role pii_reader".encode())
        admin.execute("set role transformer")
        admin.execute(compiled.encode())
        admin.execute(f"grant select on {', '.join(views.values())} to analyst".encode())
    yield lambda login: psycopg.connect(user=f"see_{login}", password=PASSWORD, autocommit=True)
    with psycopg.connect(autocommit=True) as admin:
        for view in views.values():
            admin.execute(f"drop view {view} cascade".encode())
        for login in [*groups, "quiet"]:
            admin.execute(f"drop owned by see_{login} cascade".encode())
            admin.execute(f"drop role see_{login}".encode())


def rows(connection: Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def test_an_analyst_sees_masks_and_a_pii_reader_values(readers: Callable[[str], Connection[Any]]) -> None:
    columns = f"customer_id, age_band, income_band, baskets_count, {', '.join(HIDDEN)}"
    with psycopg.connect() as connection:
        truth = rows(connection, f"select {columns} from marketing.customer_profiles order by customer_id")
    with readers("pii") as pii:
        assert rows(pii, f"select {columns} from marketing.profiles_seen order by customer_id") == truth
    with readers("analyst") as analyst:
        seen = rows(analyst, f"select {columns} from marketing.profiles_seen order by customer_id")
    assert len(seen) == len(truth) > 1000
    assert {value for row in seen for value in row[4:]} == {None}
    assert {row[1] for row in seen} == {None, "from 0", "from 20", "from 40", "from 60"}
    assert {row[2] for row in seen} <= {None, "from 0", "from 50", "from 100", "from 150", "from 200", "from 250"}
    assert sorted(row[3] for row in seen) == sorted(row[3] for row in truth), "what isn't a person's changed"
    assert len({row[0] for row in seen}) == len(truth), "two customers became one"
    assert len({row[0] for row in seen} & {row[0] for row in truth}) < 5


def test_what_is_masked_is_not_found_by_filter_join_order_or_function(
    readers: Callable[[str], Connection[Any]],
) -> None:
    with psycopg.connect() as connection:
        ids = [one for (one,) in rows(connection, "select customer_id from marketing.customer_profiles limit 300")]
    many, texts = ", ".join(f"({one})" for one in ids), ", ".join(f"('{one}')" for one in ids)
    with readers("analyst") as analyst:
        analyst.execute("create temporary table noted (value text)")
        analyst.execute(
            """create function pg_temp.noted(value anyelement) returns boolean language plpgsql cost 0.0000001 as $$
               begin insert into noted values (value::text); return true; end $$"""
        )
        # the planner may call what costs nothing before anything else
        rows(analyst, "select * from marketing.profiles_seen where pg_temp.noted(customer_id) and baskets_count > 3")
        rows(analyst, "select * from marketing.profiles_seen where pg_temp.noted(marital_status) or customer_id < 0")
        assert rows(analyst, f"select count(*) < 5 from noted where value in (values {texts})") == [(True,)]
        assert rows(analyst, "select count(*) from noted where value ~ '[a-zA-Z]'") == [(0,)]
        for query in (
            "select count(*) from marketing.profiles_seen where marital_status = 'Married'",
            "select count(*) from marketing.profiles_seen where marital_status is not null",
            "select count(*) from marketing.profiles_seen where age_band in ('45-54', '65+', 'Unknown')",
            "select count(*) from marketing.profiles_seen where income_band like '%K%'",
            "select count(*) from marketing.profiles_seen join (values ('Married')) as v (a) on marital_status = a",
            "select count(distinct kids_count) from marketing.profiles_seen",
            "select count(*) from (select max(household_size) as a from marketing.profiles_seen) as m where a > ''",
            "select count(*) from pg_stats where tablename in ('customer_profiles', 'dim_customer') "
            "and schemaname in ('warehouse', 'masking')",
        ):
            assert rows(analyst, query) == [(0,)], query
        [(found,)] = rows(
            analyst, f"select count(*) from marketing.profiles_seen join (values {many}) as v (id) on customer_id = id"
        )
        assert found < 5
        plan = rows(analyst, "explain (analyze, verbose) select customer_id from marketing.profiles_seen limit 1")
        assert "secret" not in str(plan).replace("key.secret", "")


def test_a_mask_holds_for_the_rights_that_are_used(readers: Callable[[str], Connection[Any]]) -> None:
    """Not for the login behind `set role`, nor for whoever owns a view in between."""
    seen = "select count(marital_status) > 0 from {}"
    with readers("pii") as pii:
        assert rows(pii, seen.format("marketing.profiles_seen")) == [(True,)]
        pii.execute("set role analyst")
        assert rows(pii, seen.format("marketing.profiles_seen")) == [(False,)]
    with readers("quiet") as quiet:  # it doesn't inherit: pii_reader it is where it says so
        quiet.execute("set role pii_reader")
        assert rows(quiet, seen.format("marketing.profiles_seen")) == [(True,)]
    with psycopg.connect(autocommit=True) as admin:
        admin.execute("create schema of_pii authorization see_pii; grant usage on schema of_pii to analyst")
        try:
            admin.execute("set role see_pii")
            admin.execute("create view of_pii.mine as select * from marketing.profiles_seen")
            admin.execute("grant select on of_pii.mine to analyst")
            with readers("analyst") as analyst:
                assert rows(analyst, seen.format("of_pii.mine")) == [(False,)]
        finally:
            admin.execute("reset role; drop schema of_pii cascade")


def test_a_column_may_be_a_persons_in_some_rows_only(readers: Callable[[str], Connection[Any]]) -> None:
    query = "select breakdown, array_agg(distinct member order by member) from {} group by breakdown order by breakdown"
    with psycopg.connect() as connection:
        truth = dict(rows(connection, query.format("finance.gross_margin")))
    with readers("analyst") as analyst:
        seen = dict(rows(analyst, query.format("finance.margin_seen")))
        known = rows(analyst, "select count(*) from finance.margin_seen join marketing.profiles_seen "
                              "on member = customer_id::text and breakdown = 'customer'")  # fmt: skip
    assert known[0][0] > 1000, "margins no longer join their customers"
    customers, masked = truth.pop("customer"), seen.pop("customer")
    assert seen == truth
    assert len(masked) == len(customers) > 1000
    assert len({*masked} & {*customers}) < 5


def test_a_developer_reads_the_same_masks(readers: Callable[[str], Connection[Any]]) -> None:
    with readers("developer") as developer:
        for table in ("masked_raw_loyalty.households", "masked_warehouse.dim_customer"):
            assert rows(developer, f"select count(marital_status), count(kids_count) from {table}") == [(0, 0)]
        # ids still join: of households, of sales and of the warehouse
        assert rows(
            developer,
            "select count(*) > 500 from masked_warehouse.dim_customer where customer_id in "
            "(select household_id from masked_raw_loyalty.households) and customer_id in "
            "(select household_id from masked_raw_pos.transactions)",
        ) == [(True,)]
        assert rows(developer, "select count(raw_text), count(reason) from masked_loader.rejected_rows") == [(0, 0)]


def test_a_developer_builds_a_copy_from_masks(
    readers: Callable[[str], Connection[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fact by touched dates and its dimensions: nothing that isn't masked is asked for, and ids join."""
    with psycopg.connect() as connection:
        counts = "select count(*), count(distinct customer_id), count(distinct customer_key) from {}"
        truth = rows(connection, counts.format("warehouse.fct_coupon_redemptions"))
    for name, value in {"PGUSER": "see_developer", "PGPASSWORD": PASSWORD, "DBT_SCHEMA": "dev_see"}.items():
        monkeypatch.setenv(name, value)
    selected = ("--select", "+fct_coupon_redemptions", "--exclude-resource-type", "unit_test", "test")
    with pytest.raises(AssertionError, match="permission denied"):
        dbt(ROOT, tmp_path, "build", *selected, of="dev")
    monkeypatch.setenv("DBT_MASKED", "1")
    dbt(ROOT, tmp_path, "build", *selected, of="dev")
    with readers("developer") as developer:
        assert rows(developer, counts.format("dev_see_warehouse.fct_coupon_redemptions")) == truth
        attributes = "count(*) filter (where marital_status <> 'Unknown'), count(*) > 1000"
        assert rows(developer, f"select {attributes} from dev_see_warehouse.dim_customer") == [(0, True)]


def test_a_readers_own_functions_are_not_handed_the_key(readers: Callable[[str], Connection[Any]]) -> None:
    """Who may make functions may make a sha256() of his own, and look there first."""
    with readers("developer") as developer:
        developer.execute(
            """create schema dev_evil; create table dev_evil.caught (value text);
               create function dev_evil.sha256(value bytea) returns bytea language plpgsql as $$
               begin insert into dev_evil.caught values (value::text); return pg_catalog.sha256(value); end $$;
               create function dev_evil.encode(value bytea, kind text) returns text language plpgsql as $$
               begin insert into dev_evil.caught values (value::text); return pg_catalog.encode(value, kind); end $$;
               set search_path = dev_evil, pg_catalog"""
        )
        assert rows(developer, "select count(household_id) > 500 from masked_raw_loyalty.households") == [(True,)]
        assert rows(developer, "select sha256('a') is not null") == [(True,)]
        assert rows(developer, "select count(*) from caught") == [(1,)], "it caught more than what he called himself"
        developer.execute("drop schema dev_evil cascade")


def test_scrambled_is_one_to_one(demo: Demo) -> None:
    with psycopg.connect() as connection:
        for bits, least, most in ((32, -(2**31), 2**31 - 1), (64, -(2**63), 2**63 - 1)):
            [(count, distinct_count, low, high, same)] = rows(
                connection,
                f"""select count(*), count(distinct s), min(s), max(s), count(*) filter (where s = v) from (
                    select v, masking.scrambled(v, {bits}, 'k') as s from (
                        select generate_series(-20000, 20000)::bigint as v
                        union select {least} union select {most}) as v) as scrambled""",
            )
            assert count == distinct_count == 40003
            assert (low >= least, high <= most, high > most // 2, same < 5) == (True, True, True, True)
        assert rows(connection, "select masking.scrambled(1, 64, 'a') = masking.scrambled(1, 64, 'b')") == [(False,)]


@pytest.fixture
def small(tmp_path: Path) -> Callable[[str], Any]:
    """What dbt makes of one model, in a project of the macros alone."""
    for name in ("dbt_project.yml", "macros"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "models").mkdir()

    def compiled(select: str) -> Any:
        (tmp_path / "models" / "one.sql").write_text(select)
        places = ["--project-dir", str(tmp_path), "--profiles-dir", str(ROOT), "--target", "demo"]
        ran: Any = dbtRunner().invoke([*QUIETLY, "--warn-error-options", "{}", "compile", *places])
        if not ran.success:
            return ran.exception
        return next(one.node.compiled_code for one in ran.result.results if one.node.name == "one")

    return compiled


@pytest.mark.parametrize(
    "said", ["band", "secret", "hash 5", "band 5 as text", "hidden as text", "band 0", "none at all"]
)
def test_what_pii_does_not_take(embedded: State, small: Callable[[str], Any], said: str) -> None:
    column = {"name": "a", "data_type": "integer", "config": {"meta": {"pii": said}}}
    assert f"column a: pii is {said}" in str(small(f"select {{{{ published_column({column}) }}}} as a"))


def test_a_mask_is_of_the_columns_type(demo: Demo, small: Callable[[str], Any]) -> None:
    values = {"integer": "-17", "bigint": "17", "text": "'35-44K'", "numeric(10,2)": "17.25", "date": "'2017-01-01'"}
    expected = {
        ("integer", "band 5"): "-20", ("bigint", "band 5"): "15", ("text", "band 20"): "from 20",
        ("numeric(10,2)", "band 10"): "10.00", ("date", "hidden"): None, ("boolean", "hidden"): None,
        ("integer", "hidden where a < 0"): None, ("integer", "hidden where a > 0"): "-17",
        ("integer", "hidden where a > null"): None, ("text", "none"): "35-44K", ("text", ""): "35-44K",
    }  # fmt: skip
    wanted = [*expected, *((kind, "hash") for kind in ("integer", "bigint", "text"))]
    selects = []
    for kind, said in wanted:
        meta = {"pii": said} if said else {}
        column = {"name": "a", "data_type": kind, "config": {"meta": meta}}
        one = f"cast({values.get(kind, 'null')} as {kind}) as a"
        selects.append(f"select {{{{ published_column({column}) }}}} as a from (select {one}) as one")
    parts = " union all ".join(
        f"select {i} as i, pg_typeof(a)::text, a::text from ({one}) as o" for i, one in enumerate(selects)
    )
    statement = small(parts)
    with psycopg.connect() as connection:
        connection.execute("set role transformer")  # is no pii_reader
        seen = rows(connection, f"{statement} order by i")
    for (kind, said), (_, type_seen, value) in zip(wanted, seen, strict=True):
        assert type_seen == kind.split("(")[0], (kind, said)
        if said == "hash":
            assert value not in (None, values[kind].strip("'"))
        else:
            assert value == expected[kind, said], (kind, said)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("select id, name from t", {"name"}),
        ("select * from t", {"name"}),
        ("with a as (select * from t) select name as other from a", {"other"}),
        ("select a.name as b from (select name from t) as a", {"b"}),
        ("select id as x from t union all select name as y from t", {"x"}),
        ("select id as x from u union all select id as y from u", set()),
        ("select coalesce(name, '') as a, upper(name) as b, name || 'x' as c from t", {*"abc"}),
        ("select cast(name as varchar) as a, (name) as b from t", {*"ab"}),
        ("select md5(name) as a, name = 'x' as b, case when name = 'x' then 1 end as c from t", {*"abc"}),
        ("select case id when 1 then name else 'x' end as a, (select max(name) from t) as b from u", {"b"}),
        ("select max(name) as a, array_agg(name) as b, min(name) filter (where id > 1) as c from t", {*"abc"}),
        ("select count(name) as a, count(distinct name) as b, count(*) as c, sum(id) as d from t group by name", set()),
        ("select lag(name) over (order by id) as a, rank() over (partition by name order by id) as b from t", {"a"}),
        ("select u.id from u join t on t.name = u.id where t.name = 'x' order by t.name", set()),
        ("select l.a from t cross join lateral (select t.name as a) as l", {"a"}),
        ("with recursive r as (select name, 1 as n from t union select name, n + 1 from r) select * from r", {"name"}),
        ("select string_agg(name, ',') as a, mod(s.hash(name), 20) as b from t", {*"ab"}),
    ],
)  # fmt: skip
def test_lineage(select: str, expected: set[str]) -> None:
    select = (
        select.replace("from t", "from s.t as t").replace("join t", "join s.t as t").replace("from u", "from s.u as u")
    )
    assert carrying(select, {"s.t": {"id": False, "name": True}, "s.u": {"id": False}}) == expected


@pytest.mark.parametrize("project", [ROOT, ROOT / "examples" / "hofladen"], ids=lambda path: path.name)
def test_a_persons_column_that_is_carried_on_is_tagged(
    embedded: State, database: str, tmp_path: Path, project: Path
) -> None:
    """By lineage: a new column, or a new model, can't slip past."""
    dbt(project, tmp_path, "compile")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert untagged(manifest) == []
    node = manifest["nodes"]["model.data_journey.customer_profiles"]
    del node["columns"]["marital_status"]["config"]["meta"]["pii"]
    assert untagged(manifest) == ["customer_profiles.marital_status"]
