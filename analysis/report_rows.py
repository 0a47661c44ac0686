"""The lines of a report: MOS of every grouping, and all pairs of systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.report import CONTROLS, GROUPINGS, Difference, MosRow, PairRow
from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.comparison import Matched, Tested, holm, matched, over_listeners, pairs
from analysis.statistics.crossed import any_song_interval, over_listeners_and_songs
from analysis.statistics.intervals import MIN_LISTENERS, Interval
from analysis.statistics.mos import GroupedMos, mos_by_group
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
    return Part(own["value"].to_numpy(float), listeners, places["song"], places)


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


def pair_rows(table: pd.DataFrame, order: Order) -> Iterator[PairRow]:
    """All pairs of systems, controls left out, with Holm's adjustment within each scale."""
    ranked = [system for system in order["system"] if system not in CONTROLS]
    table = table[table["system"].isin(ranked)]
    for scale in map(str, SCALES):
        own = table[table["scale"] == scale]
        yield from _adjusted(list(_scale_pairs(own, part_of(own, scale, {**order, "system": ranked}), scale, ranked)))


def _scale_pairs(own: pd.DataFrame, part: Part, scale: str, systems: Sequence[str]) -> Iterator[PairRow]:
    items = _items(own)
    songs = np.zeros(int(items.max(initial=-1)) + 1, dtype=np.intp)
    songs[items] = part.songs
    side_by_side = matched(part.scores, part.listeners, items, part.places["system"])
    for first, second in pairs(side_by_side.scores.shape[1]):
        yield _pair_row(side_by_side, songs, first, second, scale=scale, systems=systems)


def _items(own: pd.DataFrame) -> Codes:
    """What two systems are compared on: the same excerpt of the same song, the same source."""
    same = own.groupby(["song", "excerpt_start", "excerpt_end", "source"], sort=False)
    return np.asarray(same.ngroup(), dtype=np.intp)


def _pair_row(
    side_by_side: Matched, songs: Codes, first: int, second: int, *, scale: str, systems: Sequence[str]
) -> PairRow:
    differences, listeners, items = side_by_side.differences(first, second)
    return PairRow(
        scale=scale,
        first=systems[first],
        second=systems[second],
        pairs=differences.size,
        listeners=np.unique(listeners).size,
        songs=np.unique(songs[items]).size,
        these_clips=_difference(over_listeners, differences, listeners),
        any_song=_difference(over_listeners_and_songs, differences, listeners, songs[items]),
    )


def _difference(test: Callable[..., Tested], *arrays: Floats | Codes) -> Difference:
    try:
        found = test(*arrays)
    except NotEnough as error:
        return Difference(reason=error.reason)
    return Difference(found.interval, found.p)


def _adjusted(rows: list[PairRow]) -> Iterable[PairRow]:
    here = _with_holm([row.these_clips for row in rows])
    anywhere = _with_holm([row.any_song for row in rows])
    return [replace(row, these_clips=a, any_song=b) for row, a, b in zip(rows, here, anywhere, strict=True)]


def _with_holm(found: list[Difference]) -> list[Difference]:
    adjusted = holm([np.nan if one.p is None else one.p for one in found])
    return [one if one.p is None else replace(one, p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)]
