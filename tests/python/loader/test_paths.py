"""Which keys a location means, what a key says of its rows, and how to leave out what is no data."""

from __future__ import annotations

from typing import Any

import pytest

from journey.loader.declaration.options import Options
from journey.loader.declaration.paths import columns_of_key, how_to_leave_out
from journey.loader.declaration.sources import key_pattern
from journey.loader.errors import FileRefusedError


def columns(key: str, location: str = "feed/", **options: Any) -> dict[str, str | None]:
    """What a key says."""
    return columns_of_key(Options(**options), location, key)


@pytest.mark.parametrize(
    ("pattern", "key", "is_data"),
    [
        ("in/", "in/part-0.parquet", True),
        ("in/", "in/dt=2024-06-01/part-0.parquet", True),
        ("in/", "in/_SUCCESS", False),
        ("in/", "in/_temporary/0/_temporary/attempt_7/part-0.parquet", False),
        ("in/", "in/.part-0.parquet.crc", False),
        ("in/", "in/.hive-staging_hive_2024-06-01/-ext-10000/000000_0", False),
        ("in/", "in/_delta_log/00000000000000000000.json", False),
        ("in/", "in/dt=2024-06-01/_committed_123", False),
        ("in/", "in/dt=2024-06-01/.spark-staging/x.parquet", False),
        ("in/", "in/a_b/c.d/e_.csv", True),
        ("in/", "in/sub/", False),
        ("in/", "in/", False),
        ("in/", "in", False),
        ("in/*.csv", "in/a.csv", True),
        ("in/*.csv", "in/.a.csv", False),
        ("in/*.csv", "in/sub/a.csv", False),
        ("in/**/*.csv", "in/sub/deep/a.csv", True),
        ("in/**/*.csv", "in/a.csv", True),
        ("in/**/*.csv", "in/_old/a.csv", False),
        ("in/_old/*.csv", "in/_old/a.csv", True),
        ("in/_old/", "in/_old/a.csv", True),
        ("in/_old/", "in/_old/_more/a.csv", False),
        ("in/_a*.csv", "in/_all.csv", False),
        ("in/.secret.csv", "in/.secret.csv", True),
        ("in/a.csv", "in/abcsv", False),
        ("in/day-?.csv", "in/day-1.csv", True),
        ("in/day-?.csv", "in/day-11.csv", False),
        ("", "a/b.csv", True),
        ("", "_a/b.csv", False),
    ],
)
def test_which_keys_a_location_means(pattern: str, key: str, is_data: bool) -> None:
    assert bool(key_pattern(pattern).fullmatch(key)) == is_data


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("feed/dt=2024-06-01/country=DE/part-0.parquet", {"dt": "2024-06-01", "country": "DE"}),
        ("feed/dt=2024-06-02/country=__HIVE_DEFAULT_PARTITION__/p", {"dt": "2024-06-02", "country": None}),
        ("feed/at=2024-06-01 10%3A00%3A00/p", {"at": "2024-06-01 10:00:00"}),
        ("feed/path=a%2Fb%25/p", {"path": "a/b%"}),
        ("feed/name=a+b/p", {"name": "a+b"}),
        ("feed/city=Z%C3%BCrich/p", {"city": "Zürich"}),
        ("feed/f%C3%BC=1/p", {"fü": "1"}),
        ("feed/e=a=b/p", {"e": "a=b"}),
        ("feed/empty=/p", {"empty": ""}),
        ("feed/=x/p", {}),
        ("feed/plain/dt=2024.csv", {}),
        ("feed/100%/x=50%/p", {"x": "50%"}),
        ("feed/x=%41%zz/p", {"x": "A%zz"}),
        ("feed/a=1/b/a=1/p", {"a": "1"}),
    ],
)
def test_hive_partitions(key: str, expected: dict[str, str | None]) -> None:
    assert columns(key, hive_partitions=True) == expected
    assert columns(key) == {}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("feed/a=1/a=2/p", "two things of column a: 1 and 2"),
        ("feed/a=%FF/p", "no text once its % signs are read: %FF"),
        ("feed/a=x%00/p", "no text once"),
    ],
)
def test_hive_partitions_that_are_refused(key: str, said: str) -> None:
    with pytest.raises(FileRefusedError, match=said):
        columns(key, hive_partitions=True)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("{country}/{day}/*.csv", "feed/DE/2024-06-01/a.csv", {"country": "DE", "day": "2024-06-01"}),
        ("{country}/{day}/*.csv", "feed/DE/2024-06-01/deep/a.csv", None),
        ("sales_{store}_{day}.csv.gz", "feed/sales_12_2024-06-01.csv.gz", {"store": "12", "day": "2024-06-01"}),
        ("sales_{store}_{day}.csv", "feed/sales_12_a_b.csv", {"store": "12", "day": "a_b"}),
        ("**/{day}.csv", "feed/2024/06/01.csv", {"day": "01"}),
        ("**/{day}.csv", "feed/01.csv", {"day": "01"}),
        ("{day}/{}/{n}.csv", "feed/1/skipped/2.csv", {"day": "1", "n": "2"}),
        ("{day}/x-{day}.csv", "feed/1/x-1.csv", {"day": "1"}),
        ("{day}/x-{day}.csv", "feed/1/x-2.csv", None),
        ("{day}.c?v", "feed/1.csv", {"day": "1"}),
        ("{day}.csv", "feed/1xcsv", None),
        ("{day}.csv", "feed/.csv", None),
        ("{day}(1).csv", "feed/5(1).csv", {"day": "5"}),
        ("{day}.csv", "feed/a\nb.csv", {"day": "a\nb"}),
    ],
)
def test_parts_of_the_key(pattern: str, key: str, expected: dict[str, str] | None) -> None:
    if expected is None:
        with pytest.raises(FileRefusedError, match="its key is not what key_pattern says"):
            columns(key, key_pattern=pattern)
    else:
        assert columns(key, key_pattern=pattern) == expected


