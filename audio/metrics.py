"""Objective measures of separation quality."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def sdr(reference: npt.NDArray[np.floating], estimate: npt.NDArray[np.floating]) -> float:
    """Global signal-to-distortion ratio in dB of an estimate against its reference.

    SDR = 10·log10( Σ s² / Σ (s - ŝ)² ), the sums over all channels and samples: the song-level score of the Music
    Demixing Challenge 2021 (Mitsufuji et al. 2022, doi 10.3389/frsip.2021.808395, section 3). Computed in float64.

    `reference`, `estimate`: arrays of one shape, e.g. `[channels, samples]`. Returns infinity where they are equal.
    Raises `ValueError` for different shapes, for empty arrays and for a silent reference, which has no SDR.
    """
    if reference.shape != estimate.shape or reference.size == 0:
        raise ValueError(f"SDR needs two arrays of one shape, not {reference.shape} and {estimate.shape}")
    truth = reference.astype(np.float64)
    power = float(np.sum(truth**2))
    error = float(np.sum((truth - estimate) ** 2))
    if power == 0.0:
        raise ValueError("a silent reference has no SDR")
    return float("inf") if error == 0.0 else 10.0 * float(np.log10(power / error))
