"""Drift, rejects, duplicates, removed and restated files, selection: what the source declares is what happens."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from journey.cli import cli
from journey.errors import UsageError
from journey.loader.declaration.sources import load_sources, parse_source, select
from journey.loader.run import load, status
from loader.support import Landing, node

CHANGES = "select change, column_name from loader.schema_changes order by 1, 2"


def test_a_new_column_is_added_as_text_and_stays(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name,extra\n2,b,x\n")
    landing.put("in/c.csv", "id,name,extra\n3,c,y\n")
    summary = landing.load(landing.source(), threads=1)
    assert summary.failures == []
    assert landing.rows(columns="id, name, extra") == [(1, "a", None), (2, "b", "x"), (3, "c", "y")]
    assert landing.query(CHANGES) == [("new", "extra")]
    assert [len(outcome.changes) for outcome in landing.outcomes] == [0, 1, 0]
    [table] = status(sources=[landing.source()]).values()
    assert table.changes[0][:2] == ("new", "extra")


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_a_new_field_is_added_in_every_format(landing: Landing, file_format: str) -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"id": 1, "name": "a"}, {"id": 2, "name": "b", "extra": 5}]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows[::-1]), out)
    landing.put("in/a", out.getvalue() if file_format == "parquet" else "".join(json.dumps(r) + "\n" for r in rows))
    landing.load(landing.source(file_format=file_format))
    assert landing.rows(columns="id, name, extra") == [(1, "a", None), (2, "b", "5")]
    assert landing.query(CHANGES) == [("new", "extra")]


def test_a_missing_column_is_null_and_recorded(landing: Landing) -> None:
    landing.put("in/a.csv", "id\n1\n")
    landing.put("in/b.jsonl", '{"id": 2}\n')
    landing.load(landing.source("in/a.csv"), landing.source("in/b.jsonl", "jsonl", name="shop.more"))
    assert landing.rows() == [(1, None)]
    assert landing.query(CHANGES) == [("missing", "name"), ("missing", "name")]


def test_a_column_that_loaded_files_were_not_asked_for_is_said(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    misspelt = landing.source(columns={"id": "integer", "nmae": "text", "name": "text"})
    landing.load(misspelt)
    changes = "select first_key, change, column_name, detail from loader.schema_changes where closed_at is null"
    [(key, change, column, detail)] = landing.query(changes)
    assert (key, change, column) == ("in/a.csv", "missing", "nmae")
    assert "null in all rows of 1 files" in detail
    assert "`journey reload shop.sales`" in detail
    landing.load(landing.source())
    assert landing.query(changes) == []


def test_a_column_that_loaded_files_have_is_filled_by_a_reload(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source(columns={"id": "integer"}, new_columns="ignore"))
    landing.load(landing.source())
    assert landing.rows() == [(1, None)]
    landing.load(landing.source(), reload_all=True)
    assert landing.rows() == [(1, "a")]
    assert landing.query("select from loader.schema_changes where closed_at is null") == []


@pytest.mark.parametrize(("key", "body"), [("a.csv", "name\na\n"), ("a.jsonl", '{"name": "a"}\n{"name": "b"}\n')])
def test_a_missing_key_column_refuses_the_file(landing: Landing, key: str, body: str) -> None:
    landing.put(f"in/{key}", body)
    [failure] = landing.load(landing.source(file_format=key[2:], key_columns=["id"])).failures
    assert "key column 'id' is missing" in failure
    assert landing.rows() == []


def test_a_renamed_and_a_moved_column_are_told(landing: Landing) -> None:
    columns = {"id": "integer", "name": "text", "city": "text"}
    landing.put("in/a.csv", "id,title,city\n1,a,x\n")
    landing.put("in/b.csv", "city,id,name\nx,2,b\n")
    landing.load(landing.source(columns=columns), threads=1)
    assert landing.rows(columns="id, name, city, title") == [(1, None, "x", "a"), (2, "b", "x", None)]
    assert landing.query(CHANGES) == [
        ("missing", "name"), ("new", "title"), ("renamed", "name"), ("reordered", "city")
    ]  # fmt: skip


def test_a_name_in_the_encoding_of_windows_is_told(landing: Landing) -> None:
    """Read as ISO 8859, its sign is a control character, and the column seems to be another one."""
    landing.put("in/a.csv", "id,Preis €\n1,2\n".encode("windows-1252"))
    landing.load(landing.source(columns={"id": "integer", "Preis €": "integer"}, encoding="iso-8859-1"))
    detail = "select detail from loader.schema_changes where change = 'new'"
    assert "windows-1252 it is 'Preis €' (encoding)" in landing.query(detail)[0][0]


def test_a_type_that_no_longer_fits_is_drift(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n" + "A17,x\n" * 50)
    landing.load(landing.source())
    [(change, column, detail)] = landing.query("select change, column_name, detail from loader.schema_changes")
    assert (change, column) == ("type", "id")
    assert detail == "integer no longer fits: `A17` is no integer: declare null_values if it means null"


def test_a_declared_type_that_the_table_has_not_is_told_and_the_table_kept(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/b.csv", "id,name\n2,b\n")
    landing.load(landing.source(columns={"id": "bigint", "name": "text", "later": "date"}))
    assert landing.rows(columns="id, name, later") == [(1, "a", None), (2, "b", None)]
    assert ("type", "id") in landing.query(CHANGES)


def test_a_refused_row_is_kept_with_line_column_reason_and_text(landing: Landing) -> None:
    landing.put("in/a.csv", 'id,name\n1,"a\nb"\nx,c\n2,d\n3,e,f\n')
    landing.load(landing.source(max_reject_rate=0.5))
    assert landing.rows() == [(1, "a\nb"), (2, "d")]
    assert landing.query("select line_number, column_name, reason, raw_text from loader.rejected_rows order by 1") == [
        (4, "id", "`x` is no integer: declare null_values if it means null", "x,c"),
        (6, None, "3 fields between ',' instead of 2", "3,e,f"),
    ]
    assert landing.query("select row_count, rejected_count from loader.files") == [(2, 2)]


@pytest.mark.parametrize(("bad", "loads"), [(1, True), (2, False)])
def test_the_reject_rate_is_a_limit(landing: Landing, bad: int, loads: bool) -> None:
    landing.put("in/a.csv", "id,name\n" + "x,a\n" * bad + "".join(f"{i},a\n" for i in range(100 - bad)))
    summary = landing.load(landing.source())  # 1 % is the default
    assert (summary.failures == []) is loads
    assert len(landing.rows()) == (100 - bad if loads else 0)
    assert landing.query("select count(*) from loader.rejected_rows") == [(bad,)]


def test_of_a_file_of_bad_rows_only_the_first_are_kept(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n" + "x,a\n" * 300_000)
    [failure] = landing.load(landing.source()).failures
    assert "300,000 of 300,000 rows refused" in failure
    assert landing.query("select delivered_count, rejected_count from loader.files") == [(300_000, 300_000)]
    assert landing.query("select count(*) from loader.rejected_rows") == [(100,)]


def test_many_rejects_do_not_pile_up(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n" + "".join(f"{'x' if i % 10 == 0 else i},a\n" for i in range(30_000)))
    summary = landing.load(landing.source(max_reject_rate=0.2))
    assert (summary.tables["shop.sales"].rows, summary.tables["shop.sales"].rejected) == (27_000, 3_000)
    assert landing.query("select count(distinct line_number) from loader.rejected_rows") == [(3_000,)]
    assert landing.agree()


def test_the_same_content_twice(landing: Landing) -> None:
    for key in ("a", "b"):
        landing.put(f"in/{key}.csv", "id,name\n1,a\n")
    landing.load(landing.source(name="shop.twice"))
    assert landing.rows("raw_shop.twice") == [(1, "a"), (1, "a")]
    once = landing.source(name="shop.once", deduplicate="content")
    assert landing.load(once).tables["shop.once"].skipped == 1
    assert landing.rows("raw_shop.once") == [(1, "a")]
    assert landing.load(once).run_id is None  # nothing to do
    landing.put("in/a.csv", "id,name\n2,b\n")  # what the other one repeated is gone: now it counts
    landing.put("in/b.csv", "id,name\n1,a\n")
    landing.load(once)
    landing.load(once)
    assert landing.rows("raw_shop.once") == [(1, "a"), (2, "b")]
    assert landing.agree("raw_shop.once")


@pytest.mark.parametrize(("on_delete", "left"), [("keep", [(1, "a"), (2, "b")]), ("remove", [(2, "b")])])
def test_a_removed_object(landing: Landing, on_delete: str, left: list[tuple[Any, ...]]) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\n2,b\n")
    source = landing.source(on_delete=on_delete)
    landing.load(source)
    landing.client.delete_object(Bucket=landing.bucket, Key="in/a.csv")
    landing.load(source)
    assert landing.rows() == left
    assert landing.agree()
    landing.client.delete_object(Bucket=landing.bucket, Key="in/b.csv")
    landing.load(source)
    assert landing.rows() == left  # nothing at all is listed: rather a wrong address


def test_the_past_is_not_listed_again(landing: Landing) -> None:
    for day in range(1, 10):
        landing.put(f"in/{day}.csv", f"id,name\n{day},a\n")
    source = landing.source(listing="since_last_key", list_overlap=2)
    assert landing.load(source).tables["shop.sales"].files == 9
    assert landing.load(source).tables["shop.sales"].skipped == 2
    landing.put("in/3.csv", "id,name\n33,late\n")  # before the overlap: not seen
    landing.put("in/8.csv", "id,name\n88,late\n")
    landing.put("in/99.csv", "id,name\n99,new\n")
    assert landing.load(source).tables["shop.sales"].files == 2
    assert len(landing.rows()) == 10
    assert landing.load(source, reload=["in/3.csv"]).tables["shop.sales"].files == 1
    assert (33, "late") in landing.rows()


def test_reload_replaces_even_what_has_not_changed(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.connection.execute("delete from raw_shop.sales")
    landing.load(landing.source(), reload=[f"s3://{landing.bucket}/in/a.csv"])
    assert landing.rows() == [(1, "a")]
    assert landing.agree()
    with pytest.raises(UsageError, match="--reload nothing: no selected source has such a file"):
        landing.load(landing.source(), reload=["nothing"])


def test_a_dry_run_says_why_and_does_nothing(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\nx,a\n")
    landing.load(landing.source())
    landing.put("in/a.csv", "id,name\n2,b\n")
    landing.put("in/c.csv", "id,name\n3,c\n")
    summary = landing.load(landing.source(), dry_run=True)
    assert [(action.kind, action.file.key, action.reason) for _, action in summary.actions] == [
        ("replace", "in/a.csv", "it has changed since it was loaded"),
        ("load", "in/b.csv", "it failed before"),
        ("load", "in/c.csv", "new"),
    ]
    assert landing.rows() == [(1, "a")]


def test_max_files(landing: Landing) -> None:
    for name in "abc":
        landing.put(f"in/{name}.csv", f"id,name\n1,{name}\n")
    assert landing.load(landing.source(), max_files=2).tables["shop.sales"].files == 2
    assert landing.load(landing.source(), max_files=2).tables["shop.sales"].files == 1


def test_a_source_that_cannot_be_listed_does_not_stop_the_others(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    lost = parse_source(node("shop.lost", "s3://no-such-bucket/in/", "csv", {"id": "integer"}))
    summary = landing.load(landing.source(), lost)
    assert summary.failures == [
        "shop.lost: s3://no-such-bucket/in/: no such bucket; that of feeds is `landing_bucket` in dbt_project.yml"
    ]
    assert landing.rows() == [(1, "a")]
    with pytest.raises(UsageError, match="no such bucket"):
        landing.load(lost)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"external": {"location": "landing/x"}}, "external.location must be like s3://"),
        ({"external": {"file_format": "tsv"}}, "external.file_format must be one of "),
        ({"external": {"options": {"delimeter": ";"}}}, "external.options.delimeter is not an option"),
        ({"external": {"options": {"header": "yes"}}}, "external.options.header must be true or false, not 'yes'"),
        ({"external": {"options": {"delimiter": "123456789"}}}, "delimiter must be one to eight characters"),
        ({"external": {"options": {"null_string": "NULL"}}}, "null_string is called null_values now"),
        (
            {"external": {"options": {"encoding": "klingon"}}},
            "encoding must be a known encoding like utf-8 or windows-1252, not 'klingon'",
        ),
        ({"external": {"options": {"max_reject_rate": 5}}}, "max_reject_rate must be a number between 0 and 1, not 5"),
        (
            {"external": {"options": {"max_reject_rate": True}}},
            "max_reject_rate must be a number between 0 and 1, not True",
        ),
        ({"external": {"options": {"on_delete": "drop"}}}, "on_delete must be keep or remove"),
        ({"external": {"options": {"key_columns": ["nope"]}}}, "key_columns names 'nope'"),
        ({"external": {"options": {"listing": "since_last_key", "on_delete": "remove"}}}, "on_delete must be keep"),
        ({"external": {"options": ["x"]}}, "external.options must be a mapping"),
        ({"external": {"file_format": "jsonl", "options": {"quote": "'"}}}, "external.options.quote is for csv"),
        (
            {"external": {"option": {"delimiter": ";"}}},
            "external.option is nothing that a load reads; there are location, ",
        ),
        ({"external": {"row_format": "serde"}}, "external.row_format is nothing that a load reads"),
        (
            {"columns": {"id": {"name": "id", "data_type": "int", "dta_type": "text"}}},
            "column id has a key dta_type, which nobody reads. Did you mean data_type?",
        ),
        ({"columns": {}}, "no columns are declared"),
        ({"columns": {"id": {"name": "id", "data_type": None}}}, "column id needs a PostgreSQL type"),
        ({"columns": {"id": {"name": "id", "data_type": "int); drop table x; --"}}}, "needs a PostgreSQL type"),
        ({"columns": {"_file_id": {"name": "_file_id", "data_type": "int"}}}, "a column can't be called '_file_id'"),
    ],
)
def test_a_wrong_declaration_is_one_clear_line(change: dict[str, Any], said: str) -> None:
    declared = node("shop.sales", "s3://landing/in/", "csv", {"id": "integer"})
    external = {**declared["external"], **change.get("external", {})}
    with pytest.raises(UsageError) as caught:
        parse_source({**declared, **change, "external": external})
    assert str(caught.value).startswith("models/staging/shop/_shop__sources.yml: source shop.sales: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_type_that_postgres_does_not_know_is_a_wrong_declaration(landing: Landing) -> None:
    landing.put("in/a.csv", "id\n1\n")
    says = r"source shop.sales: column 'id': data_type strnig: type \"strnig\" does not exist"
    with pytest.raises(UsageError, match=f"_shop__sources.yml: {says}"):
        landing.load(landing.source(columns={"id": "strnig"}))


@pytest.fixture
def project(tmp_path: Path, landing: Landing) -> Path:
    """A dbt project with one source."""
    root = Path(__file__).parents[3]
    (tmp_path / "models").mkdir()
    (tmp_path / "profiles.yml").write_text((root / "profiles.yml.example").read_text())
    (tmp_path / "dbt_project.yml").write_text(
        f"name: tiny\nversion: '1.0'\nprofile: data_journey\nvars: {{landing_bucket: {landing.bucket}}}\n"
    )
    (tmp_path / "models" / "sources.yml").write_text(
        """sources:
  - name: shop
    schema: raw_shop
    tables:
      - name: sales
        external: {location: "s3://{{ var('landing_bucket') }}/in/", file_format: csv}
        columns: [{name: id, data_type: integer}, {name: name, data_type: text}]
