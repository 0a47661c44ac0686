"""What every separator asks of its input, and hands back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from separation.separators.base import SAMPLE_RATE, Audio, BadMixture

SHORTEST = SAMPLE_RATE // 10  # samples
LONGEST = 20 * 60 * SAMPLE_RATE
"""Samples. Memory grows with the length, by about 15 MB a second in the worst case (Open-Unmix)."""


def checked_mixture(mixture: npt.NDArray[Any]) -> Audio:
    """The mixture, C-contiguous. Raises `BadMixture` unless it is finite float32 `[2, samples]`, 0.1 s to 20 min."""
    if mixture.dtype != np.float32 or mixture.ndim != 2 or mixture.shape[0] != 2:
        raise BadMixture(f"a mixture is float32 [2, samples], not {mixture.dtype} {list(mixture.shape)}")
    if not SHORTEST <= mixture.shape[1] <= LONGEST:
        raise BadMixture(f"a mixture has {SHORTEST} to {LONGEST} samples, not {mixture.shape[1]}")
    if not np.isfinite(mixture).all():
        raise BadMixture("the mixture holds NaN or infinity")
    return np.ascontiguousarray(mixture)
