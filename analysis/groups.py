"""Who hears differently, and what a session does to its ratings: `statistics.effects` asked about a study's listeners.

Everything here is looked at after the fact and proves nothing by itself. A group of one listener is a person, so it is
not shown; below five listeners a group has no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.analysed import Analysed
from analysis.listener_facts import CHOICES, ListenerFacts
from analysis.statistics.arrays import Codes, Floats, NotEnough
from analysis.statistics.effects import (
    FEWEST_LISTENERS,
    GroupEffect,
    SessionEffects,
    listener_groups,
    residuals,
    session_effects,
)
from analysis.statistics.intervals import Tested, mean_interval, tested
from listening_test.question_pieces import PIECES
from listening_test.scales import SCALES

ALONE = 1  # listeners in a group that is not shown
UNFAMILIAR, FAMILIAR = 2, 4  # at most, at least: of five steps
GROUPS: Mapping[str, tuple[str, ...]] = {
    "familiarity": ("little", "some", "much"),
    **{key: tuple(map(str, own.values)) for key in CHOICES if (own := PIECES[key].question)},
    "checks": ("passed", "failed"),
    "attention": ("less", "much", "full"),
    "traps": ("none", "some"),
}
"""What listeners are grouped by, and the groups of each: answers to questions, or what checks found."""


@dataclass(frozen=True)
class GroupedFact:
    """One question about listeners on one scale. `unknown`: listeners without an answer; `alone`: listeners who are the
    only one of their group, which is not shown."""

    scale: str
    fact: str
    effect: GroupEffect  # `group` is a place in `GROUPS[fact]`
    unknown: int
    alone: int


@dataclass(frozen=True)
class ScaleEffects:
    """`familiar`: of the same listeners, songs of familiar styles minus songs of unfamiliar ones."""

    scale: str
    session: SessionEffects
    familiar: Tested | None
    familiar_reason: str


@dataclass(frozen=True)
class GroupReport:
    facts: tuple[GroupedFact, ...] = ()
    effects: tuple[ScaleEffects, ...] = ()


def group_report(found: Analysed | None, table: pd.DataFrame, facts: ListenerFacts) -> GroupReport:
    """`table`: the rows of `found.ratings`, in their order, with `position`, `quality_first` and `song_id`."""
    if found is None:
        return GroupReport()
    if len(table) != found.ratings.scores.size:
        raise ValueError("the table is not the one that was analysed")
    groups = _groups(found, facts)
    grouped, effects = [], []
    for code in _scales(found):
        own = _Own.of(found, table, code)
        grouped += [fact for key in GROUPS if key in groups and (fact := _grouped(own, key, groups[key]))]
        effects.append(_effects(own, facts))
    return GroupReport(tuple(grouped), tuple(effects))


def _scales(found: Analysed) -> list[int]:
    """Codes of the scales that have ratings, in the order in which scales are always shown."""
    order = {str(scale): place for place, scale in enumerate(SCALES)}
    names = found.ratings.names["scale"]
    there = np.flatnonzero(np.bincount(found.ratings.scales)).tolist()
    return sorted(there, key=lambda code: (order.get(str(names[code]), len(order)), code))


@dataclass(frozen=True)
class _Own:
    """The ratings of one scale, `[ratings]`, and the labels of all listeners."""

    scale: str
    scores: Floats
    listeners: Codes
    clips: Codes
    positions: Floats
    is_first: npt.NDArray[np.bool_]
    songs: npt.NDArray[Any]
    labels: Sequence[str]

    @classmethod
    def of(cls, found: Analysed, table: pd.DataFrame, code: int) -> _Own:
        ratings = found.ratings
        chosen = ratings.scales == code
        scale = str(ratings.names["scale"][code])
        rows = table[chosen]
        return cls(
            scale=scale,
            scores=ratings.scores[chosen],
            listeners=ratings.listeners[chosen],
            clips=ratings.clips[chosen],
            positions=rows["position"].to_numpy(float),
            is_first=rows["quality_first"].to_numpy(bool) == (scale == "quality"),
            songs=rows["song_id"].to_numpy(),
            labels=[str(label) for label in ratings.names["listener"]],
        )


# ── Groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _groups(found: Analysed, facts: ListenerFacts) -> dict[str, Codes]:
    """Of each listener, a place in `GROUPS`, −1 where it is not known; only what is known of anybody."""
    labels = [str(label) for label in found.ratings.names["listener"]]
    given: dict[str, list[int]] = {
        "familiarity": [_familiarity(facts.familiarity.get(label, {})) for label in labels],
        "attention": [_placed(facts.answers.get("attention", {}).get(label), _attention) for label in labels],
    }
    for key in CHOICES:
        own = facts.answers.get(key, {})
        given[key] = [GROUPS[key].index(own[label]) if own.get(label) in GROUPS[key] else -1 for label in labels]
    for key, column in (("checks", found.facts.equipment_failed), ("traps", found.facts.traps_failed)):
        values = np.full(len(labels), np.nan) if column is None else np.asarray(column, dtype=np.float64)
        given[key] = np.where(np.isfinite(values), (values > 0).astype(np.intp), -1).tolist()
    return {key: np.array(places, dtype=np.intp) for key, places in given.items() if max(places, default=-1) >= 0}


def _familiarity(songs: Mapping[str, int]) -> int:
    """How familiar the styles of a study's songs are to a listener, on the whole."""
    if not songs:
        return -1
    mean = float(np.mean(list(songs.values())))
    return 0 if mean < UNFAMILIAR + 0.5 else 1 if mean <= FAMILIAR - 0.5 else 2


