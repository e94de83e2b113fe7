"""What each group can and can't do, from its members' own logins, in the database that the demo loaded and built."""

from __future__ import annotations

import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors, sql

from conftest import ROOT, Demo, run
from dbt_runs import administer
from journey import roles, settings
from journey.building import END
from journey.embedded import LOADER, RETYPER, TRANSFORMER
from journey.errors import JourneyError, UsageError
from journey.loader.postgres import connect, end_backend
from journey.loader.views import put_back, take_away, views_on
from journey.roles.names import Names, names_of
from journey.services import postgres
from journey.services.state import State

PASSWORD = "a-password-of-the-tests"
# members of each group, as a DBA makes them; whoever makes things acts as the group
MEMBERS = {"loader": True, "transformer": True, "analyst": False, "developer": False, "pii_reader": False, "": False}

CAN = {
    "loader": """
        insert into raw_loyalty.campaigns (campaign_id, _file_id) values (0, 1)
        delete from raw_pos.products
        create table raw_pos.nosuch (a integer)
        alter table raw_pos.products add column colour text
        create schema raw_new; create table raw_new.t (a integer)
        select * from loader.rejected_rows
        update loader.files set error = null
        select * from loader.forgotten_key
    """,
    "transformer": """
        select * from raw_loyalty.households
        select * from loader.files
        create table warehouse.nosuch (a integer)
        drop view marketing.customer_profiles cascade
        truncate built.publications
        create or replace view marketing.v as select 1 as a
        create schema nosuch
        select * from masking.key
        delete from build_state.models
    """,
    "analyst": """
        select * from marketing.customer_profiles
        select * from sales.sales_performance
        select * from finance.income_statement
        select * from publications.changes
        create temporary table mine as select * from sales.sales_performance
    """,
    "pii_reader": """
        select * from marketing.customer_profiles
        select * from finance.income_statement
    """,
    "developer": """
        select * from masked_raw_loyalty.households
        select * from masked_raw_pos.transactions limit 1
        select * from masked_loader.files
        select * from masked_warehouse.dim_customer
        select * from masked_warehouse.fct_sales limit 1
        create schema dev_me_staging; create table dev_me_staging.t as select * from masked_warehouse.dim_store
    """,
}

