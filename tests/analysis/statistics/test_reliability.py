"""Agreement: by hand, and against pingouin and krippendorff on published ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f

from analysis.statistics.arrays import Floats, NotEnough, codes
from analysis.statistics.clips import clip_scores
from analysis.statistics.reliability import agreement, alpha_interval, krippendorff_alpha, repeated, sos_parameter

from . import reference


def test_icc_by_hand() -> None:
    """Components 3 (listener), 1 (item), 0.25 (rest), see test_crossed: A,1 = 1/4.25, C,1 = 1/1.25, k = 2."""
    found = agreement([1, 2, 3, 5], [0, 0, 1, 1], [0, 1, 0, 1])
    assert (found.a1, found.c1) == pytest.approx((1 / 4.25, 0.8))
    assert (found.ak, found.ck) == pytest.approx((1 / (1 + 3.25 / 2), 1 / 1.125))


def anova(table: Floats) -> tuple[Floats, Floats, Floats]:
    """A,1, A,k, C,1, C,k of `[clips, listeners]` from mean squares, and the limits of A,1 and of C,1, as McGraw and
    Wong (1996) and the packages psych and pingouin compute them."""
    n, k = table.shape
    clips, people = table.mean(axis=1), table.mean(axis=0)
    rows = k * ((clips - table.mean()) ** 2).sum() / (n - 1)
    columns = n * ((people - table.mean()) ** 2).sum() / (k - 1)
    left = ((table - clips[:, None] - people[None] + table.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    a1 = (rows - left) / (rows + (k - 1) * left + k * (columns - left) / n)
    forms = [a1, (rows - left) / (rows + (columns - left) / n)]
    forms += [(rows - left) / (rows + (k - 1) * left), (rows - left) / rows]
    ratio, mixed = columns / left, n * (1 + (k - 1) * a1) - k * a1
    df = (k - 1) * (n - 1) * (k * a1 * ratio + mixed) ** 2 / ((n - 1) * (k * a1 * ratio) ** 2 + mixed**2)
    up, down = f.ppf(0.975, n - 1, df), f.ppf(0.975, df, n - 1)
    between = k * columns + (k * n - k - n) * left
    absolute = [
        n * (rows - up * left) / (up * between + n * rows),
        n * (down * rows - left) / (between + n * down * rows),
    ]
    low, high = (
        rows / left / f.ppf(0.975, n - 1, (n - 1) * (k - 1)),
        rows / left * f.ppf(0.975, (n - 1) * (k - 1), n - 1),
    )
    return np.array(forms), np.array(absolute), np.array([(one - 1) / (one + k - 1) for one in (low, high)])


def test_icc_is_that_of_the_analysis_of_variance_whatever_is_negative() -> None:
    """Complete sets in which listeners or clips hardly differ: an estimate below 0 enters as it is."""
    rng = np.random.default_rng(0)
    below = [0, 0]
    for _set in range(60):
        n, k = int(rng.integers(8, 60)), int(rng.integers(4, 20))
        people, clips = rng.choice([0.0, 0.05, 0.4]), rng.choice([0.0, 0.8])
        table = 3 + rng.normal(0, clips, n)[:, None] + rng.normal(0, people, k)[None] + rng.normal(0, 0.7, (n, k))
        table = np.clip(np.round(table), 1, 5)
        found = agreement(table.ravel(), np.tile(np.arange(k), n), np.repeat(np.arange(n), k))
        forms, absolute, consistent = anova(table)
        assert (found.a1, found.ak, found.c1, found.ck) == pytest.approx(tuple(forms), abs=1e-9)
        assert found.a1_interval == pytest.approx(tuple(absolute), abs=1e-6)
        assert found.c1_interval == pytest.approx(tuple(consistent), abs=1e-6)
        below[0] += found.components.listener == 0.0
        below[1] += found.components.song == 0.0
        assert min(found.components.listener, found.components.song, found.components.residual) >= 0.0
    assert min(below) > 5


def test_icc_without_a_denominator_is_none() -> None:
    """Two listeners who contradict each other: neither clips nor listeners differ, and the rest is all there is."""
    found = agreement([1, 2, 2, 1], [0, 1, 0, 1], [0, 0, 1, 1])
    assert np.isnan([found.a1, found.ak, found.ck]).all()


def test_an_icc_interval_that_says_nothing_is_none() -> None:
    """From two listeners none; from more, none that reaches below −1, which no correlation does."""
    rng = np.random.default_rng(3)
    two = agreement(rng.integers(1, 6, 40), np.tile([0, 1], 20), np.repeat(np.arange(20), 2))
    assert np.isnan([two.a1_interval, two.ak_interval, two.c1_interval, two.ck_interval]).all()
    assert set(two.no_interval.values()) == {"fewer_than_3_listeners"}
    apart = agreement([1, 3, 5, 3, 4, 1, 5, 1, 3, 2, 3, 4], np.tile(range(3), 4), np.repeat(np.arange(4), 3))
    assert np.isfinite(apart.c1_interval).all()
    assert np.isnan(apart.ck_interval).all()
    assert apart.no_interval["ck"] == "interval_below_minus_1"


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
        ([3, 4, 3], [0, 0, 0], "too_few_songs"),
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
    for form, interval in [("ICC(A,1)", found.a1_interval), ("ICC(C,1)", found.c1_interval)]:
        assert [round(end, 2) for end in interval] == wanted[form]["ci95"]
    for form, interval in [("ICC(A,k)", found.ak_interval), ("ICC(C,k)", found.ck_interval)]:
        assert [round(end, 2) for end in interval] == wanted[form]["ci95"]


def test_icc_intervals_hold_their_promise_with_gaps() -> None:
    """20 listeners, 30 clips, two fifths missing, true ICC(A,1) 0.4 and ICC(C,1) 0.5; 300 seeded data sets."""
    rng = np.random.default_rng(4)
    who, what = (part.ravel() for part in np.meshgrid(range(20), range(30), indexing="ij"))
    held = np.zeros(2)
    for _set in range(300):
        kept = np.flatnonzero(rng.random(who.size) < 0.6)
        scores = rng.normal(0, 0.5**0.5, 20)[who] + rng.normal(0, 1, 30)[what] + rng.normal(0, 1, who.size)
        found = agreement(scores[kept], who[kept], what[kept])
        held += [ends[0] <= true <= ends[1] for ends, true in [(found.a1_interval, 0.4), (found.c1_interval, 0.5)]]
    assert (held / 300 > 0.92).all()


def test_the_noise_ceiling_is_what_a_perfect_metric_reaches() -> None:
    """Ten listeners per clip out of forty; the metric is the clips' true quality."""
    rng = np.random.default_rng(5)
    what = np.repeat(np.arange(120), 10)
    reached, promised = [], []
    for _set in range(20):
        who = np.concatenate([rng.permutation(40)[:10] for _clip in range(120)])
        true = rng.normal(0, 0.7, 120)
        scores = true[what] + rng.normal(0, 0.6, 40)[who] + rng.normal(0, 1.2, 1200)
        reached.append(np.corrcoef(true, np.bincount(what, scores) / 10)[0, 1])
        promised.append(agreement(scores, who, what).noise_ceiling)
    assert np.mean(promised) == pytest.approx(np.mean(reached), abs=0.015)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_alpha_interval_is_that_of_drawing_songs(metric: str) -> None:
    """Against alpha computed anew for each draw of whole songs."""
    rng = np.random.default_rng(6)
    what = np.repeat(np.arange(24), 6)
    song = what // 2
    scores = np.clip(np.round(3 + rng.normal(0, 0.8, 24)[what] + rng.normal(0, 0.8, 144)), 1, 5)
    drawn = []
    for _draw in range(400):
        chosen = rng.integers(0, 12, 12)
        rows = np.concatenate([np.flatnonzero(song == one) for one in chosen])
        copies = np.concatenate([what[song == one] + 100 * place for place, one in enumerate(chosen)])
        drawn.append(krippendorff_alpha(scores[rows], copies, metric))
    found = alpha_interval(scores, what, song, metric=metric, replicates=4000)
    assert found == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.05)
    assert found == alpha_interval(scores, what, song, metric=metric, replicates=4000)


