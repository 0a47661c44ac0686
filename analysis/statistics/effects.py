"""Who hears differently, and what a session does to its ratings: groups of listeners, order, fatigue, scale order.

Everything is asked of residuals: what is left of a rating after its clip's mean, so that listeners who heard other
clips can be compared. Each listener is one value; ratings of one listener are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc, stdtr, stdtrit

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.intervals import LEVEL, Interval, Tested, mean_interval, tested
from analysis.statistics.multiplicity import holm

FEWEST_LISTENERS = 5  # in a group, for an interval


@dataclass(frozen=True)
class GroupRow:
    """One group of listeners. `deviation`: mean of its listeners' mean residuals; above 0: higher scores than others
    give the same clips. `interval` is None below five listeners, `reason` says so."""

    group: int
    listeners: int
    ratings: int
    mos: float
    deviation: float
    interval: Interval | None
    reason: str


@dataclass(frozen=True)
class GroupPair:
    first: int
    second: int
    test: Tested | None  # first − second
    p_holm: float | None
    reason: str


@dataclass(frozen=True)
class GroupEffect:
    """`p`: of "all groups hear alike" (one-way analysis of variance of listeners' residuals); None where untested."""

    rows: tuple[GroupRow, ...]
    pairs: tuple[GroupPair, ...]
    f: float | None
    p: float | None


@dataclass(frozen=True)
class SessionEffects:
    """Each is None where it cannot be asked, with its reason. Slopes are per 100 trials.

    `order`: scores rise or fall with the place in the session; `fatigue`: their distance from the clip's mean does;
    `scale_order`: who was asked this scale first, minus the others.
    """

    order: Tested | None
    order_reason: str
    fatigue: Tested | None
    fatigue_reason: str
    scale_order: Tested | None
    scale_order_reason: str


def residuals(scores: npt.ArrayLike, clips: npt.ArrayLike) -> Floats:
    """What is left of each rating after its clip's mean; NaN where nobody else rated the clip; all `[ratings]`."""
    values, (what,) = checked(scores, clips)
    counts = np.bincount(what)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(what, values) / counts
    return np.where(counts[what] >= 2, values - mean[what], np.nan)


def listener_groups(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    clips: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    level: float = LEVEL,
) -> GroupEffect:
    """MOS and residuals of groups of listeners (familiarity, experience, equipment…), and tests between them.

    `scores`, `listeners`, `clips`: `[ratings]`; `groups`: of each listener, `[listeners]`, −1 where unknown. Pairs by
    Welch's t over listeners with Holm's adjustment, only between groups of at least five listeners.
    Source: Welch (1947), Biometrika 34(1–2), 28–35. Raises `ValueError` as `arrays.checked` does.
    """
    values, (who, what) = checked(scores, listeners, clips)
    of_listener = np.asarray(groups, dtype=np.intp)
    own = _listener_means(residuals(values, what), who, of_listener.size)
    sizes = range(int(of_listener.max(initial=-1)) + 1)
    members = [own[(of_listener == group) & np.isfinite(own)] for group in sizes]
    rows = tuple(_group_row(group, members[group], values[of_listener[who] == group], level) for group in sizes)
    f, p = _anova([one for one in members if one.size >= FEWEST_LISTENERS])
    return GroupEffect(rows, _group_pairs(members, level), f, p)


def session_effects(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    clips: npt.ArrayLike,
    positions: npt.ArrayLike,
    first_scale: npt.ArrayLike | None = None,
    *,
    level: float = LEVEL,
) -> SessionEffects:
    """Order, fatigue and scale order, over listeners. Arrays are `[ratings]`.

    `positions`: place in the session, from 0 or 1 on; `first_scale`: whether this scale was asked first. A listener's
    slope is least squares of their residuals on the place; the test is t over the listeners' slopes. Raises
    `ValueError` as `arrays.checked` does.
    """
    values, (who, what) = checked(scores, listeners, clips)
    place = np.asarray(positions, dtype=np.float64)
    left = residuals(values, what)
    known = np.isfinite(left) & np.isfinite(place)
    size = int(who.max(initial=-1)) + 1
    own = _listener_means(left, who, size)[who] if values.size else left
    slopes = _slopes(left[known], place[known], who[known], size)
    wavering = _slopes(np.abs(left - own)[known], place[known], who[known], size)
    order, order_reason = _over_listeners(slopes, level)
    fatigue, fatigue_reason = _over_listeners(wavering, level)
    scale_order, scale_reason = _scale_order(left, who, first_scale, size, level)
    return SessionEffects(order, order_reason, fatigue, fatigue_reason, scale_order, scale_reason)


def welch(first: npt.ArrayLike, second: npt.ArrayLike, level: float = LEVEL) -> Tested:
    """Difference of two means of independent values, first − second, spreads may differ.

    Raises `NotEnough`: "too_few_listeners" below two values each, "no_spread" where neither varies.
    """
    (one, _n), (two, _m) = checked(first), checked(second)
    if min(one.size, two.size) < 2:
        raise NotEnough("too_few_listeners", min(one.size, two.size), 2)
    a, b = one.var(ddof=1) / one.size, two.var(ddof=1) / two.size
    if a + b <= 1e-24:
        raise NotEnough("no_spread")
    se = float(np.sqrt(a + b))
    df = float((a + b) ** 2 / (a**2 / (one.size - 1) + b**2 / (two.size - 1)))
    centre, half = float(one.mean() - two.mean()), float(stdtrit(df, (1.0 + level) / 2.0)) * se
    interval = Interval(centre - half, centre + half, centre, se, df, level)
    return Tested(interval, 2.0 * float(stdtr(df, -abs(centre) / se)), one.size + two.size)


def _listener_means(left: Floats, who: Codes, size: int) -> Floats:
    known = np.isfinite(left)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.bincount(who[known], left[known], minlength=size) / np.bincount(who[known], minlength=size)
    return means


def _group_row(group: int, own: Floats, scores: Floats, level: float) -> GroupRow:
    interval, reason = None, "fewer_than_5_listeners"
    if own.size >= FEWEST_LISTENERS:
        found = mean_interval(own, level)
        interval, reason = (found, "") if found.has_width else (None, "no_spread")
    mos = float(scores.mean()) if scores.size else float("nan")
    deviation = float(own.mean()) if own.size else float("nan")
    return GroupRow(group, own.size, scores.size, mos, deviation, interval, reason)


def _group_pairs(members: list[Floats], level: float) -> tuple[GroupPair, ...]:
    found: list[tuple[int, int, Tested | None, str]] = []
    for one, two in combinations(range(len(members)), 2):
        if min(members[one].size, members[two].size) < FEWEST_LISTENERS:
            found.append((one, two, None, "fewer_than_5_listeners"))
            continue
        try:
            found.append((one, two, welch(members[one], members[two], level), ""))
        except NotEnough as error:
            found.append((one, two, None, error.reason))
    adjusted = holm([np.nan if test is None else test.p for _one, _two, test, _reason in found])
    return tuple(
        GroupPair(one, two, test, None if test is None else float(p), reason)
        for (one, two, test, reason), p in zip(found, adjusted, strict=True)
    )


def _anova(members: list[Floats]) -> tuple[float | None, float | None]:
    if len(members) < 2:
        return None, None
    together = np.concatenate(members)
    between = sum(one.size * (one.mean() - together.mean()) ** 2 for one in members)
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in members)
    first, second = len(members) - 1, together.size - len(members)
    if second < 1 or within <= 1e-24:
        return None, None
    f = float(between / first / (within / second))
    return f, float(fdtrc(first, second, f))


