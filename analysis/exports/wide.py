"""Ratings in other shapes: a row per listener and clip with a column per scale, and clips × listeners of one scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.exports.tidy import ROWS_AT_ONCE, cells
from analysis.tidy import COLUMNS
from separation.csv_text import cell, lines

KEY = ("listener", "clip", "repeat")
OF_ONE_RATING = ("position", "scale", "score", "given_at", "changes", "heard_seconds", "plays", "quality_first")
ABOUT_HEARING = tuple(name for name in COLUMNS if name not in OF_ONE_RATING)
"""Columns of the wide table before those of the scales, as far as the tidy one has them."""
ABOUT_CLIP = ("clip", "song", "excerpt_start", "excerpt_end", "source", "system")
CELLS_AT_ONCE = 200_000  # of a matrix


def scales_of(table: pd.DataFrame) -> list[str]:
    return sorted(map(str, table["scale"].unique()))


# ── A row per listener and clip ─────────────────────────────────────────────────────────────────────────────────────


def wide_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row per listener, clip and presentation, in the order of the tidy table, and one column per scale.

    A scale that was not rated there is None. `finished` holds where every rating of the row is. Two ratings of one
    scale in one place, which no study of this service has, stand in two rows: nothing is lost.
    """
    known = [name for name in KEY if name in table]
    place = table.assign(again=table.groupby([*known, "scale"], sort=False).cumcount())
    row = place.groupby([*known, "again"], sort=False).ngroup().to_numpy()
    size = int(row.max(initial=-1)) + 1
    _rows, first = np.unique(row, return_index=True)
    wide = table.iloc[first][[name for name in ABOUT_HEARING if name in table]].reset_index(drop=True)
    if "finished" in wide:
        open_ = np.bincount(row, ~table["finished"].to_numpy(bool), minlength=size)
        wide["finished"] = open_ == 0
    for scale in scales_of(table):
        own = (table["scale"] == scale).to_numpy()
        values = np.full(size, None, dtype=object)
        values[row[own]] = table["score"].to_numpy(object)[own]
        wide[_column(scale, wide)] = pd.Series(values, dtype=object)
    return wide


def _column(scale: str, wide: pd.DataFrame) -> str:
    return f"score of {scale}" if scale in wide else scale


def wide_csv(table: pd.DataFrame) -> Iterator[bytes]:
    wide = wide_table(table)
    yield lines([[cell(str(name)) for name in wide.columns]])
    for start in range(0, len(wide), ROWS_AT_ONCE):
        part = wide.iloc[start : start + ROWS_AT_ONCE]
        yield lines(zip(*(cells(part[name]) for name in wide.columns), strict=True))


# ── Clips × listeners ───────────────────────────────────────────────────────────────────────────────────────────────


def matrix_csv(table: pd.DataFrame, scale: str) -> Iterator[bytes]:
    """One row per clip, one column per listener, first presentations on one scale; empty where it was not rated.

    Of several ratings in one place the first stands. Written a few clips at a time, whatever the number of listeners.
    """
    own = table[(table["scale"] == scale) & (table.get("repeat", 0) == 0)]
    about = [name for name in ABOUT_CLIP if name in own]
    clips, named = pd.factorize(own["clip"], sort=True)
    listeners, people = pd.factorize(own["listener"], sort=True)
    yield lines([[*about, *(cell(str(name)) for name in people)]])
    order = np.argsort(clips, kind="stable")[::-1]  # backwards: what is written last, the first rating, stays
    clips, listeners, scores = clips[order], listeners[order], own["score"].to_numpy(object)[order]
    first = own.drop_duplicates("clip").set_index("clip")
    step = max(CELLS_AT_ONCE // max(len(people), 1), 1)
    for start in range(0, len(named), step):
        chosen = (start <= clips) & (clips < start + step)
        part = first.loc[named[start : start + step]].reset_index()
        table_part = _filled(clips[chosen] - start, listeners[chosen], scores[chosen], (len(part), len(people)))
        facts = zip(*(cells(part[name]) for name in about), strict=True)
        yield lines([*fact, *values] for fact, values in zip(facts, table_part, strict=True))


def _filled(
    rows: npt.NDArray[Any], columns: npt.NDArray[Any], scores: npt.NDArray[Any], shape: tuple[int, int]
) -> list[list[str]]:
    found = np.full(shape, "", dtype=object)
    found[rows, columns] = [cell(score) for score in scores]
    filled: list[list[str]] = found.tolist()
    return filled
