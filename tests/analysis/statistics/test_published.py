"""P.910, P.913 and BT.500 by name: the reference software's numbers, and refusals where the procedures break down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.published import bt500, bt500_rejection, p910, p913

from . import reference

BOTH = pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])


def columns(name: str) -> tuple[Any, Any, Any]:
    data = reference.ratings(name)
    return data["score"], codes(data["rater"])[0], codes(data["clip"])[0]


def clips(name: str, model: str) -> Any:
    table = reference.table(f"{name}_sureal_stimuli").sort_values("clip")
    return table[[f"{model}_{part}" for part in ("score", "se", "ci95_lo", "ci95_hi")]].to_numpy().T


def listeners(name: str, column: str) -> Any:
    return reference.table(f"{name}_sureal_raters").sort_values("rater")[column].to_numpy()


@reference.needed
@BOTH
def test_p910_is_sureals(name: str) -> None:
    """Golden numbers: sureal 0.9.0, to 1e-8."""
    model = "P910_AnnexE(MLE_CO_AP2)"
    found = p910(*columns(name))
    np.testing.assert_allclose([found.score, found.se, found.low, found.high], clips(name, model), atol=1e-8, rtol=0)
    np.testing.assert_allclose(found.bias, listeners(name, f"{model}_observer_bias"), atol=1e-8)
    np.testing.assert_allclose(found.inconsistency, listeners(name, f"{model}_observer_inconsistency"), atol=1e-8)


@reference.needed
@BOTH
def test_p913_is_sureals(name: str) -> None:
    found = p913(*columns(name))
    np.testing.assert_allclose([found.score, found.se, found.low, found.high], clips(name, "P913_12.4"), atol=1e-8)
    np.testing.assert_allclose(found.bias, listeners(name, "P913_12.4_observer_bias"), atol=1e-8)


@reference.needed
def test_bt500_is_sureals_where_it_holds_and_refuses_where_it_does_not() -> None:
    """nflx has one unanimous clip that changes nothing; on gensvs five of them, and gaps, change who is rejected."""
    found = bt500(*columns("nflx_public"))
    np.testing.assert_allclose([found.score, found.se, found.low, found.high], clips("nflx_public", "BT500"), atol=1e-8)
    with pytest.raises(NotEnough) as refusal:
        bt500(*columns("gensvs_dcr"))
    assert (refusal.value.reason, refusal.value.have) == ("unanimous_clips_and_gaps", 5)


@reference.needed
@BOTH
def test_bt500_literal_and_mended(name: str) -> None:
    """Golden: reference/bt500_literal_vs_fixed.json and *_bt500_fixed_raters.csv."""
    wanted, names = reference.answers("bt500_literal_vs_fixed")[name], codes(reference.ratings(name)["rater"])[1]
    literal = bt500_rejection(*columns(name), mended=False)
    mended = bt500_rejection(*columns(name), mended=True)
    assert names[literal.rejected].tolist() == wanted["literal_J_denominator_no_guard"]
    assert names[mended.rejected].tolist() == wanted["per_rater_denominator_sigma0_guard"]
    table = reference.table(f"{name}_bt500_fixed_raters").sort_values("rater")
    assert mended.high.tolist() == table["P"].tolist()
    assert mended.low.tolist() == table["Q"].tolist()
    np.testing.assert_allclose(mended.extreme, table["stat1"], atol=1e-12)


def panel(listeners: int, clips: int, seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    who, what = (part.ravel() for part in np.meshgrid(range(listeners), range(clips), indexing="ij"))
    latent = rng.normal(3, 0.6, clips)[what] + rng.normal(0, 0.4, listeners)[who] + rng.normal(0, 0.7, who.size)
    return np.clip(np.round(latent), 1, 5), who, what


def test_p910_refuses_when_a_listener_takes_over() -> None:
    """Panels of four: nearly all collapse, as the shared notes on statistics say (98 %)."""
    refused = 0
    for seed in range(40):
        try:
            p910(*panel(4, 16, seed))
        except NotEnough as error:
            assert error.reason == "listener_takes_over"
            refused += 1
    assert refused >= 24
    collapsed = p910(*panel(4, 16, 0), refuse=False)
    assert np.isfinite(collapsed.score).all()


def test_p910_refuses_when_several_take_over_together() -> None:
    """Three of twelve agree but for their level: none has nearly all weight, and the score is theirs all the same."""
    scores, who, what = panel(12, 12, 0)
    same = np.where(who < 3, scores[what] + 0.25 * who, scores)
    with pytest.raises(NotEnough) as refusal:
        p910(same, who, what)
    assert refusal.value.reason == "listener_takes_over"
    taken = p910(same, who, what, refuse=False)
    assert (taken.inconsistency[:3] < 1e-3).all()
    assert (taken.inconsistency[3:] > 0.3).all()


def test_p910_refuses_a_listener_with_one_rating() -> None:
    """The own bias takes all of it, so that nothing is left and the weight is without end."""
    scores, who, what = panel(24, 30, 1)
    kept = (who > 0) | (what == 0)
    p910(scores[who > 0], who[who > 0] - 1, what[who > 0])
    with pytest.raises(NotEnough) as refusal:
        p910(scores[kept], who[kept], what[kept])
    assert refusal.value.reason == "listener_takes_over"


def test_nothing_to_tell_apart_is_refused() -> None:
    who, what = np.divmod(np.arange(32), 4)
    equal, levels = np.full(32, 4.0), 1.0 + who % 4  # who differs in nothing but the level
    for procedure, scores, reason in (
        (p910, equal, "no_spread"),
        (p913, equal, "no_spread"),
        (bt500, equal, "no_spread"),
        (p910, levels, "listener_takes_over"),
        (p913, levels, "no_spread"),
    ):
        with pytest.raises(NotEnough) as refusal:
            procedure(scores, who, what)
        assert refusal.value.reason == reason, procedure
    for procedure in (p910, p913):
        with pytest.raises(NotEnough) as single:
            procedure([3, 4, 5], [0, 1, 2], [0, 0, 0])
        assert (single.value.reason, single.value.have, single.value.need) == ("too_few_clips", 1, 2)


def refused(scores: Any, who: Any, what: Any) -> tuple[str, int]:
    with pytest.raises(NotEnough) as refusal:
        bt500(scores, who, what)
    return refusal.value.reason, refusal.value.have


def test_bt500_says_which_of_its_faults_rejects() -> None:
    """A panel with unanimous clips; and one with gaps, of a listener who turned the scale round and left early."""
    scores, who, what = panel(14, 40, 2)
    unanimous = np.where(what >= 30, 5.0, scores)
    assert refused(unanimous, who, what) == ("unanimous_clips", 10)
    scores, who, what = panel(14, 40, 5)
    heard = (who != 0) | (what < 12)
    turned = np.where(who == 0, 6 - scores, scores)
    assert refused(turned[heard], who[heard], what[heard]) == ("gaps", 0)


def test_parts_that_share_no_listener_are_refused() -> None:
    scores, who, what = [3, 4, 2, 5, 4, 1, 2, 2], [0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 2, 3, 2, 3]
    for procedure in (p910, p913):
        with pytest.raises(NotEnough) as refusal:
            procedure(scores, who, what)
        assert (refusal.value.reason, refusal.value.have) == ("disconnected", 2)


def test_one_listener_or_one_rating_is_refused() -> None:
    for procedure in (p910, p913, bt500):
        with pytest.raises(NotEnough) as alone:
            procedure([3, 4], [0, 0], [0, 1])
        assert alone.value.reason == "too_few_listeners"
    with pytest.raises(NotEnough) as single:
        p913([3, 4, 5], [0, 1, 0], [0, 0, 1])
    assert single.value.reason == "one_rating"
