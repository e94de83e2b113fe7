"""The keys of a file's records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from journey.loader.errors import FileRefusedError
from journey.loader.formats.jsontext.blocks import FEW, SHAPES, without
from journey.loader.formats.jsontext.columns import judged
from journey.loader.formats.jsontext.fields import check_name, cut, folded
from journey.loader.formats.jsontext.layouts import Block
from journey.loader.formats.jsontext.objects import members
from journey.loader.formats.jsontext.shapes import Shape, Structure, shape_of
from journey.loader.values.meaning import Column


class Keys:
    """Collects the keys that records have; what people wouldn't tell apart is one."""

    def __init__(self, declared: Sequence[Column], most: int) -> None:
        """Nothing yet.

        Args:
            declared: columns whose names may differ in case only.
            most: how many names a file may have.
        """
        self.names: list[str] = []
        self._declared = {column.name for column in declared}
        self._seen, self._alike, self._most = set[str](), set[str](), most
        self._shapes: list[Shape] = []

    def look(self, block: Block) -> None:
        """Add a block's keys.

        Raises:
            FileRefusedError: there are too many.
        """
        left = np.arange(len(block.starts))
        if len(left) >= FEW:
            structure = Structure(block)
            for shape in self._shapes:  # a record that a shape fits has no other keys, if its values are JSON
                fitting = structure.fit(shape, left)
                if len(fitting.rows):
                    _, good = judged(structure, shape, fitting, [None] * len(shape.keys))
                    left = without(left, fitting.rows[good])
        for row in left.tolist():
            try:
                found = members(block.raw(row).decode(), self._most)
            except ValueError:  # refused later, with its reason
                continue
            for member in found:
                self._add(member.key)
            if len(self._shapes) < SHAPES and (new := shape_of(block.raw(row))) and new not in self._shapes:
                self._shapes.append(new)

    def _add(self, key: str) -> None:
        if key in self._seen:
            return
        alike = key if key in self._declared else folded(key)
        try:
            check_name(key)
        except ValueError:  # the same
            return
        if len(self._seen) < self._most:
            self._seen.add(key)
        if alike in self._alike:
            return
        self._alike.add(alike)
        self.names.append(key if key in self._declared else cut(key) if len(key.encode()) > 63 else key)
        if len(self.names) > self._most:
            raise FileRefusedError(f"its records have more than {self._most:,} different keys (max_columns)")
