"""Whether a set of ratings can answer: connected or not, balanced or not, room at the ends of the scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.statistics.arrays import Codes, cell_counts, checked


@dataclass(frozen=True)
class Parts:
    """Parts of the listener–clip graph: between two of them no listener is shared."""

    count: int
    of_listener: Codes  # which part, −1 where a listener rated nothing; the largest part is 0
    of_clip: Codes
    largest: float  # share of the ratings in the largest part


@dataclass(frozen=True)
class DesignCheck:
    """What a reader must know of the design before its numbers. Shares are of ratings, or of clips where it says so."""

    components: int
    largest_part: float
    fewest_per_clip: int
    most_per_clip: int
    fewest_per_listener: int
    most_per_listener: int
    filled: float  # share of all listener–clip cells that have a rating
    duplicates: int  # ratings beyond the first of the same listener and clip
    ceiling: float  # at the scale's upper end
    floor: float
    unanimous: float  # share of clips with at least two ratings, all the same
    unused: tuple[float, ...]  # categories that nobody chose, on a scale of whole numbers


def parts(listeners: npt.ArrayLike, clips: npt.ArrayLike) -> Parts:
    """Connected parts of the graph in which every rating joins a listener and a clip. Arrays are `[ratings]`.

    With more than one, listeners' biases of different parts cannot be told from differences between their clips.
    Source: Weeks and Williams (1964), Technometrics 6(3), 319–324.
    """
    _none, (who, what) = checked(np.zeros(np.shape(listeners)), listeners, clips)
    width, size = int(who.max(initial=-1)) + 1, int(what.max(initial=-1)) + 1
    if not who.size:
        return Parts(0, np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), 0.0)
    graph = coo_array((np.ones(who.size, dtype=np.int8), (who, width + what)), shape=(width + size, width + size))
    _count, label = connected_components(graph, directed=False)
    counts = np.bincount(label[who])
    order = np.argsort(-counts, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    of_listener, of_clip = np.full(width, -1, dtype=np.intp), np.full(size, -1, dtype=np.intp)
    of_listener[who], of_clip[what] = place[label[who]], place[label[width + what]]
    return Parts(int(np.count_nonzero(counts)), of_listener, of_clip, float(counts.max() / who.size))


def design_check(
    scores: npt.ArrayLike,
    listeners: npt.ArrayLike,
    clips: npt.ArrayLike,
    *,
    scale: tuple[float, float] = (1.0, 5.0),
) -> DesignCheck:
    """Connectivity, balance, ceiling, floor, unanimity of a set of ratings. Arrays are `[ratings]`.

    Raises `ValueError` as `arrays.checked` does.
    """
    values, (who, what) = checked(scores, listeners, clips)
    found = parts(who, what)
    n_who, n_what = np.bincount(who), np.bincount(what)
    there_who, there_what = n_who[n_who > 0], n_what[n_what > 0]
    cells, _counts = cell_counts(who, what, n_what.size)
    low, high = scale
    total = max(values.size, 1)
    return DesignCheck(
        components=found.count,
        largest_part=found.largest,
        fewest_per_clip=int(there_what.min(initial=values.size)),
        most_per_clip=int(there_what.max(initial=0)),
        fewest_per_listener=int(there_who.min(initial=values.size)),
        most_per_listener=int(there_who.max(initial=0)),
        filled=cells.size / max(there_who.size * there_what.size, 1),
        duplicates=int(values.size - cells.size),
        ceiling=int((values == high).sum()) / total,
        floor=int((values == low).sum()) / total,
        unanimous=_unanimous(values, what, n_what),
        unused=_unused(values, low, high),
    )


def _unanimous(values: npt.NDArray[np.float64], what: Codes, n_what: Codes) -> float:
    lowest, highest = np.full(n_what.size, np.inf), np.full(n_what.size, -np.inf)
    order = np.argsort(what, kind="stable")
    starts = np.cumsum(n_what) - n_what
    there = n_what >= 2
    if not there.any():
        return 0.0
    ordered = values[order]
    some = n_what > 0
    lowest[some] = np.minimum.reduceat(ordered, starts[some])
    highest[some] = np.maximum.reduceat(ordered, starts[some])
    return float((lowest[there] == highest[there]).mean())


def _unused(values: npt.NDArray[np.float64], low: float, high: float) -> tuple[float, ...]:
    """None where the scale has no categories."""
    if not values.size or high - low > 20 or (values != np.round(values)).any():
        return ()
    return tuple(float(one) for one in np.setdiff1d(np.arange(low, high + 1), values))
