"""How well listeners agree, with each other and with themselves: ICC, Krippendorff's alpha, repeats, SOS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri, stdtrit

from analysis.statistics.arrays import Floats, NotEnough, checked, values_and_codes
from analysis.statistics.crossed import Components, components
from analysis.statistics.intervals import LEVEL, Interval, mean_interval

Limits = tuple[float, float]


MIN_LISTENERS = 3
"""Below it there is no interval of an intraclass correlation: from two, it can reach from 0.9 to far below −1."""
NONE = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Agreement:
    """Intraclass correlations of ratings by item; 1 = perfect, 0 = none; each with its interval.

    `a1`, `c1`: of one listener, absolute and up to the listener's own level; `ak`, `ck`: of the mean of `k` listeners.
    NaN where the variance that it would be a share of is 0 or, as estimated, below.
    `no_interval`: by name ("a1", …), why its limits are NaN: "fewer_than_3_listeners", "no_spread" (nothing varies
    beside listeners and items), "interval_below_minus_1" (it says nothing: no correlation is there).
    """

    a1: float
    ak: float
    c1: float
    ck: float
    k: float  # ratings per item: their mean where all items have the same, else the effective number
    a1_interval: Limits
    ak_interval: Limits
    c1_interval: Limits
    ck_interval: Limits
    no_interval: Mapping[str, str]
    components: Components  # `song` is the variance between items
    level: float

    @property
    def noise_ceiling(self) -> float:
        """The correlation with the items' means that a perfect metric could reach: √reliability of the means.

        Listeners' biases are noise only as far as items were rated by different listeners.
        """
        found = self.components
        shared = min(self.k / found.listeners, 1.0)
        noise = (found.listener * (1.0 - shared) + found.residual) / self.k
        return float((found.song / (found.song + noise)) ** 0.5) if found.song > 0.0 else 0.0


def agreement(scores: npt.ArrayLike, listeners: npt.ArrayLike, items: npt.ArrayLike, level: float = LEVEL) -> Agreement:
    """ICC(A,1), ICC(A,k), ICC(C,1), ICC(C,k) of items (clips), gaps allowed. Arrays are `[ratings]`.

    From the components of `crossed.components`, v_i between items, v_l between listeners, v_e the rest, each as
    estimated, so also below 0:
    A,1 = v_i/(v_i + v_l + v_e); C,1 = v_i/(v_i + v_e); A,k = v_i/(v_i + (v_l + v_e)/k); C,k = v_i/(v_i + v_e/k).
    Without gaps they are those of the two-way analysis of variance, and so are the intervals; with gaps the mean
    squares are made from the components as in a complete design of k listeners, known as well as all listeners are.
    Source: McGraw and Wong (1996), Psychological Methods 1(1), 30–46, cases 2 and 3, table 7.
    Raises `NotEnough` as `components`, and "no_spread" where all ratings are equal.
    """
    found = components(scores, listeners, items)
    item, listener, rest = found.raw_song, found.raw_listener, found.raw_residual
    size = abs(item) + abs(listener) + abs(rest)
    if size <= 1e-24:
        raise NotEnough("no_spread")
    k = found.ratings / found.songs
    noise = {"a1": listener + rest, "ak": (listener + rest) / k, "c1": rest, "ck": rest / k}
    single = dict(zip(("a1", "c1"), _icc_intervals(found, level), strict=True))
    ends = single | {f"{form}k": _stepped_up(single[f"{form}1"], k) for form in "ac"}
    no_interval = {name: why for name, one in ends.items() if (why := _no_interval(found, one))}
    ends |= dict.fromkeys(no_interval, NONE)
    share = {name: _share(item, other, 1e-12 * size) for name, other in noise.items()}
    return Agreement(
        a1=share["a1"],
        ak=share["ak"],
        c1=share["c1"],
        ck=share["ck"],
        k=k,
        a1_interval=ends["a1"],
        ak_interval=ends["ak"],
        c1_interval=ends["c1"],
        ck_interval=ends["ck"],
        no_interval=no_interval,
        components=found,
        level=level,
    )


def _no_interval(found: Components, limits: Limits) -> str:
    if found.listeners < MIN_LISTENERS:
        return "fewer_than_3_listeners"
    if np.isnan(limits).any():
        return "no_spread"
    return "" if -1.0 <= limits[0] <= limits[1] else "interval_below_minus_1"


def _icc_intervals(found: Components, level: float) -> tuple[Limits, Limits]:
    """Of ICC(A,1) and ICC(C,1): F of the mean squares, with Satterthwaite's degrees of freedom for A."""
    n, per_item = found.songs, found.ratings / found.songs
    rest = max(found.ratings - found.songs - found.listeners + 1, 1)
    effective = (found.ratings - found.k2) / (n - 1)  # ratings per item: Searle's n0
    left = found.raw_residual
    if found.listeners < MIN_LISTENERS or left <= 1e-12 * (abs(found.raw_song) + abs(found.raw_listener)):
        return NONE, NONE
    ms_items = max(effective * found.raw_song + left, 0.0)  # never below without gaps
    upper_f, lower_f = _quantile_f(n - 1, rest, level), _quantile_f(rest, n - 1, level)
    low, high = ms_items / left / upper_f, ms_items / left * lower_f
    consistency = (low - 1.0) / (low + per_item - 1.0), (high - 1.0) / (high + per_item - 1.0)
    return _absolute_interval(found, ms_items, per_item, rest, level), consistency


