"""Cutting pieces out of a sound without clicks."""

from __future__ import annotations

import numpy as np

from audio.loudness import decibels
from audio.reading import SAMPLE_RATE, Audio

FADE_SECONDS = 0.005
ACTIVE_DBFS = -50.0
ACTIVE_SHARE = 0.25


def cut(samples: Audio, start: float, end: float) -> Audio:
    """The part of `[channels, n]` from `start` to `end` seconds: samples round(start·44100) to round(end·44100).

    Equal times give equal lengths, whatever is cut. Raises `ValueError` where the part does not lie inside.
    """
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    if not 0 <= first < last <= samples.shape[1]:
        raise ValueError(f"samples {first} to {last} do not lie inside {samples.shape[1]}")
    return samples[:, first:last].copy()


def fade(samples: Audio, seconds: float = FADE_SECONDS) -> Audio:
    """`[channels, n]` with a raised-cosine fade of `seconds` at both ends, from and to exactly 0.

    w(i) = (1 - cos(π·i/N)) / 2 for i = 0 … N-1, the Hann half-window. Where the sound is shorter than two fades,
    they meet in the middle.
    """
    length = min(round(seconds * SAMPLE_RATE), samples.shape[1] // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(1, length))).astype(np.float32)
    faded = samples.copy()
    faded[:, :length] *= ramp
    faded[:, samples.shape[1] - length :] *= ramp[::-1]
    return faded


def rms_db(samples: Audio) -> float:
    """Root mean square over all channels in dBFS (a full-scale square wave has 0); -inf for silence."""
    if samples.size == 0:
        return float("-inf")
    return decibels(float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def is_active(samples: Audio, *, threshold_db: float = ACTIVE_DBFS, share: float = ACTIVE_SHARE) -> bool:
    """Whether the source sounds in this piece: at least `share` of its 0.1 s windows are at or above `threshold_db`."""
    window = min(round(0.1 * SAMPLE_RATE), samples.shape[1])
    if window == 0:
        return False
    whole = samples[:, : samples.shape[1] // window * window].astype(np.float64)
    power = np.mean(whole.reshape(samples.shape[0], -1, window) ** 2, axis=(0, 2))
    return bool(np.mean(power >= 10.0 ** (threshold_db / 10.0)) >= share)
