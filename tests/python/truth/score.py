"""How often estimates hold what they promise, when the estimates of one world share its chances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """A share of estimates.

    Attributes:
        rate: 0 to 1.
        error: its standard error, clustered by world.
        estimates: how many.
        worlds: they come from.
    """

    rate: float
    error: float
    estimates: int
    worlds: int

    def __str__(self) -> str:
        return f"{self.rate:6.1%} ± {1.96 * self.error:.1%} of {self.estimates:,} in {self.worlds} worlds"

    def within(self, lowest: float, highest: float) -> bool:
        """Whether the rate lies in the bounds; a few worlds can't tell, so their error is allowed for twice.

        Args:
            lowest: rate, 0 to 1.
            highest: rate, 0 to 1.
        """
        allowed = 2 * self.error if self.estimates < 4000 else 0.0
        return lowest - allowed <= self.rate <= highest + allowed


def share(worlds: Sequence[int] | NDArray[np.int64], hits: Sequence[bool] | NDArray[np.bool_]) -> Share:
    """The share of estimates that hit.

    Args:
        worlds: of each estimate the world it comes from.
        hits: whether it did.
    """
    hit = np.asarray(hits, dtype=float)
    names, place = np.unique(np.asarray(worlds), return_inverse=True)
    rate = float(hit.mean())
    residuals = np.bincount(place, weights=hit - rate)
    many = len(names)
    error = float(np.sqrt(many / max(many - 1, 1) * (residuals**2).sum()) / len(hit))
    return Share(rate, error, len(hit), many)
