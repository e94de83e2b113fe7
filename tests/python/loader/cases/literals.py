"""B: what a value means is declared. Nothing is month first, relative, hexadecimal or an instant by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from loader.cases.case import Case, bad, case, needs

UTC = dt.timezone.utc
ISSUED = {"invoice": "integer", "issued_on": "date", "total": "numeric(10,2)"}
INVOICES = "invoice,issued_on,total\n9001,03/02/2024,12.50\n9002,03/02/2024,8.00\n9003,04/02/2024,1.10\n"
SHORT = "id,on_date\n" + "".join(
    f"{i},{text}\n"
    for i, text in enumerate(["010224", "240201", "2024", "202402", "20240201", "0102", "1", "2024-02", "2024.45"], 1)
)


def at(text: str) -> dt.datetime:
    """An instant."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def values(kind: str, good: Sequence[tuple[str, Any]], refused: Sequence[tuple[str, str]], **options: Any) -> Case:
    """Texts for one type: those that are read, and those that aren't, each with a word of the reason.

    Args:
        kind: PostgreSQL's type.
        good: text and value.
        refused: text and the option that would read it, or another word.
        options: declared.
    """
    texts = [text for text, _ in good] + [text for text, _ in refused]
    body = "id;v\n" + "".join(f"{i};{text}\n" for i, text in enumerate(texts, 1))
    first = len(good) + 2
    declared = ", ".join(f"{name}: {value}" for name, value in options.items())
    return case(
        "B", f"{kind} {declared}".strip(), body, {"id": "integer", "v": kind}, options={"delimiter": ";", **options},
        rows=[(i, value) for i, (_, value) in enumerate(good, 1)],
        bad=[bad(line, "v", text.strip(), word) for line, (text, word) in enumerate(refused, first)],
    )  # fmt: skip


