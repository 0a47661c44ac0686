"""The parts of an analysis as rows of plain values: dictionaries with labels, numbers, truth, text and None. Pure.

`result_values.py` says how a number stands that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.compat import Published, compat_of_clip, compat_of_listener
from analysis.group_rows import GroupRows
from analysis.result_values import (
    Row,
    agreement,
    counted_number,
    design,
    friedman,
    given,
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
from analysis.statistics.arrays import Codes
from analysis.statistics.comparison import Comparison
from analysis.statistics.whole import Contest, MeanRow, ScaleAnalysis

FACTS = ("traps_failed", "seconds", "equipment_failed", "repeat_difference", "reference_mean", "anchor_mean")


@dataclass(frozen=True)
class Rows(GroupRows):
    """All of an analysis, or the same without the flagged."""

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
                        **ordinal_pair(latent.get(key) if self.has("song") else None, self._no_ordinal(contest)),
                    }

    def _no_ordinal(self, contest: Contest) -> str:
        return contest.ordinal_reason or ("" if self.has("song") else "no_songs")

    def _latent(self, contest: Contest) -> Iterator[Comparison]:
        """The ordinal check's pairs, with the codes of systems that the linear ones have."""
        for linear, one in zip(contest.pairs, contest.ordinal.pairs if contest.ordinal else (), strict=False):
            yield replace(one, first=linear.first, second=linear.second)

    def _pair(self, pair: Comparison) -> Row:
        """Without songs a pair is a listener's two means, of different clips: no single comparison that one can win."""
        songs = self.has("song")
        nothing = "nothing_in_common" if not pair.pairs else ""
        single, no_single = (pair, nothing) if songs else (None, "no_songs")
        any_song = pair.any_song if songs else None
        return {
            "first": self.label("system", pair.first),
            "second": self.label("system", pair.second),
            "pairs": pair.pairs,
            "listeners": pair.listeners,
            **given("songs", pair.songs if songs else None, "no_songs"),
            **counted_number("difference", pair.difference, nothing),
            **counted_number("sd", single and single.sd, no_single or "one_pair"),
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
            **counted_number("effect", single and single.effect, no_single or "no_spread"),
            **given("wins", single and single.wins, no_single),
            **given("ties", single and single.ties, no_single),
            **given("losses", single and single.losses, no_single),
            **counted_number("win_rate", single and single.win_rate, no_single),
            "notes": list(pair.notes),
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
        without_model = scale.modelled_reason or "not_compared"
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
            **counted_number("modelled_bias", model.bias[who] if model else None, without_model),
            **counted_number("modelled_inconsistency", model.inconsistency[who] if model else None, without_model),
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
                **given("alpha_interval", limits(own.alpha_interval), own.alpha_interval_reason),
                **counted_number("sos", own.sos, "no_spread"),
                **given("repeats", repeated(again), "no_pairs"),
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
