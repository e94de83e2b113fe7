"""Parquet, Avro and XLSX: files that say what their values are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from journey.loader.errors import FileRefusedError
from journey.loader.formats import File, options_of, reader
from journey.loader.formats.columnar import ColumnarReader
from journey.scaffold.proposal import Field, Note, count, shortened
from journey.scaffold.shapes import Shape
from journey.scaffold.times import DATED, SECONDS
from journey.scaffold.trying import Trial, trial
from journey.scaffold.types import decide

PLAIN = {
    pa.bool_(): "boolean", pa.int8(): "smallint", pa.uint8(): "smallint", pa.int16(): "smallint",
    pa.uint16(): "integer", pa.int32(): "integer", pa.uint32(): "bigint", pa.int64(): "bigint",
    pa.uint64(): "numeric(20,0)", pa.float16(): "real", pa.float32(): "real", pa.float64(): "double precision",
    pa.date32(): "date", pa.date64(): "date",
}  # fmt: skip
MOST_SKIPPED = 15


def of_columns(file: File, file_format: str) -> Shape:
    """A Parquet or an Avro file: types are the file's own, texts are looked at."""
    shape = Shape(file_format, is_typed=True)
    options: dict[str, Any] = {}
    done = trial(file, file_format, options)
    if "header_names" in done.error:
        options["header_names"] = "number"
        shape.notes.append(Note("names of fields are missing or come twice: they get numbers"))
        done = trial(file, file_format, options)
    shape.options = options
    one = reader(file_format)(file, options_of(file_format)(**options), [])
    names = one.names() or []
    types = one.types() if isinstance(one, ColumnarReader) else []
    for position, (name, kind) in enumerate(zip(names, types, strict=True)):
        values = done.columns[position] if position < len(done.columns) else []
        shape.fields.append(_column(name, kind, values))
    return shape


def _column(name: str, kind: pa.DataType, values: Sequence[str | None]) -> Field:
    """A column by its Arrow type."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    one = Field(name, values=values)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        decide(one, quoted_nulls=False)
        if one.type in ("integer", "bigint", "smallint") and not one.options:
            one.notes.append(Note("the file has them as texts: if they are names of something, declare text", True))
        return one
    one.type = _of_arrow(kind)
    one.notes.append(Note(f"the file's own type: {kind}"))
    if one.type == "text":
        one.notes.append(Note("no type of PostgreSQL's is that type's: text", is_doubt=True))
    elif pa.types.is_timestamp(kind) and kind.tz is None:
        one.notes.append(
            Note("no zone: if you know it, declare timestamptz, and time_zone in options.columns", is_doubt=True)
        )
    elif pa.types.is_integer(kind):
        _look_at_integers(one)
    elif pa.types.is_floating(kind):
        _look_at_floats(one)
    elif pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
        one.notes.append(Note("16 bytes: if they are UUIDs, declare uuid", is_doubt=True))
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        one.notes.append(Note("bytes: if they are texts in UTF-8, declare text", is_doubt=True))
    return one


def _of_arrow(kind: pa.DataType) -> str:
    if kind in PLAIN:
        return PLAIN[kind]
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_time(kind):
        return "time"
    if pa.types.is_duration(kind):
        return "interval"
    if str(kind) in ("uuid", "extension<arrow.uuid>"):
        return "uuid"
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytea"
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return "jsonb"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = "text" if pa.types.is_string(kind.value_type) else PLAIN.get(kind.value_type)
        return f"{inner}[]" if inner else "jsonb"
    return "text"


def _look_at_integers(one: Field) -> None:
    numbers = [int(value) for value in one.values if value is not None]
    if not numbers or not DATED.search(one.name):
        return
    unit = "s" if all(n in SECONDS for n in numbers) else "ms" if all(n // 1000 in SECONDS for n in numbers) else "days"
    one.notes.append(Note(f"by its name a time, which may count {unit} since 1970: declare epoch_unit, if so", True))


def _look_at_floats(one: Field) -> None:
    texts = [value for value in one.values if value is not None and value.lower() != "nan"]
    whole = [text for text in texts if text.rpartition(".")[2].strip("0") == "" or "." not in text]
    if texts and len(whole) == len(texts):
        note = "all sampled values are whole: an integer type with whole_decimals reads them"
        missing = len(one.values) - len(texts)
        note += f" ({count(missing, 'row')} without a number: special_values: null, if NaN)" if missing else ""
        one.notes.append(Note(note, is_doubt=True))
    elif texts and all(len(text.rpartition(".")[2]) <= 2 for text in texts if "e" not in text):
        one.notes.append(Note("at most two decimals: if they are amounts of money, declare numeric(14,2)", True))


def of_workbook(file: File) -> Shape:
    """A sheet of a workbook."""
    shape = Shape("xlsx")
    done = trial(file, "xlsx", {})
    if "the option sheet says which" in done.error:
        shape.options["sheet"] = next(
            (n for n in range(1, 20) if trial(file, "xlsx", {"sheet": n, "header_names": "number"}, most=5).rows), 1
        )
        shape.notes.append(Note(f"{done.error}: the first with rows is taken", is_doubt=True))
    best = _best_rows(file, shape.options)
    if best is None:
        raise FileRefusedError(done.error or "no row with names of columns was found in its sheet")
    done = best
    shape.options = {name: value for name, value in best.options.items() if name != "header_names"}
    if trial(file, "xlsx", shape.options, most=1).error:
        shape.options["header_names"] = "number"
        shape.notes.append(Note("names in its header are missing or come twice: they get numbers"))
    if skipped := shape.options.get("skip_rows"):
        shape.notes.append(Note(f"{count(skipped, 'row')} stand before the row with the names", is_doubt=True))
    if any("empty row" in one.reason for one in done.refused):
        shape.options["skip_blank_rows"] = True
        shape.notes.append(Note("empty rows are between the others"))
    shape.fields = [Field(name.strip(), values=values) for name, values in zip(done.names, done.columns, strict=True)]
    last = [str(one.values[-1] or "") for one in shape.fields if one.values]
    if done.rows > 2 and any(text.lower().startswith(("total", "sum", "gesamt")) for text in last):
        shape.notes.append(
            Note(f"the last row has {shortened(last[0])}: if it is no row, declare skip_footer: 1", True)
        )
    return shape


def _best_rows(file: File, options: dict[str, Any]) -> Trial | None:
    """The reading whose header names most columns that have values."""
    best: tuple[tuple[int, int], Trial] | None = None
    for skipped in range(MOST_SKIPPED):
        more = {"skip_rows": skipped} if skipped else {}
        done = trial(file, "xlsx", {**options, **more, "header_names": "number"})
        if done.error or not done.rows:
            continue
        named = sum(not name.startswith("column_") for name in done.names)
        score = (named - 10 * len([one for one in done.refused if "stands in column" in one.reason]), -skipped)
        if best is None or score > best[0]:
            best = score, done
        if named == len(done.names) and not done.refused:
            break
    return best[1] if best else None
