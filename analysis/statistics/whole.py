"""Everything that is said of a set of ratings, in one call: from plain columns to frozen dataclasses.

`Ratings` holds columns as codes, `whole` computes. Each scale is looked at by itself. Systems are compared within each
scale and source, and over all sources where there are several. What is left out (repeats, traps, ratings that are not
final) is left out before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.bootstrap import REPLICATES, Resampled, crossed_bootstrap
from analysis.statistics.clip_model import ModelledScores, modelled_scores
from analysis.statistics.clips import ClipScores, clip_scores
from analysis.statistics.comparison import Comparison, compare_all, margin_of_scale, matched
from analysis.statistics.crossed import MIN_SONGS, GroupedComponents, components_by_group, interval_of_group
from analysis.statistics.design import DesignCheck, design_check
from analysis.statistics.intervals import LEVEL, Interval
from analysis.statistics.mos import GroupedMos, mos_by_group
from analysis.statistics.multiplicity import letters
from analysis.statistics.ordinal import OrdinalCheck, ordinal_check
from analysis.statistics.ranks import Friedman, Wilcoxon, block_means, friedman, wilcoxon_holm
from analysis.statistics.ratings import Ratings as Ratings  # whoever calls `whole` needs it
from analysis.statistics.reliability import Agreement, agreement, alpha_interval, krippendorff_alpha, sos_parameter
from analysis.statistics.screening import Facts, Listeners, Rule, screened

ALL = -1  # the code of "all sources together"


@dataclass(frozen=True)
class MeanRow:
    """A mean with both intervals; `source` is `ALL`, and `system` −1, where the row is over all of them."""

    source: int
    system: int
    ratings: int
    listeners: int
    songs: int
    mos: float
    sd: float | None
    these_clips: Interval | None
    these_clips_reason: str
    any_song: Interval | None
    any_song_reason: str
    shares: tuple[float, float, float] | None  # of the variance of one rating: listener, song, residual
    bootstrap: tuple[float, float] | None = None
    letters: str = ""
    rank: tuple[int, int] | None = None  # interval
    best: float | None = None  # probability of the highest mean, any song and any listener
    rank_reason: str = ""  # why there is neither rank nor best


@dataclass(frozen=True)
class Contest:
    """Systems against each other on one source, or on all."""

    source: int
    systems: tuple[MeanRow, ...]
    pairs: tuple[Comparison, ...]  # `first` and `second` are codes of systems
    friedman: Friedman | None
    friedman_reason: str
    wilcoxon: tuple[Wilcoxon, ...]
    ordinal: OrdinalCheck | None
    ordinal_reason: str
    replicates: int


@dataclass(frozen=True)
class Reliability:
    agreement: Agreement | None
    agreement_reason: str
    alpha: float | None  # Krippendorff's, ordinal
    alpha_interval: tuple[float, float] | None
    alpha_reason: str
    alpha_interval_reason: str
    sos: float | None


@dataclass(frozen=True)
class ScaleAnalysis:
    """All of one scale; `clips` and `modelled` by clip, `listeners` by listener."""

    scale: int
    clips: ClipScores
    modelled: ModelledScores | None
    modelled_reason: str
    overall: MeanRow
    contests: tuple[Contest, ...]
    listeners: Listeners
    reliability: Reliability
    design: DesignCheck


@dataclass(frozen=True)
class Whole:
    ratings: int
    scales: tuple[ScaleAnalysis, ...]


def whole(
    ratings: Ratings,
    *,
    replicates: int = REPLICATES,
    margin: float | None = None,
    not_ranked: frozenset[int] = frozenset(),
    rule: Rule | None = None,
    facts: Facts | None = None,
    seed: int = 0,
    level: float = LEVEL,
) -> Whole:
    """The analysis of every scale. `not_ranked`: codes of systems (controls) that have means, but are not compared.

    `replicates` = 0 leaves the bootstrap out, and with it its intervals, ranks and probabilities of being best. The
    same seed gives the same numbers. `margin` and `rule` are in points of the scale; without them they are those of a
    scale from 1 to 5, in proportion to the width of this one. An empty set of ratings has no scales.
    """
    numbers = np.flatnonzero(np.bincount(ratings.scales))
    margin = margin_of_scale(ratings.scale_range) if margin is None else margin
    asked = _Asked(replicates, margin, not_ranked, rule, facts, seed, level)
    return Whole(int(ratings.scores.size), tuple(_scale(ratings, int(scale), asked) for scale in numbers))


def flagged(found: Whole) -> npt.NDArray[np.bool_]:
    """Which listeners are flagged on any scale, `[listeners]`."""
    marked = [scale.listeners.flagged for scale in found.scales]
    return np.logical_or.reduce(marked) if marked else np.zeros(0, dtype=bool)


def without_flagged(ratings: Ratings, found: Whole) -> Ratings:
    """The ratings of listeners whom no scale flags, to be analysed beside all of them; the others stay stored."""
    return ratings.where(~flagged(found)[ratings.listeners]) if found.scales else ratings


@dataclass(frozen=True)
class _Asked:
    replicates: int
    margin: float
    not_ranked: frozenset[int]
    rule: Rule | None
    facts: Facts | None
    seed: int
    level: float


def _scale(everything: Ratings, scale: int, asked: _Asked) -> ScaleAnalysis:
    own = everything.where(everything.scales == scale)
    people = own.count("listener")
    clips = clip_scores(own.scores, own.clips, clip_count=own.count("clip"), scale=own.scale_range, level=asked.level)
    modelled, reason = _modelled(own, asked.level)
    present = np.flatnonzero(np.bincount(own.sources))
    sources = [ALL, *map(int, present)] if present.size > 1 else [int(present[0])]
    return ScaleAnalysis(
        scale=scale,
        clips=clips,
        modelled=modelled,
        modelled_reason=reason,
        overall=_rows(own, np.zeros_like(own.systems), 1, ALL, asked.level)[0],
        contests=tuple(_contest(own, source, asked) for source in sources),
        listeners=screened(
            own.scores,
            own.listeners,
            own.clips,
            scale=own.scale_range,
            rule=asked.rule,
            facts=asked.facts,
            listener_count=people,
        ),
        reliability=_reliability(own, clips, asked),
        design=design_check(own.scores, own.listeners, own.clips, scale=own.scale_range),
    )


def _modelled(own: Ratings, level: float) -> tuple[ModelledScores | None, str]:
    counts = {"clip_count": own.count("clip"), "listener_count": own.count("listener")}
    try:
        return modelled_scores(own.scores, own.listeners, own.clips, scale=own.scale_range, level=level, **counts), ""
    except NotEnough as error:
        return None, error.reason


# ── Systems ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _contest(everything: Ratings, source: int, asked: _Asked) -> Contest:
    own = everything if source == ALL else everything.where(everything.sources == source)
    rows = _rows(own, own.systems, own.count("system"), source, asked.level)
    ranked = [row.system for row in rows if row.system not in asked.not_ranked]
    place = np.full(own.count("system"), -1, dtype=np.intp)
    place[ranked] = np.arange(len(ranked))
    inside = own.where(place[own.systems] >= 0)
    systems = place[inside.systems]
    pairs = _pairs(inside, systems, len(ranked), asked)
    resampled = None
    if asked.replicates:
        resampled = crossed_bootstrap(
            own.scores,
            own.listeners,
            own.songs,
            own.systems,
            group_count=own.count("system"),
            replicates=asked.replicates,
            seed=asked.seed,
        )
        rows = _with_bootstrap(rows, resampled, ranked, asked.level)
    rows = _without_empty_ranks(rows, pairs, ranked, asked)
    rows = _with_letters(rows, pairs, ranked)
    blocks = block_means(inside.scores, inside.listeners, systems, system_count=len(ranked))
    overall, reason = _friedman(blocks)
    ordinal, ordinal_reason = _ordinal(inside, systems, len(ranked), pairs, asked)
    return Contest(
        source=source,
        systems=rows,
        pairs=tuple(_named(pair, ranked, {row.system: row.mos for row in rows}) for pair in pairs),
        friedman=overall,
        friedman_reason=reason,
        wilcoxon=_wilcoxon(blocks, ranked),
        ordinal=ordinal,
        ordinal_reason=ordinal_reason,
        replicates=asked.replicates,
    )


def _rows(own: Ratings, groups: Codes, size: int, source: int, level: float) -> tuple[MeanRow, ...]:
    """Of the groups that have ratings; `system` is the group, or −1 where there is one group of all."""
    means = mos_by_group(own.scores, own.listeners, groups, group_count=size, level=level)
    found = components_by_group(own.scores, own.listeners, own.songs, groups, group_count=size)
    named = not (size == 1 and own.count("system") != 1)
    return tuple(
        _row(means, found, int(group), source, int(group) if named else -1, level)
        for group in np.flatnonzero(means.ratings)
    )


def _row(means: GroupedMos, found: GroupedComponents, group: int, source: int, system: int, level: float) -> MeanRow:
    here, reason = _these_clips(means, group)
    anywhere, other_reason = _any_song(found, group, level)
    return MeanRow(
        source=source,
        system=system,
        ratings=int(means.ratings[group]),
        listeners=int(means.listeners[group]),
        songs=int(found.songs[group]),
        mos=float(means.mos[group]),
        sd=float(means.sd[group]) if np.isfinite(means.sd[group]) else None,
        these_clips=here,
        these_clips_reason=reason,
        any_song=anywhere,
        any_song_reason=other_reason,
        shares=None if found.reasons[group] else found.of(group).shares,
    )


def _these_clips(means: GroupedMos, group: int) -> tuple[Interval | None, str]:
    listeners = int(means.listeners[group])
    if listeners < 2:
        return None, "too_few_listeners"
    interval = Interval(
        low=float(means.low[group]),
        high=float(means.high[group]),
        centre=float(means.listener_mean[group]),
        se=float(means.listener_sd[group]) / listeners**0.5,
        df=float(listeners - 1),
        level=means.level,
    )
    return (interval, "") if interval.has_width else (None, "no_spread")


def _any_song(found: GroupedComponents, group: int, level: float) -> tuple[Interval | None, str]:
    try:
        return interval_of_group(found, group, level), ""
    except NotEnough as error:
        return None, error.reason


def _pairs(inside: Ratings, systems: Codes, size: int, asked: _Asked) -> tuple[Comparison, ...]:
    if size < 2:
        return ()
    side_by_side = matched(inside.scores, inside.listeners, inside.items, systems, system_count=size)
    song_of_item = np.zeros(int(inside.items.max()) + 1, dtype=np.intp)
    song_of_item[inside.items] = inside.songs
    return compare_all(side_by_side, song_of_item[side_by_side.items], margin=asked.margin, level=asked.level)


def _named(pair: Comparison, ranked: list[int], mos: dict[int, float]) -> Comparison:
    first, second = ranked[pair.first], ranked[pair.second]
    return replace(pair, first=first, second=second, mos_difference=mos[first] - mos[second])


def _with_bootstrap(
    rows: tuple[MeanRow, ...], resampled: Resampled, ranked: list[int], level: float
) -> tuple[MeanRow, ...]:
    low, high = resampled.interval(level)
    contest = Resampled(resampled.means[:, ranked])
    first, last = contest.rank_interval(level)
    best = contest.best()
    rank = {system: (int(a), int(b)) for system, a, b in zip(ranked, first, last, strict=True)}
    chance = dict(zip(ranked, map(float, best), strict=True))
    return tuple(
        replace(
            row,
            bootstrap=(float(low[row.system]), float(high[row.system])),
            rank=rank.get(row.system),
            best=chance.get(row.system),
        )
        for row in rows
    )


def _without_empty_ranks(
    rows: tuple[MeanRow, ...], pairs: tuple[Comparison, ...], ranked: list[int], asked: _Asked
) -> tuple[MeanRow, ...]:
    """The bootstrap speaks of any song and any listener: where there are too few of them, so it does of nothing."""
    reason = _no_ranks([row for row in rows if row.system in ranked], pairs, asked)
    rows = tuple(row if row.any_song else replace(row, bootstrap=None) for row in rows)
    return tuple(replace(row, rank=None, best=None, rank_reason=reason) for row in rows) if reason else rows


def _no_ranks(own: list[MeanRow], pairs: tuple[Comparison, ...], asked: _Asked) -> str:
    if len(own) < 2:
        return "one_system"
    if not asked.replicates:
        return "no_bootstrap"
    too_few = [row.any_song_reason for row in own if row.any_song_reason not in ("", "no_spread")]
    if too_few or not any(row.any_song for row in own):
        return too_few[0] if too_few else "no_spread"
    compared = {place for pair in pairs if pair.pairs for place in (pair.first, pair.second)}
    return "nothing_in_common" if len(compared) < len(own) else ""


def _with_letters(rows: tuple[MeanRow, ...], pairs: tuple[Comparison, ...], ranked: list[int]) -> tuple[MeanRow, ...]:
    """By Holm's p of any song and any listener, at the level of the intervals. None where a pair was not tested."""
    if not pairs or any(pair.any_song_p_holm is None for pair in pairs):
        return rows
    mean = {row.system: row.mos for row in rows}
    apart = [
        (pair.first, pair.second) for pair in pairs if pair.any_song_p_holm is not None and pair.any_song_p_holm < 0.05
    ]
    named = dict(zip(ranked, letters([mean[system] for system in ranked], apart), strict=True))
    return tuple(replace(row, letters=named.get(row.system, "")) for row in rows)


