"""Listeners one by one: how they used the scale, whether they agree with others and with themselves, and one rule.

The rule is one for every study, fixed in this code under the name `RULE_NAME`; a change of it is a new name. Whom it
flags stays in the data. Results are shown with and without the flagged, and each flag says why. What is known of a
listener beside their ratings (traps, repeats, hidden references, equipment, time) comes in as `Facts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc, ndtr, ndtri

from analysis.statistics.arrays import Codes, Floats, checked, values_and_codes
from analysis.statistics.random_share import random_part

RULE_NAME = "listener_rule_2"
FIVE_POINTS = (1.0, 5.0)
STRAIGHT = 0.1  # variance of a listener's ratings below which all are about the same, on a scale from 1 to 5
FAR = 3.5  # median absolute deviations
FARTHER_Z = 0.6  # and at least so far, in Fisher z: a panel of much the same listeners has no outliers
FARTHER_RATIO = 1.6  # and at least so many times the median inconsistency
CHANCE = 0.2  # a correlation with the others that is none
CHANCE_Z = 1.645  # one-sided 5 %
BELOW_Z = 3.0  # standard errors of Fisher's z: what chance does not put a good listener below the panel's median
GENEROUS = 1.0  # standard normal deviates by which a generous or strict listener comes to an end of the scale earlier
GENEROUS_CHANCE = 0.01  # of giving that end so often, above which it is no sign of not listening
RANDOM_SHARE = 1 / 3  # of a listener's ratings that look drawn at random
RANDOM_EVIDENCE = 8.0  # twice the logarithm of how much better that explains them
INCONSISTENCY_PRIOR = 20.0  # ratings' weight of the pooled variance
MOST_CATEGORIES = 20  # above, a scale is taken as continuous
FEWEST_RATINGS = 8  # below, a listener is not judged by correlation or inconsistency
FEWEST_LISTENERS = 5  # below, nobody is compared with a median of listeners

REASONS = (
    "straight_lining",
    "unlike_others",
    "not_above_chance",
    "inconsistent",
    "partly_random",
    "traps_failed",
    "repeats_differ",
    "reference_rated_low",
    "anchor_rated_high",
    "too_fast",
    "equipment_failed",
)
"""Every reason that a flag can have, in the order in which they are given."""


@dataclass(frozen=True)
class Rule:
    """What flags a listener, in points of the scale: as it stands, of a scale from 1 to 5. None switches a part off."""

    straight_variance: float | None = STRAIGHT
    far: float | None = FAR  # of the leave-one-out correlation (Fisher z) and of inconsistency
    chance: float | None = CHANCE
    random_share: float | None = RANDOM_SHARE
    most_traps_failed: float | None = 0.34  # share
    most_repeat_difference: float | None = 1.5  # mean absolute
    lowest_reference: float | None = 3.0  # mean of the hidden references
    highest_anchor_over: float | None = 0.0  # anchors' mean minus references' mean
    fastest_seconds: float | None = 1.5  # median time per rating
    equipment: bool = True

    @classmethod
    def of_scale(cls, scale: tuple[float, float]) -> Rule:
        """The same rule on another scale: what is a quarter of its width is as much as one point from 1 to 5."""
        return cls().moved(FIVE_POINTS, scale)

    def moved(self, before: tuple[float, float], after: tuple[float, float]) -> Rule:
        """The limits of the scale `before` as they are on `after`."""
        wider = (after[1] - after[0]) / (before[1] - before[0])

        def times(limit: float | None, factor: float) -> float | None:
            return None if limit is None else limit * factor

        lowest = self.lowest_reference
        return replace(
            self,
            straight_variance=times(self.straight_variance, wider**2),
            most_repeat_difference=times(self.most_repeat_difference, wider),
            lowest_reference=None if lowest is None else after[0] + (lowest - before[0]) * wider,
            highest_anchor_over=times(self.highest_anchor_over, wider),
        )


@dataclass(frozen=True)
class Facts:
    """What is known of the listeners beside their ratings, `[listeners]` each, NaN where it is not known."""

    traps_failed: npt.ArrayLike | None = None  # share
    repeat_difference: npt.ArrayLike | None = None  # mean absolute
    reference_mean: npt.ArrayLike | None = None
    anchor_mean: npt.ArrayLike | None = None
    seconds: npt.ArrayLike | None = None  # median per rating
    equipment_failed: npt.ArrayLike | None = None  # 1 or 0


@dataclass(frozen=True)
class Listeners:
    """One element per listener; NaN where a number cannot be had."""

    ratings: Codes
    mean: Floats
    variance: Floats  # of the ratings
    scale_use: Floats  # share of all given scores that this listener used at least once
    bias: Floats  # mean distance from the other listeners' mean of the same clip
    inconsistency: Floats  # shrunken standard deviation of what bias leaves
    correlation: Floats  # with the mean of the others, over clips
    random_share: Floats  # of the ratings, as far as they look drawn at random; 0 to 1
    flagged: npt.NDArray[np.bool_]
    reasons: tuple[tuple[str, ...], ...]
    limits: Mapping[str, float] = field(default_factory=dict)  # that the data set: of `correlation` (the median), …

    def without_flagged(self, listeners: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which ratings are of listeners that are not flagged; `listeners`: `[ratings]`."""
        kept: npt.NDArray[np.bool_] = ~self.flagged[np.asarray(listeners)]
        return kept


