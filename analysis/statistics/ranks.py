"""Tests on ranks, shown as secondary: Friedman over all systems, Wilcoxon over pairs with Holm's adjustment.

They take one mean per block (listener, or song) and system, so they speak of these clips, or of these listeners; the
crossed differences of `comparison.py` are what this project concludes from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, ndtr

from analysis.statistics.arrays import Codes, Floats, NotEnough, checked
from analysis.statistics.comparison import pairs
from analysis.statistics.multiplicity import benjamini_hochberg, holm

EXACT_UPTO = 50  # differences without ties or zeros
PERMUTED_UPTO = 13  # with ties or zeros


@dataclass(frozen=True)
class Friedman:
    chi2: float
    df: int
    p: float
    kendall_w: float  # agreement of the blocks' orders, 0 to 1
    blocks: int


@dataclass(frozen=True)
class Wilcoxon:
    first: int
    second: int
    statistic: float  # the smaller sum of ranks
    p: float | None  # None where all differences are 0
    p_holm: float | None
    p_bh: float | None
    blocks: int
    zeros: int


def block_means(
    scores: npt.ArrayLike, blocks: npt.ArrayLike, systems: npt.ArrayLike, *, system_count: int | None = None
) -> Floats:
    """Mean of each block and system, `[blocks, systems]`; only blocks in which every system was rated.

    Arrays are `[ratings]`; `systems` run to `system_count` (default: as many as occur).
    """
    values, (block, which) = checked(scores, blocks, systems)
    columns = int(which.max(initial=-1)) + 1 if system_count is None else system_count
    size = (int(block.max(initial=-1)) + 1) * columns
    place = block * columns + which
    with np.errstate(invalid="ignore"):
        table = np.bincount(place, values, minlength=size) / np.bincount(place, minlength=size)
    table = table.reshape(-1, columns) if columns else np.zeros((0, 0))
    complete: Floats = table[np.isfinite(table).all(axis=1)]
    return complete


def friedman(table: npt.ArrayLike) -> Friedman:
    """Whether systems differ in rank, over blocks: χ² with the correction for ties. `table`: `[blocks, systems]`.

    Source: Friedman (1937), JASA 32(200), 675–701; Conover (1999), Practical Nonparametric Statistics, §5.8.
    Raises `NotEnough`: "too_few_systems" below three, "too_few_blocks" below two, "no_spread" where all are tied.
    """
    values = np.asarray(table, dtype=np.float64)
    blocks, systems = values.shape
    if systems < 3:
        raise NotEnough("too_few_systems", systems, 3)
    if blocks < 2:
        raise NotEnough("too_few_blocks", blocks, 2)
    ranks, ties = ranked(values)
    correction = 1.0 - ties.sum() / (blocks * systems * (systems**2 - 1.0))
    if correction <= 0.0:
        raise NotEnough("no_spread")
    sums = ranks.sum(axis=0)
    raw = 12.0 / (systems * blocks * (systems + 1)) * float(sums @ sums) - 3.0 * blocks * (systems + 1)
    chi2 = raw / correction
    p = float(gammaincc((systems - 1) / 2.0, chi2 / 2.0))
    return Friedman(chi2, systems - 1, p, chi2 / (blocks * (systems - 1)), blocks)


def wilcoxon_holm(table: npt.ArrayLike) -> tuple[Wilcoxon, ...]:
    """Wilcoxon's signed-rank test of every pair of systems, two-sided, with Holm and Benjamini–Hochberg.

    `table`: `[blocks, systems]`. Zeros are left out. Exact up to 50 differences without ties and zeros, all
    permutations up to 13 with them, else the normal approximation corrected for ties.
    Source: Wilcoxon (1945), Biometrics Bulletin 1(6), 80–83; the rules of choice are scipy.stats.wilcoxon's.
    """
    values = np.asarray(table, dtype=np.float64)
    found = [(one, two, *_signed_rank(values[:, one] - values[:, two])) for one, two in pairs(values.shape[1])]
    p = np.array([np.nan if one[3] is None else one[3] for one in found])
    return tuple(
        Wilcoxon(first, second, statistic, p_value, _number(a), _number(b), blocks, zeros)
        for (first, second, statistic, p_value, blocks, zeros), a, b in zip(
            found, holm(p), benjamini_hochberg(p), strict=True
        )
    )


def ranked(values: Floats) -> tuple[Floats, Floats]:
    """Ranks within each row, ties sharing their mean, and Σ(t³ − t) of each row's ties. `values`: `[rows, n]`."""
    rows, n = values.shape
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    starts = np.ones((rows, n), dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    run = np.cumsum(starts.ravel()) - 1
    length = np.bincount(run)
    first = np.flatnonzero(starts.ravel()) % max(n, 1)
    shared = (first + (length + 1) / 2.0)[run].reshape(rows, n)
    ranks = np.empty((rows, n))
    np.put_along_axis(ranks, order, shared, axis=1)
    cubes = (length.astype(np.float64) ** 3 - length)[run] / length[run]
    return ranks, cubes.reshape(rows, n).sum(axis=1)


def _signed_rank(differences: Floats) -> tuple[float, float | None, int, int]:
    """Statistic, p, blocks, zeros."""
    zeros = int((differences == 0).sum())
    kept = differences[differences != 0]
    if not kept.size:
        return 0.0, None, differences.size, zeros
    ranks, ties = ranked(np.abs(kept)[None, :])
    above = float(ranks[0][kept > 0].sum())
    statistic = min(above, float(ranks.sum()) - above)
    if ties[0] == 0 and not zeros and differences.size <= EXACT_UPTO:
        p = _exact_p(np.arange(1, kept.size + 1), statistic)
    elif differences.size <= PERMUTED_UPTO:
        p = _exact_p(np.asarray(2.0 * ranks[0] + 0.5, dtype=np.intp), 2.0 * statistic)
    else:
        p = _normal_p(above, kept.size, float(ties[0]))
    return statistic, p, differences.size, zeros


def _exact_p(ranks: Codes, statistic: float) -> float:
    """Two-sided: over all signs of whole-number ranks, how often the sum is at most the smaller one."""
    ways = np.zeros(int(ranks.sum()) + 1)
    ways[0] = 1.0
    for rank in ranks:
        ways[rank:] = ways[rank:] + ways[:-rank]
    return float(min(2.0 * ways[: int(np.floor(statistic + 1e-9)) + 1].sum() / 2.0**ranks.size, 1.0))


def _normal_p(above: float, n: int, ties: float) -> float:
    mean = n * (n + 1.0) / 4.0
    se = np.sqrt((n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0)
    return float(min(2.0 * ndtr(-abs(above - mean) / se), 1.0)) if se > 0 else 1.0


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