def _friedman(blocks: Floats) -> tuple[Friedman | None, str]:
    try:
        return friedman(blocks), ""
    except NotEnough as error:
        return None, error.reason


def _wilcoxon(blocks: Floats, ranked: list[int]) -> tuple[Wilcoxon, ...]:
    if blocks.shape[0] < 2:
        return ()
    return tuple(replace(one, first=ranked[one.first], second=ranked[one.second]) for one in wilcoxon_holm(blocks))


def _ordinal(
    inside: Ratings, systems: Codes, size: int, pairs: tuple[Comparison, ...], asked: _Asked
) -> tuple[OrdinalCheck | None, str]:
    if size < 2:
        return None, "one_system"
    columns = (inside.scores, inside.listeners, inside.items, inside.songs, systems)
    try:
        return ordinal_check(*columns, pairs, system_count=size, seed=asked.seed), ""
    except NotEnough as error:
        return None, error.reason


# ── Reliability ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _reliability(own: Ratings, clips: ClipScores, asked: _Asked) -> Reliability:
    found, reason, alpha, alpha_reason, sos = None, "", None, "", None
    try:
        found = agreement(own.scores, own.listeners, own.clips, asked.level)
    except NotEnough as error:
        reason = error.reason
    try:
        alpha = krippendorff_alpha(own.scores, own.clips)
    except NotEnough as error:
        alpha_reason = error.reason
    interval, interval_reason = (None, alpha_reason) if alpha is None else _alpha_interval(own, asked)
    try:
        sos = sos_parameter(clips.mos, clips.sd, clips.ratings, own.scale_range)
    except NotEnough:
        sos = None
    return Reliability(found, reason, alpha, interval, alpha_reason, interval_reason, sos)


def _alpha_interval(own: Ratings, asked: _Asked) -> tuple[tuple[float, float] | None, str]:
    """Songs are drawn anew, or clips where no song is told; fewer than five of them say nothing of others."""
    drawn, few = (own.songs, "fewer_than_5_songs") if "song" in own.told else (own.clips, "too_few_clips")
    if not asked.replicates:
        return None, "no_bootstrap"
    if np.count_nonzero(np.bincount(drawn)) < MIN_SONGS:
        return None, few
    low, high = alpha_interval(own.scores, own.clips, drawn, seed=asked.seed, level=asked.level)
    return ((low, high), "") if high - low > 1e-12 else (None, "no_spread")
