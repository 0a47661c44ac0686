"""A tidy table of ratings, analysed: of all listeners, and without those whom the rule flags.

Pure: the results page, `manage.py analyse` and a notebook come through the same door. A tidy table is a DataFrame with
one row per rating and at least the columns `listener`, `clip` and `score`; where they are there, `song`, `system`,
`source`, `scale`, `repeat` (0: the first presentation), and `excerpt_start` and `excerpt_end` are used too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.statistics.arrays import Floats, NotEnough
from analysis.statistics.bootstrap import REPLICATES
from analysis.statistics.comparison import margin_of_scale
from analysis.statistics.intervals import LEVEL
from analysis.statistics.reliability import Repeated, repeated
from analysis.statistics.screening import Facts, Rule
from analysis.statistics.whole import Ratings, Whole, flagged, whole, without_flagged

TOLD = ("traps_failed", "seconds", "equipment_failed")  # of listeners, beside their ratings
ITEM = ("song", "excerpt_start", "excerpt_end", "source")
"""What two systems are compared on, as far as the table has it."""

WORST_ANYWHERE = ""
"""In `Options.anchors`: an anchor that is meant to be worst on every scale."""


@dataclass(frozen=True)
class Options:
    """How to analyse. The same options on the same table give the same numbers.

    `references`: systems that are the true stems. `anchors`: systems made to be worst, with the scale on which they
    are. Both have means, but are never ranked or compared. `replicates` = 0 leaves the bootstrap out. `margin` (of
    equivalence) and `rule` are in points of the scale; where they are None, `used_margin` and `used_rule` are those of
    a scale from 1 to 5, in proportion to the width of this one.
    """

    scale_range: tuple[float, float] = (1.0, 5.0)
    replicates: int = REPLICATES
    margin: float | None = None
    level: float = LEVEL
    seed: int = 0
    rule: Rule | None = None
    references: frozenset[str] = frozenset()
    anchors: Mapping[str, str] = field(default_factory=dict)

    @property
    def controls(self) -> frozenset[str]:
        return self.references | frozenset(self.anchors)

    @property
    def used_margin(self) -> float:
        return margin_of_scale(self.scale_range) if self.margin is None else self.margin

    @property
    def used_rule(self) -> Rule:
        return Rule.of_scale(self.scale_range) if self.rule is None else self.rule

    def on_scale(self, scale_range: tuple[float, float]) -> Options:
        """The same limits on another scale."""
        wider = (scale_range[1] - scale_range[0]) / (self.scale_range[1] - self.scale_range[0])
        return replace(
            self,
            scale_range=scale_range,
            margin=None if self.margin is None else self.margin * wider,
            rule=None if self.rule is None else self.rule.moved(self.scale_range, scale_range),
        )


@dataclass(frozen=True)
class Analysed:
    """`ratings`: the first presentations, as codes with their labels in `ratings.names`, which all codes below mean.

    `without`: the same without the flagged listeners; None where nobody is flagged, or everybody is.
    `repeats`: by code of the scale, what listeners said the second time.
    """

    ratings: Ratings
    found: Whole
    without: Whole | None
    repeats: Mapping[int, Repeated]
    facts: Facts
    options: Options

    def label(self, column: str, code: int) -> str:
        """The name of `code` in the table: of a "listener", "clip", "song", "system", "source" or "scale"."""
        return str(self.ratings.names[column][code])


def analysed(table: pd.DataFrame, options: Options | None = None, known: pd.DataFrame | None = None) -> Analysed:
    """Everything that can be said of `table`.

    `known`: of each listener (index: their labels), the columns `traps_failed` (share), `seconds` (median per rating)
    and `equipment_failed` (1 or 0), as far as there are any; NaN where it is not known.
    Raises `ValueError` as `Ratings.of` does.
    """
    asked = options or Options()
    again = _is_repeat(table)
    first = table[~again]
    ratings = Ratings.of(_columns(first), scale_range=asked.scale_range)
    both = _both_times(first, table[again])
    facts = _facts(ratings, both, asked, known)
    systems = ratings.names["system"]
    not_ranked = frozenset(int(code) for code in np.flatnonzero(np.isin(systems, list(asked.controls))))
    found = _whole(ratings, asked, facts, not_ranked)
    marked = flagged(found)
    some = bool(marked.any()) and bool((~marked[ratings.listeners]).any())
    without = _whole(without_flagged(ratings, found), asked, facts, not_ranked) if some else None
    return Analysed(ratings, found, without, _repeats(both, ratings), facts, asked)


def _is_repeat(table: pd.DataFrame) -> pd.Series[bool]:
    return table["repeat"] > 0 if "repeat" in table else pd.Series(False, index=table.index)


def _columns(first: pd.DataFrame) -> dict[str, object]:
    """What `Ratings.of` reads, with the item where excerpts are told."""
    names = [name for name in ("listener", "clip", "score", "song", "system", "source", "scale") if name in first]
    columns: dict[str, object] = {name: first[name] for name in names}
    if "excerpt_start" in first:
        keys = [name for name in ITEM if name in first]
        columns["item"] = first.groupby(keys, sort=True, dropna=False).ngroup()
    return columns


def _whole(ratings: Ratings, asked: Options, facts: Facts, not_ranked: frozenset[int]) -> Whole:
    return whole(
        ratings,
        replicates=asked.replicates,
        margin=asked.used_margin,
        not_ranked=not_ranked,
        rule=asked.used_rule,
        facts=facts,
        seed=asked.seed,
        level=asked.level,
    )


# ── Listeners' facts ────────────────────────────────────────────────────────────────────────────────────────────────


def _both_times(first: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """One line per repeat, with the listener's first score of the same clip: `score_first` and `score`."""
    keys = [name for name in ("listener", "clip", "scale") if name in first]
    told = first.drop_duplicates(keys)[[*keys, "score"]]
    return again[[*keys, "score"]].merge(told, on=keys, suffixes=("", "_first"))