def screened(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    clips: npt.ArrayLike,
    *,
    scale: tuple[float, float] = (1.0, 5.0),
    rule: Rule | None = None,
    facts: Facts | None = None,
    listener_count: int | None = None,
) -> Listeners:
    """Every listener's numbers, and who is flagged for what. Arrays are `[ratings]`; first presentations only.

    Flagged is who gave about the same rating always (variance < 0.1 on a scale from 1 to 5, where at least half of the
    panel is above it, and not where a generous or strict listener would do so: the chance of giving an end of the scale
    so often, one standard normal deviate nearer to it than the others on the same clips, is above 1 %); whose
    correlation with the others' means lies below the median − max(3.5 MAD, 0.6, 3/√(n − 3)) in Fisher's z, or is not
    above chance, r < max(0.2, 1.645/√(n − 2)), and below the median − 3/√(n − 3); whose inconsistency, shrunken toward
    the pooled one, lies above the median + 3.5 MAD and 1.6 times the median; of whose ratings more than a third look
    drawn at random; and who breaks a limit of `rule` on `facts`. Without `rule`, its limits are those of `scale`.
    The share that looks drawn at random is that of a uniform part in a mixture with the listener's own noise, whose
    variance is drawn toward the panel's; it counts where the mixture explains the ratings better by 8 in twice the log
    likelihood.
    Where clips are unanimous nobody is too high or too low, and a listener's
    shares are of the clips that they rated. Measured in `bench/coverage.py`.
    Source of the leave-one-out correlation: ITU-T P.913 (2021), clause 11.4; of MAD: Rousseeuw and Croux (1993), JASA
    88(424), 1273–1283. Raises `ValueError` as `arrays.checked` does.
    """
    values, (who, what) = checked(scores, listeners, clips)
    size = int(who.max(initial=-1)) + 1 if listener_count is None else listener_count
    numbers = _numbers(values, who, what, size, scale)
    own = rule or Rule.of_scale(scale)
    limits, found = _judged(numbers, own)
    found |= _by_facts(facts or Facts(), own, size)
    there = numbers.ratings > 0
    reasons = tuple(
        tuple(reason for reason in REASONS if reason in found and there[one] and found[reason][one])
        for one in range(size)
    )
    flagged = np.array([bool(one) for one in reasons], dtype=bool)
    return Listeners(
        ratings=numbers.ratings,
        mean=numbers.mean,
        variance=numbers.variance,
        scale_use=numbers.scale_use,
        bias=numbers.bias,
        inconsistency=numbers.inconsistency,
        correlation=numbers.correlation,
        random_share=numbers.random_share,
        flagged=flagged,
        reasons=reasons,
        limits=limits,
    )


@dataclass(frozen=True)
class _Numbers:
    ratings: Codes
    compared: Codes  # ratings of clips that somebody else rated
    mean: Floats
    variance: Floats
    scale_use: Floats
    bias: Floats
    inconsistency: Floats
    correlation: Floats
    random_share: Floats
    random_evidence: Floats
    end_chance: Floats  # that a generous or strict listener gives an end of the scale as often