"""
    )
    return tmp_path


def test_the_manifest_follows_the_yaml(project: Path, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    [source] = load_sources(project)
    assert (source.bucket, source.pattern, dict(source.columns)) == (
        landing.bucket, "in/", {"id": "integer", "name": "text"}
    )  # fmt: skip
    parsed = (project / "target" / "manifest.json").stat().st_mtime_ns
    load_sources(project)
    assert (project / "target" / "manifest.json").stat().st_mtime_ns == parsed
    yaml = project / "models" / "sources.yml"
    yaml.write_text(yaml.read_text().replace("file_format: csv", "file_format: tsv"))
    monkeypatch.chdir(project)
    done = CliRunner().invoke(cli, ["load"])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).startswith("models/sources.yml: source shop.sales: external.file_format")
    kept = project / "models" / "sources.kept"  # `sed -i.kept`, and back: the content is older than dbt's manifest
    kept.write_text(yaml.read_text().replace("file_format: tsv", "file_format: csv"))
    os.utime(kept, (0, 0))
    with pytest.raises(UsageError, match="file_format"):
        load_sources(project)
    kept.rename(yaml)
    assert [source.name for source in load_sources(project)] == ["shop.sales"]
    yaml.write_text("sources: {")
    with pytest.raises(
        UsageError, match=r"dbt can't parse the project: .*sources.yml .* line 2 .*did not find expected"
    ):
        load_sources(project)
    yaml.write_text("sources:\n\t- name: shop\n")
    with pytest.raises(UsageError, match=r"line 2 found character .* \(a tab: YAML is indented by spaces\)"):
        load_sources(project)


def test_a_table_that_nobody_loads_is_refused(project: Path) -> None:
    """dbt passes over a key that it doesn't know, and the feed would be gone without a word."""
    yaml = project / "models" / "sources.yml"
    declared = yaml.read_text()
    yaml.write_text(declared.replace("external:", "extern:"))
    says = r"models/sources.yml: source shop.sales has no external: block, so nothing loads it .* `loader:`"
    with pytest.raises(UsageError, match=says):
        load_sources(project)
    yaml.write_text(
        declared.replace("external:", "extern:").replace("schema: raw", "loader: Fivetran\n    schema: raw")
    )
    assert load_sources(project) == []


