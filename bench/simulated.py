"""Made-up listening tests of which the truth is known: what `bench/coverage.py` asks the analysis about.

A rating is μ + listener + song + s·noise, rounded and cut to 1–5: listeners N(0, 0.4²), songs N(0, 0.5²), a listener's
inconsistency s ~ U(0.4, 1). True means are integrals over listeners and noise of what rounding and cutting leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from analysis.statistics.arrays import Codes, Floats

LISTENER, SONG = 0.4, 0.5
STEADIEST, SHAKIEST = 0.4, 1.0
LISTENER_SYSTEM, SONG_SYSTEM = 0.2, 0.4


@dataclass(frozen=True)
class Design:
    """`heard`: songs per listener; as many as there are is a complete design. `systems`: distances of systems from
    the mean, for panels in which every song comes in several versions; `songs` counts versions."""

    name: str
    listeners: int
    songs: int
    heard: int
    mean: float
    systems: tuple[float, ...] = (0.0,)

    @property
    def ratings(self) -> int:
        return self.listeners * self.heard


_SHAPES = (
    ("8×12", 8, 12, 12),
    ("12×20", 12, 20, 20),
    ("24×16", 24, 16, 16),
    ("12×50", 12, 50, 50),
    ("100×40", 100, 40, 40),
    ("incomplete 20×24, half", 20, 24, 12),
    ("incomplete 30×50, 40 %", 30, 50, 20),
    ("crowd 60×40 by 12", 60, 40, 12),
)
DESIGNS = tuple(
    Design(f"{name}, {place}", listeners, songs, heard, mean)
    for place, mean in (("mid-scale", 3.0), ("near the ceiling", 4.3))
    for name, listeners, songs, heard in _SHAPES
)

PANELS = tuple(
    Design(f"{listeners} listeners, 16 clips, {place}", listeners, 16, 16, mean)
    for place, mean in (("mid-scale", 3.0), ("near the ceiling", 4.3))
    for listeners in (4, 6)
)
"""Small panels, asked only about single clips: an interval over songs needs five listeners."""

_APART = (-1.1, -0.3, 0.3, 1.1)
SYSTEM_PANELS = (
    Design("12 listeners, 4 × 16 clips", 12, 64, 64, 3.2, _APART),
    Design("24 listeners, 4 × 16 clips", 24, 64, 64, 3.2, _APART),
    Design("crowd of 60, 60 of 4 × 40 clips", 60, 160, 60, 3.2, _APART),
    Design("24 listeners, 4 × 24 clips, near the ceiling", 24, 96, 96, 4.1, (-0.9, -0.2, 0.3, 0.8)),
)
"""Panels in which a listener's ratings suffice to judge the listener."""

_CLOSE = (-0.4, -0.1, 0.1, 0.4)
FEW_RATINGS = (
    Design("16 listeners, 3 × 10 clips, close systems", 16, 30, 30, 3.4, (-0.4, 0.1, 0.3)),
    Design("24 listeners, 4 × 12 clips, close systems", 24, 48, 48, 3.2, _CLOSE),
    Design("20 listeners, 24 of 4 × 12 clips, close systems", 20, 48, 24, 3.2, _CLOSE),
    Design("24 listeners, 24 of 4 × 12 clips", 24, 48, 24, 3.2, _APART),
    Design("20 listeners, 16 of 4 × 8 clips", 20, 32, 16, 3.2, _APART),
    Design("20 listeners, 8 of 4 × 4 clips", 20, 16, 8, 3.2, _APART),
)
"""Ordinary panels, and small ones, in which the ratings say less of who gave them."""


def places(design: Design, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Listeners and songs of the ratings, `[ratings]` each. Incomplete: the songs take turns, from a drawn order on."""
    who = np.repeat(np.arange(design.listeners), design.heard)
    if design.heard == design.songs:
        return who, np.tile(np.arange(design.songs), design.listeners)
    if design.name.startswith("crowd"):
        drawn = rng.permuted(np.tile(np.arange(design.songs), (design.listeners, 1)), axis=1)
        return who, drawn[:, : design.heard].ravel()
    rounds = -(-design.ratings // design.songs)
    turns = np.concatenate([rng.permutation(design.songs) for _round in range(rounds)])
    return who, _distinct(turns[: design.ratings].reshape(design.listeners, design.heard), design.songs)


def _distinct(turns: Codes, songs: int) -> Codes:
    """A listener who would hear a song twice hears another one that they have not heard."""
    for row in turns:
        for at in range(row.size):
            if row[at] in row[:at]:
                row[at] = np.setdiff1d(np.arange(songs), row)[0]
    return turns.ravel()


@dataclass(frozen=True)
class Panel:
    """Listeners and songs that were drawn; `songs` are latent."""

    bias: Floats
    noise: Floats
    songs: Floats

    @classmethod
    def drawn(cls, design: Design, rng: np.random.Generator) -> Panel:
        versions = len(design.systems)
        songs = np.tile(rng.normal(0.0, SONG, design.songs // versions), versions)
        apart = np.repeat(design.systems, design.songs // versions)
        return cls(
            rng.normal(0.0, LISTENER, design.listeners),
            rng.uniform(STEADIEST, SHAKIEST, design.listeners),
            design.mean + songs + apart,
        )

    def rated(self, who: Codes, what: Codes, rng: np.random.Generator, more: Floats | float = 0.0) -> Floats:
        latent = self.songs[what] + self.bias[who] + more + self.noise[who] * rng.normal(size=who.size)
        return np.clip(np.round(latent), 1.0, 5.0)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_SPREADS = 0.5 * (SHAKIEST - STEADIEST) * _NODES + 0.5 * (SHAKIEST + STEADIEST)


def expected(latent: Floats | float, *variances: float) -> Floats:
    """Mean rating over all listeners of clips at `latent`; `variances` are what else varies (songs, interactions)."""
    centre = np.atleast_1d(np.asarray(latent, dtype=np.float64))[:, None, None]
    spread = np.sqrt(LISTENER**2 + sum(variances) + _SPREADS**2)[None, :, None]
    above = ndtr((centre - (np.arange(4) + 1.5)[None, None, :]) / spread)  # rated above 1, 2, 3, 4
    means: Floats = 1.0 + (above.sum(axis=2) * (_WEIGHTS / 2.0)[None, :]).sum(axis=1)
    return means


CARELESS = ("random", "permuted", "reversed", "one button", "nearly one button", "half random")


def careless(kind: str, ratings: Floats, rng: np.random.Generator) -> Floats:
    """What a listener gives who does not listen, in place of `ratings`."""
    size = ratings.size
    if kind == "random":
        return rng.integers(1, 6, size).astype(np.float64)
    if kind == "permuted":
        return rng.permutation(ratings)
    if kind == "reversed":
        return 6.0 - ratings
    if kind == "one button":
        return np.full(size, float(rng.integers(1, 6)))
    given = np.full(size, float(rng.integers(2, 5))) if kind == "nearly one button" else ratings.copy()
    changed = rng.choice(size, max(size // 20, 1) if kind == "nearly one button" else size // 2, replace=False)
    other = rng.choice([-1.0, 1.0], changed.size) + given[changed]
    given[changed] = other if kind == "nearly one button" else rng.integers(1, 6, changed.size)
    return given
