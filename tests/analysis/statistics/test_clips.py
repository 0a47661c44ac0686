"""Clips one by one: by hand, against numpy and scipy, and against published ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import codes
from analysis.statistics.clips import clip_scores

from . import reference


def test_by_hand() -> None:
    """Clip 0: 1, 2, 2, 5 (mean 2.5, squares 9, median 2); clip 1: nobody; clip 2: one 4."""
    found = clip_scores([1, 2, 4, 2, 5], [0, 0, 2, 0, 0])
    assert found.ratings.tolist() == [4, 0, 1]
    assert found.mos[[0, 2]].tolist() == [2.5, 4.0]
    assert found.median[[0, 2]].tolist() == [2.0, 4.0]
    assert found.sd[0] == pytest.approx(3**0.5)
    assert found.high[0] == pytest.approx(2.5 + 3.182446305284263 * 3**0.5 / 2)  # t(0.975; 3) from tables
    assert np.isnan([found.mos[1], found.median[1], found.low[1], found.sd[2], found.low[2]]).all()
    assert found.values.tolist() == [1, 2, 4, 5]
    assert found.histogram.tolist() == [[1, 2, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("scores", ["categories", "a slider"])
def test_many_clips_are_the_same_as_one_at_a_time(scores: str) -> None:
    rng = np.random.default_rng(4)
    where = rng.integers(0, 17, 400)
    given = rng.integers(1, 6, 400).astype(float) if scores == "categories" else rng.uniform(0, 100, 400)
    found = clip_scores(given, where)
    for clip in range(17):
        own = given[where == clip]
        low, high = stats.t.interval(0.95, own.size - 1, own.mean(), stats.sem(own))
        got = (found.mos[clip], found.median[clip], found.sd[clip], found.low[clip], found.high[clip])
        assert got == pytest.approx((own.mean(), np.median(own), own.std(ddof=1), low, high), abs=1e-10)
    assert found.histogram.shape[1] == (5 if scores == "categories" else 0)


def test_unanimity_is_named() -> None:
    assert clip_scores([3, 3, 4, 5, 2], [0, 0, 1, 1, 2]).unanimous.tolist() == [True, False, False]


def test_nothing_at_all() -> None:
    assert clip_scores([], np.array([], int)).mos.size == 0
    assert np.isnan(clip_scores([], np.array([], int), clip_count=2).median).all()


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_published_ratings(name: str) -> None:
    """Golden numbers: numpy and scipy on each clip's votes (reference/*_clip_mos_tci.csv), to 1e-9."""
    data, wanted = reference.ratings(name), reference.table(f"{name}_clip_mos_tci").sort_values("clip")
    found = clip_scores(data["score"], codes(data["clip"])[0])
    columns = {
        "mos": found.mos,
        "sd": found.sd,
        "median": found.median,
        "t_ci95_lo": found.low,
        "t_ci95_hi": found.high,
    }
    for column, got in columns.items():
        np.testing.assert_allclose(got, wanted[column], atol=1e-9, rtol=0)
    assert found.unanimous.sum() == (wanted["sd"] == 0).sum()
