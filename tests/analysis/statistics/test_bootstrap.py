"""The crossed bootstrap: against drawing rows by hand, closed intervals, and published ratings."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics import bootstrap
from analysis.statistics.arrays import codes
from analysis.statistics.bootstrap import Resampled, crossed_bootstrap
from analysis.statistics.crossed import any_song_interval

from . import reference


def study(seed: int = 1, kept: float = 1.0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    who, what, which = (part.ravel() for part in np.meshgrid(range(14), range(11), range(3), indexing="ij"))
    latent = 3 + rng.normal(0, 0.4, 14)[who] + rng.normal(0, 0.5, 11)[what] + 0.4 * which + rng.normal(0, 0.7, who.size)
    chosen = rng.random(who.size) < kept
    return tuple(part[chosen] for part in (np.clip(np.round(latent), 1, 5), who, what, which))


@pytest.mark.parametrize("kept", [1.0, 0.4])
def test_the_limits_are_near_the_closed_interval(kept: float) -> None:
    """The bootstrap is slightly wide by construction (Owen 2007), never narrow."""
    scores, who, what, which = study(kept=kept)
    low, high = crossed_bootstrap(scores, who, what, which, replicates=4000).interval()
    for system in range(3):
        own = which == system
        closed = any_song_interval(scores[own], who[own], what[own])
        assert (high[system] - low[system]) == pytest.approx(closed.high - closed.low, rel=0.2)
        assert (low[system] + high[system]) / 2 == pytest.approx(scores[own].mean(), abs=0.05)


def test_full_and_sparse_tables_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = study(kept=0.3)
    full = crossed_bootstrap(*columns, replicates=300, seed=3).means
    monkeypatch.setattr(bootstrap, "DENSE", 2.0)
    np.testing.assert_allclose(crossed_bootstrap(*columns, replicates=300, seed=3).means, full, atol=1e-12)


def test_a_replicate_is_the_mean_of_the_drawn_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the draws fixed: listener 0 twice, 1 once; song 0 not, song 1 three times."""
    draws = {3: np.array([[2.0, 1.0, 0.0]]), 2: np.array([[0.0, 2.0]])}
    monkeypatch.setattr(bootstrap, "_drawn", lambda _rng, _count, size: draws[size])
    scores, who, what = [1, 2, 3, 4, 5], [0, 0, 1, 1, 2], [0, 1, 0, 1, 1]
    found = crossed_bootstrap(scores, who, what, np.zeros(5, int), replicates=1)
    assert found.means[0, 0] == pytest.approx((2 * 2 * 2 + 1 * 2 * 4) / (4 + 2))


def test_scores_need_not_be_whole_nor_above_zero() -> None:
    scores, who, what, which = study()
    shifted = crossed_bootstrap(scores / 3 - 7, who, what, which, replicates=200).means
    np.testing.assert_allclose(
        shifted, crossed_bootstrap(scores, who, what, which, replicates=200).means / 3 - 7, atol=1e-6
    )


def test_the_same_seed_gives_the_same_numbers() -> None:
    columns = study()
    first, again = (crossed_bootstrap(*columns, replicates=700, seed=9).means for _time in range(2))
    assert (first == again).all()
    assert (crossed_bootstrap(*columns, replicates=700, seed=10).means != first).any()


def test_ranks_and_the_chance_of_being_best() -> None:
    drawn = Resampled(np.array([[3.0, 2.0, 1.0], [3.0, 3.0, 1.0], [1.0, 3.0, 2.0], [4.0, 3.0, 2.0]]))
    assert drawn.ranks().tolist() == [[1, 2, 3], [1.5, 1.5, 3], [3, 1, 2], [1, 2, 3]]
    assert drawn.best().tolist() == [2.5 / 4, 1.5 / 4, 0]
    low, high = drawn.rank_interval()
    assert (low.tolist(), high.tolist()) == ([1, 1, 2], [3, 2, 3])


def test_groups_without_ratings_have_no_limits() -> None:
    found = crossed_bootstrap([3, 4, 2, 5], [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0], group_count=2, replicates=50)
    assert np.isnan(found.means[:, 1]).all()
    assert crossed_bootstrap([], *(np.array([], int),) * 3, group_count=1, replicates=5).means.shape == (5, 1)


@reference.needed
def test_published_ratings() -> None:
    """Golden numbers: 20,000 replicates of reference/crossed_system_comparisons.json, within their own noise."""
    data = reference.ratings("gensvs_dcr")
    system, names = codes(data["system"])
    found = crossed_bootstrap(data["score"], codes(data["rater"])[0], codes(data["content"])[0], system, seed=1)
    wanted = reference.answers("crossed_system_comparisons")["gensvs_dcr"]
    low, high = found.interval()
    best, ranks = found.best(), found.rank_interval()
    for place, name in enumerate(names):
        assert [low[place], high[place]] == pytest.approx(wanted["system"][name]["boot_crossed_pct95"], abs=0.02)
        assert best[place] == pytest.approx(wanted["prob_best"][name], abs=0.03)
        assert [ranks[0][place], ranks[1][place]] == wanted["rank_ci95"][name]
    for pair in wanted["pairs"]:
        ends = found.difference_interval(*([names.tolist().index(pair[side])] for side in ("a", "b")))
        assert [ends[0][0], ends[1][0]] == pytest.approx(pair["boot_all_votes_pct95"], abs=0.03)
