"""Where an excerpt of a song might well be, and why; and where it had better not be.

Windows of about ten seconds are looked at over the whole song. A window is no good where something that is rated is
practically silent, or hardly sounds; it is better the longer everything sounds, the more even the levels are, and
without clipping in the mixture. Looked at are true stems where there are any, else stems that systems have separated,
else only the song itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile

from audio.excerpts import ACTIVE_DBFS, ACTIVE_SHARE
from audio.reading import SAMPLE_RATE
from listening_test import selectors
from separation.models import Song
from separation.selectors import REFERENCE

SECONDS = 10.0
STEP_SECONDS = 2.0
OFFERED = 3
MUCH_WORSE = 0.3  # of the score, which is about the share of the time in which everything sounds
APART = 0.5  # of a window, by which two suggestions differ at least
TELLS_FROM = 0.95  # of the time: less is worth a word
BLOCK_SECONDS = 0.1
MOST_REFUSED = 3
FULL_SCALE = 0.999
CLIPPED_SAMPLES = 3  # so many at full scale in one block are no accident

TELLING = 0.05
"""What two windows must differ by to be told apart: among equals the one nearest to the middle is better."""

Blocks = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reason:
    """A code and its parameters, see `suggestion_words`."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suggestion:
    """`start` and `end` in seconds; `is_good` where nothing speaks against it."""

    start: float
    end: float
    is_good: bool
    reasons: list[Reason]
    score: float = 0.0


@dataclass(frozen=True)
class Heard:
    """One file in blocks of 0.1 s: mean power and samples at full scale. `source` is "" for the song itself."""

    source: str
    power: Blocks
    clipped: Blocks


@dataclass(frozen=True)
class Suggestions:
    """The best first; never none. `refused` are windows that somebody might have chosen, and why not."""

    offered: list[Suggestion]
    refused: list[Suggestion]
    looked_at: str  # "true_stems", "separated" or "mixture"


def excerpt_suggestions(*, song: Song, systems: Iterable[str], sources: Iterable[str]) -> Suggestions:
    """Up to three windows that overlap by half at most; where none is good, the least bad one."""
    looked_at, heard = _heard(song, list(systems), list(sources))
    judged = [_judged(heard, start, end) for start, end in _windows(song.seconds)]
    middle = (song.seconds - _length(song.seconds)) / 2.0
    ranked = sorted(judged, key=lambda each: (not each.is_good, -each.score, abs(each.start - middle), each.start))
    good = [each for each in ranked if each.is_good and each.score >= ranked[0].score - MUCH_WORSE]
    offered = _spread(good, OFFERED) or ranked[:1]
    refused = _spread([each for each in reversed(ranked) if not each.is_good and each not in offered], MOST_REFUSED)
    return Suggestions(offered, sorted(refused, key=lambda each: each.start), looked_at)


def _spread(ranked: Iterable[Suggestion], most: int) -> list[Suggestion]:
    """The first ones that are far enough apart."""
    chosen: list[Suggestion] = []
    for each in ranked:
        if len(chosen) < most and all(abs(each.start - other.start) >= APART * SECONDS for other in chosen):
            chosen.append(each)
    return chosen


# ── What is looked at ───────────────────────────────────────────────────────────────────────────────────────────────


def _heard(song: Song, systems: Sequence[str], sources: Sequence[str]) -> tuple[str, list[Heard]]:
    mixture = _read("", song.mixture, song.mixture_gain)
    for looked_at, keys in (("true_stems", [REFERENCE]), ("separated", [key for key in systems if key != REFERENCE])):
        found = selectors.stems_of([song], keys, sources)
        whole = [stem for stems in found.values() for stem in stems if stem.samples is None]
        if whole:
            return looked_at, [mixture, *(_read(stem.source, stem.file, stem.gain) for stem in whole)]
    return "mixture", [mixture]


def _read(source: str, file: FieldFile, gain: float) -> Heard:
    power, clipped = _blocks(file.storage, str(file.name), file.size)
    return Heard(source, power / gain**2, clipped)


@lru_cache(maxsize=512)
def _blocks(storage: Storage, name: str, size_bytes: int) -> tuple[Blocks, Blocks]:
    """(mean power, samples at full scale) of each block. In pieces: memory does not grow with the song.

    Four minutes take about half a second to read; a file of one name and size is read once.
    """
    size = round(BLOCK_SECONDS * SAMPLE_RATE)
    power, clipped = [], []
    with storage.open(name, "rb") as opened, soundfile.SoundFile(opened) as sound:
        for piece in sound.blocks(size * 100, dtype="float32", always_2d=True):
            whole = piece[: len(piece) // size * size] if len(piece) > size else piece
            blocks = whole.reshape(-1, min(size, len(piece)) * whole.shape[1])
            power.append(np.mean(np.square(blocks, dtype=np.float64), axis=1))
            clipped.append(np.sum(np.abs(blocks) >= FULL_SCALE, axis=1).astype(np.float64))
    return np.concatenate(power), np.concatenate(clipped)


def _length(seconds: float) -> float:
    return min(SECONDS, seconds)


def _windows(seconds: float) -> Iterator[tuple[float, float]]:
    """In hundredths, rounded down: the end stays inside the song. The one in the middle is among them."""
    length = _length(seconds)
    middle = (seconds - length) / 2.0
    count = int(middle / STEP_SECONDS)
    for number in range(-count, count + 1):
        start = int((middle + number * STEP_SECONDS) * 100) / 100
        yield start, round(start + int(length * 100) / 100, 2)


# ── What is thought of it ───────────────────────────────────────────────────────────────────────────────────────────


def _judged(heard: Sequence[Heard], start: float, end: float) -> Suggestion:
    part = slice(round(start / BLOCK_SECONDS), max(round(end / BLOCK_SECONDS), round(start / BLOCK_SECONDS) + 1))
    against: list[Reason] = []
    shares = [(each.source, _share(each.power[part])) for each in heard]
    for source, share in dict(sorted(shares, key=lambda pair: -pair[1])).items():  # of several stems, the quietest
        if share < ACTIVE_SHARE:
            against.append(Reason("silent" if share == 0.0 else "hardly_sounds", {"source": source, "share": share}))
    clipped = any(int(np.sum(each.clipped[part] >= CLIPPED_SAMPLES)) for each in heard if not each.source)
    if clipped:
        against.append(Reason("clipped"))
    least = min(share for _source, share in shares)
    level = _decibels(float(np.mean(heard[0].power[part])))
    score = least - 0.01 * abs(level - _decibels(float(np.mean(heard[0].power))))
    rounded = round(score / TELLING) * TELLING
    return Suggestion(start, end, not against, against or _praise(shares, level), rounded)


def _share(power: Blocks) -> float:
    """Of the time in which it sounds."""
    return float(np.mean(power >= 10.0 ** (ACTIVE_DBFS / 10.0))) if power.size else 0.0


def _praise(shares: Sequence[tuple[str, float]], level: float) -> list[Reason]:
    sources = {source: min(share for each, share in shares if each == source) for source, _share in shares if source}
    reasons = [
        Reason("sounds_partly", {"source": source, "share": share})
        for source, share in sources.items()
        if share < TELLS_FROM
    ]
    everything = [Reason("all_sound")] if sources and not reasons else []
    return [*everything, *reasons, Reason("level", {"db": round(level)}), Reason("not_clipped")]


def _decibels(power: float) -> float:
    return 10.0 * float(np.log10(max(power, 1e-12)))
