"""How many listeners and songs a study needs, before it (from defaults) and during it (from its own data).

All follows from the variance components of a mean, or of a difference between two systems: with R listeners, S songs
and N ratings, V = v_listener/R + v_song/S + v_e/N and Satterthwaite's degrees of freedom, as in `crossed.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import nctdtr, stdtrit

from analysis.statistics.arrays import NotEnough
from analysis.statistics.crossed import MIN_LISTENERS, MIN_SONGS, Components
from analysis.statistics.intervals import LEVEL

MOST_LISTENERS = 100_000


@dataclass(frozen=True)
class Spread:
    """Variances of one rating, or of one difference between two systems: between listeners, songs, and the rest."""

    listener: float
    song: float
    residual: float

    @classmethod
    def of(cls, found: Components) -> Spread:
        return cls(found.listener, found.song, found.residual)


DEFAULT_MOS = Spread(listener=0.17, song=0.58, residual=0.60)
DEFAULT_DIFFERENCE = Spread(listener=0.08, song=0.30, residual=1.00)
"""On a five-point scale, rounded from the variance components of published ratings of five singing-voice separators
by 30 listeners on 50 songs (gensvs, DCR): means over systems, and over pairs of systems. Other material differs;
a study's own data replace them as soon as it has some."""


@dataclass(frozen=True)
class Plan:
    """`heard`: share of the songs that each listener hears, 0 to 1."""

    listeners: int
    songs: int
    heard: float = 1.0

    @property
    def ratings(self) -> float:
        return self.listeners * self.songs * self.heard


@dataclass(frozen=True)
class Precision:
    """What a plan gives: half the width of the interval "any song, any listener", and the smallest difference that is
    found with the wanted power."""

    plan: Plan
    half_width: float
    detectable: float
    se: float
    df: float


def precision(plan: Plan, spread: Spread, *, level: float = LEVEL, power: float = 0.8) -> Precision:
    """Expected half width, and smallest difference from 0 that a two-sided test at 1 − `level` finds with `power`.

    Raises `NotEnough`: "fewer_than_5_listeners", "fewer_than_5_songs"; `ValueError` for a share outside (0, 1] or
    variances that are negative or all 0.
    """
    _checked(plan, spread)
    se, df = _se(plan, spread)
    quantile = float(stdtrit(df, (1.0 + level) / 2.0))
    return Precision(plan, quantile * se, _detectable(se, df, quantile, power), se, df)


def power_of(plan: Plan, spread: Spread, difference: float, *, level: float = LEVEL) -> float:
    """Chance that a true mean difference is found, two-sided, at 1 − `level`. Raises as `precision`.

    Source: noncentral t, Cohen (1988), Statistical Power Analysis, §2.
    """
    _checked(plan, spread)
    se, df = _se(plan, spread)
    return _power(abs(difference) / se, df, float(stdtrit(df, (1.0 + level) / 2.0)))


def listeners_for_width(
    songs: int, spread: Spread, half_width: float, *, heard: float = 1.0, level: float = LEVEL
) -> int | None:
    """Fewest listeners whose interval is at most ± `half_width`; None where these songs are too few for any number.

    Raises as `precision`.
    """

    def enough(listeners: int) -> bool:
        return precision(Plan(listeners, songs, heard), spread, level=level).half_width <= half_width

    return _fewest(enough, MIN_LISTENERS)


def songs_for_width(
    listeners: int, spread: Spread, half_width: float, *, heard: float = 1.0, level: float = LEVEL
) -> int | None:
    """Fewest songs whose interval is at most ± `half_width`; None where these listeners are too few for any number."""

    def enough(songs: int) -> bool:
        return precision(Plan(listeners, songs, heard), spread, level=level).half_width <= half_width

    return _fewest(enough, MIN_SONGS)


def listeners_for_difference(
    songs: int, spread: Spread, difference: float, *, heard: float = 1.0, level: float = LEVEL, power: float = 0.8
) -> int | None:
    """Fewest listeners who find a true mean difference with `power`; None where these songs are too few."""

    def enough(listeners: int) -> bool:
        return power_of(Plan(listeners, songs, heard), spread, difference, level=level) >= power

    return _fewest(enough, MIN_LISTENERS)


