"""Crossed bootstrap of group means: listeners and songs are drawn anew, each with replacement.

A replicate needs no copy of the ratings: with w how often each listener was drawn, u how often each song, S and N the
sums and counts of the ratings in each cell, its mean is wᵀSu / wᵀNu. Sums and counts travel in one number (count ·
2^shift + sum, exact in float64 for whole scores), so that one product of matrices gives both.
Sources: Efron and Tibshirani (1993), An Introduction to the Bootstrap, §13.3 (percentile intervals); Owen (2007),
Annals of Applied Statistics 1(2), 386–411 (the pigeonhole bootstrap of crossed data: slightly wide, never narrow).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from analysis.statistics.arrays import Codes, Floats, checked
from analysis.statistics.intervals import LEVEL

REPLICATES = 10_000
DENSE = 0.05  # share of cells with a rating from which a product of full matrices is faster
BLOCK_VALUES = 4_000_000  # in one block of replicates: 32 MB


@dataclass(frozen=True)
class Resampled:
    """`means`: `[replicates, groups]`, NaN where a replicate drew no rating of a group."""

    means: Floats

    def interval(self, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Percentile limits of every group."""
        return _percentiles(self.means, level)

    def difference_interval(self, first: npt.ArrayLike, second: npt.ArrayLike, level: float = LEVEL) -> Any:
        """Percentile limits of first − second, on all ratings; `first`, `second`: groups, equally long."""
        return _percentiles(self.means[:, np.asarray(first)] - self.means[:, np.asarray(second)], level)

    def ranks(self) -> Floats:
        """`[replicates, groups]`: 1 is the highest mean; equal means share the mean of their ranks."""
        known = np.where(np.isnan(self.means), -np.inf, self.means)
        above = np.zeros(known.shape)
        for group in range(known.shape[1]):
            other = known[:, [group]]
            above += (known < other) + 0.5 * (known == other)
        return above + 0.5  # each counted half of itself

    def rank_interval(self, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Percentile limits of every group's rank, as whole ranks that hold at least `level`."""
        ranks = self.ranks()
        low, high = _percentiles(ranks, level, ("lower", "higher"))
        return np.floor(low), np.ceil(high)

    def best(self) -> Floats:
        """How often each group has the highest mean; where several have, they share."""
        known = np.where(np.isnan(self.means), -np.inf, self.means)
        if not known.shape[1]:
            return np.zeros(0)
        top = known == known.max(axis=1, keepdims=True)
        return np.asarray((top / top.sum(axis=1, keepdims=True)).mean(axis=0))


def crossed_bootstrap(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    songs: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    group_count: int | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Resampled:
    """Means of all groups in `replicates` draws of listeners and songs, the same draw for all groups.

    Arrays are `[ratings]`; groups are systems, or systems of several scales. The same seed gives the same numbers.
    Raises `ValueError` as `arrays.checked` does.
    """
    values, (who, what, where) = checked(scores, listeners, songs, groups)
    size = int(where.max(initial=-1)) + 1 if group_count is None else group_count
    if not values.size or not size:
        return Resampled(np.full((replicates, size), np.nan))
    _names, who = np.unique(who, return_inverse=True)
    _names, what = np.unique(what, return_inverse=True)
    packed = _Packed.of(values, who, what, where, size)
    blocks = _blocks(replicates, max(packed.rows, packed.columns * size))
    seeds = np.random.SeedSequence(seed).spawn(len(blocks))
    with ThreadPoolExecutor(max_workers=packed.workers) as pool:
        parts = list(pool.map(packed.means, blocks, seeds))
    return Resampled(np.concatenate(parts))


@dataclass(frozen=True)
class _Packed:
    """Cells of listeners × (group, song), sums and counts in one number."""

    cells: Any  # [groups · songs, listeners], full or sparse
    rows: int
    columns: int
    groups: int
    shift: float
    lowest: float
    workers: int

    @classmethod
    def of(cls, values: Floats, who: Codes, what: Codes, where: Codes, size: int) -> _Packed:
        rows, columns = int(who.max()) + 1, int(what.max()) + 1
        lowest = float(values.min())
        shift = 2.0 ** np.ceil(np.log2(4.0 * (float(values.max()) - lowest + 1.0) * values.size))
        place, content = where * columns + what, shift + (values - lowest)
        if values.size >= DENSE * rows * columns * size:
            cells = np.bincount(place * rows + who, content, minlength=size * columns * rows)
            return cls(cells.reshape(size * columns, rows), rows, columns, size, shift, lowest, 1)
        sparse = coo_array((content, (place, who)), shape=(size * columns, rows)).tocsr()
        return cls(sparse, rows, columns, size, shift, lowest, min(cpu_count() or 1, 4))

    def means(self, count: int, seed: np.random.SeedSequence) -> Floats:
        """`[count, groups]`."""
        rng = np.random.default_rng(seed)
        drawn_rows, drawn_columns = _drawn(rng, count, self.rows), _drawn(rng, count, self.columns)
        by_song = (self.cells @ drawn_rows.T).reshape(self.groups, self.columns, count)
        total = np.einsum("gcb,bc->bg", by_song, drawn_columns)
        counts = np.floor(total / self.shift)
        with np.errstate(invalid="ignore"):
            means: Floats = (total - counts * self.shift) / counts + self.lowest
        return means


def _drawn(rng: np.random.Generator, count: int, size: int) -> Floats:
    """How often each of `size` was drawn in `size` draws, `[count, size]`."""
    draws = rng.integers(0, size, (count, size))
    draws += np.arange(count)[:, None] * size
    return np.bincount(draws.ravel(), minlength=count * size).reshape(count, size).astype(np.float64)


def _blocks(replicates: int, width: int) -> list[int]:
    size = int(np.clip(BLOCK_VALUES // max(width, 1), 16, 512))
    return [min(size, replicates - start) for start in range(0, replicates, size)]


def _percentiles(
    values: Floats, level: float, methods: tuple[Any, Any] = ("linear", "linear")
) -> tuple[Floats, Floats]:
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    take = np.nanquantile if np.isnan(values).any() else np.quantile
    if not values.shape[1]:
        return np.zeros(0), np.zeros(0)
    low, high = (take(values, tail, axis=0, method=method) for tail, method in zip(tails, methods, strict=True))
    return np.asarray(low), np.asarray(high)
