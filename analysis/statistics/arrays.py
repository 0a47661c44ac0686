"""What goes into every function: scores and codes, checked once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


class NotEnough(ValueError):
    """The data cannot answer. `reason` is a stable code; `have` and `need` are counts where it is about counts."""

    def __init__(self, reason: str, have: int = 0, need: int = 0) -> None:
        super().__init__(f"{reason}: {have} of {need}" if need else reason)
        self.reason, self.have, self.need = reason, have, need


def codes(labels: npt.ArrayLike) -> tuple[Codes, npt.NDArray[Any]]:
    """Whole numbers for labels of any kind: `(codes [n], names [k])` with `names[codes]` = labels, names sorted."""
    column = labels if isinstance(labels, pd.Series | pd.Index) else np.asarray(labels)
    numbers, names = pd.factorize(column, sort=True, use_na_sentinel=False)  # hashes: a million strings in no time
    return numbers.astype(np.intp), np.asarray(names)


def checked(scores: npt.ArrayLike, *columns: npt.ArrayLike) -> tuple[Floats, list[Codes]]:
    """The same values as float64 scores and integer codes.

    Raises `ValueError` where the arrays are not one-dimensional and equally long, a score is NaN or infinite, or a
    code is negative or no whole number.
    """
    values = np.asarray(scores, dtype=np.float64)
    numbers = [np.asarray(column) for column in columns]
    if values.ndim != 1 or any(column.shape != values.shape for column in numbers):
        raise ValueError("scores and codes are one-dimensional and equally long")
    if not np.isfinite(values).all():
        raise ValueError("scores hold NaN or infinity")
    for column in numbers:
        if values.size and (not np.issubdtype(column.dtype, np.integer) or column.min() < 0):
            raise ValueError("codes are whole numbers from 0 on")
    return values, [column.astype(np.intp, copy=False) for column in numbers]


def values_and_codes(scores: npt.ArrayLike) -> tuple[Floats, Codes]:
    """The different values, sorted, and which of them each score is: `(values [v], codes [n])`.

    Whole numbers in a narrow range, as of every category scale, need no sorting. Raises as `checked`.
    """
    numbers, _none = checked(scores)
    if not numbers.size:
        return numbers, np.zeros(0, dtype=np.intp)
    low, high = numbers.min(), numbers.max()
    whole = (numbers - low).astype(np.intp) if high - low <= 1000 else None
    if whole is None or not np.array_equal(whole + low, numbers):
        values, sorted_codes = np.unique(numbers, return_inverse=True)
        return values, sorted_codes.astype(np.intp)
    there = np.bincount(whole) > 0
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[whole]


def cell_counts(rows: Codes, columns: Codes, width: int) -> tuple[Codes, Codes]:
    """Which cells of a table of `width` columns hold anything, and how much: `(cells [k], counts [k])`, sorted.

    A table that is not much larger than the data is counted directly; a sparse one is sorted.
    """
    cells = rows * width + columns
    if not cells.size:
        return cells, cells
    if (int(rows.max()) + 1) * width <= 4 * cells.size + 1_000_000:
        counts = np.bincount(cells)
        there = np.flatnonzero(counts)
        return there, counts[there]
    found, counts = np.unique(cells, return_counts=True)
    return found, counts


def places_of(keys: Codes) -> tuple[Codes, Codes]:
    """Which of the different keys each is, and the keys, sorted: `(places [n], keys [k])`, as cheap as can be."""
    top = int(keys.max(initial=-1)) + 1
    if top > 4 * keys.size + 1_000_000:
        different, place = np.unique(keys, return_inverse=True)
        return place, different
    there = np.zeros(top, dtype=bool)
    there[keys] = True
    return (np.cumsum(there) - 1)[keys], np.flatnonzero(there)
