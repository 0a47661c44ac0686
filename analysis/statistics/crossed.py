"""Ratings crossed by listeners and songs: how much each contributes, and the interval "any song, any listener"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.comparison import Tested, tested
from analysis.statistics.intervals import LEVEL, Interval

MIN_LISTENERS = 5
MIN_SONGS = 5
"""Below these the variance between listeners or songs is too badly known for an interval that holds its promise."""


@dataclass(frozen=True)
class Components:
    """Variance components of y = mean + listener + song + residual, and the sizes they were found with."""

    listener: float
    song: float
    residual: float
    mean: float
    ratings: int
    listeners: int
    songs: int
    k1: float  # Σ n_r² / N over listeners: N / k1 is the effective number of listeners
    k2: float  # the same over songs

    @property
    def variance_of_mean(self) -> float:
        """Of the mean of all ratings, if both listeners and songs were drawn anew."""
        return (self.listener * self.k1 + self.song * self.k2 + self.residual) / self.ratings


def components(scores: npt.ArrayLike, listeners: npt.ArrayLike, songs: npt.ArrayLike) -> Components:
    """Variance between listeners, between songs, and the rest, for any pattern of gaps. Arrays are `[ratings]`.

    Henderson's method I (analysis of variance, closed form): the sums of squares between listeners, between songs and
    in total are set equal to their expectations, three linear equations; estimates below 0 become 0.
    Source: Henderson (1953), Biometrics 9(2), 226–252; Searle, Casella and McCulloch (1992), Variance Components, §5.3.
    Raises `NotEnough`: "too_few_listeners" or "too_few_songs" below two of each, "not_crossed" where listeners and
    songs cannot be told apart (each listener heard one song of their own, or no rating is left for the residual).
    """
    values, (who, what) = checked(scores, listeners, songs)
    n_who, n_what = np.bincount(who), np.bincount(what)
    rows, columns, total = int(np.count_nonzero(n_who)), int(np.count_nonzero(n_what)), values.size
    _at_least(rows, 2, "too_few_listeners")
    _at_least(columns, 2, "too_few_songs")
    mean = float(values.mean())
    squares = (
        _between(values - mean, who, n_who),
        _between(values - mean, what, n_what),
        float(((values - mean) ** 2).sum()),
    )
    k1, k2 = float((n_who.astype(float) ** 2).sum() / total), float((n_what.astype(float) ** 2).sum() / total)
    k12, k21 = _overlap(who, what, n_who, n_what)
    matrix = np.array(
        [
            [total - k1, k12 - k2, rows - 1],
            [k21 - k1, total - k2, columns - 1],
            [total - k1, total - k2, total - 1],
        ]
    )
    if np.linalg.matrix_rank(matrix) < 3:
        raise NotEnough("not_crossed")
    listener, song, residual = np.maximum(np.linalg.solve(matrix, squares), 0.0)
    return Components(float(listener), float(song), float(residual), mean, total, rows, columns, k1, k2)


def any_song_interval(
    scores: npt.ArrayLike, listeners: npt.ArrayLike, songs: npt.ArrayLike, level: float = LEVEL
) -> Interval:
    """The interval "any song, any listener" of a mean. Arrays are `[ratings]`; the centre is their arithmetic mean.

    V = A + B − E with A = v_listener·k1/N + v_e/N, B = v_song·k2/N + v_e/N, E = v_e/N; mean ± t(df)·√V, with
    df = V² / (A²/(N/k1 − 1) + B²/(N/k2 − 1) + E²/(N − R − C + 1)).
    Source of the degrees of freedom: Satterthwaite (1946), Biometrics Bulletin 2(6), 110–114.
    Raises `NotEnough`: "fewer_than_5_listeners", "fewer_than_5_songs", "no_spread" where all ratings are equal, and
    "not_crossed" as `components`.
    """
    _values, (who, what) = checked(scores, listeners, songs)
    _at_least(np.unique(who).size, MIN_LISTENERS, "fewer_than_5_listeners")
    _at_least(np.unique(what).size, MIN_SONGS, "fewer_than_5_songs")
    return interval_of(components(scores, listeners, songs), level)


def interval_of(found: Components, level: float = LEVEL) -> Interval:
    """The same from components that are already known."""
    n = found.ratings
    e = found.residual / n
    a, b = found.listener * found.k1 / n + e, found.song * found.k2 / n + e
    variance = a + b - e
    rest = n - found.listeners - found.songs + 1
    if rest < 1:
        raise NotEnough("not_crossed")
    if variance <= 0.0:
        raise NotEnough("no_spread")
    df = variance**2 / (a**2 / (n / found.k1 - 1) + b**2 / (n / found.k2 - 1) + e**2 / rest)
    half = float(stdtrit(df, (1.0 + level) / 2.0)) * variance**0.5
    return Interval(found.mean - half, found.mean + half, found.mean, variance**0.5, float(df), level)


def over_listeners_and_songs(
    differences: npt.ArrayLike, listeners: npt.ArrayLike, songs: npt.ArrayLike, level: float = LEVEL
) -> Tested:
    """Two systems on what the same listener said of the same item, any song and any listener. Arrays are `[pairs]`.

    `any_song_interval` of the differences, with p from the same t. Raises `NotEnough` as that does.
    """
    interval = any_song_interval(differences, listeners, songs, level)
    return tested(interval, np.asarray(differences).size)


def _between(deviations: Floats, groups: Codes, counts: Codes) -> float:
    """Σ n_g (mean_g − mean)²."""
    sums = np.bincount(groups, deviations)
    there = counts > 0
    return float((sums[there] ** 2 / counts[there]).sum())


def _overlap(who: Codes, what: Codes, n_who: Codes, n_what: Codes) -> tuple[float, float]:
    """k12 = Σ_r Σ_c n_rc² / n_r and k21 = Σ_c Σ_r n_rc² / n_c; with one rating a cell, the numbers of both."""
    width = n_what.size
    cells, counts = np.unique(who * width + what, return_counts=True)
    squares = counts.astype(float) ** 2
    return float((squares / n_who[cells // width]).sum()), float((squares / n_what[cells % width]).sum())


def _at_least(have: int, need: int, reason: str) -> None:
    if have < need:
        raise NotEnough(reason, have, need)
