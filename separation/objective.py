"""Objective metrics of separated stems against the true ones: SDR, ISR, SIR, SAR (BSS Eval v4) and SI-SDR.

They say how close an estimate is to the truth as a signal; they do not say what sounds best. Pure: numpy and museval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from separation.bsseval import BLOCK, FILTER_TAPS, METRICS, Frames, bss_eval, is_silent

SAMPLE_RATE = 44_100
WINDOW = SAMPLE_RATE
"""Samples of a window, and from one to the next: one second, the default of museval's evaluation."""

WILD_FILTER = 10.0
"""A filter with a tap beyond this amplifies by 20 dB what is hardly there. The windows then cut through large parts
that cancel one another, and ISR, SIR and SAR fall by many dB: 24-bit copies of very clean stems got an SIR of 0 dB,
16-bit copies of the same ones 10 to 16 dB. SDR and SI-SDR need no filters."""

BSSEVAL_SHARE = 0.95  # of the progress

Audio = npt.NDArray[np.float32]
Figure = float | None


@dataclass(frozen=True)
class SourceFigures:
    """What was found for one source; dB, None where it is not defined, and then `notes` say why.

    | note | meaning |
    |---|---|
    | reference_silent | the true stem is silent over the whole span |
    | estimate_silent | the system's stem is silent over the whole span |
    | other_reference_silent | another true stem is silent, so it is not among those that SIR and SAR look for |
    | one_reference | there is no other true stem, so there is no interference to measure |
    | no_window | no second in which every stem sounds |
    | perfect | nothing differs, so the ratio is infinite |
    | windows_left_out | some seconds are silent in one of the stems; they are not in the medians |
    | filters_wild | parts of the spectrum are empty, so ISR, SIR and SAR hang on rounding errors |
    """

    sdr: Figure = None  # medians over the windows
    isr: Figure = None
    sir: Figure = None
    sar: Figure = None
    si_sdr: Figure = None  # over the whole span
    frames: dict[str, list[Figure]] = field(default_factory=dict)  # "sdr" … "sar": one value for each second
    notes: list[str] = field(default_factory=list)


def measure(
    references: Mapping[str, Audio],
    estimates: Mapping[str, Audio],
    *,
    progress: Callable[[float], None] = lambda done: None,
) -> dict[str, SourceFigures]:
    """Figures of each estimate against the true stems of the same span.

    Both hold float32 `[channels, samples]` arrays at 44.1 kHz, all of one shape (memory maps will do). `references`
    are all true stems of one way to take the mixture apart: what is none of them counts as artefact, so they may be
    more than the estimates. Windows are of one second without overlap; what is left over at the end is not in them.

    A source whose true stem is silent all the way is left out, as every metric of BSS Eval asks; the others are then
    measured against the rest, and say so. Seconds in which any stem is silent are None in `frames` and not in the
    medians (museval's rule, which also leaves out infinite values).

    Raises `ValueError` for an estimate without reference, or shapes that differ; and whatever `progress` raises.
    """
    _refuse_unequal(references, estimates)
    audible = {source: stem for source, stem in references.items() if not is_silent(stem)}
    wanted = {source: stem for source, stem in estimates.items() if source in audible and not is_silent(stem)}
    frames = _frames(audible, wanted, lambda done: progress(BSSEVAL_SHARE * done))
    found = {source: _undefined(source, audible, references) for source in estimates}
    for number, source in enumerate(wanted):
        shared = ["other_reference_silent"] if len(audible) < len(references) else []
        scale_invariant = si_sdr(audible[source], wanted[source])
        found[source] = _figures(frames, number, len(audible), scale_invariant, shared)  # type: ignore[arg-type]
    progress(1.0)
    return found


