"""Student's t interval of a mean: the one formula behind "these clips, any listener"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit  # scipy.stats gives the same and takes a second to import

from analysis.statistics.arrays import Floats, NotEnough, checked

LEVEL = 0.95
MIN_LISTENERS = 2  # a standard deviation needs two values


@dataclass(frozen=True)
class Interval:
    """An interval for a mean, and what it was made of."""

    low: float
    high: float
    centre: float
    se: float  # standard error of the centre
    df: float  # degrees of freedom of the t quantile
    level: float = LEVEL

    @property
    def has_width(self) -> bool:
        """False where all values were equal: then the formula's answer, a point, is no knowledge."""
        return self.se > 1e-12 * max(1.0, abs(self.centre))  # more than rounding leaves


@dataclass(frozen=True)
class Tested:
    """A mean difference, its interval and the two-sided p of "there is none"."""

    interval: Interval
    p: float
    pairs: int


def tested(interval: Interval, pairs: int) -> Tested:
    """With p from the same t. Raises `NotEnough("no_spread")` where all values were equal."""
    if not interval.has_width:
        raise NotEnough("no_spread")
    p = 2.0 * float(stdtr(interval.df, -abs(interval.centre) / interval.se))
    return Tested(interval, p, pairs)


def t_limits(
    mean: npt.ArrayLike, sd: npt.ArrayLike, count: npt.ArrayLike, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Limits of t intervals, many at once: mean ± t((1 + level)/2; n − 1) · sd / √n.

    `mean`, `sd` (n − 1 in the denominator) and `count` have one shape; so have the two arrays that come back, with NaN
    where n < 2. Source: Student (1908), "The probable error of a mean", Biometrika 6(1), 1–25.
    """
    centre, spread, n = (np.asarray(part, dtype=np.float64) for part in (mean, sd, count))
    possible = n >= MIN_LISTENERS
    safe = np.where(possible, n, MIN_LISTENERS)
    half = np.where(possible, stdtrit(safe - 1.0, (1.0 + level) / 2.0) * spread / np.sqrt(safe), np.nan)
    return centre - half, centre + half


def mean_interval(values: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """The t interval of the mean of independent values, such as one mean per listener.

    Raises `NotEnough("too_few_listeners")` below two values and `ValueError` for NaN or infinity. Where all values are
    equal the interval has no width; whoever shows it says so.
    """
    numbers, _none = checked(values)
    if numbers.size < MIN_LISTENERS:
        raise NotEnough("too_few_listeners", numbers.size, MIN_LISTENERS)
    mean, sd = float(numbers.mean()), float(numbers.std(ddof=1))
    low, high = t_limits(mean, sd, numbers.size, level)
    return Interval(float(low), float(high), mean, sd / numbers.size**0.5, float(numbers.size - 1), level)
