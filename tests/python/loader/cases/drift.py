"""K: what nobody declared is added, ignored or refused, as declared; names are matched as people read them."""

from __future__ import annotations

from loader.cases.case import Case, bad, case, needs, parquet

KEYS = [f"prop_{i:04}" for i in range(1, 201)]
DYNAMIC = "".join(f'{{"id": {i}, "name": "n", "{key}": {i}}}\n' for i, key in enumerate(KEYS, 1))
USERS = (
    "".join(f'{{"id": {i}, "user_name": "u{i}"}}\n' for i in range(1, 300))
    + '{"id": 300, "Id": "a-300", "user_name": "u300"}\n'
)
ID_USER = {"id": "integer", "user_name": "text"}

CASES: list[Case] = [
    case("K", "one key in two cases, on one line", USERS, ID_USER, format="jsonl", options={"max_reject_rate": 0.01},
         rows=[(i, f"u{i}") for i in range(1, 300)], bad=[bad(300, None, "Id")]),
    case("K", "a decomposed name is the composed one", "id,gro\u0308ße\n1,XL\n", {"id": "integer", "größe": "text"},
         rows=[(1, "XL")], drift=[]),
    case("K", "200 keys that nobody declared, ignored", DYNAMIC, format="jsonl", options={"new_columns": "ignore"},
         rows=[(i, "n") for i in range(1, 201)]),
    case("K", "200 keys that nobody declared, refused", DYNAMIC, format="jsonl", options={"new_columns": "refuse"},
         rows=[],
         bad=[bad(i, None, key, "new_columns") for i, key in enumerate(KEYS, 1)]),
    case("K", "200 keys that nobody declared, added", DYNAMIC, format="jsonl", drift=[("new", key) for key in KEYS],
         rows=[(i, "1" if i == 1 else None, "2" if i == 2 else None) for i in range(1, 201)],
         select="id, prop_0001, prop_0002"),

    *needs("K", "a new column in CSV", {"a.csv": "id,name\n1,a\n", "b.csv": "id,extra,name\n2,x,b\n"},
           option={"new_columns": "ignore"},
           rows=[(1, "a"), (2, "b")], left=[(1, "a"), (2, "b")]),
    case("K", "a new column in CSV, refused, adds nothing", {"a.csv": "id,name\n1,a\n",
         "b.csv": "id,extra,name\n2,x,b\n"},
         options={"new_columns": "refuse"}, rows=[(1, "a")], failed={"b.csv": ("extra", "new_columns")}, drift=[]),
    case("K", "a new column in Parquet, refused", parquet({"id": [1], "name": ["a"], "extra": [1]}), format="parquet",
         options={"new_columns": "refuse"}, failed=("extra", "new_columns"), drift=[]),
    case("K", "a new column in Parquet, ignored", parquet({"id": [1], "name": ["a"], "extra": [1]}), format="parquet",
         options={"new_columns": "ignore"}, rows=[(1, "a")]),
    case("K", "a missing column, refused", {"a.csv": "id,name\n1,a\n", "b.csv": "id\n2\n"},
         options={"missing_columns": "refuse"}, rows=[(1, "a")],
         failed={"b.csv": ("name", "missing_columns")}),
    case("K", "a missing column in JSON, refused", {"a": '{"id":1,"name":"a"}\n{"id":2}\n', "b": '{"id":3}\n'},
         format="jsonl",
         options={"missing_columns": "refuse"}, rows=[(1, "a"), (2, None)], failed={"b": ("name", "missing_columns")}),
    case("K", "a missing column in Parquet, refused", parquet({"id": [1]}), format="parquet",
         options={"missing_columns": "refuse"},
         failed=("name", "missing_columns")),
    case("K", "a file that fails adds no column", "id,name,extra\n" + "x,a,z\n" * 30,
         failed=("integer", "max_reject_rate"), drift=None),
    case("K", "a blank that doesn't break is a blank, in a name", "id,user\u00a0name\u00a0\n1,a\n",
         {"id": "integer", "user name": "text"}, rows=[(1, "a")], drift=[]),
    case("K", "no-width blanks and marks in names aren't there", "\u200bid,na\u200bme\ufeff\n1,a\n", rows=[(1, "a")],
         drift=[]),
    case("K", "a decomposed key in JSON", '{"id": 1, "gro\u0308ße": "XL"}\n{"id": 2, "größe": "L"}\n',
         {"id": "integer", "größe": "text"}, format="jsonl",
         rows=[(1, "XL"), (2, "L")], drift=[]),
    case("K", "a composed name where the decomposed one is declared", "id,größe\n1,XL\n",
         {"id": "integer", "gro\u0308ße": "text"}, rows=[(1, "XL")], drift=[]),
    case("K", "two names that differ in case only", "id,Name,NAME\n1,a,b\n", failed=("name", "header_names")),
    case("K", "a key column that is missing in a line of JSON", '{"id": 1, "name": "a"}\n{"name": "b"}\n',
         format="jsonl", options={"key_columns": ["id"]},
         rows=[(1, "a"), (None, "b")]),
    case("K", "a file of 600 columns", ",".join(["id", "name",
         *(f"c{i}" for i in range(598))]) + "\n1,a" + "," * 598 + "\n", failed=("600", "max_columns")),
    case("K", "a name with terminal escapes", "id,name,\x1b[2Jred\u202e\n1,a,x\n", rows=[(1, "a")]),
]  # fmt: skip
