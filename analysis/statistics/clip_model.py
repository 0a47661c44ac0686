"""A clip's score with its listeners' bias and inconsistency taken into account, which cannot collapse.

ITU-T P.910, Annex E, has x = ψ_clip + b_listener + v_listener · noise, solved by alternation. As published, its
likelihood has no upper bound: a listener's variance can go to 0, and the "score" becomes that listener's votes (with
four listeners it nearly always does). Here every spread is drawn toward what is known of all:

- a listener's variance toward the pooled one, with the weight of `LISTENER_PRIOR` ratings,
- a listener's bias toward 0, as far as the variance between listeners says (best linear unbiased prediction), so that
  parts of a design that share no listener do not drift apart,
- a clip's variance toward the SOS curve a·(high − ψ)(ψ − low), with the weight of `CLIP_PRIOR` ratings.

The standard error holds what is lost by weighting, the uncertainty of the biases that were taken off, and that other
listeners would have other biases; the quantile is t with n − 1 + `CLIP_PRIOR` degrees of freedom. Plain MOS always
stands beside it. Coverage is measured in `bench/coverage.py`.
Sources: ITU-T P.910 (2023), Annex E; Li, Bampis, Krasula, Janowski and Katsavounidis (2020), "A simple model for
subject behavior in subjective experiments"; Hoßfeld, Schatz and Egger (2011), "SOS: the MOS is not enough!", QoMEX.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.crossed import components_by_group
from analysis.statistics.design import parts
from analysis.statistics.intervals import LEVEL

LISTENER_PRIOR = 20.0
CLIP_PRIOR = 4.0
MIN_RATINGS = 2  # one rating has an interval only by what is assumed; none is given
MOST_ROUNDS = 50
CLOSE_ENOUGH = 1e-6  # of the scale's width


@dataclass(frozen=True)
class ModelledScores:
    """One element per clip, and per listener for `bias` and `inconsistency`; NaN where nothing was rated."""

    score: Floats
    se: Floats
    low: Floats  # inside the scale
    high: Floats
    bias: Floats  # of a listener, against all listeners
    inconsistency: Floats  # of a listener: standard deviation of the noise, drawn toward the pooled one
    pooled: float  # the standard deviation of the noise over all
    sos: float  # a of the SOS curve, of the noise
    rounds: int
    level: float


def modelled_scores(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    clips: npt.ArrayLike,
    *,
    scale: tuple[float, float] = (1.0, 5.0),
    clip_count: int | None = None,
    listener_count: int | None = None,
    level: float = LEVEL,
) -> ModelledScores:
    """Scores, intervals, biases and inconsistencies by the model above. Arrays are `[ratings]`; `scale` = (low, high).

    Raises `NotEnough`: "too_few_listeners" below two, "no_spread" where all ratings are equal, "not_crossed" where
    biases and scores can explain every rating, so that nothing is left to tell noise from; `ValueError` as
    `arrays.checked`, and where a score lies outside the scale.
    """
    values, (who, what) = checked(scores, listeners, clips)
    low, high = scale
    if values.size and not low <= values.min() <= values.max() <= high:
        raise ValueError(f"a score lies outside {low:g} to {high:g}")
    people = np.count_nonzero(np.bincount(who))
    if people < 2:
        raise NotEnough("too_few_listeners", int(people), 2)
    if np.ptp(values) == 0.0:
        raise NotEnough("no_spread")
    if _spare(who, what) < 1:
        raise NotEnough("not_crossed")
    size = int(what.max()) + 1 if clip_count is None else clip_count
    width = int(who.max()) + 1 if listener_count is None else listener_count
    solver = _Solver(values, who, what, width, size)
    rounds = solver.run(CLOSE_ENOUGH * (high - low))
    se, sos = solver.standard_errors(low, high)
    quantile = stdtrit(np.maximum(solver.n_what - 1.0, 1.0) + CLIP_PRIOR, (1.0 + level) / 2.0)
    enough = solver.n_what >= MIN_RATINGS
    half = np.where(enough, quantile * se, np.nan)
    score = np.clip(solver.score, low, high)
    return ModelledScores(
        score=score,
        se=np.where(enough, se, np.nan),
        low=np.maximum(score - half, low),
        high=np.minimum(score + half, high),
        bias=np.where(solver.n_who > 0, solver.bias, np.nan),
        inconsistency=np.where(solver.n_who > 0, np.sqrt(solver.noise), np.nan),
        pooled=float(np.sqrt(solver.pooled)),
        sos=sos,
        rounds=rounds,
        level=level,
    )


def _spare(who: Codes, what: Codes) -> int:
    """Degrees of freedom that listeners and clips leave. Every further part of the design gives one back."""
    spare = int(who.size - np.count_nonzero(np.bincount(who)) - np.count_nonzero(np.bincount(what)) + 1)
    return spare if spare >= 1 else spare + parts(who, what).count - 1


class _Solver:
    """The alternation: scores given biases and noise, then noise, then biases."""

    def __init__(self, values: Floats, who: Codes, what: Codes, width: int, size: int) -> None:
        self.values, self.who, self.what = values, who, what
        self.n_who, self.n_what = np.bincount(who, minlength=width), np.bincount(what, minlength=size)
        self.between = self._between_listeners()
        self.bias = np.zeros(width)
        rest = float(values.size - np.count_nonzero(self.n_who) - np.count_nonzero(self.n_what) + 1)
        self.spared = values.size / max(rest, values.size / 4.0)  # what fitting takes from squares, given back
        self.weights = np.ones(width)
        self._scores()
        self._biases(np.ones(width))
        self._noise()

    def _between_listeners(self) -> float:
        found = components_by_group(self.values, self.who, self.what, np.zeros_like(self.who), group_count=1)
        return 0.0 if found.reasons[0] else float(found.listener[0])

    def run(self, close: float) -> int:
        for rounds in range(1, MOST_ROUNDS + 1):
            before = self.score
            self._scores()
            self._biases(self.noise)
            self._noise()
            if np.nanmax(np.abs(self.score - before), initial=0.0) < close:
                return rounds
        return MOST_ROUNDS

    def _scores(self) -> None:
        given = self.weights[self.who]
        self.mass = np.bincount(self.what, given, minlength=self.n_what.size)
        with np.errstate(invalid="ignore"):
            own = np.bincount(self.what, given * (self.values - self.bias[self.who]), minlength=self.n_what.size)
            self.score = own / self.mass

    def _biases(self, noise: Floats) -> None:
        """Drawn toward 0 by noise / variance between listeners; without such variance they are 0."""
        self.residual = self.values - self.score[self.what]
        if self.between == 0.0:
            return
        sums = np.bincount(self.who, self.residual, minlength=self.bias.size)
        bias = sums / (np.maximum(self.n_who, 1) + noise / self.between)
        there = self.n_who > 0
        self.bias = np.where(there, bias - bias[there].mean(), 0.0)

    def _noise(self) -> None:
        self.residual = self.residual - self.bias[self.who]
        squares = np.bincount(self.who, self.residual**2, minlength=self.bias.size) * self.spared
        self.pooled = max(float(squares.sum()) / self.values.size, 1e-12)
        self.noise = (LISTENER_PRIOR * self.pooled + squares) / (LISTENER_PRIOR + self.n_who)
        self.weights = 1.0 / self.noise

    def standard_errors(self, low: float, high: float) -> tuple[Floats, float]:
        """Of each score; and a of the SOS curve."""
        size = self.n_what.size
        squares = np.bincount(self.what, self.residual**2, minlength=size) * self.spared
        centre = float(self.values.mean())
        inner = (self.n_what * np.nan_to_num(self.score) + centre) / (self.n_what + 1.0)  # unanimity is not certainty
        curve = np.maximum((high - inner) * (inner - low), 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            sos = float(squares.sum() / np.maximum((self.n_what * curve).sum(), 1e-12))
            spread = (CLIP_PRIOR * sos * curve + squares) / (CLIP_PRIOR + self.n_what)
            shares = (self.weights**2)[self.who]
            lost = np.bincount(self.what, shares, minlength=size) / self.mass**2  # 1 / effective number of ratings
            unknown = self._bias_variance()
            removed = np.bincount(self.what, shares * unknown[self.who], minlength=size) / self.mass**2
        people = int(np.count_nonzero(self.n_who))
        removed *= np.maximum(1.0 - self.n_what / people, 0.0)  # biases sum to 0: whom all heard, it costs nothing
        anew = self.between / people
        return np.sqrt(spread * lost + removed + anew), sos

    def _bias_variance(self) -> Floats:
        """Of the biases' prediction errors."""
        if self.between == 0.0:
            return np.zeros(self.bias.size)
        variance: Floats = 1.0 / (1.0 / self.between + self.n_who / self.noise)
        return variance
