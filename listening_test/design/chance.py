"""Random choices that come from a seed. Who does not know the seed cannot tell one choice from another."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def chance(seed: int, *words: str | int) -> random.Random:
    """A generator of its own for each purpose: `words` name it. Only `random()` is used of it, which Python promises
    to keep the same in every version; the seed is digested (SHA-512), so neighbouring purposes have nothing in common.
    """
    return random.Random("|".join(map(str, (seed, *words))))  # noqa: S311 (an order, no secret)


def shuffled(items: Iterable[T], generator: random.Random) -> list[T]:
    return [item for _place, item in sorted(((generator.random(), item) for item in items), key=lambda pair: pair[0])]
