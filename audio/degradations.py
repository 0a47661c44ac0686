"""Bad separation, made on purpose: the examples, practice clips and anchors with which listeners learn the scales.

Both ends of each scale must be heard before it is used (ITU-R BS.1534-3, section 5: anchors; Rec. ITU-T P.800, annex B:
reference conditions). `distort` brings the artefacts that separators leave, and no other source; `contaminate` brings
other sources, and no artefacts.

The artefacts, each by itself below: musical noise, where a mask drops cells of the spectrogram (Berouti, Schwartz and
Makhoul 1979, "Enhancement of speech corrupted by acoustic noise"); a band limit, as models have that separate the lower
band only; clipping; dropouts, where a model takes the source for another one for a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

from audio.excerpts import rms_db
from audio.reading import SAMPLE_RATE, Audio

FRAME = 1024
DROPOUT_SECONDS = 0.06
EDGE_SECONDS = 0.004  # of a dropout

Wave = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Distortion:
    """How much of each artefact.

    `kept_share` 0–1: of the time–frequency cells; what is left of few of them rings. `band_hz`: upper limit of the
    band. `clip_rms`: clipping level relative to the RMS; music peaks 10 to 20 dB above that. `dropout_share` 0–1: of
    the time.
    """

    kept_share: float
    band_hz: float
    clip_rms: float
    dropout_share: float


HEAVY = Distortion(kept_share=0.18, band_hz=3_500.0, clip_rms=1.1, dropout_share=0.12)
"""The worst that a separator does: the low end of the quality scale."""

MIDDLE = Distortion(kept_share=0.75, band_hz=9_000.0, clip_rms=2.5, dropout_share=0.02)
"""Clearly heard, and still music."""


def distort(samples: Audio, *, seed: int | Sequence[int], how: Distortion = HEAVY) -> Audio:
    """`[channels, n]` with all four artefacts; the same seed (integers of 0 or more) gives the same result.

    Loudness stays near the original's (equal RMS). Silence stays silence.
    """
    rng = np.random.default_rng(seed)
    wave = samples.astype(np.float64)
    level = _rms(wave)
    if level == 0.0:
        return samples.copy()
    broken = band_limited(musical_noise(wave, how.kept_share, rng), how.band_hz)
    broken = clipped(broken, how.clip_rms) * dropouts(samples.shape[1], how.dropout_share, rng)
    return np.asarray(broken * (level / _rms(broken)), dtype=np.float32)


def musical_noise(samples: Wave, kept_share: float, rng: np.random.Generator) -> Wave:
    """Time–frequency cells but for `kept_share` of them are dropped at random, the same in all channels."""
    size = min(FRAME, samples.shape[1])
    _, _, spectra = signal.stft(samples, SAMPLE_RATE, nperseg=size)
    mask = rng.random(spectra.shape[1:]) < kept_share
    _, kept = signal.istft(spectra * mask, SAMPLE_RATE, nperseg=size)
    return np.asarray(kept[:, : samples.shape[1]])


def band_limited(samples: Wave, hertz: float) -> Wave:
    """Without what lies above `hertz` (-6 dB there, 36 dB an octave): a Butterworth filter of order 3, run forwards and
    backwards, so that nothing comes late.
    """
    sections = signal.butter(3, hertz, fs=SAMPLE_RATE, output="sos")
    return np.asarray(signal.sosfiltfilt(sections, samples, axis=1, padlen=min(100, samples.shape[1] - 1)))


def clipped(samples: Wave, over_rms: float) -> Wave:
    """Cut off at `over_rms` times the RMS of all channels."""
    level = over_rms * _rms(samples)
    return np.clip(samples, -level, level)


def dropouts(length: int, share: float, rng: np.random.Generator) -> Wave:
    """A gain curve `[length]` that falls to 0 for moments of 60 ms, about `share` of the time, with edges of 4 ms.

    It is never 0 all the time.
    """
    block = round(DROPOUT_SECONDS * SAMPLE_RATE)
    open_blocks = rng.random(-(-length // block)) >= share
    if not open_blocks.any():
        open_blocks[0] = True
    gate = np.repeat(open_blocks.astype(np.float64), block)[:length]
    width = min(round(EDGE_SECONDS * SAMPLE_RATE), length)
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


def _rms(samples: Wave) -> float:
    return float(np.sqrt(np.mean(samples**2)))
