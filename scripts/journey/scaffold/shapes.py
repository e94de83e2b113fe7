"""What the sampled files are: their format, its options, their fields and values."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from journey.loader.columns import same_name
from journey.scaffold import dialects
from journey.scaffold.encodings import encoding_of
from journey.scaffold.proposal import Field, Note, count, shortened
from journey.scaffold.sampling import Head, Sample
from journey.scaffold.texts import Texts
from journey.scaffold.trying import Trial, trial
from journey.scaffold.types import decide

SPARSE = 0.02  # of records that have a key
MANY = 60  # keys, from which on sparse ones aren't declared
NAME = re.compile(r"[^\W\d][\w .#/()%&€$'’\u00a0\u200b\ufeff-]*")


@dataclass
class Shape:
    """What files are.

    Attributes:
        format: of all of them.
        options: of the feed.
        fields: columns, with sampled values; their types aren't decided, unless `is_typed`.
        notes: about the feed.
        is_typed: the files say the types.
    """

    format: str
    options: dict[str, Any] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    is_typed: bool = False


def of_texts(samples: Sequence[Sample]) -> Shape:
    """What texts are: JSON, delimited, fixed width, or lines."""
    heads = [head for one in samples for head in one.heads if head.data.strip()]
    if not heads:
        return Shape("csv", notes=[Note("no file has a byte", is_doubt=True)])
    encoding, _ = encoding_of(heads[0].data)
    begin = heads[0].data[:4000].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if begin.startswith(("{", "[")) and (shape := _json(heads)):
        return shape
    return _csv(heads)


def _csv(heads: Sequence[Head]) -> Shape:
    found = dialects.dialect(heads[0])
    if found is None:
        if (shape := _fixed(heads)) is not None:
            return shape
        found = dialects.single(heads[0])
    options, notes = found
    done = trial(heads[0], "csv", {**options, "header_names": "number"})
    shape = Shape("csv", options, [], notes)
    if not _has_header(done, shape):
        options["header"] = False
        names = [f"column_{i}" for i in range(1, len(done.names) + 1)]
        done = trial(heads[0], "csv", options, names)
    elif (strict := trial(heads[0], "csv", options, most=0)).error or _twice(strict.names):
        options["header_names"] = "number"
        shape.notes.append(Note("names in its header are missing or come twice: they get numbers"))
    shape.fields = [
        Field(same_name(name), values=values) for name, values in zip(done.names, done.columns, strict=True)
    ]
    if any("\\N" in column for column in done.columns):
        done = _copied(heads[0], shape, done)
    _repeated(shape, done)
    _quotes(heads[0], shape, done)
    _totals(shape, done)
    for head in heads[1:]:
        more = trial(head, "csv", _dialect(shape), [one.name for one in shape.fields], nulls=_nulls(shape))
        _add(shape, dict(zip(more.names, more.columns, strict=False)))
    return shape


def _add(shape: Shape, more: Mapping[str, Sequence[str | None]]) -> None:
    """Values of another file, by the names of its fields; a new field has no value in the rows before."""
    rows = max(map(len, more.values()), default=0)
    before = max((len(one.values) for one in shape.fields), default=0)
    known = {same_name(one.name).lower(): one for one in shape.fields}
    left = set(known)
    if known and not known.keys() & {same_name(name).lower() for name in more}:
        return  # another kind of file, which is said when it is tried
    for name, values in more.items():
        plain = same_name(name).lower()
        if plain not in known:
            known[plain] = Field(same_name(name), values=[None] * before)
            known[plain].notes.append(Note("not all sampled files have it", is_doubt=True))
            shape.fields.append(known[plain])
        known[plain].values = [*known[plain].values, *values]
        left.discard(plain)
    for plain in left:
        known[plain].values = [*known[plain].values, *[None] * rows]


def _copied(head: Head, shape: Shape, done: Trial) -> Trial:
    """A file in which \\N is null, as MySQL and PostgreSQL write it."""
    many = sum(column.count("\\N") for column in done.columns)
    has_empty = any(None in column or "" in column for column in done.columns)
    shape.options["null_values"] = ["", "\\N"] if has_empty else ["\\N"]
    note = f"{count(many, 'value')} {'is' if many == 1 else 'are'} \\N: null"
    shape.notes.append(Note(note + ("; empty ones are there, too: taken for null" if has_empty else ""), has_empty))
    done = trial(head, "csv", _dialect(shape), [one.name for one in shape.fields], nulls=_nulls(shape))
    for one, values in zip(shape.fields, done.columns, strict=True):
        one.values = values
    return done


def _dialect(shape: Shape) -> dict[str, Any]:
    """Options of the format alone."""
    return {name: value for name, value in shape.options.items() if name != "null_values"}


def _nulls(shape: Shape) -> Sequence[str]:
    nulls: Sequence[str] = shape.options.get("null_values", ("",))
    return nulls


def _twice(names: Sequence[str]) -> bool:
    return len({name.strip().lower() for name in names}) < len(names)


def _has_header(done: Trial, shape: Shape) -> bool:
    """Whether the first line names the columns, or is a row as the others."""
    fields = [Field(f"c{i}", values=values) for i, values in enumerate(done.columns)]
    typed = 0
    for name, one in zip(done.names, fields, strict=True):
        decide(one, look=False)
        typed += one.type != "text"
        is_value = one.type != "text" and not re.fullmatch(r"column_\d+", name)
        if is_value and Texts("c", [name]).all_read(one.type, **one.options):
            note = f"no header: {shortened(name)} in line 1 is a value like those below: name the columns"
            shape.notes.append(Note(note, is_doubt=True))
            return False
    if any(name in ("\\N", "NULL") for name in done.names):
        shape.notes.append(Note("no header: the first line has a null; name the columns", is_doubt=True))
        return False
    if not typed or not done.rows:
        named = all(NAME.fullmatch(name.strip()) for name in done.names)
        note = "the first line is taken for the header; all columns below are texts, so that it could be a row"
        if not done.rows:
            note = "there is no row below the first line, which is taken for the header"
        if named or not done.rows:
            shape.notes.append(Note(note, is_doubt=True))
            return True
        shape.notes.append(Note("no header: the first line has what no name has; name the columns", is_doubt=True))
        return False
    return True


def _repeated(shape: Shape, done: Trial) -> None:
    """Lines that are the header again."""
    if not shape.options.get("header", True) or not done.rows:
        return
    rows = list(zip(*done.columns, strict=True))
    again = [i for i, row in enumerate(rows) if list(row) == done.names]
    if again:
        shape.options["repeated_header"] = "skip"
        shape.notes.append(Note(f"{count(len(again), 'line')} {'is' if len(again) == 1 else 'are'} the header again"))
        for one in shape.fields:
            one.values = [value for i, value in enumerate(one.values) if i not in set(again)]


def _quotes(head: Head, shape: Shape, done: Trial) -> None:
    """Say where values are read with and without quotes, and it can't be told whether these are quotes."""
    if "quote" in shape.options or b'"' not in head.data or not shape.options.get("header", True):
        return
    plain = trial(head, "csv", {**_dialect(shape), "quote": None, "header_names": "number"}, nulls=_nulls(shape))
    if plain.error or plain.refused or plain.rows != done.rows or len(plain.names) != len(done.names):
        return
    for one, values, raw in zip(shape.fields, done.columns, plain.columns, strict=True):
        quoted = sum(value != text for value, text in zip(values, raw, strict=True))
        filled = sum(text is not None for text in raw)
        if 0 < quoted < filled:
            note = (
                f"{quoted:,} of {filled:,} values stand in quotes and needn't: if these belong to them, declare quote"
            )
            one.notes.append(Note(f"{note}: null", is_doubt=True))


