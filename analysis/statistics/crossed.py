"""Ratings crossed by listeners and songs: how much each contributes, and the interval "any song, any listener"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from analysis.statistics.arrays import Codes, Floats, NotEnough, cell_counts, checked
from analysis.statistics.intervals import LEVEL, Interval, Tested, tested

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
    raw_listener: float  # as estimated: below 0 where there is less between listeners than chance would bring
    raw_song: float
    raw_residual: float

    @property
    def variance_of_mean(self) -> float:
        """Of the mean of all ratings, if both listeners and songs were drawn anew."""
        return (self.listener * self.k1 + self.song * self.k2 + self.residual) / self.ratings

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of the variance of one rating: listener, song, residual; together 1. NaN where there is no variance."""
        parts = np.array([self.listener, self.song, self.residual])
        total = parts.sum()
        listener, song, residual = parts / total if total > 0 else np.full(3, np.nan)
        return float(listener), float(song), float(residual)


@dataclass(frozen=True)
class GroupedComponents:
    """`Components` of many groups, one element each; NaN where `reasons` says why there are none."""

    listener: Floats
    song: Floats
    residual: Floats
    mean: Floats
    ratings: Codes
    listeners: Codes
    songs: Codes
    k1: Floats
    k2: Floats
    raw: Floats  # `[groups, 3]`: listener, song and residual as estimated, also below 0
    reasons: tuple[str, ...]  # "", or as `components` raises

    def of(self, group: int) -> Components:
        """Raises `NotEnough` with the group's reason."""
        reason = self.reasons[group]
        if reason:
            have = self.listeners if reason == "too_few_listeners" else self.songs
            raise NotEnough(reason, *((int(have[group]), 2) if reason != "not_crossed" else ()))
        raw_listener, raw_song, raw_residual = map(float, self.raw[group])
        return Components(
            listener=float(self.listener[group]),
            song=float(self.song[group]),
            residual=float(self.residual[group]),
            mean=float(self.mean[group]),
            ratings=int(self.ratings[group]),
            listeners=int(self.listeners[group]),
            songs=int(self.songs[group]),
            k1=float(self.k1[group]),
            k2=float(self.k2[group]),
            raw_listener=raw_listener,
            raw_song=raw_song,
            raw_residual=raw_residual,
        )


def components(scores: npt.ArrayLike, listeners: npt.ArrayLike, songs: npt.ArrayLike) -> Components:
    """Variance between listeners, between songs, and the rest, for any pattern of gaps. Arrays are `[ratings]`.

    Henderson's method I (analysis of variance, closed form): the sums of squares between listeners, between songs and
    in total are set equal to their expectations, three linear equations; estimates below 0 become 0, and stand as they
    are in `raw_listener`, `raw_song` and `raw_residual`.
    Source: Henderson (1953), Biometrics 9(2), 226–252; Searle, Casella and McCulloch (1992), Variance Components, §5.3.
    Raises `NotEnough`: "too_few_listeners" or "too_few_songs" below two of each, "not_crossed" where listeners and
    songs cannot be told apart (each listener heard one song of their own, or no rating is left for the residual).
    """
    values, (who, what) = checked(scores, listeners, songs)
    return _grouped(values, who, what, np.zeros_like(who), 1).of(0)


def components_by_group(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    songs: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    group_count: int | None = None,
) -> GroupedComponents:
    """`components` of every group at once, in one pass over the ratings. Arrays are `[ratings]`.

    The result has `group_count` elements (default: as many as occur). Raises `ValueError` as `arrays.checked` does.
    """
    values, (who, what, where) = checked(scores, listeners, songs, groups)
    return _grouped(values, who, what, where, int(where.max(initial=-1)) + 1 if group_count is None else group_count)


