"""The pages, in a real browser: as they lie in the folder, of the demo's slice.

Without a Chromium these tests are skipped: `apt-get install chromium` brings one, or CHROMIUM names it.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from conftest import ROOT, Demo
from journey import site
from journey.embedded import DEVELOPER, environment
from journey.errors import JourneyError, UsageError
from journey.services.state import State
from journey.site import declared, figures, pages
from journey.watch.figures import Figure

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
HOSTILE = "</script><script>window.obeyed=1</script><img src=x onerror=window.obeyed=1>"
# of a picture's insides a screen reader hears nothing: the picture itself has a text
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
ACCESSIBLE = {"dark": ("sales", "finance"), "phone": ("index", "marketing")}  # each page, in either of both colours
TRENDS = "model.data_journey.sales_trends"
DRAWN = "[...document.querySelectorAll('.plot[role=img]')].every((plot) => plot.querySelector('svg'))"
PAGES = ("index", "sales", "marketing", "finance")
in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is there: `apt-get install chromium` brings one, or set CHROMIUM to its path"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def manifest(demo: Demo) -> dict[str, Any]:
    return demo.manifest


def opened(context: BrowserContext, file: Path) -> tuple[Page, list[str]]:
    """A page, drawn; and what it complained of or asked others for."""
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(file.as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.plot[role=img]')].every((plot) => plot.querySelector('svg'))"
    )
    return page, [one for one in said if not one.startswith("data:,")]


@in_a_browser
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_every_page_opens_from_the_disk(demo: Demo, browser: Browser, look: str) -> None:
    context = browser.new_context(
        viewport={"width": 390 if look == "phone" else 1280, "height": 844},
        color_scheme="dark" if look == "dark" else "light",
    )
    for name in PAGES:
        page, said = opened(context, demo.page.with_name(f"{name}.html"))
        assert said == [], name
        text = page.inner_text("main")
        assert re.search(r"As of \d+ \w{3} 20\d\d", text), name
        assert re.search(r"Built at 20\d\d-\d\d-\d\d \d\d:\d\d UTC, publication \d", text), name
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name  # type: ignore[index]
        if name in ACCESSIBLE.get(look, ()):
            found = Axe().run(page, context={"exclude": [[".plot svg"], ["option"]]}, options=RULES)
            serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
            assert serious == [], name
        if name == "finance":
            assert "Simulated:" in text
            assert page.locator(".financial table").count() == 3
        page.close()
    context.close()


@in_a_browser
def test_a_filter_changes_chart_and_table_and_the_download_has_its_rows(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    page, _ = opened(context, demo.page.with_name("sales.html"))
    chart = page.locator("[id='sales_trends.by_week']")
    chart.locator("summary").click()

    def state() -> tuple[str, str]:
        return chart.locator(".plot").get_attribute("aria-label") or "", chart.locator("tbody").inner_text()

    before = state()
    chart.locator("select").focus()
    page.keyboard.type("GROCERY")
    after = state()
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert set(chart.locator("tbody tr td:first-child").all_inner_texts()) == {"GROCERY"}
    with page.expect_download() as download:
        chart.locator(".download").click()
    with Path(download.value.path()).open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:3] == ["department", "period_start_date", "net_sales_amount"]
    shown = [
        [cell.replace(",", "") for cell in row.split("\t")] for row in chart.locator("tbody").inner_text().splitlines()
    ]
    assert len(shown) == len(rows) > 5
    assert [f"{round(float(row[2])):d}" for row in rows] == [row[2] for row in shown]
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


@in_a_browser
def test_on_paper_charts_are_whole_and_say_what_was_chosen(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    page, _ = opened(context, demo.page.with_name("sales.html"))
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 844})  # a sheet is narrower than the screen that it was drawn for
    charts = page.locator(".chart:has(.plot[role=img])")
    for chart in charts.all():
        drawn, room = chart.locator(".plot svg").first.bounding_box(), chart.bounding_box()
        assert drawn
        assert room
        assert drawn["x"] + drawn["width"] <= room["x"] + room["width"]
    assert charts.count() > 5
    assert page.locator("[id='sales_trends.by_week'] select").is_visible()
    assert not page.locator(".rows").first.is_visible()
    context.close()


@pytest.fixture
def hostile(demo: Demo, manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A manifest in which sales_trends has a department that would like to be a script."""
    with psycopg.connect(autocommit=True) as connection:
        theirs = f"case department when 'GROCERY' then $${HOSTILE}$$ else department end as department"
        columns = ", ".join(manifest["nodes"][TRENDS]["columns"]).replace(" department,", f" {theirs},")
        connection.execute(f"create view public.hostile as select {columns} from sales.sales_trends".encode())
        connection.execute("grant select on public.hostile to analyst")
        mine = deepcopy(manifest)
        mine["nodes"][TRENDS]["relation_name"] = "public.hostile"
        yield mine
        connection.execute("drop view public.hostile")


