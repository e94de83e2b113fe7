"""L: a file of another kind is told by name, and so is what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile

from loader.cases.case import Case, case, needs, parquet, stored

PLAIN = "id,name\n1,a\n"
AVRO, ORC = b"Obj\x01\x04\x16avro.schema" + bytes(50), b"ORC" + bytes(50)
HTML = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please, sign in</body></html>\n"
XML = '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>\n'


def archive(*names: str) -> bytes:
    """A zip archive of such members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for i, name in enumerate(names, 1):
            file.writestr(name, PLAIN if name.endswith(".csv") else f"{i}")
    return out.getvalue()


XLSX = archive("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml")

CASES: list[Case] = [
    case("L", "a tar", stored("tar.gz"), failed="tar"),
    case("L", "other files beside", {"a.csv": "id,name\n1,a\n2,b\n",
         "README.md": "# about these files\n\nask Ann, please\n",
                                     "manifest.json": '{"files":["a.csv"]}', "Thumbs.db": stored("Thumbs.db")},
         rows=[(1, "a"), (2, "b")], failed={"README.md": "location", "manifest.json": "location",
         "Thumbs.db": "location"}),

    *needs("L", "a zip", archive("a.csv"), option={"zip_members": "*.csv"}, rows=[(1, "a")],
           without=("zip", "zip_members")),
    case("L", "a zip with a member that doesn't match", archive("a.txt"), options={"zip_members": "*.csv"},
         failed=("zip_members", "a.txt")),
    case("L", "a workbook of Excel", XLSX, failed=("XLSX",)),
    case("L", "an old workbook of Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), failed=("XLS",)),
    case("L", "Avro", AVRO, failed="Avro"),
    case("L", "ORC", ORC, failed="ORC"),
    case("L", "Parquet", parquet({"id": [1]}), failed="Parquet"),
    case("L", "Parquet in gzip", gzip.compress(parquet({"id": [1]})), failed="Parquet"),
    case("L", "a web page", HTML, failed="HTML"),
    case("L", "an error of S3 that somebody saved", XML, failed="XML"),
    case("L", "JSON where CSV is declared", '{"id": 1, "name": "a"}\n{"id": 2, "name": "b"}\n', failed="jsonl"),
    case("L", "CSV where JSON is declared", PLAIN, format="jsonl", failed="JSON"),
    case("L", "CSV where Parquet is declared", PLAIN, format="parquet", failed="Parquet"),
    case("L", "bz2 in gzip", gzip.compress(bz2.compress(PLAIN.encode())), failed="compress it once"),
    case("L", "a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", failed="PDF"),
    *needs("L", "another delimiter", "id;name\n1;a\n", option={"delimiter": ";"}, rows=[(1, "a")], without="delimiter"),
    *needs("L", "tabs", "id\tname\n1\ta\n", option={"delimiter": "\t"}, rows=[(1, "a")], without="delimiter"),
    *needs("L", "no header", "1,a\n2,b\n", option={"header": False}, rows=[(1, "a"), (2, "b")], without="header"),
]  # fmt: skip
