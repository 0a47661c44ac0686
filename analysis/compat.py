"""The published procedures (`statistics/published.py`) on an analysis, scale by scale, as plain values. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.analysed import Analysed
from analysis.result_values import Row, counted_number, given, number
from analysis.statistics.arrays import Codes, NotEnough
from analysis.statistics.published import PROCEDURES, PublishedScores
from analysis.statistics.whole import Ratings


@dataclass(frozen=True)
class Published:
    """A published procedure on one scale; `clips` and `listeners` are the places of all in its arrays, −1: none."""

    procedure: str
    scores: PublishedScores | None
    reason: str
    clips: Codes
    listeners: Codes


def published(found: Analysed, procedure: str) -> dict[int, Published]:
    """`procedure` of `PROCEDURES`, by scale."""
    return {scale.scale: _published(found.ratings, scale.scale, procedure) for scale in found.found.scales}


def _published(ratings: Ratings, scale: int, procedure: str) -> Published:
    own = ratings.where(ratings.scales == scale)
    there_clips, clips = np.unique(own.clips, return_inverse=True)
    there_listeners, listeners = np.unique(own.listeners, return_inverse=True)
    places = (_places(there_clips, own.count("clip")), _places(there_listeners, own.count("listener")))
    try:
        return Published(procedure, PROCEDURES[procedure](own.scores, listeners, clips), "", *places)
    except NotEnough as error:
        return Published(procedure, None, error.reason, *places)


def _places(there: Codes, size: int) -> Codes:
    places = np.full(size, -1, dtype=np.intp)
    places[there] = np.arange(there.size)
    return places


def compat_of_clip(found: Published | None, clip: int) -> Row:
    if found is None:
        return {}
    if found.scores is None:
        return given("compat", None, found.reason)
    values = {name: number(getattr(found.scores, name)[found.clips[clip]]) for name in ("score", "se", "low", "high")}
    whole = None if None in values.values() else {"procedure": found.procedure, **values}
    return given("compat", whole, "one_rating")


def compat_of_listener(found: Published | None, who: int) -> Row:
    if found is None:
        return {}
    if found.scores is None:
        return given("compat", None, found.reason)
    at = found.listeners[who]
    own = found.scores
    return given(
        "compat",
        {
            "procedure": found.procedure,
            **counted_number("bias", own.bias[at], "not_in_procedure"),
            **counted_number("inconsistency", own.inconsistency[at], "not_in_procedure"),
            "rejected": bool(own.rejected[at]),
        },
        "",
    )
