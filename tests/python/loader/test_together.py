"""Small files that share a COPY: their rows are what each would have brought by itself, and none costs another."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from journey import settings
from journey.loader import ledger
from journey.loader.declaration.sources import Source
from loader.support import Landing

TOGETHER = "select count(*) - count(distinct xmin::text) from loader.files where status = 'loaded'"
COLUMNS = {"id": "integer", "name": "text", "amount": "numeric(8,2)"}
HEADER = "id,name,amount\n"
PLAIN = [HEADER + f"{10 * i},a{i},1.50\n{10 * i + 1},,\n" for i in range(8)]
MANY = HEADER + "100,x,1\n" * 200
SHARING: dict[str, bytes | str] = {
    "a byte order mark": "\ufeff" + HEADER + "100,\u00e9,1\n",
    "no last line end": HEADER + "100,x,1\n101,y,2",
    "only a header": HEADER,
    "no line end after the header": "id,name,amount",
    "a quote": HEADER + '100,"a, b",1\n101,"two\nlines",2\n',
    "a quote in a field": HEADER + '100,a""b,1\n',
    "CRLF": (HEADER + "100,x,1\n").replace("\n", "\r\n"),
}
ALONE: dict[str, bytes | str] = {
    "other order": "name,id,amount\nx,100,1\n",
    "a new column": "id,name,amount,more\n100,x,1,y\n",
    "a missing column": "id,name\n100,x\n",
    "not a byte": "",
    "none of the columns": "not,the,columns\n1,2,3\n",
    "large in gzip": gzip.compress((HEADER + f"100,{'x' * 30},1\n" * 250_000).encode()),
    "cut short": gzip.compress(MANY.encode())[:-9],
}
REFUSED: dict[str, bytes | str] = {
    "a bad value": MANY + "101,x,not a number\n",
    "a field too few": MANY + "101,x\n",
    "a field too many": MANY + "101,x,1,1\n",
    "an empty line": MANY + "\n101,x,1\n",
    "not UTF-8": MANY.encode() + b"101,\xe9,1\n",
    "a NUL": MANY + "101,\0,1\n",
    "an end marker": MANY + "\\.\n101,x,1\n",
    "a carriage return": MANY + "101,a\rb,1\n",
    "a carriage return in the first row": HEADER + "101,a\rb,1\n",
}
ODD: list[tuple[str, bytes | str, int]] = [
    *((name, body, 4) for name, body in SHARING.items()),
    *((name, body, 3) for name, body in ALONE.items()),
    *((name, body, 3) for name, body in REFUSED.items()),
]


def source(landing: Landing, **options: Any) -> Source:
    return landing.source(columns=COLUMNS, **options)


def contents(landing: Landing) -> list[list[tuple[Any, ...]]]:
    """All that a load left, but for numbers and times."""
    return [
        landing.query(f"select {columns} from {table} join loader.files as files {on} order by {columns}")
        for columns, table, on in (
            ("files.key, status, row_count, rejected_count, etag, size_bytes, error", "(select 1) as one", "on true"),
            ("files.key, id, name, amount", "raw_shop.sales", "on _file_id = file_id"),
            ("files.key, line_number, column_name, reason, raw_text", "loader.rejected_rows", "using (file_id)"),
            ("first_key, change, column_name, detail", "loader.schema_changes", "on key = first_key"),
        )
    ]


def test_plain_files_share_a_copy(landing: Landing) -> None:
    for i, body in enumerate(PLAIN):
        landing.put(f"in/{i}.csv", body)
    summary = landing.load(source(landing), threads=1)
    assert summary.failures == []
    assert [outcome.rows for outcome in landing.outcomes] == [2] * 8
    assert landing.query(TOGETHER) == [(6,)]  # two transactions of four
    assert landing.query("select min(id), max(id), count(*), count(name), sum(amount) from raw_shop.sales") == [
        (0, 71, 16, 8, 12)
    ]
    assert landing.agree()
    assert landing.load(source(landing), threads=1).tables["shop.sales"].skipped == 8


@pytest.mark.parametrize(("body", "together"), [pytest.param(*rest, id=name) for name, *rest in ODD])
def test_an_odd_one_among_them(landing: Landing, body: bytes | str, together: int) -> None:
    """What is left is the same as when every file is loaded by itself, as many threads would; who shares is as told."""
    for i in range(5):
        landing.put(f"in/{i}.csv", PLAIN[i])
    landing.put("in/1_odd.csv", body)
    landing.load(source(landing), threads=1)  # 0, 1, 1_odd; 2, 3, 4
    assert landing.query(TOGETHER) == [(together,)]
    assert landing.agree()
    found = contents(landing)
    landing.connection.execute("drop schema loader cascade; drop table raw_shop.sales")
    landing.load(source(landing), threads=4)
    assert landing.query(TOGETHER) == [(0,)]
    assert found == contents(landing)


def test_options_that_move_the_field_ends(landing: Landing) -> None:
    options: dict[str, Any] = {
        "header": False,
        "delimiter": ";",
        "quote": "'",
        "null_values": "-",
        "encoding": "utf-16-le",
    }
    for i in range(4):
        landing.put(f"in/{i}.csv", f"{i};é{i}\n{i};-\n".encode("utf-16-le"))
    landing.load(landing.source(**options), threads=1)
    assert landing.query(TOGETHER) == [(2,)]
    assert landing.rows() == [row for i in range(4) for row in ((i, f"é{i}"), (i, None))]
    assert landing.agree()


def test_a_changed_a_gone_and_a_taken_file_among_them(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen only while the others are loaded: each goes its own way."""
    for i in range(8):
        landing.put(f"in/{i}.csv", PLAIN[i])
    changed = False

    def change(**_: Any) -> None:
        nonlocal changed
        if not changed:
            changed = True
            landing.put("in/2.csv", HEADER + "1002,new,1\n")
            landing.client.delete_object(Bucket=landing.bucket, Key="in/3.csv")

    original = settings.s3_client

    def client(**options: Any) -> Any:
        made = original(**options)
        made.meta.events.register("before-call.s3.GetObject", change)
        return made

    monkeypatch.setattr(settings, "s3_client", client)
    ledger.set_up(landing.connection)
    with landing.connection.transaction():
        ledger.take(landing.connection, source(landing), ["in/1.csv"])
        summary = landing.load(source(landing), threads=1)
    assert sorted(failure.split(":")[1].strip() for failure in summary.failures) == ["in/1.csv", "in/3.csv"]
    assert [o.key for o in landing.outcomes if o.status == "busy"] == ["in/1.csv"]
    assert landing.query("select id, name from raw_shop.sales where id in (20, 21, 1002)") == [(1002, "new")]
    assert landing.query("select count(*) from raw_shop.sales") == [(2 * 5 + 1,)]
    assert landing.query(TOGETHER) == [(3,)]  # 0; 4, 5, 6, 7
    assert landing.agree()


def test_whatever_goes_wrong_with_a_batch_its_files_are_loaded(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain(*_: Any) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("journey.loader.together._plain", plain)
    for i, body in enumerate(PLAIN):
        landing.put(f"in/{i}.csv", body)
    assert landing.load(source(landing), threads=1).failures == []
    assert [outcome.rows for outcome in landing.outcomes] == [2] * 8
    assert landing.query(TOGETHER) == [(0,)]
    assert landing.agree()


def test_the_same_content_is_never_shared(landing: Landing) -> None:
    for i in range(8):
        landing.put(f"in/{i}.csv", PLAIN[0])
    landing.load(source(landing, deduplicate="content"), threads=1)
    assert [status for _, status in landing.statuses()] == ["loaded", *["duplicate"] * 7]
    assert landing.rows() == [(0, "a0"), (1, None)]