def _numbers(values: Floats, who: Codes, what: Codes, size: int, scale: tuple[float, float]) -> _Numbers:
    ratings = np.bincount(who, minlength=size)
    mean, variance = _mean_and_variance(values, who, ratings)
    others, compared = _others(values, what)
    theirs, ours, place = others[compared], values[compared], who[compared]
    count = np.bincount(place, minlength=size)
    away = ours - theirs
    bias, _none = _mean_and_variance(away, place, count)
    squares = np.bincount(place, (away - bias[place]) ** 2, minlength=size)
    share, evidence = random_part(away - bias[place], place, count, 1.0 / _answers(values, scale))
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = squares.sum() / max(int(np.maximum(count - 1, 0).sum()), 1)
        shrunken = (INCONSISTENCY_PRIOR * pooled + squares) / (INCONSISTENCY_PRIOR + np.maximum(count - 1, 0))
    return _Numbers(
        ratings=ratings,
        compared=count,
        mean=mean,
        variance=variance,
        scale_use=_scale_use(values, who, size),
        bias=bias,
        inconsistency=np.where(count >= 2, np.sqrt(shrunken), np.nan),
        correlation=_correlation(ours, theirs, place, count),
        random_share=share,
        random_evidence=evidence,
        end_chance=_end_chance(values, who, what, size, scale),
    )


def _answers(values: Floats, scale: tuple[float, float]) -> float:
    """The width of the scale, and of one category where there are any: what a random answer has to choose from."""
    width = scale[1] - scale[0]
    if width <= MOST_CATEGORIES and bool((values == np.round(values)).all()):
        return width + 1.0
    step = float(np.diff(values_and_codes(values)[0]).min(initial=width))
    return width + (step if step * MOST_CATEGORIES >= width else 0.0)


def _others(values: Floats, what: Codes) -> tuple[Floats, Codes]:
    """Of each rating, the mean of the clip's other ratings; and which ratings have any."""
    counts = np.bincount(what)[what]
    sums = np.bincount(what, values)[what] if values.size else values
    with np.errstate(invalid="ignore", divide="ignore"):
        others = (sums - values) / (counts - 1)
    return others, np.flatnonzero(counts >= 2)


