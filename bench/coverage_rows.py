"""Each row of the tables of `bench/coverage.py`: one design, simulated many times."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import stdtr

from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.bootstrap import crossed_bootstrap
from analysis.statistics.clip_model import modelled_scores
from analysis.statistics.clips import clip_scores
from analysis.statistics.comparison import compare_all, matched
from analysis.statistics.crossed import components_by_group, interval_of_group, over_listeners_and_songs
from analysis.statistics.mos import mos_by_group
from analysis.statistics.ordinal import ordinal_check
from analysis.statistics.published import p910
from analysis.statistics.ranks import wilcoxon_holm
from analysis.statistics.screening import screened
from bench.simulated import (
    CARELESS,
    LISTENER_SYSTEM,
    SONG,
    SONG_SYSTEM,
    Design,
    Panel,
    careless,
    expected,
    places,
)

SLOW_SHARE = 4  # one in so many sets, of what takes long and is shown only beside: bootstrap, published, ordinal check
REPLICATES = 1000
Z = 1.959963984540054

Row = dict[str, Any]


def slow(sets: int) -> int:
    return min(max(sets // SLOW_SHARE, 10), sets)


def of_fewer(name: str, sets: int) -> str:
    """The title of a column that stands on fewer data sets than its table."""
    return f"{name} ({slow(sets):,} sets)"


def rng_of(design: Design, part: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{part} {design.name}".encode()))


# ── Means of a system ───────────────────────────────────────────────────────────────────────────────────────────────


def means_row(design: Design, sets: int) -> Row:
    """Share of the intervals that hold the truth. Any song: over all songs and listeners; these clips: over all
    listeners, of the songs that were drawn."""
    rng = rng_of(design, "means")
    scores, who, what, which, here = _many(design, sets, rng)
    anywhere = float(expected(design.mean, SONG**2)[0])
    found = components_by_group(scores, who, what, which, group_count=sets)
    ours = [_crossed_holds(found, one, anywhere) for one in range(sets)]
    own = mos_by_group(scores, who, which, group_count=sets)
    half = Z * own.sd / np.sqrt(own.ratings)
    return {
        "design": design.name,
        "sets": sets,
        "any_song": float(np.mean(ours)),
        "any song: listener-means t": _holds(own.low, own.high, anywhere),
        "any song: pooled z (P.808 toolkit)": _holds(own.mos - half, own.mos + half, anywhere),
        of_fewer("any song: crossed bootstrap", sets): _bootstrap_holds(scores, who, what, which, slow(sets), anywhere),
        "these_clips": _holds(own.low, own.high, here),
        "these clips: pooled z": _holds(own.mos - half, own.mos + half, here),
    }


def _many(design: Design, sets: int, rng: np.random.Generator) -> tuple[Floats, Codes, Codes, Codes, Floats]:
    """Scores, listeners, songs and number of the data set; and the true mean of each data set's songs."""
    rows: list[tuple[Floats, Codes, Codes]] = []
    truths = []
    for _set in range(sets):
        who, what = places(design, rng)
        panel = Panel.drawn(design, rng)
        rows.append((panel.rated(who, what, rng), who, what))
        truths.append(float(expected(panel.songs).mean()))
    scores, who, what = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return scores, who, what, np.repeat(np.arange(sets), design.ratings), np.array(truths)


def _crossed_holds(found: Any, one: int, truth: float) -> bool:
    interval = interval_of_group(found, one)
    return bool(interval.low <= truth <= interval.high)


def _holds(low: Floats, high: Floats, truth: Floats | float) -> float:
    return float(((low <= truth) & (truth <= high)).mean())


def _bootstrap_holds(scores: Floats, who: Codes, what: Codes, which: Codes, sets: int, truth: float) -> float:
    hits = 0
    for one in range(sets):
        own = which == one
        drawn = crossed_bootstrap(scores[own], who[own], what[own], np.zeros(own.sum(), int), replicates=REPLICATES)
        low, high = drawn.interval()
        hits += bool(low[0] <= truth <= high[0])
    return hits / sets


