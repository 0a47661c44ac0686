"""The cumulative probit: it finds what was put in, and comes to the linear conclusions where steps are equal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.comparison import compare_all, matched
from analysis.statistics.ordinal import ordinal_check, ordinal_fit

from . import reference

LOCATIONS = np.array([-0.8, -0.1, 0.2, 0.7])
THRESHOLDS = np.array([-1.5, -0.5, 0.4, 1.3])


def study(listeners: int, songs: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    who, what, which = (part.ravel() for part in np.meshgrid(range(listeners), range(songs), range(4), indexing="ij"))
    eta = LOCATIONS[which] + spread * (rng.normal(0, 0.6, listeners)[who] + rng.normal(0, 0.8, songs)[what])
    return np.searchsorted(THRESHOLDS, eta + rng.normal(size=who.size)) + 1.0, who, what, which


def test_it_finds_what_was_put_in() -> None:
    found = [ordinal_fit(*study(40, 30, seed)) for seed in range(6)]
    assert np.mean([fit.locations for fit in found], axis=0) == pytest.approx(LOCATIONS, abs=0.06)
    assert np.mean([np.diff(fit.thresholds) for fit in found], axis=0) == pytest.approx(np.diff(THRESHOLDS), abs=0.06)
    assert np.mean([fit.listener for fit in found]) == pytest.approx(0.36, abs=0.12)
    assert np.mean([fit.item for fit in found]) == pytest.approx(0.64, abs=0.2)
    assert all(fit.rounds < 30 for fit in found)


def test_without_listeners_and_songs_it_is_maximum_likelihood() -> None:
    """Against a direct maximum of the cumulative probit's likelihood, by scipy."""
    scores, who, what, which = study(20, 25, seed=3, spread=0.0)

    def minus_log_likelihood(free: np.ndarray) -> float:
        ends = np.concatenate([[-np.inf], free[:4], [np.inf]])
        eta = np.concatenate([free[4:], [-free[4:].sum()]])[which]
        place = scores.astype(int)
        return -np.log(stats.norm.cdf(ends[place] - eta) - stats.norm.cdf(ends[place - 1] - eta)).sum()

    wanted = optimize.minimize(minus_log_likelihood, np.concatenate([THRESHOLDS, LOCATIONS[:3]]), method="BFGS").x
    found = ordinal_fit(scores, who, what, which)
    assert found.locations[:3] == pytest.approx(wanted[4:], abs=0.02)
    assert found.thresholds == pytest.approx(wanted[:4], abs=0.02)


def test_the_same_conclusions_where_the_scale_is_even() -> None:
    scores, who, what, which = study(24, 16, seed=1)
    side_by_side = matched(scores, who, what, which)
    linear = compare_all(side_by_side, side_by_side.items)
    found = ordinal_check(scores, who, what, what, which, linear)
    assert found.agreement >= 5 / 6
    assert found.same_order == pytest.approx(1.0)
    assert found.ratings == found.all_ratings == scores.size


def test_large_studies_are_drawn_whole_listeners_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.statistics.ordinal.MOST_RATINGS", 500)
    scores, who, what, which = study(24, 16, seed=1)
    found = ordinal_check(scores, who, what, what, which, ())
    assert found.ratings == 448  # seven listeners of 64
    assert found.all_ratings == 1536
    assert found.pairs[0].listeners == 7


def test_what_is_no_scale_of_categories_says_so() -> None:
    ones = np.zeros(30, int)
    for scores, reason in [(np.full(30, 3.0), "no_spread"), (np.arange(30.0), "not_categories")]:
        with pytest.raises(NotEnough) as refusal:
            ordinal_fit(scores, np.arange(30), ones, ones)
        assert refusal.value.reason == reason


@reference.needed
def test_published_ratings_come_to_the_same() -> None:
    data = reference.ratings("gensvs_dcr")
    columns = (data["score"], *(codes(data[name])[0] for name in ("rater", "content", "system")))
    side_by_side = matched(*columns)
    linear = compare_all(side_by_side, side_by_side.items)
    found = ordinal_check(columns[0], columns[1], columns[2], columns[2], columns[3], linear)
    assert (found.agreement, found.same_order) == (1.0, 1.0)
