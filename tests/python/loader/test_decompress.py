"""What is inside a file is told by its content; bombs end, archives give their members, other kinds are named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from journey.loader.errors import FileRefusedError
from journey.loader.s3.decompress import FLOOR, Limit, decompress
from journey.loader.s3.file import S3File
from journey.loader.s3.listing import Listed
from journey.loader.s3.objects import S3Object
from journey.loader.s3.ranges import RangeReader
from loader.support import QUICK, Landing

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"id,name\n" + b"".join(b"%d,a\n" % number for number in range(1000))
LIMIT = Limit(2**40)


def pieces(data: bytes, size: int = 1000) -> Iterator[bytes]:
    """The data in chunks."""
    return (data[start : start + size] for start in range(0, len(data), size))


def read(data: bytes, limit: Limit = LIMIT, file_format: str = "csv", size: int = 1000) -> bytes:
    """What comes out."""
    return b"".join(decompress(pieces(data, size), limit, file_format))


def refusal(data: bytes, limit: Limit = LIMIT, file_format: str = "csv") -> str:
    """Why nothing does."""
    with pytest.raises(FileRefusedError) as caught:
        read(data, limit, file_format)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tar(data: bytes) -> bytes:
    """An archive of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(*members: tuple[str, bytes], **how: Any) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def parquet() -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), out)
    return out.getvalue()


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, zstd.compress, bz2.compress])
@pytest.mark.parametrize("data", [TEXT, b"", b"x", TEXT * 1000], ids=["text", "empty", "one", "large"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_read(pack: Any, data: bytes, size: int) -> None:
    if size > 1 or len(data) < 100_000:
        packed = pack(data)
        assert read(packed, size=size if len(packed) < 100_000 else 2**20) == data
    if data and pack != (lambda data: data):
        assert read(pack(data[:300]) + pack(data[300:]), size=max(size, 7)) == data


@pytest.mark.parametrize(
    "data",
    [b"ORCID,name\n1,a\n", b"PAR1,PAR2\n1,2\n", b"BZhdf,x\n1,2\n", b"ORC\n1\n", b"PARENT,x\n", b"PKW,x\n",
     "\ufefföä,b\n".encode(), "id,näme\n".encode("utf-16"), b"Rarity,x\n", b"%PDF,x\n1,2\n", b"x" * 257 + b"ustard\n",
     b"<x>,y\n1,2\n"],
)  # fmt: skip
def test_texts_that_begin_like_something_else(data: bytes) -> None:
    assert read(data) == data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tar(TEXT), "it is a tar archive: unpack it"),
        (zipped(("a.csv", TEXT)), "it is a ZIP archive: the option zip_members"),
        (zipped(), "it is a ZIP archive"),
        (zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"")), "Excel workbook (XLSX): declare file_for"),
        (parquet(), "it is a Parquet file: declare file_format: parquet"),
        (b"ORC\x08\x03\x10\x05", "it is an ORC file: write it as Parquet"),
        (b"Obj\x01\x04\x14avro.codec", "it is an Avro file: declare file_format: avro"),
        (lzma.compress(TEXT), "compressed with xz: compress it with gzip, zstd or bz2"),
        (b"\x04\x22\x4d\x18\x64\x40\xa7" + TEXT, "compressed with lz4"),
        (b"\xff\x06\x00\x00sNaPpY\x01" + TEXT, "compressed with snappy"),
        (b"SQLite format 3\x00\x10\x00", "an SQLite database: export its tables"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old Office file (XLS)"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive: unpack it"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive: unpack it"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document: it is no data"),
        (b"<!DOCTYPE html>\n<html><body>Log in", "an HTML page: it is no data"),
        (b"\xef\xbb\xbf\n <HTML>\n", "an HTML page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document: export it"),
        (gzip.compress(TEXT), "it is compressed once more"),
    ],
)  # fmt: skip
def test_other_kinds_are_named_inside_gzip_too(data: bytes, said: str) -> None:
    inside = said.split(":")[0]
    assert inside in refusal(gzip.compress(data))
    assert " inside gzip: " in refusal(gzip.compress(data))
    if data[:2] != b"\x1f\x8b":
        assert said in refusal(data)


def test_a_kind_is_no_other_where_it_is_declared() -> None:
    avro = b"Obj\x01\x04\x14avro.codec"
    assert read(avro, file_format="avro") == avro
    assert "Avro" in refusal(avro, file_format="orc")


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress, bz2.compress])
def test_a_bomb_ends(pack: Any) -> None:
    data = pack(bytes(10**8))
    assert "beyond max_ratio (100): raise max_ratio" in refusal(data, Limit(2**40, 100))
    assert "larger than max_bytes (1,000 bytes" in refusal(pack(bytes(2000)), Limit(1000))
    came = list[int]()
    with pytest.raises(FileRefusedError, match="max_ratio"):
        came.extend(len(chunk) for chunk in decompress(pieces(data), Limit(2**40, 100)))
    assert sum(came) <= FLOOR + 2**21


def test_small_files_may_shrink_as_much_as_they_like() -> None:
    data = b"id,name\n" + b"1,a\n" * 2_000_000
    assert len(read(zstd.compress(data), Limit(2**40, 1000))) == len(data)
    assert len(data) < FLOOR < 2**30


