"""Agreement: by hand, and against pingouin and krippendorff on published ratings."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.reliability import agreement, krippendorff_alpha

from . import reference


def test_icc_by_hand() -> None:
    """Components 3 (listener), 1 (item), 0.25 (rest), see test_crossed: A,1 = 1/4.25, C,1 = 1/1.25, k = 2."""
    found = agreement([1, 2, 3, 5], [0, 0, 1, 1], [0, 1, 0, 1])
    assert (found.a1, found.c1) == pytest.approx((1 / 4.25, 0.8))
    assert (found.ak, found.ck) == pytest.approx((1 / (1 + 3.25 / 2), 1 / 1.125))


def test_alpha_by_hand() -> None:
    """Two items, nominal: 1 1 | 1 2. Coincidences: 11 = 2, 12 = 21 = 1; marginals 3 and 1, so expected disagreement
    is 2·3·1/3 = 2, observed 2: alpha 0."""
    assert krippendorff_alpha([1, 1, 1, 2], [0, 0, 1, 1], "nominal") == pytest.approx(0.0)


def test_perfect_agreement_is_one_whatever_the_metric() -> None:
    for metric in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha([1, 1, 4, 4, 5, 5], [0, 0, 1, 1, 2, 2], metric) == pytest.approx(1.0)


def test_an_item_with_one_rating_does_not_enter() -> None:
    with_it = krippendorff_alpha([1, 2, 4, 4, 5], [0, 0, 1, 1, 2])
    assert with_it == pytest.approx(krippendorff_alpha([1, 2, 4, 4], [0, 0, 1, 1]))


def test_what_cannot_be_answered_says_so() -> None:
    for scores, items, reason in [
        ([1, 2], [0, 1], "no_pairs"),
        ([3, 3, 3], [0, 0, 0], "no_spread"),
        ([], [], "no_pairs"),
    ]:
        with pytest.raises(NotEnough) as refusal:
            krippendorff_alpha(scores, np.array(items, int))
        assert refusal.value.reason == reason
    with pytest.raises(ValueError, match="no metric"):
        krippendorff_alpha([1, 2], [0, 0], "ratio")
    with pytest.raises(NotEnough) as equal:
        agreement([3] * 9, np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3))
    assert equal.value.reason == "no_spread"


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_alpha_of_published_ratings(name: str, metric: str) -> None:
    """Golden numbers: the package krippendorff 0.9.0, to 1e-9."""
    data, wanted = reference.ratings(name), reference.answers(f"{name}_stats")["reliability"]
    found = krippendorff_alpha(data["score"], codes(data["clip"])[0], metric)
    assert found == pytest.approx(wanted[f"krippendorff_alpha_{metric}"], abs=1e-9)


@reference.needed
def test_icc_of_complete_published_ratings() -> None:
    """Golden numbers: pingouin 0.7.0, to 1e-6."""
    data = reference.ratings("nflx_public")
    wanted = reference.answers("nflx_public_stats")["reliability"]["pingouin_ICC"]
    found = agreement(data["score"], codes(data["rater"])[0], codes(data["clip"])[0])
    golden = tuple(wanted[form]["icc"] for form in ("ICC(A,1)", "ICC(A,k)", "ICC(C,1)", "ICC(C,k)"))
    assert (found.a1, found.ak, found.c1, found.ck) == pytest.approx(golden, abs=1e-6)
