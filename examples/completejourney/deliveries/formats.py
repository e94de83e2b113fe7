"""Tables and rows as the bytes of a file. The same input gives the same bytes: fixed settings, no clock.

All compression is pyarrow's own, whose version is locked: the system's zlib differs between machines.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

_COMMA = pyarrow.csv.WriteOptions(quoting_style="none", quoting_header="none", batch_size=4096)


def gzip(data: Any) -> bytes:
    """Compress with gzip; its header names no file and no time."""
    return bytes(pa.Codec("gzip", compression_level=6).compress(data))


def zstd(data: Any) -> bytes:
    """Compress as one zstd frame."""
    return bytes(pa.Codec("zstd", compression_level=3).compress(data))


def comma_csv(table: pa.Table) -> Any:
    """A table of numbers and plain words as CSV: comma, header, nothing quoted, LF.

    Returns:
        A buffer.

    Raises:
        pyarrow.ArrowInvalid: a value would need quotes.
    """
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, out, _COMMA)
    return out.getvalue()


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object a line, UTF-8; a missing value is null."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()


def erp_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV as the ERP writes it: semicolon, Windows-1252, CRLF, header, quotes only where needed, None empty.

    Raises:
        UnicodeEncodeError: a text can't be written in Windows-1252.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("cp1252")


def decimal_comma(cents: int) -> str:
    """Cents as the ERP writes money: -1234 is -12,34."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02}"


def parquet(table: pa.Table) -> bytes:
    """A table as Parquet with zstd, one row group, without pyarrow's private schema."""
    out = io.BytesIO()
    pq.write_table(
        table.combine_chunks(), out, compression="zstd", compression_level=3, version="2.6", data_page_version="1.0",
        row_group_size=max(table.num_rows, 1), store_schema=False, use_dictionary=True,
    )  # fmt: skip
    return out.getvalue()
