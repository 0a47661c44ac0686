"""MOS and listener-means intervals: by hand, against scipy, and against published ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import codes
from analysis.statistics.mos import listener_means, mos_by_group

from . import reference


def test_by_hand() -> None:
    """Two listeners, one group. Scores 4, 5 | 2: mean 11/3; listener means 4.5 and 2."""
    result = mos_by_group([4, 5, 2], [0, 0, 1], [0, 0, 0])
    assert (result.ratings[0], result.listeners[0]) == (3, 2)
    assert result.mos[0] == pytest.approx(11 / 3)
    assert result.sd[0] == pytest.approx(np.sqrt(7 / 3))  # squares: 1/9 + 16/9 + 25/9 = 42/9, over 2
    assert result.listener_mean[0] == 3.25
    half = 12.706204736432095 * np.sqrt(3.125) / np.sqrt(2)  # t(0.975; 1) from tables: 12.706
    assert result.low[0] == pytest.approx(3.25 - half)
    assert result.high[0] == pytest.approx(3.25 + half)


def test_many_groups_are_the_same_as_one_at_a_time() -> None:
    rng = np.random.default_rng(5)
    scores, who, where = rng.integers(1, 6, 900), rng.integers(0, 11, 900), rng.integers(0, 7, 900)
    result = mos_by_group(scores, who, where)
    for group in range(7):
        own = [scores[(where == group) & (who == one)].mean() for one in range(11)]
        low, high = stats.t.interval(0.95, 10, np.mean(own), stats.sem(own))
        assert result.mos[group] == pytest.approx(scores[where == group].mean(), abs=1e-12)
        assert result.sd[group] == pytest.approx(scores[where == group].std(ddof=1), abs=1e-12)
        assert (result.low[group], result.high[group]) == pytest.approx((low, high), abs=1e-12)


def test_the_interval_does_not_shrink_when_a_listener_says_everything_twice() -> None:
    """The mistake it is there to avoid: more ratings of the same people are not more people."""
    scores, who = np.array([5.0, 4.0, 2.0, 3.0, 1.0]), np.arange(5)
    once = mos_by_group(scores, who, np.zeros(5, int))
    twice = mos_by_group(np.tile(scores, 2), np.tile(who, 2), np.zeros(10, int))
    assert twice.ratings[0] == 10
    assert (twice.low[0], twice.high[0]) == pytest.approx((once.low[0], once.high[0]))


def test_groups_without_enough() -> None:
    result = mos_by_group([3, 4, 4], [0, 0, 1], [0, 0, 2], group_count=4)
    assert result.ratings.tolist() == [2, 0, 1, 0]
    assert np.isnan(result.mos[[1, 3]]).all()
    assert np.isnan(result.low).all()  # never two listeners in one group
    assert np.isnan(result.sd[2])  # one rating has no spread
    assert result.sd[0] == pytest.approx(np.sqrt(0.5))


def test_no_ratings_at_all() -> None:
    result = mos_by_group([], np.array([], int), np.array([], int))
    assert result.mos.size == 0
    assert mos_by_group([], np.array([], int), np.array([], int), group_count=2).ratings.tolist() == [0, 0]


def test_all_equal_has_a_mean_and_no_width() -> None:
    result = mos_by_group([3] * 6, [0, 0, 1, 1, 2, 2], [0] * 6)
    assert (result.mos[0], result.sd[0], result.low[0], result.high[0]) == (3, 0, 3, 3)


@pytest.mark.parametrize(
    ("scores", "who", "where"),
    [([1, np.nan], [0, 1], [0, 0]), ([1, 2], [0, -1], [0, 0]), ([1, 2], [0, 1], [0]), ([1, 2], [0.5, 1], [0, 0])],
    ids=["NaN", "negative code", "unequal lengths", "broken code"],
)
def test_what_is_no_data_is_refused(scores: list[float], who: list[float], where: list[int]) -> None:
    with pytest.raises(ValueError, match=r"NaN|whole|equally"):
        mos_by_group(scores, who, where)


def test_listener_means_come_in_order() -> None:
    means = listener_means([1, 2, 3, 5], [1, 0, 1, 0], [1, 0, 1, 1])
    assert means.groups.tolist() == [0, 1, 1]
    assert means.listeners.tolist() == [0, 0, 1]
    assert means.means.tolist() == [2, 5, 2]
    assert means.ratings.tolist() == [1, 1, 2]


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_clips_of_published_ratings(name: str) -> None:
    """Golden numbers: numpy and scipy on each clip's votes (reference/*_clip_mos_tci.csv)."""
    data, wanted = reference.ratings(name), reference.table(f"{name}_clip_mos_tci").sort_values("clip")
    clip, names = codes(data["clip"])
    result = mos_by_group(data.score, codes(data.rater)[0], clip)
    assert names.tolist() == wanted["clip"].tolist()
    assert result.ratings.tolist() == wanted.n.tolist()
    for got, column in [(result.mos, "mos"), (result.sd, "sd"), (result.low, "t_ci95_lo"), (result.high, "t_ci95_hi")]:
        np.testing.assert_allclose(got, wanted[column], atol=1e-9, rtol=0)


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr"])
def test_listener_means_intervals_of_published_systems(name: str) -> None:
    """Golden numbers: `rater_means_t` of reference/*_stats.json, from scipy."""
    data, wanted = reference.ratings(name), reference.answers(f"{name}_stats")["system_mos"]
    system, names = codes(data.system)
    result = mos_by_group(data.score, codes(data.rater)[0], system)
    for place, key in enumerate(names):
        got = (result.listener_mean[place], result.low[place], result.high[place])
        assert got == pytest.approx(tuple(wanted[key]["rater_means_t"]), abs=1e-9)
        assert result.mos[place] == pytest.approx(wanted[key]["pooled_t"][0], abs=1e-12)
        assert result.ratings[place] == wanted[key]["N"]