# ── Clips ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def clips_row(design: Design, sets: int) -> Row:
    """Share of clips whose interval holds the clip's true mean over all listeners; widths; errors."""
    rng = rng_of(design, "clips")
    published = of_fewer("P.910 as published", sets)
    held: dict[str, list[float]] = {name: [] for name in ("modelled", "t", "z", published)}
    refused: list[bool] = []
    errors: list[tuple[float, float]] = []
    widths: list[tuple[float, float]] = []
    for number in range(sets):
        who, what = places(design, rng)
        panel = Panel.drawn(design, rng)
        scores, truth = panel.rated(who, what, rng), expected(panel.songs)
        model = modelled_scores(scores, who, what, clip_count=design.songs)
        plain = clip_scores(scores, what, clip_count=design.songs)
        there = plain.ratings >= 2
        half = Z * plain.sd / np.sqrt(np.maximum(plain.ratings, 1))
        held["modelled"].append(_holds(model.low[there], model.high[there], truth[there]))
        held["t"].append(_holds(plain.low[there], plain.high[there], truth[there]))
        held["z"].append(_holds((plain.mos - half)[there], (plain.mos + half)[there], truth[there]))
        errors.append((_rmse(model.score[there], truth[there]), _rmse(plain.mos[there], truth[there])))
        widths.append(
            (float(np.mean((model.high - model.low)[there])), float(np.mean((plain.high - plain.low)[there])))
        )
        if number < slow(sets):
            held[published].append(_published_holds(scores, who, what, truth))
            refused.append(_is_refused(scores, who, what))
    error, width = np.sqrt(np.mean(errors, axis=0)), np.mean(widths, axis=0)
    return {
        "design": design.name,
        "sets": sets,
        **{name: float(np.mean(values)) for name, values in held.items()},
        of_fewer("P.910 refused here", sets): float(np.mean(refused)),
        "error, modelled": float(error[0]),
        "error, MOS": float(error[1]),
        "width, modelled": float(width[0]),
        "width, t": float(width[1]),
    }


def _rmse(found: Floats, truth: Floats) -> float:
    return float(((found - truth) ** 2).mean())


def _published_holds(scores: Floats, who: Codes, what: Codes, truth: Floats) -> float:
    found = p910(scores, who, what, refuse=False)
    there = np.isfinite(found.score)
    return _holds(found.low[there], found.high[there], truth[: found.score.size][there])


def _is_refused(scores: Floats, who: Codes, what: Codes) -> bool:
    try:
        p910(scores, who, what)
    except NotEnough:
        return True
    return False


# ── Two systems between which there is no difference ────────────────────────────────────────────────────────────────


def pairs_row(design: Design, sets: int) -> Row:
    """Share of data sets in which a difference is found at 5 %, where listeners and songs have their own."""
    rng = rng_of(design, "pairs")
    found: dict[str, list[bool]] = {}
    for number in range(sets):
        who, what, which, scores = _two_systems(design, rng)
        for name, positive in _tests(who, what, which, scores):
            found.setdefault(name, []).append(positive)
        if number < slow(sets):
            found.setdefault(of_fewer("ordinal check", sets), []).append(_ordinal(who, what, which, scores))
    return {"design": design.name, "sets": sets, **{name: float(np.mean(values)) for name, values in found.items()}}


def _two_systems(design: Design, rng: np.random.Generator) -> tuple[Codes, Codes, Codes, Floats]:
    who, what = places(design, rng)
    panel = Panel.drawn(design, rng)
    both = []
    for _system in range(2):
        own = rng.normal(0, LISTENER_SYSTEM, design.listeners)[who] + rng.normal(0, SONG_SYSTEM, design.songs)[what]
        both.append(panel.rated(who, what, rng, own))
    return np.tile(who, 2), np.tile(what, 2), np.repeat([0, 1], who.size), np.concatenate(both)


def _tests(who: Codes, what: Codes, which: Codes, scores: Floats) -> Iterator[tuple[str, bool]]:
    half = scores.size // 2
    one, two = scores[:half], scores[half:]
    yield "crossed", _crossed_positive(one - two, who[:half], what[:half])
    yield "Welch t, pooled", _welch(one, two)
    yield "OLS rating ~ model + file", _least_squares(one, two, what[:half])
    yield "Wilcoxon, listener means", _wilcoxon(one, two, who[:half])