def zstd_checked(data: bytes) -> bytes:
    """With a checksum, as the zstd command makes it."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


@pytest.mark.parametrize("pack", [gzip.compress, zstd_checked, bz2.compress])
def test_cut_short_or_broken(pack: Any) -> None:
    assert "is cut short: deliver the file again" in refusal(pack(TEXT)[:-20])
    packed = bytearray(pack(TEXT))
    packed[len(packed) // 2] ^= 255
    assert "is broken" in refusal(bytes(packed)) or "is cut short" in refusal(bytes(packed))


def opened(landing: Landing, body: bytes, **options: Any) -> S3File:
    """A file in S3."""
    etag = landing.put("in/a.zip", body)
    source = landing.source(**options)
    return S3File(
        source, "in/a.zip", S3Object(landing.client, source, Listed("in/a.zip", etag, len(body)), QUICK, lambda _: None)
    )


def contents(file: S3File) -> dict[str | None, bytes]:
    """The bytes of each member."""
    return {member.member: b"".join(member.stream()) for member in file.members()}  # type: ignore[attr-defined]


@pytest.mark.parametrize("large", [False, True], ids=["whole", "ranges"])
def test_members_of_a_zip_archive(landing: Landing, monkeypatch: pytest.MonkeyPatch, large: bool) -> None:
    if large:
        monkeypatch.setattr(RangeReader, "WHOLE", 10)
    body = zipped(
        ("a.csv", TEXT), ("b.csv", TEXT * 2000), ("empty.csv", b""), ("packed.csv.gz", gzip.compress(TEXT)),
        ("readme.txt", b"ask Ann"), ("day/", b""), ("day/c.csv", b"id\n"), ("__MACOSX/._a.csv", b"\0\5"),
        (".hidden.csv", b"x"),
    )  # fmt: skip
    assert contents(opened(landing, body, zip_members="*.csv")) == {
        "a.csv": TEXT, "b.csv": TEXT * 2000, "empty.csv": b"",
    }  # fmt: skip
    assert list(contents(opened(landing, body, zip_members="**/*.csv*"))) == [
        "a.csv", "b.csv", "empty.csv", "packed.csv.gz", "day/c.csv",
    ]  # fmt: skip
    assert contents(opened(landing, body, zip_members="packed.csv.gz")) == {"packed.csv.gz": TEXT}
    assert contents(opened(landing, body, zip_members="day/c.csv")) == {"day/c.csv": b"id\n"}


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_member_that_can_seek(landing: Landing, large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Python 3.10, too, whose SpooledTemporaryFile has no `seekable`."""
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", None)
    if large:
        monkeypatch.setattr(RangeReader, "WHOLE", 10)
    [member] = opened(landing, zipped(("a.parquet", parquet())), file_format="parquet", zip_members="*").members()
    assert pq.read_table(member.seekable()).to_pydict() == {"id": [1]}
    assert isinstance(member.seekable(), io.BytesIO) != large
    assert member.key == "in/a.zip"


def test_what_is_no_archive_is_itself(landing: Landing) -> None:
    assert contents(opened(landing, TEXT, zip_members="*.csv")) == {None: TEXT}
    assert contents(opened(landing, gzip.compress(TEXT), zip_members="*.csv")) == {None: TEXT}
    assert contents(opened(landing, TEXT)) == {None: TEXT}
    with pytest.raises(FileRefusedError, match="zip_members"):
        contents(opened(landing, zipped(("a.csv", TEXT))))


def test_archives_that_are_refused(landing: Landing) -> None:
    def why(body: bytes, **options: Any) -> str:
        with pytest.raises(FileRefusedError) as caught:
            contents(opened(landing, body, **{"zip_members": "*.csv", **options}))
        return str(caught.value)

    two = zipped(("a.csv", TEXT), ("b.csv", TEXT))
    assert "zip_members says (*.tsv): it has a.csv, b.csv" in why(two, zip_members="*.tsv")
    assert "it is empty" in why(zipped())
    assert "larger than max_bytes" in why(two, max_bytes=len(TEXT) + 10)
    bomb = zipped(*((f"{number}.csv", bytes(10**7)) for number in range(3)))
    assert "beyond max_ratio (100)" in why(bomb, max_ratio=100)
    assert "is broken" in why(two[:-60])
    spoilt = bytearray(two)
    spoilt[60] ^= 255
    assert "its member a.csv is broken" in why(bytes(spoilt))
    locked = two.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0").replace(
        b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"
    )
    assert "a.csv is encrypted: make the archive without a password" in why(locked)
    odd = two.replace(b"\0\0\x08\0", b"\0\0\x09\0")
    assert "its member a.csv can't be read" in why(odd)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(("a.csv", TEXT), ("a.csv", TEXT))
    assert "the archive has 2 members called a.csv" in why(twice)
    assert "a ZIP archive inside" not in why(zipped(("a.csv", two)))
    many = zipped(*((f"{number:0200}.txt", b"") for number in range(20_000)), compresslevel=0)
    assert "its directory of members is too large" in why(many)


def test_a_members_size_may_lie(landing: Landing) -> None:
    """It then gives no more than it said, which doesn't agree with its checksum."""
    body = zipped(("a.csv", bytes(3 * 10**7)))
    lied = body.replace((3 * 10**7).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(FileRefusedError, match=r"its member a\.csv is broken"):
        contents(opened(landing, lied, zip_members="*.csv"))
