"""Everything in one call: it agrees with its parts, and hostile data get reasons, not crashes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.crossed import any_song_interval
from analysis.statistics.mos import mos_by_group
from analysis.statistics.whole import ALL, Ratings, flagged, whole, without_flagged

from . import reference


def study(seed: int = 1, listeners: int = 9, songs: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    axes = (
        range(listeners),
        range(songs),
        ["good", "bad", "reference"],
        ["vocals", "drums"],
        ["quality", "contamination"],
    )
    data = pd.MultiIndex.from_product(axes, names=["listener", "song", "system", "source", "scale"]).to_frame(
        index=False
    )
    latent = 3 + rng.normal(0, 0.3, listeners)[data["listener"]] + rng.normal(0, 0.5, songs)[data["song"]]
    latent += data["system"].map({"good": 0.3, "bad": -0.6, "reference": 1.5}) + rng.normal(0, 0.6, len(data))
    data["clip"] = data["song"].astype(str) + data["system"] + data["source"]
    return data.assign(score=np.clip(np.round(latent), 1, 5))


def test_it_agrees_with_its_parts() -> None:
    data = study()
    ratings = Ratings.of(data)
    found = whole(ratings, replicates=300)
    assert found.ratings == len(data)
    assert len(found.scales) == 2
    for scale in found.scales:
        assert [contest.source for contest in scale.contests] == [ALL, 0, 1]
        named = ratings.names["scale"][scale.scale]
        for contest in scale.contests[1:]:
            for row in contest.systems:
                labels = {"scale": named, "source": ratings.names["source"][contest.source]}
                own = data[(data["scale"] == named) & (data["source"] == labels["source"])]
                own = own[own["system"] == ratings.names["system"][row.system]]
                assert row.mos == pytest.approx(own["score"].mean())
                assert row.any_song == any_song_interval(own["score"], own["listener"], own["song"])
                means = mos_by_group(own["score"], own["listener"], np.zeros(len(own), int))
                assert row.these_clips.low == pytest.approx(means.low[0])
                assert sum(row.shares) == pytest.approx(1.0)
            assert sum(row.best for row in contest.systems) == pytest.approx(1.0)
            assert len(contest.pairs) == 3
            assert contest.ordinal.agreement == 1.0
        assert scale.clips.ratings.sum() == len(data) / 2
        assert scale.design.components == 1
        assert scale.reliability.agreement.a1 > 0


def test_controls_have_means_and_are_not_ranked() -> None:
    ratings = Ratings.of(study())
    control = ratings.names["system"].tolist().index("reference")
    contest = whole(ratings, replicates=200, not_ranked=frozenset({control})).scales[0].contests[0]
    row = next(row for row in contest.systems if row.system == control)
    assert (row.rank, row.best, row.letters) == (None, None, "")
    assert row.any_song is not None
    assert control not in {pair.first for pair in contest.pairs} | {pair.second for pair in contest.pairs}
    assert len(contest.pairs) == 1
    assert contest.friedman_reason == "too_few_systems"


def test_without_bootstrap_there_are_no_ranks() -> None:
    contest = whole(Ratings.of(study()), replicates=0).scales[0].contests[0]
    assert {(row.bootstrap, row.rank, row.best) for row in contest.systems} == {(None, None, None)}
    assert {row.letters for row in contest.systems} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("listener == 0", "fewer_than_5_listeners"),
        ("song == 0", "fewer_than_5_songs"),
        ("system == 'good'", "one_system"),
        ("(listener < 4) == (system == 'good')", "fewer_than_5_listeners"),
    ],
)
def test_ranks_that_would_mean_nothing_are_not_given(query: str, reason: str) -> None:
    """The bootstrap draws listeners and songs anew: of one it would be sure, always."""
    for contest in whole(Ratings.of(study().query(query)), replicates=50).scales[0].contests:
        assert {(row.rank, row.best, row.rank_reason) for row in contest.systems} == {(None, None, reason)}
        assert all((row.bootstrap is None) == (row.any_song is None) for row in contest.systems)


def test_the_order_of_the_rows_does_not_matter() -> None:
    data = study()
    first, again = (whole(Ratings.of(one), replicates=100) for one in (data, data.sample(frac=1.0, random_state=3)))
    for one, two in zip(first.scales[0].contests, again.scales[0].contests, strict=True):
        for row, other in zip(one.systems, two.systems, strict=True):
            assert row.any_song.low == pytest.approx(other.any_song.low, abs=1e-9)
            assert row.bootstrap == pytest.approx(other.bootstrap, abs=1e-6)


def test_with_and_without_the_flagged_side_by_side() -> None:
    """Listener 3 says 2 to everything; nobody is deleted, and the second analysis has eight listeners."""
    data = study()
    data.loc[data["listener"] == 3, "score"] = 2.0
    ratings = Ratings.of(data)
    found = whole(ratings, replicates=0)
    assert flagged(found).nonzero()[0].tolist() == [3]
    assert found.scales[0].listeners.reasons[3][0] == "straight_lining"
    second = whole(without_flagged(ratings, found), replicates=0)
    assert (found.scales[0].overall.listeners, second.scales[0].overall.listeners) == (9, 8)


HOSTILE: dict[str, Any] = {
    "nothing": study().iloc[:0],
    "one rating": study().iloc[:1],
    "one listener": study().query("listener == 0"),
    "one clip": study().query("clip == '0goodvocals'"),
    "one song": study().query("song == 0"),
    "one system": study().query("system == 'good'"),
    "all equal": study().assign(score=3.0),
    "every listener says one thing": study().assign(score=lambda data: 1.0 + data["listener"] % 5),
    "a listener who rated one clip": pd.concat([study(), study().iloc[:1].assign(listener=99)]),
    "each listener a song of their own": study().query("listener == song"),
    "disconnected": study().query("(listener < 4) == (song < 4)"),
    "everything twice": pd.concat([study(), study()]),
    "systems that share no listener": study().query("(listener < 4) == (system == 'good')"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_data_get_reasons(name: str) -> None:
    found = whole(Ratings.of(HOSTILE[name]), replicates=50)
    for scale in found.scales:
        rows = [scale.overall, *(row for contest in scale.contests for row in contest.systems)]
        for row in rows:
            assert np.isfinite(row.mos)
            assert (row.these_clips is None) == bool(row.these_clips_reason)
            assert (row.any_song is None) == bool(row.any_song_reason)
            if row.any_song:
                assert 0 < row.any_song.se < 5
        for contest in scale.contests:
            for pair in contest.pairs:
                assert (pair.any_song is None) == bool(pair.any_song_reason)
            assert (contest.friedman is None) == bool(contest.friedman_reason)
            assert (contest.ordinal is None) == bool(contest.ordinal_reason)
        assert (scale.modelled is None) == bool(scale.modelled_reason)
        assert (scale.reliability.agreement is None) == bool(scale.reliability.agreement_reason)
        assert (scale.reliability.alpha is None) == bool(scale.reliability.alpha_reason)


def test_what_is_no_score_is_refused() -> None:
    for score in (np.nan, np.inf, 0.0, 6.0):
        with pytest.raises(ValueError, match="NaN|outside"):
            Ratings.of(study().assign(score=score))


def test_a_rating_without_a_listener_is_refused() -> None:
    data = study().astype({"listener": object})
    data.loc[5, "listener"] = None
    with pytest.raises(ValueError, match="no listener"):
        Ratings.of(data)


def test_a_table_of_listener_clip_and_score_is_enough() -> None:
    found = whole(Ratings.of(study()[["listener", "clip", "score"]]), replicates=20)
    assert len(found.scales) == 1
    assert found.scales[0].overall.any_song_reason == "fewer_than_5_songs"


@reference.needed
def test_published_ratings() -> None:
    data = reference.ratings("gensvs_dcr").rename(columns={"rater": "listener", "content": "song", "dim": "scale"})
    ratings = Ratings.of(data)
    contest = whole(ratings, replicates=2000).scales[0].contests[0]
    wanted = reference.answers("crossed_system_comparisons")["gensvs_dcr"]["system"]
    for row in contest.systems:
        golden = wanted[ratings.names["system"][row.system]]
        assert [row.any_song.low, row.any_song.high] == pytest.approx(golden["ci95"], abs=1e-6)
        assert row.bootstrap == pytest.approx(golden["boot_crossed_pct95"], abs=0.03)
    assert [row.letters for row in contest.systems] == ["c", "a", "a", "b", "a"]
