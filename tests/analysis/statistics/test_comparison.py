"""Paired differences: by hand, against scipy, simulated, and on published ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.comparison import compare_all, equivalence_p, matched, over_listeners, pairs
from analysis.statistics.crossed import over_listeners_and_songs
from analysis.statistics.intervals import Interval
from analysis.statistics.multiplicity import benjamini_hochberg, holm

from . import reference


def test_only_what_the_same_listener_rated_in_the_same_place_is_compared() -> None:
    """Listener 0 rated both systems on item 0 only; listener 1 on item 1 only; the rest has no partner."""
    table = matched(
        scores=[5, 3, 4, 2, 4, 1], listeners=[0, 0, 0, 1, 1, 2], items=[0, 0, 1, 1, 1, 0], systems=[0, 1, 0, 0, 1, 1]
    )
    values, who, what = table.differences(0, 1)
    assert values.tolist() == [2, -2]
    assert who.tolist() == [0, 1]
    assert what.tolist() == [0, 1]


def test_two_scores_in_one_place_are_averaged() -> None:
    values, _who, _what = matched([5, 4, 2], [0, 0, 0], [0, 0, 0], [0, 0, 1]).differences(0, 1)
    assert values.tolist() == [2.5]


def test_a_complete_design_gives_the_paired_t_test_of_listener_means() -> None:
    rng = np.random.default_rng(2)
    who, what, which = (part.ravel() for part in np.meshgrid(range(9), range(6), range(2), indexing="ij"))
    scores = rng.integers(1, 6, who.size)
    result = over_listeners(*matched(scores, who, what, which).differences(0, 1)[:2])
    means = [[scores[(who == one) & (which == system)].mean() for one in range(9)] for system in range(2)]
    wanted = stats.ttest_rel(*means)
    assert result.p == pytest.approx(wanted.pvalue, abs=1e-12)
    limits = wanted.confidence_interval(0.95)
    assert (result.interval.low, result.interval.high) == pytest.approx((limits.low, limits.high), abs=1e-12)
    assert result.pairs == 54


def test_too_few_and_no_spread_say_so() -> None:
    with pytest.raises(NotEnough) as one:
        over_listeners([1.0, 2.0], [0, 0])
    assert (one.value.reason, one.value.have, one.value.need) == ("too_few_listeners", 1, 2)
    with pytest.raises(NotEnough) as equal:
        over_listeners([0.1, 0.3, 0.2, 0.2], [0, 0, 1, 1])  # both listeners differ by 0.2 on the average
    assert equal.value.reason == "no_spread"


def test_pairs_are_all_there_once() -> None:
    assert pairs(3) == [(0, 1), (0, 2), (1, 2)]


def study(seed: int, effects: tuple[float, ...], listeners: int = 12, songs: int = 10) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    size = (listeners, songs, len(effects))
    who, what, which = (part.ravel() for part in np.meshgrid(*map(range, size), indexing="ij"))
    scores = 3 + rng.normal(0, 0.4, listeners)[who] + rng.normal(0, 0.5, songs)[what] + np.array(effects)[which]
    return scores + rng.normal(0, 0.7, who.size), who, what, which


def test_every_pair_with_everything() -> None:
    columns = study(1, (0.0, 0.1, 1.2))
    side_by_side = matched(*columns)
    found = compare_all(side_by_side, side_by_side.items, margin=0.5)
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (0, 2), (1, 2)]
    for pair in found:
        values, who, what = side_by_side.differences(pair.first, pair.second)
        assert pair.any_song == over_listeners_and_songs(values, who, what)
        assert pair.these_clips == over_listeners(values, who)
        assert (pair.pairs, pair.listeners, pair.songs) == (120, 12, 10)
        assert (pair.wins, pair.ties, pair.losses) == ((values > 0).sum(), 0, (values < 0).sum())
        assert pair.win_rate == pytest.approx((values > 0).mean())
        assert pair.effect == pytest.approx(values.mean() / values.std(ddof=1))
    p = [pair.any_song.p for pair in found if pair.any_song]
    assert [pair.any_song_p_holm for pair in found] == pytest.approx(holm(p))
    assert [pair.any_song_p_bh for pair in found] == pytest.approx(benjamini_hochberg(p))
    assert found[1].any_song_p_holm < 0.001
    assert found[0].tost_p < 0.05 < found[1].tost_p


def test_gaps_are_left_out_pair_by_pair() -> None:
    """Listener 0 never rated system 2; item 1 has no system 1."""
    scores, who, what, which = study(2, (0.0, 0.0, 0.0), listeners=7, songs=6)
    kept = ~((who == 0) & (which == 2)) & ~((what == 1) & (which == 1))
    side_by_side = matched(scores[kept], who[kept], what[kept], which[kept])
    found = compare_all(side_by_side, side_by_side.items)
    assert [(one.pairs, one.listeners, one.songs) for one in found] == [(35, 7, 5), (36, 6, 6), (30, 6, 5)]


def test_a_pair_that_cannot_be_tested_says_why() -> None:
    side_by_side = matched([4, 3, 4, 3], [0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 1])
    (pair,) = compare_all(side_by_side, side_by_side.items)
    assert (pair.any_song, pair.any_song_reason) == (None, "fewer_than_5_listeners")
    assert (pair.these_clips, pair.these_clips_reason) == (None, "no_spread")
    assert (pair.effect, pair.tost_p, pair.any_song_p_holm, pair.win_rate) == (None, None, None, 1.0)


def test_systems_that_share_nothing_say_so() -> None:
    """Listeners 0 and 1 rated system 0 only, listeners 2 and 3 system 1 only."""
    side_by_side = matched([4, 3, 4, 3], [0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 1, 1])
    (pair,) = compare_all(side_by_side, side_by_side.items)
    assert (pair.pairs, pair.listeners, pair.any_song_reason) == (0, 0, "nothing_in_common")
    assert np.isnan(pair.win_rate)


def test_sparse_and_dense_units_are_the_same() -> None:
    """Codes far apart take the other way through."""
    columns = study(3, (0.0, 0.5))
    dense, sparse = matched(*columns), matched(columns[0], columns[1] * 10_000, columns[2] * 1000, columns[3])
    np.testing.assert_array_equal(dense.scores, sparse.scores)
    assert (sparse.listeners == dense.listeners * 10_000).all()
    assert (sparse.items == dense.items * 1000).all()


def test_equivalence_by_hand() -> None:
    """Centre 0.1, se 0.1, df 10: p of "at least 0.3 above" is t ≤ −2: 0.03669; of "0.3 below" t ≤ −4: smaller."""
    assert equivalence_p(Interval(0, 0, 0.1, 0.1, 10), 0.3) == pytest.approx(stats.t.cdf(-2, 10))


def test_false_positives_of_crossed_differences_stay_at_their_level() -> None:
    """No system is better, but each listener and each song has its own favourite: 400 seeded studies."""
    wrong = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        scores, who, what, which = study(1000 + seed, (0.0, 0.0), listeners=10, songs=12)
        scores = scores + rng.normal(0, 0.2, (10, 2))[who, which] + rng.normal(0, 0.4, (12, 2))[what, which]
        side_by_side = matched(scores, who, what, which)
        (pair,) = compare_all(side_by_side, side_by_side.items)
        wrong += pair.any_song.p < 0.05
    assert wrong / 400 <= 0.07


@reference.needed
def test_published_ratings() -> None:
    """Golden numbers: reference/crossed_system_comparisons.json, to 1e-6."""
    data = reference.ratings("gensvs_dcr")
    side_by_side = matched(data["score"], *(codes(data[name])[0] for name in ("rater", "content", "system")))
    wanted = reference.answers("crossed_system_comparisons")["gensvs_dcr"]["pairs"]
    for pair, golden in zip(compare_all(side_by_side, side_by_side.items), wanted, strict=True):
        interval = pair.any_song.interval
        got = (pair.difference, interval.se, interval.df, interval.low, interval.high)
        assert got == pytest.approx((golden["diff"], golden["se"], golden["df"], *golden["ci95"]), abs=1e-6)
        assert (pair.any_song.p, pair.any_song_p_holm) == pytest.approx((golden["p"], golden["p_holm"]), rel=1e-6)
