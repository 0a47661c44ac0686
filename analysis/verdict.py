"""Which system is best on a scale, and how sure that is: decided here once, worded in `words.py`.

A lead on these clips is claimed only where the paired difference over listeners is significant after Holm's
adjustment over all pairs of the scale, only from `MIN_LISTENERS_TO_CLAIM` listeners on, and not where it contradicts
the plain differences (`Comparison.notes`), which unequal numbers of ratings can bring. That it holds for other songs
too is claimed only where the crossed paired differences (any song, any listener) are significant in the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.report import CONTROLS, MosRow, PairRow, StudyReport

MIN_LISTENERS_TO_CLAIM = 5


@dataclass(frozen=True)
class Verdict:
    """`kind`: nothing (no ratings) · alone (one system) · early (too few listeners) · tied (several share the highest
    mean) · open (the best is not told apart from all others) · leads (it is ahead of every other)."""

    scale: str
    kind: str
    best: MosRow | None = None
    tied: tuple[str, ...] = ()  # systems that share the highest mean, where several do
    ahead_of: tuple[str, ...] = ()
    open_against: tuple[str, ...] = ()
    closest: PairRow | None = None  # seen from the best: its smallest lead, or its smallest open difference
    listeners: int = 0
    songs: int = 0
    holds_for_songs: bool = False  # the lead over every other is established for other songs as well
    closest_for_songs: PairRow | None = None  # the smallest lead, or open difference, if songs are drawn anew


def verdict(report: StudyReport, scale: str) -> Verdict:
    rows = [row for row in report.select(scale, "system") if row.system not in CONTROLS]
    if not rows:
        return Verdict(scale, "nothing")
    best = max(rows, key=lambda row: row.mos)
    tied = tuple(row.system for row in rows if math.isclose(row.mos, best.mos))
    if len(rows) == 1:
        return Verdict(scale, "alone", best, listeners=best.listeners)
    duels = [pair.seen_from(best.system) for pair in report.pairs_of(scale) if best.system in (pair.first, pair.second)]
    ahead = [duel for duel in duels if is_ahead(duel)]
    undecided = [duel for duel in duels if not is_ahead(duel)]
    listeners = max(duel.listeners for duel in duels)
    kind = "tied" if len(tied) > 1 else "open" if undecided else "leads"
    if listeners < MIN_LISTENERS_TO_CLAIM:
        kind = "early"
    return Verdict(
        scale=scale,
        kind=kind,
        best=best,
        tied=tied if len(tied) > 1 else (),
        ahead_of=() if kind == "early" else tuple(duel.second for duel in ahead),
        open_against=tuple(duel.second for duel in undecided),
        closest=_closest(undecided or ahead),
        listeners=listeners,
        songs=max(duel.songs for duel in duels),
        holds_for_songs=kind == "leads" and all(duel.any_song.is_lead for duel in duels),
        closest_for_songs=_closest_for_songs(duels),
    )


def is_ahead(duel: PairRow) -> bool:
    """The first is ahead of the second on these clips, beyond chance."""
    enough = duel.listeners >= MIN_LISTENERS_TO_CLAIM
    return enough and duel.these_clips.is_lead and not duel.notes


def _closest(duels: list[PairRow]) -> PairRow | None:
    measured = [(duel.these_clips.interval.centre, duel) for duel in duels if duel.these_clips.interval]
    return min(measured, key=lambda one: one[0])[1] if measured else None


def _closest_for_songs(duels: list[PairRow]) -> PairRow | None:
    """Of those that are not established, if any; else of all."""
    undecided = [duel for duel in duels if not duel.any_song.is_lead]
    measured = [(duel.any_song.interval.low, duel) for duel in undecided or duels if duel.any_song.interval]
    return min(measured, key=lambda one: one[0])[1] if measured else None
