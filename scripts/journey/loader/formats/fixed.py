"""Fixed-width files: a line a row, and each field at its own place in it."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.errors import FileRefusedError
from journey.loader.formats.contract import RAW_BYTES, Batch, Reader, Refused
from journey.loader.formats.dialect import in_utf8, without_footer
from journey.loader.formats.lines import Lines, blocks
from journey.loader.formats.positions import FixedOptions, is_single_byte
from journey.loader.values.exact import quoted
from journey.loader.values.masks import Converted, Mask, Refusals, valid, without
from journey.loader.values.meaning import Column
from journey.loader.values.text import nulled, parse


class FixedReader(Reader):
    """One fixed-width file. Signs that are punched into a number's last digit, and packed decimals, aren't read."""

    Options = FixedOptions
    options: FixedOptions
    _chunks: Iterator[bytes] | None = None

    @classmethod
    def of_kept(cls, names: Sequence[str], options: FixedOptions) -> tuple[bytes, FixedOptions]:
        """Kept rows are lines as they were."""
        if options.positions == "bytes" and not is_single_byte(options.encoding):
            return super().of_kept(names, options)
        plain = replace(options, skip_rows=0, skip_footer=0, comment=None, ctrl_z=False)
        if codecs.lookup(options.encoding).name == "utf-8":
            return b"", plain
        return b"", replace(plain, encoding="utf-8", positions="characters")

    def names(self, *, scan: bool = False) -> list[str] | None:  # noqa: ARG002
        """The declared fields' names, by their places; [] for a file without a byte.

        Raises:
            FileRefusedError: a column has no place.
        """
        chunks = self.file.stream()
        first = next((chunk for chunk in chunks if chunk), b"")
        if not first:
            return []
        self._chunks = itertools.chain([first], chunks)
        for column in self.declared:
            if column.name not in self._fields:
                raise FileRefusedError(f"fields doesn't say where column {column.name!r} stands")
        return list(self._fields)

    def read(self, targets: Sequence[Column | None]) -> Iterator[Batch]:
        """The rows, a block of lines at a time."""
        places = [(first - 1, last) for first, last in self._fields.values()]
        columns = [(place, column) for place, column in zip(places, targets, strict=True) if column is not None]
        end = max(last for _, last in places)
        for lines in blocks(self._stream()):
            yield self._batch(lines, columns, end)

    @property
    def _fields(self) -> dict[str, Sequence[int]]:
        fields = self.options.fields or {}
        return dict(sorted(fields.items(), key=lambda item: item[1][0]))

    @property
    def _encoding(self) -> str:
        """Of the lines."""
        return "utf-8" if self.options.positions == "characters" else codecs.lookup(self.options.encoding).name

    def _stream(self) -> Iterator[bytes]:
        """The file's bytes; where positions count characters, in UTF-8."""
        chunks, self._chunks = self._chunks or self.file.stream(), None  # another reading begins anew
        if self.options.positions == "characters":
            chunks = in_utf8(chunks, self.options.encoding)
        elif self._encoding == "utf-8":
            chunks = in_utf8(chunks, "utf-8")  # without a byte order mark
        if self.options.skip_footer or self.options.ctrl_z:
            chunks = without_footer(chunks, self.options.skip_footer, ctrl_z=self.options.ctrl_z)
        return chunks

    def _batch(self, lines: Lines, columns: Sequence[tuple[tuple[int, int], Column]], end: int) -> Batch:
        """Lines as rows: good ones, and refused ones with the first column that is to blame."""
        rows, wrong = self._rows(lines, end)
        bad: dict[int, tuple[str | None, str]] = {position: (None, reason) for position, reason in wrong.items()}
        numbers = np.flatnonzero(rows)
        texts = lines.texts if rows.all() else lines.texts.filter(pa.array(rows))
        arrays, refused = [], dict[int, tuple[str | None, str]]()
        for place, column in columns:
            array, more = self._values(texts, place, column)
            arrays.append(array)
            for position, reason in more.items():
                refused.setdefault(position, (column.name, reason))
        if refused:
            mask = np.ones(len(numbers), bool)
            mask[list(refused)] = False
            bad.update((int(numbers[position]), why) for position, why in refused.items())
            arrays, numbers = [array.filter(pa.array(mask)) for array in arrays], numbers[mask]

        def raw(row: int) -> str:
            line: bytes = lines.texts[row].as_py()
            return line[:RAW_BYTES].decode(self._encoding, "backslashreplace")

        found = [Refused(lines.number + row, *bad[row], raw(row)) for row in sorted(bad)]
        return Batch(
            arrays, [*lines.refused, *found], lambda row: (lines.number + int(numbers[row]), raw(int(numbers[row])))
        )

    def _rows(self, lines: Lines, end: int) -> tuple[Mask, dict[int, str]]:
        """Which lines are rows, and why others are none; those that are passed over are neither."""
        texts, options = lines.texts, self.options
        rows = np.arange(lines.number, lines.number + len(texts)) > options.skip_rows
        if options.comment:
            rows &= ~_true(pc.starts_with(texts, options.comment.encode(self._encoding)))
        wrong = {row: reason for row, reason in self._undecoded(texts).items() if rows[row]}
        rows &= ~_mask(wrong, len(texts))
        readable = without(texts, ~rows)
        sizes = pc.binary_length(texts) if options.positions == "bytes" else pc.utf8_length(readable.cast(pa.string()))
        lengths = sizes.fill_null(end).to_numpy(zero_copy_only=False)
        unit = f"{options.positions} instead of {end:,}"
        blank = _true(pc.match_substring_regex(texts, "^[ \t]*$"))
        if options.skip_blank_lines:
            rows &= ~blank
        found = [
            (blank, "an empty line (skip_blank_lines passes over them)"),
            (_true(pc.match_substring(texts, b"\r")), "a carriage return alone inside a line"),
            (_true(pc.match_substring(texts, b"\0")), "a NUL stands in it, and PostgreSQL has none"),
        ]
        if options.short_rows == "refuse":
            found.append((lengths < end, f"{{}} {unit} (short_rows: null reads what is missing as blank)"))
        if options.long_rows == "refuse":
            found.append((lengths > end, f"{{}} {unit} (long_rows: ignore passes over the rest)"))
        for mask, reason in found:
            wrong |= {row: reason.format(f"{lengths[row]:,}") for row in np.flatnonzero(mask & rows).tolist()}
            rows &= ~mask
        return rows, wrong

    def _undecoded(self, texts: pa.Array) -> dict[int, str]:
        """Lines that aren't of the declared encoding."""
        name = self._encoding
        data = texts.buffers()[2]
        try:
            (data.to_pybytes() if data else b"").decode(name)
        except UnicodeDecodeError:
            pass
        else:
            return {}
        wrong = {}
        for position, line in enumerate(texts.to_pylist()):
            try:
                line.decode(name)
            except UnicodeDecodeError as error:
                wrong[position] = f"byte {error.start + 1} is not of the declared encoding (encoding)"
        return wrong

    def _values(self, lines: pa.Array, place: tuple[int, int], column: Column) -> Converted:
        """One field of good lines."""
        cut: Refusals = {}
        if self.options.positions == "characters":
            texts = pc.utf8_slice_codeunits(lines.cast(pa.string()), *place)
        else:
            texts, cut = self._decoded(pc.binary_slice(lines, *place))
        if self.options.padding == "remove":
            texts = pc.utf8_trim(texts, " ")
        texts = nulled(texts, column.meaning)
        digits = (self.options.implied_decimals or {}).get(column.name)
        if digits is None:
            values, refused = parse(texts, column)
            return values, refused | cut
        given, texts = texts, _with_point(texts, digits, column.meaning.decimal_mark)
        values, refused = parse(texts, column)
        told = f"is no whole number, and implied_decimals: {digits} is declared"
        bad = np.flatnonzero(valid(given) & ~valid(texts)).tolist()
        return values, refused | {row: f"{quoted(given[row].as_py())} {told}" for row in bad} | cut

    def _decoded(self, fields: pa.Array) -> Converted:
        """Bytes as texts."""
        texts: list[str | None] = []
        refused: Refusals = {}
        for row, data in enumerate(fields.to_pylist()):
            try:
                texts.append(data.decode(self._encoding))
            except UnicodeDecodeError:
                texts.append(None)
                refused[row] = "a field's edge cuts a character in two (positions)"
        return pa.array(texts, pa.string()), refused


def _with_point(texts: pa.Array, digits: int, mark: str) -> pa.Array:
    """Whole numbers with a mark before their last digits, without zeros in front; null where a text is none."""
    texts = pc.if_else(pc.match_substring_regex(texts, "^[+-]?[0-9]+$"), texts, pa.scalar(None, pa.string()))
    padded = pc.replace_substring_regex(texts, "^([+-]?)", "\\1" + "0" * digits)
    return pc.replace_substring_regex(padded, f"^([+-]?)0*([0-9]+)([0-9]{{{digits}}})$", rf"\1\2{mark}\3")


def _true(mask: pa.Array) -> Mask:
    return mask.fill_null(False).to_numpy(zero_copy_only=False)


def _mask(positions: Mapping[int, Any], size: int) -> Mask:
    mask = np.zeros(size, bool)
    mask[list(positions)] = True
    return mask


READER = FixedReader
