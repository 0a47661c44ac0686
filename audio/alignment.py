"""How much later one sound begins than another one that holds the same music.

What other people's models and encoders give back is often late by some samples (frames, encoder delay) or cut and
padded at its ends. A few seconds from several places of the song are enough to find the lag exactly, so a song of half
an hour costs the memory and the time of a short one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

from audio.reading import SAMPLE_RATE, Audio

Mono = npt.NDArray[np.float64]

STRETCH = 20 * SAMPLE_RATE
SHORTEST_STRETCH = 4 * SAMPLE_RATE
STRETCHES = 4
HOP = SAMPLE_RATE // 4

SPECTRUM = 4096
"""Samples of the frames of which the spectrum is the mean."""

FLATTENED = 1e-4
"""Power below the loudest band from which the spectrum is no longer made flat: there only noise would grow."""

SURE_CORRELATION = 0.5
SURE_SHARPNESS, FAINTEST_CORRELATION = 8.0, 0.03
CLEAR_SHARPNESS = 7.0
"""Other music reaches 6; the right song's bass, alone for ten seconds, 8.6; its vocals 60."""

DRIFT = 16
"""Samples by which places of one recording may differ: more is another clock, an edit, or another recording."""

NEARLY = 0.9
SIDE_ONLY_POWER = 1e-6
TINY = 1e-20


@dataclass(frozen=True)
class Lag:
    """Where `samples` holds what `reference` holds.

    `samples`: how much later it starts there, in samples; negative is earlier. `correlation` 0–1: the normalised
    cross-correlation at this lag, with the reference's spectrum made flat. `sharpness`: that peak over the RMS of the
    correlation at all lags. `gain`: least-squares factor (>= 0) from the reference to the samples; `inverted`: its sign
    is negative. `agreement` 0–1: the share of places that found this lag, or nearly; `drift`: samples between the lags
    that the first and the last clear place found.
    """

    samples: int
    correlation: float
    sharpness: float
    gain: float
    inverted: bool
    agreement: float
    drift: int

    @property
    def is_sure(self) -> bool:
        """Whether both hold the same music at this lag: a loud likeness, or a faint one that stands out sharply."""
        faint = self.sharpness >= SURE_SHARPNESS and self.correlation >= FAINTEST_CORRELATION
        return (faint or self.correlation >= SURE_CORRELATION) and self.agreement >= 0.5 and not self.drifts

    @property
    def drifts(self) -> bool:
        return abs(self.drift) > DRIFT


NOTHING_FOUND = Lag(0, 0.0, 0.0, 0.0, False, 0.0, 0)


@dataclass(frozen=True)
class _Place:
    """One stretch's normalised cross-correlation at every lag from -max_lag to max_lag."""

    normalised: Mono

    @property
    def best(self) -> int:
        return int(np.argmax(np.abs(self.normalised)))

    @property
    def sharpness(self) -> float:
        return _sharpness(self.normalised, self.best)


def find_lag(reference: Audio, samples: Audio, *, max_lag: int, expected: int | None = None) -> Lag:
    """The lag of `samples` against `reference`, both float32 `[channels, n]` at 44.1 kHz, within ±`max_lag` samples.

    Generalised cross-correlation (Knapp & Carter 1976, doi:10.1109/TASSP.1976.1162830, with Roth's weighting) by FFT of
    the mono sums of up to four loud stretches of 20 s, which are added up; each also votes alone. The gain and the
    polarity of `samples` do not matter. A loop is like itself again a bar later: with `expected`, a lag near that one
    (±`DRIFT`) is taken where it is nearly as good as the best. Where one of them is silent the lag is 0 and the
    correlation 0. Raises `ValueError` for a negative `max_lag`, empty or non-finite input.
    """
    if max_lag < 0 or reference.shape[-1] == 0 or samples.shape[-1] == 0:
        raise ValueError("a lag needs two sounds and max_lag >= 0")
    places = [_correlated(reference, samples, first, end, max_lag) for first, end in _stretches(samples)]
    heard = [place for place in places if place is not None]
    if not heard:
        return NOTHING_FOUND
    total = np.mean([place.normalised for place in heard], axis=0)
    best = _best(total, None if expected is None else expected + max_lag)
    gain = _gain(reference, samples, best - max_lag)
    return Lag(
        samples=best - max_lag,
        correlation=min(1.0, float(abs(total[best]))),
        sharpness=_sharpness(total, best),
        gain=abs(gain),
        inverted=bool(total[best] < 0),
        agreement=sum(abs(place.best - best) <= DRIFT for place in heard) / len(heard),
        drift=_drift(heard),
    )


def shifted(samples: Audio, lag: int, length: int) -> Audio:
    """`samples` (`[channels, n]`) moved `lag` samples earlier, cut or filled with silence to `length` samples."""
    out = np.zeros((samples.shape[0], length), dtype=samples.dtype)
    first, end = max(0, -lag), min(length, samples.shape[1] - lag)
    if end > first:
        out[:, first:end] = samples[:, first + lag : end + lag]
    return out