def _placed(value: Any, place: Callable[[int], int]) -> int:
    return place(value) if isinstance(value, int) else -1


def _attention(step: int) -> int:
    return max(step - 3, 0)  # 1 to 3, 4, 5


def _grouped(own: _Own, key: str, places: Codes) -> GroupedFact | None:
    there = np.bincount(own.listeners, minlength=places.size) > 0
    chosen = np.where(there, places, -1)
    sizes = np.bincount(chosen[chosen >= 0], minlength=len(GROUPS[key]))
    alone = (chosen >= 0) & (sizes[chosen] <= ALONE)
    shown = np.where(alone, -1, chosen)
    if shown.max(initial=-1) < 0:
        return None
    effect = listener_groups(own.scores, own.listeners, own.clips, shown)
    rows = tuple(row for row in effect.rows if row.listeners)
    left = {row.group for row in rows}
    pairs = tuple(pair for pair in effect.pairs if {pair.first, pair.second} <= left)
    return GroupedFact(
        scale=own.scale,
        fact=key,
        effect=GroupEffect(rows, pairs, effect.f, effect.p),
        unknown=int((there & (chosen < 0)).sum()),
        alone=int(alone.sum()),
    )


# ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _effects(own: _Own, facts: ListenerFacts) -> ScaleEffects:
    session = session_effects(own.scores, own.listeners, own.clips, own.positions, own.is_first)
    familiar, reason = _familiar(own, facts)
    return ScaleEffects(own.scale, session, familiar, reason)


def _familiar(own: _Own, facts: ListenerFacts) -> tuple[Tested | None, str]:
    """Each listener's mean residual on familiar songs minus that on unfamiliar ones is one value."""
    if not facts.familiarity:
        return None, "not_asked"
    differences = _familiar_minus_unfamiliar(own, facts)
    if differences.size < FEWEST_LISTENERS:
        return None, "fewer_than_5_listeners_with_both"
    try:
        return tested(mean_interval(differences), differences.size), ""
    except NotEnough as error:
        return None, error.reason


def _familiar_minus_unfamiliar(own: _Own, facts: ListenerFacts) -> Floats:
    """Of each listener who rated both kinds."""
    left = residuals(own.scores, own.clips)
    song, names = pd.factorize(own.songs)
    known = np.isfinite(left)
    cell = (own.listeners * len(names) + song)[known]
    size = len(own.labels) * len(names)
    sums, counts = np.bincount(cell, left[known], minlength=size), np.bincount(cell, minlength=size)
    told = np.array([facts.familiarity.get(who, {}).get(name, 0) for who in own.labels for name in names])
    shape = (len(own.labels), len(names))
    sums, counts, told = sums.reshape(shape), counts.reshape(shape), told.reshape(shape)
    means = []
    for kind in (told >= FAMILIAR, (told >= 1) & (told <= UNFAMILIAR)):
        with np.errstate(invalid="ignore"):
            means.append((sums * kind).sum(axis=1) / (counts * kind).sum(axis=1))
    difference: Floats = means[0] - means[1]
    return difference[np.isfinite(difference)]
