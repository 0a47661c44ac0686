"""What a tidy table of a study is: its columns, and which of its rows enter the numbers. Pure.

What counts as one rating: it is final (its listener went on from the trial), it belongs to the clip's first
presentation (a repeat is there to test the listener), and it comes from a person. Only where there is no person at all
are simulated listeners counted, and whoever shows the numbers says so. Unfinished sessions count with what they gave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

COLUMNS = (
    "study",
    "session",
    "listener",
    "simulated",
    "language",
    "song",
    "song_id",
    "excerpt_start",
    "excerpt_end",
    "source",
    "system",
    "weights",
    "demo",
    "clip",
    "repeat",
    "position",
    "scale",
    "score",
    "given_at",
    "changes",
    "heard_seconds",
    "plays",
    "quality_first",
    "completed",
    "finished",
)
"""Names in the table and in ratings.csv; they are a format: they do not change."""

NOT_FINAL = "not_final"
SIMULATED = "simulated"
REPEAT = "repeat"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LeftOut:
    """How many of the ratings enter the numbers, and how many do not, by the first reason that holds."""

    stored: int
    counted: int
    not_final: int
    simulated: int
    repeats: int


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """The ratings that enter the numbers (see the top of this file)."""
    return _where(table, why_left_out(table) == "")


def entering(table: pd.DataFrame) -> pd.DataFrame:
    """`counted`, and beside them the repeats of the same listeners: what `analysed` takes."""
    why = why_left_out(table)
    return _where(table, (why == "") | (why == REPEAT))


def why_left_out(table: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Of each rating "", or the first reason that holds: "not_final", "simulated", "repeat"; `[ratings]`.

    A table without `finished`, `simulated` or `repeat` holds final ratings, persons and first presentations.
    """
    final, simulated, again = _flag(table, "finished", True), _flag(table, "simulated", False), _again(table)
    persons = bool((final & ~again & ~simulated).any())
    why = np.full(len(table), "", dtype=object)
    why[again] = REPEAT
    if persons:
        why[simulated] = SIMULATED
    why[~final] = NOT_FINAL
    return why


def left_out(table: pd.DataFrame) -> LeftOut:
    why = why_left_out(table)
    not_final, simulated, repeats = (int((why == reason).sum()) for reason in (NOT_FINAL, SIMULATED, REPEAT))
    return LeftOut(len(table), int((why == "").sum()), not_final, simulated, repeats)


def _where(table: pd.DataFrame, chosen: Mask) -> pd.DataFrame:
    part: pd.DataFrame = table[chosen]
    return part


def _flag(table: pd.DataFrame, name: str, otherwise: bool) -> Mask:
    return table[name].to_numpy(bool) if name in table else np.full(len(table), otherwise)


def _again(table: pd.DataFrame) -> Mask:
    return table["repeat"].to_numpy() > 0 if "repeat" in table else np.zeros(len(table), dtype=bool)