CANNOT = {
    "": """
        select * from marketing.customer_profiles
        select * from raw_pos.products
        select * from loader.files
        select * from masked_warehouse.dim_customer
        create schema nosuch
        create table public.nosuch (a integer)
        create table marketing.nosuch (a integer)
        set role analyst
    """,
    "loader": """
        select * from staging.stg_pos__transactions
        select * from warehouse.dim_customer
        select * from marketing.customer_profiles
        select * from snapshots.snap_accounts
        select * from masking.key
        select * from build_state.models
        insert into warehouse.dim_customer (customer_key) values (1)
        create table warehouse.nosuch (a integer)
        create view marketing.nosuch as select 1 as a
        drop view staging.stg_pos__transactions
        drop schema marketing cascade
        alter table marketing.customer_profiles owner to loader
        set role transformer
        create table public.nosuch (a integer)
        create role nosuch
        alter role analyst superuser
        set session_replication_role = replica
        copy raw_pos.products from '/etc/hostname'
        copy raw_pos.products to program 'true'
        select * from pg_authid
    """,
    "transformer": """
        insert into raw_loyalty.campaigns (campaign_id, _file_id) values (0, 1)
        update raw_pos.products set department = ''
        delete from raw_pos.transactions
        truncate raw_pos.products
        drop table raw_pos.products cascade
        alter table raw_pos.products add column colour text
        create table raw_pos.nosuch (a integer)
        create index on raw_pos.products (product_id)
        drop schema raw_pos cascade
        delete from loader.files
        update loader.rejected_rows set reason = ''
        select * from loader.forgotten_key
        select nextval('loader.files_file_id_seq')
        set role loader
        create role nosuch
        alter database journey set work_mem = '1GB'
        copy warehouse.dim_store to '/nosuch'
        select pg_read_file('/etc/hostname')
    """,
    "analyst": """
        select * from raw_loyalty.households
        select count(*) from raw_pos.transactions
        select * from loader.rejected_rows
        select * from loader.files
        select * from staging.stg_loyalty__households
        select * from warehouse.dim_customer
        select * from warehouse.fct_sales
        select * from built.int_customer_rfm_scored
        select * from built.int_hours_summed
        select * from masked_raw_loyalty.households
        select * from masked_warehouse.dim_customer
        select * from seeds.rfm_segments
        select * from snapshots.snap_accounts
        select * from build_state.models
        select * from masking.key
        select masking.scrambled(1, 32, '')
        insert into finance.general_ledger default values
        update sales.sales_performance set net_sales_amount = 0
        delete from finance.income_statement
        truncate built.publications
        drop view marketing.customer_profiles
        drop schema marketing cascade
        alter table marketing.customer_profiles add column mine text
        alter schema marketing rename to mine
        create index on marketing.customer_profiles (customer_id)
        comment on view marketing.customer_profiles is 'mine'
        lock table marketing.customer_profiles in access exclusive mode
        create table marketing.mine (a integer)
        create view marketing.mine as select 1 as a
        create function marketing.mine() returns integer language sql return 1
        create schema mine
        create table public.mine (a integer)
        alter default privileges for role transformer grant select on tables to analyst
        set role transformer
        set role loader
        set role pii_reader
        set role developer
        set session authorization transformer
        grant pii_reader to current_user
        create role mine
        copy marketing.customer_profiles to program 'true'
        create publication mine for all tables
    """,
    "pii_reader": """
        select * from raw_loyalty.households
        select * from warehouse.dim_customer
        select * from masking.key
        update finance.general_ledger set closing_amount = 0
        create schema mine
        set role transformer
    """,
    "developer": """
        select * from raw_loyalty.households
        select * from raw_pos.transactions
        select * from loader.files
        select * from loader.rejected_rows
        select * from staging.stg_loyalty__households
        select * from warehouse.dim_customer
        select * from warehouse.fct_sales
        select * from marketing.customer_profiles
        select * from finance.income_statement
        select * from snapshots.snap_accounts
        select * from masking.key
        select masking.scrambled(1, 32, '')
        insert into raw_pos.products (product_id) values (1)
        create table raw_pos.mine (a integer)
        create table warehouse.mine (a integer)
        create table masked_warehouse.mine (a integer)
        create or replace view masked_warehouse.dim_store as select 1 as a
        create table marketing.mine (a integer)
        drop table warehouse.dim_customer cascade
        drop schema staging cascade
        delete from build_state.models
        drop schema dev_another cascade
        select * from dev_another.t
        set role transformer
        set role pii_reader
        set role analyst
        create role mine
    """,
}


def cases(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(group, line.strip()) for group, lines in table.items() for line in lines.strip().splitlines()]


@pytest.fixture(scope="module")
def members(demo: Demo) -> Iterator[Callable[..., Connection[Any]]]:
    """Connections of a login that is in one group; of one that is in none for ""."""
    with psycopg.connect(autocommit=True) as admin:
        for group, acts in MEMBERS.items():
            admin.execute(f"create role test_{group} login password '{PASSWORD}'".encode())
            if group:
                admin.execute(f"grant {group} to test_{group}".encode())
            if acts:
                admin.execute(f"alter role test_{group} set role = {group}".encode())
        admin.execute(f"create role test_retype login password '{PASSWORD}' in role loader, transformer".encode())
        admin.execute("alter role test_retype set role = loader")
        admin.execute("create role test_another login in role developer")
        admin.execute("create schema dev_another authorization test_another; create table dev_another.t (a integer)")
    yield lambda group, **more: psycopg.connect(user=f"test_{group}", password=PASSWORD, **more)
    with psycopg.connect(autocommit=True) as admin:
        for group in [*MEMBERS, "another", "retype"]:
            admin.execute(f"drop owned by test_{group} cascade".encode())
            admin.execute(f"drop role test_{group}".encode())


@pytest.mark.parametrize(("group", "statement"), cases(CAN))
def test_it_can(members: Callable[..., Connection[Any]], group: str, statement: str) -> None:
    connection = members(group)
    connection.execute(statement.encode())
    connection.rollback()
    connection.close()


@pytest.mark.parametrize(("group", "statement"), cases(CANNOT))
def test_it_cannot(members: Callable[..., Connection[Any]], group: str, statement: str) -> None:
    connection = members(group)
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())
    connection.close()


