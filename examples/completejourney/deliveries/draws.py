"""Seeded draws that are the same on every machine, Python and library version: a hash of what is drawn for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

SEED = "data-journey 2017"
T = TypeVar("T")


def draw(*purpose: object) -> float:
    """A number in [0, 1) that depends on nothing but its purpose.

    Args:
        purpose: what is drawn, for instance ("delisted", product_id).
    """
    text = "|".join(map(str, (SEED, *purpose)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56


def pick(options: Sequence[T], *purpose: object) -> T:
    """One of the options, all equally likely."""
    return options[int(draw(*purpose) * len(options))]


def shuffled(items: Iterable[T], purpose: str) -> list[T]:
    """The items in a drawn order that does not depend on the order in which they come."""
    return sorted(items, key=lambda item: (draw(purpose, item), str(item)))