@in_a_browser
def test_what_came_with_data_stays_text(browser: Browser, hostile: dict[str, Any], tmp_path: Path) -> None:
    front = site.render(hostile, ROOT, tmp_path)
    context = browser.new_context()
    page, said = opened(context, front.with_name("sales.html"))
    chart = page.locator("[id='sales_trends.by_department']")
    chart.locator("summary").click()
    cell = chart.locator("td", has_text="onerror")
    cell.first.wait_for()  # the table is written once it is opened
    assert cell.count() == 1  # it is there, as a text
    bars = chart.locator(".plot svg path[aria-roledescription=bar], .plot svg .mark-rect path")
    bars.first.hover()
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert "onerror" in page.inner_text("#vg-tooltip-element")
    assert (said, page.evaluate("window.obeyed")) == ([], None)
    context.close()


def test_a_chart_is_added_by_the_lines_that_the_guide_shows(manifest: dict[str, Any], tmp_path: Path) -> None:
    section = (ROOT / "docs" / "how-to.md").read_text().split("\n## Add a chart\n")[1].split("\n## ")[0]
    added = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0])["charts"]
    mine = deepcopy(manifest)
    mine["nodes"]["model.data_journey.store_performance"]["config"]["meta"]["charts"] += added
    page = site.render(mine, ROOT, tmp_path).with_name("sales.html").read_text()
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    charts = re.findall(r'<article class="chart \w+" id="([^"]+)"', page)
    assert charts[-2] == "store_performance.discounts"  # the last of its section; one of promotions follows
    assert data["store_performance.discounts"]["rows"]
    assert [column[2] for column in data["store_performance.discounts"]["columns"]] == ["month", "text", "rate"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "pie"}, "kind 'pie' is none of trend, bars"),
    ({"value": "net_sale_amount"}, "value: the mart has no column 'net_sale_amount'; it has store_id"),
    ({"value": None}, "value is missing"),
    ({"colour": "red"}, "unknown key 'colour'"),
    ({"title": ""}, "title is missing"),
    ({"keep": "all"}, "keep is a whole number"),
    ({"formats": {"store_id": "money"}}, "'money' is none of amount"),
    ({"begin": {"store_id": 367}}, "begin: unknown key 'store_id'"),
    ({"all": ["store_id"]}, "all: store_id is none of its filters"),
    ({"name": "by_month"}, "two charts 'by_month'"),
]


@pytest.mark.parametrize(("change", "says"), WRONG)
def test_a_wrong_declaration_is_named(manifest: dict[str, Any], change: dict[str, Any], says: str) -> None:
    mine = deepcopy(manifest)
    charts = mine["nodes"]["model.data_journey.store_performance"]["config"]["meta"]["charts"]
    charts[0] = {key: value for key, value in (charts[0] | change).items() if value is not None}
    with pytest.raises(UsageError) as raised:
        declared.sections(mine)
    said = str(raised.value)
    assert said.startswith("models/marts/sales/store_performance.yml: mart store_performance")
    assert says in said
    assert "\n" not in said


def test_a_question_whose_query_fails_is_named(demo: Demo, manifest: dict[str, Any], tmp_path: Path) -> None:
    mine = deepcopy(manifest)
    asked = mine["nodes"]["model.data_journey.store_performance"]["config"]["meta"]["questions"]
    asked[0]["query"] = asked[0]["query"].replace("from sales.", "from sale.")
    with pytest.raises(JourneyError) as raised:
        site.render(mine, ROOT, tmp_path)
    where = f"models/marts/sales/store_performance.yml: mart store_performance, question {asked[0]['question']!r}"
    assert str(raised.value) == f'{where}: the database says: relation "sale.store_performance" does not exist'


