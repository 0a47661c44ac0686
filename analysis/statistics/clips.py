"""Clips one by one: how many rated, what they said, and the t interval of the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Codes, Floats, checked, values_and_codes
from analysis.statistics.intervals import LEVEL, t_limits

MOST_VALUES = 101  # a histogram of more different scores is none
MOST_STEPS = 20  # of a scale of which every whole step is a category, said or not


@dataclass(frozen=True)
class ClipScores:
    """One element per clip; NaN where a number cannot be had (no rating; for spread and interval, one rating).

    `unanimous`: all listeners said the same, so that the t interval has no width and is no knowledge.
    `histogram`: `[clips, values]`, how often each of `values` was said; no columns where scores are not categories.
    `values`: all scores that occur, and all whole steps of a scale of at most `MOST_STEPS`.
    """

    ratings: Codes
    mos: Floats
    median: Floats
    sd: Floats  # n − 1
    low: Floats
    high: Floats
    unanimous: npt.NDArray[np.bool_]
    values: Floats
    histogram: Codes
    level: float


def clip_scores(
    scores: npt.ArrayLike,
    clips: npt.ArrayLike,
    *,
    clip_count: int | None = None,
    scale: tuple[float, float] | None = None,
    level: float = LEVEL,
) -> ClipScores:
    """Mean, median, spread, histogram and t interval of each clip, from one rating of each listener.

    `scores`, `clips`: `[ratings]`; the result has `clip_count` elements (default: as many as occur). `scale`: its ends,
    where categories that nobody chose are wanted in the histogram too.
    mos ± t(n − 1)·s/√n; source: ITU-T P.800 and P.800.2; Student (1908), Biometrika 6(1), 1–25.
    Raises `ValueError` as `arrays.checked` does.
    """
    numbers, (where,) = checked(scores, clips)
    size = int(where.max(initial=-1)) + 1 if clip_count is None else clip_count
    values, value = _with_whole_steps(*values_and_codes(numbers), scale)
    few = values.size <= MOST_VALUES
    width = values.size if few else 0
    histogram = np.bincount(where * width + value, minlength=size * width) if few else np.zeros(0, dtype=np.intp)
    table = histogram.reshape(size, width) if few else np.zeros((size, 0), dtype=np.intp)
    ratings = np.bincount(where, minlength=size)
    mos, sd = _moments(table, values, ratings) if few else _moments_of(numbers, where, ratings)
    median = _median(table, values, ratings) if few else _median_of(numbers, where, ratings)
    low, high = t_limits(mos, np.where(np.isfinite(sd), sd, 0.0), ratings, level)
    unanimous = (ratings >= 2) & (sd <= 1e-12 * np.maximum(1.0, np.abs(mos)))
    return ClipScores(ratings, mos, median, sd, low, high, unanimous, values, table, level)


def _with_whole_steps(values: Floats, value: Codes, scale: tuple[float, float] | None) -> tuple[Floats, Codes]:
    if scale is None or scale[1] - scale[0] > MOST_STEPS or not float(scale[1] - scale[0]).is_integer():
        return values, value
    every = np.union1d(values, np.arange(scale[0], scale[1] + 0.5))
    return every, np.searchsorted(every, values)[value]


def _moments(table: Codes, values: Floats, ratings: Codes) -> tuple[Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = table @ values / ratings
        squares = (table * (values[None, :] - mean[:, None]) ** 2).sum(axis=1)
    return mean, np.where(ratings >= 2, np.sqrt(squares / np.maximum(ratings - 1, 1)), np.nan)


def _moments_of(numbers: Floats, where: Codes, ratings: Codes) -> tuple[Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(where, numbers, minlength=ratings.size) / ratings
    squares = np.bincount(where, (numbers - mean[where]) ** 2, minlength=ratings.size)
    return mean, np.where(ratings >= 2, np.sqrt(squares / np.maximum(ratings - 1, 1)), np.nan)


def _median(table: Codes, values: Floats, ratings: Codes) -> Floats:
    """From the histogram: the mean of the two middle ratings, which are one where their number is odd."""
    if not values.size:
        return np.full(ratings.size, np.nan)
    upto = np.cumsum(table, axis=1)
    lower = (upto < ((ratings + 1) // 2)[:, None]).sum(axis=1)
    upper = (upto < (ratings // 2 + 1)[:, None]).sum(axis=1)
    last = values.size - 1
    middle = (values[np.minimum(lower, last)] + values[np.minimum(upper, last)]) / 2.0
    return np.where(ratings > 0, middle, np.nan)


def _median_of(numbers: Floats, where: Codes, ratings: Codes) -> Floats:
    ordered = numbers[np.lexsort((numbers, where))]
    first = np.cumsum(ratings) - ratings
    last = max(ordered.size - 1, 0)
    lower, upper = first + np.maximum(ratings - 1, 0) // 2, first + ratings // 2
    middle = (ordered[np.minimum(lower, last)] + ordered[np.minimum(upper, last)]) / 2.0
    return np.where(ratings > 0, middle, np.nan)
