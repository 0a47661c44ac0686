"""Listeners that the project makes up, so that a results page has something to show. Pure: no Django.

The model, whole: a clip has a latent value on each scale between 1 and 5, a logistic function of a physical measure
plus what the measure misses; a listener adds a bias of their own and noise; the sum is rounded and clipped to 1–5.

    quality        Q = 1 + 4 / (1 + exp(-(SDR - 5 dB) / 3.5 dB)) + N(0, 0.2²)
    contamination  C = 1 + 4 / (1 + exp(-(SIR - 9 dB) / 5 dB)) + N(0, 0.2²)
    rating           = clip(round(Q or C + bias + noise), 1, 5)

with bias ~ N(0, 0.35²) per listener and scale, and noise ~ N(0, σ²) per rating, σ ~ U(0.4, 0.7) per listener. Poor
listeners rate without listening: their values are drawn from 1–5 with equal chances. SDR is `audio.metrics.sdr`; SIR
is the scale-invariant one below. The numbers are plausible and chosen by hand: they are no finding about anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LOWEST, HIGHEST = 1, 5
QUALITY_MIDDLE, QUALITY_WIDTH = 5.0, 3.5  # dB of SDR
CONTAMINATION_MIDDLE, CONTAMINATION_WIDTH = 9.0, 5.0  # dB of SIR
UNEXPLAINED = 0.2
BIAS = 0.35
NOISE = (0.4, 0.7)

Audio = npt.NDArray[np.floating]


@dataclass(frozen=True)
class SimulatedListener:
    """Someone who rates; `careless` ones do not listen."""

    quality_bias: float
    contamination_bias: float
    noise: float
    careless: bool


@dataclass(frozen=True)
class Latent:
    """What a clip is worth on each scale before anyone rates it."""

    quality: float
    contamination: float


def simulated_listener(rng: np.random.Generator, *, careless: bool) -> SimulatedListener:
    quality, contamination = rng.normal(0.0, BIAS, 2)
    return SimulatedListener(float(quality), float(contamination), float(rng.uniform(*NOISE)), careless)


def latent(sdr_db: float, sir_db: float, rng: np.random.Generator) -> Latent:
    """The latent values of a clip of this SDR and SIR, in dB; the generator decides what they leave unexplained."""
    quality, contamination = rng.normal(0.0, UNEXPLAINED, 2)
    return Latent(
        quality=_logistic(sdr_db, QUALITY_MIDDLE, QUALITY_WIDTH) + float(quality),
        contamination=_logistic(sir_db, CONTAMINATION_MIDDLE, CONTAMINATION_WIDTH) + float(contamination),
    )


def _logistic(decibels: float, middle: float, width: float) -> float:
    return LOWEST + (HIGHEST - LOWEST) / (1.0 + float(np.exp(-(decibels - middle) / width)))


def ratings(clip: Latent, listener: SimulatedListener, rng: np.random.Generator) -> tuple[int, int]:
    """(quality, contamination), each 1–5."""
    if listener.careless:
        careless = rng.integers(LOWEST, HIGHEST + 1, 2)
        return int(careless[0]), int(careless[1])
    noise = rng.normal(0.0, listener.noise, 2)
    return (
        _on_scale(clip.quality + listener.quality_bias + float(noise[0])),
        _on_scale(clip.contamination + listener.contamination_bias + float(noise[1])),
    )


def _on_scale(value: float) -> int:
    return int(np.clip(round(value), LOWEST, HIGHEST))


def si_sir(source: str, references: Mapping[str, Audio], estimate: Audio) -> float:
    """Scale-invariant signal-to-interference ratio in dB of an estimate of `source` (-30 to 50).

    The estimate is projected onto the true source alone (the target) and onto all true sources together, one gain each
    (least squares); what the second projection has more is interference (Le Roux, Wisdom, Erdogan and Hershey 2019,
    "SDR - half-baked or well done?", ICASSP: SI-SIR).

    `references`: name -> array of the estimate's shape. Raises `ValueError` where `source` is not among them.
    """
    names = list(references)
    everything = np.stack([references[name].ravel().astype(np.float64) for name in names])
    overlaps = everything @ everything.T
    heard = everything @ estimate.ravel().astype(np.float64)
    place = names.index(source)
    together = float(heard @ np.linalg.lstsq(overlaps, heard, rcond=None)[0])  # energy of the projection onto all
    target = float(heard[place] ** 2 / overlaps[place, place])  # and of that onto the source, which is a part of it
    ratio = target / max(together - target, 1e-20)
    return float(np.clip(10.0 * np.log10(max(ratio, 1e-20)), -30.0, 50.0))
