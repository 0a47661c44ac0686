"""Clips that are heard before anything is rated: examples of both ends of both scales, practice, and the volume's.

They are made from the study's own excerpts (`materials`), and follow its rule of loudness; each says how it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from audio.degradations import contaminate, distort
from audio.reading import SAMPLE_RATE, Audio
from listening_test.examples import EXAMPLES, PRACTICE, Example
from listening_test.models import Clip, Study
from listening_test.services.materials import Material, materials

EXAMPLE_SECONDS = 6.0

Purpose = Clip.Purpose


@dataclass(frozen=True)
class Sounding:
    """A clip, not yet saved, and what it sounds like; clips of one `mixture` belong together, by the rule of levels."""

    clip: Clip
    samples: Audio
    mixture: Audio


def calibration_sounds(*, study: Study) -> list[Sounding]:
    """The four examples, practice clips where the study has practice, and the clip by which the volume is set."""
    found = materials(study)
    sounds = [*_examples(study, found), _level(study, found[0])]
    return sounds + (list(_practice(study, found)) if study.practice else [])


def _examples(study: Study, found: list[Material]) -> Iterator[Sounding]:
    """Both ends of quality from one source, both ends of contamination from another one where there are several."""
    pair = [_beginning(found[0]), _beginning(found[1 % len(found)])]
    for place, (role, example) in enumerate(zip(Clip.Role, EXAMPLES, strict=True)):
        clip = Clip(study=study, purpose=Purpose.CALIBRATION, role=role)
        yield _made(clip, example, pair[place // 2], seed=study.seed)


def _practice(study: Study, found: list[Material]) -> Iterator[Sounding]:
    """Sources take turns."""
    for place, example in enumerate(PRACTICE):
        clip = Clip(study=study, purpose=Purpose.PRACTICE, expected=example.expected)
        yield _made(clip, example, found[(place + 1) % len(found)], seed=study.seed + 1 + place)


def _level(study: Study, material: Material) -> Sounding:
    """The song itself: by every rule as loud as anything that is rated after it, or louder."""
    made_by = {"how": "mixture", "origin": material.origin}
    return Sounding(Clip(study=study, purpose=Purpose.LEVEL, made_by=made_by), material.mixture, material.mixture)


def _beginning(material: Material) -> Material:
    samples = round(EXAMPLE_SECONDS * SAMPLE_RATE)
    return Material(material.source, material.alone[:, :samples], material.others[:, :samples], material.origin)


def _made(clip: Clip, example: Example, material: Material, *, seed: int) -> Sounding:
    clip.source = material.source
    made_by: dict[str, Any] = {"how": example.name, "origin": material.origin}
    samples = material.alone
    if example.distortion:
        samples = distort(samples, seed=seed, how=example.distortion)
        made_by |= {"distortion": asdict(example.distortion), "seed": seed}
    if example.others_db is not None:
        samples = contaminate(samples, material.others, level_db=example.others_db)
        made_by |= {"others_db": example.others_db}
    clip.made_by = made_by
    return Sounding(clip, np.asarray(samples, dtype=np.float32), material.mixture)