def test_two_sources_of_one_raw_table_are_refused(project: Path) -> None:
    """Each would settle the other's failures: their files are none that its location means."""
    yaml = project / "models" / "sources.yml"
    more = """
      - name: returns
        identifier: {identifier}
        external: {{location: "s3://{{{{ var('landing_bucket') }}}}/returns/", file_format: csv}}
        columns: [{{name: id, data_type: integer}}]
"""
    declared = yaml.read_text().rstrip()
    yaml.write_text(declared + more.format(identifier="sales"))
    with pytest.raises(UsageError) as caught:
        load_sources(project)
    assert str(caught.value).startswith("models/sources.yml: source shop.sales: raw_shop.sales is the raw table of ")
    assert "shop.returns" in str(caught.value)
    assert "\n" not in str(caught.value)
    yaml.write_text(declared + more.format(identifier="returned"))
    assert [source.table for source in load_sources(project)] == ["returned", "sales"]


def test_the_command_line(project: Path, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\nx,b\n")
    run = CliRunner()
    assert "load     shop.sales" in run.invoke(cli, ["load", "--dry-run"]).stdout
    done = run.invoke(cli, ["load", "--log-format", "json", "--threads", "1"])
    assert done.exit_code == 1
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(event["event"], event.get("status")) for event in events] == [
        ("planned", None), ("file", "loaded"), ("file", "failed")
    ]  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])["exit_status"] == 1
    done = run.invoke(cli, ["status", "--select", "shop.sales"])
    assert done.exit_code == 1
    assert "failed: shop.sales: in/b.csv: 1 of 1 rows refused" in done.stdout
    landing.put("in/b.csv", "id,name\n2,b\n")
    assert run.invoke(cli, ["load"]).exit_code == 0
    assert run.invoke(cli, ["status"]).exit_code == 0
    wrong = run.invoke(cli, ["load", "--select", "nothing"])
    assert isinstance(wrong.exception, UsageError)


