"""Mean Opinion Scores of many groups at once, with intervals over listeners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Codes, Floats, checked, places_of
from analysis.statistics.intervals import LEVEL, t_limits


@dataclass(frozen=True)
class GroupedMos:
    """One element per group. NaN stands where a number cannot be had: no rating, one rating, one listener."""

    ratings: Codes
    listeners: Codes
    mos: Floats  # arithmetic mean of all ratings
    sd: Floats  # of the ratings, n − 1
    listener_mean: Floats  # mean of the listeners' means: the centre of the interval
    listener_sd: Floats  # of the listeners' means, n − 1
    low: Floats
    high: Floats
    level: float


@dataclass(frozen=True)
class ListenerMeans:
    """One element per listener and group in which that listener rated something."""

    groups: Codes
    listeners: Codes
    ratings: Codes
    means: Floats


def listener_means(scores: npt.ArrayLike, listeners: npt.ArrayLike, groups: npt.ArrayLike) -> ListenerMeans:
    """Each listener's mean in each group, ordered by group, then listener. All three arrays are `[ratings]`."""
    values, (who, where) = checked(scores, listeners, groups)
    return _listener_means(values, who, where)


def _listener_means(values: Floats, who: Codes, where: Codes) -> ListenerMeans:
    width = int(who.max(initial=0)) + 1
    cell, cells = places_of(where * width + who)
    counts = np.bincount(cell, minlength=cells.size)
    sums = np.bincount(cell, values, minlength=cells.size)
    return ListenerMeans(cells // width, cells % width, counts, sums / np.maximum(counts, 1))


def mos_by_group(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    group_count: int | None = None,
    level: float = LEVEL,
) -> GroupedMos:
    """MOS, spread and the interval "these clips, any listener" of every group.

    `scores`, `listeners`, `groups`: `[ratings]`; the result has `group_count` elements (default: as many as occur).
    MOS is the arithmetic mean of a group's ratings (ITU-T P.800, Annex B; reporting: P.800.2). Ratings of one listener
    are not independent, so the interval is Student's t over one mean per listener (see `intervals.t_limits`):
    m ± t(L − 1) · s / √L, with m and s the mean and standard deviation of the L listeners' means. Where all rated
    equally often, m is the MOS. It speaks of these clips and any listener, not of other songs.
    Raises `ValueError` as `arrays.checked` does.
    """
    values, (who, where) = checked(scores, listeners, groups)
    size = int(where.max(initial=-1)) + 1 if group_count is None else group_count
    ratings, mos, sd = _moments(values, where, size)
    own = _listener_means(values, who, where)
    count, mean, spread = _moments(own.means, own.groups, size)
    low, high = t_limits(mean, spread, count, level)
    return GroupedMos(ratings, count, mos, sd, mean, spread, low, high, level)


def _moments(values: Floats, groups: Codes, size: int) -> tuple[Codes, Floats, Floats]:
    """Count, mean and standard deviation per group; in two passes, so that nothing cancels."""
    count = np.bincount(groups, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(groups, values, minlength=size) / count
        squares = np.bincount(groups, (values - mean[groups]) ** 2, minlength=size)
        sd = np.where(count >= 2, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
    return count, mean, sd