CASES: list[Case] = [
    *needs("B", "day first", INVOICES, ISSUED, option={"date_format": "%d/%m/%Y"},
           rows=[(9001, dt.date(2024, 2, 3), Decimal("12.50")), (9002, dt.date(2024, 2, 3), Decimal("8.00")),
                 (9003, dt.date(2024, 2, 4), Decimal("1.10"))],
           without=[bad(line, "issued_on", "/02/2024", "YYYY-MM-DD", "date_format") for line in (2, 3, 4)]),
    case("B", "other writings of numbers",
         "bin_code,qty,label\n10,1.00,plain\n0x10,1.00,shelf 0x10\n1_000,1_0.5,cell 1_000\n0b11,0x1F,lane 0b11\n"
         "0o17,5,rack\n", {"bin_code": "integer", "qty": "numeric(10,2)", "label": "text"},
         options={"max_reject_rate": 0.9}, rows=[(10, Decimal("1.00"), "plain")],
         bad=[bad(line, "bin_code", text) for line, text in enumerate(("0x10", "1_000", "0b11", "0o17"), 3)]),
    *needs("B", "runs of digits as dates", SHORT, {"id": "integer", "on_date": "date"},
           option={"date_format": "%Y%m%d"}, options={"max_reject_rate": 0.95}, without=("010224", "date_format"),
           rows=[(5, dt.date(2024, 2, 1))], bad=[bad(line, "on_date", "%Y%m%d") for line in (2, 3, 4, 5, 7, 8, 9, 10)]),
    *needs("B", "seconds since 1970", "id,at\n1,1712101231\n2,1705041130\n", {"id": "integer", "at": "timestamptz"},
           option={"epoch_unit": "s"}, rows=[(1, at("2024-04-02T23:40:31")), (2, at("2024-01-12T06:32:10"))],
           without=[bad(2, "at", "1712101231", "epoch_unit"), bad(3, "at", "1705041130", "epoch_unit")]),
    case("B", "NaN in a numeric", "id,net,x\n1,5.00,1\n2,NaN,NaN\n3,nan,-Infinity\n4,,\n",
         {"id": "integer", "net": "numeric(10,2)", "x": "double precision"}, options={"max_reject_rate": 0.9},
         rows=[(1, Decimal("5.00"), 1.0), (4, None, None)],
         bad=[bad(3, "net", "NaN", "special_values"), bad(4, "net", "nan", "special_values")]),
    case("B", "NaN in a numeric that reads it as null", "id,net,x\n1,5.00,1\n2,NaN,NaN\n3,nan,-Infinity\n4,,\n",
         {"id": "integer", "net": "numeric(10,2)", "x": "double precision"},
         options={"columns": {"net": {"special_values": "null"}}},
         rows=[(1, Decimal("5.00"), 1.0), (2, None, float("nan")), (3, None, float("-inf")), (4, None, None)]),
    case("B", "days that hang on the day of the load",
         "id,due,at\n1,today,now\n2,infinity,infinity\n3,tomorrow,epoch\n4,2024-06-01,2024-06-01\n5,yesterday,today\n",
         {"id": "integer", "due": "date", "at": "timestamptz"}, options={"max_reject_rate": 0.95},
         rows=[(4, dt.date(2024, 6, 1), at("2024-06-01T00:00"))],
         bad=[bad(line, "due", text, "YYYY-MM-DD")
              for line, text in ((2, "today"), (3, "infinity"), (4, "tomorrow"), (6, "yesterday"))]),

    values("date", [("2024-06-01", dt.date(2024, 6, 1)), ("0001-01-01", dt.date(1, 1, 1)),
                    ("9999-12-31", dt.date(9999, 12, 31)), ("2024-02-29", dt.date(2024, 2, 29)), ("", None)],
           [(text, "is no date") for text in ("2024-02-30", "2023-02-29", "2024-13-01", "0000-12-31")]
           + [(text, "date_format") for text in ("10000-01-01", "2024-6-1", "24-06-01", "2024/06/01",
               "01.06.2024", "June 1, 2024", "1-Jun-2024", "20240601", "2024-W22-6", "2024-153", "J2460463",
               "-infinity",
               "epoch", "2024-06-01 BC", "2024-06-01 00:00:00", "2024-06-01T00:00:00Z",
               "\uff12\uff10\uff12\uff14-06-01", "-2024-06-01")]),
    values("date", [("06/01/2024", dt.date(2024, 6, 1)), ("12/31/2023", dt.date(2023, 12, 31))],
           [("31/12/2023", "is no date"), ("2024-06-01", "%m/%d/%Y"), ("06/01/24", "%m/%d/%Y"),
           ("06/01/2024x", "%m/%d/%Y"),
            ("02/30/2024", "is no date")], date_format="%m/%d/%Y"),
    values("date", [("01-JUN-24", dt.date(2024, 6, 1)), ("31-dec-68", dt.date(2068, 12, 31)),
                    ("01-Jan-69", dt.date(1969, 1, 1))],
           [("01-JUNE-24", "%d-%b-%y"), ("01-06-24", "%d-%b-%y"), ("31-JUN-24", "is no date"),
           ("01-MAI-24", "is no date")],
           date_format="%d-%b-%y"),
    values("date", [("01.06.2024", dt.date(2024, 6, 1)), ("2024-06-02", dt.date(2024, 6, 2)),
           ("3.6.2024", dt.date(2024, 6, 3))],
           [("06/01/2024", "date_format")], date_format=["%d.%m.%Y", "iso"]),
    values("timestamptz", [("2024-06-01 10:00:00", at("2024-06-01T10:00")),
           ("2024-06-01T10:00Z", at("2024-06-01T10:00")),
                           ("2024-06-01 10:00:00.123456+0530", at("2024-06-01T04:30:00.123456")),
                           ("2024-06-01 10:00:00 -08:00", at("2024-06-01T18:00")),
                           ("2024-06-01T10:00:00+02", at("2024-06-01T08:00"))],
           [(text, "timestamp_format") for text in (
               "2024-06-01 10:00:00 CEST", "2024-06-01 10:00:00 EST", "2024-06-01 10:00:00 UTC", "now", "epoch",
               "infinity",
               "June 1, 2024 10:00", "06/01/2024 10:00",
               "2024-06-01 10:00 AM", "2024-06-01 10:00 America/New_York", "Sat Jun 01 10:00:00 2024",
               "20240601T100000")]
           + [(text, "is no timestamp") for text in ("2024-06-01 24:00:00", "2024-06-01 23:59:60", "2024-06-01 10:60")]
           + [("2024-06-01 10:00:00.1234567", "extra_digits")]),
    values("timestamptz", [("2024-06-01 10:00:00", at("2024-06-01T08:00")),
           ("2024-01-01 10:00:00", at("2024-01-01T09:00")),
                           ("2024-06-01 10:00:00Z", at("2024-06-01T10:00"))], [("now", "timestamp_format")],
           time_zone="Europe/Berlin"),
    values("timestamptz", [("2024-06-01 10:00:00Z", at("2024-06-01T10:00"))],
           [("2024-06-01 10:00:00", "time_zone")], time_zone="refuse"),
    values("timestamp", [("1.6.2024 7:05", dt.datetime(2024, 6, 1, 7, 5)),
           ("01.06.2024 17:05", dt.datetime(2024, 6, 1, 17, 5))],
           [("1.6.2024 7:5", "%d.%m.%Y %H:%M"), ("2024-06-01 07:05", "%d.%m.%Y %H:%M"),
           ("1.6.2024 24:00", "is no timestamp")],
           timestamp_format="%d.%m.%Y %H:%M"),
    values("timestamp", [("6/1/2024 12:05 AM", dt.datetime(2024, 6, 1, 0, 5)),
           ("6/1/2024 12:05 PM", dt.datetime(2024, 6, 1, 12, 5))],
           [("6/1/2024 13:05 PM", "is no timestamp"), ("6/1/2024 0:05 AM", "is no timestamp"),
           ("6/1/2024 12:05", "%I:%M")],
           timestamp_format="%m/%d/%Y %I:%M %p"),
    values("time", [("10:00:01", dt.time(10, 0, 1)), ("00:00", dt.time(0, 0)),
           ("23:59:59.999999", dt.time(23, 59, 59, 999999))],
           [(text, "time_format") for text in ("10:00 PM", "now", "allballs", "100001", "1:00:00")]
           + [(text, "is no time") for text in ("24:00:00", "23:59:60")]),
    values("integer", [("7", 7), ("+7", 7), ("-7", -7), ("007", 7), ("2147483647", 2**31 - 1),
           ("-2147483648", -(2**31))],
           [("2147483648", "integer"), ("7.0", "whole_decimals"), ("1e3", "integer"), ("1,000", "thousands_mark"),
           (" 7", "trim"),
            ("7 ", "trim"), ("--7", "integer"), ("+", "integer"), ("٣", "integer"), ("\uff17", "integer"),
            ("1 000", "integer"),
            ("0b1", "integer"), ("NaN", "integer"), ("true", "integer"), ("7-", "integer"), ("$7", "integer"),
            ("7%", "integer"),
            ("(7)", "integer"), ("NULL", "null_values")]),
    values("integer", [("7.0", 7), ("-7.", -7), ("1362.000", 1362), ("1e3", 1000)], [("7.5", "7.5"), ("1e-1", "1e-1")],
           whole_decimals=True),
    values("numeric(8,2)", [("1.5", Decimal("1.50")), (".5", Decimal("0.50")), ("5.", Decimal("5.00")),
           ("1.500", Decimal("1.50")),
                            ("1e3", Decimal(1000)), ("15e-1", Decimal("1.50")), ("-0", Decimal(0)),
                            ("999999.99", Decimal("999999.99"))],
           [("1.505", "extra_digits"), ("1000000", "numeric"), ("1e9", "numeric"), ("Infinity", "special_values"),
           ("1,5", "decimal_mark"),
            ("1.000,50", "numeric"), ("12.50-", "numeric"), ("(12.50)", "numeric"), ("12.50 EUR", "numeric"),
            ("€12.50", "numeric"),
            ("1.5.0", "numeric")]),
    values("numeric(8,2)", [("1.505", Decimal("1.51")), ("-1.505", Decimal("-1.51")), ("1.504999", Decimal("1.50")),
                            ("0.30000000000000004", Decimal("0.30"))], [("999999.995", "numeric")],
                            extra_digits="round"),
    values("double precision", [("1.5", 1.5), ("1e-300", 1e-300), ("NaN", float("nan")), ("-Infinity", float("-inf")),
           ("0.1", 0.1)],
           [("1e400", "double precision"), ("0x1p3", "double precision"), ("1,5", "decimal_mark"),
           ("#DIV/0!", "null_values")]),
    values("boolean", [("true", True), ("FALSE", False), ("True", True), ("", None)],
           [(text, "true_values") for text in ("t", "yes", "on", "1", "y", "wahr", "tru")]),
    values("boolean", [("Ja", True), ("JA", True), ("x", True), ("nein", False)],
           [("true", "true_values"), ("j", "true_values")], true_values=["ja", "x"], false_values=["nein"]),
    values("uuid", [("8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11", UUID("8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11")),
                    ("8A0FC8A6-6B1E-4B0C-9D0A-6A2F4D1B0E11", UUID("8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11"))],
           [("{8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e11}", "uuid"), ("8a0fc8a66b1e4b0c9d0a6a2f4d1b0e11", "uuid"),
            ("8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e1", "uuid"), ("8a0fc8a6-6b1e-4b0c-9d0a-6a2f4d1b0e1g", "uuid")]),
    values("varchar(3)", [("abc", "abc"), ("é€😀", "é€😀"), ("", None), ("NaN", "NaN"), ("now", "now")], [("abcd", "3")]),
    values("timestamptz", [("1712101231000", at("2024-04-02T23:40:31")), ("-1", at("1969-12-31T23:59:59.999")),
                           ("2024-04-02 23:40:31", at("2024-04-02T23:40:31"))],
           [("1712101231000.5", "is no timestamp"), ("99999999999999999", "epoch_unit")],
           epoch_unit="ms"),
    values("date", [("19875", dt.date(2024, 6, 1)), ("0", dt.date(1970, 1, 1)), ("2024-06-01", dt.date(2024, 6, 1))],
           [("19875.5", "is no date"), ("99999999", "epoch_unit")], epoch_unit="days"),
    case("B", "numbers and words in JSON",
         '{"id": 1, "v": 1712101231}\n{"id": 2, "v": "now"}\n{"id": 3, "v": "06/01/2024"}\n'
         '{"id": 4, "v": "2024-06-01T10:00:00Z"}\n{"id": 5, "v": true}\n', {"id": "integer", "v": "timestamptz"},
         format="jsonl",
         rows=[(4, at("2024-06-01T10:00"))],
         bad=[bad(1, "v", "1712101231", "epoch_unit"), bad(2, "v", "now", "timestamp_format"),
              bad(3, "v", "06/01/2024", "timestamp_format"), bad(5, "v")]),
    case("B", "a column of its own", "id,us,eu\n1,06/01/2024,01.06.2024\n",
         {"id": "integer", "us": "date", "eu": "date"},
         options={"date_format": "%m/%d/%Y", "columns": {"eu": {"date_format": "%d.%m.%Y"}}},
         rows=[(1, dt.date(2024, 6, 1), dt.date(2024, 6, 1))]),
]  # fmt: skip
