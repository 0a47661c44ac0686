"""StudyReport: everything that is said of a study's ratings, in keys and numbers. Page, CSV, figures and API show it.

What counts as one rating in the numbers: it is final (its listener went on from the trial), it belongs to the clip's
first presentation (a repeat is there to test the listener), and it comes from a person. Only where a study has no
person at all are simulated listeners counted, and the report says so. Unfinished sessions count with what they gave.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import pandas as pd
import scipy

from analysis.dataset import Sessions
from analysis.statistics.arrays import Codes, NotEnough, codes
from analysis.statistics.comparison import Matched, Tested, holm, matched, over_listeners, pairs
from analysis.statistics.intervals import LEVEL, MIN_LISTENERS, Interval
from analysis.statistics.mos import GroupedMos, mos_by_group
from listening_test.scales import SCALES
from separation.selectors import REFERENCE

CONTROLS = frozenset({REFERENCE})  # shown beside the systems, never ranked among them
ALPHA = 0.05
GROUPINGS: dict[str, tuple[str, ...]] = {
    "system": ("system",),
    "source": ("source",),
    "song": ("song",),
    "system_source": ("system", "source"),
    "system_song": ("system", "song"),
}


@dataclass(frozen=True)
class Counts:
    """What is in the numbers, and what is not."""

    stored: int = 0
    counted: int = 0
    not_final: int = 0
    repeats: int = 0
    simulated_left_out: int = 0
    listeners: int = 0
    songs: int = 0
    fewest_per_clip: int = 0  # counted ratings on one scale
    most_per_clip: int = 0
    simulated: bool = False  # the counted ratings are those of simulated listeners
    demo: bool = False  # a counted rating is of a demo study, song or system


@dataclass(frozen=True)
class MosRow:
    """One line of the MOS tables. `system`, `source` and `song` are "" where the line is over all of them."""

    scale: str
    grouping: str
    system: str
    source: str
    song: str
    ratings: int
    listeners: int
    mos: float
    sd: float | None
    listener_mean: float
    listener_sd: float | None
    these_clips: Interval | None
    these_clips_reason: str  # why there is no interval: "too_few_listeners", "no_spread"; else ""


@dataclass(frozen=True)
class PairRow:
    """Two systems on one scale: first minus second, on what the same listener said of the same excerpt and source."""

    scale: str
    first: str
    second: str
    pairs: int
    listeners: int
    these_clips: Interval | None
    these_clips_p: float | None
    these_clips_p_holm: float | None
    these_clips_reason: str

    def seen_from(self, system: str) -> PairRow:
        """The same pair with `system` as the first."""
        if system == self.first or self.these_clips is None:
            return self
        turned = self.these_clips
        interval = Interval(-turned.high, -turned.low, -turned.centre, turned.se, turned.df, turned.level)
        return PairRow(
            self.scale,
            self.second,
            self.first,
            self.pairs,
            self.listeners,
            interval,
            self.these_clips_p,
            self.these_clips_p_holm,
            "",
        )


@dataclass(frozen=True)
class StudyReport:
    study_id: UUID | None
    name: str
    version: str
    is_demo: bool
    systems: tuple[str, ...]  # in the study's order; so are sources and songs
    sources: tuple[str, ...]
    songs: tuple[str, ...]
    sessions: Sessions
    counts: Counts
    rows: tuple[MosRow, ...]
    pairs: tuple[PairRow, ...]
    weights: Mapping[str, str] = field(default_factory=dict)  # of each system: "published", "demo", "" for a true stem
    demo_systems: frozenset[str] = frozenset()  # with a rating that is demo by its study, its song or its weights
    digest: str = ""  # sha256 of ratings.csv
    level: float = LEVEL
    methods: tuple[str, ...] = ("mos_p800", "listener_means_t", "paired_listener_t", "holm")
    versions: Mapping[str, str] = field(default_factory=dict)

    def select(self, scale: str, grouping: str) -> list[MosRow]:
        return [row for row in self.rows if (row.scale, row.grouping) == (scale, grouping)]

    def weights_of(self, system: str) -> str:
        return self.weights.get(system, "")

    def is_demo_row(self, system: str) -> bool:
        """Whether numbers of this system ("" = of all) hold anything that is the project's own."""
        return system in self.demo_systems if system else self.counts.demo

    def pairs_of(self, scale: str) -> list[PairRow]:
        return [pair for pair in self.pairs if pair.scale == scale]


