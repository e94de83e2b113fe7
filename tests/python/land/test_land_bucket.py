"""Landing in a real S3 server: once is enough, a slice can grow, what was tampered with is put right."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from conftest import ROOT
from deliveries import plan
from deliveries.products import product_history
from journey.cli import cli
from journey.embedded import environment
from journey.errors import JourneyError, UsageError
from journey.land import bucket as target
from journey.land import land
from journey.land import landing as land_module
from journey.land.recipe import recipe
from journey.services.state import State
from journey.settings import s3_client

from .conftest import Landed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

HISTORY = functools.cache(product_history)
EARLIER, LATER = date(2017, 1, 9), date(2017, 2, 4)


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test begins without notes of earlier landings; the products' history is simulated once for all (2 s)."""
    monkeypatch.setattr(land_module, "NOTES", str(tmp_path / "landed.json"))
    monkeypatch.setattr(plan, "product_history", HISTORY)
    return tmp_path / "landed.json"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are written from here on."""
    keys: list[str] = []
    put = target.put

    def note(client: S3Client, bucket: str, key: str, data: bytes) -> None:
        keys.append(key)
        put(client, bucket, key, data)

    monkeypatch.setattr(target, "put", note)
    return keys


def etags(s3: S3Client, bucket: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {found["Key"]: found["ETag"].strip('"') for page in pages for found in page.get("Contents", [])}


def test_landing_again_writes_nothing_with_and_without_notes(
    s3: S3Client, bucket: str, landed: Landed, notes: Path, written: list[str]
) -> None:
    first = land(until=EARLIER, bucket=bucket)
    there = etags(s3, bucket)
    assert first.written == len(there) == len(written)
    assert first.size == sum(len(landed.files[key]) for key in there)
    assert there == {key: hashlib.md5(landed.files[key]).hexdigest() for key in there}  # noqa: S324
    written.clear()

    again = land(until=EARLIER, bucket=bucket)
    assert (again.written, again.unchanged, again.size) == (0, first.written, 0)
    notes.unlink()
    anew = land(until=EARLIER, bucket=bucket)
    assert (anew.written, anew.unchanged) == (0, first.written)
    assert written == []


def test_a_slice_that_grows_is_what_the_longer_one_would_have_been(
    s3: S3Client, bucket: str, landed: Landed, written: list[str]
) -> None:
    land(until=EARLIER, bucket=bucket)
    earlier = set(written)
    written.clear()
    grown = land(until=LATER, bucket=bucket)
    assert not earlier & set(written)
    at_once = {key: hashlib.md5(landed.files[key]).hexdigest() for key in arrived_by_name(landed, LATER)}  # noqa: S324
    assert etags(s3, bucket) == at_once
    assert grown.written + grown.unchanged == len(at_once)


def arrived_by_name(landed: Landed, until: date) -> set[str]:
    """What had arrived by 2017-02-04, worked out from the names alone."""
    assert until == LATER
    keys = {f"pos/transactions/transactions_2017-{day}.csv.gz" for day in days(1, 31, 1) + days(1, 3, 2)}
    for day in ("2016-12-31", "2017-01-31"):
        keys |= {f"pos/products/products_{day}.parquet", f"loyalty/households/households_{day}.jsonl.gz"}
    for week in range(1, 6):  # week 5 ends on January 29, week 6 on February 5
        keys.add(f"pos/promotions/promotions_2017_w{week:02}.parquet")
        keys.add(f"loyalty/coupon_redemptions/coupon_redemptions_2017_w{week:02}.jsonl")
    for start in ("2016-11-14", "2016-12-06", "2016-12-28"):
        keys.add(f"loyalty/campaigns/campaigns_{start}.jsonl")
        keys.add(f"loyalty/campaign_households/campaign_households_{start}.jsonl")
    keys |= {f"loyalty/coupons/coupons_campaign_{campaign}.csv.zst" for campaign in (24, 25, 26)}
    keys |= {"erp/chart_of_accounts/chart_of_accounts.csv", "erp/budgets/budgets_original.csv"}
    keys |= {f"erp/{name}/{name}_2017-01.csv" for name in ("journal_lines", "control_totals")}
    return keys & set(landed.files)  # a week without redemptions has no file


def days(first: int, last: int, month: int) -> list[str]:
    return [f"{month:02}-{day:02}" for day in range(first, last + 1)]


def test_a_file_that_was_overwritten_or_removed_is_put_right(s3: S3Client, bucket: str, written: list[str]) -> None:
    land(until=EARLIER, bucket=bucket)
    before = etags(s3, bucket)
    written.clear()
    overwritten, removed = "pos/promotions/promotions_2017_w01.parquet", "erp/budgets/budgets_original.csv"
    s3.put_object(Bucket=bucket, Key=overwritten, Body=b"something else")
    s3.delete_object(Bucket=bucket, Key=removed)
    done = land(until=EARLIER, bucket=bucket)
    assert sorted(written) == sorted([overwritten, removed])
    assert done.written == 2
    assert etags(s3, bucket) == before


def test_notes_of_another_recipe_are_not_believed(s3: S3Client, bucket: str, notes: Path, written: list[str]) -> None:
    land(until=date(2017, 1, 1), bucket=bucket)
    chart, old = "erp/chart_of_accounts/chart_of_accounts.csv", b"what an older version of the code made"
    s3.put_object(Bucket=bucket, Key=chart, Body=old)
    kept = json.loads(notes.read_text())
    kept["etags"][chart] = hashlib.md5(old).hexdigest()  # noqa: S324
    notes.write_text(json.dumps(kept | {"recipe": "of the older version"}))
    written.clear()
    land(until=date(2017, 1, 1), bucket=bucket)
    assert written == [chart]


def test_the_bucket_is_created(s3: S3Client, embedded: object) -> None:
    land(until=date(2017, 1, 1), bucket="made-by-land")
    assert "erp/chart_of_accounts/chart_of_accounts.csv" in etags(s3, "made-by-land")


def test_a_failing_write_ends_the_landing_and_keeps_what_was_written(
    s3: S3Client, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = target.put

    def refuse(client: S3Client, name: str, key: str, data: bytes) -> None:
        if key == "pos/transactions/transactions_2017-01-05.csv.gz":
            raise JourneyError("access denied")
        put(client, name, key, data)

    monkeypatch.setattr(target, "put", refuse)
    with pytest.raises(JourneyError, match="access denied"):
        land(until=EARLIER, bucket=bucket)
    assert "pos/transactions/transactions_2017-01-01.csv.gz" in etags(s3, bucket)
    monkeypatch.setattr(target, "put", put)
    land(until=EARLIER, bucket=bucket)
    assert "pos/transactions/transactions_2017-01-05.csv.gz" in etags(s3, bucket)


def test_the_command_prints_what_it_did(embedded: object) -> None:
    done = CliRunner().invoke(cli, ["land", "--weeks", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "pos/transactions" in done.output
    assert "s3://landing" in done.output
    assert "2017-01-03" in done.output
    assert "are simulated." in done.output


def test_the_help_says_what_is_simulated() -> None:
    text = CliRunner().invoke(cli, ["land", "--help"]).output
    assert "simulated" in text


@pytest.mark.parametrize("arguments", [["--weeks", "0"], ["--until", "yesterday"]])
def test_a_wrong_option_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, ["land", *arguments]).exit_code == 2


def test_until_and_weeks_exclude_each_other() -> None:
    done = CliRunner().invoke(cli, ["land", "--weeks", "1", "--until", "2017-01-02"])
    assert isinstance(done.exception, UsageError)


@pytest.fixture
def another(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What names another S3 server than the embedded one: one of another folder."""
    folder = tmp_path / "another"
    run = functools.partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=True)
    services = [sys.executable, "-m", "journey", "services"]
    run([*services, "up"], env={**os.environ, "JOURNEY_LOCAL_DIR": str(folder)})
    state = State.read(folder)
    assert state
    yield {name: value for name, value in environment(state).items() if name.startswith("AWS_")}
    run([*services, "down"], env={**os.environ, "JOURNEY_LOCAL_DIR": str(folder)})


