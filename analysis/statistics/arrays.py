"""What goes into every function: scores and codes, checked once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


class NotEnough(ValueError):
    """The data cannot answer. `reason` is a stable code; `have` and `need` are counts where it is about counts."""

    def __init__(self, reason: str, have: int = 0, need: int = 0) -> None:
        super().__init__(f"{reason}: {have} of {need}" if need else reason)
        self.reason, self.have, self.need = reason, have, need


def codes(labels: npt.ArrayLike) -> tuple[Codes, npt.NDArray[Any]]:
    """Whole numbers for labels of any kind: `(codes [n], names [k])` with `names[codes]` = labels, names sorted."""
    names, numbers = np.unique(np.asarray(labels), return_inverse=True)
    return numbers.astype(np.intp), names


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
    return values, [column.astype(np.intp) for column in numbers]
