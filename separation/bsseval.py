"""BSS Eval, version 4: how much of an estimate's energy is true, displaced, from other sources, or made up.

The definitions are those of Vincent, Gribonval and Févotte, "Performance measurement in blind audio source
separation", IEEE TASLP 14(4), 2006, for images of sources (Vincent et al., "First stereo audio source separation
evaluation campaign", ICA 2007, which adds ISR), with one set of distortion filters for the whole signal as in version
4 (Stöter, Liutkus and Ito, "The 2018 Signal Separation Evaluation Campaign", LVA/ICA 2018).

The filters are computed by museval itself (0.4.1), because their equations are ill-conditioned: what a low-pass has
removed can be filtered at will, so even another order of the same sums changes ISR, SIR and SAR by hundredths of a dB.
The windows, where most of museval's time goes, are computed here with spectra that serve all estimates. The numbers are
museval's within 1e-6 dB (`tests/separation/test_objective.py` compares them).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

FILTER_TAPS = 512
"""Length of the distortion filters, in samples: the default of BSS Eval since its first version."""

BLOCK = 2**16
FILTERS_SHARE = 0.6  # of the progress
METRICS = ("sdr", "isr", "sir", "sar")

Real = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Signals = Sequence[npt.NDArray[np.floating[Any]]]
"""One `[channels, samples]` array per source, all of one shape; a memory map will do."""


def import_museval() -> Any:
    """The package, without what it needs only to read the MUSDB18 files and to catch an error of an older numpy.

    It imports musdb, which imports stempeg, which stops where no ffmpeg program is installed; and it asks for
    `numpy.linalg.linalg`, which numpy 2.4 no longer has, where two sources are equal for the filters.
    """
    if "musdb" not in sys.modules:
        sys.modules["musdb"] = ModuleType("musdb")
    if not hasattr(np.linalg, "linalg"):
        np.linalg.linalg = np.linalg  # type: ignore[attr-defined]
    import museval
    import museval.metrics

    return museval


@dataclass(frozen=True)
class Frames:
    """dB, `[estimates, windows]` each; NaN in windows where a source is silent, infinite where nothing is wrong."""

    sdr: Real
    isr: Real
    sir: Real
    sar: Real
    taps: Real  # `[estimates]`: the largest tap of each estimate's filters


def bss_eval(
    references: Signals,
    estimates: dict[int, npt.NDArray[np.floating[Any]]],
    *,
    window: int,
    progress: Callable[[float], None] = lambda done: None,
) -> Frames:
    """The four metrics for windows that follow one another, as `museval.evaluate(references, estimates, win, hop=win)`.

    `references`: the true sources, none of them silent all the way. `estimates`: for some or all places in
    `references`, what a system took for that source; the rows of the result are in their order. `window` in samples; a
    signal shorter than that is one window, and what is left over at the end is not measured. `progress` takes shares
    0–1 and may raise. A window in which a reference or an estimate is silent (the sum of its channels is zero
    throughout: museval's rule) is NaN for all sources.

    Raises `ValueError` for shapes that differ, and for a reference or an estimate that is silent from start to end.
    """
    _refuse_unequal(references, estimates)
    signals = [*references, *estimates.values()]
    silent = [is_silent(signal) for signal in signals]
    if any(silent):
        raise ValueError("a source is silent from start to end, so its metrics are not defined")
    filters = _filters(references, estimates, lambda done: progress(FILTERS_SHARE * done))
    progress(FILTERS_SHARE)
    windows = list(_windows(signals[0].shape[1], window))
    found = np.full((len(METRICS), len(estimates), len(windows)), np.nan)
    for place, (start, end) in enumerate(windows):
        part = np.stack([signal[:, start:end] for signal in signals]).astype(np.float64)
        if not any(is_silent(signal) for signal in part):
            found[:, :, place] = _window_metrics(part[: len(references)], part[len(references) :], estimates, filters)
        progress(FILTERS_SHARE + (1 - FILTERS_SHARE) * (place + 1) / len(windows))
    return Frames(*found, taps=filters.largest())  # type: ignore[misc]


def memory_needed(sources: int, samples: int, channels: int = 2) -> float:
    """Bytes, about: one long spectrum for each reference, their copies in float64, and the equations of the filters."""
    rows = sources * channels
    spectra = 16.0 * rows * 2.0 ** np.ceil(np.log2(samples + FILTER_TAPS))
    return float(1.3 * spectra + 2 * 8.0 * rows * samples + 5 * 8.0 * (rows * FILTER_TAPS) ** 2)


def _refuse_unequal(references: Signals, estimates: dict[int, Any]) -> None:
    shapes = {signal.shape for signal in [*references, *estimates.values()]}
    if len(shapes) != 1 or not estimates or len(next(iter(shapes))) != 2 or 0 in next(iter(shapes)):
        raise ValueError(f"sources must be [channels, samples] arrays of one shape, not {sorted(map(str, shapes))}")


def is_silent(signal: npt.NDArray[np.floating[Any]]) -> bool:
    """museval's rule, sum over channels included: left against right counts as silence."""
    for start in range(0, signal.shape[1], BLOCK):
        if np.any(np.sum(signal[:, start : start + BLOCK].astype(np.float64), axis=0) != 0.0):
            return False
    return True


def _windows(samples: int, window: int) -> Iterator[tuple[int, int]]:
    if samples <= window:
        yield 0, samples
        return
    for start in range(0, samples - window + 1, window):
        yield start, start + window


# ── the filters, from correlations over the whole signal ─────────────────────────────────────────────


@dataclass(frozen=True)
class _Filters:
    every: list[Real]  # for each estimate: onto all sources, [references, channels, taps, channels]
    own: list[Real]  # for each estimate: onto the source that is estimated, [channels, taps, channels]

    def largest(self) -> Real:
        return np.array([max(np.abs(a).max(), np.abs(b).max()) for a, b in zip(self.every, self.own, strict=True)])


def _filters(references: Signals, estimates: dict[int, Any], progress: Callable[[float], None]) -> _Filters:
    """museval's own, call by call: the equations are so ill-conditioned that another order of sums shows in the dB."""
    metrics = import_museval().metrics
    true = np.stack([np.asarray(signal, dtype=np.float64).T for signal in references])
    gram, spectra = metrics._compute_reference_correlations(true, FILTER_TAPS)
    found = _Filters([], [])
    for number, (place, estimate) in enumerate(estimates.items()):
        progress((number + 1) / (len(estimates) + 1))
        samples = np.asarray(estimate, dtype=np.float64).T
        found.every.append(
            metrics._compute_projection_filters(gram, spectra, samples).reshape(
                true.shape[0], true.shape[2], FILTER_TAPS, -1
            )
        )
        found.own.append(metrics._compute_projection_filters(gram[place, place], spectra[place], samples))
    return found


# ── one window ───────────────────────────────────────────────────────────────────────────────────────


def _window_metrics(references: Real, estimates: Real, places: dict[int, Any], filters: _Filters) -> Real:
    """`[4, estimates]` in dB for one window, cut out of the signals before it is filtered."""
    sources, channels, samples = references.shape
    length = samples + FILTER_TAPS - 1
    size = scipy.fft.next_fast_len(length, real=True)
    spectra = scipy.fft.rfft(references.reshape(sources * channels, samples), n=size, axis=-1)
    found = np.empty((len(METRICS), len(places)))
    for number, place in enumerate(places):
        every = _projected(spectra, filters.every[number], size, length)
        own = _projected(spectra[place * channels : (place + 1) * channels], filters.own[number], size, length)
        true, estimate = np.zeros((2, channels, length))
        true[:, :samples], estimate[:, :samples] = references[place], estimates[number]
        found[:, number] = _ratios(true, own - true, every - own, estimate - every)
    return found


def _projected(spectra: Complex, taps: Real, size: int, length: int) -> Real:
    """`[channels, length]`: the sources, filtered and summed."""
    responses = scipy.fft.rfft(taps.reshape(len(spectra), FILTER_TAPS, -1), n=size, axis=1)  # [rows, bins, channels]
    summed = np.einsum("rb,rbc->cb", spectra, responses)
    return np.asarray(scipy.fft.irfft(summed, n=size, axis=-1)[:, :length])


def _ratios(true: Real, spatial: Real, interference: Real, artefacts: Real) -> tuple[float, float, float, float]:
    """SDR, ISR, SIR, SAR in dB (Vincent et al. 2007, equations 3 to 6)."""
    return (
        _decibels(true, spatial + interference + artefacts),
        _decibels(true, spatial),
        _decibels(true + spatial, interference),
        _decibels(true + spatial + interference, artefacts),
    )


def _decibels(signal: Real, error: Real) -> float:
    wanted, wrong = float(np.sum(signal**2)), float(np.sum(error**2))
    if wrong == 0.0:
        return float("inf")
    with np.errstate(divide="ignore"):
        return float(10.0 * np.log10(wanted / wrong))
