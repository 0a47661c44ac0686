"""Paired differences and Holm: by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import NotEnough
from analysis.statistics.comparison import holm, matched, over_listeners, pairs


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


def test_holm_by_hand() -> None:
    """Sorted .01 .03 .04 → ×3 ×2 ×1 = .03 .06 .04, never falling: .03 .06 .06."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_holm_leaves_out_what_was_not_tested() -> None:
    adjusted = holm([0.02, np.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.04, 0.04])
    assert np.isnan(adjusted[1])


def test_pairs_are_all_there_once() -> None:
    assert pairs(3) == [(0, 1), (0, 2), (1, 2)]
