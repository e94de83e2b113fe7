"""A: quotes are quotes only where a field begins; they can be switched off, and escapes be outside of them."""

from __future__ import annotations

from loader.cases.case import Case, bad, case, needs

LABELS = {1400: 'hose 3/4"', 1402: 'pipe 2"'}  # two inch marks among 800 parts: what is between them isn't quoted
PARTS = [(part, LABELS.get(part, f"bolt {part}"), f"R{part % 7}") for part in range(1000, 1800)]
PART = {"part": "integer", "label": "text", "bin": "text"}
PAYLOADS = ['{"sku": "A-1", "qty": 2}', '{"sku": "B-7", "note": "5\\" pipe"}', "{}"]
PIPE, TAB, SEMICOLON = {"delimiter": "|"}, {"delimiter": "\t"}, {"delimiter": ";"}

CASES: list[Case] = [
    case("A", "few inch marks", "part|label|bin\n" + "".join("{}|{}|{}\n".format(*row) for row in PARTS), PART,
         options=PIPE, rows=PARTS),
    case("A", "JSON in a TSV", "event_id\tpayload\n" + "".join(f"{i}\t{text}\n" for i, text in enumerate(PAYLOADS, 1)),
         {"event_id": "integer", "payload": "text"}, options=TAB, rows=list(enumerate(PAYLOADS, 1))),
    case("A", "texts as formulas, of Excel", 'sku,zip\n="00123",="02138"\n="00124","=""10001"""\n',
         {"sku": "text", "zip": "text"}, rows=[('="00123"', '="02138"'), ('="00124"', '="10001"')]),

    case("A", "inch marks in pairs, and across delimiters", 'id|a|b\n1|2" x 4"|6"|\n', None, options=PIPE,
         rows=[], bad=[bad(2, None, "4")]),
    case("A", "a pair of quotes across a delimiter isn't a pair", 'id,name\n1,6" nail\n2,a 2" pipe and a 3" one\n',
         rows=[(1, '6" nail'), (2, 'a 2" pipe and a 3" one')]),
    case("A", "doubled quotes outside of quotes are two", 'id,name\n1,say ""hi""\n2,x"\n',
         rows=[(1, 'say ""hi""'), (2, 'x"')]),
    case("A", "a blank before the quote: it is text, and the comma divides", 'id,name\n1, "a"\n2, "a, b"\n',
         rows=[(1, ' "a"')], bad=[bad(3, None, "3")]),
    case("A", "text behind a closing quote", 'id,name\n1,"a"x\n2,"b" \n3,"c""d"\n',
         rows=[(3, 'c"d')], bad=[bad(2, None, "quote"), bad(3, None, "quote")]),
    case("A", "a quote that never closes costs its line", 'id,name\n1,a\n2,"b\n3,c\n4,d\n',
         rows=[(1, "a"), (3, "c"), (4, "d")], bad=[bad(3, None, "quote")]),
    case("A", "a quote that never closes in the last line", 'id,name\n1,a\n2,"b',
         rows=[(1, "a")], bad=[bad(3, None, "quote")]),
    case("A", "two quotes that never close are one field of two lines", 'id,name\n1,"a\n2,b"\n3,c\n',
         rows=[(1, "a\n2,b"), (3, "c")]),
    case("A", "Dutch names begin with an apostrophe", "id,name\n1,'s-Gravenhage\n2,'t Harde\n",
         rows=[(1, "'s-Gravenhage"), (2, "'t Harde")]),
    case("A", "an apostrophe as the quote", "id;name\n1;'O''Neil; Ann'\n2;O'Neil\n",
         options={**SEMICOLON, "quote": "'"},
         rows=[(1, "O'Neil; Ann"), (2, "O'Neil")]),
    case("A", "addresses of several lines, as Excel writes them", 'id,name\r\n1,"Main St 1\nFlat 2"\r\n2,"x\r\ny"\r\n',
         rows=[(1, "Main St 1\nFlat 2"), (2, "x\r\ny")]),
    case("A", "quoted and empty isn't null in a text", 'id,name\n1,""\n2,\n', rows=[(1, ""), (2, None)]),
    case("A", "a quoted header with the delimiter in a name", 'id,"name, full"\n1,"a, b"\n',
         {"id": "integer", "name, full": "text"}, rows=[(1, "a, b")]),

    *needs("A", "quoting off: user agents that begin with a quote",
           '1\t"Mozilla (half\n2\t"a" b\n3\t"c"\n', option={"quote": None}, options={**TAB, "header": False},
           rows=[(1, '"Mozilla (half'), (2, '"a" b'), (3, '"c"')],
           without=[bad(1, None, "quote"), bad(2, None, "quote")], left=[(3, "c")]),
    *needs("A", "quoting off: a backslash is one, too", 'id|name\n1|C:\\new\n2|"\\N"\n', option={"quote": None},
           options=PIPE, rows=[(1, "C:\\new"), (2, '"\\N"')], left=[(1, "C:\\new"), (2, "\\N")]),
    *needs("A", "backslashes within quotes (Spark, BigQuery)",
           'id,name\n1,"a \\"b\\" c"\n2,"back\\\\slash"\n3,"line\\nbreak"\n4,o\\"k\n', option={"escape": "\\"},
           rows=[(1, 'a "b" c'), (2, "back\\slash"), (3, "linenbreak"), (4, 'o\\"k')],
           without=[bad(2, None, "escape")], left=[(2, "back\\\\slash"), (3, "line\\nbreak"), (4, 'o\\"k')]),
    *needs("A", "escapes outside of quotes (Hive, Sqoop)", "1|a\\|b\n2|c\\\\d\n3|\\N\n",
           option={"escape_unquoted": True, "escape": "\\"}, options={**PIPE, "header": False, "null_values": ["\\N"]},
           rows=[(1, "a|b"), (2, "c\\d"), (3, None)], without=[bad(1, None, "escape_unquoted")],
           left=[(2, "c\\\\d"), (3, None)]),
    *needs("A", "COPY's text format of PostgreSQL",
           "1\ta\\tb\n2\tline\\nbreak\n3\t\\N\n4\t\\\\N\n5\ta\\\\\n6\t\n7\t\"q\n",
           option={"escape_unquoted": True, "escape": "\\", "quote": None},
           options={**TAB, "header": False, "null_values": ["\\N"]},
           rows=[(1, "a\tb"), (2, "line\nbreak"), (3, None), (4, "\\N"), (5, "a\\"), (6, ""), (7, '"q')],
           without=[bad(7, None, "quote")],
           left=[(1, "a\\tb"), (2, "line\\nbreak"), (3, None), (4, "\\\\N"), (5, "a\\\\"), (6, "")]),
    case("A", "a header beside escapes, without quotes", 'id|name\n1|a\\|"b"\n',
         options={**PIPE, "escape_unquoted": True, "quote": None}, rows=[(1, 'a|"b"')]),
    case("A", "the end-of-data mark of psql is a row like any other", "id,name\n1,a\n\\.\n2,b\n",
         rows=[(1, "a"), (2, "b")], bad=[bad(3, None, "1")]),
    case("A", "a headerless file that begins with COPY's binary signature", b"PGCOPY\n\xff\r\n\0\n1,a\n",
         options={"header": False}, rows=[(1, "a")], bad=[bad(1, None), bad(2, None), bad(3, None)]),
]  # fmt: skip
