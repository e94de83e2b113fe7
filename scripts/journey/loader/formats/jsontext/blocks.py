"""A block of records becomes a batch: records of known shapes at once, the others one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from journey.loader.formats.contract import Batch, Refused
from journey.loader.formats.dialect import is_utf8
from journey.loader.formats.jsontext.cells import cell
from journey.loader.formats.jsontext.columns import Pieces, judged
from journey.loader.formats.jsontext.fields import Fields
from journey.loader.formats.jsontext.layouts import Block
from journey.loader.formats.jsontext.objects import Member, members
from journey.loader.formats.jsontext.shapes import Shape, Structure, shape_of
from journey.loader.values.exact import quoted
from journey.loader.values.meaning import Column

SHAPES = 64  # of one file that are remembered
NEW = 8  # shapes that are looked for in one block
GOLDEN = 0.6180339887
SAMPLES = 8  # records in which a new shape is looked for
FEW = 32  # records that aren't worth a shape


class Blocks:
    """Reads the blocks of one file."""

    def __init__(self, targets: Sequence[Column | None], fields: Fields, max_columns: int, encoding: str) -> None:
        """Prepare.

        Args:
            targets: a column for each of the fields' names; None: its values are ignored.
            fields: finds the names.
            max_columns: keys that a record may have.
            encoding: what the file is declared to be.
        """
        self._targets, self._fields, self._most = targets, fields, max_columns
        self._encoding = "UTF-8" if encoding.lower().startswith(("utf-8", "utf8")) else encoding
        self._shapes: dict[Shape, list[int | None]] = {}
        self.seen: set[int] = set()  # targets that came

    def batch(self, block: Block) -> Batch:
        """The records of a block.

        Raises:
            UnknownFieldError: a key is unknown, and that isn't to be passed over.
        """
        pieces = [Pieces(column) if column else None for column in self._targets]
        refused = self._exactly(block, self._by_shape(block, pieces), pieces)
        columns: dict[int, str] = {}
        for one in pieces:
            for row, reason in one.read().items() if one else ():
                if row not in refused:
                    refused[row], columns[row] = reason, one.column.name if one else ""
        alive = None
        if refused:
            alive = np.delete(np.arange(len(block.starts)), list(refused))
        arrays = [one.array(len(block.starts), alive) for one in pieces if one]
        lines = block.lines
        bad = [
            Refused(int(lines[row]), columns.get(row), reason, block.kept(row))
            for row, reason in sorted(refused.items())
        ]

        def origin(row: int) -> tuple[int, bytes]:
            row = row if alive is None else int(alive[row])
            return int(lines[row]), block.kept(row)

        return Batch(arrays, [*block.refused, *bad], origin)

    def _by_shape(self, block: Block, pieces: list[Pieces | None]) -> np.ndarray:
        """Read the records of known shapes; returns the others."""
        left = np.arange(len(block.starts))
        if len(left) < FEW:
            return left
        structure = Structure(block)
        if alien := self._not_utf8(block):
            left = np.delete(left, alien)
        for shape in list(self._shapes):
            if len(left) >= FEW:
                left = without(left, self._of_shape(structure, shape, left, pieces))
        for _ in range(NEW):
            if len(left) < FEW or not (new := self._learn(block, left)):
                break
            rows = self._of_shape(structure, new, left, pieces)
            left = without(left, rows)
            if len(rows) < FEW:
                del self._shapes[new]
        return np.sort(np.append(left, np.array(alien, np.int64))) if alien else left

    def _learn(self, block: Block, rows: np.ndarray) -> Shape | None:
        """A new shape that some of these records have."""
        spread = (np.arange(SAMPLES) * GOLDEN % 1 * len(rows)).astype(np.int64)  # no period of the records' is theirs
        for row in rows[spread].tolist() if len(self._shapes) < SHAPES else ():
            shape = shape_of(block.raw(row))
            if not shape or shape in self._shapes:
                continue
            try:
                self._shapes[shape] = [position for position, *_ in self._members(block.raw(row))]
            except ValueError:
                continue
            return shape
        return None

    def _of_shape(
        self, structure: Structure, shape: Shape, rows: np.ndarray, pieces: list[Pieces | None]
    ) -> np.ndarray:
        """Read the records of a shape; returns which they are."""
        fitting = structure.fit(shape, rows)
        rows = fitting.rows
        if not len(rows):
            return rows
        positions = self._shapes[shape]
        columns = [None if position is None else self._targets[position] for position in positions]
        found, good = judged(structure, shape, fitting, columns)
        chosen = None if good.all() else good
        for position, values in zip(positions, found, strict=True):
            if position is not None and (piece := pieces[position]):
                values.into(piece, chosen)
        if good.any():
            self.seen.update(position for position in positions if position is not None)
        read: np.ndarray = rows[good]
        return read

    def _exactly(self, block: Block, rows: np.ndarray, pieces: list[Pieces | None]) -> dict[int, str]:
        """Read records one by one; returns the reasons of those that are refused."""
        refused: dict[int, str] = {}
        found: dict[int, tuple[list[int], list[int], list[str]]] = {}
        for row in rows.tolist():
            try:
                cells = self._cells(block.raw(row))
            except UnicodeDecodeError as error:
                refused[row] = f"not {self._encoding} at byte {error.start + 1}: is another encoding to be declared?"
                continue
            except ValueError as error:
                refused[row] = str(error)
                continue
            for position, kind, text in cells:
                rows_, kinds, texts = found.setdefault(position, ([], [], []))
                rows_.append(row)
                kinds.append(kind)
                texts.append(text)
        for position, (rows_, kinds, texts) in found.items():
            if piece := pieces[position]:
                piece.add(np.array(rows_), np.array(kinds, np.uint8), pa.array(texts, pa.string()))
        return refused

    def _cells(self, record: bytes) -> list[tuple[int, int, str]]:
        """Position of the target, kind and text of each value of a record that has one."""
        cells = []
        for position, member in self._members(record):
            if position is not None:
                self.seen.add(position)
                if column := self._targets[position]:
                    cells.append((position, *cell(member, column)))
        return cells

    def _members(self, record: bytes) -> list[tuple[int | None, Member]]:
        """The members of a record with the positions of their targets.

        Raises:
            ValueError: the record is none; the message is the reason.
        """
        found = members(record.decode(), self._most)
        placed = [(self._fields.find(member.key, self._most), member) for member in found]
        named = [position for position, _ in placed if position is not None]
        if len(set(named)) < len(named):
            twice = next(position for position in named if named.count(position) > 1)
            first, second = [quoted(member.key) for position, member in placed if position == twice][:2]
            raise ValueError(f"the keys {first} and {second} are one column")
        return placed

    def _not_utf8(self, block: Block) -> list[int]:
        """Records that aren't UTF-8."""
        if block.data.isascii() or is_utf8(block.data):
            return []
        return [row for row in range(len(block.starts)) if not is_utf8(block.raw(row))]


def without(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The rows that aren't among others; both are in order. (setdiff1d imports a lot.)"""
    if len(rows) == len(others):
        return rows[:0]
    return np.delete(rows, np.searchsorted(rows, others))