def test_alpha_interval_says_what_alpha_says() -> None:
    with pytest.raises(NotEnough) as refusal:
        alpha_interval([1, 2], [0, 1])
    assert refusal.value.reason == "no_pairs"
    assert np.isnan(alpha_interval([3, 3, 3], [0, 0, 0])).all()


def test_repeats_by_hand() -> None:
    """Differences 0, 1, 0, −1: squares 2 of 4, so √(2/4/2) = 0.5; listener means 0.5 and −0.5."""
    found = repeated([1, 2, 3, 4], [1, 3, 3, 3], [0, 0, 1, 1])
    assert (found.sd, found.same, found.within_one, found.pairs, found.listeners) == (0.5, 0.5, 1.0, 4, 2)
    assert found.shift.centre == 0.0
    assert found.correlation == pytest.approx(np.corrcoef([1, 2, 3, 4], [1, 3, 3, 3])[0, 1])
    assert repeated([1], [2], [0]).shift is None
    with pytest.raises(NotEnough):
        repeated([], [], np.array([], int))


def test_sos_by_hand() -> None:
    """SOS² = 0.2·(5 − 3)(3 − 1) at MOS 3 and 0.2·(5 − 2)(2 − 1) at MOS 2: a = 0.2; a clip of one rating is left out."""
    sd = np.sqrt(np.array([0.8, 0.6, 9.0]) * 10 / 9)
    assert sos_parameter([3, 2, 4], sd, [10, 10, 1]) == pytest.approx(0.2)
    with pytest.raises(NotEnough):
        sos_parameter([5, 1], [0, 0], [9, 9])


@reference.needed
@pytest.mark.parametrize("name", ["gensvs_dcr", "nflx_public"])
def test_sos_of_published_ratings(name: str) -> None:
    data = reference.ratings(name)
    clips = clip_scores(data["score"], codes(data["clip"])[0])
    wanted = reference.answers(f"{name}_stats")["sos_a"]
    assert sos_parameter(clips.mos, clips.sd, clips.ratings) == pytest.approx(wanted, abs=1e-9)