def _ordinal(who: Codes, what: Codes, which: Codes, scores: Floats) -> bool:
    side_by_side = matched(scores, who, what, which)
    linear = compare_all(side_by_side, side_by_side.items)
    latent = ordinal_check(scores, who, what, what, which, linear).pairs[0].any_song
    return latent is not None and latent.p < 0.05


def _crossed_positive(differences: Floats, who: Codes, what: Codes) -> bool:
    try:
        return over_listeners_and_songs(differences, who, what).p < 0.05
    except NotEnough:
        return False


def _welch(one: Floats, two: Floats) -> bool:
    a, b = one.var(ddof=1) / one.size, two.var(ddof=1) / two.size
    if a + b == 0.0:
        return False
    df = (a + b) ** 2 / (a**2 / (one.size - 1) + b**2 / (two.size - 1))
    return bool(2.0 * stdtr(df, -abs(one.mean() - two.mean()) / np.sqrt(a + b)) < 0.05)


def _least_squares(one: Floats, two: Floats, what: Codes) -> bool:
    """Both systems are rated equally often on every file, so the model's effect is the difference of the means."""
    effect = one.mean() - two.mean()
    counts = 2 * np.bincount(what)
    files = (np.bincount(what, one) + np.bincount(what, two)) / np.maximum(counts, 1)
    rest = np.concatenate([one - files[what] - effect / 2, two - files[what] + effect / 2])
    df = rest.size - np.count_nonzero(counts) - 1
    se = np.sqrt((rest**2).sum() / df * 2.0 / one.size)
    return bool(se > 0 and 2.0 * stdtr(df, -abs(effect) / se) < 0.05)


def _wilcoxon(one: Floats, two: Floats, who: Codes) -> bool:
    counts = np.bincount(who)
    means = np.stack([np.bincount(who, one) / counts, np.bincount(who, two) / counts], axis=1)
    p = wilcoxon_holm(means)[0].p
    return p is not None and p < 0.05


# ── Listeners who do not listen ─────────────────────────────────────────────────────────────────────────────────────


def screening_row(design: Design, sets: int) -> Row:
    """Share of careless listeners that are flagged, one in each panel, and of good ones in panels of good ones."""
    rng = rng_of(design, "screening")
    hits: dict[str, list[bool]] = {kind: [] for kind in CARELESS}
    alarms: list[float] = []
    for _set in range(sets):
        who, what = places(design, rng)
        scores = Panel.drawn(design, rng).rated(who, what, rng)
        alarms.append(float(screened(scores, who, what).flagged.mean()))
        for kind in CARELESS:
            spoiled = scores.copy()
            spoiled[who == 0] = careless(kind, scores[who == 0], rng)
            hits[kind].append(bool(screened(spoiled, who, what).flagged[0]))
    shares = {kind: float(np.mean(values)) for kind, values in hits.items()}
    whole = min(share for kind, share in shares.items() if kind != "half random")
    return {
        "design": design.name,
        "sets": sets,
        **shares,
        "least_hits": whole,
        "half_random": shares["half random"],
        "false_alarms": float(np.mean(alarms)),
    }


# ── Stopping as soon as the interval is narrow enough ───────────────────────────────────────────────────────────────


def stopping_row(sets: int) -> Row:
    """Coverage of "any song" when listeners come until the interval's half width is at most 0.35, looked at after
    every fourth listener from the eighth on, 24 songs, at most 80 listeners."""
    design = Design("stopping", 80, 24, 24, 3.0)
    rng, truth = rng_of(design, "stopping"), float(expected(design.mean, SONG**2)[0])
    held, stopped = [], []
    for _set in range(sets):
        who, what = places(design, rng)
        scores = Panel.drawn(design, rng).rated(who, what, rng)
        for listeners in range(8, design.listeners + 1, 4):
            size = listeners * design.heard
            interval = interval_of_group(_alone(scores[:size], who[:size], what[:size]), 0)
            if interval.high - interval.low <= 0.70:
                break
        held.append(interval.low <= truth <= interval.high)
        stopped.append(listeners)
    return {
        "design": "stopping at ± 0.35",
        "sets": sets,
        "any song": float(np.mean(held)),
        "listeners": float(np.mean(stopped)),
    }


def _alone(scores: Floats, who: Codes, what: Codes) -> Any:
    return components_by_group(scores, who, what, np.zeros_like(who), group_count=1)