def test_each_is_tried_enough() -> None:
    assert len(cases(CANNOT)) >= 100
    assert set(CANNOT) == set(MEMBERS)


def test_no_superuser_loaded_or_built_the_demo(demo: Demo) -> None:
    built = names_of(ROOT).built
    owners = {
        (owner, schema not in built)
        for schema, owner in demo.owners
        if schema == "loader" or schema.startswith("raw_") or schema in built
    }
    with psycopg.connect() as connection:
        logins = connection.execute(
            "select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = any(%s)",
            [[LOADER, TRANSFORMER, RETYPER]],
        ).fetchall()
    assert owners == {("loader", True), ("transformer", False)}
    assert logins == [(False,) * 4] * 3


def test_grants_survive_what_is_made_later(
    members: Callable[..., Connection[Any]], embedded: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    with members("loader", autocommit=True) as loader, members("transformer", autocommit=True) as transformer:
        try:
            loader.execute("create schema raw_later; create table raw_later.t (a integer)")
            transformer.execute("select * from raw_later.t")
            made = "select max(oid) from pg_class where relkind = 'r' and relname ~ '^customer_segments__[0-9]$'"
            before = transformer.execute(made).fetchone()
            monkeypatch.setenv("PGUSER", TRANSFORMER)
            monkeypatch.setenv("PGPASSWORD", embedded.logins[TRANSFORMER])
            selected = ("--select", "customer_segments", "--exclude-resource-type", "test", "unit_test")
            done = run("build", "--target", "demo", "--full-refresh", *selected)
            assert done.returncode == 0, done.stdout
            assert transformer.execute(made).fetchone() != before, "it wasn't made anew"
            with members("analyst") as analyst:
                analyst.execute("select * from marketing.customer_segments")
                with pytest.raises(errors.InsufficientPrivilege):
                    analyst.execute("select * from raw_later.t")
        finally:
            loader.execute("drop schema if exists raw_later cascade")


def test_a_loaders_login_sees_and_ends_its_own_sessions(
    members: Callable[..., Connection[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group may not end what its members do; without that, a lost connection keeps a file."""
    monkeypatch.setenv("PGUSER", "test_loader")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with connect("lost") as lost, connect("another") as another:
        session = getattr(lost, "session", None)
        assert session is not None
        assert session[1] is not None, "it isn't told when its session began"
        end_backend(another, session)
        assert another.execute("select current_user").fetchone() == ("loader",)
        with pytest.raises(psycopg.OperationalError):
            lost.execute("select 1")


def test_a_build_ends_its_own_statements(
    members: Callable[..., Connection[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C does: a group isn't shown what its members' sessions do, the login is."""
    monkeypatch.setenv("PGUSER", "test_transformer")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    building = members("transformer", autocommit=True)
    building.pgconn.send_query(b"/* dbt of-a-test, model.one */ select pg_sleep(60)")
    ended = []
    for as_login, seconds in ((False, 2), (True, 30)):
        with settings.connect(autocommit=True, as_login=as_login) as connection:
            until = time.monotonic() + seconds
            while not (found := connection.execute(END, ["/* dbt of-a-test"]).fetchall()) and time.monotonic() < until:
                time.sleep(0.1)
            ended.append(found)
    building.close()
    assert ended == [[], [(True,)]]


def test_views_on_a_raw_table_are_taken_away_and_put_back(
    members: Callable[..., Connection[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `journey retype` does, which needs a login of both groups: it says so to any other."""
    products: Any = SimpleNamespace(schema="raw_pos", table="products")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("PGUSER", "test_loader")
    with connect("retype") as connection:
        views = views_on(connection, products)
        assert ("staging", "stg_pos__products", "transformer") in {(one.schema, one.name, one.owner) for one in views}
        with pytest.raises(JourneyError, match="a login that is in both groups"), connection.transaction():
            take_away(connection, products, views)
    monkeypatch.setenv("PGUSER", "test_retype")
    with connect("retype") as connection, connection.transaction(force_rollback=True):
        take_away(connection, products, views)
        assert views_on(connection, products) == []
        put_back(connection, views)
        assert views_on(connection, products) == views
        assert connection.execute("select current_user").fetchone() == ("loader",)


def catalogue(database: str) -> list[tuple[Any, ...]]:
    """Owners and grants of everything but what PostgreSQL brings."""
    with psycopg.connect(dbname=database) as connection:
        return connection.execute(
            """select 'schema', nspname::text, pg_get_userbyid(nspowner)::text,
                   coalesce(nspacl, acldefault('n', nspowner))::text
               from pg_namespace
               where nspname !~ '^pg_'
               union all
               select relkind::text, oid::regclass::text, pg_get_userbyid(relowner),
                   coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))::text
               from pg_class
               where relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
               union all
               select 'default', defaclnamespace::regnamespace::text, pg_get_userbyid(defaclrole), defaclacl::text
               from pg_default_acl
               union all
               select 'function', oid::regprocedure::text, pg_get_userbyid(proowner), proacl::text from pg_proc
               where pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
               order by 1, 2, 3, 4"""
        ).fetchall()


def test_it_may_be_run_again(demo: Demo, tmp_path: Any) -> None:
    run("roles")  # other tests may have built as the superuser
    before = catalogue("journey")
    done = run("roles")
    assert done.returncode == 0, done.stderr
    assert "analysts read finance, marketing, publications, sales" in done.stdout
    assert catalogue("journey") == before
    (tmp_path / "roles.sql").write_text(run("roles", "--sql").stdout)
    by_hand = subprocess.run(
        [postgres.bin_dir() / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", tmp_path / "roles.sql"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (by_hand.returncode, by_hand.stderr) == (0, "")
    assert catalogue("journey") == before


@contextmanager
def built_by_one(owner: str) -> Iterator[str]:
    """A database whose owner made all that is in it, as before there were groups."""
    database = f"test_{uuid.uuid4().hex[:12]}"
    administer(f"create database {database} owner {owner}")
    try:
        with psycopg.connect(dbname=database, autocommit=True) as connection:
            connection.execute(f"set session authorization {owner}".encode())
            connection.execute(
                """create schema loader; create table loader.files (file_id integer generated always as identity);
                   create function loader.current_file_id() returns integer language sql return 1;
                   create schema raw_shop; create table raw_shop.sales
                       (amount integer, _file_id integer not null default loader.current_file_id());
                   create sequence raw_shop.numbers;
                   create schema staging; create view staging.stg_sales as select amount from raw_shop.sales;
                   create schema sales; create table sales.sales_performance as select * from staging.stg_sales;
                   create materialized view sales.summed as select sum(amount) from sales.sales_performance;
                   grant usage on schema raw_shop to public; grant select on all tables in schema raw_shop to public;
                   create schema elsewhere; create table elsewhere.t (a integer)"""
            )
        yield database
    finally:
        administer(f"drop database {database} with (force)")


def roles_that(connection: Connection[Any], pattern: str) -> list[str]:
    rows = connection.execute("select rolname from pg_roles where rolname like %s order by 1", [pattern]).fetchall()
    return [name for (name,) in rows]


def drop_groups(prefix: str) -> None:
    administer(*(f"drop role if exists {prefix}{group}" for group in reversed(roles.GROUPS)))


@pytest.mark.parametrize("kind", ["superuser", "createrole"])
def test_what_one_login_built_goes_over_to_the_groups(embedded: State, kind: str) -> None:
    """The master user of RDS is no superuser: it has CREATEROLE, and owns its database."""
    prefix = f"t{uuid.uuid4().hex[:8]}_"
    administer(f"create role {prefix}owner login {kind} password '{PASSWORD}'")
    try:
        with built_by_one(f"{prefix}owner") as database:
            own = psycopg.connect(dbname=database, user=f"{prefix}owner", password=PASSWORD, autocommit=True)
            with own:
                names = Names(prefix, *names_of(ROOT)[1:])
                roles.apply(own, names)
                before = catalogue(database)
                roles.apply(own, names)
                assert catalogue(database) == before
            found = {name: owner for _, name, owner, _ in before}
            loaders = ("loader", "loader.files", "loader.files_file_id_seq", "loader.current_file_id()", "raw_shop",
                       "raw_shop.sales", "raw_shop.numbers")  # fmt: skip
            assert {found[name] for name in loaders} == {f"{prefix}loader"}
            transformers = (
                "staging",
                "staging.stg_sales",
                "sales",
                "sales.sales_performance",
                "sales.summed",
                "masking",
            )
            assert {found[name] for name in transformers} == {f"{prefix}transformer"}
            assert found["elsewhere.t"] == f"{prefix}owner", "it isn't the project's"
            public = [name for kind, name, _, acl in before if kind != "function" and re.search("[{,]=", acl)]
            assert {*public} <= {"public", "information_schema"}, "everybody may do something there"
            with psycopg.connect(dbname=database, autocommit=True) as admin:
                for group, may, may_not in (
                    ("loader", "create schema raw_new; create table raw_new.t (a int)", "create table sales.t (a int)"),
                    (
                        "transformer",
                        "table raw_new.t; create view sales.later as select 1 as a",
                        "delete from raw_new.t",
                    ),
                    ("analyst", "create temporary table mine (a integer)", "select * from raw_new.t"),
                    ("developer", "create temporary table t (a integer)", "create table masking.t (a integer)"),
                    ("loader", "insert into raw_shop.sales values (1)", "select * from staging.stg_sales"),
                    ("transformer", "select * from staging.stg_sales", "delete from raw_shop.sales"),
                    ("analyst", "select * from sales.sales_performance", "select * from raw_shop.sales"),
                    ("pii_reader", "select * from sales.summed", "select * from staging.stg_sales"),
                    ("developer", "create schema mine", "select * from raw_shop.sales"),
                ):
                    admin.execute(f"set role {prefix}{group}".encode())
                    admin.execute(may.encode())
                    with pytest.raises(errors.InsufficientPrivilege):
                        admin.execute(may_not.encode())
                    admin.execute("reset role")
    finally:
        drop_groups(prefix)
        administer(f"drop role {prefix}owner")


def test_whoever_may_not_is_told_in_a_line(embedded: State, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    administer(f"create role test_nobody login password '{PASSWORD}'")
    monkeypatch.setenv("PGUSER", "test_nobody")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    try:
        done = run("roles")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "test_nobody may not create roles" in done.stderr
        assert "journey roles --sql" in done.stderr
        monkeypatch.setenv("PGUSER", "journey")
        monkeypatch.setenv("PGPASSWORD", embedded.postgres_password)
        administer("alter role test_nobody createrole")
        prefix = f"t{uuid.uuid4().hex[:8]}_"
        with psycopg.connect(user="test_nobody", password=PASSWORD, autocommit=True) as connection:
            with pytest.raises(UsageError, match="only the owner of database"):
                roles.apply(connection, Names(prefix, ("sales",), ("sales",)))
            assert roles_that(connection, f"{prefix}%") == [], "half of it was done"
    finally:
        administer("drop role test_nobody")


def test_a_role_of_something_else_is_left_alone(embedded: State, database: str) -> None:
    prefix = f"t{uuid.uuid4().hex[:8]}_"
    administer(f"create role {prefix}analyst login")
    try:
        with psycopg.connect(autocommit=True) as connection:
            with pytest.raises(UsageError, match="set the variable role_prefix"):
                roles.apply(connection, Names(prefix, ("sales",), ("sales",)))
            assert roles_that(connection, f"{prefix}%") == [f"{prefix}analyst"]
    finally:
        administer(f"drop role {prefix}analyst")


def test_builds_of_two_logins_see_each_other(
    members: Callable[..., Connection[Any]], embedded: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is shown the statements of another login, so a run is known by its application's name, too."""
    run_id = str(uuid.uuid4())
    row = sql.SQL("insert into build_state.builds values ({}, now(), 'somebody', 'build')").format(run_id)
    with members("transformer", application_name=f"dbt {run_id}", autocommit=True) as another:
        another.execute(row)
        try:
            monkeypatch.setenv("PGUSER", TRANSFORMER)
            monkeypatch.setenv("PGPASSWORD", embedded.logins[TRANSFORMER])
            done = run("build", "--target", "demo", "--select", "dim_store")
        finally:
            another.execute("delete from build_state.builds where run_id = %s", [run_id])
    assert done.returncode != 0
    assert "somebody builds" in done.stdout + done.stderr
