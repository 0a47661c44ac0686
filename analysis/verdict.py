"""Which system is best on a scale, and how sure that is: decided here once, worded in `words.py`.

A lead is claimed only where the paired difference over listeners is significant after Holm's adjustment over all pairs
of the scale, and only from `MIN_LISTENERS_TO_CLAIM` listeners on. It holds for these clips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.report import ALPHA, CONTROLS, MosRow, PairRow, StudyReport

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
    )


def is_ahead(duel: PairRow) -> bool:
    """The first is ahead of the second, beyond chance."""
    if duel.these_clips is None or duel.these_clips_p_holm is None:
        return False
    return duel.listeners >= MIN_LISTENERS_TO_CLAIM and duel.these_clips_p_holm < ALPHA and duel.these_clips.centre > 0


def _closest(duels: list[PairRow]) -> PairRow | None:
    measured = [duel for duel in duels if duel.these_clips]
    return min(measured, key=lambda duel: duel.these_clips.centre if duel.these_clips else 0.0, default=None)
