"""Avro's types as Arrow's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa

from journey.loader.errors import FileRefusedError

PLAIN = {
    "null": pa.null(), "boolean": pa.bool_(), "int": pa.int32(), "long": pa.int64(), "float": pa.float32(),
    "double": pa.float64(), "bytes": pa.binary(), "string": pa.string(),
}  # fmt: skip
LOGICAL = {
    ("int", "date"): pa.date32(), ("int", "time-millis"): pa.time32("ms"), ("long", "time-micros"): pa.time64("us"),
    **{("long", f"{local}timestamp-{word}"): pa.timestamp(unit, None if local else "UTC") for local in ("", "local-")
       for word, unit in (("millis", "ms"), ("micros", "us"), ("nanos", "ns"))},
}  # fmt: skip
PARTS = ("type", "items", "values", "fields")  # of a type, which have types within
DEPTH = 32
NOT_UTF8 = "a text isn't UTF-8"

Decode = Callable[[Any], Any]


def physical(schema: Any) -> Any:
    """A schema without logical types: values come as they are kept, and no reading of them can fail."""
    if isinstance(schema, list):
        return [physical(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("logicalType", "default")}
    return {key: physical(value) if key in PARTS else value for key, value in kept.items()}


class Types:
    """The fields of a file's record.

    Attributes:
        names: their names.
        fields: name, Arrow type, and what makes Arrow's values of Avro's, where that takes something.
    """

    def __init__(self, schema: Any) -> None:
        """Read a schema.

        Raises:
            FileRefusedError: it has what no column can be.
        """
        self._named: dict[str, Any] = {}
        self._remember(schema, "")
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise FileRefusedError("it isn't an Avro file of records")
        self.fields = [(one["name"], *self._type(one["type"], one["name"], 0)) for one in schema["fields"]]
        self.names = [name for name, _, _ in self.fields]

    def _remember(self, schema: Any, space: str) -> None:
        """Collect what has a name, so that it is known where it is used again."""
        if isinstance(schema, list):
            for one in schema:
                self._remember(one, space)
        elif isinstance(schema, dict):
            name = schema.get("name")
            if name and schema.get("type") in ("record", "enum", "fixed", "error"):
                space = schema.get("namespace", name.rpartition(".")[0] or space)
                self._named[name.rpartition(".")[2]] = self._named[f"{space}.{name.rpartition('.')[2]}"] = schema
            for part in PARTS:
                self._remember(schema.get(part), space)

    def _type(self, schema: Any, name: str, depth: int) -> tuple[pa.DataType, Decode | None]:
        if depth > DEPTH:
            raise FileRefusedError(f"field {name!r} is nested more than {DEPTH} deep, or within itself")
        if isinstance(schema, list):
            others = [one for one in schema if one != "null"]
            if len(others) > 1:
                raise FileRefusedError(f"field {name!r} may be of several types, and a column is of one")
            return self._type(others[0] if others else "null", name, depth)
        if isinstance(schema, str):
            if schema in PLAIN:
                return PLAIN[schema], None
            return self._type(self._named[schema], name, depth + 1)
        return self._complex(schema, name, depth)

    def _complex(self, schema: Any, name: str, depth: int) -> tuple[pa.DataType, Decode | None]:
        kind, logical = schema["type"], schema.get("logicalType")
        if logical == "decimal" and kind in ("bytes", "fixed"):
            precision, scale = schema["precision"], schema.get("scale", 0)
            if not 0 <= scale <= precision <= 76:
                raise FileRefusedError(f"field {name!r} is a decimal({precision}, {scale}), beyond Arrow's")
            wide = pa.decimal128 if precision <= 38 else pa.decimal256
            return wide(precision, scale), lambda value: _decimal(value, scale)
        if (kind, logical) in LOGICAL:
            return LOGICAL[kind, logical], None
        if kind == "fixed":
            return pa.binary(schema["size"]), None
        if kind == "enum":
            return pa.string(), None
        if kind == "array":
            items, decode = self._type(schema["items"], name, depth + 1)
            return pa.list_(items), _each(decode) if decode else None
        if kind == "map":
            items, decode = self._type(schema["values"], name, depth + 1)
            each = decode or (lambda one: one)
            return pa.map_(pa.string(), items), lambda value: [
                (key, None if one is None else each(one)) for key, one in value.items()
            ]
        if kind in ("record", "error"):
            return self._record(schema, name, depth)
        return self._type(kind, name, depth + 1)

    def _record(self, schema: Any, name: str, depth: int) -> tuple[pa.DataType, Decode | None]:
        fields = [(one["name"], *self._type(one["type"], name, depth + 1)) for one in schema["fields"]]
        kind = pa.struct([(field, inner) for field, inner, _ in fields])
        decoding = {field: decode for field, _, decode in fields if decode}
        if not decoding:
            return kind, None
        return kind, lambda value: {
            field: decoding[field](one) if field in decoding and one is not None else one
            for field, one in value.items()
        }


def _each(decode: Decode) -> Decode:
    return lambda value: [None if one is None else decode(one) for one in value]


def _decimal(value: bytes, scale: int) -> Decimal:
    return Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-scale, Context(prec=400))


def built(values: Sequence[Any], kind: pa.DataType, decode: Decode | None) -> tuple[pa.Array, dict[int, str]]:
    """An array of a field's values; those that Arrow can't hold are null, with the reason."""
    if decode:
        values = [None if value is None else decode(value) for value in values]
    try:
        return pa.array(values, kind), {}
    except UnicodeEncodeError:
        if pa.types.is_string(kind):  # what isn't UTF-8 stays what it is, and is refused where it is converted
            raw = [None if value is None else value.encode("utf-8", "surrogateescape") for value in values]
            return pa.array(raw, pa.binary()).view(kind), {}
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        pass
    arrays, refused = [], dict[int, str]()
    for row, value in enumerate(values):
        try:
            arrays.append(pa.array([value], kind))
        except UnicodeEncodeError:
            arrays.append(pa.nulls(1, kind))
            refused[row] = NOT_UTF8
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            arrays.append(pa.nulls(1, kind))
            refused[row] = f"its value is no {kind}: {error}"
    return pa.concat_arrays(arrays), refused
