"""What moved the headline figures is told, to the cent, and it is what was planted."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from conftest import ROOT
from dbt_runs import Dbt, Ran
from journey import changes
from journey.changes import Figure, Publication
from journey.cli import cli
from journey.loader.run import load

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SOURCES = """
sources:
  - name: till
    schema: raw_till
    tables:
      - name: sales
        external: {location: "s3://BUCKET/sales/", file_format: csv, options: {on_delete: remove}}
        columns: [{name: day, data_type: date}, {name: shop_id, data_type: integer},
                  {name: amount, data_type: "numeric(12, 2)"}]
      - name: shops
        external: {location: "s3://BUCKET/shops/", file_format: csv}
        columns: [{name: shop_id, data_type: integer}, {name: rebate, data_type: "numeric(12, 2)"}]
"""
DAILY = "{{ config(partition_by={'field': 'day', 'granularity': 'day'}) }}\n"
MODELS = {
    "staging/stg_sales": ("select day, shop_id, amount, _file_id from {{ source('till', 'sales') }}", {}),
    "staging/stg_shops": ("select shop_id, rebate from {{ source('till', 'shops') }}", {}),
    "warehouse/shops": (
        "select shop_id, max(rebate * {FACTOR}) as rebate from {{ ref('stg_shops') }} group by shop_id",
        {"shop_id": "integer", "rebate": "numeric(12, 2)"},
    ),
    "warehouse/purchases": (
        f"{DAILY}select day, shop_id, amount from {{{{ ref('stg_sales') }}}}",
        {"day": "date", "shop_id": "integer", "amount": "numeric(12, 2)"},
    ),
    "marts/sales/by_day": (
        f"{DAILY}select day, cast(count(*) as integer) as sales_count, "
        "cast(sum(amount * {FACTOR}) as numeric(12, 2)) as amount{EXTRA}, "
        "cast(sum(amount * rate) as numeric(12, 2)) as tax_amount from {{ ref('purchases') }} "
        "cross join {{ ref('rates') }} group by day",
        {"day": "date", "sales_count": "integer", "amount": "numeric(12, 2)", "tax_amount": "numeric(12, 2)"},
    ),
    "marts/sales/in_all": (
        "select purchases.shop_id, cast(sum(amount - coalesce(rebate, 0)) as numeric(12, 2)) as paid_amount "
        "from {{ ref('purchases') }} as purchases left join {{ ref('shops') }} as shops "
        "on purchases.shop_id = shops.shop_id group by purchases.shop_id",
        {"shop_id": "integer", "paid_amount": "numeric(12, 2)"},
    ),
}
HEADLINES = {
    "by_day": "{measures: [amount, tax_amount, sales_count], period: day}",
    "in_all": "{measures: [paid_amount]}",
}
HEADER = "day,shop_id,amount\n"


class Till:
    """The project, its files and its database."""

    def __init__(self, folder: Path, bucket: str, s3: S3Client) -> None:
        self.folder, self.bucket, self.s3 = folder, bucket, s3
        self.before: dict[str, Decimal | None] = {}
        folder.mkdir()
        (folder / "macros").symlink_to(ROOT / "macros")
        shutil.copytree(ROOT / "models" / "staging" / "loader", folder / "models" / "staging" / "loader")
        project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
        settings = {name: value for name, value in project.items() if not name.endswith("-paths")}
        for unused in ("snapshots", "data_tests"):
            del settings[unused]
        (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings))
        (folder / "profiles.yml").write_text((ROOT / "profiles.yml.example").read_text())
        (folder / "models" / "sources.yml").write_text(SOURCES.replace("BUCKET", bucket))
        (folder / "seeds").mkdir()
        self.tax("0.10")
        self.write()

    def tax(self, rate: str) -> None:
        """What the seed says."""
        (self.folder / "seeds" / "rates.csv").write_text(f"rate\n{rate}\n")

    def write(self, *, factor: str = "1", extra: str = "", headlines: dict[str, str] | None = None) -> None:
        """The models; dbt reads them anew."""
        for path, (sql, columns) in MODELS.items():
            file = self.folder / "models" / f"{path}.sql"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(
                sql.replace("{FACTOR}", factor).replace("{EXTRA}", f", cast(7 as integer) as {extra}" if extra else "")
            )
            here = {**columns, **({extra: "integer"} if extra and file.stem == "by_day" else {})}
            described = ", ".join(f"{{name: {name}, data_type: '{kind}'}}" for name, kind in here.items())
            headline = {**HEADLINES, **(headlines or {})}.get(file.stem, "null")
            file.with_suffix(".yml").write_text(
                f"models: [{{name: {file.stem}, config: {{meta: {{headline: {headline}}}}}, columns: [{described}]}}]"
            )
        self.dbt = Dbt(self.folder / "target", self.folder)

    def put(self, **bodies: str) -> None:
        """Files come: `sales_a` is sales/a."""
        for name, body in bodies.items():
            self.s3.put_object(Bucket=self.bucket, Key=name.replace("_", "/"), Body=body.encode())

    def build(self, *arguments: str) -> Publication:
        """Load and build; what the publication changed. Its parts must add up, whatever they are."""
        assert load(sources=self.dbt.sources(self.bucket)).failures == []
        assert self.dbt("build", *arguments) == Ran()
        with psycopg.connect() as connection:
            found = changes.read(connection)
            for figure in found.figures:
                seen = connection.execute(f"select sum({figure.measure}) from {figure.mart}".encode()).fetchone()
                assert figure.after is None or seen == (figure.after,), figure
                assert figure.before in (None, self.before.get(figure.measure, figure.before)), figure
                if figure.movement is not None:
                    assert sum(part.amount for part in figure.parts) == figure.movement, figure
                    assert all(part.amount for part in figure.parts), figure
        self.before = {figure.measure: figure.after for figure in found.figures}
        return found


def parts(publication: Publication, measure: str) -> dict[str, tuple[str, int | None, int]]:
    """By cause the amount, and how many periods and files."""
    return {part.cause: (str(part.amount), part.periods, part.files) for part in figure(publication, measure).parts}


def figure(publication: Publication, measure: str) -> Figure:
    [found] = [one for one in publication.figures if one.measure == measure]
    return found


@pytest.fixture
def till(tmp_path: Path, database: str, bucket: str, s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> Till:
    """Three days in three files, and a list of shops without rebates."""
    monkeypatch.setenv("DBT_PUBLISHING", "tested")
    till = Till(tmp_path / "till", bucket, s3)
    till.put(
        shops_a="shop_id,rebate\n1,0\n2,0\n",
        sales_a=f"{HEADER}2017-01-01,1,10.00\n2017-01-01,2,5.50\n",
        sales_b=f"{HEADER}2017-01-02,1,20.00\n",
        sales_c=f"{HEADER}2017-01-03,2,30.00\n",
    )
    return till


def test_files_move_what_they_touch(till: Till) -> None:
    first = till.build()
    assert {one.note for one in first.figures} == {"first publication"}
    assert figure(first, "amount").after == Decimal("65.50")

    till.put(sales_b=f"{HEADER}2017-01-02,1,21.25\n", sales_d=f"{HEADER}2017-01-04,1,40.00\n2017-01-05,1,1.00\n")
    second = till.build()
    assert parts(second, "amount") == {"new files": ("41.00", 2, 1), "restated files": ("1.25", 1, 1)}
    assert parts(second, "sales_count") == {"new files": ("2", 2, 1)}
    assert parts(second, "paid_amount") == {"new files and restated files": ("42.25", None, 2)}
    [new, restated] = figure(second, "amount").parts
    assert (new.keys, restated.keys) == ((f"s3://{till.bucket}/sales/d",), (f"s3://{till.bucket}/sales/b",))

    till.s3.delete_object(Bucket=till.bucket, Key="sales/c")
    till.put(sales_e=f"{HEADER}2017-01-04,2,2.00\n", sales_d=f"{HEADER}2017-01-04,1,39.00\n2017-01-05,1,4.00\n")
    third = till.build()
    assert parts(third, "amount") == {
        "withdrawn files": ("-30.00", 1, 1),
        "new files and restated files": ("1.00", 1, 2),
        "restated files": ("3.00", 1, 1),
    }

    till.put(shops_a="shop_id,rebate\n1,1\n2,0\n")  # files without dates, of a table that is read whole
    fourth = till.build()
    assert parts(fourth, "amount") == {}
    assert parts(fourth, "paid_amount") == {"restated files": ("-4.00", None, 1)}

    till.put(sales_a=f"{HEADER}2017-01-01,1,5.50\n2017-01-01,2,10.00\n")  # the shops change places
    fifth = till.build("--full-refresh")
    assert (fifth.number, [one.parts for one in fifth.figures]) == (5, [()] * 4)
    with psycopg.connect() as connection:
        assert [row[0] for row in connection.execute("select distinct publication_id from publications.changes")] == [
            3, 4, 5,
        ]  # fmt: skip


def test_code_and_seeds_are_told_from_files(till: Till) -> None:
    till.build()
    till.write(factor="2")
    till.put(sales_b=f"{HEADER}2017-01-02,1,25.00\n")
    found = till.build()
    assert parts(found, "amount") == {"code": ("45.50", 2, 0), "restated files and code": ("30.00", 1, 1)}
    assert figure(found, "amount").parts[0].models == ("by_day",)
    assert parts(found, "paid_amount") == {"restated files": ("5.00", None, 1)}  # shops are as they were, by other code

    till.tax("0.20")
    till.put(sales_d=f"{HEADER}2017-01-04,1,10.00\n")
    found = till.build()
    assert parts(found, "tax_amount") == {"seeds": ("7.05", 3, 0), "new files and seeds": ("2.00", 1, 1)}
    assert figure(found, "tax_amount").parts[1].seeds == ("rates",)

    (till.folder / "models" / "staging" / "stg_shops.sql").write_text(
        "select shop_id, rebate + 1 as rebate from {{ source('till', 'shops') }}"
    )
    till.dbt = Dbt(till.folder / "target", till.folder)
    found = till.build()
    assert parts(found, "paid_amount") == {"code": ("-10.00", None, 0)}
    assert (figure(found, "paid_amount").parts[0].models, parts(found, "amount")) == (("shops",), {})


def test_what_cannot_be_compared_says_why(till: Till) -> None:
    till.write(headlines={"in_all": "null"})
    till.build()
    till.write(extra="visits", headlines={"by_day": "{measures: [amount, visits], period: day}"})
    found = till.build()
    assert [(one.measure, one.before, one.after, one.note) for one in found.figures] == [
        ("amount", Decimal("65.50"), Decimal("65.50"), None),
        ("sales_count", 4, None, "taken away"),
        ("tax_amount", Decimal("6.55"), None, "taken away"),
        ("visits", None, 21, "new measure"),
        ("paid_amount", Decimal("65.50"), Decimal("65.50"), None),
    ]
    with psycopg.connect() as connection:  # as of a publication by a version that recorded nothing
        connection.execute("delete from built.published_inputs")
    till.put(sales_d=f"{HEADER}2017-01-04,1,40.00\n")
    found = till.build()
    assert {one.note for one in found.figures} == {"no record of the publication before"}
    for wrong, message in (
        ("{measures: [day]}", "day is date, which does not add up exactly"),
        ("{measures: [sums]}", "sums is no column of it"),
        ("{period: day}", "it is a dict with measures, or with none"),
        ("{measures: [amount], granularity: month}", "granularity is of a period that is a date"),
    ):
        till.write(headlines={"by_day": wrong})
        with pytest.raises(Exception, match=f"headline of by_day: .*{message}"):
            till.dbt("build")


def test_the_command_says_it_at_once(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def journey(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["changes", *arguments, "--target", "demo"])
        return done.output or f"{type(done.exception).__name__}: {done.exception}"

    monkeypatch.chdir(till.folder)
    assert journey().startswith(
        "JourneyError: nothing is published yet in this database (there is no publications.changes)"
    )
    till.build()
    till.put(
        sales_b=f"{HEADER}2017-01-02,1,1021.25\n",
        **{f"sales_n{one}": f"{HEADER}2017-02-0{one},1,1\n" for one in range(1, 8)},
    )
    till.build()
    said = journey().splitlines()
    assert said[0].endswith("UTC, readers see this one")
    assert said[1:4] == [
        "",
        "sales.by_day",
        "  amount 65.50 → 1,073.75 (+1,008.25): new files +7.00 (7 files, 7 dates), "
        "restated files +1,001.25 (1 file, 1 date)",
    ]
    first = ", ".join(f"s3://{till.bucket}/sales/n{one}" for one in range(1, 6))
    assert f"    new files: {first}, and 2 more" in said
    told = json.loads(journey("--json"))
    assert (told["number"], told["figures"][0]["movement"], told["figures"][0]["parts"][0]["amount"]) == (
        2, "1008.25", "7.00",
    )  # fmt: skip
    assert journey("7") == "JourneyError: publication 7 isn't kept; these are: 1, 2"
    said = journey("1").splitlines()
    assert said[1:4] == [
        "first publication, so nothing is compared",
        "",
        "sales.by_day  amount 65.50, sales_count 4, tax_amount 6.55",
    ]
