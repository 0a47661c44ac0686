"""How well listeners agree: intraclass correlations from variance components, and Krippendorff's alpha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Floats, NotEnough, checked
from analysis.statistics.crossed import Components, components


@dataclass(frozen=True)
class Agreement:
    """Intraclass correlations of ratings by item; 1 = perfect, 0 = none.

    `a1`, `c1`: of one listener, absolute and up to the listener's own level; `ak`, `ck`: of the mean of `k` listeners.
    """

    a1: float
    ak: float
    c1: float
    ck: float
    k: float  # ratings per item, on the average
    components: Components  # `song` is the variance between items


def agreement(scores: npt.ArrayLike, listeners: npt.ArrayLike, items: npt.ArrayLike) -> Agreement:
    """ICC(A,1), ICC(A,k), ICC(C,1), ICC(C,k) of items (clips), gaps allowed. Arrays are `[ratings]`.

    From the components of `crossed.components`, v_i between items, v_l between listeners, v_e the rest:
    A,1 = v_i/(v_i + v_l + v_e); C,1 = v_i/(v_i + v_e); A,k = v_i/(v_i + (v_l + v_e)/k); C,k = v_i/(v_i + v_e/k).
    Without gaps they are those of the two-way analysis of variance.
    Source: McGraw and Wong (1996), Psychological Methods 1(1), 30–46, cases 2 and 3.
    Raises `NotEnough` as `components`, and "no_spread" where all ratings are equal.
    """
    found = components(scores, listeners, items)
    item, listener, rest = found.song, found.listener, found.residual
    if item + listener + rest == 0.0:
        raise NotEnough("no_spread")
    k = found.ratings / found.songs
    return Agreement(
        a1=item / (item + listener + rest),
        ak=_share(item, (listener + rest) / k),
        c1=_share(item, rest),
        ck=_share(item, rest / k),
        k=k,
        components=found,
    )


def _share(part: float, other: float) -> float:
    return part / (part + other) if part + other else 0.0


def krippendorff_alpha(scores: npt.ArrayLike, items: npt.ArrayLike, metric: str = "ordinal") -> float:
    """Krippendorff's alpha: 1 − observed / expected disagreement; 1 = perfect, 0 = as by chance, below = worse.

    `scores`, `items`: `[ratings]`; items with one rating do not enter. `metric`: "nominal", "ordinal" or "interval".
    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: coincidences o_cv = Σ n_c (n_v − [c = v])
    / (m − 1) over the items, m ratings each, and the differences given there for nominal, ordinal and interval data.
    Raises `NotEnough`: "no_pairs" where no item has two ratings, "no_spread" where all values that can be paired are
    equal; `ValueError` for another metric.
    """
    values, (what,) = checked(scores, items)
    known, value = np.unique(values, return_inverse=True)
    size = int(what.max(initial=-1)) + 1
    table = np.bincount(what * known.size + value, minlength=size * known.size).reshape(size, known.size).astype(float)
    table = table[table.sum(axis=1) >= 2]
    if not table.size:
        raise NotEnough("no_pairs")
    coincidences = _coincidences(table)
    marginal = coincidences.sum(axis=1)
    distance = _distances(known, marginal, metric)
    expected = float((np.outer(marginal, marginal) * distance).sum() / (marginal.sum() - 1.0))
    if expected == 0.0:
        raise NotEnough("no_spread")
    observed = float((coincidences * distance).sum())
    return 1.0 - observed / expected


def _coincidences(table: Floats) -> Floats:
    """`table`: `[items, values]`, how often each value was given to each item."""
    weights = 1.0 / (table.sum(axis=1) - 1.0)
    paired: Floats = table.T @ (table * weights[:, None])
    return paired - np.diag((table * weights[:, None]).sum(axis=0))


def _distances(known: Floats, marginal: Floats, metric: str) -> Floats:
    """Squared metric differences between all values."""
    if metric == "nominal":
        return 1.0 - np.eye(known.size)
    if metric == "interval":
        return (known[:, None] - known[None, :]) ** 2
    if metric == "ordinal":
        middle = np.cumsum(marginal) - marginal / 2.0  # ranks between two values, half of each end's own
        return (middle[:, None] - middle[None, :]) ** 2
    raise ValueError(f"no metric is called {metric!r}: nominal, ordinal or interval")