def test_another_s3_server_gets_nothing_unless_its_bucket_is_named(
    another: dict[str, str], embedded: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in another.items():
        monkeypatch.setenv(name, value)
    other = s3_client()
    weeks = ["land", "--weeks", "1"]
    said = CliRunner().invoke(cli, weeks).exception
    assert isinstance(said, UsageError)
    assert f"{another['AWS_ENDPOINT_URL_S3']} is not the embedded S3 server" in str(said)
    assert "journey land --to s3://landing" in str(said)
    assert "\n" not in str(said)
    assert not etags(other, "landing")
    done = CliRunner().invoke(cli, [*weeks, "--to", "s3://told"], catch_exceptions=False)
    assert "s3://told" in done.output
    assert not etags(other, "landing")
    assert "pos/transactions/transactions_2017-01-01.csv.gz" in etags(other, "told")


@pytest.mark.parametrize(
    "named", [{}, {"AWS_ENDPOINT_URL": "https://s3.example"}, {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}]
)
def test_without_an_embedded_server_nothing_is_tried(
    named: dict[str, str], embedded: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither AWS, which boto3 would ask if nothing is named, nor what another variable names."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JOURNEY_LOCAL_DIR", str(tmp_path))
    with pytest.raises(UsageError, match="is not the embedded S3 server"):
        land(weeks=1)


@pytest.mark.parametrize("to", ["landing", "s3://", "s3://landing/folder", "https://s3.example/landing", ""])
def test_a_place_that_is_no_bucket_is_refused(to: str) -> None:
    said = CliRunner().invoke(cli, ["land", "--to", to]).exception
    assert isinstance(said, UsageError)
    assert "names no bucket" in str(said)


def test_the_companys_code_is_part_of_the_recipe(tmp_path: Path) -> None:
    land_file, beside = tmp_path / "land.py", tmp_path / "made" / "__init__.py"
    land_file.write_text("")
    beside.parent.mkdir()
    beside.write_text("")
    seen = {recipe(land_file)}
    for file in (land_file, beside):
        file.write_text("# otherwise\n")
        seen.add(recipe(land_file))
    assert len(seen) == 3


def test_a_server_that_is_down_is_one_clear_line(embedded: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(UsageError, match="S3 does not answer") as told:
        land(bucket="landing")
    assert "\n" not in str(told.value)


def test_wrong_credentials_are_one_clear_line(embedded: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UsageError, match=r"s3://landing: access denied") as told:
        land(bucket="landing")
    assert "\n" not in str(told.value)


def test_a_folders_files_land_as_they_are_and_only_those_that_differ(
    s3: S3Client, bucket: str, tmp_path: Path, written: list[str]
) -> None:
    folder = tmp_path / "deliveries"
    (folder / "till" / "2026").mkdir(parents=True)
    (folder / "till" / "2026" / "a.csv").write_bytes(b"id\r\n1\r\n")
    (folder / "office").mkdir()
    (folder / "office" / "list.json").write_text("{}")
    assert land(folder=folder, bucket=bucket).written == 2
    (folder / "office" / "list.json").write_text('{"id": 1}')
    written.clear()
    again = land(folder=folder, bucket=bucket)
    assert (again.written, again.unchanged, written) == (1, 1, ["office/list.json"])
    assert s3.get_object(Bucket=bucket, Key="till/2026/a.csv")["Body"].read() == b"id\r\n1\r\n"


def test_a_folder_without_feeds_is_refused(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        land(folder=tmp_path, bucket=bucket)
    (tmp_path / "loose.csv").write_text("id\n")
    with pytest.raises(UsageError, match=r"loose\.csv is in no folder of"):
        land(folder=tmp_path, bucket=bucket)
    done = CliRunner().invoke(cli, ["land", "--from", str(tmp_path), "--weeks", "1"])
    assert isinstance(done.exception, UsageError)
