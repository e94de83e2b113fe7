"""COPY's binary rows where each is as long as the next: all values there, and of fixed width. One buffer is filled,
column by column, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from journey.loader.values.masks import Numbers, numbers

EPOCH_DAYS = 10_957  # from 1970 to PostgreSQL's epoch, 2000
EPOCH = EPOCH_DAYS * 86_400_000_000  # the same in microseconds
NEGATIVE = 0x4000  # sign of a numeric


class Field(NamedTuple):
    """A piece of each row.

    Attributes:
        type: numpy's name of it, with the byte order.
        values: one for each row; or the same for all, and of all batches.
    """

    type: str
    values: Numbers | int


Buffer: TypeAlias = "np.ndarray"


class FixedRows:
    """Fills rows of one table."""

    def __init__(self) -> None:
        """Make a buffer when there are rows."""
        self._buffers: dict[tuple[Field, ...], Buffer] = {}

    def encode(self, arrays: Sequence[pa.Array]) -> memoryview | None:
        """The bytes of some rows, good until the next call.

        Args:
            arrays: a column each; decimals of at most 18 digits.

        Returns:
            None if one of them has a null, or values of any length.
        """
        if not all(map(_is_fixed, arrays)):
            return None
        fields = [Field(">i2", len(arrays))]
        for array in arrays:
            payload = _payload(array)
            fields += [Field(">i4", sum(np.dtype(field.type).itemsize for field in payload)), *payload]
        return self.fill(fields, len(arrays[0])).view(np.uint8).data

    def fill(self, fields: Sequence[Field], rows: int) -> Buffer:
        """Rows of these fields, in a buffer that the next rows of such fields overwrite."""
        shape = tuple(Field(kind, values if isinstance(values, int) else -1) for kind, values in fields)
        buffer = self._buffers.get(shape)
        names = [f"f{position}" for position in range(len(fields))]
        if buffer is None or len(buffer) < rows:
            buffer = np.zeros(rows, [(name, field.type) for name, field in zip(names, fields, strict=True)])
            for name, (_, values) in zip(names, fields, strict=True):
                if isinstance(values, int):
                    buffer[name] = values
            self._buffers[shape] = buffer
        buffer = buffer[:rows]
        for name, (_, values) in zip(names, fields, strict=True):
            if not isinstance(values, int):
                buffer[name] = values
        return buffer


def numeric(array: pa.Array) -> list[Field]:
    """Decimals of at most 18 digits as PostgreSQL's digits of base 10,000.

    Leading zeros are allowed, so that all values have as many digits as the largest.
    """
    words = np.frombuffer(array.buffers()[1], "<i8").reshape(-1, 2)
    values = words[array.offset : array.offset + len(array), 0]  # whatever they are where they are null
    scale, after_point = array.type.scale, -(-array.type.scale // 4)
    left = np.abs(values).astype(np.uint64) * np.uint64(10 ** (-scale % 4))
    top, count = int(left.max(initial=0)), max(after_point, 1)
    if top < 2**32:
        left = left.astype(np.uint32)
    while 10_000**count <= top:
        count += 1
    sign = np.where(values < 0, np.uint16(NEGATIVE), np.uint16(0))
    digits = list(_digits(left, count))
    weight = (count - after_point - 1) % 2**16  # of the first digit, signed
    return [Field(">u2", count), Field(">u2", weight), Field(">u2", sign), Field(">u2", scale), *reversed(digits)]


def _digits(left: Numbers, count: int) -> Iterator[Field]:
    for _ in range(count - 1):
        rest = left // 10_000
        yield Field(">u2", left - rest * 10_000)
        left = rest
    yield Field(">u2", left)


def _is_fixed(array: pa.Array) -> bool:
    kind = array.type
    return not array.null_count and (pa.types.is_primitive(kind) or pa.types.is_decimal(kind))


def _payload(array: pa.Array) -> list[Field]:
    kind = array.type
    if pa.types.is_decimal(kind):
        return numeric(array)
    if pa.types.is_boolean(kind):
        return [Field("u1", array.view(pa.bool_()).to_numpy(zero_copy_only=False))]
    values = numbers(array)
    if pa.types.is_date(kind):
        values = values - EPOCH_DAYS
    elif pa.types.is_timestamp(kind):
        values = values - EPOCH
    return [Field(f">{values.dtype.str[1:]}", values)]
