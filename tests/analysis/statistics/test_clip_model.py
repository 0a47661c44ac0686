"""The modelled score of a clip: it cannot collapse, holds its promise, and errs less than the plain mean."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.clip_model import modelled_scores
from analysis.statistics.clips import clip_scores
from bench.simulated import Design, Panel, expected, places

from . import reference


@pytest.mark.parametrize(("listeners", "mean"), [(4, 3.0), (4, 4.3), (12, 3.0)])
def test_the_interval_holds_its_promise_and_the_score_errs_less(listeners: int, mean: float) -> None:
    """16 clips, 120 panels, seeded; truth by integration. P.910 as published holds 6 of 10 at four listeners."""
    design, rng = Design("panel", listeners, 16, 16, mean), np.random.default_rng(listeners)
    held, errors = [], []
    for _set in range(120):
        who, what = places(design, rng)
        panel = Panel.drawn(design, rng)
        scores, truth = panel.rated(who, what, rng), expected(panel.songs)
        model, plain = modelled_scores(scores, who, what), clip_scores(scores, what)
        held.append(((model.low <= truth) & (truth <= model.high)).mean())
        errors.append([((one - truth) ** 2).mean() for one in (model.score, plain.mos)])
    assert 0.925 <= np.mean(held) <= 0.985
    modelled, mos = np.mean(errors, axis=0)
    assert modelled < mos


def test_a_listener_who_agrees_with_the_mean_does_not_become_it() -> None:
    """Listener 0 gives each clip's mean: as published, their variance goes to 0 and their votes are the score."""
    rng = np.random.default_rng(2)
    table = np.clip(np.round(rng.normal(3, 1, (4, 20))), 1, 5)
    table[0] = np.round(table[1:].mean(axis=0))
    who, what = (part.ravel() for part in np.meshgrid(range(4), range(20), indexing="ij"))
    found = modelled_scores(table.ravel(), who, what)
    assert found.inconsistency[0] > 0.3
    assert np.abs(found.score - table[0]).max() > 0.05
    assert np.isfinite(found.low).all()


def test_bias_is_found_where_listeners_heard_different_clips() -> None:
    """Listener 9 is two points too low and heard the first ten clips only: those clips' plain means suffer for it."""
    who, what = (part.ravel() for part in np.meshgrid(range(10), range(20), indexing="ij"))
    kept = (who < 9) | (what < 10)
    who, what = who[kept], what[kept]
    latent = np.linspace(2.8, 3.2, 20)[what] - 2.0 * (who == 9) + np.random.default_rng(3).normal(0, 0.5, who.size)
    scores = np.clip(np.round(latent), 1, 5)
    found = modelled_scores(scores, who, what)
    assert found.bias[9] < -1.0
    assert found.bias.sum() == pytest.approx(0.0, abs=1e-9)
    plain = clip_scores(scores, what)
    gap = found.score[:10].mean() - found.score[10:].mean()
    assert abs(gap) < abs(plain.mos[:10].mean() - plain.mos[10:].mean())


def test_intervals_stay_inside_the_scale_and_one_rating_has_none() -> None:
    found = modelled_scores([5, 5, 5, 5, 1, 4], [0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 2], clip_count=4)
    assert (found.high[:2] <= 5).all()
    assert (found.low[:2] >= 1).all()
    assert found.low[0] < 5  # three fives are not certainty
    assert np.isnan(found.low[2:]).all()
    assert np.isnan(found.score[3])


def test_what_cannot_be_modelled_says_so() -> None:
    for scores, who, reason in [([3, 4], [0, 0], "too_few_listeners"), ([3, 3], [0, 1], "no_spread")]:
        with pytest.raises(NotEnough) as refusal:
            modelled_scores(scores, who, [0, 1])
        assert refusal.value.reason == reason
    with pytest.raises(ValueError, match="outside"):
        modelled_scores([3, 6], [0, 1], [0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_without_residual_there_is_no_score(seed: int) -> None:
    """A chain: each listener shares one clip with the next, so that biases and scores explain every rating."""
    scores = np.random.default_rng(seed).integers(1, 6, 12).astype(float)
    scores[:2] = 1, 5
    who = np.repeat(np.arange(6), 2)
    what = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
    with pytest.raises(NotEnough) as refusal:
        modelled_scores(scores, who, what)
    assert refusal.value.reason == "not_crossed"
    once_more = modelled_scores([*scores, 3.0], [*who, 5], [*what, 0])
    assert np.isfinite(once_more.score).all()


def test_parts_have_a_residual_each() -> None:
    """Six pairs of listeners with two clips of their own: as many ratings as listeners and clips, and six to spare."""
    who = np.repeat(np.arange(12), 2)
    what = 2 * (who // 2) + np.tile([0, 1], 12)
    scores = np.random.default_rng(1).integers(1, 6, 24).astype(float)
    assert np.isfinite(modelled_scores(scores, who, what).score).all()


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_published_ratings_stay_near_their_means(name: str) -> None:
    data = reference.ratings(name)
    listener, clip = codes(data["rater"])[0], codes(data["clip"])[0]
    found, plain = modelled_scores(data["score"], listener, clip), clip_scores(data["score"], clip)
    assert np.abs(found.score - plain.mos).max() < 0.35
    assert np.corrcoef(found.score, plain.mos)[0, 1] > 0.99
    assert found.rounds < 50