def _grouped(values: Floats, who: Codes, what: Codes, where: Codes, size: int) -> GroupedComponents:
    ratings = np.bincount(where, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(where, values, minlength=size) / ratings
        deviations = values - mean[where]
        ss_who, k1, rows, n_who = _between(deviations, who, where, ratings)
        ss_what, k2, columns, n_what = _between(deviations, what, where, ratings)
        squares = np.bincount(where, deviations**2, minlength=size)
        k12, k21 = _overlap(who, what, where, n_who, n_what)
        solved, singular = _solved(np.stack([ss_who, ss_what, squares], -1), ratings, rows, columns, (k1, k2, k12, k21))
    reasons = tuple(_reason(*one) for one in zip(rows, columns, singular, strict=True))
    known = np.array([not reason for reason in reasons], dtype=bool)
    listener, song, residual = np.where(known, np.maximum(solved, 0.0).T, np.nan)
    return GroupedComponents(listener, song, residual, mean, ratings, rows, columns, k1, k2, solved, reasons)


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
    values, (who, what) = checked(scores, listeners, songs)
    return interval_of_group(_grouped(values, who, what, np.zeros_like(who), 1), 0, level)


def interval_of_group(found: GroupedComponents, group: int, level: float = LEVEL) -> Interval:
    """`any_song_interval` of one of many groups; raises as that does."""
    _at_least(int(found.listeners[group]), MIN_LISTENERS, "fewer_than_5_listeners")
    _at_least(int(found.songs[group]), MIN_SONGS, "fewer_than_5_songs")
    return interval_of(found.of(group), level)


def interval_of(found: Components, level: float = LEVEL) -> Interval:
    """The same from components that are already known."""
    n = found.ratings
    e = found.residual / n
    a, b = found.listener * found.k1 / n + e, found.song * found.k2 / n + e
    variance = a + b - e
    rest = n - found.listeners - found.songs + 1
    if rest < 1:
        raise NotEnough("not_crossed")
    if variance <= 1e-24 * max(1.0, found.mean**2):  # no more than rounding leaves
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


def _between(deviations: Floats, members: Codes, where: Codes, ratings: Codes) -> tuple[Floats, Floats, Codes, Codes]:
    """Σ n (mean − group's mean)², Σ n²/N and how many members, per group; and each member's n, `[groups, members]`."""
    size, width = ratings.size, int(members.max(initial=0)) + 1
    place = where * width + members
    sums = np.bincount(place, deviations, minlength=size * width).reshape(size, width)
    counts = np.bincount(place, minlength=size * width).reshape(size, width)
    between = (sums**2 / np.maximum(counts, 1)).sum(axis=1)
    effective = (counts.astype(np.float64) ** 2).sum(axis=1) / ratings
    return between, effective, (counts > 0).sum(axis=1), counts


def _overlap(who: Codes, what: Codes, where: Codes, n_who: Codes, n_what: Codes) -> tuple[Floats, Floats]:
    """k12 = Σ_r Σ_c n_rc² / n_r and k21 = Σ_c Σ_r n_rc² / n_c; with one rating a cell, the numbers of both."""
    size, rows, columns = n_who.shape[0], n_who.shape[1], n_what.shape[1]
    cells, counts = cell_counts(where * rows + who, what, columns)
    if counts.max(initial=1) == 1:
        present: tuple[Floats, Floats] = (
            np.count_nonzero(n_who, axis=1).astype(np.float64),
            np.count_nonzero(n_what, axis=1).astype(np.float64),
        )
        return present
    member, column = np.divmod(cells, columns)
    group = member // rows
    squares = counts.astype(np.float64) ** 2
    own, other = squares / n_who.ravel()[member], squares / n_what.ravel()[group * columns + column]
    k12, k21 = (np.bincount(group, part, minlength=size).astype(np.float64) for part in (own, other))
    return k12, k21


def _solved(
    squares: Floats, ratings: Codes, rows: Codes, columns: Codes, k: tuple[Floats, Floats, Floats, Floats]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The three equations of each group, `[groups, 3]`, and where they have no one solution."""
    k1, k2, k12, k21 = k
    matrix = np.empty((ratings.size, 3, 3))
    matrix[:, 0] = np.stack([ratings - k1, k12 - k2, rows - 1], -1)
    matrix[:, 1] = np.stack([k21 - k1, ratings - k2, columns - 1], -1)
    matrix[:, 2] = np.stack([ratings - k1, ratings - k2, ratings - 1], -1)
    matrix[~np.isfinite(matrix).all(axis=(1, 2))] = 0.0  # an empty group
    singular = np.asarray(np.linalg.matrix_rank(matrix) < 3, dtype=bool)
    matrix[singular] = np.eye(3)
    solved: Floats = np.linalg.solve(matrix, squares[:, :, None])[:, :, 0].astype(np.float64)
    return solved, singular


def _reason(listeners: int, songs: int, singular: bool) -> str:
    if listeners < 2:
        return "too_few_listeners"
    if songs < 2:
        return "too_few_songs"
    return "not_crossed" if singular else ""


def _at_least(have: int, need: int, reason: str) -> None:
    if have < need:
        raise NotEnough(reason, have, need)
