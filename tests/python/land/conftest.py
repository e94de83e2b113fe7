"""Everything that lands, made once a test run, and the same as files and as DuckDB tables."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from conftest import ROOT
from deliveries import source
from deliveries.plan import feeds

Row = dict[str, str]


@dataclass(frozen=True)
class Landed:
    """All files by key, and a folder that holds them."""

    files: dict[str, bytes]
    folder: Path

    def under(self, prefix: str) -> dict[str, bytes]:
        return {key: data for key, data in self.files.items() if key.startswith(f"{prefix}/")}

    def erp(self, prefix: str) -> dict[str, list[Row]]:
        """The rows of the ERP's files, by key."""
        found = {}
        for key, data in self.under(f"erp/{prefix}").items():
            reader = csv.DictReader(io.StringIO(data.decode("cp1252"), newline=""), delimiter=";", strict=True)
            found[key] = list(reader)
        return found


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[subprocess.Popen[bytes]]:
    """Another process, in another zone and with another hash seed, that prints the MD5 of everything by key."""
    program = f"""if True:
        import hashlib, json
        from pathlib import Path
        from journey.land.plan import plan_of
        feeds = plan_of(Path({str(ROOT)!r})).feeds
        print(json.dumps({{key: hashlib.md5(encode()).hexdigest() for feed in reversed(feeds)
                          for key, encode in feed.make(frozenset(file.key for file in feed.files))}}))"""
    other = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    with subprocess.Popen([sys.executable, "-c", program], env=other, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory, elsewhere: object) -> Landed:
    """The whole default data; made beside the other process, which takes as long."""
    files = {key: encode() for feed in feeds() for key, encode in feed.make(frozenset(file.key for file in feed.files))}
    folder = tmp_path_factory.mktemp("landed")
    for key, data in files.items():
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return Landed(files, folder)


@pytest.fixture(scope="session")
def sql(landed: Landed) -> duckdb.DuckDBPyConnection:
    """DuckDB with the landed files as `sale`, `product`, `promotion`, `household`, `journal_line`, and the public data
    as `public_<table>`."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set timezone = 'UTC'")
    folder = landed.folder
    connection.execute(f"create table product as from read_parquet('{folder}/pos/products/*.parquet')")
    connection.execute(f"create view promotion as from read_parquet('{folder}/pos/promotions/*.parquet')")
    connection.execute(f"create table household as from read_json('{folder}/loyalty/households/*.jsonl.gz')")
    connection.execute(
        f"""create table sale as
            select *, cast(transaction_timestamp at time zone 'America/New_York' as date) as business_date
            from read_csv('{folder}/pos/transactions/*.csv.gz', header = true, filename = true, types = {{
                'sales_value': 'decimal(12,2)', 'retail_disc': 'decimal(12,2)', 'coupon_disc': 'decimal(12,2)',
                'coupon_match_disc': 'decimal(12,2)', 'transaction_timestamp': 'timestamptz'}})"""
    )
    connection.execute(
        """create table journal_line (month text, journal_id text, line_number integer, journal_type text,
               posting_date date, entry_date date, fiscal_period text, account_id integer, department text,
               description text, debit decimal(14,2), credit decimal(14,2), reverses text)"""
    )
    rows = [
        [key[-11:-4], *(value or None for value in row.values())]
        for key, file in landed.erp("journal_lines").items()
        for row in file
    ]
    for row in rows:
        row[10], row[11] = str(money(row[10] or "")), str(money(row[11] or ""))
    staged = landed.folder / "journal_lines.csv"
    with staged.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    connection.execute(f"insert into journal_line from read_csv('{staged}', header = false, all_varchar = true)")
    for table in ("transactions", "products", "promotions", "demographics", "campaigns", "campaign_descriptions",
                  "coupons", "coupon_redemptions"):  # fmt: skip
        connection.execute(
            f"create view public_{table} as from read_parquet('{source.data_dir() / f'{table}.parquet'}')"
        )
    return connection


def money(text: str) -> Decimal:
    """An amount of the ERP, which has a decimal comma, two decimals and nothing else."""
    whole, comma, cents = text.partition(",")
    assert comma
    assert len(cents) == 2
    return Decimal(f"{whole}.{cents}")
