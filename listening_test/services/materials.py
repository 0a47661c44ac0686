"""What examples and practice clips are made of: one source of an excerpt alone, and all that sounds beside it.

It comes from the true stems of the study's own songs where there are any, one excerpt for each source of the study;
else from a song that the project makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

from audio.excerpts import cut, is_active
from audio.levels import level_of
from audio.loudness import TooQuiet
from audio.reading import SAMPLE_RATE, Audio, read_flac_samples
from audio.synthesis import SOURCES, synthetic_song
from listening_test.models import Excerpt, Study
from separation.models import Source, Stem

SYNTHETIC_SEED = 7_001  # of the project's own song; no demo song and no training song has it
SYNTHETIC_START = 2.0  # s
USUAL_SECONDS = 10.0


@dataclass(frozen=True)
class Material:
    """`alone` and `others` are float32 `[2, n]` of one shape, at the levels they have in the song."""

    source: str
    alone: Audio
    others: Audio
    origin: dict[str, Any] = field(default_factory=dict)  # where it comes from, and why not from elsewhere

    @cached_property
    def mixture(self) -> Audio:
        return np.asarray(self.alone + self.others, dtype=np.float32)


def materials(study: Study) -> list[Material]:
    """One for each source of the study that can be had from true stems; else one for each from the project's song."""
    return list(_true(study)) or list(_synthetic(study))


# ── From the study's own songs ──────────────────────────────────────────────────────────────────────────────────────


def _true(study: Study) -> Iterator[Material]:
    """Songs take turns, so that each source comes from another one where there are several."""
    excerpts = list(study.excerpts.select_related("song"))
    for place, source in enumerate(study.sources):
        turn = place % max(1, len(excerpts))
        yield from _first(excerpts[turn:] + excerpts[:turn], source)


def _first(excerpts: Iterable[Excerpt], source: str) -> Iterator[Material]:
    """Of the first excerpt in which both the source and the others can be heard."""
    for excerpt in excerpts:
        material = _of_excerpt(excerpt, source)
        if material and _is_audible(material.alone) and _is_audible(material.others):
            yield material
            return


def _of_excerpt(excerpt: Excerpt, source: str) -> Material | None:
    stems = Stem.objects.filter(song=excerpt.song_id, job__isnull=True)
    true = {stem.source: stem for stem in stems if stem.covers(*excerpt.span)}
    beside = _beside(source, set(true))
    if source not in true or not beside:
        return None
    try:
        alone, *others = (stem_samples(true[each], excerpt) for each in (source, *beside))
    except (FileNotFoundError, ValueError):  # damaged behind our back: there are other excerpts
        return None
    origin = {"from": "true stems", "song": str(excerpt.song_id), "start": excerpt.start, "end": excerpt.end}
    return Material(source, alone, np.sum(others, axis=0, dtype=np.float32), origin)


def _beside(source: str, there: set[str]) -> list[str]:
    """What makes up the rest of the song: the accompaniment is the sum of the others, and is not added to them."""
    if source == Source.ACCOMPANIMENT:
        return sorted(there & {Source.VOCALS})
    parts = sorted(there - {source, Source.ACCOMPANIMENT})
    return parts or sorted(there & {Source.ACCOMPANIMENT} if source == Source.VOCALS else set())


def stem_samples(stem: Stem, excerpt: Excerpt) -> Audio:
    """The excerpt of the stem at the level that the system gave it. Raises `ValueError` where it ends before that."""
    start, end = excerpt.span
    with stem.file.open("rb") as file:
        samples = read_flac_samples(file, start - stem.start, end - stem.start)
    return samples if stem.gain == 1.0 else np.asarray(samples / stem.gain, dtype=np.float32)


def _is_audible(samples: Audio) -> bool:
    try:
        level_of(samples)
    except TooQuiet:
        return False
    return is_active(samples)


# ── From the project's own ──────────────────────────────────────────────────────────────────────────────────────────


def _synthetic(study: Study) -> Iterator[Material]:
    lengths = [excerpt.seconds for excerpt in study.excerpts.all()]
    stems = _synthetic_stems(round((lengths[0] if lengths else USUAL_SECONDS) * SAMPLE_RATE))
    has_true = Stem.objects.filter(song__excerpts__study=study, job__isnull=True).exists()
    reason = "true stems too quiet or alone" if has_true else "no true stems"
    for source in study.sources or [Source.VOCALS]:
        alone, others = _split(stems, source)
        yield Material(source, alone, others, {"from": "synthetic song", "seed": SYNTHETIC_SEED, "because": reason})


def _split(stems: dict[str, Audio], source: str) -> tuple[Audio, Audio]:
    """The source and the rest; piano and guitar are "other" there, the accompaniment is all but the voice."""
    if source == Source.ACCOMPANIMENT:
        return _split(stems, Source.VOCALS)[::-1]
    alone = source if source in SOURCES else Source.OTHER
    others = [stem for each, stem in stems.items() if each != alone]
    return stems[alone], np.sum(others, axis=0, dtype=np.float32)


@cache
def _synthetic_stems(samples: int) -> dict[str, Audio]:
    seconds = samples / SAMPLE_RATE
    song = synthetic_song(SYNTHETIC_SEED, max(12.0, SYNTHETIC_START + seconds + 0.1))
    start = round(SYNTHETIC_START * SAMPLE_RATE)
    return {
        source: cut(stem, start / SAMPLE_RATE, (start + samples) / SAMPLE_RATE) for source, stem in song.stems.items()
    }