def report_make(
    table: pd.DataFrame,
    *,
    systems: Iterable[str] = (),
    sources: Iterable[str] = (),
    songs: Iterable[str] = (),
    study_id: UUID | None = None,
    name: str = "",
    version: str = "",
    is_demo: bool = False,
    sessions: Sessions | None = None,
    digest: str = "",
) -> StudyReport:
    """The report of any tidy table (see `dataset.COLUMNS`); `systems`, `sources` and `songs` give the order."""
    chosen = counted(table)
    order = {
        "system": _order(systems, chosen["system"]),
        "source": _order(sources, chosen["source"]),
        "song": _order(songs, chosen["song"]),
    }
    return StudyReport(
        study_id=study_id,
        name=name,
        version=version,
        is_demo=is_demo,
        systems=order["system"],
        sources=order["source"],
        songs=order["song"],
        sessions=sessions or Sessions(),
        counts=counts_of(table, chosen),
        rows=tuple(mos_rows(chosen, order)),
        pairs=tuple(pair_rows(chosen, order["system"])),
        weights=weights_by_system(chosen),
        demo_systems=frozenset(chosen.loc[chosen["demo"], "system"]),
        digest=digest,
        versions=versions(),
    )


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """The ratings that enter the numbers (see the top of this file)."""
    final = table[table["finished"] & (table["repeat"] == 0)]
    persons = final[~final["simulated"]]
    return final if persons.empty else persons


def counts_of(table: pd.DataFrame, chosen: pd.DataFrame) -> Counts:
    final = table[table["finished"]]
    per_clip = chosen.groupby(["scale", "clip"]).size() if len(chosen) else [0]
    return Counts(
        stored=len(table),
        counted=len(chosen),
        not_final=len(table) - len(final),
        repeats=int((final["repeat"] > 0).sum()),
        simulated_left_out=int((final["repeat"] == 0).sum()) - len(chosen),
        listeners=chosen["listener"].nunique(),
        songs=chosen["song"].nunique(),
        fewest_per_clip=int(min(per_clip)),
        most_per_clip=int(max(per_clip)),
        simulated=bool(chosen["simulated"].any()),
        demo=bool(chosen["demo"].any()),
    )


def weights_by_system(chosen: pd.DataFrame) -> dict[str, str]:
    """One word per system; "mixed" where its clips were made with both, which no study should do."""
    found: dict[str, str] = {}
    for system, word in chosen[["system", "weights"]].drop_duplicates().itertuples(index=False, name=None):
        found[system] = "mixed" if system in found else word
    return found


def _order(wanted: Iterable[str], found: pd.Series[str]) -> tuple[str, ...]:
    """First as the study lists them, then what else the ratings hold; nothing that has no rating."""
    there = set(found)
    listed = [name for name in dict.fromkeys(wanted) if name in there]
    return (*listed, *sorted(there - set(listed)))


# ── Mean opinion scores ─────────────────────────────────────────────────────────────────────────────────────────────


def mos_rows(table: pd.DataFrame, order: Mapping[str, Sequence[str]]) -> Iterable[MosRow]:
    for scale in map(str, SCALES):
        part = table[table["scale"] == scale]
        for grouping in GROUPINGS:
            yield from _grouped_rows(part, scale, grouping, order)


