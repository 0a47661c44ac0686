"""One rule, fixed before: it finds listeners who do not listen, leaves good ones alone, and says why."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.arrays import codes
from analysis.statistics.screening import REASONS, Facts, Rule, screened
from bench.simulated import CARELESS, DESIGNS, FEW_RATINGS, SYSTEM_PANELS, Design, Panel, careless, places

from . import reference

PANEL = SYSTEM_PANELS[1]


@pytest.fixture
def good() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(3)
    who, what = places(PANEL, rng)
    return Panel.drawn(PANEL, rng).rated(who, what, rng), who, what


@pytest.mark.parametrize("kind", CARELESS)
def test_careless_listeners_are_found(kind: str) -> None:
    """One in each of 60 panels of 24, seeded: 95 of 100; of those who listen half of the time, 85."""
    rng = np.random.default_rng(len(kind))
    hits = []
    for _set in range(60):
        who, what = places(PANEL, rng)
        scores = Panel.drawn(PANEL, rng).rated(who, what, rng)
        scores[who == 0] = careless(kind, scores[who == 0], rng)
        hits.append(screened(scores, who, what).flagged[0])
    assert np.mean(hits) >= (0.85 if kind == "half random" else 0.95)


def test_nobody_is_blamed_where_clips_hardly_differ() -> None:
    """One system whose clips are all about as good: no two listeners agree, and none of them is the reason."""
    rng = np.random.default_rng(5)
    who, what = np.divmod(np.arange(9 * 40), 40)
    found = screened(np.clip(np.round(rng.normal(3.0, 0.8, who.size)), 1, 5), who, what)
    assert (found.correlation < 0.2).sum() > 4
    assert not any("not_above_chance" in reasons for reasons in found.reasons)


def test_good_listeners_are_left_alone() -> None:
    rng = np.random.default_rng(1)
    alarms = []
    for _set in range(60):
        who, what = places(PANEL, rng)
        alarms.append(screened(Panel.drawn(PANEL, rng).rated(who, what, rng), who, what).flagged.mean())
    assert np.mean(alarms) <= 0.01


WEAKER = [*FEW_RATINGS, *DESIGNS]


def test_good_listeners_are_left_alone_where_ratings_say_little() -> None:
    """Few ratings, close systems, one system, near the ceiling: 20 panels of each, all seeded; one in a hundred."""
    shares = [np.mean([screened(*_good(design, seed)).flagged.mean() for seed in range(20)]) for design in WEAKER]
    assert np.mean(shares) <= 0.01
    assert max(shares) <= 0.03  # 160 listeners of the smallest design


def _good(design: Design, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    who, what = places(design, rng)
    return Panel.drawn(design, rng).rated(who, what, rng), who, what


def test_who_gives_the_best_where_nearly_all_is_best_is_no_straight_liner() -> None:
    """24 clips near the ceiling: generous listeners give 5 always. Who gives 4 always, there, is one."""
    rng = np.random.default_rng(1)
    who, what = np.divmod(np.arange(12 * 24), 24)
    scores = np.clip(np.round(4.8 + rng.normal(0, 0.4, 12)[who] + rng.normal(0, 0.5, who.size)), 1, 5)
    found = screened(scores, who, what)
    assert 3 <= (found.variance < 0.1).sum() <= 5
    assert not found.flagged.any()
    one_button = screened(np.where(who == 2, 4.0, scores), who, what)
    assert one_button.reasons[2] == ("straight_lining",)
    assert one_button.flagged.sum() == 1


def test_five_always_is_straight_lining_where_others_hear_differences() -> None:
    scores, who, what = _good(PANEL, 4)
    found = screened(np.where(who == 7, 5.0, scores), who, what)
    assert "straight_lining" in found.reasons[7]
    assert found.flagged.sum() == 1


def test_nobody_is_a_straight_liner_where_all_are() -> None:
    who, what = np.divmod(np.arange(8 * 12), 12)
    assert not screened(np.full(who.size, 3.0), who, what).flagged.any()


def test_unanimous_clips_do_not_condemn_anyone() -> None:
    """BT.500 as commonly coded rejects 12 of 14 listeners of such a panel."""
    rng = np.random.default_rng(2)
    who, what = (part.ravel() for part in np.meshgrid(range(14), range(40), indexing="ij"))
    level = np.linspace(1.4, 4.6, 40)
    scores = np.clip(np.round(level[what] + rng.normal(0, 0.4, who.size)), 1, 5)
    scores[what >= 30] = 5.0
    found = screened(scores, who, what)
    assert not found.flagged.any()


def test_numbers_by_hand() -> None:
    """Clips rated 1 2 | 3 5 | 5 5 by two listeners: biases −1 and 1, r of (1, 3, 5) with (2, 5, 5) = √3/2."""
    found = screened([1, 2, 3, 5, 5, 5], [0, 1] * 3, [0, 0, 1, 1, 2, 2])
    assert found.bias.tolist() == [-1.0, 1.0]
    assert found.correlation == pytest.approx([3**0.5 / 2] * 2)
    assert found.variance.tolist() == [4.0, 3.0]
    assert found.scale_use.tolist() == [0.75, 0.5]
    assert not found.flagged.any()  # three ratings say too little


def test_facts_are_judged_by_the_rule(good: tuple[np.ndarray, ...]) -> None:
    unknown = np.full(24, np.nan)

    def only(value: float) -> np.ndarray:
        column = unknown.copy()
        column[5] = value
        return column

    facts = [
        ("traps_failed", Facts(traps_failed=only(0.5))),
        ("repeats_differ", Facts(repeat_difference=only(2.0))),
        ("reference_rated_low", Facts(reference_mean=only(2.0))),
        ("anchor_rated_high", Facts(reference_mean=only(4.0), anchor_mean=only(4.5))),
        ("too_fast", Facts(seconds=only(0.8))),
        ("equipment_failed", Facts(equipment_failed=only(1.0))),
    ]
    for reason, one in facts:
        found = screened(*good, facts=one)
        assert found.reasons[5] == (reason,)
        assert found.flagged.sum() == 1
    kind = screened(*good, facts=Facts(seconds=only(0.8)), rule=Rule(fastest_seconds=None))
    assert not kind.flagged.any()


def test_nobody_is_deleted_and_every_flag_has_a_reason(good: tuple[np.ndarray, ...]) -> None:
    scores, who, what = good
    scores = np.where(who == 2, 3.0, scores)
    found = screened(scores, who, what)
    assert found.reasons[2][0] == "straight_lining"
    assert all(reason in REASONS for reasons in found.reasons for reason in reasons)
    assert [bool(reasons) for reasons in found.reasons] == found.flagged.tolist()
    kept = found.without_flagged(who)
    assert set(who[~kept]) == {2}
    assert found.ratings[2] == 64


def test_nothing_to_judge() -> None:
    empty = np.array([], int)
    assert screened([], empty, empty, listener_count=2).flagged.tolist() == [False, False]
    assert not screened([5], [0], [0]).flagged.any()
    with pytest.raises(ValueError, match="one element"):
        screened([5], [0], [0], facts=Facts(seconds=[1.0, 2.0]))


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_leave_one_out_correlations_of_published_ratings(name: str) -> None:
    """Golden numbers: scipy, reference/*_stats.json, to 1e-9. And a laboratory's listeners are mostly good ones."""
    data = reference.ratings(name)
    who, names = codes(data["rater"])
    found = screened(data["score"], who, codes(data["clip"])[0])
    wanted = reference.answers(f"{name}_stats")["reliability"]["leave_one_out_r_pearson_spearman"]
    assert found.correlation == pytest.approx([wanted[one][0] for one in names], abs=1e-9)
    assert found.flagged.mean() < 0.05
