"""Objective metrics against listeners: what `statistics.correlation` finds for each scale and source of a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.analysed import Analysed
from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.correlation import REPLICATES, MetricStudy, metric_study
from analysis.statistics.whole import Ratings

MOST_CELLS = 4_000_000  # clips × listeners up to which a bootstrap replicate costs milliseconds
FEWER_REPLICATES = 100  # beyond
TOO_MANY_CELLS = 40_000_000


@dataclass(frozen=True)
class MeasuredClip:
    """`figures`: by metric, as `MetricReport.metrics`; NaN where there is none."""

    clip: str
    song: str
    system: str
    mos: float
    figures: tuple[float, ...]


@dataclass(frozen=True)
class MetricPart:
    """One scale and source. `study` is None where there is too little; `reason` says why."""

    scale: str
    source: str
    clips: tuple[MeasuredClip, ...]
    study: MetricStudy | None
    reason: str
    drawn: str  # what a bootstrap replicate draws beside listeners: "songs" or, with several of a song, "excerpts"


@dataclass(frozen=True)
class MetricReport:
    """`rated`, `measured`, `exact`: clips that were rated, that have figures, whose very excerpt was measured."""

    metrics: tuple[str, ...] = ()
    parts: tuple[MetricPart, ...] = ()
    rated: int = 0
    measured: int = 0
    exact: int = 0


def metric_report(
    found: Analysed, figures: pd.DataFrame, *, replicates: int = REPLICATES, seed: int = 0
) -> MetricReport:
    """`figures`: one row per clip (index: its label in the ratings), a column for each metric, NaN where there is none;
    `is_exact`, if there, is no metric. Clips without figures, such as controls, are left out of everything."""
    ratings = found.ratings
    metrics = tuple(str(name) for name in figures.columns if name != "is_exact")
    table = figures[list(metrics)].astype(float).reindex(pd.Index(ratings.names["clip"].astype(str)))
    known = np.isfinite(table.to_numpy()).any(axis=1)
    rated = np.bincount(ratings.clips, minlength=known.size) > 0
    exact = figures["is_exact"].reindex(table.index, fill_value=False) if "is_exact" in figures else known
    used = tuple(name for name in metrics if np.isfinite(table[name].to_numpy()[rated]).any())
    measured = ratings.where(known[ratings.clips])
    asked = _Asked(replicates, seed)
    return MetricReport(
        metrics=used,
        parts=tuple(_parts(measured, table[list(used)], asked)) if used else (),
        rated=int(rated.sum()),
        measured=int((rated & known).sum()),
        exact=int((rated & known & np.asarray(exact, dtype=bool)).sum()),
    )


@dataclass(frozen=True)
class _Asked:
    replicates: int
    seed: int


def _parts(ratings: Ratings, table: pd.DataFrame, asked: _Asked) -> Iterator[MetricPart]:
    for scale in np.flatnonzero(np.bincount(ratings.scales)):
        on_scale = ratings.where(ratings.scales == scale)
        for source in np.flatnonzero(np.bincount(on_scale.sources)):
            yield _part(on_scale.where(on_scale.sources == source), table, asked)


def _part(own: Ratings, table: pd.DataFrame, asked: _Asked) -> MetricPart:
    """`own`: of one scale and source."""
    clips, what = np.unique(own.clips, return_inverse=True)
    items, songs, systems = (_of_clip(column, what, clips.size) for column in (own.items, own.songs, own.systems))
    several = np.unique(items).size > np.unique(songs).size
    columns = {str(name): table[name].to_numpy(float)[clips] for name in table.columns}
    group = np.unique(items if several else songs, return_inverse=True)[1]
    mos = np.bincount(what, own.scores) / np.bincount(what)
    study, reason = _studied(own, what, columns, (group, np.unique(systems, return_inverse=True)[1]), asked)
    names = own.names
    return MetricPart(
        scale=str(names["scale"][own.scales[0]]),
        source=str(names["source"][own.sources[0]]),
        clips=tuple(
            MeasuredClip(
                clip=str(names["clip"][clip]),
                song=str(names["song"][songs[at]]),
                system=str(names["system"][systems[at]]),
                mos=float(mos[at]),
                figures=tuple(float(columns[name][at]) for name in columns),
            )
            for at, clip in enumerate(clips)
        ),
        study=study,
        reason=reason,
        drawn="excerpts" if several else "songs",
    )


def _studied(
    own: Ratings, what: Codes, columns: dict[str, Floats], grid: tuple[Codes, Codes], asked: _Asked
) -> tuple[MetricStudy | None, str]:
    who = np.unique(own.listeners, return_inverse=True)[1]
    cells = (int(what.max()) + 1) * (int(who.max()) + 1)
    if cells > TOO_MANY_CELLS:
        return None, "too_many_clips"
    replicates = asked.replicates if cells <= MOST_CELLS else min(asked.replicates, FEWER_REPLICATES)
    try:
        return metric_study(columns, own.scores, who, what, *grid, replicates=replicates, seed=asked.seed), ""
    except NotEnough as error:
        return None, error.reason


def _of_clip(column: Codes, what: Codes, size: int) -> Codes:
    found = np.zeros(size, dtype=np.intp)
    found[what] = column
    return found
