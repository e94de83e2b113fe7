"""C: a Parquet value is what the file's type says; no number becomes a time, no time a number, no byte a text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pyarrow as pa

from loader.cases.case import Case, bad, case, needs, parquet, stored

UTC = dt.timezone.utc
MORNING = dt.datetime(2024, 6, 1, 10)
UUIDS = [
    "6513270e-269e-4d37-b2a7-4de452e6b438", "d23f0824-128b-4f33-8c5c-7fd0a6a3a450",
    "9531985d-5d9d-49f8-9818-e811892f902b",
    "6e0d2fd2-a336-41c6-bcc8-82d19c2a4542", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip


def one(name: str, kind: str, values: pa.Array, rows: list[object], refused: dict[int, str], **options: object) -> Case:
    """A column of values, for a column of this type; the refused ones by their row, with a word of the reason."""
    good = [i for i in range(1, len(values) + 1) if i not in refused]
    return case(
        "C", name, parquet({"id": range(1, len(values) + 1), "v": values}), {"id": "integer", "v": kind},
        format="parquet",
        rows=list(zip(good, rows, strict=True)), bad=[bad(row, "v", *([word] if word else [])) for row,
        word in refused.items()],
        options=options,
    )  # fmt: skip


CASES: list[Case] = [
    case("C", "INT96 for an open end", stored("int96-open-end.parquet"),
         {"contract_id": "integer", "valid_from": "timestamp", "valid_to": "timestamp"}, format="parquet",
         rows=[(11, dt.datetime(2021, 3, 1), dt.datetime(9999, 12, 31)),
         (12, dt.datetime(1201, 5, 6), dt.datetime(2022, 7, 1, 6, 30))]),
    case("C", "UUIDs", stored("uuid.parquet"), {"order_uuid": "uuid", "n": "integer"}, format="parquet",
         rows=[(UUID(text), n) for n, text in enumerate(UUIDS)]),
    *needs("C", "integers for times", stored("int-timestamp.parquet"),
           {"id": "integer", "at": "timestamptz", "at2": "timestamp"},
           format="parquet", option={"columns": {"at": {"epoch_unit": "s"}, "at2": {"epoch_unit": "ms"}}},
           rows=[(1, MORNING.replace(tzinfo=UTC), MORNING)], without=[bad(1, "at", "1717236000", "epoch_unit")]),
    case("C", "times for integers", stored("date-to-int.parquet"),
         {"id": "integer", "day_key": "integer", "at_key": "bigint"},
         format="parquet", bad=[bad(1, "day_key", "2024-06-01", "integer")]),
    case("C", "a time for an integer alone", stored("date-to-int.parquet"), {"id": "integer", "at_key": "bigint"},
         format="parquet",
         bad=[bad(1, "at_key", "2024-06-01", "bigint")], options={"new_columns": "ignore"}),

    one("an integer for a date", "date", pa.array([19875, None]), [None], {1: "epoch_unit"}),
    one("days since 1970 for a date", "date", pa.array([19875, -1, -(10**7)]),
        [dt.date(2024, 6, 1), dt.date(1969, 12, 31)], {3: "out of range"}, epoch_unit="days"),
    one("dictionary-encoded integers for a date", "date", pa.array([19875, 19876]).dictionary_encode(), [],
        {1: "epoch_unit", 2: "epoch_unit"}),
    one("floats for a time", "timestamptz", pa.array([1717236000.0, None]), [None], {1: "epoch_unit"}),
    one("floats of seconds for a time", "timestamp", pa.array([1717236000.0, float("nan")]), [MORNING], {2: "nan"},
        epoch_unit="s", whole_decimals=True),
    one("floats of seconds for a time, not declared whole", "timestamp", pa.array([1717236000.0]), [],
        {1: "whole_decimals"}, epoch_unit="s"),
    one("a duration for a number", "bigint", pa.array([3600], pa.duration("s")), [], {1: "bigint"}),
    one("a time of day for a number", "integer", pa.array([dt.time(10)], pa.time32("ms")), [], {1: "integer"}),
    one("a time of day", "time", pa.array([dt.time(10, 0, 1), None], pa.time64("us")), [dt.time(10, 0, 1), None], {}),
    one("true and false for a number", "integer", pa.array([True, False]), [], {1: "integer", 2: "integer"}),
    one("numbers for true and false", "boolean", pa.array([1, 0]), [], {1: "boolean", 2: "boolean"}),
    one("a number for a uuid", "uuid", pa.array([7]), [], {1: "uuid"}),
    one("a uuid as text", "uuid", pa.array([UUIDS[0], UUIDS[0].upper(), "x"]), [UUID(UUIDS[0])] * 2, {3: "uuid"}),
    one("16 bytes that nobody calls a uuid, as bytes", "bytea", pa.array([UUID(UUIDS[0]).bytes], pa.binary(16)),
        [UUID(UUIDS[0]).bytes], {}),
    one("fixed bytes for a number", "integer", pa.array([b"\0\0\0\7"], pa.binary(4)), [], {1: "integer"}),
    one("bytes that are no text", "text", pa.array([b"EUR", b"\xff\xfe", b"a\0"], pa.binary()), ["EUR"],
        {2: "UTF-8", 3: "NUL"}),
    one("a text for bytes", "bytea", pa.array(["a", "\\x61"]), [b"a"], {1: "hexadecimal"}),
    one("nanoseconds", "timestamp", pa.array([1717236000 * 10**9, 1717236000 * 10**9 + 1], pa.timestamp("ns")),
        [MORNING], {2: "extra_digits"}),
    one("nanoseconds, rounded", "timestamp", pa.array([1717236000 * 10**9 + 600, 1717236000 * 10**9 + 1],
        pa.timestamp("ns")),
        [MORNING.replace(microsecond=1), MORNING], {}, extra_digits="round"),
    one("a time of the year 290,000", "timestamp", pa.array([2**63 - 1, 0, -(2**63)], pa.timestamp("us")),
        [dt.datetime(1970, 1, 1)], {1: "", 3: ""}),
    case("C", "days before the year 1, and beyond what PostgreSQL has",
         parquet({"id": [1, 2, 3, 4, 5], "v": pa.array([2932896, 2932897, -719162, -719163, 2**31 - 1], pa.date32())}),
         {"id": "integer", "v": "date"}, format="parquet", select="id, v::text",
         rows=[(1, "9999-12-31"), (2, "10000-01-01"), (3, "0001-01-01")],
         bad=[bad(4, "v", "out of range"), bad(5, "v", "out of range")]),
    one("instants for times without a zone", "timestamptz", pa.array([1717236000], pa.timestamp("s", "Asia/Tokyo")),
        [MORNING.replace(tzinfo=UTC)], {}),
    one("times without a zone for instants", "timestamptz", pa.array([MORNING], pa.timestamp("us")),
        [MORNING.replace(hour=8, tzinfo=UTC)], {},
        time_zone="Europe/Berlin"),
    one("times without a zone where that is refused", "timestamptz", pa.array([MORNING], pa.timestamp("us")), [],
        {1: "time_zone"}, time_zone="refuse"),
    one("a time for a date", "date", pa.array([MORNING], pa.timestamp("us")), [], {1: "2024-06-01"}),
    one("finer decimals", "numeric(6,2)", pa.array([Decimal("1.005"), Decimal("1.010"), Decimal("99999.999")]),
        [Decimal("1.01")],
        {1: "extra_digits", 3: "extra_digits"}),
    one("finer decimals, rounded", "numeric(6,2)", pa.array([Decimal("1.005"), Decimal("-1.005"), Decimal("9999.995")]),
        [Decimal("1.01"), Decimal("-1.01")], {3: "numeric(6,2)"}, extra_digits="round"),
    one("floats for a numeric are what they say in decimals", "numeric(6,2)",
        pa.array([0.1, 2.5, 2.675, 1e10, float("nan"), float("inf")]),
        [Decimal("0.10"), Decimal("2.50")], {3: "extra_digits", 4: "numeric(6,2)", 5: "special_values",
        6: "special_values"}),
    one("floats of 32 bits for a numeric", "numeric(6,2)", pa.array([0.1, 19.99], pa.float32()),
        [Decimal("0.10"), Decimal("19.99")], {}),
    one("NaN for an integer (pandas' missing ids)", "integer", pa.array([1.0, float("nan"), 2.5]), [1],
        {2: "special_values", 3: "2.5"},
        whole_decimals=True),
    one("NaN for an integer, read as null", "integer", pa.array([1.0, float("nan"), 2.5]), [1, None], {3: "2.5"},
        whole_decimals=True,
        special_values="null"),
    one("whole floats for an integer, not declared", "integer", pa.array([1.0, None]), [None], {1: "whole_decimals"}),
    one("unsigned numbers", "bigint", pa.array([1, 2**63], pa.uint64()), [1], {2: "bigint"}),
    one("unsigned numbers in a numeric", "numeric(20,0)", pa.array([2**64 - 1], pa.uint64()), [Decimal(2**64 - 1)], {}),
    one("dates as text", "date", pa.array(["2024-02-03", "03/02/2024", "today", ""]), [dt.date(2024, 2, 3), None],
        {2: "date_format", 3: "date_format"}),
    one("numbers as text", "integer", pa.array(["7", "0x10", "1_000", " 7"]), [7], {2: "0x10", 3: "1_000", 4: "trim"}),
    one("numbers, times, true and false for a text", "text", pa.array([7, -1]), ["7", "-1"], {}),
]  # fmt: skip
