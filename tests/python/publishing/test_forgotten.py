"""After a person was forgotten, and the marts are built, no dump, no table and no statistics know of the person."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from conftest import ROOT
from dbt_runs import Dbt, Ran
from journey import roles
from journey.cli import cli
from journey.embedded import LOADER, TRANSFORMER, environment
from journey.loader.run import load
from journey.services import postgres
from journey.services.state import State

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ID, PLANTED = "918273645", ("918273645", "zoe@planted", "Planted Road")
SOURCES = """
sources:
  - name: club
    schema: raw_club
    tables:
      - name: members
        external: {location: "s3://BUCKET/members/", file_format: csv}
        columns:
          - {name: member_id, data_type: integer, config: {meta: {pii: hash, person: member, forget: remove}}}
          - {name: email, data_type: text, config: {meta: {pii: hidden}}}
      - name: sales
        external: {location: "s3://BUCKET/sales/", file_format: csv}
        columns:
          - {name: day, data_type: date}
          - {name: member_id, data_type: integer, config: {meta: {pii: hash, person: member, forget: pseudonym}}}
          - {name: address, data_type: text, config: {meta: {pii: hidden}}}
          - {name: amount, data_type: integer}
"""
SNAPSHOT = """
snapshots:
  - name: members_history
    relation: ref('stg_members')
    config: {unique_key: member_id, strategy: check, check_cols: [email], hard_deletes: invalidate}
    columns:
      - {name: member_id, description: Member., config: {meta: {pii: hash, person: member}}}
"""
MODELS = {
    "staging/stg_members": ("select member_id, email, _file_id from {{ source('club', 'members') }}", {}),
    "staging/stg_sales": ("select day, member_id, address, amount, _file_id from {{ source('club', 'sales') }}", {}),
    "warehouse/known_members": (
        "select member_id, max(email) as email from {{ ref('members_history') }} group by member_id",
        {"member_id": "integer", "email": "text"},
    ),
    "warehouse/purchases": (
        "{{ config(partition_by={'field': 'day', 'granularity': 'day'}) }}\n"
        "select day, member_id, address, amount from {{ ref('stg_sales') }}",
        {"day": "date", "member_id": "integer", "address": "text", "amount": "integer"},
    ),
    "marts/sales/by_member": (
        "select purchases.member_id, max(email) as email, max(address) as address, "
        "cast(sum(amount) as bigint) as amount from {{ ref('purchases') }} as purchases "
        "left join {{ ref('known_members') }} as known "
        "on purchases.member_id = known.member_id group by purchases.member_id",
        {"member_id": "integer", "email": "text", "address": "text", "amount": "bigint"},
    ),
    "marts/sales/by_day": (
        "{{ config(partition_by={'field': 'day', 'granularity': 'day'}) }}\n"
        "select day, min(member_id) as first_member_id, cast(sum(amount) as bigint) as amount "
        "from {{ ref('purchases') }} group by day",
        {"day": "date", "first_member_id": "integer", "amount": "bigint"},
    ),
}


def write(folder: Path, bucket: str) -> None:
    """A project with a person's way through all layers."""
    folder.mkdir()
    (folder / "macros").symlink_to(ROOT / "macros")
    shutil.copytree(ROOT / "models" / "staging" / "loader", folder / "models" / "staging" / "loader")
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    settings = {name: value for name, value in project.items() if not name.endswith("-paths")}
    for unused in ("seeds", "data_tests"):
        del settings[unused]
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
    (folder / "models" / "sources.yml").write_text(SOURCES.replace("BUCKET", bucket))
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "history.yml").write_text(SNAPSHOT)
    for path, (sql, columns) in MODELS.items():
        file = folder / "models" / f"{path}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sql)
        described = ", ".join(f"{{name: {name}, data_type: {kind}}}" for name, kind in columns.items())
        headline = "{measures: [amount], period: day}" if file.stem == "by_day" else "null"
        file.with_suffix(".yml").write_text(
            f"models: [{{name: {file.stem}, description: Simulated., columns: [{described}], "
            f"config: {{meta: {{headline: {headline}}}}}}}]"
        )