def songs_for_difference(
    listeners: int, spread: Spread, difference: float, *, heard: float = 1.0, level: float = LEVEL, power: float = 0.8
) -> int | None:
    """Fewest songs with which a true mean difference is found with `power`; None where these listeners are too few."""

    def enough(songs: int) -> bool:
        return power_of(Plan(listeners, songs, heard), spread, difference, level=level) >= power

    return _fewest(enough, MIN_SONGS)


@dataclass(frozen=True)
class Forecast:
    """Where a running study stands: `now` from its data, `at_end` with the planned listeners, `needed` for the width
    that is wanted (None where its songs are too few)."""

    now: Precision
    at_end: Precision
    needed: int | None
    reached: bool


def forecast(
    found: Components, planned_listeners: int, half_width: float, *, level: float = LEVEL, power: float = 0.8
) -> Forecast:
    """A running study's precision now and at its end, from the components of what it has.

    Stopping as soon as the wanted width is reached costs a little coverage (about 0.94 for 0.95; `bench/coverage.py`
    measures it); stopping on a p value would cost much more. Raises as `precision`, and `NotEnough("no_spread")` where
    nothing varies yet.
    """
    spread = Spread.of(found)
    if spread.listener + spread.song + spread.residual <= 0.0:
        raise NotEnough("no_spread")
    heard = min(found.ratings / (found.listeners * found.songs), 1.0)
    now = precision(Plan(found.listeners, found.songs, heard), spread, level=level, power=power)
    later = Plan(max(planned_listeners, found.listeners), found.songs, heard)
    needed = listeners_for_width(found.songs, spread, half_width, heard=heard, level=level)
    at_end = precision(later, spread, level=level, power=power)
    return Forecast(now, at_end, needed, now.half_width <= half_width)


def _checked(plan: Plan, spread: Spread) -> None:
    if plan.listeners < MIN_LISTENERS:
        raise NotEnough("fewer_than_5_listeners", plan.listeners, MIN_LISTENERS)
    if plan.songs < MIN_SONGS:
        raise NotEnough("fewer_than_5_songs", plan.songs, MIN_SONGS)
    if not 0.0 < plan.heard <= 1.0:
        raise ValueError("the share of songs that each listener hears lies above 0 and at most at 1")
    parts = (spread.listener, spread.song, spread.residual)
    if min(parts) < 0.0 or sum(parts) == 0.0:
        raise ValueError("variances are at least 0, and not all 0")


def _se(plan: Plan, spread: Spread) -> tuple[float, float]:
    """Standard error of the mean and Satterthwaite's degrees of freedom."""
    rest = spread.residual / plan.ratings
    a, b = spread.listener / plan.listeners + rest, spread.song / plan.songs + rest
    variance = a + b - rest
    free = max(plan.ratings - plan.listeners - plan.songs + 1.0, 1.0)
    df = variance**2 / (a**2 / (plan.listeners - 1) + b**2 / (plan.songs - 1) + rest**2 / free)
    return float(np.sqrt(variance)), float(df)


def _power(shift: float, df: float, quantile: float) -> float:
    """`shift` in standard errors."""
    found = float(1.0 - nctdtr(df, shift, quantile) + nctdtr(df, shift, -quantile))
    return found if np.isfinite(found) else float(shift > quantile)  # so far out that scipy gives up


def _detectable(se: float, df: float, quantile: float, power: float) -> float:
    low, high = 0.0, quantile + 40.0
    for _step in range(60):
        middle = (low + high) / 2.0
        low, high = (low, middle) if _power(middle, df, quantile) >= power else (middle, high)
    return high * se


def _fewest(enough: Callable[[int], bool], start: int) -> int | None:
    """Smallest number from `start` on for which `enough(number)`, which stays true once it is."""
    if not enough(MOST_LISTENERS):
        return None
    low, high = start - 1, MOST_LISTENERS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
