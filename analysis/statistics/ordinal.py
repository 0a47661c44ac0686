"""Are the conclusions those of categories? A cumulative probit with crossed listeners and songs.

Scores are taken as ordered categories: P(y ≤ k) = Φ(θ_k − η), η = system + listener + item, listeners and items drawn
from normal distributions. The model is fitted by penalised quasi-likelihood: each rating is replaced by its working
response z = η + u/w (u the score, w the expected information of the probit at η), systems are weighted means of z,
listeners and items are drawn toward 0 by their variances, which Henderson's method gives from z. Pairs of systems are
then compared on z as they are on the scores: crossed paired differences, which take in that listeners and songs differ
in what they think of a system. It asks one thing: does it matter that the scale's steps were taken as equal?

Sources: McCullagh (1980), Journal of the Royal Statistical Society B 42(2), 109–142 (the model); Schall (1991),
Biometrika 78(4), 719–727, and Breslow and Clayton (1993), JASA 88(421), 9–25 (working responses, PQL). With few ratings
per listener PQL draws latent differences toward 0; order and tests are what is read from it, not sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked, values_and_codes
from analysis.statistics.comparison import Comparison, compare_all, matched
from analysis.statistics.crossed import components_by_group
from analysis.statistics.ranks import ranked

MOST_RATINGS = 50_000  # more are not needed for a check; listeners are drawn, whole
MOST_CATEGORIES = 21
MOST_ROUNDS = 40
CLOSE_ENOUGH = 1e-4  # of the latent standard deviation
SMALLEST = 1e-10


@dataclass(frozen=True)
class OrdinalFit:
    """`locations`: of each system on the latent scale, mean 0, in units of the noise. `working`: `[ratings]`."""

    locations: Floats
    thresholds: Floats
    listener: float  # variance
    item: float
    working: Floats
    rounds: int


@dataclass(frozen=True)
class OrdinalCheck:
    """`pairs` are in latent units, in the same order as the linear ones; `agreement`: share of pairs with the same
    conclusion (ahead, behind, open) at `alpha` after Holm, any song and any listener; `same_order`: Spearman's
    correlation of the systems' locations with their means. NaN where no pair was tested by both."""

    fit: OrdinalFit
    pairs: tuple[Comparison, ...]
    agreement: float
    same_order: float
    ratings: int
    all_ratings: int
    alpha: float


def ordinal_fit(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    items: npt.ArrayLike,
    systems: npt.ArrayLike,
    *,
    system_count: int | None = None,
) -> OrdinalFit:
    """The model above; arrays are `[ratings]`, `scores` categories (at most 21 different ones).

    A system without ratings has a location of NaN. Raises `NotEnough`: "no_spread" where all scores are equal,
    "not_categories" where there are more different ones than 21; `ValueError` as `arrays.checked` does.
    """
    values, (who, what, which) = checked(scores, listeners, items, systems)
    known, category = values_and_codes(values)
    if known.size < 2:
        raise NotEnough("no_spread")
    if known.size > MOST_CATEGORIES:
        raise NotEnough("not_categories", known.size, MOST_CATEGORIES)
    size = int(which.max()) + 1 if system_count is None else system_count
    return _Fit(category, known.size, who, what, which, size).run()