class Club:
    """The project, its files and its database, used by the logins that the embedded PostgreSQL has for it."""

    def __init__(self, folder: Path, bucket: str, s3: S3Client, state: State) -> None:
        write(folder, bucket)
        self.folder, self.bucket, self.s3, self.state = folder, bucket, s3, state
        with psycopg.connect(autocommit=True) as connection:
            roles.apply(connection, roles.names_of(folder))
        self.dbt = Dbt(folder / "target", folder)

    def deliver(self, **bodies: str) -> None:
        """Files come, and are loaded and built."""
        for name, body in bodies.items():
            self.s3.put_object(Bucket=self.bucket, Key=name.replace("_", "/"), Body=body.encode())
        with pytest.MonkeyPatch.context() as patch:
            self.act_as(patch, LOADER)
            assert load(sources=self.dbt.sources(self.bucket)).failures == []
        self.build()

    def build(self, *arguments: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            self.act_as(patch, TRANSFORMER)
            assert self.dbt("build", *arguments) == Ran()

    def act_as(self, patch: pytest.MonkeyPatch, login: str) -> None:
        for name in ("PGUSER", "PGPASSWORD"):
            patch.setenv(name, environment(self.state, login)[name])

    def journey(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        """The command, with `journey env` in the shell; its exit status, and what it says."""
        with pytest.MonkeyPatch.context() as patch:
            self.act_as(patch, TRANSFORMER)
            patch.chdir(self.folder)
            patch.setenv("DBT_PROFILES_DIR", str(self.folder))
            done = CliRunner().invoke(cli, arguments, input=typed)
        return done.exit_code, done.output or str(done.exception)


def traces() -> list[str]:
    """Where the planted values still are: in tables, in statistics, in a dump."""
    found = []
    with psycopg.connect(autocommit=True) as connection:
        tables = connection.execute(
            """select oid::regclass::text from pg_class where relkind in ('r', 'p', 'm')
                 and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')
                 or oid in ('pg_stats'::regclass, 'pg_description'::regclass)"""
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(
                f"select count(*) from (select * from {table}) as row where row::text ~ %s".encode(),
                ["|".join(PLANTED)],
            ).fetchone()
            found += [f"{table}: {rows[0]} rows"] if rows and rows[0] else []
    program = postgres.bin_dir() / "pg_dump"
    dump = subprocess.run([program, "--statistics"], capture_output=True, text=True, check=True).stdout
    return found + [f"dump: {value}" for value in PLANTED if value in dump]


def test_nothing_knows_of_a_person_who_was_forgotten(
    tmp_path: Path, database: str, bucket: str, s3: S3Client, embedded: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_PUBLISHING", "tested")
    club = Club(tmp_path / "club", bucket, s3, embedded)
    day = "day,member_id,address,amount\n"
    club.deliver(
        members_a="member_id,email\n" + "".join(f"{one},{one}@x\n" for one in range(50)) + f"{ID},zoe@planted\n",
        sales_a=day + "".join(f"2017-01-0{1 + one % 5},{one},Alley {one},{one}\n" for one in range(50)),
        sales_b=day + f"2017-01-02,{ID},Planted Road,500\n" * 20,
        sales_z=day + f"2017-01-02,{ID},Planted Road,oops\n" + "2017-01-02,7,Alley 7,1\n" * 200,
    )
    with psycopg.connect(autocommit=True) as connection:
        total = connection.execute("select sum(amount) from sales.by_member").fetchall()
        assert total == connection.execute("select sum(amount) from sales.by_day").fetchall()
    before = traces()
    for where in ("raw_club.members", "snapshots.members_history", "built.by_member__1", "pg_stats", "loader.rejected"):
        assert any(where in one for one in before), (where, before)

    assert club.journey("forget", "member", "--yes", typed=ID[1:]) == (1, "ID: \nnothing is here of this member\n")
    assert club.journey("forget", f"member={ID}", typed="n\n")[0] == 1
    assert len(traces()) == len(before)
    status, said = club.journey("forget", f"member={ID}", typed="y\n")
    assert (status, "marts hold the person until a build" in said) == (0, True), said
    left = traces()
    assert {one.split(":")[0].split(".")[0] for one in left} >= {"built", "warehouse", "dump"}
    assert [one for one in left if one.startswith(("raw_club", "loader", "snapshots"))] == []

    club.build("--select", "purchases+")  # of a part: nobody knows what the rest holds
    status, said = club.journey("publish", "--rollback", "--target", "demo")
    assert (status, "it holds a person who was forgotten since" in said) == (1, True), said
    assert any("built.by_member" in one for one in traces())
    status, said = club.journey("forget", f"member={ID}", "--yes", "--target", "demo")
    assert (status, said.splitlines()[0]) == (0, "nothing is here of this member, who was forgotten before")
    assert traces() == []
    with psycopg.connect(autocommit=True) as connection:
        assert connection.execute("select sum(amount) from sales.by_member").fetchall() == total
        assert connection.execute("select sum(amount) from sales.by_day").fetchall() == total
        assert connection.execute("select count(*) from built.publications").fetchall() == [(1,)]
        assert connection.execute(
            "select before_amount, after_amount, note, cause from publications.changes"
        ).fetchall() == [(None, *total[0], "persons were forgotten", None)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set role transformer; select * from loader.forgotten_key")