def _slopes(left: Floats, place: Floats, who: Codes, size: int) -> Floats:
    """Of each listener with at least three ratings at different places, per 100 trials; NaN for others."""
    counts = np.bincount(who, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = place - (np.bincount(who, place, minlength=size) / counts)[who]
        spread = np.bincount(who, x * x, minlength=size)
        slopes = np.bincount(who, x * left, minlength=size) / spread
    return np.where((counts >= 3) & (spread > 0), 100.0 * slopes, np.nan)


def _over_listeners(values: Floats, level: float) -> tuple[Tested | None, str]:
    known = values[np.isfinite(values)]
    if known.size < FEWEST_LISTENERS:
        return None, "fewer_than_5_listeners"
    try:
        return tested(mean_interval(known, level), known.size), ""
    except NotEnough as error:
        return None, error.reason


def _scale_order(
    left: Floats, who: Codes, first_scale: npt.ArrayLike | None, size: int, level: float
) -> tuple[Tested | None, str]:
    if first_scale is None:
        return None, "one_scale"
    first = np.asarray(first_scale, dtype=bool)
    one = _listener_means(np.where(first, left, np.nan), who, size)
    two = _listener_means(np.where(first, np.nan, left), who, size)
    here, there = one[np.isfinite(one)], two[np.isfinite(two)]
    if min(here.size, there.size) < FEWEST_LISTENERS:
        return None, "fewer_than_5_listeners"
    try:
        return welch(here, there, level), ""
    except NotEnough as error:
        return None, error.reason
