"""Listeners one by one: how they used the scale, whether they agree with others and with themselves, and one rule.

The rule is fixed before a study opens; whom it flags stays in the data. Results are shown with and without the
flagged, and each flag says why. What is known of a listener beside their ratings (traps, repeats, hidden references,
equipment, time) comes in as `Facts`, with the study's own limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Codes, Floats, checked, values_and_codes

STRAIGHT = 0.1  # variance of a listener's ratings below which all are about the same
FAR = 3.5  # median absolute deviations
FARTHER_Z = 0.6  # and at least so far, in Fisher z: a panel of much the same listeners has no outliers
FARTHER_RATIO = 1.6  # and at least so many times the median inconsistency
CHANCE = 0.2  # a correlation with the others that is none
CHANCE_Z = 1.645  # one-sided 5 %
RANDOM_SHARE = 1 / 3  # of a listener's ratings that look drawn at random
RANDOM_EVIDENCE = 8.0  # twice the logarithm of how much better that explains them
INCONSISTENCY_PRIOR = 20.0  # ratings' weight of the pooled variance
RANDOM_ROUNDS = 20
RANDOM_BINS = 50  # of the histogram of residuals, to each side
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
    """What flags a listener; made before the study opens, and stored with it. None switches a part off."""

    straight_variance: float | None = STRAIGHT
    far: float | None = FAR  # of the leave-one-out correlation (Fisher z) and of inconsistency
    chance: float | None = CHANCE
    random_share: float | None = RANDOM_SHARE
    most_traps_failed: float | None = 0.34  # share
    most_repeat_difference: float | None = 1.5  # mean absolute, in points of a five-point scale
    lowest_reference: float | None = 3.0  # mean of the hidden references
    highest_anchor_over: float | None = 0.0  # anchors' mean minus references' mean
    fastest_seconds: float | None = 1.5  # median time per rating
    equipment: bool = True


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
    limits: Mapping[str, float] = field(default_factory=dict)  # where the data set them: of `correlation`, …

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

    Flagged is who gave about the same rating always (variance < 0.1); whose correlation with the others' means lies
    below the median − max(3.5 MAD, 0.6) in Fisher's z, or is not above chance (r < max(0.2, 1.645/√(n − 2)), where that
    of at least half of the panel is); whose inconsistency, shrunken toward the pooled one, lies above the median + 3.5
    MAD and 1.6 times the median; of whose ratings more than a third look drawn at random; and who breaks a limit of
    `rule` on `facts`.
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
    numbers = _numbers(values, who, what, size, 1.0 / _answers(values, scale))
    own = rule or Rule()
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


def _numbers(values: Floats, who: Codes, what: Codes, size: int, density: float) -> _Numbers:
    ratings = np.bincount(who, minlength=size)
    mean, variance = _mean_and_variance(values, who, ratings)
    others, compared = _others(values, what)
    theirs, ours, place = others[compared], values[compared], who[compared]
    count = np.bincount(place, minlength=size)
    away = ours - theirs
    bias, _none = _mean_and_variance(away, place, count)
    squares = np.bincount(place, (away - bias[place]) ** 2, minlength=size)
    share, evidence = _random_part(away - bias[place], place, count, density)
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
    )


def _answers(values: Floats, scale: tuple[float, float]) -> float:
    """How many different answers there are: categories, or the width of a continuous scale."""
    whole = values.size and scale[1] - scale[0] <= 20 and bool((values == np.round(values)).all())
    return scale[1] - scale[0] + (1.0 if whole else 0.0)


def _random_part(away: Floats, who: Codes, count: Codes, density: float) -> tuple[Floats, Floats]:
    """Share of a uniform part in each listener's residuals, and twice the log of how much better it explains them.

    Penalised likelihood, by expectation and maximisation, on a histogram of each listener's residuals. `away`:
    residuals without the listener's bias.
    """
    squares = np.bincount(who, away**2, minlength=count.size)
    enough = count >= FEWEST_RATINGS
    typical = float(np.median(squares[enough] / (count[enough] - 1))) if enough.any() else 0.0
    if typical <= 0.0:
        return np.where(count > 0, 0.0, np.nan), np.zeros(count.size)
    table, at = _histograms(away, who, count.size, 1.0 / density)
    alone = (INCONSISTENCY_PRIOR * typical + squares) / (INCONSISTENCY_PRIOR + count)
    share, variance = np.full(count.size, 0.3), np.full(count.size, typical)
    for _round in range(RANDOM_ROUNDS):
        own = (1.0 - share)[:, None] * _normal(at, variance)
        random = table * (share * density)[:, None] / (own + (share * density)[:, None])
        mass = random.sum(axis=1)
        share = np.clip(mass / np.maximum(count, 1), 0.0, 1.0 - 1e-9)
        kept = (table - random) @ at**2
        variance = (INCONSISTENCY_PRIOR * typical + kept) / (INCONSISTENCY_PRIOR + count - mass)
    mixed = np.log((1.0 - share)[:, None] * _normal(at, variance) + (share * density)[:, None])
    gained = (table * (mixed - np.log(_normal(at, alone)))).sum(axis=1)
    penalty = np.log(alone / variance) + typical / alone - typical / variance
    return np.where(count > 0, share, np.nan), 2.0 * gained + INCONSISTENCY_PRIOR * penalty


def _histograms(away: Floats, who: Codes, size: int, answers: float) -> tuple[Floats, Floats]:
    """How often each listener was how far away, `[listeners, bins]`, and the middle of the bins."""
    step = answers / RANDOM_BINS
    bins = 2 * RANDOM_BINS + 1  # from −answers to answers
    place = np.clip(np.round(away / step).astype(np.intp) + RANDOM_BINS, 0, bins - 1)
    table = np.bincount(who * bins + place, minlength=size * bins).reshape(size, bins)
    middle: Floats = (np.arange(bins, dtype=np.float64) - RANDOM_BINS) * step
    return table.astype(np.float64), middle


def _normal(at: Floats, variance: Floats) -> Floats:
    """Densities, `[listeners, bins]`."""
    exponent = np.maximum(-0.5 * at[None, :] ** 2 / variance[:, None], -600.0)
    density: Floats = np.exp(exponent) / np.sqrt(2.0 * np.pi * variance)[:, None]
    return density


def _others(values: Floats, what: Codes) -> tuple[Floats, Codes]:
    """Of each rating, the mean of the clip's other ratings; and which ratings have any."""
    counts = np.bincount(what)[what]
    sums = np.bincount(what, values)[what] if values.size else values
    with np.errstate(invalid="ignore", divide="ignore"):
        others = (sums - values) / (counts - 1)
    return others, np.flatnonzero(counts >= 2)


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
        found["straight_lining"] = (numbers.ratings >= FEWEST_RATINGS) & (numbers.variance < rule.straight_variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        if rule.chance is not None:
            chance = np.maximum(rule.chance, CHANCE_Z / np.sqrt(np.maximum(numbers.compared - 2, 1)))
            below = enough & (numbers.correlation < chance)
            # Where most are below, the clips hardly differ, and that is no listener's fault.
            found["not_above_chance"] = below & (2 * below.sum() <= enough.sum())
        if rule.far is not None:
            z = np.arctanh(np.clip(numbers.correlation, -0.9999, 0.9999))
            lowest = _far(z[enough], -rule.far, least=FARTHER_Z)
            middle = float(np.nanmedian(numbers.inconsistency[enough])) if enough.any() else 0.0
            highest = _far(numbers.inconsistency[enough], rule.far, least=(FARTHER_RATIO - 1.0) * middle)
            limits = {"correlation": float(np.tanh(lowest)), "inconsistency": highest}
            found["unlike_others"] = enough & (z < lowest)
            found["inconsistent"] = enough & (numbers.inconsistency > highest)
        if rule.random_share is not None:
            sure = numbers.random_evidence > RANDOM_EVIDENCE
            found["partly_random"] = enough & sure & (numbers.random_share > rule.random_share)
    return limits, found


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