def ordinal_check(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    items: npt.ArrayLike,
    songs: npt.ArrayLike,
    systems: npt.ArrayLike,
    linear: tuple[Comparison, ...],
    *,
    system_count: int | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> OrdinalCheck:
    """Whether the pairs come out as in `linear` (of `comparison.compare_all`) when scores are ordered categories.

    Arrays are `[ratings]`. Above `MOST_RATINGS`, whole listeners are drawn by `seed` until they have that many.
    Raises as `ordinal_fit`.
    """
    values, (who, what, songs_of, which) = checked(scores, listeners, items, songs, systems)
    chosen = _drawn(who, seed)
    parts = [column[chosen] for column in (values, who, what, which)]
    size = int(which.max(initial=-1)) + 1 if system_count is None else system_count
    fit = ordinal_fit(*parts, system_count=size)
    side_by_side = matched(fit.working, *parts[1:], system_count=size)
    song_of_item = np.zeros(int(what.max(initial=0)) + 1, dtype=np.intp)
    song_of_item[what] = songs_of
    latent = compare_all(side_by_side, song_of_item[side_by_side.items])
    means = np.bincount(which, values, minlength=size) / np.maximum(np.bincount(which, minlength=size), 1)
    there = np.isfinite(fit.locations)
    agreement = _agreement(linear, latent, alpha)
    same_order = _spearman(fit.locations[there], means[there])
    return OrdinalCheck(fit, latent, agreement, same_order, int(parts[0].size), int(values.size), alpha)


class _Fit:
    def __init__(self, category: Codes, categories: int, who: Codes, what: Codes, which: Codes, systems: int) -> None:
        self.category, self.who, self.what, self.which = category, who, what, which
        self.n_system = np.bincount(which, minlength=systems)
        share = np.cumsum(np.bincount(category, minlength=categories))[:-1] / category.size
        self.thresholds = ndtri(share) * 1.3  # what listeners and items add to the noise, as a start
        self.system, self.listener, self.item = np.zeros(systems), np.zeros(who.max() + 1), np.zeros(what.max() + 1)
        self.v_listener = self.v_item = 0.25

    def run(self) -> OrdinalFit:
        rounds, moved = 0, np.inf
        while rounds < MOST_ROUNDS and moved > CLOSE_ENOUGH:
            before = np.concatenate([self.system, self.thresholds])
            working, weight = self._working()
            self._variances(working)
            self._effects(working, weight)
            self._thresholds()
            moved = float(np.abs(np.concatenate([self.system, self.thresholds]) - before).max())
            rounds += 1
        working, _weight = self._working()
        locations = np.where(self.n_system > 0, self.system, np.nan)
        return OrdinalFit(locations, self.thresholds, self.v_listener, self.v_item, working, rounds)

    def _eta(self) -> Floats:
        return self.system[self.which] + self.listener[self.who] + self.item[self.what]

    def _ends(self, eta: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Lower and upper end of each rating's category on the noise's scale, densities there, probability between."""
        ends = np.concatenate([[-np.inf], self.thresholds, [np.inf]])
        lower, upper = ends[self.category] - eta, ends[self.category + 1] - eta
        between = np.maximum(ndtr(upper) - ndtr(lower), SMALLEST)
        return lower, upper, _density(lower), _density(upper), between

    def _working(self) -> tuple[Floats, Floats]:
        eta = self._eta()
        _lower, _upper, at_lower, at_upper, between = self._ends(eta)
        grid = np.linspace(eta.min() - 1e-6, eta.max() + 1e-6, 512)
        weight = np.interp(eta, grid, self._information(grid))
        return eta + (at_lower - at_upper) / between / weight, weight

    def _information(self, eta: Floats) -> Floats:
        """Expected, of one rating, over its categories."""
        ends = np.concatenate([[-np.inf], self.thresholds, [np.inf]])[None, :] - eta[:, None]
        probability = np.maximum(np.diff(ndtr(ends), axis=1), SMALLEST)
        information: Floats = (np.diff(_density(ends), axis=1) ** 2 / probability).sum(axis=1)
        return np.maximum(information, 1e-3)

    def _variances(self, working: Floats) -> None:
        rest = working - self.system[self.which]
        found = components_by_group(rest, self.who, self.what, np.zeros_like(self.who), group_count=1)
        if not found.reasons[0]:
            self.v_listener = max(float(found.listener[0]), 1e-4)
            self.v_item = max(float(found.song[0]), 1e-4)

    def _effects(self, working: Floats, weight: Floats) -> None:
        """Two sweeps over systems, listeners and items; the next round goes on from there."""
        for _sweep in range(2):
            rest = working - self.listener[self.who]
            self.system = self._means(rest - self.item[self.what], weight, self.which, 0.0)
            self.item = self._means(rest - self.system[self.which], weight, self.what, 1.0 / self.v_item)
            rest = working - self.system[self.which] - self.item[self.what]
            self.listener = self._means(rest, weight, self.who, 1.0 / self.v_listener)
        self._level()

    def _level(self) -> None:
        """Means of all effects go to the thresholds, which carry the level."""
        there = self.n_system > 0
        shifts = self.system[there].mean(), self.item.mean(), self.listener.mean()
        self.system = np.where(there, self.system - shifts[0], 0.0)
        self.item, self.listener = self.item - shifts[1], self.listener - shifts[2]
        self.thresholds = self.thresholds - sum(shifts)

    @staticmethod
    def _means(values: Floats, weight: Floats, groups: Codes, penalty: float) -> Floats:
        mass = np.bincount(groups, weight) + penalty
        means: Floats = np.bincount(groups, weight * values) / np.where(mass > 0, mass, 1.0)
        return means

    def _thresholds(self) -> None:
        """One Fisher step, kept in order."""
        _lower, _upper, at_lower, at_upper, between = self._ends(self._eta())
        count = self.thresholds.size
        up = np.bincount(self.category, at_upper / between, minlength=count + 1)[:count]
        down = np.bincount(self.category, at_lower / between, minlength=count + 1)[1:]
        matrix = np.diag(
            np.bincount(self.category, (at_upper / between) ** 2, minlength=count + 1)[:count]
            + np.bincount(self.category, (at_lower / between) ** 2, minlength=count + 1)[1:]
        )
        crossing = np.bincount(self.category, at_upper * at_lower / between**2, minlength=count + 1)[1:count]
        matrix -= np.diag(crossing, 1) + np.diag(crossing, -1)
        step = np.linalg.solve(matrix + 1e-9 * np.eye(count), up - down)
        self.thresholds = np.sort(self.thresholds + np.clip(step, -0.5, 0.5))


def _density(at: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * np.minimum(at * at, 1e3)) * 0.3989422804014327
    return density


def _drawn(who: Codes, seed: int) -> Codes:
    counts = np.bincount(who)
    if who.size <= MOST_RATINGS:
        return np.arange(who.size)
    order = np.random.default_rng(seed).permutation(counts.size)
    kept = np.zeros(counts.size, dtype=bool)
    kept[order[np.cumsum(counts[order]) <= MOST_RATINGS]] = True
    kept[order[0]] = True
    return np.flatnonzero(kept[who])


def _agreement(linear: tuple[Comparison, ...], latent: tuple[Comparison, ...], alpha: float) -> float:
    other = {(one.first, one.second): one for one in latent}
    same = [
        _conclusion(one, alpha) == _conclusion(other[one.first, one.second], alpha)
        for one in linear
        if one.any_song and (one.first, one.second) in other and other[one.first, one.second].any_song
    ]
    return float(np.mean(same)) if same else float("nan")


def _conclusion(pair: Comparison, alpha: float) -> int:
    if pair.any_song_p_holm is None or pair.any_song_p_holm >= alpha:
        return 0
    return 1 if pair.difference > 0 else -1


def _spearman(first: Floats, second: Floats) -> float:
    if first.size < 2:
        return float("nan")
    one, two = ranked(first[None, :])[0][0], ranked(second[None, :])[0][0]
    one, two = one - one.mean(), two - two.mean()
    size = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / size if size > 0 else float("nan")
