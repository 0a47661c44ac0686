"""Two systems compared on what the same listener said of the same excerpt and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked, places_of
from analysis.statistics.crossed import over_listeners_and_songs
from analysis.statistics.intervals import LEVEL, Interval, Tested, mean_interval, tested
from analysis.statistics.mos import listener_means
from analysis.statistics.multiplicity import benjamini_hochberg, holm


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


def matched(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    items: npt.ArrayLike,
    systems: npt.ArrayLike,
    *,
    system_count: int | None = None,
) -> Matched:
    """Scores of the same listener and item side by side; several in one place are averaged. Arrays are `[ratings]`.

    One column for each of `system_count` systems (default: as many as occur).
    """
    values, (who, what, which) = checked(scores, listeners, items, systems)
    width = int(what.max(initial=0)) + 1
    columns = int(which.max(initial=-1)) + 1 if system_count is None else system_count
    unit, units = places_of(who * width + what)
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


def pairs(count: int) -> list[tuple[int, int]]:
    """All pairs of `count` systems, each once, in order."""
    return list(combinations(range(count), 2))


MARGIN = 0.25  # points of a scale from 1 to 5: differences below it are taken as none that matters


def margin_of_scale(scale: tuple[float, float]) -> float:
    """`MARGIN` in points of `scale` (low, high): the same share of its width."""
    return MARGIN * (scale[1] - scale[0]) / 4.0


@dataclass(frozen=True)
class Comparison:
    """Two systems on what the same listener said of the same item: first minus second.

    `these_clips`: over listeners; `any_song`: over listeners and songs; where one is None its `reason` says why
    ("nothing_in_common", or as `over_listeners` and `crossed.over_listeners_and_songs` raise).
    `effect`: mean difference / standard deviation of a single difference (Cohen's d of paired data); None where all
    differences are equal. `win_rate`: share of items on which the first is ahead, ties counted half.
    `tost_p`: of "they differ by at least `margin`" (any song, any listener); below α they are equivalent.
    """

    first: int
    second: int
    pairs: int
    listeners: int
    songs: int
    wins: int
    ties: int
    losses: int
    difference: float
    sd: float
    effect: float | None
    these_clips: Tested | None
    these_clips_reason: str
    any_song: Tested | None
    any_song_reason: str
    margin: float
    tost_p: float | None
    these_clips_p_holm: float | None = None
    these_clips_p_bh: float | None = None
    any_song_p_holm: float | None = None
    any_song_p_bh: float | None = None
    mos_difference: float | None = None  # of the two means of all ratings, with a partner or without

    @property
    def win_rate(self) -> float:
        return (self.wins + 0.5 * self.ties) / self.pairs if self.pairs else float("nan")

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said of it. `these_clips` counts every listener alike; with unequal numbers it can contradict
        what every rating counts alike for, and then nothing is claimed from it: "difference_outside", its interval does
        not hold `difference`; "means_opposed", the means of all ratings do not have the order that it finds."""
        found = self.these_clips.interval if self.these_clips else None
        if found is None:
            return ()
        outside = not found.low <= self.difference <= found.high
        finds_order = found.low > 0.0 or found.high < 0.0
        opposed = finds_order and self.mos_difference is not None and found.centre * self.mos_difference <= 0.0
        return (*(["difference_outside"] if outside else []), *(["means_opposed"] if opposed else []))


def compare_all(
    side_by_side: Matched, songs: npt.ArrayLike, *, margin: float = MARGIN, level: float = LEVEL
) -> tuple[Comparison, ...]:
    """Every pair of systems, in the order of `pairs`, with p adjusted over all of them (Holm; Benjamini–Hochberg).

    `songs`: of each unit of `side_by_side`, `[units]`; `margin`: in points of the scale. Controls and systems that are
    not to be compared are left out before. Equivalence: two one-sided tests on the crossed interval. Source: Schuirmann
    (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6), 657–680.
    """
    what = np.asarray(songs, dtype=np.intp)
    found = [
        _compared(side_by_side, what, first, second, margin, level) for first, second in pairs(_width(side_by_side))
    ]
    return _adjusted(found)


def equivalence_p(interval: Interval, margin: float) -> float:
    """p of two one-sided tests of "at least `margin` apart": the larger one. Source: Schuirmann (1987)."""
    above = float(stdtr(interval.df, (interval.centre - margin) / interval.se))
    below = float(stdtr(interval.df, -(interval.centre + margin) / interval.se))
    return max(above, below)


def _width(side_by_side: Matched) -> int:
    return int(side_by_side.scores.shape[1])


def _compared(side_by_side: Matched, songs: Codes, first: int, second: int, margin: float, level: float) -> Comparison:
    values = side_by_side.scores[:, first] - side_by_side.scores[:, second]
    both = np.flatnonzero(np.isfinite(values))
    if not both.size:
        return _nothing(first, second, margin)
    if both.size < values.size:
        values, who, what = values[both], side_by_side.listeners[both], songs[both]
    else:
        who, what = side_by_side.listeners, songs
    here, here_reason = _tried(over_listeners, values, who, level=level)
    anywhere, reason = _tried(over_listeners_and_songs, values, who, what, level=level)
    sd = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    mean = float(values.mean())
    return Comparison(
        first=first,
        second=second,
        pairs=values.size,
        listeners=int(np.count_nonzero(np.bincount(who))),
        songs=int(np.count_nonzero(np.bincount(what))),
        wins=int((values > 0).sum()),
        ties=int((values == 0).sum()),
        losses=int((values < 0).sum()),
        difference=mean,
        sd=sd,
        effect=mean / sd if sd > 1e-12 else None,
        these_clips=here,
        these_clips_reason=here_reason,
        any_song=anywhere,
        any_song_reason=reason,
        margin=margin,
        tost_p=None if anywhere is None else equivalence_p(anywhere.interval, margin),
    )


def _nothing(first: int, second: int, margin: float) -> Comparison:
    """No listener rated both on the same item."""
    why = "nothing_in_common"
    nan = float("nan")
    return Comparison(first, second, 0, 0, 0, 0, 0, 0, nan, nan, None, None, why, None, why, margin, None)


def _tried(test: Callable[..., Tested], *arrays: Floats | Codes, level: float) -> tuple[Tested | None, str]:
    try:
        return test(*arrays, level=level), ""
    except NotEnough as error:
        return None, error.reason


def _adjusted(found: list[Comparison]) -> tuple[Comparison, ...]:
    here = np.array([one.these_clips.p if one.these_clips else np.nan for one in found])
    anywhere = np.array([one.any_song.p if one.any_song else np.nan for one in found])
    columns = [adjust(p) for p in (here, anywhere) for adjust in (holm, benjamini_hochberg)]
    return tuple(
        replace(
            one,
            these_clips_p_holm=_number(a),
            these_clips_p_bh=_number(b),
            any_song_p_holm=_number(c),
            any_song_p_bh=_number(d),
        )
        for one, a, b, c, d in zip(found, *columns, strict=True)
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
