"""The lines of a report: MOS of every grouping, and all pairs of systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.analysed import Analysed
from analysis.report import GROUPINGS, Difference, MosRow, PairRow
from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.comparison import Comparison
from analysis.statistics.crossed import any_song_interval
from analysis.statistics.intervals import MIN_LISTENERS, Interval, Tested
from analysis.statistics.mos import GroupedMos, mos_by_group
from analysis.statistics.whole import ALL, Contest
from listening_test.scales import SCALES

Order = Mapping[str, Sequence[str]]  # of systems, sources and songs


@dataclass(frozen=True)
class Part:
    """The ratings of one scale as numbers: `[ratings]` each."""

    scores: Floats
    listeners: Codes
    songs: Codes
    places: Mapping[str, Codes]  # of system, source and song, in their order


def part_of(table: pd.DataFrame, scale: str, order: Order) -> Part:
    own = table[table["scale"] == scale]
    places = {key: _places(own[key], order[key]) for key in order}
    listeners = np.asarray(pd.factorize(own["listener"])[0], dtype=np.intp)
    return Part(own["score"].to_numpy(float), listeners, places["song"], places)


def _places(column: pd.Series[str], order: Sequence[str]) -> Codes:
    place = {name: number for number, name in enumerate(order)}
    return np.asarray(column.map(place), dtype=np.intp)


# ── Mean opinion scores ─────────────────────────────────────────────────────────────────────────────────────────────


def mos_rows(table: pd.DataFrame, order: Order) -> Iterator[MosRow]:
    for scale in map(str, SCALES):
        part = part_of(table, scale, order)
        for grouping in GROUPINGS:
            yield from _grouped_rows(part, scale, grouping, order)


def _grouped_rows(part: Part, scale: str, grouping: str, order: Order) -> Iterator[MosRow]:
    keys = GROUPINGS[grouping]
    shape = tuple(len(order[key]) for key in keys)
    groups = np.zeros(part.scores.size, dtype=np.intp)
    for key, size in zip(keys, shape, strict=True):
        groups = groups * size + part.places[key]
    result = mos_by_group(part.scores, part.listeners, groups, group_count=int(np.prod(shape)))
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(result.ratings)[:-1])
    for group in np.flatnonzero(result.ratings):
        place = np.unravel_index(group, shape)
        names = {key: order[key][int(at)] for key, at in zip(keys, place, strict=True)}
        any_song = ("one_song", None) if "song" in names else _any_song(part, members[group])
        yield _mos_row(result, int(group), any_song, scale=scale, grouping=grouping, names=names)


def _any_song(part: Part, members: Codes) -> tuple[str, Interval | None]:
    try:
        return "", any_song_interval(part.scores[members], part.listeners[members], part.songs[members])
    except NotEnough as error:
        return error.reason, None


def _mos_row(
    result: GroupedMos,
    at: int,
    any_song: tuple[str, Interval | None],
    *,
    scale: str,
    grouping: str,
    names: Mapping[str, str],
) -> MosRow:
    reason, interval = _these_clips(result, at)
    return MosRow(
        scale=scale,
        grouping=grouping,
        system=names.get("system", ""),
        source=names.get("source", ""),
        song=names.get("song", ""),
        ratings=int(result.ratings[at]),
        listeners=int(result.listeners[at]),
        mos=float(result.mos[at]),
        sd=_number(result.sd[at]),
        listener_mean=float(result.listener_mean[at]),
        listener_sd=_number(result.listener_sd[at]),
        these_clips=interval,
        these_clips_reason=reason,
        any_song=any_song[1],
        any_song_reason=any_song[0],
    )


def _these_clips(result: GroupedMos, at: int) -> tuple[str, Interval | None]:
    listeners = int(result.listeners[at])
    if listeners < MIN_LISTENERS:
        return "too_few_listeners", None
    interval = Interval(
        low=float(result.low[at]),
        high=float(result.high[at]),
        centre=float(result.listener_mean[at]),
        se=float(result.listener_sd[at]) / listeners**0.5,
        df=float(listeners - 1),
        level=result.level,
    )
    return ("", interval) if interval.has_width else ("no_spread", None)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# ── Differences between systems ─────────────────────────────────────────────────────────────────────────────────────


def pair_rows(found: Analysed, order: Order) -> Iterator[PairRow]:
    """All pairs of systems, controls left out: of each scale over all sources, then of each source."""
    own = {found.label("scale", one.scale): one for one in found.found.scales}
    for scale in (str(scale) for scale in SCALES if scale in own):
        yield from _contest_rows(found, own[scale].contests[0], scale, "", order)
        by_source = {found.label("source", one.source): one for one in own[scale].contests if one.source != ALL}
        if len(by_source) > 1:
            for source in (source for source in order["source"] if source in by_source):
                yield from _contest_rows(found, by_source[source], scale, source, order)


def _contest_rows(found: Analysed, contest: Contest, scale: str, source: str, order: Order) -> Iterator[PairRow]:
    """In the order of the study's systems, each pair seen from the first of them."""
    rows = {}
    for one in contest.pairs:
        names = found.label("system", one.first), found.label("system", one.second)
        rows[frozenset(names)] = _pair_row(one, names, scale, source)
    for first, second in combinations(order["system"], 2):
        if row := rows.get(frozenset((first, second))):
            yield row.seen_from(first)


def _pair_row(one: Comparison, names: tuple[str, str], scale: str, source: str) -> PairRow:
    here = _difference(one.these_clips, one.these_clips_p_holm, one.these_clips_p_bh, one.these_clips_reason)
    anywhere = _difference(one.any_song, one.any_song_p_holm, one.any_song_p_bh, one.any_song_reason)
    return PairRow(
        scale=scale,
        first=names[0],
        second=names[1],
        pairs=one.pairs,
        listeners=one.listeners,
        songs=one.songs,
        these_clips=here,
        any_song=anywhere,
        source=source,
        wins=one.wins,
        ties=one.ties,
        losses=one.losses,
        difference=one.difference if one.pairs else None,
        effect=one.effect,
        margin=one.margin,
        tost_p=one.tost_p,
        notes=one.notes,
    )


def _difference(test: Tested | None, p_holm: float | None, p_bh: float | None, reason: str) -> Difference:
    if test is None:
        return Difference(reason=reason)
    return Difference(test.interval, test.p, p_holm, p_bh)