def _end_chance(values: Floats, who: Codes, what: Codes, size: int, scale: tuple[float, float]) -> Floats:
    """Of each listener's most ratings at one end of the scale: the chance of so many or more, if the listener is
    `GENEROUS` nearer to that end than the others are on the same clips; 0 where most are at neither end."""
    near = (scale[1] - scale[0]) / 8.0
    count = np.bincount(who, minlength=size)
    chance = np.zeros(size)
    for at in (values <= scale[0] + near, values >= scale[1] - near):
        others, compared = _others(at.astype(np.float64), what)
        own = np.bincount(who, at, minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            theirs = np.bincount(who[compared], others[compared], minlength=size) / np.bincount(
                who[compared], minlength=size
            )
            as_often = bdtrc(own - 1, count, ndtr(ndtri(theirs) + GENEROUS))
        chance = np.where(2 * own > count, as_often, chance)
    return chance


def _mean_and_variance(values: Floats, groups: Codes, counts: Codes) -> tuple[Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(groups, values, minlength=counts.size) / counts
        squares = np.bincount(groups, (values - mean[groups]) ** 2, minlength=counts.size)
    return mean, np.where(counts >= 2, squares / np.maximum(counts - 1, 1), np.nan)


def _correlation(ours: Floats, theirs: Floats, place: Codes, count: Codes) -> Floats:
    """Pearson's, of each listener; NaN below three ratings or without spread."""
    one, own = _mean_and_variance(ours, place, count)
    two, other = _mean_and_variance(theirs, place, count)
    products = np.bincount(place, (ours - one[place]) * (theirs - two[place]), minlength=count.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = products / np.maximum(count - 1, 1) / np.sqrt(own * other)
    known = (count >= 3) & (own > 1e-12) & (other > 1e-12)
    return np.where(known, np.clip(r, -1.0, 1.0), np.nan)


def _scale_use(values: Floats, who: Codes, size: int) -> Floats:
    known, value = values_and_codes(values)
    if not known.size or known.size > 101:
        return np.full(size, np.nan)
    used = np.bincount(who * known.size + value, minlength=size * known.size).reshape(size, known.size) > 0
    return np.where(used.any(axis=1), used.mean(axis=1), np.nan)


def _judged(numbers: _Numbers, rule: Rule) -> tuple[dict[str, float], dict[str, npt.NDArray[np.bool_]]]:
    """Limits that the data set, and who breaks each part of the rule on ratings."""
    enough = numbers.compared >= FEWEST_RATINGS
    limits: dict[str, float] = {}
    found: dict[str, npt.NDArray[np.bool_]] = {}
    if rule.straight_variance is not None:
        found["straight_lining"] = _straight(numbers, rule.straight_variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.arctanh(np.clip(numbers.correlation, -0.9999, 0.9999))
        # Few ratings, or clips that hardly differ, make any correlation low, and that is no listener's fault.
        by_chance = _far(z[enough], 0.0, least=0.0) - BELOW_Z / np.sqrt(np.maximum(numbers.compared - 3, 1))
        if rule.chance is not None:
            chance = np.maximum(rule.chance, CHANCE_Z / np.sqrt(np.maximum(numbers.compared - 2, 1)))
            found["not_above_chance"] = enough & (numbers.correlation < chance) & (z < by_chance)
        if rule.far is not None:
            lowest = np.minimum(_far(z[enough], -rule.far, least=FARTHER_Z), by_chance)
            middle = float(np.nanmedian(numbers.inconsistency[enough])) if enough.any() else 0.0
            highest = _far(numbers.inconsistency[enough], rule.far, least=(FARTHER_RATIO - 1.0) * middle)
            typical = float(np.tanh(np.median(lowest[enough]))) if enough.any() else float("nan")
            limits = {"correlation": typical, "inconsistency": highest}
            found["unlike_others"] = enough & (z < lowest)
            found["inconsistent"] = enough & (numbers.inconsistency > highest)
        if rule.random_share is not None:
            sure = numbers.random_evidence > RANDOM_EVIDENCE
            found["partly_random"] = enough & sure & (numbers.random_share > rule.random_share)
    return limits, found


def _straight(numbers: _Numbers, limit: float) -> npt.NDArray[np.bool_]:
    """Who gave about the same rating always, where that is not what the clips ask for."""
    enough = numbers.ratings >= FEWEST_RATINGS
    with np.errstate(invalid="ignore"):
        same = enough & (numbers.variance < limit)
        listening = numbers.end_chance > GENEROUS_CHANCE
    if 2 * same.sum() > enough.sum():
        return np.zeros_like(same)
    return same & ~listening


def _far(values: Floats, times: float, least: float) -> float:
    """Median ± so many median absolute deviations, at least ± `least`; NaN, which nobody breaks, of too few."""
    known = values[np.isfinite(values)]
    if known.size < FEWEST_LISTENERS:
        return float("nan")
    median = float(np.median(known))
    away = abs(times) * float(np.median(np.abs(known - median)))
    return median + float(np.sign(times)) * max(away, least)


def _by_facts(facts: Facts, rule: Rule, size: int) -> dict[str, npt.NDArray[np.bool_]]:
    reference, anchor = _column(facts.reference_mean, size), _column(facts.anchor_mean, size)
    parts = (
        ("traps_failed", _column(facts.traps_failed, size), rule.most_traps_failed, False),
        ("repeats_differ", _column(facts.repeat_difference, size), rule.most_repeat_difference, False),
        ("reference_rated_low", reference, rule.lowest_reference, True),
        ("anchor_rated_high", anchor - reference, rule.highest_anchor_over, False),
        ("too_fast", _column(facts.seconds, size), rule.fastest_seconds, True),
        ("equipment_failed", _column(facts.equipment_failed, size), 0.5 if rule.equipment else None, False),
    )
    with np.errstate(invalid="ignore"):
        return {
            reason: (column < limit) if below else (column > limit)
            for reason, column, limit, below in parts
            if limit is not None
        }


def _column(values: npt.ArrayLike | None, size: int) -> Floats:
    column = np.full(size, np.nan) if values is None else np.asarray(values, dtype=np.float64)
    if column.shape != (size,):
        raise ValueError("facts have one element per listener")
    return column
