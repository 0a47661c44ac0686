"""How loud a sound is, and the one rule by which everything that is compared is brought to the same loudness."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pyloudnorm
import soxr

from audio.reading import SAMPLE_RATE, Audio

TARGET_LUFS = -23.0
"""EBU R 128's programme loudness."""

CEILING_DBTP = -1.0
"""EBU R 128's highest true peak."""

QUIETEST_LUFS = -60.0
OVERSAMPLING = 4


class TooQuiet(ValueError):
    """The sound is (nearly) silent, so no gain can make it as loud as the others."""

    def __init__(self, loudness_lufs: float) -> None:
        super().__init__(f"loudness {loudness_lufs:.1f} LUFS is below {QUIETEST_LUFS:.0f}")
        self.loudness_lufs = loudness_lufs


@dataclass(frozen=True)
class Aligned:
    """A sound after `gain_db`, with its loudness and true peak after that gain."""

    samples: Audio
    gain_db: float
    loudness_lufs: float
    true_peak_dbtp: float


def integrated_loudness(samples: Audio) -> float:
    """Gated loudness in LUFS of `[channels, n]` at 44.1 kHz (ITU-R BS.1770-4, by pyloudnorm); -inf for silence.

    A sound shorter than one gating block of 0.4 s is measured as if it were repeated.
    """
    block = round(0.4 * SAMPLE_RATE)
    if samples.shape[1] == 0:
        return float("-inf")
    if samples.shape[1] < block:
        samples = np.tile(samples, (1, -(-block // samples.shape[1])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the logarithm of no block at all: silence
        return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples.T.astype(np.float64)))


def true_peak(samples: Audio) -> float:
    """Highest true peak of all channels in dBTP: four times oversampled (ITU-R BS.1770-4, annex 2); -inf for silence.

    The interpolation is soxr's, whose pass band is wider than that of the filter which the annex gives as an example.
    """
    dense = soxr.resample(samples.T, SAMPLE_RATE, OVERSAMPLING * SAMPLE_RATE, quality="VHQ")
    peak = max(float(np.max(np.abs(dense), initial=0.0)), float(np.max(np.abs(samples), initial=0.0)))
    return decibels(peak)


def decibels(amplitude: float) -> float:
    """20·log10(amplitude); -inf for 0."""
    return 20.0 * float(np.log10(amplitude)) if amplitude > 0 else float("-inf")


def align(samples: Audio, target_lufs: float = TARGET_LUFS, ceiling_dbtp: float = CEILING_DBTP) -> Aligned:
    """`samples` (`[channels, n]`, 44.1 kHz) with one gain that brings them to `target_lufs`.

    Where the true peak would pass `ceiling_dbtp`, the gain is smaller and the loudness stays below the target:
    nothing is limited or compressed. Raises `TooQuiet` below -60 LUFS.
    """
    loudness, peak = integrated_loudness(samples), true_peak(samples)
    if not loudness >= QUIETEST_LUFS:
        raise TooQuiet(loudness)
    gain = min(target_lufs - loudness, ceiling_dbtp - peak)
    scaled = (samples * 10.0 ** (gain / 20.0)).astype(np.float32)
    return Aligned(scaled, gain, loudness + gain, peak + gain)
