"""Two systems compared on what the same listener said of the same excerpt and source."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.intervals import LEVEL, Interval, mean_interval
from analysis.statistics.mos import listener_means


@dataclass(frozen=True)
class Matched:
    """Scores side by side: one row per listener and item (an excerpt's source), one column per system."""

    scores: Floats  # [units, systems], NaN where that listener did not rate that system there
    listeners: Codes  # [units]
    items: Codes  # [units]

    def differences(self, first: int, second: int) -> tuple[Floats, Codes, Codes]:
        """First minus second where both were rated: `(differences, listeners, items)`, equally long."""
        values = self.scores[:, first] - self.scores[:, second]
        both = np.isfinite(values)
        return values[both], self.listeners[both], self.items[both]


@dataclass(frozen=True)
class Tested:
    """A mean difference, its interval and the two-sided p of "there is none"."""

    interval: Interval
    p: float
    pairs: int


def matched(scores: npt.ArrayLike, listeners: npt.ArrayLike, items: npt.ArrayLike, systems: npt.ArrayLike) -> Matched:
    """Scores of the same listener and item side by side; several in one place are averaged. Arrays are `[ratings]`."""
    values, (who, what, which) = checked(scores, listeners, items, systems)
    width, columns = int(what.max(initial=0)) + 1, int(which.max(initial=-1)) + 1
    units, unit = np.unique(who * width + what, return_inverse=True)
    place, size = unit * columns + which, units.size * columns
    with np.errstate(invalid="ignore"):
        means = np.bincount(place, values, minlength=size) / np.bincount(place, minlength=size)
    return Matched(means.reshape(units.size, columns), units // width, units % width)


def over_listeners(differences: npt.ArrayLike, listeners: npt.ArrayLike, level: float = LEVEL) -> Tested:
    """Paired t test over listeners: each listener's mean difference is one value.

    Both arrays are `[pairs]`. Speaks of these clips and any listener. Raises `NotEnough`: "too_few_listeners" below
    two, "no_spread" where every listener's mean difference is the same, so that t is not defined.
    Source: Student (1908), Biometrika 6(1), 1–25, on differences.
    """
    values, (who,) = checked(differences, listeners)
    interval = mean_interval(listener_means(values, who, np.zeros_like(who)).means, level)
    return tested(interval, values.size)


def tested(interval: Interval, pairs: int) -> Tested:
    """With p from the same t. Raises `NotEnough("no_spread")` where all values were equal."""
    if not interval.has_width:
        raise NotEnough("no_spread")
    p = 2.0 * float(stdtr(interval.df, -abs(interval.centre) / interval.se))
    return Tested(interval, p, pairs)


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


def pairs(count: int) -> list[tuple[int, int]]:
    """All pairs of `count` systems, each once, in order."""
    return list(combinations(range(count), 2))
