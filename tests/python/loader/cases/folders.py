"""E: what lies in a folder that begins with a dot or an underscore is no data, nor are folders themselves."""

from __future__ import annotations

from loader.cases.case import Case, case, parquet, stored

ASH_ELM = stored("ash-elm.snappy.parquet")
TREES = [(1, "ash"), (2, "elm")]
ROW = "id,name\n{},x\n"
OTHER = parquet({"id": [9], "name": ["no data"]})


def csv_files(*good: str, hidden: tuple[str, ...], pattern: str = "") -> Case:
    """Files with one row each; the hidden ones aren't loaded."""
    files = {key: ROW.format(i) for i, key in enumerate(good + hidden, 1)}
    return case(
        "E",
        f"{pattern or 'in/'}: {hidden[0]}",
        files,
        rows=[(i, "x") for i in range(1, len(good) + 1)],
        unseen=hidden,
        pattern=pattern,
    )


CASES: list[Case] = [
    case("E", "what Spark and Hive leave behind",
         {"part-00000-6b1c.snappy.parquet": ASH_ELM, "_SUCCESS": b"",
          "_temporary/0/_temporary/attempt_202406010101_0001_m_000000_7/part-00000-6b1c.snappy.parquet": ASH_ELM,
          ".part-00000-6b1c.snappy.parquet.crc": b"crc\0\0",
          ".hive-staging_hive_2024-06-01/-ext-10000/000000_0": ASH_ELM},
         format="parquet", rows=TREES,
         unseen=["_SUCCESS",
         "_temporary/0/_temporary/attempt_202406010101_0001_m_000000_7/part-00000-6b1c.snappy.parquet",
                 ".part-00000-6b1c.snappy.parquet.crc", ".hive-staging_hive_2024-06-01/-ext-10000/000000_0"]),
    case("E", "a Delta table's log", {"part-0.parquet": ASH_ELM,
         "_delta_log/00000000000000000010.checkpoint.parquet": OTHER,
                                      "_delta_log/00000000000000000010.json": "{}",
                                      "_change_data/cdc-0.parquet": OTHER},
         format="parquet", rows=TREES,
         unseen=["_delta_log/00000000000000000010.checkpoint.parquet", "_delta_log/00000000000000000010.json",
         "_change_data/cdc-0.parquet"]),
    case("E", "summaries of Spark, marks of Databricks", {"part-0.parquet": ASH_ELM, "_metadata": OTHER,
         "_common_metadata": OTHER, "_committed_77": "{}"},
         format="parquet", rows=TREES, unseen=["_metadata", "_common_metadata", "_committed_77"]),
    case("E", "folder markers of consoles and of Hadoop", {"2024/": b"", "2024/a.parquet": ASH_ELM,
         "2024_$folder$": b"", "old/2023_$folder$": b""},
         format="parquet", rows=TREES, unseen=["2024/", "2024_$folder$", "old/2023_$folder$"]),
    csv_files("a.csv", hidden=(".ipynb_checkpoints/a-checkpoint.csv", ".DS_Store", "._a.csv", "2024/.trash/b.csv")),
    csv_files("2024/a.csv", "2024/06/b.csv", hidden=("_old/c.csv", "2024/_old/d.csv", ".hidden.csv"),
              pattern="**/*.csv"),
    csv_files("_export/a.csv", "_export/deep/b.csv", hidden=("_export/_tmp/c.csv", "_export/.d.csv"),
              pattern="_export/"),
    csv_files("a_b/c_.csv", "x.y/.z".replace("/.", "/"), hidden=("__MACOSX/a_b/c_.csv",)),
    csv_files("dt=2024-06-01/a.csv", hidden=("dt=2024-06-01/_started", "dt=2024-06-01/.a.csv.swp",
              "_dt=2024-06-02/a.csv")),
]  # fmt: skip
