"""Friedman and Wilcoxon: against scipy and published answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.arrays import NotEnough, codes
from analysis.statistics.ranks import block_means, friedman, ranked, wilcoxon_holm

from . import reference


def test_ranks_share_ties() -> None:
    ranks, ties = ranked(np.array([[3.0, 1.0, 3.0, 3.0], [1.0, 2.0, 3.0, 4.0]]))
    assert ranks.tolist() == [[3, 1, 3, 3], [1, 2, 3, 4]]
    assert ties.tolist() == [24.0, 0.0]


def test_only_complete_blocks_enter() -> None:
    """Listener 1 never rated system 1."""
    table = block_means([5, 3, 4, 2, 1], [0, 0, 0, 1, 2], [0, 1, 1, 0, 1])
    assert table.tolist() == [[5, 3.5]]


@pytest.mark.parametrize("blocks", [5, 13, 14, 30, 50, 51, 80])
@pytest.mark.parametrize("tied", [False, True])
def test_wilcoxon_is_scipys(blocks: int, tied: bool) -> None:
    rng = np.random.default_rng(blocks)
    table = rng.integers(1, 6, (blocks, 3)).astype(float) if tied else rng.normal(size=(blocks, 3))
    for found in wilcoxon_holm(table):
        wanted = stats.wilcoxon(table[:, found.first], table[:, found.second])
        assert found.p == pytest.approx(wanted.pvalue, abs=1e-9)
        assert found.statistic == pytest.approx(wanted.statistic)


def test_friedman_is_scipys() -> None:
    table = np.random.default_rng(1).integers(1, 6, (25, 4)).astype(float)
    wanted = stats.friedmanchisquare(*table.T)
    found = friedman(table)
    assert (found.chi2, found.p) == pytest.approx((wanted.statistic, wanted.pvalue), abs=1e-9)
    assert found.kendall_w == pytest.approx(wanted.statistic / (25 * 3))


def test_what_cannot_be_ranked_says_so() -> None:
    for table, reason in [
        (np.ones((9, 2)), "too_few_systems"),
        (np.ones((1, 3)), "too_few_blocks"),
        (np.ones((9, 3)), "no_spread"),
    ]:
        with pytest.raises(NotEnough) as refusal:
            friedman(table)
        assert refusal.value.reason == reason
    assert wilcoxon_holm(np.ones((9, 2)))[0].p is None


@reference.needed
@pytest.mark.parametrize(("by", "column"), [("compare_by_rater", "rater"), ("compare_by_content", "content")])
def test_published_ratings(by: str, column: str) -> None:
    """Golden numbers: scipy and pingouin, reference/gensvs_dcr_stats.json, to 1e-9."""
    data, wanted = reference.ratings("gensvs_dcr"), reference.answers("gensvs_dcr_stats")[by]
    table = block_means(data["score"], codes(data[column])[0], codes(data["system"])[0])
    found, golden = friedman(table), wanted["friedman_scipy"]
    assert (found.chi2, found.p, found.kendall_w) == pytest.approx(
        (golden["chi2"], golden["p"], golden["kendall_W"]), abs=1e-9
    )
    for pair, answer in zip(wilcoxon_holm(table), wanted["pairwise_wilcoxon"], strict=True):
        got = (pair.statistic, pair.p, pair.p_holm, pair.p_bh, pair.zeros)
        assert got == pytest.approx(
            tuple(answer[key] for key in ("W", "p_wilcoxon", "p_holm", "p_fdr_bh", "n_zero")), abs=1e-9
        )
