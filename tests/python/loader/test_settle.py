"""Failures end: by themselves when what failed is gone or was put right, by hand with a reason otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from journey.errors import UsageError
from journey.loader import ledger
from journey.loader.ledger import Failed
from journey.loader.rejects import Rejected
from journey.loader.report import status_lines
from journey.loader.settling import settle
from loader.seeding import Seed, declared, query
from loader.support import Landing

BAD = Rejected(3, "id", "no number", "x,y")


@pytest.fixture
def seed(database: str) -> Iterator[Seed]:
    """A ledger."""
    with psycopg.connect(autocommit=True) as connection:
        yield Seed(connection)


def failed(key: str, *, bucket: str = "landing", etag: str = "bad", loaded: str | None = None) -> Failed:
    """A failure with the number 1."""
    return Failed(1, bucket, key, etag, 10, loaded)


@pytest.mark.parametrize(
    ("one", "listed", "after", "reason"),
    [
        (failed("in/a"), {}, None, "it is no longer in S3"),
        (failed("in/a"), {"in/a": "bad"}, None, None),
        (failed("in/a"), {"in/a": "new"}, None, None),
        (failed("in/a", loaded="old"), {"in/a": "old"}, None, "S3 has the version again that is loaded"),
        (failed("in/a", loaded="old"), {"in/a": "bad"}, None, None),
        (failed("elsewhere/a"), {"elsewhere/a": "bad"}, None, "the declared location no longer means it"),
        (failed("in/_part"), {"in/_part": "bad"}, None, "the declared location no longer means it"),
        (failed("in/a", bucket="old"), {"in/a": "bad"}, None, "the declared location no longer means it"),
        (failed("in/a"), {}, "in/a", None),
        (failed("in/a"), {}, "in/b", None),
        (failed("in/c"), {}, "in/b", "it is no longer in S3"),
        (failed("elsewhere/a"), {}, "in/b", "the declared location no longer means it"),
    ],
)
def test_when_a_failure_is_over(one: Failed, listed: dict[str, str], after: str | None, reason: str | None) -> None:
    assert ledger.over([one], declared(), listed, after) == ({1: reason} if reason else {})


def test_a_failed_file_that_is_gone_is_settled_and_the_record_stays(seed: Seed) -> None:
    source = declared()
    seed.fail(source, "in/gone.csv", rejected_count=3)
    seed.fail(source, "in/there.csv")
    gone = ledger.settle_gone(seed.connection, source, {"in/there.csv": "bad"})
    assert gone == {"in/gone.csv": "it is no longer in S3"}
    assert query(
        seed.connection,
        """select key, status, settled_by, error, rejected_count, waived_count, delivered_count
           from loader.files order by 1""",
    ) == [
        ("in/gone.csv", "settled", "journey load", "no such file", 0, 3, None),
        ("in/there.csv", "failed", None, "no such file", 0, 0, None),
    ]
    status = ledger.table_status(seed.connection, source)
    assert [key for key, _ in status.failed] == ["in/there.csv"]
    assert "settled: shop.sales: in/gone.csv: it is no longer in S3 (journey load)" in status_lines(
        {"shop.sales": status}
    )


def test_what_was_retried_meanwhile_is_not_settled(seed: Seed) -> None:
    source = declared()
    file_id = seed.fail(source, "in/a.csv")
    seed.bring(source, "in/a.csv", [(1, "a")])
    assert ledger.settle(seed.connection, {file_id: "gone"}) == 0
    assert query(seed.connection, "select status from loader.files order by file_id") == [("retried",), ("loaded",)]


def test_a_version_settled_by_hand_is_not_tried_again_but_a_new_one_is(seed: Seed) -> None:
    source = declared()
    seed.fail(source, "in/a.csv", etag="junk")
    seed.fail(source, "in/b.csv", etag="junk")
    said = settle([source], "s3://landing/in/a.csv", "a test delivery", "anna")
    assert said == ["shop.sales: in/a.csv: the failure is settled; this version isn't tried again"]
    ledger.settle_gone(seed.connection, source, {})
    known = ledger.known(seed.connection, source, ["in/a.csv", "in/b.csv"])
    assert known["in/a.csv"].settled_etags == ["junk"]
    assert known["in/b.csv"].settled_etags == []  # it was gone; if it comes back, it is tried
    assert query(
        seed.connection, "select settled_by, settled_because from loader.files where key = 'in/a.csv'"
    ) == [("anna", "a test delivery")]  # fmt: skip


def test_refused_rows_are_waived_by_hand(seed: Seed) -> None:
    source = declared()
    seed.bring(source, "in/a.csv", [(1, "a"), (2, "b")], rejected=[BAD, BAD])
    before = ledger.table_status(seed.connection, source)
    assert (before.delivered, before.rows, before.rejected, before.waived) == (4, 2, 2, 0)
    assert settle([source], "in/a.csv", "known test rows", "anna") == [
        "shop.sales: in/a.csv: 2 refused rows are waived; they stay in loader.rejected_rows"
    ]
    after = ledger.table_status(seed.connection, source)
    assert (after.delivered, after.rows, after.rejected, after.waived) == (4, 2, 0, 2)
    assert query(seed.connection, "select count(*) from loader.rejected_rows where waived_at is not null") == [(2,)]
    with pytest.raises(UsageError, match="no failed file and no loaded file with refused rows"):
        settle([source], "in/a.csv", "again")


def test_a_failure_goes_before_the_refused_rows_of_the_version_that_is_loaded(seed: Seed) -> None:
    source = declared()
    seed.bring(source, "in/a.csv", [(1, "a")], rejected=[BAD])
    seed.fail(source, "in/a.csv", etag="junk")
    assert "the failure is settled" in settle([source], "in/a.csv", "junk")[0]
    assert "1 refused rows are waived" in settle([source], "in/a.csv", "junk")[0]


def test_settling_needs_a_reason_and_an_open_file(seed: Seed) -> None:
    with pytest.raises(UsageError, match="--because must say why"):
        settle([declared()], "in/a.csv", "  ")
    with pytest.raises(UsageError, match=r"in/a\.csv: no failed file"):
        settle([declared()], "in/a.csv", "because")


def test_a_failed_file_of_a_feed_that_lists_its_end_is_listed_again(seed: Seed) -> None:
    source = declared(listing="since_last_key", list_overlap=1)
    for day in range(1, 10):
        seed.bring(source, f"in/{day}.csv", [(day, "a")])
    assert ledger.overlap_key(seed.connection, source) == "in/8.csv"
    seed.fail(source, "in/3x.csv")
    after = ledger.overlap_key(seed.connection, source)
    assert after is not None
    assert "in/3.csv" <= after < "in/3x.csv"


def test_case_72_a_wrong_file_that_was_taken_out_is_settled(landing: Landing) -> None:
    landing.put("in/wrong.csv", "other,columns\n1,a\n")
    assert landing.load(landing.source()).exit_status == 1
    landing.client.delete_object(Bucket=landing.bucket, Key="in/wrong.csv")
    assert landing.load(landing.source(), dry_run=True).exit_status == 0
    assert landing.statuses() == [("in/wrong.csv", "failed")]  # a dry run settles nothing
    assert landing.load(landing.source()).exit_status == 0
    assert landing.statuses() == [("in/wrong.csv", "settled")]
    landing.put("in/wrong.csv", "id,name\n1,a\n")  # it comes back, put right
    assert landing.load(landing.source()).exit_status == 0
    assert landing.rows() == [(1, "a")]


def test_case_72b_a_location_that_leaves_it_out_settles_it(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/README.md", "# what is here\n")
    assert landing.load(landing.source()).exit_status == 1
    assert landing.load(landing.source("in/*.csv")).exit_status == 0
    assert ("in/README.md", "settled") in landing.statuses()


def test_a_file_overwritten_with_junk_and_restored_is_settled(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/a.csv", "junk\n1\n")
    assert landing.load(landing.source()).exit_status == 1
    assert landing.rows() == [(1, "a")]
    landing.put("in/a.csv", "id,name\n1,a\n")
    assert landing.load(landing.source()).exit_status == 0
    assert landing.statuses() == [("in/a.csv", "loaded"), ("in/a.csv", "settled")]


def test_what_was_settled_by_hand_is_left_alone_by_the_next_load(landing: Landing) -> None:
    landing.put("in/a.csv", "junk\n1\n")
    assert landing.load(landing.source()).exit_status == 1
    settle([landing.source()], "in/a.csv", "never mind")
    summary = landing.load(landing.source())
    assert (summary.exit_status, summary.tables["shop.sales"].skipped) == (0, 1)
    landing.put("in/a.csv", "id,name\n1,a\n")
    assert landing.load(landing.source()).exit_status == 0
    assert landing.rows() == [(1, "a")]
