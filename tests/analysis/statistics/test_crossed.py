"""Variance components, "any song, any listener", crossed differences: by hand, simulated, on published ratings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.comparison import matched, pairs
from analysis.statistics.crossed import (
    any_song_interval,
    components,
    components_by_group,
    interval_of_group,
    over_listeners_and_songs,
)
from analysis.statistics.multiplicity import holm

from . import reference


def grid(listeners: int, songs: int) -> tuple[Any, Any]:
    who, what = np.meshgrid(np.arange(listeners), np.arange(songs), indexing="ij")
    return who.ravel(), what.ravel()


def test_by_hand() -> None:
    """Two listeners, two songs, one rating each: 1 2 | 3 5. Mean squares 6.25, 2.25, 0.25 (two-way analysis of
    variance), so v_listener = (6.25 − 0.25)/2 = 3, v_song = (2.25 − 0.25)/2 = 1, v_e = 0.25."""
    found = components([1, 2, 3, 5], [0, 0, 1, 1], [0, 1, 0, 1])
    assert (found.listener, found.song, found.residual) == pytest.approx((3.0, 1.0, 0.25))
    assert found.variance_of_mean == pytest.approx((3 * 2 + 1 * 2 + 0.25) / 4)


def test_a_complete_design_is_the_two_way_analysis_of_variance() -> None:
    rng = np.random.default_rng(1)
    who, what = grid(9, 7)
    scores = rng.normal(size=9)[who] + rng.normal(size=7)[what] + rng.normal(size=63)
    table = scores.reshape(9, 7)
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    ms_rows, ms_columns = 7 * rows.var(ddof=1), 9 * columns.var(ddof=1)
    ms_rest = ((table - rows[:, None] - columns[None, :] + mean) ** 2).sum() / (8 * 6)
    found = components(scores, who, what)
    wanted = ((ms_rows - ms_rest) / 7, (ms_columns - ms_rest) / 9, ms_rest)
    assert (found.listener, found.song, found.residual) == pytest.approx(wanted, abs=1e-12)


def test_unbalanced_estimates_are_right_on_the_average() -> None:
    """True components 0.16, 0.25, 0.5 with two fifths of the ratings missing and some cells rated twice."""
    rng = np.random.default_rng(3)
    who, what = grid(14, 12)
    found = []
    for _set in range(600):
        keep = np.flatnonzero(rng.random(who.size) < 0.6)
        keep = np.concatenate([keep, keep[:20]])
        rows, columns = who[keep], what[keep]
        noise = rng.normal(0, 0.5**0.5, keep.size)
        scores = rng.normal(0, 0.4, 14)[rows] + rng.normal(0, 0.5, 12)[columns] + noise
        parts = components(scores, rows, columns)
        found.append((parts.listener, parts.song, parts.residual))
    assert np.mean(found, axis=0) == pytest.approx([0.16, 0.25, 0.5], rel=0.05)


def test_the_interval_holds_its_promise_where_listener_means_do_not() -> None:
    """12 listeners × 10 songs, 500 data sets, seeded: about 95 of 100 intervals hold the true mean 3."""
    rng = np.random.default_rng(8)
    who, what = grid(12, 10)
    hits = 0
    for _set in range(500):
        scores = 3 + rng.normal(0, 0.4, 12)[who] + rng.normal(0, 0.5, 10)[what] + rng.normal(0, 0.7, who.size)
        interval = any_song_interval(scores, who, what)
        hits += interval.low <= 3 <= interval.high
    assert 0.93 <= hits / 500 <= 0.975


def test_false_positives_of_crossed_differences() -> None:
    """No difference on the average, but listeners and songs have their own: p < 0.05 in about 5 of 100 data sets."""
    rng = np.random.default_rng(9)
    who, what = grid(12, 10)
    wrong = 0
    for _set in range(500):
        own = rng.normal(0, 0.2, 12)[who] + rng.normal(0, 0.4, 10)[what]
        wrong += over_listeners_and_songs(own + rng.normal(0, 0.7, who.size), who, what).p < 0.05
    assert wrong / 500 <= 0.07


@pytest.mark.parametrize(
    ("listeners", "songs", "reason"),
    [(4, 9, "fewer_than_5_listeners"), (9, 4, "fewer_than_5_songs"), (9, 1, "fewer_than_5_songs")],
)
def test_too_few_to_speak_of_others(listeners: int, songs: int, reason: str) -> None:
    who, what = grid(listeners, songs)
    with pytest.raises(NotEnough) as refusal:
        any_song_interval(np.random.default_rng(0).normal(size=who.size), who, what)
    assert (refusal.value.reason, refusal.value.need) == (reason, 5)


def test_all_equal_and_not_crossed_say_so() -> None:
    who, what = grid(6, 6)
    with pytest.raises(NotEnough) as equal:
        any_song_interval(np.full(36, 3.0), who, what)
    assert equal.value.reason == "no_spread"
    own = np.arange(8)  # each listener heard one song that nobody else did
    with pytest.raises(NotEnough) as alone:
        any_song_interval(np.random.default_rng(0).normal(size=8), own, own)
    assert alone.value.reason == "not_crossed"


def test_many_groups_are_the_same_as_one_at_a_time() -> None:
    """With gaps, doubled cells, a group of one song, one of one listener, and one without ratings."""
    rng = np.random.default_rng(12)
    who, what, where = rng.integers(0, 9, 600), rng.integers(0, 8, 600), rng.integers(0, 4, 600)
    what[where == 2] = 3
    who[where == 3] = 1
    scores = rng.normal(size=600) + rng.normal(size=9)[who]
    found = components_by_group(scores, who, what, where, group_count=5)
    assert found.reasons == ("", "", "too_few_songs", "too_few_listeners", "too_few_listeners")
    for group in range(2):
        own = where == group
        assert asdict(found.of(group)) == pytest.approx(asdict(components(scores[own], who[own], what[own])), abs=1e-12)
        assert interval_of_group(found, group).low == pytest.approx(
            any_song_interval(scores[own], who[own], what[own]).low, abs=1e-12
        )
    with pytest.raises(NotEnough) as refusal:
        found.of(2)
    assert (refusal.value.have, refusal.value.need) == (1, 2)


def test_sparse_codes_give_the_same() -> None:
    """Cells are then sorted, not counted in a table."""
    rng = np.random.default_rng(13)
    who, what = rng.integers(0, 9, 300), rng.integers(0, 8, 300)
    scores = rng.normal(size=300)
    spread_out = components(scores, who * 3000, what * 2000)
    assert asdict(spread_out) == pytest.approx(asdict(components(scores, who, what)), abs=1e-12)


def test_shares_of_the_variance() -> None:
    assert components([1, 2, 3, 5], [0, 0, 1, 1], [0, 1, 0, 1]).shares == pytest.approx(
        (3 / 4.25, 1 / 4.25, 0.25 / 4.25)
    )


# ── Published ratings ───────────────────────────────────────────────────────────────────────────────────────────────


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_components_of_published_ratings(name: str) -> None:
    """Golden numbers: reference/crossed_variance_components_icc.json (`mom`; `reml` is statsmodels)."""
    data, wanted = reference.ratings(name), reference.answers("crossed_variance_components_icc")[name]
    found = components(data["score"], codes(data["rater"])[0], codes(data["clip"])[0])
    mom = wanted["mom"]
    got = (found.listener, found.song, found.residual, found.variance_of_mean**0.5)
    assert got == pytest.approx(
        (mom["var_rater"], mom["var_clip"], mom["var_resid"], mom["se_rater_and_clip"]), abs=1e-9
    )
    if name == "nflx_public":
        reml = wanted["reml"]
        assert (found.listener, found.song, found.residual) == pytest.approx(
            (reml["rater"], reml["clip"], reml["resid"]), rel=1e-3
        )


@reference.needed
def test_systems_of_published_ratings() -> None:
    """Golden numbers: reference/crossed_system_comparisons.json, to 1e-6."""
    data = reference.ratings("gensvs_dcr")
    wanted = reference.answers("crossed_system_comparisons")["gensvs_dcr"]["system"]
    for system, own in data.groupby("system"):
        interval = any_song_interval(own["score"], codes(own["rater"])[0], codes(own["content"])[0])
        golden = wanted[system]
        assert (interval.centre, interval.se, interval.df) == pytest.approx(
            (golden["mos"], golden["se_crossed"], golden["df"]), abs=1e-6
        )
        assert [interval.low, interval.high] == pytest.approx(golden["ci95"], abs=1e-6)


@reference.needed
def test_pairs_of_published_ratings() -> None:
    data = reference.ratings("gensvs_dcr")
    wanted = reference.answers("crossed_system_comparisons")["gensvs_dcr"]["pairs"]
    found = paired(data)
    assert len(found) == len(wanted) == 10
    adjusted = holm([test.p for test in found.values()])
    for golden, p_holm, ((first, second), test) in zip(wanted, adjusted, found.items(), strict=True):
        assert (first, second, test.pairs) == (golden["a"], golden["b"], golden["n_pairs"])
        got = (test.interval.centre, test.interval.se, test.interval.df)
        assert got == pytest.approx((golden["diff"], golden["se"], golden["df"]), abs=1e-6)
        assert [test.interval.low, test.interval.high] == pytest.approx(golden["ci95"], abs=1e-6)
        assert (test.p, p_holm) == pytest.approx((golden["p"], golden["p_holm"]), rel=1e-6)


def paired(data: pd.DataFrame) -> dict[tuple[str, str], Any]:
    system, names = codes(data["system"])
    side_by_side = matched(data["score"], codes(data["rater"])[0], codes(data["content"])[0], system)
    return {
        (str(names[first]), str(names[second])): over_listeners_and_songs(*side_by_side.differences(first, second))
        for first, second in pairs(len(names))
    }
