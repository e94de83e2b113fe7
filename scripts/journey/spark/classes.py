"""Java classes for the cluster on this machine, written as class files: there may be no Java compiler here.

The format is chapter 4 of the Java Virtual Machine Specification, of Java 8. No method branches, so none needs a map of
its stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Hive's list of functions names this interface, of hive-llap-common, which Spark's wheel leaves out. Hive makes that
# list when a session is closed just as its client was renewed: then the Thrift server broke the connection ("TSocket
# read 0 bytes"). By Hive's code the next such close would wait for ever.
MISSING_INTERFACE = "org/apache/hadoop/hive/llap/security/LlapSigner$Signable"

# Hadoop starts a chmod for each file and folder that it makes on a local disk, where its native library isn't there: a
# fifth of the executors' time while a table with a folder a day is written. Here the umask says who may read. Nor does
# each file get one of checksums beside it: Parquet has its own.
LOCAL_FILES = "journey/LocalFiles"
RAW_LOCAL_FILES = "journey/RawLocalFiles"

HADOOP = "org/apache/hadoop/fs"
PUBLIC, SUPER, INTERFACE, ABSTRACT = 0x0001, 0x0020, 0x0200, 0x0400
LOAD_THIS, ZERO, NEW, COPY, CALL_SPECIAL, CALL, RETURN = 0x2A, 0x03, 0xBB, 0x59, 0xB7, 0xB6, 0xB1


class _Method(NamedTuple):
    name: str
    descriptor: str
    code: bytes
    stack: int
    locals: int


class _Constants:
    """A class file's pool of constants, which are numbered from one; each stands in it once."""

    def __init__(self) -> None:
        self.entries: dict[bytes, int] = {}

    def _number(self, entry: bytes) -> bytes:
        return self.entries.setdefault(entry, len(self.entries) + 1).to_bytes(2, "big")

    def text(self, value: str) -> bytes:
        return self._number(b"\x01" + len(value).to_bytes(2, "big") + value.encode())

    def type(self, name: str) -> bytes:
        return self._number(b"\x07" + self.text(name))

    def method(self, owner: str, name: str, descriptor: str) -> bytes:
        signature = self._number(b"\x0c" + self.text(name) + self.text(descriptor))
        return self._number(b"\x0a" + self.type(owner) + signature)


def write(folder: Path) -> Path:
    """Write the classes.

    Args:
        folder: of the cluster.

    Returns:
        The folder that the class path names.
    """
    for name, content in (
        (MISSING_INTERFACE, _class_file(_Constants(), MISSING_INTERFACE, access=PUBLIC | INTERFACE | ABSTRACT)),
        (RAW_LOCAL_FILES, _raw_local_files()),
        (LOCAL_FILES, _local_files()),
    ):
        file = folder / "classes" / f"{name}.class"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder / "classes"


def _raw_local_files() -> bytes:
    """`class RawLocalFiles extends RawLocalFileSystem { void setPermission(Path, FsPermission) {} }`."""
    constants, parent = _Constants(), f"{HADOOP}/RawLocalFileSystem"
    made = bytes([LOAD_THIS, CALL_SPECIAL, *constants.method(parent, "<init>", "()V"), RETURN])
    asked = f"(L{HADOOP}/Path;L{HADOOP}/permission/FsPermission;)V"
    methods = [_Method("<init>", "()V", made, 1, 1), _Method("setPermission", asked, bytes([RETURN]), 0, 3)]
    return _class_file(constants, RAW_LOCAL_FILES, parent, methods)


def _local_files() -> bytes:
    """`class LocalFiles extends LocalFileSystem`, made by `super(new RawLocalFiles()); setWriteChecksum(false);`."""
    constants, parent = _Constants(), f"{HADOOP}/LocalFileSystem"
    made = bytes([
        LOAD_THIS,
        NEW, *constants.type(RAW_LOCAL_FILES),
        COPY,
        CALL_SPECIAL, *constants.method(RAW_LOCAL_FILES, "<init>", "()V"),
        CALL_SPECIAL, *constants.method(parent, "<init>", f"(L{HADOOP}/FileSystem;)V"),
        LOAD_THIS,
        ZERO,
        CALL, *constants.method(parent, "setWriteChecksum", "(Z)V"),
        RETURN,
    ])  # fmt: skip
    return _class_file(constants, LOCAL_FILES, parent, [_Method("<init>", "()V", made, 3, 1)])


def _class_file(
    constants: _Constants,
    name: str,
    parent: str = "java/lang/Object",
    methods: Sequence[_Method] = (),
    access: int = PUBLIC | SUPER,
) -> bytes:
    """A class file without fields and interfaces."""

    def number(value: int, size: int = 2) -> bytes:
        return value.to_bytes(size, "big")

    body = number(access) + constants.type(name) + constants.type(parent) + number(0) * 2 + number(len(methods))
    for method in methods:
        code = number(method.stack) + number(method.locals) + number(len(method.code), 4) + method.code + number(0) * 2
        body += number(PUBLIC) + constants.text(method.name) + constants.text(method.descriptor) + number(1)
        body += constants.text("Code") + number(len(code), 4) + code
    pool = number(len(constants.entries) + 1) + b"".join(constants.entries)
    return bytes.fromhex("cafebabe 0000 0034") + pool + body + number(0)
