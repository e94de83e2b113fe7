"""G: failures end, by the next load, by a person's word, or by what is delivered anew; and their record stays."""

from __future__ import annotations

import pytest

from journey.loader.ledger import TableStatus
from journey.loader.run import status
from loader.cases.case import stored
from loader.support import Landing

OTHERS: dict[str, bytes | str] = {
    "README.md": "# about these files\n\nask Ann, please\n",
    "manifest.json": '{"files":["a.csv"]}',
    "Thumbs.db": stored("Thumbs.db"),
}


def one_table(landing: Landing, pattern: str = "in/") -> TableStatus:
    """How the table stands."""
    [table] = status(sources=[landing.source(pattern)]).values()
    return table


def test_other_files_beside_are_settled_by_a_glob(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n2,b\n")
    for key, body in OTHERS.items():
        landing.put(f"in/{key}", body)
    assert len(landing.load(landing.source()).failures) == 3
    assert len(one_table(landing).failed) == 3
    summary = landing.load(landing.source("in/*.csv"))
    assert (summary.exit_status, summary.tables["shop.sales"].settled) == (0, 3)
    assert one_table(landing, "in/*.csv").failed == []
    assert landing.rows() == [(1, "a"), (2, "b")]
    assert landing.query("select count(*) from loader.files where error is not null") == [(3,)]


def test_a_file_that_was_never_loaded_and_is_gone_leaves_no_trouble_with_on_delete_remove(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.put("in/b.csv", "id,name\nx,b\n")
    source = landing.source(on_delete="remove")
    assert landing.load(source).exit_status == 1
    landing.client.delete_object(Bucket=landing.bucket, Key="in/b.csv")
    assert landing.load(source).exit_status == 0
    assert one_table(landing).failed == []
    assert landing.rows() == [(1, "a")]
    assert landing.agree()


def test_a_bad_new_version_that_is_taken_back_keeps_the_old_rows(landing: Landing) -> None:
    landing.put("in/a.csv", "id,name\n1,a\n")
    landing.load(landing.source())
    landing.put("in/a.csv", "id,name\nx,a\n")
    assert landing.load(landing.source()).exit_status == 1
    landing.client.delete_object(Bucket=landing.bucket, Key="in/a.csv")
    landing.put("in/other.csv", "id,name\n2,b\n")
    assert landing.load(landing.source()).exit_status == 0
    assert one_table(landing).failed == []
    assert landing.rows() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("body", ["id,name\n7,a\n", b""])
def test_a_failed_file_that_is_delivered_right_is_no_failure(landing: Landing, body: str | bytes) -> None:
    landing.put("in/a.csv", "not,these\n1,2\n")
    assert landing.load(landing.source()).exit_status == 1
    landing.put("in/a.csv", body)
    assert landing.load(landing.source()).exit_status == 0
    assert one_table(landing).failed == []
    assert landing.rows() == ([(7, "a")] if body else [])


def test_a_failure_whose_folder_is_hidden_afterwards_is_settled(landing: Landing) -> None:
    landing.put("in/2024/a.csv", "id,name\nx,a\n")
    landing.put("in/2024/b.csv", "id,name\n1,b\n")
    assert landing.load(landing.source()).exit_status == 1
    landing.client.copy_object(Bucket=landing.bucket, Key="in/_bad/a.csv", CopySource=f"{landing.bucket}/in/2024/a.csv")
    landing.client.delete_object(Bucket=landing.bucket, Key="in/2024/a.csv")
    assert landing.load(landing.source()).exit_status == 0
    assert one_table(landing).failed == []


def test_a_failure_is_not_settled_where_nothing_is_listed(landing: Landing) -> None:
    """Rather a wrong address than an empty bucket."""
    landing.put("in/a.csv", "id,name\nx,a\n")
    landing.load(landing.source())
    landing.client.delete_object(Bucket=landing.bucket, Key="in/a.csv")
    landing.load(landing.source())
    assert [key for key, _ in landing.statuses()] == ["in/a.csv"]


def test_a_location_that_means_nothing_is_told(landing: Landing) -> None:
    """L: a pattern with a slip of the pen."""
    landing.put("in/2024-06-01.csv", "id,name\n1,a\n")
    summary = landing.load(landing.source("in/2024-06-*.cvs"))
    assert (summary.exit_status, summary.failures) == (0, [])
    summary = landing.load(landing.source("in/2024-06-*.cvs", required=True))
    assert summary.exit_status == 1
    assert "in/2024-06-*.cvs" in summary.failures[0]
    assert "required" in summary.failures[0]
