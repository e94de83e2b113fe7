"""A column of a domain is read as its base type is; what the domain's own constraint refuses costs its row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from journey.errors import JourneyError
from journey.loader.retyping import retype
from loader.support import Landing

KINDS = {  # base type: a good text, its value as a text, and one that PostgreSQL would read and we don't
    "date": ("2024-02-03", "2024-02-03", "today"),
    "timestamp": ("2024-02-03T10:00", "2024-02-03 10:00:00", "03/02/2024"),
    "numeric(10,2)": ("1.50", "1.50", "1.239"),
    "numeric": ("1.50", "1.50", "NaN"),
    "integer": ("15", "15", "0x10"),
    "boolean": ("TRUE", "true", "yes"),
    "varchar(5)": ("a", "a", "abcdef"),
    "uuid": ("8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11",) * 2 + ("{8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11}",),
}


@pytest.fixture
def in_domain(landing: Landing) -> Iterator[Any]:
    """Makes the domain `declared_once` over a type; a second one, `declared`, over that."""

    def make(kind: str, check: str = "") -> None:
        landing.connection.execute(
            f"create domain declared_once as {kind}; create domain declared as declared_once {check}"
        )

    yield make
    landing.connection.execute("drop domain if exists declared, declared_once cascade")


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
@pytest.mark.parametrize("how", ["declared", "in the table"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_domain_is_read_as_its_base_type(
    landing: Landing, in_domain: Any, kind: str, how: str, file_format: str
) -> None:
    in_domain(kind)
    good, value, lax = KINDS[kind]
    if how == "in the table":
        landing.load(landing.source(columns={"id": "integer", "c": "declared"}))
    source = landing.source("in/", file_format, {"id": "integer", "c": "declared" if how == "declared" else kind},
                            max_reject_rate=1)  # fmt: skip
    rows = [(1, good), (2, lax)]
    lines = [f'{{"id": {i}, "c": "{text}"}}' if file_format == "jsonl" else f"{i},{text}" for i, text in rows]
    landing.put("in/a", "\n".join(["id,c"] * (file_format == "csv") + lines) + "\n")
    assert landing.load(source).failures == []
    assert landing.query("select id, c::text from raw_shop.sales") == [(1, value)]
    assert landing.query("select column_name from loader.rejected_rows") == [("c",)]
    assert landing.query("select change from loader.schema_changes") == []
    assert landing.query(
        "select atttypid::regtype::text from pg_attribute where attrelid = 'raw_shop.sales'::regclass and attname = 'c'"
    ) == [("declared",)]


def test_what_a_domain_refuses_costs_its_row(landing: Landing, in_domain: Any) -> None:
    in_domain("date", "not null check (value >= '2000-01-01')")
    landing.put("in/a", "id,c\n1,2024-02-03\n2,1999-12-31\n3,\n4,2024-02-04\n")
    source = landing.source(columns={"id": "integer", "c": "declared"}, max_reject_rate=1)
    assert landing.load(source).failures == []
    assert landing.query("select id from raw_shop.sales order by 1") == [(1,), (4,)]
    found = landing.query("select line_number, reason from loader.rejected_rows order by 1")
    assert [line for line, _ in found] == [3, 4]
    assert all("domain declared" in reason for _, reason in found)


def test_a_text_is_retyped_into_a_domain(landing: Landing, in_domain: Any) -> None:
    landing.put("in/a", "id,c\n1,2024-02-03\n2,today\n")
    landing.load(landing.source(columns={"id": "integer", "c": "text"}))
    in_domain("date")
    source = landing.source(columns={"id": "integer", "c": "declared"})
    assert "text becomes declared" in retype(source, yes=True)[0]
    assert landing.query("select id, c::text from raw_shop.sales") == [(1, "2024-02-03")]
    assert landing.query(
        "select atttypid::regtype::text from pg_attribute where attrelid = 'raw_shop.sales'::regclass and attname = 'c'"
    ) == [("declared",)]
    assert "every column of raw_shop.sales has its declared type" in retype(source)[0]


def test_a_text_that_its_domain_refuses_stops_the_retyping(landing: Landing, in_domain: Any) -> None:
    landing.put("in/a", "id,c\n1,2024-02-03\n2,1999-12-31\n")
    landing.load(landing.source(columns={"id": "integer", "c": "text"}))
    in_domain("date", "check (value >= '2000-01-01')")
    source = landing.source(columns={"id": "integer", "c": "declared"})
    with pytest.raises(JourneyError, match="value for domain declared violates check constraint") as caught:
        retype(source, yes=True)
    assert "\n" not in str(caught.value)
    assert landing.query("select c from raw_shop.sales order by id") == [("2024-02-03",), ("1999-12-31",)]
