"""How many listeners and songs: what is wanted, and what the numbers of `statistics.planning` say to it.

Before a study from published spreads, during it from its own: of each scale the system that is known worst, and the
pair of systems that is. Everything is for one source. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.analysed import Analysed
from analysis.statistics.arrays import NotEnough
from analysis.statistics.comparison import matched
from analysis.statistics.crossed import MIN_LISTENERS, MIN_SONGS, Components, components, components_by_group
from analysis.statistics.intervals import LEVEL
from analysis.statistics.planning import (
    DEFAULT_DIFFERENCE,
    DEFAULT_MOS,
    Forecast,
    Plan,
    Precision,
    Spread,
    forecast,
    listeners_for_difference,
    listeners_for_width,
    precision,
    songs_for_difference,
    songs_for_width,
)
from analysis.statistics.whole import Contest, Ratings, ScaleAnalysis

HALF_WIDTH, DIFFERENCE = 0.35, 0.5
LISTENERS, SONGS, SYSTEMS = 24, 24, 3
POWER = 0.8
SHARES = (0.5, 1.0, 1.5, 2.0)  # of what is planned: the lines and columns of the table
STOPPING_COVERAGE = 0.94
"""Of intervals that promise 0.95, where listeners come until the interval is narrow enough: measured by
`python -m bench.coverage`, table "Stopping as soon as the interval is narrow enough" in docs/performance.md."""


@dataclass(frozen=True)
class Wish:
    """`clips`: that one listener hears, of all systems and sources; None: all."""

    half_width: float = HALF_WIDTH
    difference: float = DIFFERENCE
    listeners: int = LISTENERS
    songs: int = SONGS
    systems: int = SYSTEMS
    sources: int = 1
    clips: int | None = None

    @property
    def all_clips(self) -> int:
        return self.songs * self.systems * self.sources

    @property
    def clips_each(self) -> int:
        return min(self.clips or self.all_clips, self.all_clips)

    @property
    def heard(self) -> float:
        return self.clips_each / self.all_clips

    @property
    def pairs_level(self) -> float:
        """Of the smallest p among all pairs of systems, by Holm."""
        return 1.0 - (1.0 - LEVEL) / max(self.systems * (self.systems - 1) // 2, 1)


@dataclass(frozen=True)
class Spreads:
    mos: Spread = DEFAULT_MOS
    difference: Spread = DEFAULT_DIFFERENCE


@dataclass(frozen=True)
class Answer:
    """What the plan gives, and what the wishes need: None where no number of them is enough."""

    wish: Wish
    mean: Precision
    difference: Precision
    width_listeners: int | None
    width_songs: int | None
    difference_listeners: int | None
    difference_songs: int | None
    table: tuple[tuple[Precision, ...], ...]  # a line for each number of songs, a column for each of listeners


def answer(wish: Wish, spreads: Spreads | None = None) -> Answer:
    """Raises `NotEnough` below five listeners or songs."""
    known = spreads or Spreads()
    plan, heard = Plan(wish.listeners, wish.songs, wish.heard), wish.heard
    apart = {"heard": heard, "level": wish.pairs_level}
    return Answer(
        wish=wish,
        mean=precision(plan, known.mos),
        difference=precision(plan, known.difference, level=wish.pairs_level, power=POWER),
        width_listeners=listeners_for_width(wish.songs, known.mos, wish.half_width, heard=heard),
        width_songs=songs_for_width(wish.listeners, known.mos, wish.half_width, heard=heard),
        difference_listeners=listeners_for_difference(wish.songs, known.difference, wish.difference, **apart),
        difference_songs=songs_for_difference(wish.listeners, known.difference, wish.difference, **apart),
        table=_table(wish, known.mos),
    )


def _table(wish: Wish, spread: Spread) -> tuple[tuple[Precision, ...], ...]:
    columns = _around(wish.listeners, MIN_LISTENERS)
    return tuple(
        tuple(precision(Plan(listeners, songs, wish.heard), spread) for listeners in columns)
        for songs in _around(wish.songs, MIN_SONGS)
    )


def _around(number: int, least: int) -> list[int]:
    return sorted({max(round(number * share), least) for share in SHARES})


# ── From a study's own data ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Observed:
    """Of one scale: variance components of the system that is known worst, and of the pair of systems that is; None
    where the data do not give them yet."""

    scale: str
    mean: Components | None
    difference: Components | None

    @property
    def spreads(self) -> Spreads:
        """What is not known yet is as published."""
        return Spreads(
            DEFAULT_MOS if self.mean is None else Spread.of(self.mean),
            DEFAULT_DIFFERENCE if self.difference is None else Spread.of(self.difference),
        )


def observed(found: Analysed) -> list[Observed]:
    return [_observed(found, scale) for scale in found.found.scales]


@dataclass(frozen=True)
class Live:
    """Where one scale of a running study stands. `songs`: that ± the wanted width needs with the planned listeners."""

    scale: str
    forecast: Forecast
    songs: int | None


def live(found: Analysed, listeners: int, half_width: float) -> list[Live]:
    """Of the scales that say enough yet."""
    known = []
    for one in observed(found):
        if one.mean is None:
            continue
        try:
            told = forecast(one.mean, listeners, half_width)
        except NotEnough:
            continue
        plan = told.at_end.plan
        songs = songs_for_width(plan.listeners, Spread.of(one.mean), half_width, heard=plan.heard)
        known.append(Live(one.scale, told, songs))
    return known


def _observed(found: Analysed, scale: ScaleAnalysis) -> Observed:
    worst = max(
        scale.contests[1:] or scale.contests, key=_width
    )  # the first is over all sources, where there are several
    ratings = found.ratings
    inside = ratings.where((ratings.scales == scale.scale) & (ratings.sources == worst.source))
    return Observed(found.label("scale", scale.scale), _mean(inside, worst, found), _difference(inside, worst))


def _width(contest: Contest) -> float:
    return max((row.any_song.se for row in contest.systems if row.any_song), default=0.0)


def _mean(own: Ratings, contest: Contest, found: Analysed) -> Components | None:
    """Of the system with the widest interval; controls are not asked about."""
    controls = found.options.controls
    rows = [row for row in contest.systems if row.any_song and found.label("system", row.system) not in controls]
    if not rows:
        return None
    widest = max(rows, key=lambda row: row.any_song.se if row.any_song else 0.0)
    parts = components_by_group(own.scores, own.listeners, own.songs, own.systems, group_count=own.count("system"))
    return _one_per_cell(parts.of(widest.system))


def _difference(own: Ratings, contest: Contest) -> Components | None:
    pairs = [pair for pair in contest.pairs if pair.any_song]
    if not pairs:
        return None
    widest = max(pairs, key=lambda pair: pair.any_song.interval.se if pair.any_song else 0.0)
    inside = own.where((own.systems == widest.first) | (own.systems == widest.second))
    columns = (inside.systems == widest.second).astype(np.intp)
    side_by_side = matched(inside.scores, inside.listeners, inside.items, columns, system_count=2)
    song_of_item = np.zeros(int(inside.items.max()) + 1, dtype=np.intp)
    song_of_item[inside.items] = inside.songs
    values, listeners, items = side_by_side.differences(0, 1)
    return _one_per_cell(components(values, listeners, song_of_item[items]))


def _one_per_cell(found: Components) -> Components:
    """A plan counts one rating for a listener and song; who rates several excerpts of a song has less left over."""
    each = found.ratings / (found.listeners * found.songs)
    if each <= 1.0:
        return found
    return replace(found, residual=found.residual / each, ratings=found.listeners * found.songs)
