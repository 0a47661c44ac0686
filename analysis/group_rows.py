"""Means of groups of clips, and the parts of their variance, as rows (see `result_rows`). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.analysed import Analysed
from analysis.result_values import Row, given, group_mean, interval, limits, number
from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.bootstrap import crossed_bootstrap
from analysis.statistics.crossed import GroupedComponents, components_by_group, interval_of_group
from analysis.statistics.mos import mos_by_group
from analysis.statistics.whole import ALL, Ratings, ScaleAnalysis, Whole, without_flagged

GROUPED = ("system", "source", "song")
PARTS = ("listener", "item", "residual")  # of the variance
MOST_CHECKED = 100_000  # ratings of one scale up to which groups have a bootstrap too: it takes seconds above


@dataclass(frozen=True)
class GroupRows:
    """`found`: all of it; `whole`: what is told, which is `found.found`, or the same without the flagged."""

    found: Analysed
    whole: Whole

    @cached_property
    def ratings(self) -> Ratings:
        return self.found.ratings

    def has(self, column: str) -> bool:
        """Whether the table told it."""
        return column in self.ratings.told

    def label(self, column: str, code: int) -> str | None:
        return self.found.label(column, code) if code >= 0 and self.has(column) else None

    def _scale(self, scale: ScaleAnalysis) -> Row:
        return {"scale": self.label("scale", scale.scale)}

    def groups(self, groupings: Iterable[tuple[str, ...]]) -> Iterator[Row]:
        """Means of any crossing of system, source and song; with the song there is no interval for other songs."""
        for columns in groupings:
            if all(map(self.has, columns)):
                for scale in self.whole.scales:
                    own = self._kept.where(self._kept.scales == scale.scale)
                    yield from self._grouped(scale, own, columns)

    @cached_property
    def _kept(self) -> Ratings:
        """The ratings that `whole` is of."""
        if self.whole is self.found.found:
            return self.ratings
        return without_flagged(self.ratings, self.found.found)

    def _grouped(self, scale: ScaleAnalysis, own: Ratings, columns: tuple[str, ...]) -> Iterator[Row]:
        codes = {name: getattr(own, f"{name}s") for name in columns}
        shape = tuple(own.count(name) for name in columns)
        place = np.ravel_multi_index(tuple(codes.values()), shape)
        there, group = np.unique(place, return_inverse=True)
        means = mos_by_group(own.scores, own.listeners, group, group_count=there.size, level=self.found.options.level)
        over_songs = self._over_songs(own, group, there.size, "song" in columns)
        for at in range(there.size):
            which = dict(zip(columns, np.unravel_index(there[at], shape), strict=True))
            names = {name: self.label(name, int(which[name])) if name in which else None for name in GROUPED}
            yield {
                **self._scale(scale),
                "by": " × ".join(columns),
                **names,
                **group_mean(means, at),
                **over_songs[at],
            }

    def _over_songs(self, own: Ratings, group: Codes, size: int, is_of_one_song: bool) -> list[Row]:
        """What speaks of other songs, of each group."""
        if is_of_one_song or not self.has("song"):
            songs = 1 if is_of_one_song else None
            why = "one_song" if is_of_one_song else "no_songs"
            nothing = [given(name, None, why) for name in ("any_song", "bootstrap", "shares")]
            return [{**given("songs", songs, why), **nothing[0], **nothing[1], **nothing[2]}] * size
        found = components_by_group(own.scores, own.listeners, own.songs, group, group_count=size)
        low, high, no_check = self._check(own, group, size)
        rows = []
        for at in range(size):
            any_song, reason = self._any_song(found, at)
            check = limits((low[at], high[at])) if any_song else None
            rows.append(
                {
                    "songs": int(found.songs[at]),
                    "songs_reason": None,
                    **given("any_song", any_song, reason),
                    **given("bootstrap", check, no_check or reason or "no_spread"),
                    **self._shares(found, at),
                }
            )
        return rows

    def _any_song(self, found: GroupedComponents, at: int) -> tuple[Row | None, str]:
        try:
            return interval(interval_of_group(found, at, self.found.options.level)), ""
        except NotEnough as error:
            return None, error.reason

    def _check(self, own: Ratings, group: Codes, size: int) -> tuple[Floats, Floats, str]:
        """Limits of the crossed bootstrap of every group, or why they are NaN."""
        asked = self.found.options
        no_check = "" if asked.replicates else "no_bootstrap"
        if own.scores.size > MOST_CHECKED:
            no_check = no_check or "too_many_ratings"
        if no_check:
            return np.full(size, np.nan), np.full(size, np.nan), no_check
        columns = (own.scores, own.listeners, own.songs, group)
        drawn = crossed_bootstrap(*columns, group_count=size, replicates=asked.replicates, seed=asked.seed)
        return *drawn.interval(asked.level), ""

    def _shares(self, found: GroupedComponents, at: int) -> Row:
        """Of the variance of one rating."""
        reason = found.reasons[at]
        parts = [None] * len(PARTS) if reason else list(map(number, found.of(at).shares))
        split = None if None in parts else dict(zip(PARTS, parts, strict=True))
        return given("shares", split, reason or "no_spread")

    def variance(self) -> Iterator[Row]:
        """Between listeners, between clips or songs, and the rest: of all clips; of all songs, each source and each
        system."""
        for scale in self.whole.scales:
            own = self._kept.where(self._kept.scales == scale.scale)
            everything = np.zeros_like(own.clips)
            yield from self._components(scale, "clips", own, own.clips, everything)
            if not self.has("song"):
                continue
            yield from self._components(scale, "songs", own, own.songs, everything)
            if self.has("source"):
                yield from self._components(scale, "songs", own, own.songs, own.sources, by="source")
            for contest in scale.contests if self.has("system") else ():
                part = own if contest.source == ALL else own.where(own.sources == contest.source)
                source = self.label("source", contest.source)
                yield from self._components(scale, "songs", part, part.songs, part.systems, by="system", source=source)

    def _components(
        self,
        scale: ScaleAnalysis,
        items: str,
        own: Ratings,
        what: Codes,
        group: Codes,
        *,
        by: str = "",
        source: str | None = None,
    ) -> Iterator[Row]:
        found = components_by_group(own.scores, own.listeners, what, group)
        for at in map(int, np.flatnonzero(found.ratings)):
            told = [number(part[at]) for part in (found.listener, found.song, found.residual)]
            yield {
                **self._scale(scale),
                "source": self.label("source", at) if by == "source" else source,
                "system": self.label("system", at) if by == "system" else None,
                "items": items,
                **given("components", None if None in told else dict(zip(PARTS, told, strict=True)), found.reasons[at]),
                **self._shares(found, at),
            }
