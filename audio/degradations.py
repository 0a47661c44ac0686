"""Bad separation, made on purpose: the calibration clips and anchors with which listeners learn the scales.

Both ends of each scale must be heard before it is used (ITU-R BS.1534-3, section 5: anchors; Rec. ITU-T P.800, annex B:
reference conditions). `distort` brings the artefacts that separators leave, and no other source; `contaminate` brings
other sources, and no artefacts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

from audio.excerpts import rms_db
from audio.reading import SAMPLE_RATE, Audio

FRAME = 1024
CLIP_RMS = 1.1
"""Clipping level relative to the RMS: speech and music peak 10 to 20 dB above it, so most of the wave is cut."""

BAND_HZ = 3_500.0
KEPT_SHARE = 0.18
"""Share of time–frequency cells that survive. What is left rings: "musical noise" (Berouti et al. 1979)."""

DROPOUT_SHARE = 0.12
DROPOUT_SECONDS = 0.06


def distort(samples: Audio, *, seed: int) -> Audio:
    """`[channels, n]` strongly distorted: musical noise, a 3.5 kHz band limit, clipping and dropouts.

    The same seed (a non-negative integer) gives the same result. Loudness stays near the original's (equal RMS).
    Silence stays silence.
    """
    rng = np.random.default_rng(seed)
    level = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    if level == 0.0:
        return samples.copy()
    broken = _band_limited(_musical_noise(samples.astype(np.float64), rng))
    broken = _clipped(broken) * _dropouts(samples.shape[1], rng)
    return np.asarray(broken * (level / np.sqrt(np.mean(broken**2))), dtype=np.float32)


def _musical_noise(samples: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Random time–frequency cells are dropped, the same in all channels, as a bad mask does."""
    size = min(FRAME, samples.shape[1])
    _, _, spectra = signal.stft(samples, SAMPLE_RATE, nperseg=size)
    mask = rng.random(spectra.shape[1:]) < KEPT_SHARE
    _, kept = signal.istft(spectra * mask, SAMPLE_RATE, nperseg=size)
    return np.asarray(kept[:, : samples.shape[1]])


def _band_limited(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    sections = signal.butter(6, BAND_HZ, fs=SAMPLE_RATE, output="sos")
    return np.asarray(signal.sosfilt(sections, samples, axis=1))


def _clipped(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    level = CLIP_RMS * float(np.sqrt(np.mean(samples**2)))
    return np.clip(samples, -level, level)


def _dropouts(length: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A gain curve `[n]` that falls to 0 for short moments, with edges smoothed over 4 ms."""
    block = round(DROPOUT_SECONDS * SAMPLE_RATE)
    open_blocks = rng.random(-(-length // block)) >= DROPOUT_SHARE
    if not open_blocks.any():
        open_blocks[0] = True
    gate = np.repeat(open_blocks.astype(np.float64), block)[:length]
    width = min(round(0.004 * SAMPLE_RATE), length)
    return np.convolve(gate, np.full(width, 1.0 / width), mode="same")


def contaminate(stem: Audio, others: Audio, *, level_db: float) -> Audio:
    """`stem` with the sum of the other sources added at `level_db` relative to the stem's own RMS.

    `stem`, `others`: `[channels, n]` of one shape; 0 dB makes both equally strong. Raises `ValueError` for different
    shapes and for silent `others`, which would contaminate nothing.
    """
    if stem.shape != others.shape:
        raise ValueError(f"stem {stem.shape} and others {others.shape} differ in shape")
    if rms_db(others) == float("-inf"):
        raise ValueError("the other sources are silent")
    gain = 10.0 ** ((rms_db(stem) + level_db - rms_db(others)) / 20.0)
    return np.asarray(stem + gain * others, dtype=np.float32)
