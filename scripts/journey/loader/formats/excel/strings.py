"""Texts that cells share: each is kept once, as Arrow keeps texts."""

from __future__ import annotations

import re
from array import array
from xml.parsers import expat

import pyarrow as pa

from journey.loader.formats.excel.parts import Package, local

ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """A text without Excel's escapes for what XML can't have, such as `_x000D_`."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code < 0xE000 else chr(code)


def shared_strings(package: Package) -> pa.Array:
    """The texts, by their number."""
    data, ends = bytearray(), array("i", [0])
    text: list[str] = []
    is_text = is_aside = False

    def start(name: str, given: dict[str, str]) -> None:  # noqa: ARG001
        nonlocal is_text, is_aside
        name = local(name)
        is_text = name == "t" and not is_aside
        is_aside |= name == "rPh"  # how a text is pronounced

    def characters(piece: str) -> None:
        if is_text:
            text.append(piece)

    def end(name: str) -> None:
        nonlocal is_text, is_aside, data
        name, is_text = local(name), False
        if name == "rPh":
            is_aside = False
        elif name == "si":
            data += unescaped("".join(text)).encode()
            ends.append(len(data))
            text.clear()

    if package.strings:
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, characters, end
        for _ in package.parsed(package.kept(package.strings), parser):
            pass
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(bytes(data)))
