"""F: the bytes are what the declaration says, or are told; a byte order mark is never part of a name or a value."""

from __future__ import annotations

import codecs

from loader.cases.case import Case, bad, case, needs

TWO = [(1, "a"), (2, "b")]
PLAIN = "id,name\n1,a\n2,b\n"
CITIES = [(1, "Köln"), (2, "Düsseldorf")]
CITY = "id;name\n1;Köln\n2;Düsseldorf\n"
SEMICOLON = {"delimiter": ";"}

CASES: list[Case] = [
    case("F", "a byte order mark of UTF-8 where windows-1252 is declared",
         {"alt.csv": "kunde_id;ort\n1;Köln\n".encode("cp1252"),
         "neu.csv": b"\xef\xbb\xbfkunde_id;ort\n2;D\xc3\xbcsseldorf\n"},
         {"kunde_id": "integer", "ort": "text"}, options={**SEMICOLON, "encoding": "windows-1252"},
         rows=[(1, "Köln")], failed={"neu.csv": ("utf-8", "encoding")}),

    *needs("F", "UTF-16 of Windows", CITY.encode("utf-16"), option={"encoding": "utf-16"}, options=SEMICOLON,
           rows=CITIES,
           without=("utf-16", "encoding")),
    *needs("F", "UTF-16, the other order", codecs.BOM_UTF16_BE + CITY.encode("utf-16-be"),
           option={"encoding": "utf-16"},
           options=SEMICOLON, rows=CITIES, without=("utf-16", "encoding")),
    case("F", "UTF-16 with a mark although the order is declared", codecs.BOM_UTF16_LE + CITY.encode("utf-16-le"),
         options={**SEMICOLON, "encoding": "utf-16-le"}, rows=CITIES),
    case("F", "UTF-16 in the wrong order", codecs.BOM_UTF16_BE + CITY.encode("utf-16-be"),
         options={**SEMICOLON, "encoding": "utf-16-le"}, failed=("utf-16-be", "encoding")),
    case("F", "a mark of UTF-8 where UTF-16 is declared", codecs.BOM_UTF8 + PLAIN.encode(),
         options={"encoding": "utf-16-le"},
         failed=("utf-8", "encoding")),
    case("F", "a mark of UTF-8 before a headerless file", codecs.BOM_UTF8 + b"1,a\n2,b\n", options={"header": False},
         rows=TWO),
    case("F", "a mark before a quoted header and before comments", codecs.BOM_UTF8 + b'#x\n"id","name"\n1,a\n2,b\n',
         options={"comment": "#"}, rows=TWO),
    case("F", "a mark in the middle, where two files were joined", "id,name\n1,a\n\ufeff2,b\n3,\ufeffc\n",
         rows=[(1, "a"), (3, "\ufeffc")], bad=[bad(3, "id")]),
    case("F", "UTF-32", PLAIN.encode("utf-32"), failed=("utf-32", "encoding")),
    case("F", "a mark alone", codecs.BOM_UTF8, rows=[]),
    *needs("F", "Latin-1 where UTF-8 is expected", CITY.encode("latin-1"), option={"encoding": "latin-1"},
           options=SEMICOLON,
           rows=CITIES, without=[bad(2, None, "encoding"), bad(3, None, "encoding")]),
    case("F", "one broken byte among good rows", b"id,name\n1,a\n2,caf\xe9\n3,c\n4,\xc3\n5,\xed\xa0\x80\n6,\xc0\x80\n",
         rows=[(1, "a"), (3, "c")], bad=[bad(line, None, "encoding") for line in (3, 5, 6, 7)]),
    case("F", "a byte that windows-1252 hasn't", b"id,name\n1,\x80\n2,\x81\n", options={"encoding": "windows-1252"},
         rows=[(1, "€")], bad=[bad(3, None, "encoding")]),
    case("F", "Cyrillic of DOS", "id;name\n1;Привет\n".encode("cp866"), options={**SEMICOLON, "encoding": "cp866"},
         rows=[(1, "Привет")]),
    case("F", "Chinese, where a second byte is a delimiter", "id|name\n1|亅x\n2|b\n".encode("gb18030"),
         options={"delimiter": "|", "encoding": "gb18030"}, rows=[(1, "亅x"), (2, "b")]),
    case("F", "half a surrogate pair in UTF-16",
         "id,name\n1,a\n2,".encode("utf-16-le") + b"\x00\xd8" + "x\n3,😀\n".encode("utf-16-le"),
         options={"encoding": "utf-16-le"}, rows=[(1, "a"), (3, "😀")], bad=[bad(3, None, "encoding")]),
    case("F", "UTF-16 cut within a character", "id,name\n1,a\n2,b".encode("utf-16-le") + b"\x00",
         options={"encoding": "utf-16-le"},
         rows=[(1, "a")], bad=[bad(3, None, "encoding")]),
    case("F", "characters whose UTF-16 has the bytes of a line end",
         "id,name\n1,ਊ\u0d0d਍\n2,\u2c22\n".encode("utf-16-le"),
         options={"encoding": "utf-16-le"}, rows=[(1, "ਊ\u0d0d਍"), (2, "\u2c22")]),
    case("F", "line ends of Unicode divide no rows", "id,name\n1,a\u2028b\x85c\x0bd\x0ce\x1cf\n2,b\n",
         rows=[(1, "a\u2028b\x85c\x0bd\x0ce\x1cf"), (2, "b")]),
    case("F", "a NUL in a text", "id,name\n1,a\0b\n2,b\n", rows=[(2, "b")], bad=[bad(2, None, "NUL")]),
    case("F", "a mark of UTF-8 in JSON", codecs.BOM_UTF8 + b'{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n',
         format="jsonl", rows=TWO),
    *needs("F", "JSON in UTF-16 (PowerShell)", '{"id":1,"name":"Köln"}\r\n'.encode("utf-16"), format="jsonl",
           option={"encoding": "utf-16"}, rows=[(1, "Köln")], without=("utf-16", "encoding")),
    *needs("F", "JSON in windows-1252", '{"id":1,"name":"Köln"}\n{"id":2,"name":"b"}\n'.encode("cp1252"),
           format="jsonl",
           option={"encoding": "windows-1252"}, rows=[(1, "Köln"), (2, "b")], without=[bad(1, None, "encoding")],
           left=[(2, "b")]),
]  # fmt: skip