def _facts(ratings: Ratings, both: pd.DataFrame, asked: Options, known: pd.DataFrame | None) -> Facts:
    listeners = pd.Index(ratings.names["listener"])
    told = (pd.DataFrame() if known is None else known).reindex(listeners)
    facts = {
        name: told[name].to_numpy(float) for name in ("traps_failed", "seconds", "equipment_failed") if name in told
    }
    if len(both):
        apart = (both["score"] - both["score_first"]).abs().groupby(both["listener"]).mean()
        facts["repeat_difference"] = apart.reindex(listeners).to_numpy(float)
    systems, scales = ratings.names["system"], ratings.names["scale"]
    references = np.isin(systems, list(asked.references))[ratings.systems]
    if references.any():
        facts["reference_mean"] = _means(ratings, references)
    meant = np.array([asked.anchors.get(str(system)) for system in systems], dtype=object)[ratings.systems]
    anchors = (meant == WORST_ANYWHERE) | (meant == scales[ratings.scales])
    if anchors.any():
        facts["anchor_mean"] = _means(ratings, anchors)
    return Facts(**facts)


def _means(ratings: Ratings, chosen: npt.NDArray[np.bool_]) -> Floats:
    """Of each listener's chosen ratings, NaN where there are none."""
    size = ratings.count("listener")
    counts = np.bincount(ratings.listeners[chosen], minlength=size)
    sums = np.bincount(ratings.listeners[chosen], ratings.scores[chosen], minlength=size)
    means: Floats = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
    return means


def _repeats(both: pd.DataFrame, ratings: Ratings) -> dict[int, Repeated]:
    """By scale, where there are any."""
    found: dict[int, Repeated] = {}
    if both.empty:
        return found
    scales = both["scale"] if "scale" in both else pd.Series(ratings.names["scale"][0], index=both.index)
    for code, scale in enumerate(ratings.names["scale"]):
        own = both[scales == scale]
        try:
            who = pd.factorize(own["listener"])[0]
            found[code] = repeated(own["score_first"].to_numpy(float), own["score"].to_numpy(float), who)
        except NotEnough:
            continue
    return found