# ── where to look ────────────────────────────────────────────────────────────────────────────────────


def _stretches(samples: Audio) -> list[tuple[int, int]]:
    """The loudest stretch of each part of the sound, in order: far apart, so that a drift shows."""
    length = samples.shape[1]
    parts = max(1, min(STRETCHES, length // SHORTEST_STRETCH))
    edges = [length * part // parts for part in range(parts + 1)]
    return [_loudest(samples, first, end) for first, end in zip(edges, edges[1:], strict=False)]


def _loudest(samples: Audio, first: int, end: int) -> tuple[int, int]:
    """The loudest stretch of 20 s between two samples, or all of it where that is shorter."""
    if end - first <= STRETCH:
        return first, end
    powers = [_power(samples[:, at : at + HOP]) for at in range(first, end - HOP + 1, HOP)]
    hops = STRETCH // HOP
    windows = np.convolve(powers, np.ones(hops), mode="valid")
    start = first + int(np.argmax(windows)) * HOP
    return start, min(end, start + STRETCH)


def _power(block: Audio) -> float:
    return float(np.mean(np.square(block, dtype=np.float64)))


# ── one stretch ──────────────────────────────────────────────────────────────────────────────────────


def _correlated(reference: Audio, samples: Audio, first: int, end: int, max_lag: int) -> _Place | None:
    """Samples `first` to `end` against the reference around them; None where either is silent."""
    around = _mono(_padded(reference, first - max_lag, end + max_lag))
    part = _mono(samples[:, first:end])
    if min(float(np.max(np.abs(around))), float(np.max(np.abs(part)))) <= TINY:
        return None
    around, part = _whitened(around, part)
    products = signal.correlate(around, part, mode="valid", method="fft")
    around_power = _sliding_power(around, part.size)
    floor = 1e-4 * float(around_power.max())  # beside silence a correlation means nothing
    normalised = products / np.sqrt(float(np.sum(part**2)) * np.maximum(around_power, floor))
    return _Place(normalised[::-1])  # around[max_lag - lag + n] stands beside part[n]


def _whitened(around: Mono, part: Mono) -> tuple[Mono, Mono]:
    """Both through the filter that makes the reference's spectrum flat, down to 40 dB below its loudest band.

    Their correlation is then Roth's (1971): what else sounds in the reference is even noise, and a stem of the bass
    alone is found to the sample too.
    """
    size = min(SPECTRUM, part.size)
    _, power = signal.welch(around, nperseg=size)
    response = 1.0 / np.sqrt(np.maximum(power, FLATTENED * float(power.max())))
    kernel = np.fft.fftshift(np.fft.irfft(response)) * np.hanning(2 * (power.size - 1))
    return signal.oaconvolve(around, kernel, mode="same"), signal.oaconvolve(part, kernel, mode="same")


def _padded(samples: Audio, first: int, end: int) -> Audio:
    return shifted(samples, first, end - first)


def _mono(samples: Audio) -> Mono:
    """The mean of the channels; the left one of a sound that is all side signal."""
    mid: Mono = np.asarray(samples.mean(axis=0, dtype=np.float64))
    if not np.all(np.isfinite(mid)):
        raise ValueError("the samples hold NaN or infinity")
    if np.mean(mid**2) < SIDE_ONLY_POWER * _power(samples):
        return np.asarray(samples[0], dtype=np.float64)
    return mid


def _sliding_power(mono: Mono, width: int) -> Mono:
    sums = np.concatenate([[0.0], np.cumsum(mono**2)])
    return np.asarray(sums[width:] - sums[:-width])


# ── what they say together ───────────────────────────────────────────────────────────────────────────


def _best(correlation: Mono, expected: int | None) -> int:
    heights = np.abs(correlation)
    best = int(np.argmax(heights))
    if expected is None:
        return best
    first = max(0, expected - DRIFT)
    near = heights[first : max(0, expected + DRIFT + 1)]
    if near.size == 0 or near.max() < NEARLY * heights[best]:
        return best
    return first + int(np.argmax(near))


def _sharpness(correlation: Mono, at: int) -> float:
    return float(abs(correlation[at]) / max(np.sqrt(np.mean(correlation**2)), TINY))


def _drift(places: list[_Place]) -> int:
    """Between the first and the last place that are clear by themselves."""
    clear = [place.best for place in places if place.sharpness >= CLEAR_SHARPNESS]
    return clear[-1] - clear[0] if clear else 0


def _gain(reference: Audio, samples: Audio, lag: int) -> float:
    """Least squares over the loudest stretch: samples ≈ gain · reference."""
    first, end = max(_stretches(samples), key=lambda span: _power(samples[:, span[0] : span[1]]))
    beside = _mono(_padded(reference, first - lag, end - lag))
    return float(beside @ _mono(samples[:, first:end]) / max(float(beside @ beside), TINY))