def _absolute_interval(found: Components, ms_items: float, k: float, rest: int, level: float) -> Limits:
    n, e = found.songs, found.raw_residual
    # as if each had rated all items; their number stays in the degrees
    ms_listeners = max(n * found.raw_listener + e, 0.0)
    total = ms_items + (k - 1.0) * e + k * (ms_listeners - e) / n
    icc = (ms_items - e) / total if total > 0 else 0.0
    if icc >= 1.0:
        return NONE
    a = k * icc / (n * (1.0 - icc))
    b = 1.0 + k * icc * (n - 1.0) / (n * (1.0 - icc))
    mixed = a * ms_listeners + b * e
    between = k * ms_listeners + (k * n - k - n) * e
    if mixed == 0.0 or between <= 0.0:  # all items' means are equal, or hardly anybody rated the same ones
        return NONE
    df = mixed**2 / ((a * ms_listeners) ** 2 / (found.listeners - 1) + (b * e) ** 2 / rest)
    upper_f, lower_f = _quantile_f(n - 1, df, level), _quantile_f(df, n - 1, level)
    low = n * (ms_items - upper_f * e) / (upper_f * between + n * ms_items)
    high = n * (lower_f * ms_items - e) / (between + n * lower_f * ms_items)
    return float(low), float(high)


def _quantile_f(first: float, second: float, level: float) -> float:
    return float(fdtri(first, second, (1.0 + level) / 2.0))


def _stepped_up(limits: Limits, k: float) -> Limits:
    """Spearman–Brown: of the mean of k; −∞ where its denominator is 0 or below."""
    low, high = (-np.inf if 1.0 + one * (k - 1.0) <= 0.0 else one * k / (1.0 + one * (k - 1.0)) for one in limits)
    return float(low), float(high)


def _share(part: float, other: float, least: float) -> float:
    return part / (part + other) if part + other > least else float("nan")


def krippendorff_alpha(scores: npt.ArrayLike, items: npt.ArrayLike, metric: str = "ordinal") -> float:
    """Krippendorff's alpha: 1 − observed / expected disagreement; 1 = perfect, 0 = as by chance, below = worse.

    `scores`, `items`: `[ratings]`; items with one rating do not enter. `metric`: "nominal", "ordinal" or "interval".
    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: coincidences o_cv = Σ n_c (n_v − [c = v])
    / (m − 1) over the items, m ratings each, and the differences given there for nominal, ordinal and interval data.
    Raises `NotEnough`: "no_pairs" where no item has two ratings, "too_few_songs" where one item has, "no_spread" where
    all values that can be paired are equal; `ValueError` for another metric.
    """
    known, table = _table(scores, items)
    found = _alpha(_coincidences(table)[None], known, metric)[0]
    if np.isnan(found):
        raise NotEnough("no_spread")
    if table.shape[0] < 2:  # alpha is 0 whatever was said
        raise NotEnough("too_few_songs", 1, 2)
    return float(found)


