"""What is planted in real files is noticed, with the figure, the band, the day and the file; what isn't stays quiet."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from conftest import ROOT
from journey.cli import cli
from journey.errors import JourneyError, UsageError
from journey.site import pages
from journey.site.figures import Published
from journey.watch import figures
from watching.conftest import KEY, NEXT, Rows, Till

MEASURES = ("rows", "sum(sales_value)", "avg(sales_value)", "count(distinct store_id)", "share(household_id is null)",
            "share(retail_disc > 0)")  # fmt: skip
STORE = "select store_id from raw_pos.transactions group by store_id order by count(*) desc limit 1"


def half(rows: Rows) -> Rows:
    """Every second row is missing."""
    return rows[::2]


def doubled(rows: Rows) -> Rows:
    """The day twice in its file."""
    return [*rows, *rows]


def in_cents(rows: Rows) -> Rows:
    """Amounts a hundred times as large."""
    return [{**row, "sales_value": f"{float(row['sales_value']) * 100:.2f}"} for row in rows]


def without_customers(rows: Rows) -> Rows:
    """A column that is suddenly empty."""
    return [{**row, "household_id": ""} for row in rows]


def nothing(rows: Rows) -> Rows:
    """A file with its header alone."""
    return rows[:0]


def as_it_was(rows: Rows) -> Rows:
    """What the till really delivered."""
    return rows


@pytest.mark.parametrize(
    ("fault", "measures"),
    [
        (as_it_was, set()),
        (half, {"rows"}),
        (doubled, {"rows", "sum(sales_value)"}),
        (in_cents, {"sum(sales_value)", "avg(sales_value)"}),
        (without_customers, {"share(household_id is null)"}),
        (nothing, {"rows"}),
    ],
)
def test_a_planted_fault_is_noticed(till: Till, fault: Callable[[Rows], Rows], measures: set[str]) -> None:
    rows = fault(till.rows)
    till.deliver(rows)
    ran = till.watch()
    assert (ran.failed, ran.errors) == (set(), [])  # it warns
    told = {measure: line for measure in MEASURES for line in ran.said if f" {NEXT}: {measure} is " in line}
    assert len(told) == len(ran.said)
    assert told.keys() >= measures
    assert bool(told) == bool(measures)
    assert all(f"s3://{till.bucket}/{KEY}" in line for line in told.values())
    if "rows" in measures:
        assert f"pos.transactions {NEXT}: rows is {len(rows):,}, expected " in told["rows"]
        assert " Wednesdays)" in told["rows"]


def test_a_store_that_is_absent_is_named(till: Till) -> None:
    with psycopg.connect() as connection:
        [store] = connection.execute(STORE).fetchone() or [None]
    till.deliver([row for row in till.rows if row["store_id"] != str(store)])
    [line] = till.watch().said
    assert f"members(store_id) is 1, expected 0 (56 days); missing: {store}; s3://" in line


def test_a_day_that_was_left_out_has_no_rows(till: Till) -> None:
    till.deliver(till.rows, NEXT + timedelta(days=1))
    assert f"pos.transactions {NEXT}: rows is 0, expected " in "\n".join(till.watch().said)


def test_a_mart_is_watched_and_does_not_stop_the_build(till: Till) -> None:
    till.deliver(in_cents(till.rows))
    ran = till.dbt(
        "build", "--select", "stg_pos__transactions+,+sales_performance", "--exclude-resource-type", "unit_test"
    )
    assert (ran.failed, ran.errors, ran.skipped) == (set(), [], set())
    day = NEXT - timedelta(days=1)  # in store time its evening came with the file; the file's own day isn't over
    [line] = [line for line in ran.said if ": sum(net_sales_amount) is " in line]
    assert f"sales.sales_performance {day}: sum(net_sales_amount) is " in line
    assert (
        till.dbt("build", "--select", "sales_performance").said == ran.said
    )  # it warns until it is mended or declared
    declared = f"{{unusual_days: [{{date: '{day}', because: the till counted in cents}}]}}"
    assert till.dbt("test", "--select", "watch_sales_performance", "--vars", declared).said == []


def test_a_silent_feed_is_late_and_quiet_before(till: Till) -> None:
    last = NEXT - timedelta(days=1)
    late = {days: _figure(last + timedelta(days=days), "freshness") for days in (1, 2, 3)}
    assert [late[days].verdict for days in (1, 2, 3)] == ["as usual", "as usual", "late"]
    assert late[3].message == f"pos.transactions {last}: freshness is 3 days, expected up to 2 days (8 Tuesdays)"


def test_too_little_history_concludes_nothing(till: Till) -> None:
    day = date(2017, 1, 24)
    found = [one for one in _read(day) if one.watched == "pos.transactions"]
    assert {one.verdict for one in found} == {"not enough history"}
    table = figures.lines(found)[1:]
    assert any(line.endswith("not enough history (3 Tuesdays)") for line in table)
    assert not [line for line in table if re.search(r"\d to \d", line)]  # no band that three figures would make


def test_alerts_are_lines_of_json_with_an_exit_status(till: Till) -> None:
    quiet = _watch("--as-of", str(NEXT - timedelta(days=1)), "--json")
    assert (quiet.exit_code, quiet.output) == (0, "")
    till.deliver(half(till.rows))
    found = _watch("--as-of", str(NEXT), "--json")
    assert found.exit_code == 1
    alerts = [json.loads(line) for line in found.output.splitlines()]
    rows = next(alert for alert in alerts if alert["measure"] == "rows")
    assert (rows["watched"], rows["period"], rows["verdict"]) == ("pos.transactions", str(NEXT), "unusual")
    assert rows["figure"] == len(half(till.rows)) < rows["low"]
    assert rows["files"] == [f"s3://{till.bucket}/{KEY}"]
    table = _watch("--as-of", str(NEXT)).output.splitlines()
    assert re.match(rf"pos\.transactions +{NEXT}  rows +{rows['shown_figure']}  .* unusual$", table[1])
    assert f"  s3://{till.bucket}/{KEY}" in table
    assert any("sales.store_performance" in line and line.endswith("not built") for line in table)
    assert table[-1].endswith(" figures need a look")


def test_the_front_page_shows_what_a_build_warns_of(till: Till, tmp_path: Path) -> None:
    till.deliver(half(till.rows))
    told = till.watch().said
    found = figures.read(ROOT, target="demo")
    alerts = [one for one in found if one.is_alert and one.watched == "pos.transactions"]
    assert sorted(one.message for one in alerts) == sorted(line[line.index("pos.transactions ") :] for line in told)
    assert {one.verdict for one in found} <= {"unusual", "as usual", "not enough history", "nothing yet", "not built"}
    [front] = pages.write(
        tmp_path, [], Published(None, None, None), changed=None, watched=found, currency="dollars",
        project="data_journey", prefix="",
    )  # fmt: skip
    page = front.read_text()
    [row] = [line for line in page.splitlines() if '<td class="text">rows</td>' in line]
    [rows] = [one for one in alerts if one.measure == "rows"]
    assert "models.html#!/source/source.data_journey.pos.transactions" in row
    assert f'<td>8 Mar 2017</td><td class="text">rows</td><td>{rows.shown_figure}</td>' in row
    assert f"<td>{rows.expected} (8 Wednesdays)</td>" in row


def test_a_webhook_gets_what_is_unusual(till: Till) -> None:
    till.deliver(half(till.rows))
    with server(200) as (url, bodies):
        said = _watch("--as-of", str(NEXT), "--webhook", url)
    [body] = bodies
    assert said.exit_code == 1
    assert {alert["watched"] for alert in body["alerts"]} == {"pos.transactions"}
    assert body["text"].splitlines() == [alert["message"] for alert in body["alerts"]]


def test_a_webhook_that_fails_is_named_and_hides_nothing(till: Till) -> None:
    till.deliver(half(till.rows))
    with server(302) as (url, bodies):
        said = _watch("--as-of", str(NEXT), "--json", "--webhook", f"{url}?token=secret")
    assert len(bodies) == 1  # and the redirect wasn't followed
    assert said.exit_code == 1
    assert '"measure": "rows"' in said.output
    assert isinstance(said.exception, JourneyError)
    assert re.fullmatch(r"the webhook at 127\.0\.0\.1 did not take \d+ alerts: it answered 302", str(said.exception))
    gone = _watch("--as-of", str(NEXT), "--json", "--webhook", f"{url}?token=secret")  # nobody listens any more
    assert "Connection refused" in str(gone.exception)
    assert "secret" not in str(gone.exception)


@pytest.mark.parametrize("url", ["http://hooks.example.com/secret", "ftp://127.0.0.1/secret", "secret"])
def test_figures_are_not_sent_in_the_clear(url: str) -> None:
    refused = CliRunner().invoke(cli, ["watch", "--webhook", url])
    assert isinstance(refused.exception, UsageError)
    assert "secret" not in str(refused.exception)


def test_the_page_says_the_defaults() -> None:
    said = (ROOT / "macros" / "watching" / "declared.sql").read_text().partition("return({")[2].partition("})")[0]
    defaults = {name: value.strip("'") for name, value in re.findall(r"'(\w+)': ([^,\s]+)", said)}
    rows = re.findall(r"^\| `(\w+)` \| `?([\w.]+)", (ROOT / "docs" / "watching.md").read_text(), re.MULTILINE)
    assert dict(rows).keys() >= defaults.keys()
    told = {name: value for name, value in rows if name in defaults}
    assert {**told, "judged": "none", "unusual_days": "[]"} == defaults


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers each POST with a status; its URL, and what it was sent."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/hook", bodies
        listening.shutdown()


def _watch(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["watch", "--target", "demo", *arguments])


def _read(day: date) -> list[figures.Figure]:
    return figures.read(ROOT, as_of=day, target="demo")


def _figure(day: date, measure: str) -> figures.Figure:
    return next(one for one in _read(day) if (one.watched, one.measure) == ("pos.transactions", measure))