def _grouped_rows(
    part: pd.DataFrame, scale: str, grouping: str, order: Mapping[str, Sequence[str]]
) -> Iterable[MosRow]:
    keys = GROUPINGS[grouping]
    shape = tuple(len(order[key]) for key in keys)
    groups = np.zeros(len(part), dtype=np.intp)
    for key, size in zip(keys, shape, strict=True):
        groups = groups * size + _places(part[key], order[key])
    result = mos_by_group(
        part["score"].to_numpy(float), codes(part["listener"])[0], groups, group_count=int(np.prod(shape))
    )
    for group in np.flatnonzero(result.ratings):
        place = np.unravel_index(group, shape)
        names = {key: order[key][int(at)] for key, at in zip(keys, place, strict=True)}
        yield _mos_row(result, int(group), scale, grouping, names)


def _places(column: pd.Series[str], order: Sequence[str]) -> Codes:
    place = {name: number for number, name in enumerate(order)}
    return np.asarray(column.map(place), dtype=np.intp)


def _mos_row(result: GroupedMos, at: int, scale: str, grouping: str, names: Mapping[str, str]) -> MosRow:
    listeners, spread = int(result.listeners[at]), float(result.listener_sd[at])
    interval = Interval(
        low=float(result.low[at]),
        high=float(result.high[at]),
        centre=float(result.listener_mean[at]),
        se=spread / listeners**0.5,
        df=float(listeners - 1),
        level=result.level,
    )
    reason = "too_few_listeners" if listeners < MIN_LISTENERS else "" if interval.has_width else "no_spread"
    return MosRow(
        scale=scale,
        grouping=grouping,
        system=names.get("system", ""),
        source=names.get("source", ""),
        song=names.get("song", ""),
        ratings=int(result.ratings[at]),
        listeners=listeners,
        mos=float(result.mos[at]),
        sd=_number(result.sd[at]),
        listener_mean=float(result.listener_mean[at]),
        listener_sd=_number(result.listener_sd[at]),
        these_clips=None if reason else interval,
        these_clips_reason=reason,
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# ── Differences between systems ─────────────────────────────────────────────────────────────────────────────────────


def pair_rows(table: pd.DataFrame, systems: Sequence[str]) -> Iterable[PairRow]:
    """All pairs of systems, controls left out, with Holm's adjustment within each scale."""
    ranked = [system for system in systems if system not in CONTROLS]
    table = table[table["system"].isin(ranked)]
    for scale in map(str, SCALES):
        yield from _scale_pairs(table[table["scale"] == scale], scale, ranked)


def _scale_pairs(part: pd.DataFrame, scale: str, systems: Sequence[str]) -> Iterable[PairRow]:
    side_by_side = matched(
        part["score"].to_numpy(float),
        codes(part["listener"])[0],
        _items(part),
        _places(part["system"], systems),
    )
    every = [pair for pair in pairs(len(systems)) if max(pair) < side_by_side.scores.shape[1]]
    found = [_compare(side_by_side, *pair) for pair in every]
    adjusted = holm([test.p if isinstance(test, Tested) else np.nan for test, _pairs, _listeners in found])
    for (first, second), (test, count, listeners), p_holm in zip(every, found, adjusted, strict=True):
        there = isinstance(test, Tested)
        yield PairRow(
            scale=scale,
            first=systems[first],
            second=systems[second],
            pairs=count,
            listeners=listeners,
            these_clips=test.interval if isinstance(test, Tested) else None,
            these_clips_p=test.p if isinstance(test, Tested) else None,
            these_clips_p_holm=float(p_holm) if there else None,
            these_clips_reason="" if isinstance(test, Tested) else test.reason,
        )


def _items(part: pd.DataFrame) -> Codes:
    """What two systems are compared on: the same excerpt of the same song, the same source."""
    same = part.groupby(["song", "excerpt_start", "excerpt_end", "source"], sort=False)
    return np.asarray(same.ngroup(), dtype=np.intp)


def _compare(side_by_side: Matched, first: int, second: int) -> tuple[Tested | NotEnough, int, int]:
    differences, listeners, _items = side_by_side.differences(first, second)
    count, people = differences.size, np.unique(listeners).size
    try:
        return over_listeners(differences, listeners), count, people
    except NotEnough as error:
        return error, count, people


def versions() -> dict[str, str]:
    """What computed it."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "pandas": pd.__version__,
    }
