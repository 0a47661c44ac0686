"""Single values of an analysis as plain ones: numbers, and small dictionaries of them. Pure.

A number that cannot be had is None, and `<its name>_reason` beside it has the code why (`sentences.REASONS`); where it
is there, the reason is None. Numbers have 12 digits, which is more than they hold and hides in what order a machine
has added.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.statistics.comparison import Comparison
from analysis.statistics.intervals import Interval, Tested
from analysis.statistics.mos import GroupedMos
from analysis.statistics.ranks import Wilcoxon
from analysis.statistics.reliability import Agreement, Repeated
from analysis.statistics.whole import Contest, ScaleAnalysis

Row = dict[str, Any]


def number(value: Any) -> float | None:
    """With 12 digits; None for what is no finite number."""
    return float(f"{value:.12g}") + 0.0 if value is not None and np.isfinite(value) else None


def given(name: str, value: Any, reason: str) -> Row:
    """`value` under its name, and why it is None."""
    return {name: value, f"{name}_reason": reason if value is None else None}


def counted_number(name: str, value: Any, reason: str) -> Row:
    return given(name, number(value), reason)


def limits(pair: tuple[float, float] | None) -> Row | None:
    """None where an end is no number, and where both are one: a point is no knowledge."""
    if pair is None or not pair[1] - pair[0] > 1e-12:
        return None
    return {"low": number(pair[0]), "high": number(pair[1])}


def interval(found: Interval | None) -> Row | None:
    if found is None:
        return None
    return {name: number(getattr(found, name)) for name in ("low", "high", "centre", "se", "df")}


def histogram(scale: ScaleAnalysis, clip: int) -> dict[str, int] | None:
    values = scale.clips.values
    if not scale.clips.histogram.shape[1]:
        return None
    return {f"{value:g}": int(count) for value, count in zip(values, scale.clips.histogram[clip], strict=True)}


def modelled(scale: ScaleAnalysis, clip: int) -> Row | None:
    model = scale.modelled
    if model is None or not np.isfinite(model.se[clip]):
        return None
    return {name: number(getattr(model, name)[clip]) for name in ("score", "se", "low", "high")}


def group_mean(means: GroupedMos, at: int) -> Row:
    few = "too_few_listeners" if means.listeners[at] < 2 else ""
    has_width = not few and means.listener_sd[at] > 1e-12 * max(1.0, abs(means.listener_mean[at]))
    own = {
        "low": number(means.low[at]),
        "high": number(means.high[at]),
        "centre": number(means.listener_mean[at]),
        "se": number(means.listener_sd[at] / max(means.listeners[at], 1) ** 0.5),
        "df": number(means.listeners[at] - 1),
    }
    return {
        "ratings": int(means.ratings[at]),
        "listeners": int(means.listeners[at]),
        "mos": number(means.mos[at]),
        **counted_number("sd", means.sd[at], "one_rating"),
        **given("these_clips", own if has_width else None, few or "no_spread"),
    }


def tested(found: Tested | None, p_holm: float | None, p_bh: float | None) -> Row | None:
    if found is None:
        return None
    own = interval(found.interval) or {}
    return {**own, "p": number(found.p), "p_holm": number(p_holm), "p_bh": number(p_bh)}


def wilcoxon(found: Wilcoxon | None) -> Row | None:
    if found is None or found.p is None:
        return None
    values = {name: number(getattr(found, name)) for name in ("statistic", "p", "p_holm", "p_bh")}
    return {**values, "blocks": found.blocks, "zeros": found.zeros}


def no_wilcoxon(found: Wilcoxon | None) -> str:
    return "too_few_blocks" if found is None else "no_spread"


def ordinal_pair(found: Comparison | None, reason: str) -> Row:
    if found is None or found.any_song is None:
        return given("ordinal", None, reason or (found.any_song_reason if found else "not_known"))
    own = {
        "difference": number(found.difference),
        "p": number(found.any_song.p),
        "p_holm": number(found.any_song_p_holm),
    }
    return given("ordinal", own, "")


def friedman(contest: Contest) -> Row | None:
    found = contest.friedman
    if found is None:
        return None
    return {
        "chi2": number(found.chi2),
        "df": found.df,
        "p": number(found.p),
        "kendall_w": number(found.kendall_w),
        "blocks": found.blocks,
    }


def agreement(found: Agreement | None, reason: str) -> Row:
    row: Row = {}
    for name in ("a1", "ak", "c1", "ck"):
        row |= counted_number(f"icc_{name}", getattr(found, name) if found else None, reason or "no_denominator")
        ends = limits(getattr(found, f"{name}_interval")) if found else None
        why = found.no_interval.get(name, "no_spread") if found else reason
        row |= given(f"icc_{name}_interval", ends, why)
    row |= counted_number("ratings_per_clip", found.k if found else None, reason)
    return row | counted_number("noise_ceiling", found.noise_ceiling if found else None, reason)


def repeated(found: Repeated | None) -> Row | None:
    if found is None:
        return None
    return {
        "pairs": found.pairs,
        "listeners": found.listeners,
        **given("shift", interval(found.shift), "too_few_listeners"),
        "sd": number(found.sd),
        "repeatability": number(found.repeatability),
        "same": number(found.same),
        "within_one": number(found.within_one),
        **counted_number("correlation", found.correlation, "no_spread"),
    }


def design(scale: ScaleAnalysis) -> Row:
    own = scale.design
    counts = ("components", "fewest_per_clip", "most_per_clip", "fewest_per_listener", "most_per_listener")
    shares = ("largest_part", "filled", "ceiling", "floor", "unanimous")
    return {
        **{name: int(getattr(own, name)) for name in counts},
        **{name: number(getattr(own, name)) for name in shares},
        "unused": [number(one) for one in own.unused],
    }
