"""Who hears differently, and what a session does to ratings: found where it is, honest where it is small."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.effects import listener_groups, residuals, session_effects, welch


def study(seed: int, listeners: int = 30, clips: int = 20) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    who, what = (part.ravel() for part in np.meshgrid(range(listeners), range(clips), indexing="ij"))
    scores = 3 + rng.normal(0, 0.3, listeners)[who] + rng.normal(0, 0.6, clips)[what] + rng.normal(0, 0.6, who.size)
    return scores, who, what


def test_residuals_by_hand() -> None:
    found = residuals([1, 3, 5, 4], [0, 0, 0, 1])
    assert found[:3].tolist() == [-2, 0, 2]
    assert np.isnan(found[3])


def test_a_group_that_hears_differently_is_found_through_different_clips() -> None:
    """Musicians rate 0.8 lower and heard the better half more often, which hides it in plain means."""
    rng = np.random.default_rng(1)
    scores, who, what = study(1)
    group = (np.arange(30) < 12).astype(int)
    scores = scores - 0.8 * group[who] + 0.05 * what
    kept = (rng.random(who.size) < 0.3) | ((group[who] == 1) == (what >= 10))
    found = listener_groups(scores[kept], who[kept], what[kept], group)
    assert found.pairs[0].p_holm < 0.001
    assert found.pairs[0].test.interval.centre > 0.5  # others minus musicians
    assert found.p < 0.001
    assert [row.listeners for row in found.rows] == [18, 12]


def test_one_in_twenty_is_found_where_there_is_nothing() -> None:
    group = np.arange(30) % 2
    p = [listener_groups(*study(seed), group).p for seed in range(200)]
    assert np.mean(np.array(p) < 0.05) <= 0.09


def test_small_groups_have_means_and_no_more() -> None:
    group = np.where(np.arange(30) < 4, 1, 0)
    group[7] = -1  # unknown
    found = listener_groups(*study(2), group)
    assert (found.rows[1].listeners, found.rows[1].interval, found.rows[1].reason) == (
        4,
        None,
        "fewer_than_5_listeners",
    )
    assert found.rows[0].listeners == 25
    assert (found.pairs[0].test, found.pairs[0].p_holm, found.f) == (None, None, None)
    assert np.isfinite(found.rows[1].mos)


def test_welch_is_scipys() -> None:
    one, two = np.random.default_rng(3).normal(size=9), np.random.default_rng(4).normal(0, 3, 14)
    wanted = stats.ttest_ind(one, two, equal_var=False)
    found = welch(one, two)
    assert found.p == pytest.approx(wanted.pvalue)
    ends = wanted.confidence_interval()
    assert (found.interval.low, found.interval.high) == pytest.approx((ends.low, ends.high))


def placed(seed: int) -> tuple[np.ndarray, ...]:
    scores, who, what = study(seed)
    order = np.argsort(np.random.default_rng(seed).random((30, 20)), axis=1).ravel()
    return scores, who, what, order


def test_order_and_fatigue_are_found() -> None:
    scores, who, what, place = placed(5)
    rising = session_effects(scores + 0.02 * place, who, what, place)
    assert rising.order.interval.low < 2.0 < rising.order.interval.high  # per 100 trials
    assert rising.order.p < 0.01
    noise = np.random.default_rng(6).normal(0, 1, place.size)
    tired = session_effects(scores + 0.08 * place * noise, who, what, place)
    assert tired.fatigue.interval.low > 0


def test_scale_order_is_found_and_needs_listeners_of_both_kinds() -> None:
    scores, who, what, place = placed(7)
    first = who % 2 == 0
    found = session_effects(scores + 0.6 * first, who, what, place, first)
    assert found.scale_order.interval.low < 0.6 < found.scale_order.interval.high
    assert found.scale_order.p < 0.01
    alone = session_effects(scores, who, what, place, np.ones(who.size, dtype=bool))
    assert (alone.scale_order, alone.scale_order_reason) == (None, "fewer_than_5_listeners")
    assert session_effects(scores, who, what, place).scale_order_reason == "one_scale"


def test_few_listeners_and_no_ratings() -> None:
    few = session_effects([1, 2, 3, 4], [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0])
    assert (few.order, few.order_reason) == (None, "fewer_than_5_listeners")
    empty = np.array([], int)
    assert session_effects([], empty, empty, []).order is None
