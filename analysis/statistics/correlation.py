"""Objective metrics against what listeners said, at four levels, with crossed-bootstrap intervals and a noise ceiling.

- clip: all clips together; a metric that only knows which song is hard does well here,
- within_song: systems of one song against each other, averaged over songs: what choosing a system by a metric needs,
- within_system: songs of one system against each other, averaged over systems,
- system: one mean per system.

The sign is kept: a metric that falls where listeners' scores rise has a negative correlation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.intervals import LEVEL
from analysis.statistics.reliability import agreement

LEVELS = ("clip", "within_song", "within_system", "system")
KINDS = ("pearson", "spearman", "kendall")
REPLICATES = 500
FEWEST = 3  # values in a correlation
KENDALL_UPTO = 400  # clips: its replicates cost the square of them
AT_ONCE = 1_000_000  # numbers of replicates that are computed together


@dataclass(frozen=True)
class Correlation:
    """One coefficient. `low`, `high`: NaN where there is no interval; `n`: clips, songs, systems that it rests on."""

    metric: str
    level: str
    kind: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class MetricDifference:
    """How much better the first metric follows listeners than the second. `p`: two-sided, from the bootstrap."""

    first: str
    second: str
    level: str
    kind: str
    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class MetricStudy:
    """`ceiling`: by level, the correlation that a perfect metric could reach with these ratings; NaN where unknown."""

    correlations: tuple[Correlation, ...]
    differences: tuple[MetricDifference, ...]
    ceiling: Mapping[str, float]
    replicates: int

    def of(self, metric: str, level: str, kind: str) -> Correlation:
        return next(c for c in self.correlations if (c.metric, c.level, c.kind) == (metric, level, kind))


def metric_study(
    metrics: Mapping[str, npt.ArrayLike],
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    clips: npt.ArrayLike,
    songs: npt.ArrayLike,
    systems: npt.ArrayLike,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    level: float = LEVEL,
) -> MetricStudy:
    """Correlations of every metric with the clips' MOS, of one scale and source.

    `metrics`: by name, one value per clip (NaN where there is none); `songs`, `systems`: of each clip, `[clips]`;
    `scores`, `listeners`, `clips`: `[ratings]`. A replicate draws listeners and songs anew. Kendall's is τ-b.
    Sources: Kendall (1945), Biometrika 33(3), 239–251 (τ-b); Owen (2007) for the crossed bootstrap.
    Raises `NotEnough("too_few_clips")` below three clips with ratings; `ValueError` as `arrays.checked`, and where a
    metric has another number of clips.
    """
    values, (who, what) = checked(scores, listeners, clips)
    _none, (song, system) = checked(np.zeros(np.shape(songs)), songs, systems)
    table = _Table.of(values, who, what, song, system, metrics)
    if (table.counts.sum(axis=1) > 0).sum() < FEWEST:
        raise NotEnough("too_few_clips", int((table.counts.sum(axis=1) > 0).sum()), FEWEST)
    point = table.measured(None, None, with_kendall=True)
    drawn = _replicates(table, replicates, seed)
    tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    low, high = _quantiles(drawn, tails)
    correlations = tuple(
        Correlation(
            name,
            where,
            kind,
            float(point[m, at, k]),
            float(low[m, at, k]),
            float(high[m, at, k]),
            table.rests_on(m, where),
        )
        for m, name in enumerate(table.names)
        for at, where in enumerate(LEVELS)
        for k, kind in enumerate(KINDS)
    )
    return MetricStudy(
        correlations,
        _differences(table.names, point, drawn, tails),
        _ceilings(values, who, what, song, system),
        replicates,
    )


@dataclass(frozen=True)
class _Table:
    """Sums and counts of ratings, `[clips, listeners]`; where each clip stands in songs × systems."""

    names: tuple[str, ...]
    metrics: Floats  # [metrics, clips]
    sums: Floats
    counts: Floats
    song: Codes
    grid: Codes  # [songs, systems]: which clip, −1 where there is none

    @classmethod
    def of(
        cls, values: Floats, who: Codes, what: Codes, song: Codes, system: Codes, metrics: Mapping[str, npt.ArrayLike]
    ) -> _Table:
        columns = [np.asarray(metric, dtype=np.float64) for metric in metrics.values()]
        if any(column.shape != song.shape for column in columns):
            raise ValueError("a metric has one value per clip")
        size, width = song.size, int(who.max(initial=-1)) + 1
        place = what * width + who
        ones = np.ones(values.size)
        sums, counts = (
            np.bincount(place, part, minlength=size * width).astype(np.float64).reshape(size, width)
            for part in (values, ones)
        )
        grid = np.full((int(song.max(initial=-1)) + 1, int(system.max(initial=-1)) + 1), -1, dtype=np.intp)
        rated = np.flatnonzero(counts.sum(axis=1) > 0)
        grid[song[rated], system[rated]] = rated
        return cls(tuple(metrics), np.array(columns).reshape(len(columns), size), sums, counts, song, grid)

    def rests_on(self, metric: int, level: str) -> int:
        known = (self.grid >= 0) & np.isfinite(self.metrics[metric])[self.grid]
        if level == "clip":
            return int(known.sum())
        if level == "within_song":
            return int((known.sum(axis=1) >= FEWEST).sum())
        return int((known.sum(axis=0) >= (FEWEST if level == "within_system" else 1)).sum())

    def measured(self, listeners: Floats | None, songs: Floats | None, *, with_kendall: bool) -> Floats:
        """`[metrics, levels, kinds]` with listeners and songs weighted by how often they were drawn."""
        people, songs_there = self.sums.shape[1], self.grid.shape[0]
        weights = np.ones(people) if listeners is None else listeners
        found: Floats = self.drawn(
            weights[None], (np.ones(songs_there) if songs is None else songs)[None], with_kendall
        )[0]
        return found

    def drawn(self, listeners: Floats, songs: Floats, with_kendall: bool) -> Floats:
        """The same of many draws at once, `[draws, metrics, levels, kinds]`: weights `[draws, listeners]`, `[draws,
        songs]`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mos = ((self.sums @ listeners.T) / (self.counts @ listeners.T)).T
        here = self.grid >= 0
        y = np.where(here, mos[:, self.grid], np.nan)[:, None]
        x = np.where(here, self.metrics[:, self.grid], np.nan)[None]
        w = np.where(np.isfinite(x) & np.isfinite(y), songs[:, None, :, None], 0.0)
        x, y = np.broadcast_to(x, w.shape), np.broadcast_to(y, w.shape)
        flat = (*w.shape[:2], 1, -1)
        ones = (w > 0).astype(np.float64)
        found = np.stack(
            [
                _averaged(_kinds(x.reshape(flat), y.reshape(flat), w.reshape(flat), with_kendall), None),
                _averaged(_kinds(x, y, ones, with_kendall), songs),
                _averaged(_kinds(x.swapaxes(2, 3), y.swapaxes(2, 3), w.swapaxes(2, 3), with_kendall), None),
                _averaged(_kinds(*_system_means(x, y, w), with_kendall), None),
            ],
            axis=2,
        )
        return found


