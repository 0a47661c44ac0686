"""What the controls of a study sound like: made by the project from what the study has, never asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from audio.degradations import HEAVY, distort
from audio.reading import Audio, read_flac_samples
from listening_test import selectors
from listening_test.controls import DEGRADED_ANCHOR, MIXTURE_ANCHOR
from listening_test.models import Clip, Excerpt
from listening_test.services.materials import stem_samples
from separation.models import Stem
from separation.selectors import REFERENCE

Sound = Callable[[], Audio]


class NoStem(Exception):
    """The stem that a clip is to be cut from is not there."""


class StemTooShort(Exception):
    """The stem ends before the excerpt does."""


def mixture_samples(excerpt: Excerpt) -> Audio:
    """The excerpt of the song, at its own level. Raises `StemTooShort` and `FileNotFoundError`."""
    song = excerpt.song
    with song.mixture.open("rb") as file:
        try:
            samples = read_flac_samples(file, *excerpt.span)
        except ValueError:
            raise StemTooShort from None
    return samples if song.mixture_gain == 1.0 else np.asarray(samples / song.mixture_gain, dtype=np.float32)


def system_sound(clip: Clip, stems: selectors.Stems, *, seed: list[int]) -> Sound:
    """What a rated clip is cut or made from; says so in the clip, and reads nothing before it is called.

    The sound raises `NoStem`, `StemTooShort` or `FileNotFoundError`.
    """
    if clip.system == MIXTURE_ANCHOR:
        return _mixture_anchor(clip)
    if clip.system == DEGRADED_ANCHOR:
        return _degraded_anchor(clip, stems, seed)
    clip.stem = selectors.stem_of(stems, _excerpt(clip), clip.system, clip.source)
    return lambda: _stem_sound(clip.stem, clip)


def _mixture_anchor(clip: Clip) -> Sound:
    clip.made_by = {"how": "the mixture, presented as the stem"}
    return lambda: mixture_samples(_excerpt(clip))


def _degraded_anchor(clip: Clip, stems: selectors.Stems, seed: list[int]) -> Sound:
    """From the true stem, else from the stem of the study's first system that has one."""
    candidates = [REFERENCE, *clip.study.systems]
    found = ((key, selectors.stem_of(stems, _excerpt(clip), key, clip.source)) for key in candidates)
    system, stem = next(((key, stem) for key, stem in found if stem), (REFERENCE, None))
    of = {"system": system, "stem": str(stem.pk) if stem else None}
    clip.made_by = {"how": "degraded", "of": of, "distortion": asdict(HEAVY), "seed": seed}
    return lambda: distort(_stem_sound(stem, clip), seed=seed, how=HEAVY)


def _stem_sound(stem: Stem | None, clip: Clip) -> Audio:
    if stem is None:
        raise NoStem
    try:
        return stem_samples(stem, _excerpt(clip))
    except ValueError:
        raise StemTooShort from None


def _excerpt(clip: Clip) -> Excerpt:
    assert clip.excerpt is not None  # noqa: S101  rated clips have one: a constraint of the database
    return clip.excerpt