def si_sdr(reference: Audio, estimate: Audio) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, all channels together under one scale.

    SI-SDR = 10·log10(‖αs‖² / ‖αs − ŝ‖²) with α = ⟨ŝ, s⟩ / ‖s‖² (Le Roux, Wisdom, Erdogan and Hershey, "SDR – half-baked
    or well done?", ICASSP 2019, equations 3 to 5), in float64; the mean is not removed. `[channels, samples]` each.
    Infinite where the two are equal up to scale; minus infinite where they have nothing in common. Raises `ValueError`
    where one of them is silent.
    """
    power = _summed(reference, reference, lambda s, _: s * s)
    if power == 0.0 or not np.any(estimate):
        raise ValueError("there is no SI-SDR where one of the two is silent")
    scale = _summed(reference, estimate, lambda s, e: s * e) / power
    error = _summed(reference, estimate, lambda s, e: (scale * s - e) ** 2)
    if error == 0.0:
        return float("inf")
    with np.errstate(divide="ignore"):
        return float(10.0 * np.log10(scale**2 * power / error))


def method() -> dict[str, Any]:
    """What measured, and how: kept with every measurement."""
    return {
        "bss_eval": "v4 (images, one set of filters for the whole span)",
        "window_seconds": WINDOW / SAMPLE_RATE,
        "hop_seconds": WINDOW / SAMPLE_RATE,
        "filter_taps": FILTER_TAPS,
        "summary": "median over the windows, without silent and infinite ones",
        "si_sdr": "whole span, channels together, mean not removed",
        "packages": {name: version(name) for name in ("museval", "numpy", "scipy")},
    }


def _refuse_unequal(references: Mapping[str, Audio], estimates: Mapping[str, Audio]) -> None:
    strangers = sorted(set(estimates).difference(references))
    if strangers or not estimates:
        raise ValueError(f"estimates without a true stem: {strangers}" if strangers else "there is no estimate")
    shapes = {stem.shape for stem in (*references.values(), *estimates.values())}
    if len(shapes) > 1:
        raise ValueError(f"stems of one span have one shape, not {sorted(map(str, shapes))}")


def _frames(audible: dict[str, Audio], wanted: dict[str, Audio], progress: Callable[[float], None]) -> Frames | None:
    if not wanted:
        return None
    places = {source: place for place, source in enumerate(audible)}
    estimates = {places[source]: stem for source, stem in wanted.items()}
    return bss_eval(list(audible.values()), estimates, window=WINDOW, progress=progress)


def _undefined(source: str, audible: Mapping[str, Audio], references: Mapping[str, Audio]) -> SourceFigures:
    why = "estimate_silent" if source in audible else "reference_silent"
    windows = max(1, references[source].shape[1] // WINDOW)
    return SourceFigures(frames={name: [None] * windows for name in METRICS}, notes=[why])


def _figures(frames: Frames, number: int, sources: int, scale_invariant: float, shared: list[str]) -> SourceFigures:
    values = {name: getattr(frames, name)[number] for name in METRICS}
    if sources == 1:
        values["sir"] = np.full_like(values["sir"], np.nan)
        shared = [*shared, "one_reference"]
    notes = [*shared, *_notes(values, float(frames.taps[number]), scale_invariant)]
    listed = {name: [_defined(float(value)) for value in row] for name, row in values.items()}
    medians = {name: _median(row) for name, row in listed.items()}
    return SourceFigures(**medians, si_sdr=_defined(scale_invariant), frames=listed, notes=notes)


def _notes(values: dict[str, Any], taps: float, scale_invariant: float) -> list[str]:
    silent = np.isnan(values["sdr"])
    notes = ["no_window"] if silent.all() else ["windows_left_out"] if silent.any() else []
    if not np.isfinite(scale_invariant) or any(np.isposinf(row).any() for row in values.values()):
        notes.append("perfect")
    return notes + (["filters_wild"] if taps > WILD_FILTER else [])


def _defined(value: float) -> Figure:
    return value if np.isfinite(value) else None


def _median(values: list[Figure]) -> Figure:
    there = [value for value in values if value is not None]
    return float(np.median(there)) if there else None


def _summed(first: Audio, second: Audio, term: Callable[[Any, Any], Any]) -> float:
    """A sum over all samples, block by block in float64."""
    blocks = (slice(start, start + BLOCK) for start in range(0, first.shape[1], BLOCK))
    return float(sum(np.sum(term(first[:, b].astype(np.float64), second[:, b].astype(np.float64))) for b in blocks))