def test_a_page_names_charts_and_marts_that_are_there(manifest: dict[str, Any]) -> None:
    for key, value, says in (
        ("charts", ["sales_trends.by_year"], "no chart 'sales_trends.by_year'"),
        ("figures", [{"label": "Sales", "mart": "trends", "value": "x"}], "no mart 'trends'"),
        ("figures", [{"label": "Sales", "mart": "sales_trends"}], "give value"),
    ):
        mine = deepcopy(manifest)
        mine["exposures"]["exposure.data_journey.sales_page"]["config"]["meta"]["page"][key] = value
        with pytest.raises(UsageError, match=f"_sales__exposures.yml: exposure sales_page.*{says}"):
            declared.sections(mine)


def test_the_pages_of_an_exposure_are_its_address(manifest: dict[str, Any]) -> None:
    for section in declared.sections(manifest):
        exposure = manifest["exposures"][f"exposure.data_journey.{section.name}"]
        assert exposure["url"] == f"{section.page}.html#{section.name}"


def test_pages_read_as_an_analyst_and_refuse_who_sees_persons(demo: Demo, manifest: dict[str, Any]) -> None:
    marts = [mart for section in declared.sections(manifest) for mart in section.marts]
    with figures.snapshot() as connection:
        figures.act_as(connection, "", marts)
        rights = connection.execute("select current_user, current_setting('transaction_read_only')").fetchone()
        assert rights == ("analyst", "on")
    closed = [replace(marts[0], relation="pg_catalog.pg_authid")]  # which no analyst reads
    with figures.snapshot() as connection:
        connection.execute("set local role pii_reader")
        with pytest.raises(UsageError, match="as a pii_reader does"):
            figures.act_as(connection, "", closed)


def test_the_front_page_is_quiet_of_what_is_as_usual(demo: Demo) -> None:
    said = re.search(r"Of the newest figures that are watched, (\d+) of (\d+) are as usual, and", demo.page.read_text())
    assert said
    assert 0 < int(said[1]) <= int(said[2])
    assert "Unlike their own past" not in demo.page.read_text()


def test_what_is_watched_stays_text_and_names_no_members(manifest: dict[str, Any], demo: Demo, tmp_path: Path) -> None:
    strange = Figure(
        "sales.sales_performance", "mart", "month", date(2017, 3, 1), f"members({HOSTILE})", 1, 0, 0, 0, 8, "8 months",
        "1", "0", "a person", "unusual", (), "",
    )  # fmt: skip
    page = site.render(manifest, ROOT, tmp_path, watched=[strange]).read_text()
    assert 'href="models.html#!/model/model.data_journey.sales_performance">sales.sales_performance</a>' in page
    assert "<td>Mar 2017</td>" in page
    assert page.index('id="unusual"') < page.index('id="sales"')
    assert "members(&lt;/script&gt;" in page
    assert HOSTILE not in page
    assert "a person" not in page
    assert "watched" not in site.render(manifest, ROOT, tmp_path).read_text()


def test_a_login_that_may_not_read_feeds_writes_pages_without_what_is_watched(
    embedded: State, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(embedded, DEVELOPER).items():
        monkeypatch.setenv(name, value)
    assert site._watched(ROOT, "demo") is None


def test_a_mart_that_is_not_built_is_said(demo: Demo, manifest: dict[str, Any], tmp_path: Path) -> None:
    mine = deepcopy(manifest)
    mine["nodes"]["model.data_journey.sales_forecast"]["relation_name"] = "dev_nobody_sales.sales_forecast"
    page = site.render(mine, ROOT, tmp_path).with_name("sales.html").read_text()
    assert "Nothing to show yet: sales.sales_forecast isn&#39;t built here." in page


def test_an_empty_mart_says_why(manifest: dict[str, Any]) -> None:
    chart = next(
        chart for section in declared.sections(manifest) for chart in section.charts if "empty" not in chart.said
    )
    assert "published and has no rows" in site.nothing(chart, has_rows=False)
    assert "none with" in site.nothing(chart, has_rows=True) or "where" not in chart.said


def test_a_rate_moves_by_points_and_a_share_of_a_loss_is_none() -> None:
    assert pages.change({"better": "lower"}, "rate", 0.25, 0.27, None)["change"] == "\u22122.0 points"
    assert pages.change({}, "amount", 50, -100, None)["change"] == "+150"
    assert pages.change({}, "amount", 100.01, 100, None)["change"] == "no change"
    assert pages.change({"better": "higher"}, "count", 3, 2, False)["tone"] == ""
