"""What the demo models learn from: synthetic songs, and random mixtures of their stems."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audio.synthesis import SOURCES, synthetic_song

TRAINING_SEEDS = range(100_000, 100_112)
"""Songs to learn from: disjoint from `bench.demo_weights.HELD_OUT_SEEDS`, and far from the demo study's seeds."""

Stems = npt.NDArray[np.float32]
"""float32 `[…, 4, 2, samples]`: stems in the order of `SOURCES`; their sum is the mixture."""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How long one family learns."""

    steps: int
    batch: int  # examples in a step
    seconds: float  # length of an example
    rate: float  # peak learning rate
    seed: int
    songs: int  # how many of the training songs


def training_songs(count: int) -> list[Stems]:
    """The stems `[4, 2, samples]` of the first `count` training songs, made on two processes."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_stems, TRAINING_SEEDS[:count], chunksize=4))


def _stems(seed: int) -> Stems:
    song = synthetic_song(seed)
    return np.stack([song.stems[source] for source in SOURCES])


def batch_of(songs: list[Stems], rng: np.random.Generator, size: int, samples: int) -> Stems:
    """`size` examples `[size, 4, 2, samples]`: half of them songs as they are, half stems of different songs."""
    return np.stack(
        [_remixed(songs, rng, samples) if rng.random() < 0.5 else _whole(songs, rng, samples) for _ in range(size)]
    )


def _whole(songs: list[Stems], rng: np.random.Generator, samples: int) -> Stems:
    song = songs[rng.integers(len(songs))]
    start = rng.integers(song.shape[-1] - samples)
    return song[..., start : start + samples] * np.float32(rng.uniform(0.5, 1.25))


def _remixed(songs: list[Stems], rng: np.random.Generator, samples: int) -> Stems:
    """One stem of each source, each of another song, with its own gain and its sides perhaps swapped."""
    stems = []
    for source in range(len(SOURCES)):
        stem = songs[rng.integers(len(songs))][source, :: int(rng.choice([-1, 1]))]
        start = rng.integers(stem.shape[-1] - samples)
        stems.append(stem[:, start : start + samples] * np.float32(rng.uniform(0.5, 1.25)))
    return np.stack(stems)


def rate_at(step: int, plan: Plan) -> float:
    """Learning rate: a linear rise over the first 5 % of the steps, then half a cosine down to 1 % of the peak."""
    done = step / plan.steps
    if done < 0.05:
        return plan.rate * (step + 1) / (0.05 * plan.steps + 1)
    return plan.rate * (0.01 + 0.99 * 0.5 * (1.0 + float(np.cos(np.pi * (done - 0.05) / 0.95))))