def _totals(shape: Shape, done: Trial) -> None:
    """Say if the last row looks like totals."""
    if done.rows > 2 and done.is_whole:
        for one in shape.fields:
            if re.match(r"(?i)(grand )?(total|sum|summe|gesamt|insgesamt)\b", (one.values[-1] or "").strip()):
                last = shortened(str(one.values[-1]))
                note = f"the last row begins with {last}: if it is no row, declare skip_footer: 1"
                shape.notes.append(Note(note, is_doubt=True))
                return


def _fixed(heads: Sequence[Head]) -> Shape | None:
    """Lines of one length, with blanks at the same places."""
    encoding, notes = encoding_of(heads[0].data)
    lines = heads[0].data.decode(encoding, "replace").lstrip("\ufeff").splitlines()[:5000]
    lines = [line for line in lines if line]
    [(width, _)] = Counter(map(len, lines)).most_common(1) if lines else [(0, 0)]
    if len(lines) < 3 or width < 4 or sum(len(one) == width for one in lines) < 0.95 * len(lines):
        return None
    rows = [line for line in lines if len(line) == width]
    blank = [all(row[at] == " " for row in rows) for at in range(width)]
    places: list[list[int]] = []
    for at, is_blank in enumerate(blank):
        if not is_blank and (at == 0 or blank[at - 1]):
            places.append([at + 1, at + 1])
        elif not is_blank:
            places[-1][1] = at + 1
    starts = [first for first, _ in places]
    ends = [*(first - 1 for first in starts[1:]), width]
    names = [f"column_{i}" for i in range(1, len(places) + 1)]
    options: dict[str, Any] = {"fields": {n: [a, b] for n, a, b in zip(names, starts, ends, strict=True)}}
    options |= {} if encoding == "utf-8" else {"encoding": encoding}
    done = trial(heads[0], "fixed", options, names)
    shape = Shape("fixed", options, [], notes)
    first = [column[0] if column else None for column in done.columns]
    below = [Field("c", values=column[1:]) for column in done.columns]
    for one in below:
        decide(one)
    if all(value and NAME.fullmatch(value) for value in first) and any(one.type != "text" for one in below):
        options |= {"skip_rows": 1, "fields": dict(zip(map(str, first), options["fields"].values(), strict=True))}
        names = [str(value) for value in first]
        done = trial(heads[0], "fixed", options, names)
        shape.notes.append(Note("the first line has the names"))
    note = (
        f"all lines have {width} characters; columns are where {count(len(places) - 1, 'place')} are blank in all lines"
    )
    if len(places) < 2:
        note = f"all lines have {width} characters, and no place is blank in all of them: where columns begin and end "
        note += "can't be seen, declare fields"
    shape.notes.append(Note(f"{note}: check fields against the file's description", is_doubt=True))
    shape.fields = [Field(name, values=values) for name, values in zip(names, done.columns, strict=True)]
    return shape


LAYOUTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("jsonl", {}), ("json", {}), ("jsonl", {"layout": "concatenated"}),
)  # fmt: skip


def _json(heads: Sequence[Head]) -> Shape | None:
    """JSON, in the layout that refuses least."""
    encoding, notes = encoding_of(heads[0].data)
    base = {} if encoding == "utf-8" else {"encoding": encoding}
    tried = [(form, trial(heads[0], form, {**base, **options}, kind="json")) for form, options in LAYOUTS]
    good = [(form, done) for form, done in tried if not done.error and done.rows + len(done.refused)]
    good = [(form, done) for form, done in good if done.rows]
    if not good:
        return None
    form, done = max(good, key=lambda one: (one[1].rows / (one[1].rows + len(one[1].refused)), one[1].rows))
    shape = Shape(form, done.options, [], notes)
    told = "an array of objects" if form == "json" else done.options.get("layout", "an object a line")
    shape.notes.append(Note(f"JSON: {told}"))
    if done.rows == 1 and form == "jsonl" and (path := _path(done)):
        shape = Shape("json", {**base, "path": path}, [], shape.notes)
        shape.notes.append(
            Note(f"one object, in which {path} is an array of objects: taken for the rows", is_doubt=True)
        )
        done = trial(heads[0], "json", shape.options, kind="json")
    texts = Shape(shape.format)
    for head in heads:
        for kind, into in (("json", shape), ("text", texts)):
            one = trial(head, shape.format, shape.options, kind=kind)
            _add(into, dict(zip(one.names, one.columns, strict=False)))
    known = {one.name: one.values for one in texts.fields}
    shape.fields = [of_json(one.name, one.values, known.get(one.name, one.values)) for one in shape.fields]
    _sparse(shape)
    return shape


def _path(done: Trial) -> str | None:
    """The keys that lead to the only array of objects in an object."""
    found = []
    for name, [value] in zip(done.names, done.columns, strict=True):
        if value is not None and "." not in name:
            found += [f"{name}{more}" for more in _arrays(json.loads(value))]
    return found[0] if len(found) == 1 else None


def _arrays(value: Any, depth: int = 0) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [""]
    if isinstance(value, dict) and depth < 5:
        return [f".{name}{more}" for name, one in value.items() if name and "." not in name
                for more in _arrays(one, depth + 1)]  # fmt: skip
    return []


def of_json(name: str, values: Sequence[str | None], texts: Sequence[str | None]) -> Field:
    """A key of JSON, by what its values are there.

    Args:
        name: of the key.
        values: as JSON.
        texts: as texts.
    """
    kinds = Counter(_kind(value) for value in values if value is not None and value != "null")
    one = Field(name, values=list(texts))
    if not kinds:
        one.notes.append(Note("no sampled record has a value: its type isn't known", is_doubt=True))
    elif set(kinds) <= {"object", "array"}:
        one.type = "jsonb"
        if set(kinds) == {"array"}:
            one.notes.append(Note("arrays: an array column such as text[] could take them, too", is_doubt=True))
    elif len(kinds) > 1 and not set(kinds) <= {"text", "number"}:
        said = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
        one.notes.append(Note(f"JSON's values are of several kinds ({said})", is_doubt=True))
    else:
        decide(one)
        if "number" not in kinds and re.match("integer|bigint|numeric|smallint", one.type) and not one.options:
            one.notes.append(
                Note("JSON has them as texts: if they are names of something, declare text", is_doubt=True)
            )
    return one


def _kind(value: str) -> str:
    if value[:1] in '"{[':
        return {'"': "text", "{": "object", "[": "array"}[value[0]]
    return "boolean" if value in ("true", "false") else "number"


def _sparse(shape: Shape) -> None:
    """Leave out keys that hardly any record has, where there are many."""
    rare = [one for one in shape.fields if sum(v is not None for v in one.values) <= SPARSE * len(one.values)]
    if len(shape.fields) <= MANY or not rare:
        return
    shape.fields = [one for one in shape.fields if one not in rare]
    names = ", ".join(one.name for one in rare[:3])
    note = f"{len(rare):,} keys ({names} …) are each in at most 2 % of the records and aren't declared: they come as "
    shape.notes.append(Note(f"{note}columns of text, unless new_columns says ignore", is_doubt=True))