def _system_means(x: Floats, y: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
    """Means over songs of metric and MOS, where a system has both: `[draws, metrics, 1, systems]` each."""
    mass = w.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        metric = (w * np.nan_to_num(x)).sum(axis=2, keepdims=True) / mass
        mos = (w * np.nan_to_num(y)).sum(axis=2, keepdims=True) / mass
    return metric, mos, (mass > 0).astype(np.float64)


def _kinds(x: Floats, y: Floats, w: Floats, with_kendall: bool) -> Floats:
    """Weighted coefficients of each row, `[draws, metrics, rows, kinds]`; all are `[draws, metrics, rows, n]`."""
    x, y = np.where(w > 0, x, 0.0), np.where(w > 0, y, 0.0)
    enough = (w > 0).sum(axis=-1) >= FEWEST
    found = np.stack(
        [
            _pearson(x, y, w),
            _pearson(weighted_ranks(x, w), weighted_ranks(y, w), w),
            _kendall(x, y, w) if with_kendall else np.full(enough.shape, np.nan),
        ],
        axis=-1,
    )
    return np.where(enough[..., None], found, np.nan)


def _averaged(found: Floats, weight: Floats | None) -> Floats:
    """Over rows, those without a value left out; `weight`: `[draws, rows]`."""
    weights = np.where(np.isfinite(found), 1.0 if weight is None else weight[:, None, :, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        averaged: Floats = (np.nan_to_num(found) * weights).sum(axis=2) / weights.sum(axis=2)
    return averaged


def _pearson(x: Floats, y: Floats, w: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        mass = w.sum(axis=-1, keepdims=True)
        a, b = x - (w * x).sum(axis=-1, keepdims=True) / mass, y - (w * y).sum(axis=-1, keepdims=True) / mass
        own, other = (w * a * a).sum(axis=-1), (w * b * b).sum(axis=-1)
        r = (w * a * b).sum(axis=-1) / np.sqrt(own * other)
    scale = 1e-20 * np.maximum((w * x * x).sum(axis=-1) * (w * y * y).sum(axis=-1), 1e-300)
    return np.where(own * other > scale, np.clip(r, -1.0, 1.0), np.nan)


def weighted_ranks(values: Floats, weights: Floats) -> Floats:
    """Ranks along the last axis as if each value stood there `weights` (whole numbers) times; ties share their mean."""
    shape, n = values.shape, values.shape[-1]
    flat, mass = values.reshape(-1, n), weights.reshape(-1, n)
    hidden = np.where(mass > 0, flat, np.inf)
    order = np.argsort(hidden, axis=1, kind="stable")
    ordered, heavy = np.take_along_axis(hidden, order, axis=1), np.take_along_axis(mass, order, axis=1)
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    run = np.cumsum(starts.ravel()) - 1
    total = np.bincount(run, heavy.ravel())
    before = (np.cumsum(heavy, axis=1) - heavy).ravel()[starts.ravel()]
    ranks = np.empty(flat.shape)
    np.put_along_axis(ranks, order, (before + (total + 1.0) / 2.0)[run].reshape(ordered.shape), axis=1)
    return ranks.reshape(shape)


def _kendall(x: Floats, y: Floats, w: Floats) -> Floats:
    """τ-b, all pairs of places weighted by both; copies of one place are tied in both."""
    sx, sy = np.sign(x[..., :, None] - x[..., None, :]), np.sign(y[..., :, None] - y[..., None, :])
    agree, untied_x, untied_y = (
        ((signs @ w[..., None])[..., 0] * w).sum(axis=-1) for signs in (sx * sy, np.abs(sx), np.abs(sy))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: Floats = agree / np.sqrt(untied_x * untied_y)
    return tau


def _replicates(table: _Table, replicates: int, seed: int) -> Floats:
    """`[replicates, metrics, levels, kinds]`."""
    rng = np.random.default_rng(seed)
    people, songs = table.sums.shape[1], table.grid.shape[0]
    with_kendall = table.metrics.shape[1] <= KENDALL_UPTO
    listeners, weights = np.empty((replicates, people)), np.empty((replicates, songs))
    for replicate in range(replicates):
        listeners[replicate] = np.bincount(rng.integers(0, people, people), minlength=people)
        weights[replicate] = np.bincount(rng.integers(0, songs, songs), minlength=songs)
    cells = max(len(table.names) * table.metrics.shape[1] ** (2 if with_kendall else 1), 1)
    size = max(AT_ONCE // cells, 1)
    drawn = np.empty((replicates, len(table.names), len(LEVELS), len(KINDS)))
    for start in range(0, replicates, size):
        part = slice(start, start + size)
        drawn[part] = table.drawn(listeners[part], weights[part], with_kendall)
    return drawn


def _quantiles(drawn: Floats, tails: list[float]) -> tuple[Floats, Floats]:
    """NaN where more than half of the replicates have no value."""
    known = np.isfinite(drawn).mean(axis=0) > 0.5 if drawn.shape[0] else np.zeros(drawn.shape[1:], dtype=bool)
    filled = np.where(known, drawn, 0.0)
    low, high = np.nanquantile(filled, tails, axis=0) if drawn.shape[0] else np.zeros((2, *drawn.shape[1:]))
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def _differences(
    names: tuple[str, ...], point: Floats, drawn: Floats, tails: list[float]
) -> tuple[MetricDifference, ...]:
    found = []
    for one in range(len(names)):
        for two in range(one + 1, len(names)):
            apart = drawn[:, one] - drawn[:, two]
            low, high = _quantiles(apart, tails)
            for at, where in enumerate(LEVELS):
                for k, kind in enumerate(KINDS):
                    column = apart[:, at, k][np.isfinite(apart[:, at, k])]
                    tail = min((column <= 0).mean(), (column >= 0).mean()) if column.size else np.nan
                    p = float(min(2.0 * max(tail, 1.0 / max(column.size, 1)), 1.0)) if column.size else float("nan")
                    difference = float(point[one, at, k] - point[two, at, k])
                    found.append(
                        MetricDifference(
                            names[one], names[two], where, kind, difference, float(low[at, k]), float(high[at, k]), p
                        )
                    )
    return tuple(found)


def _ceilings(values: Floats, who: Codes, what: Codes, song: Codes, system: Codes) -> dict[str, float]:
    """√reliability of what the metric is compared with: clips' means, all or within; systems' means."""
    within_song = [_ceiling(values, who, what, song[what] == one) for one in np.unique(song[what])]
    within_system = [_ceiling(values, who, what, system[what] == one) for one in np.unique(system[what])]
    return {
        "clip": _ceiling(values, who, what, np.ones(values.size, dtype=bool)),
        "within_song": _known_mean(within_song),
        "within_system": _known_mean(within_system),
        "system": _ceiling(values, who, system[what], np.ones(values.size, dtype=bool)),
    }


def _ceiling(values: Floats, who: Codes, items: Codes, chosen: npt.NDArray[np.bool_]) -> float:
    try:
        return agreement(values[chosen], who[chosen], items[chosen]).noise_ceiling
    except NotEnough:
        return float("nan")


def _known_mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
