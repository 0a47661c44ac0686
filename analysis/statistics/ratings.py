"""Ratings as columns of codes, with the labels that the codes stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.statistics.arrays import Codes, Floats, checked, codes


@dataclass(frozen=True)
class Ratings:
    """Columns of one rating each, `[ratings]`, as codes; `names` has the labels, by column.

    `items`: what two systems are compared on: the same excerpt of the same song, the same source. `told`: the columns
    that there were; of the others every rating has the one label 0.
    """

    scores: Floats
    listeners: Codes
    clips: Codes
    songs: Codes
    items: Codes
    systems: Codes
    sources: Codes
    scales: Codes
    names: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    scale_range: tuple[float, float] = (1.0, 5.0)
    told: frozenset[str] = frozenset()

    @classmethod
    def of(cls, columns: Mapping[str, Any], *, scale_range: tuple[float, float] = (1.0, 5.0)) -> Ratings:
        """From a table or a mapping of labels: `listener`, `clip`, `score`; where there are none, `song` and `system`
        are one, `source` and `scale` are one; `item` is song and source.

        Raises `ValueError` where scores are NaN or infinite, or outside `scale_range`, and where a label is missing.
        """
        scores, _none = checked(columns["score"])
        if scores.size and not scale_range[0] <= scores.min() <= scores.max() <= scale_range[1]:
            raise ValueError(f"a score lies outside {scale_range[0]:g} to {scale_range[1]:g}")
        numbers, names = {}, {}
        for name in ("listener", "clip", "song", "system", "source", "scale"):
            given = columns[name] if name in columns else np.zeros(scores.size, dtype=np.intp)
            numbers[name], names[name] = codes(given)
            if pd.isna(names[name]).any():
                raise ValueError(f"a rating has no {name}")
        if "item" in columns:
            items, _labels = codes(columns["item"])
        else:
            items = numbers["song"] * max(names["source"].size, 1) + numbers["source"]
        return cls(
            scores=scores,
            listeners=numbers["listener"],
            clips=numbers["clip"],
            songs=numbers["song"],
            items=items,
            systems=numbers["system"],
            sources=numbers["source"],
            scales=numbers["scale"],
            names=names,
            scale_range=scale_range,
            told=frozenset(name for name in names if name in columns),
        )

    def where(self, chosen: npt.NDArray[np.bool_]) -> Ratings:
        if chosen.all():
            return self
        columns = ("scores", "listeners", "clips", "songs", "items", "systems", "sources", "scales")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def count(self, column: str) -> int:
        return int(self.names[column].size)
