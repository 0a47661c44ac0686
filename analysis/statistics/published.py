"""Published procedures by name, for comparison with other people's numbers: P.910, P.913 and BT.500.

They give what the recommendations' reference software gives, and refuse where they break down, with the reason; what
this project itself reports is in `clips.py`, `clip_model.py` and `screening.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.design import parts

Z95 = 1.95996  # as the reference software writes it
EPSILON = 1e-8
MOST_ROUNDS = 1000
TAKEN_OVER = 0.95  # of a clip's weight, by one of at least three listeners
COLLAPSED = 1e-3  # of the ratings' range: an inconsistency below it is none
FEWEST_CLIPS = 2  # of one, a listener's bias takes all that there is


@dataclass(frozen=True)
class PublishedScores:
    """One element per clip; `bias`, `inconsistency` (NaN where the procedure has none) and `rejected` per listener."""

    score: Floats
    se: Floats
    low: Floats
    high: Floats
    bias: Floats
    inconsistency: Floats
    rejected: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rejection:
    """What BT.500 counts of each listener, and whom it rejects."""

    high: Codes  # P: ratings far above the clip's mean
    low: Codes  # Q: far below
    extreme: Floats  # (P + Q) / clips
    one_sided: Floats  # |P − Q| / (P + Q), NaN where there is none
    rejected: npt.NDArray[np.bool_]


def p910(
    scores: npt.ArrayLike, listeners: npt.ArrayLike, clips: npt.ArrayLike, *, refuse: bool = True
) -> PublishedScores:
    """ITU-T P.910 (2023), Annex E: x = ψ_clip + b_listener + v_listener · noise, by alternating projection.

    Arrays are `[ratings]`. Standard errors are those of the clips' residuals (v_j/√n), the interval is z. Equal to
    sureal 0.9.0, `SubjectMLEModelProjectionSolver2`.
    Raises `NotEnough`: "too_few_listeners"; "too_few_clips" below two; "no_spread" where all ratings are equal;
    "listener_takes_over" where the variance of one listener, or of several together, went to 0 so that the score of a
    clip is their vote (the likelihood has no upper bound); "no_end" where the alternation did not
    settle in 1,000 rounds; "disconnected" where parts of the design share no listener, so that biases of different
    parts cannot be compared. `refuse=False` gives the software's numbers all the same, to show what they are worth.
    """
    values, who, what, n_who, n_what = _prepared(scores, listeners, clips, connected=refuse)
    if refuse:
        _refuse_too_little(values, n_what)
    psi, bias, inconsistency, spread, rounds = _alternated(values, who, what, n_who, n_what)
    if refuse:
        _refuse_takeover(inconsistency, float(np.ptp(values)), who, what, n_what)
    if refuse and rounds >= MOST_ROUNDS:
        raise NotEnough("no_end", rounds, MOST_ROUNDS)
    shift = float(bias.mean())
    with np.errstate(invalid="ignore"):
        se = spread / np.sqrt(n_what)
    return _published(psi + shift, se, bias - shift, inconsistency)


def p913(scores: npt.ArrayLike, listeners: npt.ArrayLike, clips: npt.ArrayLike) -> PublishedScores:
    """ITU-T P.913 (2021), clause 12.4: each listener's mean deviation from the clips' means is taken off their ratings.

    Arrays are `[ratings]`. Raises `NotEnough`: "too_few_listeners"; "one_rating" where a clip has one rating, whose
    interval would have no basis; "too_few_clips" and "disconnected" as `p910`; "no_spread" where all ratings are equal,
    or biases explain all that differs in them.
    """
    values, who, what, n_who, n_what = _prepared(scores, listeners, clips)
    _refuse_too_little(values, n_what)
    if n_what[n_what > 0].min() < 2:
        raise NotEnough("one_rating", int(n_what[n_what > 0].min()), 2)
    mos = _means(values, what, n_what)
    bias = _means(values - mos[what], who, n_who)
    if float(np.nanmax(_spread(values - bias[who], what, n_what))) < COLLAPSED * float(np.ptp(values)):
        raise NotEnough("no_spread")
    return _plain(values - bias[who], what, n_what, bias, np.zeros(n_who.size, dtype=bool))


def bt500(scores: npt.ArrayLike, listeners: npt.ArrayLike, clips: npt.ArrayLike) -> PublishedScores:
    """ITU-R BT.500-14, Annex 1, §2.3.1: listeners with many extreme ratings on both sides are left out.

    Arrays are `[ratings]`; means and z intervals of the ratings that remain. Raises `NotEnough`: "too_few_listeners";
    "no_spread" where all ratings are equal; "unanimous_clips" and "gaps" where ratings on clips without spread, or
    clips that a listener never heard, change who is rejected (a standard deviation of 0 makes every rating both too
    high and too low; the count of clips in the denominator is not the listener's own), "unanimous_clips_and_gaps"
    where each of them does, or only both together; "everyone_rejected".
    """
    values, who, what, n_who, n_what = _prepared(scores, listeners, clips, connected=False)
    if np.ptp(values) == 0.0:
        raise NotEnough("no_spread")
    literal = bt500_rejection(values, who, what, mended=False)
    if (literal.rejected != bt500_rejection(values, who, what, mended=True).rejected).any():
        unanimous = int((_spread(values, what, n_what)[n_what > 0] == 0).sum())
        raise NotEnough(_fault(values, who, what), unanimous)
    kept = ~literal.rejected[who]
    if not kept.any():
        raise NotEnough("everyone_rejected", 0, 1)
    counts = np.bincount(what[kept], minlength=n_what.size)
    nothing = np.full(n_who.size, np.nan)
    return _plain(values[kept], what[kept], counts, nothing, literal.rejected)


PROCEDURES: Mapping[str, Callable[..., PublishedScores]] = {"p910": p910, "p913": p913, "bt500": bt500}
"""By the names under which they can be asked for."""


def bt500_rejection(
    scores: npt.ArrayLike, listeners: npt.ArrayLike, clips: npt.ArrayLike, *, mended: bool
) -> Rejection:
    """Whom BT.500-14, Annex 1, §2.3.1, rejects. Arrays are `[ratings]`; the result has one element per listener.

    A rating is extreme at 2 standard deviations from its clip's mean where the kurtosis is between 2 and 4, else at
    √20; rejected is who has more than 5 % extreme ratings, on both sides (|P − Q|/(P + Q) < 0.3). `mended`: clips
    without spread say nothing, and a listener's share is of the clips that they rated.
    """
    values, (who, what) = checked(scores, listeners, clips)
    return _rejection(values, who, what, guarded=mended, own_share=mended)


def _fault(values: Floats, who: Codes, what: Codes) -> str:
    """What changes who is rejected: each of the two faults alone, in a procedure that is mended but for it."""
    mended = _rejection(values, who, what, guarded=True, own_share=True).rejected
    unanimity = bool((_rejection(values, who, what, guarded=False, own_share=True).rejected != mended).any())
    gaps = bool((_rejection(values, who, what, guarded=True, own_share=False).rejected != mended).any())
    if unanimity == gaps:
        return "unanimous_clips_and_gaps"
    return "unanimous_clips" if unanimity else "gaps"


def _rejection(values: Floats, who: Codes, what: Codes, *, guarded: bool, own_share: bool) -> Rejection:
    """`guarded`: clips without spread say nothing; `own_share`: of the clips that the listener rated."""
    n_who, n_what = np.bincount(who), np.bincount(what)
    deviation = values - _means(values, what, n_what)[what]
    second = _means(deviation**2, what, n_what)
    with np.errstate(invalid="ignore", divide="ignore"):
        kurtosis = _means(deviation**4, what, n_what) / second**2
        limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0)) * np.sqrt(second)
    says = limit[what] > 0.0 if guarded else np.ones(values.size, dtype=bool)
    above = np.bincount(who[says & (deviation >= limit[what])], minlength=n_who.size)
    below = np.bincount(who[says & (deviation <= -limit[what])], minlength=n_who.size)
    seen = n_who if own_share else np.full(n_who.size, np.count_nonzero(n_what))
    with np.errstate(invalid="ignore", divide="ignore"):
        extreme = (above + below) / seen
        one_sided = np.abs((above - below) / (above + below))
    rejected = (extreme > 0.05) & (one_sided < 0.3)
    return Rejection(above, below, extreme, one_sided, rejected)


def _prepared(
    scores: npt.ArrayLike, listeners: npt.ArrayLike, clips: npt.ArrayLike, connected: bool = True
) -> tuple[Floats, Codes, Codes, Codes, Codes]:
    values, (who, what) = checked(scores, listeners, clips)
    n_who, n_what = np.bincount(who), np.bincount(what)
    people = int(np.count_nonzero(n_who))
    if people < 2:
        raise NotEnough("too_few_listeners", people, 2)
    found = parts(who, what)
    if connected and found.count > 1:
        raise NotEnough("disconnected", found.count, 1)
    return values, who, what, n_who, n_what


def _alternated(
    values: Floats, who: Codes, what: Codes, n_who: Codes, n_what: Codes
) -> tuple[Floats, Floats, Floats, Floats, int]:
    """ψ, biases, inconsistencies, spread of the clips' residuals, rounds; in the order of the reference software."""
    psi = _means(values, what, n_what)
    bias = _means(values - psi[what], who, n_who)
    for rounds in range(1, MOST_ROUNDS + 1):
        residual = values - psi[what] - bias[who]
        inconsistency = _spread(residual, who, n_who)
        spread = _spread(residual, what, n_what)
        weights = (1.0 / (inconsistency**2 + EPSILON))[who]
        before = psi
        with np.errstate(invalid="ignore"):
            psi = np.bincount(what, weights * (values - bias[who])) / np.bincount(what, weights)
        bias = _means(values - psi[what], who, n_who)
        if float(np.sqrt(np.nansum((before - psi) ** 2))) < EPSILON:
            return psi, bias, inconsistency, spread, rounds
    return psi, bias, inconsistency, spread, MOST_ROUNDS


def _refuse_too_little(values: Floats, n_what: Codes) -> None:
    clips = int(np.count_nonzero(n_what))
    if clips < FEWEST_CLIPS:
        raise NotEnough("too_few_clips", clips, FEWEST_CLIPS)
    if np.ptp(values) == 0.0:
        raise NotEnough("no_spread")


def _refuse_takeover(inconsistency: Floats, width: float, who: Codes, what: Codes, n_what: Codes) -> None:
    with np.errstate(invalid="ignore"):
        collapsed = int((inconsistency < COLLAPSED * width).sum())
    if collapsed:
        raise NotEnough("listener_takes_over", collapsed)
    weights = (1.0 / (inconsistency**2 + EPSILON))[who]
    heaviest = np.zeros(n_what.size)
    np.maximum.at(heaviest, what, weights)
    with np.errstate(invalid="ignore"):
        share = heaviest / np.bincount(what, weights)
    taken = (
        int(((share > TAKEN_OVER) & (n_what >= 3)).sum()) if (n_what >= 3).any() else int((share > TAKEN_OVER).sum())
    )
    if taken:
        raise NotEnough("listener_takes_over", taken)


def _plain(
    values: Floats, what: Codes, n_what: Codes, bias: Floats, rejected: npt.NDArray[np.bool_]
) -> PublishedScores:
    mos = _means(values, what, n_what)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.bincount(what, (values - mos[what]) ** 2, minlength=n_what.size) / (n_what - 1)
        se = np.sqrt(variance / n_what)
    return _published(mos, se, bias, np.full(bias.size, np.nan), rejected)


def _published(
    score: Floats, se: Floats, bias: Floats, inconsistency: Floats, rejected: npt.NDArray[np.bool_] | None = None
) -> PublishedScores:
    nobody = np.zeros(bias.size, dtype=bool) if rejected is None else rejected
    return PublishedScores(score, se, score - Z95 * se, score + Z95 * se, bias, inconsistency, nobody)


def _means(values: Floats, groups: Codes, counts: Codes) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.bincount(groups, values, minlength=counts.size) / counts
    return means


def _spread(values: Floats, groups: Codes, counts: Codes) -> Floats:
    """Standard deviation about the group's mean, n in the denominator."""
    centred = values - _means(values, groups, counts)[groups]
    return np.sqrt(_means(centred**2, groups, counts))