def alpha_interval(
    scores: npt.ArrayLike,
    items: npt.ArrayLike,
    songs: npt.ArrayLike | None = None,
    *,
    metric: str = "ordinal",
    replicates: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> Limits:
    """Bootstrap percentile limits of `krippendorff_alpha`: songs (default: items) are drawn anew, whole.

    Arrays are `[ratings]`. Coincidences add up over items, so a replicate is a weighted sum. The same seed gives the
    same limits. Raises as `krippendorff_alpha`; NaN where most replicates had no spread.
    Source: Hayes and Krippendorff (2007), Communication Methods and Measures 1(1), 77–89, with units drawn, not pairs.
    """
    values, (what,) = checked(scores, items)
    known, table = _table(values, what, paired_only=False)
    where = what if songs is None else checked(values, songs)[1][0]
    of_item = np.zeros(table.shape[0], dtype=np.intp)
    of_item[what] = where
    paired = table.sum(axis=1) >= 2
    groups, of_item = np.unique(of_item[paired], return_inverse=True)
    table, width = table[paired], known.size
    if not table.size:
        raise NotEnough("no_pairs")
    weights = 1.0 / (table.sum(axis=1) - 1.0)
    each = np.einsum("ic,iv,i->icv", table, table, weights)
    each[:, np.arange(width), np.arange(width)] -= table * weights[:, None]
    by_group = np.zeros((groups.size, width * width))
    np.add.at(by_group, of_item, each.reshape(-1, width * width))
    draws = np.random.default_rng(seed).multinomial(groups.size, np.full(groups.size, 1.0 / groups.size), replicates)
    found = _alpha((draws @ by_group).reshape(-1, width, width), known, metric)
    if np.isnan(found).mean() > 0.5:
        return float("nan"), float("nan")
    low, high = np.nanquantile(found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def _table(scores: npt.ArrayLike, items: npt.ArrayLike, paired_only: bool = True) -> tuple[Floats, Floats]:
    """Different values, and how often each item was given each, `[items, values]`."""
    values, (what,) = checked(scores, items)
    known, value = values_and_codes(values)
    size = int(what.max(initial=-1)) + 1
    table = np.bincount(what * known.size + value, minlength=size * known.size).reshape(size, known.size).astype(float)
    if not paired_only:
        return known, table
    table = table[table.sum(axis=1) >= 2]
    if not table.size:
        raise NotEnough("no_pairs")
    return known, table


def _alpha(coincidences: Floats, known: Floats, metric: str) -> Floats:
    """Of each `[values, values]` of coincidences; NaN where nothing is expected to differ."""
    marginal = coincidences.sum(axis=2)
    distance = _distances(known, marginal, metric)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.einsum("rc,rv,rcv->r", marginal, marginal, distance) / (marginal.sum(axis=1) - 1.0)
        observed = np.einsum("rcv,rcv->r", coincidences, distance)
        alpha: Floats = np.where(expected > 0.0, 1.0 - observed / expected, np.nan)
    return alpha


def _coincidences(table: Floats) -> Floats:
    """`table`: `[items, values]`, how often each value was given to each item."""
    weights = 1.0 / (table.sum(axis=1) - 1.0)
    paired: Floats = table.T @ (table * weights[:, None])
    return paired - np.diag((table * weights[:, None]).sum(axis=0))


def _distances(known: Floats, marginal: Floats, metric: str) -> Floats:
    """Squared metric differences between all values, `[replicates, values, values]`; `marginal`: one row each."""
    if metric == "nominal":
        return np.broadcast_to(1.0 - np.eye(known.size), (marginal.shape[0], known.size, known.size))
    if metric == "interval":
        squared = (known[:, None] - known[None, :]) ** 2
        return np.broadcast_to(squared, (marginal.shape[0], known.size, known.size))
    if metric == "ordinal":
        middle = np.cumsum(marginal, axis=1) - marginal / 2.0  # ranks between two values, half of each end's own
        ordinal: Floats = (middle[:, :, None] - middle[:, None, :]) ** 2
        return ordinal
    raise ValueError(f"no metric is called {metric!r}: nominal, ordinal or interval")


@dataclass(frozen=True)
class Repeated:
    """What listeners said the second time, against the first."""

    pairs: int
    listeners: int
    shift: Interval | None  # second − first, over listeners; None below two listeners
    sd: float  # of one rating's own wavering: SD of the differences / √2
    repeatability: float  # two ratings of one clip by one listener differ by less than this in 95 of 100 cases
    same: float  # share of pairs with the same score
    within_one: float  # at most one point apart
    correlation: float  # Pearson's; NaN without spread


def repeated(first: npt.ArrayLike, second: npt.ArrayLike, listeners: npt.ArrayLike) -> Repeated:
    """Ratings of the same clip by the same listener, once and again. Arrays are `[pairs]`.

    Source: Bland and Altman (1986), The Lancet 327(8476), 307–310. Raises `NotEnough("no_pairs")`.
    """
    before, (who,) = checked(first, listeners)
    after, _none = checked(second)
    if not before.size:
        raise NotEnough("no_pairs")
    difference = after - before
    counts = np.bincount(who)
    means = np.bincount(who, difference)[counts > 0] / counts[counts > 0]
    within = float(np.sqrt((difference**2).mean() / 2.0))
    spread = before.std() > 0 and after.std() > 0
    return Repeated(
        pairs=before.size,
        listeners=means.size,
        shift=mean_interval(means) if means.size > 1 else None,
        sd=within,
        repeatability=float(stdtrit(before.size, 0.975)) * 2**0.5 * within,
        same=float((difference == 0).mean()),
        within_one=float((np.abs(difference) <= 1).mean()),
        correlation=float(np.corrcoef(before, after)[0, 1]) if before.size > 1 and spread else float("nan"),
    )


def sos_parameter(
    mos: npt.ArrayLike, sd: npt.ArrayLike, ratings: npt.ArrayLike, scale: tuple[float, float] = (1.0, 5.0)
) -> float:
    """a of SOS² = a·(high − MOS)(MOS − low), least squares over the clips; SOS² is the variance with n below it.

    `mos`, `sd` (n − 1), `ratings`: `[clips]`. 0 = all agree, 1 = all ratings at the ends; studies of one kind have
    similar a, so that another a says that something else was measured. Clips with NaN do not enter.
    Source: Hoßfeld, Schatz and Egger (2011), QoMEX, eq. (2).
    Raises `NotEnough("no_spread")` where every MOS is at an end of the scale.
    """
    means, spread, counts = (np.asarray(part, dtype=np.float64) for part in (mos, sd, ratings))
    there = np.isfinite(means) & np.isfinite(spread) & (counts > 1)
    means, variance = means[there], spread[there] ** 2 * (counts[there] - 1.0) / counts[there]
    curve = (scale[1] - means) * (means - scale[0])
    if not (curve > 0).any():
        raise NotEnough("no_spread")
    return float((curve * variance).sum() / (curve**2).sum())
