"""Many tests at once: Holm, Benjamini–Hochberg, and letters of groups that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Floats


def holm(p_values: npt.ArrayLike) -> Floats:
    """P values adjusted so that the chance of any false positive among them stays below the level.

    p(k) → max over j ≤ k of (m − j + 1) · p(j), at most 1, in the order of size. NaN (not tested) stays NaN and does
    not count. Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65–70.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    there = np.flatnonzero(np.isfinite(p))
    order = there[np.argsort(p[there], kind="stable")]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """P values adjusted so that the expected share of false ones among the positives stays below the level.

    p(k) → min over j ≥ k of m/j · p(j), at most 1. NaN stays NaN and does not count.
    Source: Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57(1), 289–300.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    there = np.flatnonzero(np.isfinite(p))
    order = there[np.argsort(p[there], kind="stable")[::-1]]
    steps = p[order] * order.size / np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return adjusted


def letters(means: Sequence[float], different: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Compact letter display: two that share a letter are not told apart; "a" begins with the highest mean.

    `means`: one per system; `different`: pairs that are told apart. Every pair that is not in `different` shares a
    letter, and no pair that is does.
    Source: Piepho (2004), Journal of Computational and Graphical Statistics 13(2), 456–466 (insert and absorb).
    """
    columns: list[frozenset[int]] = [frozenset(range(len(means)))]
    for first, second in different:
        split = [part for column in columns for part in _split(column, first, second)]
        columns = _absorbed(split)
    order = sorted(range(len(means)), key=lambda one: (-means[one], one))
    place = {system: number for number, system in enumerate(order)}
    columns.sort(key=lambda column: sorted(place[one] for one in column))
    return tuple("".join(_letter(n) for n, column in enumerate(columns) if one in column) for one in range(len(means)))


def _split(column: frozenset[int], first: int, second: int) -> list[frozenset[int]]:
    if first in column and second in column:
        return [column - {first}, column - {second}]
    return [column]


def _absorbed(columns: list[frozenset[int]]) -> list[frozenset[int]]:
    """Without those that another one holds."""
    kept: list[frozenset[int]] = []
    for column in sorted(set(columns), key=lambda one: (-len(one), sorted(one))):
        if column and not any(column <= other for other in kept):
            kept.append(column)
    return kept


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"({number + 1})"
