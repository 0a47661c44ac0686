"""Where two means lie together: the confidence ellipse of a system's mean on two scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri

from analysis.statistics.arrays import Floats, NotEnough, checked
from analysis.statistics.crossed import any_song_interval, components
from analysis.statistics.intervals import LEVEL

MIN_LISTENERS = 5
"""With fewer the ellipse is wider than the scales."""


@dataclass(frozen=True)
class Ellipse:
    """All points (a, b) with (p − centre)ᵀ · covariance⁻¹ · (p − centre) ≤ `radius`²."""

    centre: tuple[float, float]
    covariance: tuple[tuple[float, float], tuple[float, float]]  # of the two means
    radius: float
    level: float

    @property
    def reach(self) -> tuple[float, float]:
        """Half its width and half its height."""
        return self.radius * self.covariance[0][0] ** 0.5, self.radius * self.covariance[1][1] ** 0.5

    @property
    def correlation(self) -> float:
        (a, ab), (_ab, b) = self.covariance
        return float(ab / (a * b) ** 0.5)

    def outline(self, points: int = 121) -> Floats:
        """`[points, 2]`, closed."""
        angle = np.linspace(0.0, 2.0 * np.pi, points)
        circle = self.radius * np.stack([np.cos(angle), np.sin(angle)])
        around: Floats = (np.linalg.cholesky(np.array(self.covariance)) @ circle).T + np.array(self.centre)
        return around


def mean_ellipse(first: npt.ArrayLike, second: npt.ArrayLike, level: float = LEVEL) -> Ellipse:
    """Of the mean of independent pairs, such as each listener's mean on two scales: "these clips, any listener".

    Both arrays are `[listeners]`. Covariance S / n, radius² = 2(n − 1)/(n − 2) · F(2, n − 2).
    Source: Hotelling (1931), Ann. Math. Stat. 2(3), 360–378. Raises `NotEnough`: "fewer_than_5_listeners", or
    "no_spread" where the pairs lie on one line; `ValueError` as `arrays.checked`.
    """
    (one, _none), (two, _nothing) = checked(first), checked(second)
    if one.size < MIN_LISTENERS:
        raise NotEnough("fewer_than_5_listeners", one.size, MIN_LISTENERS)
    return _ellipse((float(one.mean()), float(two.mean())), np.cov(one, two) / one.size, one.size - 1.0, level)


def crossed_ellipse(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    listeners: npt.ArrayLike,
    songs: npt.ArrayLike,
    level: float = LEVEL,
) -> Ellipse:
    """Of the mean of pairs that are crossed by listeners and songs: "any song, any listener". Arrays are `[pairs]`.

    Variances as in `crossed.any_song_interval`; the covariance from the same of the sum and the difference of a pair,
    cov(a, b) = (var(a + b) − var(a − b)) / 4; degrees of freedom are the smaller of the two scales'.
    Raises `NotEnough` as `any_song_interval`, "no_spread" where the pairs lie on one line.
    """
    (one, (who, what)), (two, _none) = checked(first, listeners, songs), checked(second)
    a, b = any_song_interval(one, who, what, level), any_song_interval(two, who, what, level)
    together, apart = (components(values, who, what).variance_of_mean for values in (one + two, one - two))
    ab = (together - apart) / 4.0
    return _ellipse((a.centre, b.centre), np.array([[a.se**2, ab], [ab, b.se**2]]), min(a.df, b.df), level)


def _ellipse(centre: tuple[float, float], covariance: Floats, df: float, level: float) -> Ellipse:
    (a, ab), (_ab, b) = covariance
    if min(a, b) <= 1e-24 or ab**2 >= (1.0 - 1e-9) * a * b or df <= 1.0:
        raise NotEnough("no_spread")
    radius = float(np.sqrt(2.0 * df / (df - 1.0) * fdtri(2.0, df - 1.0, level)))
    return Ellipse(centre, ((float(a), float(ab)), (float(ab), float(b))), radius, level)