def test_selectors_are_dbts(landing: Landing) -> None:
    sources = [landing.source(name=name) for name in ("shop.a", "shop.b", "bank.c")]
    names = [source.name for source in select(sources, ["shop"])]
    assert names == ["shop.a", "shop.b"]
    assert [s.name for s in select(sources, ["source:bank", "shop.b"])] == ["shop.b", "bank.c"]
    assert select(sources, []) == sources
    with pytest.raises(UsageError, match=r"no feed shp\.a: shop\.a, shop\.b, bank\.c are .*\. Did you mean shop\.a\?$"):
        select(sources, ["shp.a"])
    with pytest.raises(UsageError, match=r"no feed nothing: .* block$"):
        select(sources, ["nothing"])


def test_a_bucket_that_is_open_to_everybody(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [f"arn:aws:s3:::{landing.bucket}", f"arn:aws:s3:::{landing.bucket}/*"]
    reading = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": everything}
    landing.put("in/a.csv", "id,name\n1,a\n")
    source = landing.source(anonymous=True)
    with pytest.raises(UsageError, match="access denied"):
        landing.load(source)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
    landing.client.put_bucket_policy(Bucket=landing.bucket, Policy=policy)
    try:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        assert landing.load(source).failures == []
    finally:
        landing.client.delete_bucket_policy(Bucket=landing.bucket)
    assert landing.rows() == [(1, "a")]


def test_surroundings_that_name_nothing_or_nobody(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UsageError, match="no S3 credentials"):
        landing.load(landing.source())
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with pytest.raises(UsageError, match="S3 does not answer"):
        landing.load(landing.source())
    monkeypatch.setenv("PGPORT", "1")
    with pytest.raises(UsageError, match="does not let us in"):
        load(sources=[landing.source()])