def test_a_pattern_is_of_what_stands_below_the_named_folder() -> None:
    assert columns("a/b/DE/x.csv", "a/b/", key_pattern="{c}/*") == {"c": "DE"}
    assert columns("a/b/DE/x.csv", "a/b/*/x.csv", key_pattern="{c}/*") == {"c": "DE"}
    assert columns("a/b/DE/x.csv", "a/b/D*/x.csv", key_pattern="{c}/*") == {"c": "DE"}
    assert columns("DE/x.csv", "", key_pattern="{c}/*") == {"c": "DE"}
    assert columns("a/x.csv", "a/x.csv", key_pattern="{c}.csv") == {"c": "x"}


def test_the_key_itself_and_all_of_it_together() -> None:
    assert columns("feed/a%20b.csv", key_column="file") == {"file": "feed/a%20b.csv"}
    both: dict[str, Any] = {"hive_partitions": True, "key_pattern": "dt={dt}/{n}.csv", "key_column": "file"}
    assert columns("feed/dt=1/2.csv", **both) == {"dt": "1", "n": "2", "file": "feed/dt=1/2.csv"}
    with pytest.raises(FileRefusedError, match="two things of column dt: a:b and a%3Ab"):
        columns("feed/dt=a%3Ab/2.csv", **both)


@pytest.mark.parametrize(
    ("location", "key", "kind", "advice"),
    [
        ("in/", "in/README.md", "csv", "s3://b/in/**/*.csv"),
        ("in/", "in/manifest.json", "csv", "s3://b/in/**/*.csv"),
        ("in/", "in/Thumbs.db", "csv", "s3://b/in/**/*.csv"),
        ("in/", "in/old.csv.bak", "csv", "s3://b/in/**/*.csv"),
        ("in/x*", "in/x.md", "csv", "s3://b/in/x*.csv"),
        ("", "README.md", "parquet", "s3://b/**/*.parquet"),
        ("in/", "in/a.csv", "csv", None),
        ("in/", "in/A.CSV", "csv", None),
        ("in/", "in/a.csv.gz", "csv", None),
        ("in/", "in/a.gz", "csv", None),
        ("in/", "in/part-00000", "csv", None),
        ("in/", "in/a.json", "jsonl", None),
        ("in/", "in/a.avro", "avro", None),
        ("in/*.csv", "in/b.csv", "csv", None),
        ("in/x.md", "in/x.md", "csv", None),
    ],
)
def test_how_to_leave_a_file_out(location: str, key: str, kind: str, advice: str | None) -> None:
    said = how_to_leave_out(kind, "b", location, key)
    assert bool(said) == (advice is not None)
    assert said.endswith(f": {advice}" if advice else "")
    if advice:
        left = key_pattern(advice.removeprefix("s3://b/"))
        assert not left.fullmatch(key)
        assert left.fullmatch(
            f"{location.rstrip('*')}{'data' if location.endswith('*') else 'a/data'}.{advice.rsplit('.')[-1]}"
        )
