"""How much of a listener's ratings looks drawn at random: a uniform part in a mixture with the listener's own noise."""

from __future__ import annotations

import numpy as np

from analysis.statistics.arrays import Codes, Floats

PRIOR = 20.0  # ratings' weight of the panel's typical variance
ROUNDS = 20
BINS = 50  # of the histogram of residuals, to each side
FEWEST_RATINGS = 8  # below, a listener does not enter the typical variance


def random_part(away: Floats, who: Codes, count: Codes, density: float) -> tuple[Floats, Floats]:
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
    alone = (PRIOR * typical + squares) / (PRIOR + count)
    share, variance = np.full(count.size, 0.3), np.full(count.size, typical)
    for _round in range(ROUNDS):
        own = (1.0 - share)[:, None] * _normal(at, variance)
        random = table * (share * density)[:, None] / (own + (share * density)[:, None])
        mass = random.sum(axis=1)
        share = np.clip(mass / np.maximum(count, 1), 0.0, 1.0 - 1e-9)
        kept = (table - random) @ at**2
        variance = (PRIOR * typical + kept) / (PRIOR + count - mass)
    mixed = np.log((1.0 - share)[:, None] * _normal(at, variance) + (share * density)[:, None])
    gained = (table * (mixed - np.log(_normal(at, alone)))).sum(axis=1)
    penalty = np.log(alone / variance) + typical / alone - typical / variance
    return np.where(count > 0, share, np.nan), 2.0 * gained + PRIOR * penalty


def _histograms(away: Floats, who: Codes, size: int, answers: float) -> tuple[Floats, Floats]:
    """How often each listener was how far away, `[listeners, bins]`, and the middle of the bins."""
    step = answers / BINS
    bins = 2 * BINS + 1  # from −answers to answers
    place = np.clip(np.round(away / step).astype(np.intp) + BINS, 0, bins - 1)
    table = np.bincount(who * bins + place, minlength=size * bins).reshape(size, bins)
    middle: Floats = (np.arange(bins, dtype=np.float64) - BINS) * step
    return table.astype(np.float64), middle


def _normal(at: Floats, variance: Floats) -> Floats:
    """Densities, `[listeners, bins]`."""
    exponent = np.maximum(-0.5 * at[None, :] ** 2 / variance[:, None], -600.0)
    density: Floats = np.exp(exponent) / np.sqrt(2.0 * np.pi * variance)[:, None]
    return density
