"""The parts of an analysis as rows of plain values: dictionaries with labels, numbers, truth, text and None. Pure.

`result_values.py` says how a number stands that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.analysed import Analysed
from analysis.compat import Published, compat_of_clip, compat_of_listener
from analysis.result_values import (
    Row,
    agreement,
    counted_number,
    design,
    friedman,
    given,
    group_mean,
    histogram,
    interval,
    limits,
    modelled,
    no_wilcoxon,
    number,
    ordinal_pair,
    repeated,
    tested,
    wilcoxon,
)
from analysis.statistics.arrays import Codes, NotEnough
from analysis.statistics.comparison import Comparison
from analysis.statistics.crossed import components_by_group, interval_of_group
from analysis.statistics.mos import mos_by_group
from analysis.statistics.whole import ALL, Contest, MeanRow, Ratings, ScaleAnalysis, Whole, without_flagged

FACTS = ("traps_failed", "seconds", "equipment_failed", "repeat_difference", "reference_mean", "anchor_mean")
GROUPED = ("system", "source", "song")


@dataclass(frozen=True)
class Rows:
    """`found`: all of it; `whole`: what is told, which is `found.found`, or the same without the flagged."""

    found: Analysed
    whole: Whole

    # ── Labels ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def ratings(self) -> Ratings:
        return self.found.ratings

    def has(self, column: str) -> bool:
        """Whether the table told it. Where it did not, `Ratings.of` has one code with the number 0 for a name."""
        names = self.ratings.names[column]
        return names.size != 1 or isinstance(names[0], str)

    def label(self, column: str, code: int) -> str | None:
        return self.found.label(column, code) if code >= 0 and self.has(column) else None

    def _scale(self, scale: ScaleAnalysis) -> Row:
        return {"scale": self.label("scale", scale.scale)}

    @cached_property
    def _of_clip(self) -> dict[str, Codes]:
        """Song, system and source of each clip, as codes."""
        columns = {"song": self.ratings.songs, "system": self.ratings.systems, "source": self.ratings.sources}
        found = {}
        for name, codes in columns.items():
            found[name] = np.full(self.ratings.count("clip"), -1, dtype=np.intp)
            found[name][self.ratings.clips] = codes
        return found

    # ── Clips ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def clips(self, published: Mapping[int, Published]) -> Iterator[Row]:
        for scale in self.whole.scales:
            for clip in np.flatnonzero(scale.clips.ratings):
                yield self._clip(scale, int(clip)) | compat_of_clip(published.get(scale.scale), int(clip))

    def _clip(self, scale: ScaleAnalysis, clip: int) -> Row:
        own = scale.clips
        few = "one_rating" if own.ratings[clip] < 2 else ""
        t = None if few or own.unanimous[clip] else limits((own.low[clip], own.high[clip]))
        return {
            **self._scale(scale),
            "clip": self.label("clip", clip),
            **{name: self.label(name, int(codes[clip])) for name, codes in self._of_clip.items()},
            "ratings": int(own.ratings[clip]),
            "mos": number(own.mos[clip]),
            "median": number(own.median[clip]),
            **counted_number("sd", own.sd[clip], few),
            **given("t_interval", t, few or "no_spread"),
            **given("histogram", histogram(scale, clip), "not_categories"),
            **given("modelled", modelled(scale, clip), scale.modelled_reason or few),
        }

    # ── Systems ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def overall(self) -> Iterator[Row]:
        for scale in self.whole.scales:
            yield {**self._scale(scale), **self._mean(scale.overall)}

    def systems(self) -> Iterator[Row]:
        if not self.has("system"):
            return
        for scale in self.whole.scales:
            for contest in scale.contests:
                for row in contest.systems:
                    yield self._system(scale, contest, row)

    def _system(self, scale: ScaleAnalysis, contest: Contest, row: MeanRow) -> Row:
        system = self.label("system", row.system)
        control = "is_control" if system in self.found.options.controls else ""
        no_check = "" if contest.replicates else "no_bootstrap"
        no_rank = control or row.rank_reason or "not_known"
        alone = "one_system" if not contest.pairs else "not_every_pair_tested"
        rank = None if row.rank is None else {"low": row.rank[0], "high": row.rank[1]}
        return {
            **self._scale(scale),
            "source": self.label("source", contest.source),
            "system": system,
            "control": bool(control),
            **self._mean(row),
            **given("bootstrap", limits(row.bootstrap), no_check or row.any_song_reason or "not_known"),
            **given("letters", row.letters or None, control or alone),
            **given("rank", rank, no_rank),
            **counted_number("best", row.best, no_rank),
        }

    def _mean(self, row: MeanRow) -> Row:
        songs = self.has("song")
        any_song = interval(row.any_song) if songs else None
        return {
            "ratings": row.ratings,
            "listeners": row.listeners,
            **given("songs", row.songs if songs else None, "no_songs"),
            "mos": number(row.mos),
            **counted_number("sd", row.sd, "one_rating"),
            **given("these_clips", interval(row.these_clips), row.these_clips_reason),
            **given("any_song", any_song, row.any_song_reason if songs else "no_songs"),
        }

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
        other = [("one_song", None)] * there.size if "song" in columns else self._any_song(own, group, there.size)
        for at in range(there.size):
            which = dict(zip(columns, np.unravel_index(there[at], shape), strict=True))
            names = {name: self.label(name, int(which[name])) if name in which else None for name in GROUPED}
            yield {**self._scale(scale), "by": " × ".join(columns), **names, **group_mean(means, at, *other[at])}

    def _any_song(self, own: Ratings, group: Codes, size: int) -> list[tuple[str, Row | None]]:
        if not self.has("song"):
            return [("no_songs", None)] * size
        found = components_by_group(own.scores, own.listeners, own.songs, group, group_count=size)
        told: list[tuple[str, Row | None]] = []
        for at in range(size):
            try:
                told.append(("", interval(interval_of_group(found, at, self.found.options.level))))
            except NotEnough as error:
                told.append((error.reason, None))
        return told

    # ── Pairs ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def pairs(self) -> Iterator[Row]:
        for scale in self.whole.scales:
            for contest in scale.contests:
                latent = {(one.first, one.second): one for one in self._latent(contest)}
                ranks = {(one.first, one.second): one for one in contest.wilcoxon}
                for pair in contest.pairs:
                    key = (pair.first, pair.second)
                    yield {
                        **self._scale(scale),
                        "source": self.label("source", contest.source),
                        **self._pair(pair),
                        **given("wilcoxon", wilcoxon(ranks.get(key)), no_wilcoxon(ranks.get(key))),
                        **ordinal_pair(latent.get(key), contest.ordinal_reason),
                    }

    def _latent(self, contest: Contest) -> Iterator[Comparison]:
        """The ordinal check's pairs, with the codes of systems that the linear ones have."""
        for linear, one in zip(contest.pairs, contest.ordinal.pairs if contest.ordinal else (), strict=False):
            yield replace(one, first=linear.first, second=linear.second)

    def _pair(self, pair: Comparison) -> Row:
        nothing = "nothing_in_common" if not pair.pairs else ""
        songs = self.has("song")
        any_song = pair.any_song if songs else None
        return {
            "first": self.label("system", pair.first),
            "second": self.label("system", pair.second),
            "pairs": pair.pairs,
            "listeners": pair.listeners,
            **given("songs", pair.songs if songs else None, "no_songs"),
            **counted_number("difference", pair.difference, nothing),
            **counted_number("sd", pair.sd, nothing or "one_pair"),
            **given(
                "these_clips",
                tested(pair.these_clips, pair.these_clips_p_holm, pair.these_clips_p_bh),
                pair.these_clips_reason,
            ),
            **given(
                "any_song",
                tested(any_song, pair.any_song_p_holm, pair.any_song_p_bh),
                pair.any_song_reason if songs else "no_songs",
            ),
            **counted_number("effect", pair.effect, nothing or "no_spread"),
            "wins": pair.wins,
            "ties": pair.ties,
            "losses": pair.losses,
            **counted_number("win_rate", pair.win_rate, nothing),
            "margin": number(pair.margin),
            **counted_number(
                "equivalence_p", pair.tost_p if songs else None, pair.any_song_reason if songs else "no_songs"
            ),
        }

    def contests(self) -> Iterator[Row]:
        """Systems all together: Friedman, and whether ordered categories say the same."""
        for scale in self.whole.scales if self.has("system") else ():
            for contest in scale.contests:
                yield {
                    **self._scale(scale),
                    "source": self.label("source", contest.source),
                    **given("friedman", friedman(contest), contest.friedman_reason),
                    **given("ordinal", self._ordinal(contest), contest.ordinal_reason),
                }

    def _ordinal(self, contest: Contest) -> Row | None:
        found = contest.ordinal
        if found is None:
            return None
        return {
            **counted_number("agreement", found.agreement, "not_tested_by_both"),
            **counted_number("same_order", found.same_order, "no_spread"),
            "ratings": found.ratings,
        }

    # ── Listeners ───────────────────────────────────────────────────────────────────────────────────────────────────

    def listeners(self, published: Mapping[int, Published]) -> Iterator[Row]:
        for scale in self.whole.scales:
            for who in np.flatnonzero(scale.listeners.ratings):
                yield self._listener(scale, int(who)) | compat_of_listener(published.get(scale.scale), int(who))

    def _listener(self, scale: ScaleAnalysis, who: int) -> Row:
        own, model = scale.listeners, scale.modelled
        return {
            **self._scale(scale),
            "listener": self.label("listener", who),
            "ratings": int(own.ratings[who]),
            "mean": number(own.mean[who]),
            **counted_number("variance", own.variance[who], "one_rating"),
            **counted_number("scale_use", own.scale_use[who], "not_categories"),
            **counted_number("bias", own.bias[who], "not_compared"),
            **counted_number("inconsistency", own.inconsistency[who], "not_compared"),
            **counted_number("correlation", own.correlation[who], "not_compared"),
            **counted_number("random_share", own.random_share[who], "not_compared"),
            **counted_number("modelled_bias", model.bias[who] if model else None, scale.modelled_reason),
            **counted_number("modelled_inconsistency", model.inconsistency[who] if model else None, "not_known"),
            **{key: value for name in FACTS for key, value in self._fact(name, who).items()},
            "flagged": bool(own.flagged[who]),
            "reasons": list(own.reasons[who]),
        }

    def _fact(self, name: str, who: int) -> Row:
        column = getattr(self.found.facts, name)
        return counted_number(name, None if column is None else np.asarray(column)[who], "not_known")

    # ── Reliability, variance, design ───────────────────────────────────────────────────────────────────────────────

    def reliability(self) -> Iterator[Row]:
        for scale in self.whole.scales:
            own = scale.reliability
            again = self.found.repeats.get(scale.scale)
            yield {
                **self._scale(scale),
                **agreement(own.agreement, own.agreement_reason),
                **counted_number("alpha", own.alpha, own.alpha_reason),
                **given(
                    "alpha_interval",
                    limits(own.alpha_interval),
                    own.alpha_reason or self._no_alpha_interval(scale),
                ),
                **counted_number("sos", own.sos, "no_spread"),
                **given("repeats", repeated(again), "no_pairs"),
            }

    def _no_alpha_interval(self, scale: ScaleAnalysis) -> str:
        if not self.found.options.replicates:
            return "no_bootstrap"
        return "too_few_songs" if scale.overall.songs < 2 else "no_spread"

    def variance(self) -> Iterator[Row]:
        """Between listeners, between clips or songs, and the rest: of all clips, of all songs, and of each system."""
        for scale in self.whole.scales:
            own = self._kept.where(self._kept.scales == scale.scale)
            yield from self._components(scale, "clips", own, own.clips, np.zeros_like(own.clips), None)
            if self.has("song"):
                yield from self._components(scale, "songs", own, own.songs, np.zeros_like(own.songs), None)
            if self.has("song") and self.has("system"):
                for contest in scale.contests:
                    part = own if contest.source == ALL else own.where(own.sources == contest.source)
                    yield from self._components(scale, "songs", part, part.songs, part.systems, contest)

    def _components(
        self, scale: ScaleAnalysis, items: str, own: Ratings, what: Codes, group: Codes, contest: Contest | None
    ) -> Iterator[Row]:
        found = components_by_group(own.scores, own.listeners, what, group)
        for at in np.flatnonzero(found.ratings):
            reason = found.reasons[at]
            shares = (np.nan,) * 3 if reason else found.of(int(at)).shares
            parts = (found.listener[at], found.song[at], found.residual[at])
            told = [number(part) for part in parts]
            named = dict(zip(("listener", "item", "residual"), told, strict=True))
            split = dict(zip(("listener", "item", "residual"), map(number, shares), strict=True))
            yield {
                **self._scale(scale),
                "source": self.label("source", contest.source) if contest else None,
                "system": self.label("system", int(at)) if contest else None,
                "items": items,
                **given("components", None if None in told else named, reason),
                **given("shares", None if None in split.values() else split, reason or "no_spread"),
            }

    def design(self) -> Row:
        scales = [{**self._scale(scale), **design(scale)} for scale in self.whole.scales]
        own = self._kept
        return {
            "components": max((row["components"] for row in scales), default=0),
            "ratings": int(own.scores.size),
            "listeners": int(np.unique(own.listeners).size),
            "clips": int(np.unique(own.clips).size),
            **{
                f"{name}s": int(np.unique(getattr(own, f"{name}s")).size) if self.has(name) else 0
                for name in ("song", "system", "source")
            },
            "scales": scales,
        }
