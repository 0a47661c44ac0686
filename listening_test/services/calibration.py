"""What listeners hear before they rate: both ends of both scales.

A voice as it is, the same voice strongly distorted; a voice alone, the same voice with the others loud around it. They
come from the true stems of the study's own songs where there are any, else from a song that the project makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from audio.degradations import contaminate, distort
from audio.excerpts import cut
from audio.loudness import TooQuiet, align
from audio.reading import read_flac
from audio.synthesis import synthetic_song
from listening_test.models import Clip, Excerpt, Study
from listening_test.stimulus import Audio
from separation.models import Stem

VOICE = "vocals"
SECONDS = 6.0
CONTAMINATION_DB = 0.0  # the others as loud as the voice: "very much"
SYNTHETIC_SEED = 7_001  # of the project's own song; no demo song and no training song has it
SYNTHETIC_START = 2.0

Pair = tuple[Audio, Audio]  # the voice, and the others together


def calibration_sounds(*, study: Study) -> dict[Clip.Role, Audio]:
    """Samples, not yet aligned, for each role."""
    voice, others = next(_true_pairs(study), None) or _synthetic_pair()
    return {
        Clip.Role.CLEAN: voice,
        Clip.Role.DISTORTED: distort(voice, seed=study.seed),
        Clip.Role.ALONE: voice,
        Clip.Role.CONTAMINATED: contaminate(voice, others, level_db=CONTAMINATION_DB),
    }


def _true_pairs(study: Study) -> Iterator[Pair]:
    """From each excerpt of the study whose song has true stems and in which both can be heard."""
    for excerpt in study.excerpts.all():
        true = {stem.source: stem for stem in Stem.objects.filter(song=excerpt.song_id, job__isnull=True)}
        if VOICE in true and len(true) > 1:
            pair = _pair(excerpt, true)
            if all(map(_is_audible, pair)):
                yield pair


def _pair(excerpt: Excerpt, true: dict[str, Stem]) -> Pair:
    voice = _read(true[VOICE], excerpt)
    others = [_read(stem, excerpt) for source, stem in true.items() if source != VOICE]
    return voice, np.sum(others, axis=0, dtype=np.float32)


def _read(stem: Stem, excerpt: Excerpt) -> Audio:
    with stem.file.open("rb") as file:
        samples = read_flac(file, excerpt.start, min(excerpt.end, excerpt.start + SECONDS))
    return np.asarray(samples / stem.gain, dtype=np.float32)


def _is_audible(samples: Audio) -> bool:
    try:
        align(samples)
    except TooQuiet:
        return False
    return True


@cache
def _synthetic_pair() -> Pair:
    stems = synthetic_song(SYNTHETIC_SEED).stems
    start, end = SYNTHETIC_START, SYNTHETIC_START + SECONDS
    others = [cut(stem, start, end) for source, stem in stems.items() if source != VOICE]
    return cut(stems[VOICE], start, end), np.sum(others, axis=0, dtype=np.float32)
